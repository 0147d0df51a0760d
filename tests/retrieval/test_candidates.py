"""Chains read off the lists, held against searches that run stage after stage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import Judgements
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress
from mrl_explorer.retrieval.candidates import Scorer, gather_candidates, rank_directly
from mrl_explorer.retrieval.chains import chain
from mrl_explorer.retrieval.config import Config, baseline, grid
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance, relevance_of
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.rankings import TIE
from mrl_explorer.retrieval.sweep import sweep
from tests.retrieval import naive
from tests.retrieval.corpora import KINDS, make_corpus

FULL_DIM, N_DOCS, N_QUERIES = 16, 60, 6
CONFIGS = grid(
    FULL_DIM,
    dims=(4, 8, 16),
    quantizations=("float32", "int8", "int4", "binary", "binary-floatq"),
    bases=("native", "pca", "pca-rotated", "random"),
)


def ranked(kind="gaussian", *, depth, seed=0, excluded=None):
    documents, queries = make_corpus(
        kind, n_docs=N_DOCS, n_queries=N_QUERIES, full_dim=FULL_DIM, seed=seed
    )
    return documents, queries, sweep(documents, queries, CONFIGS, depth=depth, excluded=excluded)


def staged(complete, one, query):
    """Run a chain stage after stage on complete lists: (k,) document rows."""
    handed = None
    for stage in one.stages:
        order = [int(row) for row in complete.ids[complete.place(stage.config), query] if row >= 0]
        handed = [row for row in order if handed is None or row in handed][: stage.keep]
    return handed


def recall_of(complete, one):
    """Recall of `staged`, ties with the k-th true result counting as found."""
    truth = complete.full_scores[complete.place(complete.baseline)]
    shares = []
    for query in range(complete.n_queries):
        ids = complete.ids[complete.place(complete.baseline), query]
        score_of = dict(zip(ids.tolist(), truth[query].tolist(), strict=True))
        kth = min(truth[query, : one.k])
        hits = sum(score_of[row] >= kth - TIE for row in staged(complete, one, query))
        shares.append(min(hits, one.k) / one.k)
    return np.array(shares)


chains = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from(CONFIGS), min_size=n, max_size=n),
        st.lists(st.integers(1, 12), min_size=n, max_size=n).map(lambda k: sorted(k)[::-1]),
    ).map(lambda pair: chain(*zip(*pair, strict=True)))
)


@settings(max_examples=150)
@given(st.sampled_from(KINDS), st.integers(0, 3), st.integers(12, 30), chains)
def test_a_chain_on_short_lists_equals_a_staged_search_or_is_undecided(kind, seed, depth, one):
    _, _, shallow = ranked(kind, depth=depth, seed=seed)
    _, _, complete = ranked(kind, depth=N_DOCS, seed=seed)
    (got,) = gather_candidates(shallow).recall([one])
    expected = recall_of(complete, one)
    decided = ~np.isnan(got)
    np.testing.assert_allclose(got[decided], expected[decided])
    (whole,) = gather_candidates(complete).recall([one])
    np.testing.assert_allclose(whole, expected)


@settings(max_examples=60)
@given(
    st.sampled_from(["gaussian", "clustered", "off centre", "decaying"]), st.integers(0, 3), chains
)
def test_scored_directly_every_chain_is_decided_and_equals_a_staged_search(kind, seed, one):
    documents, queries, shallow = ranked(kind, depth=12, seed=seed)
    _, _, complete = ranked(kind, depth=N_DOCS, seed=seed)
    candidates = rank_directly(gather_candidates(shallow), CONFIGS, Scorer(documents, queries))
    (got,) = candidates.recall([one])
    np.testing.assert_allclose(got, recall_of(complete, one))
    rows, decided = candidates.results(one)
    assert decided.all()
    for query in range(N_QUERIES):
        assert rows[query].tolist() == staged(complete, one, query)


def test_a_staged_search_written_from_the_recipe_alone():
    """Independent of the sweep: scores in float64 from the plain recipe, sorted stage by stage."""
    documents, queries, shallow = ranked(depth=20)
    one = chain((Config(4, "int8"), 20), (Config(8, "binary-floatq"), 12), (Config(16), 5))
    candidates = gather_candidates(shallow)
    candidates = rank_directly(candidates, [Config(8, "binary-floatq")], Scorer(documents, queries))
    rows, decided = candidates.results(one)
    assert decided.all()
    for query in range(N_QUERIES):
        handed = np.arange(N_DOCS)
        for stage in one.stages:
            scores = naive.score(
                documents,
                queries[query : query + 1],
                dim=stage.config.dim,
                quantization=stage.config.quantization,
            ).values[0]
            handed = handed[np.argsort(-scores[handed], kind="stable")][: stage.keep]
        np.testing.assert_array_equal(rows[query], handed)


@pytest.mark.parametrize("name", list(QUANTIZATIONS))
def test_direct_scores_follow_the_recipe(name):
    documents, queries = make_corpus("gaussian", n_docs=40, n_queries=3, full_dim=16, seed=1)
    rows = np.tile(np.arange(40, dtype=np.int32), 3)
    starts = np.array([0, 40, 80, 120])
    for basis, axes in (("native", None), ("pca", naive.principal_axes(documents))):
        got = Scorer(documents, queries).scores(Config(11, name, basis), starts, rows)
        expected = naive.score(documents, queries, dim=11, quantization=name, axes=axes)
        values = expected.values.ravel()
        if name == "binary":
            # Here signs have an inner product; it falls by 2 for each bit that differs.
            values = 11 + 2 * values
        scale = 2 if name == "binary" else 1
        assert (np.abs(got - values) <= scale * expected.slack.ravel() + 1e-5).all()


def test_a_zero_prefix_scores_lowest():
    documents = np.eye(4, dtype=np.float32)
    queries = np.ones((1, 4), np.float32)
    starts, rows = np.array([0, 4]), np.arange(4, dtype=np.int32)
    scores = Scorer(documents, queries).scores(Config(2, "int8"), starts, rows)
    assert (scores[2:] < scores[:2].min() - 1e6).all()
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("kind", KINDS)
def test_full_dimension_rescoring_equals_the_cutoff_s(kind):
    _, _, rankings = ranked(kind, depth=30)
    candidates = gather_candidates(rankings)
    for k, oversample in ((1, 1), (5, 3), (10, 3)):
        expected = recall(rankings, Cutoff(k, oversample, rescore=True))
        rescored = [chain((c, k * oversample), (rankings.baseline, k)) for c in rankings.configs]
        np.testing.assert_allclose(candidates.recall(rescored), expected)
        _, wanted = candidates.truth(k)
        found = candidates.found(k)[:, :, k * oversample - 1]
        np.testing.assert_allclose(found / wanted, expected)


def test_a_document_left_out_stays_left_out():
    excluded = np.arange(N_QUERIES)
    documents, queries, rankings = ranked(depth=20, excluded=excluded)
    candidates = rank_directly(gather_candidates(rankings), CONFIGS, Scorer(documents, queries))
    one = chain((Config(8, "int8"), 20), (Config(8), 10), (baseline(FULL_DIM), 5))
    rows, _ = candidates.results(one)
    assert not (rows == excluded[:, None]).any()


def test_results_of_a_chain_are_judged_as_those_of_a_cutoff():
    _, _, rankings = ranked(depth=30)
    judgements = Judgements(
        "j",
        np.repeat(np.arange(N_QUERIES, dtype=np.int32), 3),
        np.random.default_rng(0).integers(N_DOCS, size=3 * N_QUERIES).astype(np.int32),
        np.ones(3 * N_QUERIES, np.float32),
    )
    expected = relevance(rankings, judgements, Cutoff(5, 4, rescore=True))
    candidates = gather_candidates(rankings)
    lists = [
        candidates.results(chain((config, 20), (rankings.baseline, 5)))[0]
        for config in rankings.configs
    ]
    got = relevance_of(lists, judgements, n_docs=N_DOCS, k=5)
    for name in ("ndcg", "mrr", "success"):
        np.testing.assert_allclose(getattr(got, name), getattr(expected, name))


def test_more_candidates_than_the_lists_hold_are_refused():
    _, _, rankings = ranked(depth=12)
    with pytest.raises(InputError, match="rank deeper, to 13 or more"):
        gather_candidates(rankings).recall([chain((Config(4), 13), (Config(16), 5))])


def test_a_first_stage_that_the_run_lacks_is_refused():
    _, _, rankings = ranked(depth=12)
    with pytest.raises(InputError, match="does not cover 5d float32"):
        gather_candidates(rankings).recall([chain((Config(5), 12), (Config(16), 5))])


def test_other_vectors_than_the_evaluation_s_are_refused():
    documents, queries, rankings = ranked(depth=12)
    candidates = gather_candidates(rankings)
    with pytest.raises(InputError, match="give the data that it was made from"):
        rank_directly(candidates, [Config(8)], Scorer(documents[:-1], queries))
    with pytest.raises(InputError, match="score otherwise"):
        rank_directly(candidates, [Config(8)], Scorer(documents[::-1].copy(), queries))


def test_direct_scoring_reports_and_can_be_stopped():
    documents, queries, rankings = ranked(depth=12)
    told: list[Progress] = []
    rank_directly(
        gather_candidates(rankings),
        CONFIGS[1:4],
        Scorer(documents, queries),
        on_progress=told.append,
    )
    assert [(p.done, p.total) for p in told] == [(0, 3), (1, 3), (2, 3)]

    class StopError(Exception):
        pass

    def stop(progress):
        raise StopError

    with pytest.raises(StopError):
        rank_directly(
            gather_candidates(rankings), CONFIGS, Scorer(documents, queries), on_progress=stop
        )
