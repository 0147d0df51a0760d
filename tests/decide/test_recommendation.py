"""Recommendations on evaluations made small enough to check by a naive search."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.decide.cost import Production, need
from mrl_explorer.decide.diagnosis import split_loss
from mrl_explorer.decide.engines import ENGINES
from mrl_explorer.decide.intervals import most_promised
from mrl_explorer.decide.options import list_options
from mrl_explorer.decide.recommendation import Constraints, recommend
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance

N_DOCS, N_QUERIES, FULL_DIM = 300, 90, 32


def make_evaluation(*, n_queries=N_QUERIES, depth=60, judged=True, seed=0, n_docs=N_DOCS):
    random = np.random.default_rng(seed)
    scale = np.arange(1, FULL_DIM + 1) ** -0.7
    vectors = (random.normal(size=(n_docs + n_queries, FULL_DIM)) * scale).astype(np.float32)
    judgements = None
    if judged:
        # The true first result of each query is the relevant one.
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        best = (unit[n_docs:] @ unit[:n_docs].T).argmax(axis=1).astype(np.int32)
        rows = np.arange(n_queries, dtype=np.int32)
        judgements = Judgements("qrels", rows, best, np.ones(n_queries, np.float32))
    return evaluate(
        Collection(
            make_records(name="documents.npy", vectors=vectors[:n_docs]),
            make_records(name="queries.npy", vectors=vectors[n_docs:], what="queries"),
            judgements,
        ),
        dims=[4, 8, 16, 24],
        depth=depth,
    )


@pytest.fixture(scope="module")
def evaluation():
    return make_evaluation()


@pytest.fixture(scope="module")
def options(evaluation):
    return list_options(evaluation, 5)


@pytest.fixture(scope="module")
def kept(options):
    return options.kept


def all_options(options, *, rescore, production):
    """Every option as (cost, config, cutoff, mean, joint low), by plain loops."""
    if rescore:
        options = options.rescored
    for cut, cutoff in enumerate(options.cutoffs):
        for place, config in enumerate(options.configs):
            one = need(config, production=production, full_dim=FULL_DIM, rescore=cutoff.rescore)
            yield one.cost, config, cutoff, options.mean[cut, place], options.joint_low[cut, place]


def test_options_are_the_recall_of_every_cutoff(evaluation, options):
    assert options.cutoffs == (Cutoff(5),)
    rescored = options.rescored
    assert rescored.rescored is rescored
    assert [c.oversample for c in rescored.cutoffs] == [1, 2, 3, 4, 5, 8, 10]
    assert [c.rescore for c in rescored.cutoffs] == [False] + 6 * [True]
    native = [place for place, config in enumerate(options.configs) if config.basis == "native"]
    for values, cutoff in zip(rescored.recall, rescored.cutoffs, strict=True):
        assert np.array_equal(values[native], recall(evaluation.rankings, cutoff)[native])
    assert np.array_equal(rescored.recall[:1], options.recall)
    assert (options.joint_low[0] <= options.ends[0]).all()
    assert (options.joint_low >= rescored.joint_low[:1]).all()
    base = options.configs.index(evaluation.rankings.baseline)
    assert (rescored.joint_low[:, base] == 1).all()


@pytest.mark.parametrize("rescore", [False, True])
@pytest.mark.parametrize("on_mean", [False, True])
@pytest.mark.parametrize("wanted", [0.3, 0.6, 0.8, 0.9, 0.95, 1.0])
def test_the_choice_is_the_cheapest_that_holds(options, wanted, on_mean, rescore):
    production = Production(n_vectors=1e6)
    constraints = Constraints(min_recall=wanted, on_mean=on_mean, rescore=rescore)
    found = recommend(options, constraints, production=production)
    listed = list(all_options(options, rescore=rescore, production=production))
    holding = [o for o in listed if (o[3] if on_mean else o[4]) >= wanted]
    assert found.choice.need.cost == pytest.approx(min(cost for cost, *_ in holding))
    (own,) = [o for o in holding if o[1:3] == (found.choice.config, found.choice.cutoff)]
    assert found.choice.recall == pytest.approx(own[3])
    # No fewer candidates would do for the same configuration.
    assert not any(o[1] == own[1] and o[2].oversample < own[2].oversample for o in holding)
    if found.runner_up is not None:
        others = [cost for cost, config, *_ in holding if config != found.choice.config]
        assert found.runner_up.need.cost == pytest.approx(min(others))
    if found.cheaper is not None:
        below = [cost for cost, config, *_ in listed if cost < found.choice.need.cost - 1e-9]
        assert found.cheaper.need.cost <= max(below) + 1e-9
        (failure,) = found.cheaper_failures
        assert failure.name == "min_recall"
        assert failure.got < failure.wanted == wanted


def test_each_constraint_is_kept(options):
    free = recommend(options, Constraints(min_recall=0.5)).choice
    config = free.config
    others = tuple(dict.fromkeys(c.dim for c in options.configs if c.dim != config.dim))
    quantizations = tuple(
        dict.fromkeys(
            c.quantization for c in options.configs if c.quantization != config.quantization
        )
    )
    limited = Constraints(min_recall=0.5, dims=others, quantizations=quantizations)
    choice = recommend(options, limited).choice
    assert choice.config.dim in others
    assert choice.config.quantization in quantizations
    assert choice.need.cost >= free.need.cost
    native = recommend(options, Constraints(min_recall=0.5, bases=("native",))).choice
    assert native.config.basis == "native"


def test_limits_of_bytes_memory_and_cost(options):
    free = recommend(options, Constraints(min_recall=0.5, rescore=True)).choice
    for name, limit in (
        ("max_bytes_per_vector", free.config.bytes_per_vector),
        ("max_ram", free.need.ram),
        ("max_disk", free.need.disk),
        ("max_cost", free.need.cost),
    ):
        exactly = Constraints(min_recall=0.5, rescore=True, **{name: limit})
        assert recommend(options, exactly).choice == free
    tight = Constraints(min_recall=0.99, max_cost=free.need.cost / 10)
    assert recommend(options, tight).choice is None


def test_what_to_relax_does_help(options):
    constraints = Constraints(min_recall=0.9, on_mean=True, max_bytes_per_vector=4)
    found = recommend(options, constraints)
    assert found.choice is None
    assert {r.failure.name for r in found.relaxations} >= {"min_recall", "max_bytes_per_vector"}
    for relaxation in found.relaxations:
        name, got = relaxation.failure.name, relaxation.failure.got
        if name == "rescore":
            relaxed = replace(constraints, rescore=True)
        else:
            relaxed = replace(constraints, **{name: float(got)})
        again = recommend(options, relaxed)
        assert again.choice is not None
        # And by no less: a hair tighter, and nothing holds.
        if name == "min_recall":
            assert recommend(options, replace(relaxed, min_recall=got + 1e-6)).choice is None
        if name == "max_bytes_per_vector":
            assert recommend(options, replace(relaxed, max_bytes_per_vector=got - 1)).choice is None


def test_where_no_single_relaxation_helps_the_best_is_named(options):
    found = recommend(
        options,
        Constraints(min_recall=0.99, max_bytes_per_vector=0, max_cost=0, dims=(4,)),
    )
    assert (found.choice, found.relaxations) == (None, ())
    assert found.closest.config.dim == 4
    # Not good enough either: the best there is, and all that would have to give.
    assert {failure.name for failure in found.closest_failures} == {
        "min_recall",
        "max_bytes_per_vector",
        "max_cost",
    }


def test_where_two_limits_are_in_the_way_the_cheapest_that_is_good_enough_is_named(options):
    asked = Constraints(min_recall=0.8, max_bytes_per_vector=0, max_cost=0)
    found = recommend(options, asked)
    assert found.relaxations == ()
    assert found.closest == recommend(options, Constraints(min_recall=0.8)).choice
    assert [failure.name for failure in found.closest_failures] == [
        "max_bytes_per_vector",
        "max_cost",
    ]


def test_zero_prices_leave_memory_to_decide(options):
    free = Production(ram_price=0, disk_price=0)
    found = recommend(options, Constraints(min_recall=0.6), production=free)
    paid = recommend(options, Constraints(min_recall=0.6))
    assert found.choice.need.cost == 0
    assert found.choice.config == paid.choice.config
    # What costs as little is no cheaper.
    assert paid.cheaper is not None
    assert found.cheaper is None


def test_replicas_multiply_everything(options):
    one = recommend(options, Constraints(min_recall=0.6)).choice.need
    three = recommend(
        options, Constraints(min_recall=0.6), production=Production(replicas=3)
    ).choice.need
    assert (three.ram, three.disk) == pytest.approx((3 * one.ram, 3 * one.disk))
    assert three.cost == pytest.approx(3 * one.cost)


def test_cost_by_hand():
    production = Production(n_vectors=1e6, ram_price=2, disk_price=0.5)
    one = need(Config(256, "binary"), production=production, full_dim=1024, rescore=True)
    assert one.cost == pytest.approx(2 * one.ram / 1e9 + 0.5 * one.disk / 1e9)
    assert one.disk > 4096 * 1e6


def test_ndcg_kept_can_be_asked_for(options, kept):
    constraints = Constraints(min_recall=None, min_ndcg_kept=0.8, on_mean=True)
    found = recommend(options, constraints)
    place = options.configs.index(found.choice.config)
    assert found.choice.ndcg_kept == kept.share[0, place] >= 0.8
    assert kept.full[0].mean() == 1
    # The first result alone is relevant, so it survives where others are lost.
    assert found.choice.recall < 0.95
    both = replace(constraints, min_recall=0.95)
    assert recommend(options, both).choice.need.cost > found.choice.need.cost


def test_the_same_choice_on_every_half_when_nothing_else_comes_near(options):
    stability = recommend(options, Constraints(min_recall=1.0)).stability
    assert (stability.same, stability.confirmed) == (100, 100)


def test_a_choice_on_the_edge_is_unstable(options):
    choice = recommend(options, Constraints(min_recall=0.7, on_mean=True)).choice
    edge = recommend(options, Constraints(min_recall=choice.recall, on_mean=True)).stability
    assert 20 < edge.same < 80
    assert edge.confirmed < 80


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 1), st.floats(0.05, 1))
def test_asking_for_more_never_costs_less(options, one, other):
    low, high = sorted((one, other))
    cheap = recommend(options, Constraints(min_recall=low, rescore=True)).choice
    dear = recommend(options, Constraints(min_recall=high, rescore=True)).choice
    assert cheap.need.cost <= dear.need.cost


def test_one_query_promises_next_to_nothing():
    options = list_options(make_evaluation(n_queries=1, judged=False), 5)
    found = recommend(options, Constraints(min_recall=0.95))
    assert found.choice.config == Config(FULL_DIM)
    assert found.stability is None
    assert most_promised(1) < 0.03


def test_all_recalls_equal():
    """Lists of all documents lose nothing anywhere: the fewest bytes win."""
    options = list_options(make_evaluation(n_docs=20, depth=20, n_queries=8), 20)
    assert (options.mean == 1).all()
    found = recommend(options, Constraints(min_recall=1.0))
    assert found.choice.config.bytes_per_vector == min(c.bytes_per_vector for c in options.configs)


def test_judgements_for_a_few_queries_only():
    evaluation = make_evaluation()
    judgements = evaluation.judgements
    few = replace(
        evaluation,
        judgements=Judgements(
            "few",
            judgements.query_rows[:3],
            judgements.document_rows[:3],
            judgements.gains[:3],
        ),
    )
    options = list_options(few, 5)
    assert options.kept.full.shape == (2, 3)
    found = recommend(options, Constraints(min_recall=None, min_ndcg_kept=0.9))
    assert found.choice is not None


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (Constraints(min_recall=None), "what must hold"),
        (Constraints(min_recall=0), "above 0 and at most at 1"),
        (Constraints(min_recall=95), "above 0 and at most at 1"),
        (Constraints(min_recall=float("nan")), "above 0 and at most at 1"),
        (Constraints(max_cost=-1), "cost must be 0 or more"),
        (Constraints(max_ram=float("nan")), "RAM must be 0 or more"),
        (Constraints(dims=(300,)), r"dims asked for \(300\).*covers 4, 8"),
        (Constraints(dims=()), r"dims asked for \(none\)"),
        (Constraints(quantizations=("int3",)), "quantizations asked for"),
        (Constraints(bases=("random",)), "bases asked for"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(options, constraints, message):
    with pytest.raises(InputError, match=message):
        recommend(options, constraints)


def test_ndcg_cannot_be_asked_for_without_judgements():
    options = list_options(make_evaluation(judged=False), 5)
    with pytest.raises(InputError, match="no judgements"):
        recommend(options, Constraints(min_recall=None, min_ndcg_kept=0.9))


@pytest.mark.parametrize(
    ("production", "message"),
    [
        (Production(n_vectors=0), "number of vectors"),
        (Production(n_vectors=float("inf")), "number of vectors"),
        (Production(n_vectors=float("nan")), "number of vectors"),
        (Production(replicas=0), "replicas"),
        (Production(ram_price=-1), "price of RAM"),
        (Production(disk_price=float("nan")), "price of disk"),
    ],
)
def test_production_that_cannot_be_is_refused(options, production, message):
    with pytest.raises(InputError, match=message):
        recommend(options, Constraints(), production=production)


def test_a_k_beyond_the_lists_is_refused(evaluation):
    with pytest.raises(InputError, match="larger than the corpus"):
        list_options(evaluation, N_DOCS + 1)
    with pytest.raises(InputError, match="more than the 60 places"):
        list_options(evaluation, 61)


def test_without_room_for_candidates_there_is_no_rescoring(evaluation):
    assert list_options(evaluation, 40).rescored.cutoffs == (Cutoff(40),)
    assert list_options(evaluation, 5).rescored.cutoffs[-1] == Cutoff(5, 10, rescore=True)


# --- fitted bases -------------------------------------------------------------------------------


def test_a_fitted_basis_is_judged_on_documents_that_it_was_not_fitted_on():
    # So few documents that the basis fits them closely.
    evaluation = make_evaluation(n_docs=60, depth=30)
    options = list_options(evaluation, 5)
    lists = evaluation.held_out.rankings
    for place, config in enumerate(options.configs):
        own = recall(evaluation.rankings, Cutoff(5))[place]
        if not config.is_fitted:
            assert not options.held_out[:, place].any()
            continue
        held_out = recall(lists, Cutoff(5))[lists.place(config)]
        lower = min(own, held_out, key=np.mean)
        assert np.array_equal(options.recall[0, place], lower)
        assert options.held_out[0, place] == (held_out.mean() < own.mean())
    assert options.held_out.any()


def test_without_held_out_lists_its_own_figure_stands(evaluation):
    options = list_options(replace(evaluation, held_out=None), 5)
    assert not options.held_out.any()
    assert np.array_equal(options.recall[0], recall(evaluation.rankings, Cutoff(5)))


def test_more_candidates_than_held_out_documents_are_never_worth_less():
    options = list_options(make_evaluation(n_docs=70, depth=70), 10).rescored
    assert options.cutoffs[-1].candidates > 35
    assert (np.diff(options.mean[1:], axis=0) >= -1e-12).all()


def test_ndcg_of_a_fitted_basis_is_that_on_documents_it_was_not_fitted_on():
    """Against pytrec-like arithmetic by hand: one relevant document a query."""
    evaluation = make_evaluation(n_docs=60, depth=30, seed=3)
    options, lists, rows = (
        list_options(evaluation, 5),
        evaluation.held_out.rankings,
        evaluation.held_out.rows,
    )
    kept, judged = options.kept, evaluation.judgements
    there = np.flatnonzero(np.isin(judged.document_rows, rows))

    def ndcg(config):
        found = rows[lists.ids[lists.place(config)][there, :5]]
        hits = found == judged.document_rows[there, None]
        return (hits / np.log2(np.arange(2, 7))).sum(axis=1)

    full = ndcg(lists.baseline)
    assert kept.held_out.any()
    for place, config in enumerate(options.configs):
        if kept.held_out[0, place]:
            assert kept.share[0, place] == pytest.approx(ndcg(config).sum() / full.sum())
            assert kept.low[0, place] <= kept.share[0, place]
            first, second = kept.halves
            assert np.allclose((first + second)[:, 0, place] / 2, kept.share[0, place], atol=0.15)
        elif config.is_fitted and config in lists:
            own = relevance(evaluation.rankings, judged, Cutoff(5)).ndcg[place]
            assert ndcg(config).sum() / full.sum() >= own.mean() - 1e-9


def test_options_are_paired_on_the_same_documents():
    evaluation = make_evaluation(n_docs=60, depth=30)
    options, lists = list_options(evaluation, 5), evaluation.held_out.rankings
    held_out = next(c for c, held in zip(options.configs, options.held_out[0], strict=True) if held)
    native = replace(held_out, basis="native")
    own = recall(lists, Cutoff(5))
    first, second = options.paired((held_out, Cutoff(5)), (native, Cutoff(5)))
    assert np.array_equal(first, own[lists.place(held_out)])
    assert np.array_equal(second, own[lists.place(native)])
    plain = Config(8, "int8")
    one, other = options.paired((native, Cutoff(5)), (plain, Cutoff(5)))
    assert np.array_equal(one, options.of(native, Cutoff(5)))
    assert np.array_equal(other, options.of(plain, Cutoff(5)))
    # 25 candidates are more than the half has documents.
    many = Cutoff(5, 5, rescore=True)
    few = list_options(make_evaluation(n_docs=46, depth=30), 5)
    held_out = next(c for c, held in zip(few.configs, few.held_out[0], strict=True) if held)
    assert few.paired((held_out, Cutoff(5)), (replace(held_out, basis="native"), many)) is None


def test_what_a_held_out_option_loses_is_split_on_its_own_documents():
    evaluation = make_evaluation(n_docs=60, depth=30)
    options = list_options(evaluation, 5)
    for config, held in zip(options.configs, options.held_out[0], strict=True):
        lists, cutoff = options.measured_on(config, Cutoff(5))
        losses = split_loss(lists, config, cutoff)
        assert (lists is evaluation.half) == held
        assert losses.remaining == pytest.approx(1 - options.of(config, Cutoff(5)).mean())


def test_the_choice_says_whether_its_figures_are_held_out():
    options = list_options(make_evaluation(n_docs=60, depth=30), 5)
    for wanted in (0.5, 0.7, 0.9):
        asked = Constraints(min_recall=wanted, bases=("pca",), on_mean=True)
        choice = recommend(options, asked).choice
        place = options.configs.index(choice.config)
        assert choice.held_out == options.held_out[0, place]
        # What is not held out was held against it all the same.
        assert choice.confirmed == (not choice.held_out)


def test_at_the_same_cost_the_native_basis_goes_first(options):
    """It needs no matrix, even where pca finds more."""
    mean = dict(zip(options.configs, options.mean[0], strict=True))
    native, pca = next(
        (config, turned)
        for config in options.configs
        if config.basis == "native"
        and (turned := replace(config, basis="pca")) in mean
        and mean[turned] > mean[config]
    )
    asked = Constraints(
        min_recall=float(mean[native]),
        on_mean=True,
        dims=(native.dim,),
        quantizations=(native.quantization,),
    )
    found = recommend(options, asked)
    assert (found.choice.config, found.runner_up.config) == (native, pca)
    dearer = replace(asked, min_recall=float(mean[pca]))
    assert recommend(options, dearer).choice.config == pca


# --- engines ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(ENGINES))
def test_an_engine_is_recommended_only_what_it_stores_at_its_own_memory(options, name):
    engine, production = ENGINES[name], Production(1e6, 2, engine=name)
    found = recommend(
        options, Constraints(min_recall=0.3, on_mean=True), production=production
    ).choice
    engine.encoding(found.config)
    memory = engine.memory(
        found.config, n_vectors=1e6, full_dim=FULL_DIM, rescore=False, replicas=2
    )
    assert (found.need.ram, found.need.disk) == pytest.approx((memory.ram, memory.disk))


def test_an_engine_that_is_not_known_is_refused(options):
    with pytest.raises(InputError, match="Unknown engine 'mongo'"):
        recommend(options, Constraints(), production=Production(engine="mongo"))


def test_what_the_engine_does_not_store_can_be_told(options):
    found = recommend(
        options,
        Constraints(min_recall=0.2, on_mean=True, quantizations=("int4",)),
        production=Production(engine="usearch"),
    )
    assert found.choice is None
    assert "engine" in {relaxation.failure.name for relaxation in found.relaxations}
