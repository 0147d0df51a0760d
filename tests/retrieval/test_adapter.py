import numpy as np
import pytest
import torch

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.adapter import (
    LEAST_DOCUMENTS,
    STEPS_UNTOLD,
    Relevant,
    _losses,
    adapter_dims,
    short,
    train,
)
from mrl_explorer.retrieval.basis import fit_basis
from mrl_explorer.retrieval.held_out import searched_half


def hidden_order(n_docs=600, full_dim=24, seed=0):
    """Documents in 60 topics, turned at random."""
    random = np.random.default_rng(seed)
    topics = random.normal(size=(60, full_dim)) * 0.8 ** np.arange(full_dim)
    vectors = topics[random.integers(60, size=n_docs)]
    vectors += 0.1 * random.normal(size=(n_docs, full_dim))
    axes, _ = np.linalg.qr(random.normal(size=(full_dim, full_dim)))
    return (vectors @ axes).astype(np.float32)


def misleading(n_docs=1500, full_dim=24, seed=0):
    """Four clusters far apart, which PCA puts first, and neighbours told by axes that vary less."""
    random = np.random.default_rng(seed)
    vectors = 0.02 * random.normal(size=(n_docs, full_dim))
    vectors[:, :3] += 0.5 * random.normal(size=(n_docs, 3))
    vectors[:, 3:7] += 2 * np.eye(4)[random.integers(4, size=n_docs)]
    return vectors.astype(np.float32)


def run(documents, **options):
    return list(train(documents, **{"dims": [4, 8], "n_steps": 60, **options}))


def test_it_starts_from_the_principal_axes_of_what_it_may_see():
    documents = hidden_order()
    first = next(train(documents, dims=[4, 8]))
    others = np.setdiff1d(np.arange(600), searched_half(600))
    axes = fit_basis("pca", documents[others]).components
    assert np.array_equal(first.best.components, axes)
    assert (first.step, first.best_step, first.dims) == (0, 0, (4, 8, 24))
    # A rotation loses nothing at full dimension.
    np.testing.assert_allclose(first.losses[-1], 0, atol=1e-5)
    assert (first.losses[:-1] > 0.01).all()
    assert first.best.name == "adapter"
    assert np.array_equal(first.best.unseen, searched_half(600))


def test_the_best_is_the_one_that_keeps_the_most_so_far():
    checks = run(hidden_order(), dims=[4, 8, 16])
    # Of 24 dims, 4 and 8 count and 16 does not.
    kept = [check.kept[:2].mean() for check in checks]
    assert [check.step for check in checks] == list(range(0, 61, STEPS_UNTOLD))
    for place, check in enumerate(checks):
        assert check.best_step == checks[int(np.argmax(kept[: place + 1]))].step
    np.testing.assert_allclose(checks[0].kept[-1], 1)


def test_it_learns_which_axes_tell_neighbours_apart():
    checks = run(misleading(), dims=[3], n_steps=200)
    best = max(checks, key=lambda check: check.kept[0])
    assert best.kept[0] > checks[0].kept[0] + 0.1
    assert best.losses[0] < checks[0].losses[0]


def test_the_documents_it_is_judged_on_change_nothing():
    """Whatever they are: neither start nor training has seen them."""
    documents = hidden_order()
    others = documents.copy()
    unseen = searched_half(600)
    others[unseen] = np.random.default_rng(9).normal(size=(len(unseen), 24))
    first, second = run(documents)[-1], run(others)[-1]
    assert np.array_equal(first.best.components, second.best.components)
    assert np.array_equal(first.losses, second.losses)


def test_it_is_the_same_every_time_and_leaves_the_generators_alone():
    documents = hidden_order()
    state = torch.random.get_rng_state()
    first, second = run(documents)[-1], run(documents)[-1]
    np.testing.assert_allclose(first.best.components, second.best.components, atol=1e-6)
    assert torch.equal(state, torch.random.get_rng_state())


def test_other_rows_can_be_left_out():
    unseen = np.arange(0, 600, 3)
    assert np.array_equal(run(hidden_order(), unseen=unseen)[0].best.unseen, unseen)


def test_it_ends_when_it_gains_no_more():
    noise = np.random.default_rng(0).normal(size=(300, 16)).astype(np.float32)
    checks = list(train(noise, dims=[4], n_steps=100_000))
    assert checks[-1].step < 2000
    assert checks[-1].step - checks[-1].best_step >= STEPS_UNTOLD


def test_the_loss_of_a_prefix_is_the_divergence_of_its_softmax():
    random = np.random.default_rng(3)
    anchors, others = random.normal(size=(5, 6)), random.normal(size=(7, 6))
    itself = np.zeros((5, 7), bool)
    itself[0, 2] = True
    target = random.dirichlet(np.ones(7), size=5)
    target[0, 2] = 0
    target /= target.sum(axis=1, keepdims=True)
    found = _losses(
        *(torch.from_numpy(a) for a in (anchors, others)),
        (2, 6),
        torch.from_numpy(target),
        torch.from_numpy(itself),
    )
    for dim, loss in zip((2, 6), found, strict=True):
        a, o = anchors[:, :dim], others[:, :dim]
        cosine = a @ o.T / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(o, axis=1)
        weights = np.where(itself, 0, np.exp(cosine / 0.05))
        share = weights / weights.sum(axis=1, keepdims=True)
        part = np.where(
            target > 0, target * np.log(np.maximum(target, 1e-300) / share.clip(1e-300)), 0
        )
        assert float(loss) == pytest.approx(part.sum(axis=1).mean(), rel=1e-6)


def test_which_dims_are_trained():
    assert adapter_dims(64, [8, 64, 16, 8, 1]) == (8, 16)
    many = adapter_dims(512, range(2, 512, 10))
    assert len(many) == 8
    assert (many[0], many[-1]) == (2, 502)


@pytest.mark.parametrize("n_docs", [2, 20, LEAST_DOCUMENTS - 1])
def test_too_few_documents(n_docs):
    with pytest.raises(InputError, match=f"{n_docs} documents are too few to train an adapter"):
        next(train(np.ones((n_docs, 4), np.float32), dims=[2]))


def test_no_dim_that_cuts():
    with pytest.raises(InputError, match="None of the dims cuts"):
        next(train(hidden_order(), dims=[24]))


def test_what_progress_raises_stops_it():
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(train(hidden_order(), dims=[4], on_progress=stop))


@pytest.mark.parametrize(
    ("dims", "full_dim", "counted"),
    [((8, 32, 33, 64), 64, (8, 32)), ((40, 64), 64, (40,)), ((3, 4, 7), 7, (3,))],
)
def test_which_dims_count(dims, full_dim, counted):
    assert tuple(np.array(dims)[short(dims, full_dim)]) == counted


def test_the_best_also_finds_what_is_relevant():
    random = np.random.default_rng(0)
    documents = random.normal(size=(400, 24)).astype(np.float32)
    queries = documents + random.normal(size=(400, 24)).astype(np.float32)
    rows = np.arange(400)
    checks = run(documents, unseen=rows[300:], relevant=Relevant(queries, rows, rows))
    good = [check.kept[:2].mean() + check.found[:2].mean() for check in checks]
    for place, check in enumerate(checks):
        assert check.best_step == checks[int(np.argmax(good[: place + 1]))].step
        assert ((check.found > 0) & (check.found <= 1)).all()
    # All dims tell more than four.
    assert checks[0].found[-1] > checks[0].found[0]


def test_judgements_of_documents_left_out_are_not_heard():
    documents = hidden_order()
    rows = np.arange(0, 600, 3)
    others = np.setdiff1d(np.arange(600), rows)[:200]
    queries = documents[others] + 0.1
    one = Relevant(queries, np.arange(200), others)
    both = Relevant(queries, np.r_[np.arange(200), np.arange(200)], np.r_[others, rows])
    first = run(documents, unseen=rows, relevant=one)[-1]
    second = run(documents, unseen=rows, relevant=both)[-1]
    assert np.array_equal(first.best.components, second.best.components)
    assert np.array_equal(first.found, second.found)


def test_too_few_judgements_teach_nothing():
    documents = hidden_order()
    unheard = Relevant(documents[:4], np.arange(4), searched_half(600)[:4])
    assert run(documents, relevant=unheard)[0].found is None
