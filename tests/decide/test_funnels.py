"""The planner, held against trying everything."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import Judgements
from mrl_explorer.decide.funnels import Aim, describe, held_out_tiers, plan, recall_curves
from mrl_explorer.decide.intervals import intervals
from mrl_explorer.decide.needs import rescoring_configs
from mrl_explorer.errors import InputError
from mrl_explorer.report.tiers import shortfall_text
from mrl_explorer.retrieval.candidates import Scorer, gather_candidates, rank_directly
from mrl_explorer.retrieval.chains import chain, parse_chain
from mrl_explorer.retrieval.config import grid
from mrl_explorer.retrieval.held_out import rank_held_out
from mrl_explorer.retrieval.metrics import Cutoff, recall
from mrl_explorer.retrieval.sweep import sweep
from tests.retrieval.corpora import make_corpus

FULL_DIM, N_DOCS, N_QUERIES = 32, 200, 40


def made(kind, *, depth=40, quantizations=("float32", "int8", "int4", "binary")):
    documents, queries = make_corpus(
        kind, n_docs=N_DOCS, n_queries=N_QUERIES, full_dim=FULL_DIM, seed=3
    )
    configs = grid(FULL_DIM, dims=(8, 16, 32), quantizations=quantizations)
    return documents, queries, gather_candidates(sweep(documents, queries, configs, depth=depth))


@pytest.fixture(scope="module")
def decaying():
    return made("decaying")


@pytest.fixture(scope="module")
def gaussian():
    return made("gaussian")


def first_stages(rankings):
    return [config for config in rankings.configs if config != rankings.baseline]


@pytest.mark.parametrize("sure", [False, True])
@pytest.mark.parametrize("min_recall", [0.5, 0.9, 0.99, 1.0])
def test_the_shortest_list_is_the_shortest(decaying, gaussian, min_recall, sure):
    for _, _, candidates in (decaying, gaussian):
        rankings = candidates.rankings
        aim = Aim(min_recall=min_recall, k=5, sure=sure)
        by_config = {first.config: first for first in plan(candidates, aim).first_stages}
        assert list(by_config) == first_stages(rankings)
        curves = {}
        for count in range(5, rankings.depth + 1):
            rescored = [chain((c, count), (rankings.baseline, 5)) for c in by_config]
            values = candidates.recall(rescored)
            curves[count] = intervals(values)[0] if sure else values.mean(axis=1)
        for place, (config, first) in enumerate(by_config.items()):
            reaching = [n for n, row in curves.items() if row[place] >= min_recall - 5e-7]
            assert first.candidates == min(reaching, default=None), config


def everything(candidates, aim, *, sizes=(5, 8, 10, 15, 20, 25, 40)):
    """Every chain of two and three stages on a coarse grid, and the shortest lists."""
    rankings = candidates.rankings
    firsts = first_stages(rankings)
    for first in plan(candidates, aim).first_stages:
        exact = [] if first.candidates is None else [first.candidates]
        for many in {*sizes, *exact}:
            yield chain((first.config, many), (rankings.baseline, aim.k))
            for later in firsts:
                yield chain((first.config, many), (later, aim.k))
                for few in sizes:
                    if few <= many:
                        yield chain((first.config, many), (later, few), (rankings.baseline, aim.k))


@pytest.mark.parametrize("objective", ["ram", "bytes"])
@pytest.mark.parametrize("limits", [{}, {"max_disk_reads": 10}, {"max_candidates": 12}])
@pytest.mark.parametrize("min_recall", [0.8, 0.95])
def test_no_chain_of_everything_is_cheaper_than_the_chosen(
    decaying, gaussian, objective, limits, min_recall
):
    n_compared = 0
    for _, _, candidates in (decaying, gaussian):
        aim = Aim(min_recall=min_recall, k=5, n_vectors=10_000, objective=objective, **limits)
        chosen = plan(candidates, aim).chosen
        tried = [
            one
            for one in everything(candidates, aim)
            if aim.allows(one, aim.need(one, full_dim=FULL_DIM))
        ]
        means = candidates.recall(tried).mean(axis=1)
        reaching = [one for one, mean in zip(tried, means, strict=True) if mean >= min_recall]
        if not reaching:
            assert chosen is None
            continue
        n_compared += 1
        assert chosen is not None
        cheapest = min(aim.cost(one, aim.need(one, full_dim=FULL_DIM)) for one in reaching)
        assert aim.cost(chosen.chain, chosen.need) <= cheapest
    assert n_compared


@settings(max_examples=25)
@given(
    st.floats(0.3, 1.0),
    st.sampled_from(["ram", "bytes"]),
    st.booleans(),
    st.none() | st.integers(5, 40),
    st.none() | st.integers(5, 40),
    st.none() | st.floats(1e4, 1e6),
    st.integers(1, 4),
)
def test_what_is_chosen_keeps_every_promise(
    min_recall, objective, sure, max_candidates, max_disk_reads, max_ram, max_stages
):
    _, _, candidates = CACHE
    aim = Aim(
        min_recall=min_recall,
        k=5,
        n_vectors=10_000,
        sure=sure,
        objective=objective,
        max_candidates=max_candidates,
        max_disk_reads=max_disk_reads,
        max_ram=max_ram,
        max_stages=max_stages,
    )
    found = plan(candidates, aim)
    for tiers in found.best_of_each:
        assert aim.allows(tiers.chain, tiers.need)
        again = describe(tiers.chain, candidates, aim)
        assert again is not None
        assert (tiers.chain, tiers.need) == (again.chain, again.need)
        # Intervals of many rows at once differ from those of one in the last bits.
        for name in ("recall", "low", "high"):
            assert getattr(tiers, name) == pytest.approx(getattr(again, name), abs=1e-6)
        assert (tiers.low if sure else tiers.recall) >= min_recall - 1e-6
        assert tiers.low <= tiers.recall <= tiers.high
    costs = [aim.cost(tiers.chain, tiers.need) for tiers in found.best_of_each]
    assert costs == sorted(costs)
    firsts = [tiers.chain.stages[0].config for tiers in found.best_of_each]
    assert len(set(firsts)) == len(firsts)


CACHE = made("decaying")


def test_only_what_is_permitted_is_used(decaying):
    aim = Aim(min_recall=0.9, k=5, quantizations=("binary", "int8"), bases=("native",))
    found = plan(decaying[2], aim)
    assert found.best_of_each
    for tiers in found.best_of_each:
        for stage in tiers.chain.stages:
            allowed = stage.config.quantization in ("binary", "int8")
            assert allowed or stage.config == decaying[2].rankings.baseline
    assert plan(decaying[2], Aim(k=5, bases=("random",))).chosen is None


def test_a_graph_comes_first_only_over_codes_that_usearch_compares(decaying):
    flat, indexed = (plan(decaying[2], Aim(min_recall=0.9, k=5, indexed=x)) for x in (False, True))
    assert {first.config.quantization for first in flat.first_stages} >= {"int4", "int8"}
    named = {first.config.quantization for first in indexed.first_stages}
    assert named == {"float32", "int8", "binary"}
    assert all(tiers.need.graph_in_ram > 0 for tiers in indexed.best_of_each)


def test_a_fitted_basis_is_held_against_documents_that_it_has_not_seen():
    documents, queries = make_corpus("decaying", n_docs=400, n_queries=20, full_dim=16, seed=0)
    configs = grid(16, dims=(4, 16), quantizations=("float32", "int8"), bases=("native", "pca"))
    held_out = rank_held_out(documents, queries, configs, depth=40, excluded=None)
    assert held_out is not None
    unseen = gather_candidates(held_out.rankings)
    fitted = parse_chain("4-int8-pca:20,16-float32:5")
    got = held_out_tiers(fitted, unseen, Aim(k=5))
    assert got is not None
    expected = recall(held_out.rankings, Cutoff(5, 4, rescore=True))
    place = held_out.rankings.place(fitted.stages[0].config)
    assert got.recall == pytest.approx(expected[place].mean())
    assert held_out_tiers(parse_chain("4-int8:20,16-float32:5"), unseen, Aim(k=5)) is None
    assert held_out_tiers(parse_chain("4-int8-pca:41,16-float32:5"), unseen, Aim(k=5)) is None


@pytest.mark.parametrize("objective", ["ram", "bytes"])
@pytest.mark.parametrize("min_recall", [0.6, 0.8, 0.95])
def test_the_documents_unseen_decide_on_a_fitted_basis(min_recall, objective):
    # Fewer documents than dims: principal axes of these very documents flatter themselves most.
    documents, queries = make_corpus("gaussian", n_docs=60, n_queries=30, full_dim=48, seed=0)
    configs = grid(
        48, dims=(12, 24, 48), quantizations=("float32", "int8"), bases=("native", "pca")
    )
    candidates = gather_candidates(sweep(documents, queries, configs, depth=30))
    held_out = rank_held_out(documents, queries, configs, depth=30, excluded=None)
    assert held_out is not None
    unseen = gather_candidates(held_out.rankings)
    aim = Aim(min_recall=min_recall, k=3, n_vectors=1e4, objective=objective)
    flattered = plan(candidates, aim)
    strict = plan(candidates, aim, unseen=unseen)
    for tiers in strict.best_of_each:
        other = held_out_tiers(tiers.chain, unseen, aim)
        assert other is None or other.recall >= min_recall - 1e-6
    for before, after in zip(flattered.first_stages, strict.first_stages, strict=True):
        assert (after.unseen is not None) == after.config.is_fitted
        if not after.config.is_fitted:
            assert before == after
        elif after.candidates is not None:
            assert before.candidates is not None
            assert after.candidates >= before.candidates


def test_where_k_places_are_enough_nothing_is_rescored(decaying):
    _, _, candidates = decaying
    rankings = candidates.rankings
    plain = recall(rankings, Cutoff(5)).mean(axis=1)
    config = next(c for c in first_stages(rankings) if c.quantization == "int8")
    least = plain[rankings.place(config)]
    found = plan(candidates, Aim(min_recall=float(least), k=5))
    (tiers,) = [t for t in found.best_of_each if t.chain.stages[0].config == config]
    assert len(tiers.chain.stages) == 1
    assert tiers.recall == pytest.approx(least)


def test_nothing_reaches_it_and_the_plan_says_how_far_each_gets():
    _, _, candidates = made("gaussian", depth=6, quantizations=("binary",))
    found = plan(candidates, Aim(min_recall=1.0, k=5))
    assert found.chosen is None
    assert found.best_of_each == ()
    assert all(first.candidates is None and first.recall < 1 for first in found.first_stages)


def test_lists_of_the_whole_corpus_always_reach_it():
    documents, queries = make_corpus("gaussian", n_docs=12, n_queries=5, full_dim=8, seed=0)
    configs = grid(8, dims=(2, 8), quantizations=("binary",))
    candidates = gather_candidates(sweep(documents, queries, configs, depth=50))
    found = plan(candidates, Aim(min_recall=1.0, k=3, sure=True, max_stages=2))
    assert {first.candidates for first in found.first_stages} == {12}
    assert found.chosen is not None
    assert (found.chosen.low, found.chosen.recall) == (1, 1)


def test_direct_scores_bring_the_float_query_into_play(gaussian):
    documents, queries, candidates = gaussian
    configs = candidates.rankings.configs
    direct = rank_directly(
        candidates, rescoring_configs(FULL_DIM, configs), Scorer(documents, queries)
    )
    one = parse_chain("32-binary:40,32-binary-floatq:15,32-float32:5")
    aim = Aim(k=5)
    assert describe(one, candidates, aim) is None
    tiers = describe(one, direct, aim)
    assert tiers is not None
    # The float query costs no RAM, and cuts the reads from disk from 40 to 15.
    assert tiers.need.disk_reads == 15
    assert tiers.need.codes_in_ram == 4 * aim.n_vectors
    found = plan(direct, Aim(min_recall=0.9, k=5, max_disk_reads=15))
    assert found.n_undecided == 0


def test_relevance_of_the_chosen_is_that_of_its_results(decaying):
    _, _, candidates = decaying
    rankings = candidates.rankings
    truth = rankings.ids[rankings.place(rankings.baseline)][:, 0]
    judgements = Judgements(
        "j",
        np.arange(N_QUERIES, dtype=np.int32),
        truth.astype(np.int32),
        np.ones(N_QUERIES, np.float32),
    )
    found = plan(candidates, Aim(min_recall=1.0, k=5), judgements=judgements)
    assert found.chosen is not None
    # All true results are kept and rescored, so the best one stands first.
    assert found.chosen.ndcg == pytest.approx(1.0)


def test_curves_give_the_recall_of_rescoring(decaying):
    _, _, candidates = decaying
    rankings = candidates.rankings
    counts, curves = recall_curves(candidates, 5)
    assert counts.tolist() == list(range(5, 41))
    for oversample in (1, 2, 8):
        expected = recall(rankings, Cutoff(5, oversample, rescore=True)).mean(axis=1)
        np.testing.assert_allclose(curves[:, 5 * oversample - 5], expected)
    assert (np.diff(curves, axis=1) >= -1e-12).all()


def test_a_run_of_full_dimension_alone_has_no_first_stage(decaying):
    rankings = decaying[2].rankings
    place = [rankings.place(rankings.baseline)]
    alone = replace(
        rankings,
        configs=(rankings.baseline,),
        ids=rankings.ids[place],
        scores=rankings.scores[place],
        full_scores=rankings.full_scores[place],
    )
    found = plan(gather_candidates(alone), Aim(k=5))
    assert (found.chosen, found.first_stages) == (None, ())
    assert shortfall_text(found, alone).startswith("This run has no configuration but full")


@pytest.mark.parametrize(
    ("aim", "message"),
    [
        (Aim(min_recall=0), "no share"),
        (Aim(min_recall=1.5), "no share"),
        (Aim(min_recall=float("nan")), "no share"),
        (Aim(k=0), "leaves no results"),
        (Aim(k=41), "choose k up to 40"),
        (Aim(n_vectors=0), "1 or more"),
        (Aim(max_candidates=4), "cannot give k = 10"),
        (Aim(max_candidates=201), "corpus of 200"),
        (Aim(max_disk_reads=3), "cannot give k = 10"),
    ],
)
def test_an_aim_that_makes_no_sense_is_told(decaying, aim, message):
    with pytest.raises(InputError, match=message):
        plan(decaying[2], aim)


def test_a_chain_that_cannot_run_is_told(decaying):
    candidates = decaying[2]
    with pytest.raises(InputError, match="give stage 1 at least 5"):
        describe(parse_chain("8-int8:3,32-float32:5"), candidates, Aim(k=5))
    with pytest.raises(InputError, match="rank deeper, to 41"):
        describe(parse_chain("8-int8:41,32-float32:5"), candidates, Aim(k=5))
    with pytest.raises(InputError, match="does not cover 9d int8"):
        describe(parse_chain("9-int8:20,32-float32:5"), candidates, Aim(k=5))
