import numpy as np
import pytest

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.decide.adapters import adapter_configs, judge, train_and_judge
from mrl_explorer.errors import InputError
from mrl_explorer.report.adapters import verdict_rows, verdict_sentences, verdict_title
from mrl_explorer.retrieval.basis import Basis, fit_basis
from mrl_explorer.retrieval.held_out import rank_held_out, searched_half
from mrl_explorer.retrieval.metrics import Cutoff, recall
from mrl_explorer.retrieval.sweep import sweep


def hidden_order(n_docs=800, n_queries=60, full_dim=24, seed=0):
    """Vectors whose neighbours are decided by directions that PCA does not put first.

    Six directions hold 400 topics; the others vary more and are shared by half the corpus, so
    they tell hardly anything of who is near whom.
    """
    random = np.random.default_rng(seed)
    topics = random.normal(size=(100, 6))

    def draw(n_rows):
        vectors = np.zeros((n_rows, full_dim))
        vectors[:, :6] = topics[random.integers(100, size=n_rows)]
        vectors[:, :6] += 0.3 * random.normal(size=(n_rows, 6))
        vectors[:, 6:12] = random.choice([-1.3, 1.3], size=(n_rows, 6))
        vectors[:, 12:] = 0.1 * random.normal(size=(n_rows, full_dim - 12))
        return vectors.astype(np.float32)

    return draw(n_docs), draw(n_queries)


def collection_of(documents, queries, judgements=None):
    return Collection(
        make_records(name="d", vectors=documents),
        make_records(name="q", vectors=queries, what="queries"),
        judgements,
    )


def ranked(documents, queries, components, dims=(4, 8)):
    basis = Basis("adapter", components, searched_half(len(documents)))
    return rank_held_out(
        documents,
        queries,
        adapter_configs((*dims, documents.shape[1])),
        depth=10,
        excluded=None,
        trained=[basis],
    )


def test_the_figures_are_those_of_the_documents_held_out():
    documents, queries = hidden_order()
    random = np.random.default_rng(1).normal(size=(24, 24)).astype(np.float32)
    verdict = judge(ranked(documents, queries, random))
    half = documents[searched_half(800)]
    rankings = sweep(
        half, queries, adapter_configs((4,)), bases=[Basis("adapter", random)], depth=10
    )
    own = recall(rankings, Cutoff(10)).mean(axis=1)
    row = verdict.rows[0]
    assert row.dim == 4
    assert row.native == pytest.approx(own[rankings.place(adapter_configs((4,))[0])])
    assert row.adapter == pytest.approx(own[rankings.place(adapter_configs((4,))[2])])
    assert (verdict.n_docs, verdict.n_queries, verdict.k) == (400, 60, 10)
    assert verdict.rows[0].adapter_ndcg is None
    # Full dimension is in the table, and not in the comparison.
    cuts = [row.adapter - row.pca for row in verdict.rows[:-1]]
    assert verdict.gain.difference == pytest.approx(np.mean(cuts))


def test_the_start_itself_is_not_offered():
    documents, queries = hidden_order()
    others = np.setdiff1d(np.arange(800), searched_half(800))
    axes = fit_basis("pca", documents[others]).components
    verdict = judge(ranked(documents, queries, axes))
    assert verdict.gain.difference == 0
    assert not verdict.offered
    assert verdict_title(verdict) == "No advantage over PCA measured"
    assert "So it is not offered" in verdict_sentences(verdict)[-1]


def test_a_map_that_keeps_what_matters_is_offered():
    documents, queries = hidden_order()
    # Noise first: the model's own prefix and PCA are both poor.
    order = np.r_[12:24, 0:12]
    documents, queries = documents[:, order].copy(), queries[:, order].copy()
    known = np.eye(24, dtype=np.float32)[np.r_[12:24, 0:12]]
    verdict = judge(ranked(documents, queries, known, dims=(12,)))
    assert verdict.over_native.low > 0.3
    assert verdict.offered == (verdict.gain.low > 0)


def test_worse_than_the_start_is_said():
    documents, queries = hidden_order()
    backwards = np.eye(24, dtype=np.float32)[::-1].copy()
    verdict = judge(ranked(documents, queries, backwards))
    assert verdict.gain.high < 0
    assert not verdict.offered
    assert verdict_title(verdict) == "The adapter is worse than PCA"


def test_relevance_counts_the_documents_held_out_alone():
    documents, queries = hidden_order()
    half = searched_half(800)
    seen = np.setdiff1d(np.arange(800), half)
    judged = Judgements(
        "qrels",
        np.array([0, 0, 1, 2], np.int32),
        np.array([half[3], seen[0], half[5], seen[1]], np.int32),
        np.ones(4, np.float32),
    )
    held_out = ranked(documents, queries, np.eye(24, dtype=np.float32))
    verdict = judge(held_out, judgements=judged)
    assert verdict.n_judged == 2
    # The identity is the prefix, by any measure.
    assert verdict.rows[0].adapter_ndcg == verdict.rows[0].native_ndcg
    assert "nDCG@10" in " ".join(verdict_sentences(verdict))
    assert set(verdict_rows(verdict)[0]) == {
        "dim",
        *(
            f"{who} {what}@10"
            for who in ("prefix", "PCA", "adapter")
            for what in ("recall", "nDCG")
        ),
    }


def test_training_and_judging_in_one():
    documents, queries = hidden_order()
    reports, checks = [], []

    def until_third(checkpoint):
        checks.append(checkpoint.step)
        return len(checks) < 3

    trained = train_and_judge(
        collection_of(documents, queries),
        dims=[4, 8],
        goes_on=until_third,
        on_progress=reports.append,
    )
    assert trained.steps == (0, 20, 40)
    assert trained.losses.shape == (3, 3)
    assert trained.dims == (4, 8, 24)
    assert trained.best_step in trained.steps
    same = trained.verdict.rows[0].adapter == trained.verdict.rows[0].pca
    assert same == (trained.best_step == 0)
    assert [r.done for r in reports if r.what == "training the adapter"] == [0, 20, 40]


def test_ctrl_c_keeps_the_best_so_far():
    documents, queries = hidden_order()

    def interrupt(checkpoint):
        if checkpoint.step == 40:
            raise KeyboardInterrupt
        return True

    trained = train_and_judge(collection_of(documents, queries), dims=[4], goes_on=interrupt)
    assert trained.steps == (0, 20, 40)


def test_few_documents_are_refused():
    documents, queries = hidden_order(n_docs=20)
    with pytest.raises(InputError, match="20 documents are too few to train an adapter"):
        train_and_judge(collection_of(documents, queries), dims=[4])
