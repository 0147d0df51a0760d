import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import Judgements
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config, baseline, grid
from mrl_explorer.retrieval.metrics import (
    Cutoff,
    check_cutoff,
    recall,
    recall_at,
    relevance,
    tied_at_k,
    top,
)
from mrl_explorer.retrieval.rankings import TIE, Rankings
from mrl_explorer.retrieval.sweep import sweep

from .corpora import KINDS, make_corpus

LOW = -np.inf
SHORT = Config(1, "binary")


def make_rankings(truth, listed=None, *, n_docs=None, full_dim=2):
    """Lists of one query: the baseline's and, if given, those of `SHORT`.

    Each is a list of (document row, the baseline's score of it).
    """
    lists = [truth] + ([listed] if listed else [])
    ids = np.array([[[row for row, _ in one]] for one in lists], np.int32)
    full_scores = np.array([[[score for _, score in one]] for one in lists], np.float32)
    configs = (baseline(full_dim), *((SHORT,) if listed else ()))
    own = np.where(ids >= 0, -np.arange(ids.shape[2], dtype=np.float32), LOW)
    return Rankings(configs, ids, own, full_scores, n_docs or ids.shape[2], full_dim)


def judge(*rows):
    queries, documents, gains = zip(*rows, strict=True)
    return Judgements(
        "qrels", np.array(queries, np.int32), np.array(documents, np.int32), np.float32(gains)
    )


# --- rankings -----------------------------------------------------------------------------------


def test_rankings_know_their_shape_and_places():
    rankings = make_rankings([(0, 0.9), (1, 0.8)], [(1, 0.8), (0, 0.9)], n_docs=7)
    assert rankings.baseline == Config(2)
    assert (rankings.n_queries, rankings.depth) == (1, 2)
    assert rankings.place(SHORT) == 1
    assert SHORT in rankings
    assert Config(2, "int8") not in rankings
    with pytest.raises(InputError, match="does not cover 2d int8: evaluate again"):
        rankings.place(Config(2, "int8"))


# --- recall -------------------------------------------------------------------------------------


def test_recall_is_the_share_of_the_truth():
    truth = [(0, 0.9), (1, 0.8), (2, 0.7), (3, 0.6)]
    rankings = make_rankings(truth, [(3, 0.6), (0, 0.9), (9, 0.1), (1, 0.8)], n_docs=50)
    for k, expected in ((1, 0), (2, 1 / 2), (3, 1 / 3), (4, 3 / 4)):
        assert recall(rankings, Cutoff(k)).tolist() == [[1], [expected]]


def test_a_tie_at_the_kth_place_is_a_hit():
    truth = [(0, 0.9), (1, 0.5), (2, 0.5), (3, 0.5 - 5e-7)]
    rankings = make_rankings(truth, [(3, 0.5 - 5e-7), (2, 0.5), (9, 0.4), (8, 0.3)], n_docs=50)
    # Either of the three may stand second; together they fill both places.
    assert recall(rankings, Cutoff(2))[1].tolist() == [1]
    assert recall(rankings, Cutoff(1))[1].tolist() == [0]


def test_beyond_a_tie_is_a_miss():
    rankings = make_rankings([(0, 0.9), (1, 0.5)], [(2, 0.5 - 2e-6), (3, 0.4)], n_docs=50)
    assert recall(rankings, Cutoff(2))[1].tolist() == [0]


def test_ties_count_no_more_than_k():
    truth = [(row, 0.5) for row in range(4)]
    rankings = make_rankings(truth, truth[::-1], n_docs=50)
    assert recall(rankings, Cutoff(2)).tolist() == [[1], [1]]


def test_the_baseline_finds_all_of_its_own_whatever_the_last_bits():
    """Ties stand by row, and a score computed twice differs in the last bits."""
    rankings = make_rankings([(0, 0.5 - 1.1e-6), (1, 0.5), (2, 0.3)], n_docs=50)
    assert recall(rankings, Cutoff(2)).tolist() == [[1]]


@settings(max_examples=40)
@given(
    kind=st.sampled_from(KINDS),
    n_docs=st.integers(2, 300),
    full_dim=st.integers(2, 30),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_what_equals_the_baseline_has_recall_one(kind, n_docs, full_dim, seed, data):
    documents, queries = make_corpus(kind, n_docs=n_docs, n_queries=4, full_dim=full_dim, seed=seed)
    excluded = np.array([0, -1, n_docs - 1, 1]) if data.draw(st.booleans()) else None
    configs = grid(full_dim, dims=[1, full_dim], bases=("native", "pca"))
    rankings = sweep(documents, queries, configs, depth=n_docs, excluded=excluded)
    k = data.draw(st.integers(1, n_docs))
    values = recall(rankings, Cutoff(k))
    assert (values >= 0).all()
    assert (values <= 1).all()
    for place, config in enumerate(configs):
        if config == rankings.baseline or config.is_rotated_baseline(full_dim):
            assert (values[place] == 1).all()
    assert (recall(rankings, Cutoff(1, n_docs, rescore=True)) == 1).all()


def test_a_list_that_ends_early_has_fewer_to_find():
    truth = [(0, 0.9), (1, 0.8), (-1, LOW)]
    rankings = make_rankings(truth, [(1, 0.8), (5, 0.2), (-1, LOW)], n_docs=3)
    assert recall(rankings, Cutoff(3)).tolist() == [[1], [0.5]]


def test_a_query_without_documents_finds_nothing():
    rankings = make_rankings([(-1, LOW)], [(-1, LOW)], n_docs=1)
    assert recall(rankings, Cutoff(1)).tolist() == [[0], [0]]


def test_recall_after_rescoring_is_the_share_among_the_candidates():
    truth = [(0, 0.9), (1, 0.8), (2, 0.7), (3, 0.6)]
    rankings = make_rankings(truth, [(7, 0.1), (1, 0.8), (8, 0.2), (0, 0.9)], n_docs=50)
    assert recall(rankings, Cutoff(2))[1].tolist() == [0.5]
    assert recall(rankings, Cutoff(2, 2))[1].tolist() == [0.5]  # oversampling without rescoring
    assert recall(rankings, Cutoff(2, 2, rescore=True))[1].tolist() == [1]
    assert recall(rankings, Cutoff(1, 3, rescore=True))[1].tolist() == [0]
    assert recall(rankings, Cutoff(1, 4, rescore=True))[1].tolist() == [1]


# --- cut-offs -----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(2, 30),
    st.integers(1, 6),
    st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True),
    st.integers(0, 2**16),
)
def test_several_cutoffs_at_once_are_those_one_by_one(kind, n_docs, k, oversamples, seed):
    """By plain loops, lists that the candidates outgrow included."""
    documents, queries = make_corpus(kind, n_docs=n_docs, n_queries=4, full_dim=6, seed=seed)
    rankings = sweep(
        documents,
        queries,
        grid(6, dims=[2, 6], quantizations=["float32", "int8", "binary"]),
        depth=n_docs,
    )
    k = min(k, n_docs)
    cutoffs = [Cutoff(k), *(Cutoff(k, n, rescore=True) for n in sorted(oversamples))]
    truth = rankings.full_scores[rankings.place(rankings.baseline)]
    for cutoff, got in zip(cutoffs, recall_at(rankings, cutoffs), strict=True):
        for place in range(len(rankings.configs)):
            for query in range(4):
                least = sorted(truth[query][:k])[0] - TIE
                listed = rankings.full_scores[place, query][: cutoff.candidates]
                hits = sum(bool(score >= least) for score in listed)
                assert got[place, query] == min(hits, k) / k
        assert np.array_equal(got, recall(rankings, cutoff))


def test_several_cutoffs_are_of_one_k_and_ascend():
    documents, queries = make_corpus(KINDS[0], n_docs=9, n_queries=2, full_dim=4, seed=0)
    rankings = sweep(documents, queries, [baseline(4)], depth=9)
    for cutoffs in ([Cutoff(2), Cutoff(3)], [Cutoff(2, 3, rescore=True), Cutoff(2)]):
        with pytest.raises(ValueError, match="of one k, and ascend"):
            recall_at(rankings, cutoffs)


def test_candidates():
    assert Cutoff(10).candidates == 10
    assert Cutoff(10, 4).candidates == 10
    assert Cutoff(10, 4, rescore=True).candidates == 40


def test_k_beyond_the_corpus_is_refused():
    rankings = make_rankings([(0, 0.9), (1, 0.8)])
    check_cutoff(rankings, Cutoff(2))
    with pytest.raises(InputError) as caught:
        check_cutoff(rankings, Cutoff(3))
    assert str(caught.value) == (
        "k = 3 is larger than the corpus of 2 documents: choose k up to 2."
    )


@pytest.mark.parametrize("cutoff", [Cutoff(3), Cutoff(1, 3, rescore=True)])
@pytest.mark.parametrize(
    "ask",
    [
        check_cutoff,
        recall,
        lambda rankings, cutoff: top(rankings, rankings.baseline, cutoff),
        lambda rankings, cutoff: relevance(rankings, judge((0, 0, 1)), cutoff),
    ],
)
def test_candidates_beyond_the_depth_are_refused(ask, cutoff):
    rankings = make_rankings([(0, 0.9), (1, 0.8)], n_docs=50)
    with pytest.raises(InputError) as caught:
        ask(rankings, cutoff)
    assert str(caught.value) == (
        "3 candidates are more than the 2 places of these lists: choose fewer, or evaluate "
        "again with a depth of 3."
    )


def test_lists_of_the_whole_corpus_answer_any_oversampling():
    rankings = make_rankings([(0, 0.9), (1, 0.8)])
    check_cutoff(rankings, Cutoff(2, 100, rescore=True))


@pytest.mark.parametrize("cutoff", [Cutoff(0), Cutoff(-1), Cutoff(1, 0, rescore=True)])
def test_a_cutoff_below_one_is_refused(cutoff):
    rankings = make_rankings([(0, 0.9), (1, 0.8)])
    with pytest.raises(InputError, match="choose 1 or more"):
        recall(rankings, cutoff)


# --- the first k --------------------------------------------------------------------------------


def test_top_without_rescoring_is_the_list():
    rankings = make_rankings([(0, 0.9), (1, 0.8), (2, 0.7)])
    assert top(rankings, rankings.baseline, Cutoff(2)).tolist() == [[0, 1]]


def test_top_with_rescoring_orders_the_candidates():
    truth = [(0, 0.9), (1, 0.8), (2, 0.7), (3, 0.6)]
    rankings = make_rankings(truth, [(7, 0.1), (1, 0.8), (0, 0.9), (2, 0.7)], n_docs=50)
    assert top(rankings, SHORT, Cutoff(1, 2, rescore=True)).tolist() == [[1]]
    assert top(rankings, SHORT, Cutoff(2, 2, rescore=True)).tolist() == [[2, 1]]


def test_a_list_that_ends_early_is_rescored_to_its_end():
    truth = [(2, 0.9), (1, 0.8), (-1, LOW)]
    rankings = make_rankings(truth, [(1, 0.8), (2, 0.9), (-1, LOW)])
    assert top(rankings, SHORT, Cutoff(3, 1, rescore=True)).tolist() == [[1, 0, 2]]


def test_ties_after_rescoring_go_to_the_lower_row():
    truth = [(4, 0.7), (1, 0.5), (5, 0.5)]
    rankings = make_rankings(truth, [(5, 0.5), (4, 0.7), (1, 0.5)], n_docs=50)
    order = top(rankings, SHORT, Cutoff(3, 1, rescore=True))
    assert np.take_along_axis(rankings.ids[1], order, axis=1).tolist() == [[4, 1, 5]]


@settings(max_examples=60)
@given(kind=st.sampled_from(KINDS), n_docs=st.integers(2, 60), seed=st.integers(0, 2**32 - 1))
def test_rescoring_everything_gives_the_baselines_lists(kind, n_docs, seed):
    documents, queries = make_corpus(kind, n_docs=n_docs, n_queries=4, full_dim=9, seed=seed)
    configs = grid(9, dims=[2], quantizations=["binary"])
    rankings = sweep(documents, queries, configs, depth=n_docs)
    cutoff = Cutoff(1, n_docs, rescore=True)
    order = top(rankings, configs[1], cutoff)
    rescored = np.take_along_axis(rankings.full_scores[1], order, axis=1)
    # A swap inside a tie is allowed.
    assert (rescored[:, 0] >= rankings.full_scores[0].max(axis=1) - 2e-6).all()


# --- relevance ----------------------------------------------------------------------------------


def test_relevance_by_hand():
    rankings = make_rankings([(4, 0.9), (2, 0.8), (0, 0.7), (1, 0.6), (3, 0.5)])
    judgements = judge((0, 2, 3), (0, 1, 1), (0, 4, 0))
    got = relevance(rankings, judgements, Cutoff(3))
    ideal = 3 + 1 / np.log2(3)
    assert got.ndcg.tolist() == [[pytest.approx(3 / np.log2(3) / ideal)]]
    assert got.mrr.tolist() == [[1 / 2]]
    assert got.success.tolist() == [[1]]
    assert got.query_rows.tolist() == [0]
    first = relevance(rankings, judgements, Cutoff(1))
    assert (first.ndcg, first.mrr, first.success) == (0, 0, 0)
    four = relevance(rankings, judgements, Cutoff(4))
    assert four.ndcg[0, 0] == pytest.approx((3 / np.log2(3) + 1 / np.log2(5)) / ideal)


def test_more_relevant_documents_than_k():
    rankings = make_rankings([(0, 0.9), (1, 0.8), (2, 0.7)])
    got = relevance(rankings, judge((0, 0, 1), (0, 1, 1), (0, 2, 2)), Cutoff(2))
    discount = 1 / np.log2(3)
    assert got.ndcg[0, 0] == pytest.approx((1 + discount) / (2 + discount))


def test_relevance_after_rescoring():
    truth = [(0, 0.9), (1, 0.8), (2, 0.7), (3, 0.6)]
    rankings = make_rankings(truth, [(3, 0.6), (0, 0.9), (1, 0.8), (2, 0.7)], n_docs=50)
    judgements = judge((0, 0, 1))
    assert relevance(rankings, judgements, Cutoff(1)).success.tolist() == [[1], [0]]
    rescored = relevance(rankings, judgements, Cutoff(1, 2, rescore=True))
    assert rescored.success.tolist() == [[1], [1]]
    assert rescored.ndcg.tolist() == [[1], [1]]


def test_places_after_the_end_of_a_list_count_nothing():
    rankings = make_rankings([(1, 0.9), (-1, LOW), (-1, LOW)])
    got = relevance(rankings, judge((0, 0, 1), (0, 2, 1)), Cutoff(3))
    assert (got.ndcg, got.mrr, got.success) == (0, 0, 0)


def test_a_list_shorter_than_k_is_measured_as_it_is():
    """Where the lists hold the corpus and k x oversample is more."""
    rankings = make_rankings([(1, 0.9), (0, 0.5)])
    got = relevance(rankings, judge((0, 0, 1)), Cutoff(2, 5, rescore=True))
    assert got.mrr.tolist() == [[0.5]]


def test_negative_gains_are_not_relevant():
    rankings = make_rankings([(0, 0.9), (1, 0.8), (2, 0.7)])
    got = relevance(rankings, judge((0, 0, -1), (0, 1, 1), (0, 2, -2)), Cutoff(3))
    assert got.ndcg[0, 0] == pytest.approx(1 / np.log2(3))
    assert got.mrr.tolist() == [[0.5]]


def test_queries_without_a_relevant_document_are_left_out():
    documents, queries = make_corpus("gaussian", n_docs=9, n_queries=4, full_dim=4, seed=0)
    rankings = sweep(documents, queries, [])
    best = rankings.ids[0, :, 0]
    got = relevance(rankings, judge((2, best[2], 1), (1, 0, 0), (3, 0, -1)), Cutoff(2))
    assert got.query_rows.tolist() == [2]
    assert got.ndcg.shape == got.mrr.shape == got.success.shape == (1, 1)
    assert got.ndcg.tolist() == [[1]]


@pytest.mark.parametrize(
    "judgements",
    [
        judge((0, 0, 0), (0, 1, -1)),
        Judgements("qrels", np.array([], np.int32), np.array([], np.int32), np.float32([])),
    ],
)
def test_no_relevant_document_at_all(judgements):
    got = relevance(make_rankings([(0, 0.9), (1, 0.8)]), judgements, Cutoff(1))
    assert got.ndcg.shape == (1, 0)
    assert got.query_rows.tolist() == []


@settings(max_examples=40)
@given(
    n_docs=st.integers(3, 60),
    n_queries=st.integers(1, 8),
    k=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
    rescore=st.booleans(),
)
def test_relevance_is_trec_evals(n_docs, n_queries, k, seed, rescore):
    k = min(k, n_docs)
    documents, queries = make_corpus(
        "gaussian", n_docs=n_docs, n_queries=n_queries, full_dim=8, seed=seed
    )
    configs = grid(8, dims=[2, 8], quantizations=["float32", "binary"])
    rankings = sweep(documents, queries, configs, depth=n_docs)
    random = np.random.default_rng(seed)
    chosen = random.permutation(n_queries * n_docs)[: random.integers(1, n_queries * n_docs)]
    gains = random.integers(0, 4, size=len(chosen)) * random.integers(0, 2, size=len(chosen))
    judgements = Judgements(
        "qrels",
        (chosen // n_docs).astype(np.int32),
        (chosen % n_docs).astype(np.int32),
        gains.astype(np.float32),
    )
    qrels: dict[str, dict[str, int]] = {}
    for pair, gain in zip(chosen, gains, strict=True):
        qrels.setdefault(str(pair // n_docs), {})[str(pair % n_docs)] = int(gain)
    cutoff = Cutoff(k, 2, rescore=rescore)
    got = relevance(rankings, judgements, cutoff)
    relevant = [q for q in range(n_queries) if max(qrels.get(str(q), {"": 0}).values()) > 0]
    assert got.query_rows.tolist() == relevant

    measures = {f"ndcg_cut.{k}", f"success.{k}", "recip_rank"}
    for place, config in enumerate(rankings.configs):
        run = {}
        for query in relevant:
            # trec_eval sorts by score, so give it the order; and MRR@k is of the first k alone.
            rows = rankings.ids[place, query][top(rankings, config, cutoff)[query]]
            run[str(query)] = {str(row): float(k - rank) for rank, row in enumerate(rows)}
        if not run:
            continue
        expected = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
        for column, query in enumerate(relevant):
            theirs = expected[str(query)]
            assert got.ndcg[place, column] == pytest.approx(theirs[f"ndcg_cut_{k}"], abs=1e-9)
            assert got.mrr[place, column] == pytest.approx(theirs["recip_rank"], abs=1e-9)
            assert got.success[place, column] == theirs[f"success_{k}"]


# --- ties in a list -----------------------------------------------------------------------------


def with_scores(*scores):
    rankings = make_rankings([(row, 0.5) for row in range(len(scores))], n_docs=50)
    rankings.scores[0, 0] = scores
    return rankings


@pytest.mark.parametrize(("k", "expected"), [(1, 1), (2, 3), (3, 3), (4, 3), (5, 2), (9, 2)])
def test_tied_at_k_counts_all_that_score_as_the_kth(k, expected):
    rankings = with_scores(-1, -3, -3, -3, -5, -5)
    assert tied_at_k(rankings, rankings.baseline, k).tolist() == [expected]


def test_tied_is_within_a_millionth():
    rankings = with_scores(0.5, 0.5 - 5e-7, 0.5 - 3e-6, LOW)
    assert tied_at_k(rankings, rankings.baseline, 1).tolist() == [2]
    assert tied_at_k(rankings, rankings.baseline, 3).tolist() == [1]


@pytest.mark.filterwarnings("error")
def test_nothing_ties_where_a_list_has_ended():
    rankings = with_scores(0.5, LOW, LOW)
    assert tied_at_k(rankings, rankings.baseline, 2).tolist() == [0]
