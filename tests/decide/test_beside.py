import numpy as np
import pytest

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.decide.beside import (
    differences,
    match,
    ndcg_points,
    nearest_cutoff,
    recall_points,
)
from mrl_explorer.decide.pairs import compare
from mrl_explorer.decide.summary import summarise
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, Listed, Queries, Source, evaluate
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.rankings import Rankings


def judgements(*gains):
    """Make judgements of (query row, document row, gain)."""
    queries, documents, values = zip(*gains, strict=True)
    return Judgements(
        "qrels", np.array(queries, np.int32), np.array(documents, np.int32), np.array(values, "f4")
    )


def evaluation(queries, documents, gains=None, *, n_docs=None, rows=None):
    """Make an evaluation of (id, text) pairs, its lists empty: what is shared asks for no more."""
    rows = np.arange(len(documents), dtype=np.int32) if rows is None else np.array(rows, np.int32)
    ids, texts = zip(*documents, strict=True)
    query_ids, query_texts = zip(*queries, strict=True)
    lists = np.zeros((1, len(queries), 1), np.int32)
    scores = lists.astype(np.float32)
    return Evaluation(
        Rankings((Config(4),), lists, scores, scores, n_docs or len(documents), 4),
        Listed(rows, ids, ("",) * len(ids), texts),
        Queries(query_ids, query_texts, None),
        None if gains is None else judgements(*gains),
        Source("d", "q"),
    )


DOCUMENTS = [("d0", "cats"), ("d1", "dogs"), ("d2", "bread")]
QUERIES = [("q0", "a pet"), ("q1", "a meal")]
GAINS = [(0, 0, 2), (0, 1, 1), (1, 2, 1)]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        (QUERIES, [0, 1]),
        (QUERIES[::-1], [1, 0]),
        # The id is the same and the text is another: numbers serve as ids in many files.
        ([("q0", "a car"), ("q1", "a meal")], [-1, 1]),
        ([("q1", "a pet"), ("q0", "a meal")], [0, 1]),
        ([("7", "a meal"), ("8", "a pet")], [1, 0]),
        # Vectors that came without texts have ids alone.
        ([("q1", ""), ("q0", "")], [1, 0]),
        ([("x", ""), ("y", "")], [-1, -1]),
    ],
)
def test_queries_are_the_same_by_id_unless_the_texts_differ_else_by_text(others, expected):
    shared = match(evaluation(QUERIES, DOCUMENTS), evaluation(others, DOCUMENTS))
    assert shared.queries.tolist() == expected
    assert shared.n_shared == sum(place >= 0 for place in expected)


def test_no_query_is_taken_twice():
    twins = [("a", "same words"), ("b", "same words"), ("c", "same words")]
    others = [("b", "same words"), ("z", "same words")]
    shared = match(evaluation(twins, DOCUMENTS), evaluation(others, DOCUMENTS))
    assert shared.queries.tolist() == [1, 0, -1]


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        (GAINS, [True, True]),
        (GAINS[::-1], [True, True]),
        # Judged not relevant is the same as not judged, for every measure here.
        ([*GAINS, (0, 2, 0)], [True, True]),
        (GAINS[:2], [True, False]),
        ([(0, 0, 1), *GAINS[1:]], [False, True]),
        # The same gains, of other documents.
        ([(0, 1, 2), (0, 0, 1), GAINS[2]], [False, True]),
        ([*GAINS[:2], (1, 1, 1)], [True, False]),
        ([*GAINS, (1, 0, 1)], [True, False]),
        (None, [False, False]),
    ],
)
def test_queries_are_judged_alike_when_every_gain_is_the_same(gains, expected):
    first, second = evaluation(QUERIES, DOCUMENTS, GAINS), evaluation(QUERIES, DOCUMENTS, gains)
    assert match(first, second).judged_alike.tolist() == expected
    assert match(second, first).judged_alike.tolist() == expected


def test_judgements_follow_the_ids_whatever_the_order_of_the_files():
    order = [2, 0, 1]
    documents = [DOCUMENTS[row] for row in order]
    moved = [(1 - query, order.index(document), gain) for query, document, gain in GAINS]
    shared = match(
        evaluation(QUERIES, DOCUMENTS, GAINS), evaluation(QUERIES[::-1], documents, moved)
    )
    assert shared.judged_alike.tolist() == [True, True]
    rows, other_rows = shared.judged_rows
    assert (rows.tolist(), other_rows.tolist()) == ([0, 1], [1, 0])


def test_judged_documents_in_no_list_are_compared_by_their_gains():
    """Only documents in a list have an id in an evaluation; d1 is in none here."""
    there = evaluation(QUERIES, [DOCUMENTS[0], DOCUMENTS[2]], GAINS, n_docs=3, rows=[0, 2])
    here = evaluation(QUERIES, DOCUMENTS, GAINS)
    assert match(here, there).judged_alike.tolist() == [True, True]
    other = evaluation(
        QUERIES, [DOCUMENTS[0], DOCUMENTS[2]], [(0, 0, 2), (1, 2, 1)], n_docs=3, rows=[0, 2]
    )
    assert match(here, other).judged_alike.tolist() == [False, True]


@pytest.mark.parametrize(
    ("documents", "n_docs", "expected"),
    [
        (DOCUMENTS, 3, True),
        (DOCUMENTS[::-1], 3, True),
        (DOCUMENTS[:2], 3, True),
        (DOCUMENTS, 4, False),
        ([("d0", "trains"), *DOCUMENTS[1:]], 3, False),
        ([("x", "trains"), ("y", "rivers"), ("z", "songs")], 3, False),
    ],
)
def test_documents_are_the_same_as_far_as_the_lists_show(documents, n_docs, expected):
    other = evaluation(QUERIES, documents, n_docs=n_docs)
    assert match(evaluation(QUERIES, DOCUMENTS), other).same_documents is expected


def lists(*, depth, n_docs):
    ids = np.zeros((1, 1, depth), np.int32)
    return Rankings((Config(4),), ids, ids.astype("f4"), ids.astype("f4"), n_docs, 4)


@pytest.mark.parametrize(
    ("cutoff", "expected"),
    [
        (Cutoff(10), Cutoff(10)),
        (Cutoff(10, 20), Cutoff(10, 20)),
        (Cutoff(10, 5, rescore=True), Cutoff(10, 5, rescore=True)),
        (Cutoff(10, 8, rescore=True), Cutoff(10, 5, rescore=True)),
        (Cutoff(15, 4, rescore=True), Cutoff(15, 3, rescore=True)),
        (Cutoff(50, 2, rescore=True), Cutoff(50, 1, rescore=True)),
    ],
)
def test_shorter_lists_are_read_with_as_much_oversampling_as_they_hold(cutoff, expected):
    assert nearest_cutoff(lists(depth=50, n_docs=300), cutoff) == expected


def test_lists_of_all_documents_hold_any_oversampling():
    cutoff = Cutoff(10, 8, rescore=True)
    assert nearest_cutoff(lists(depth=50, n_docs=50), cutoff) == cutoff


@pytest.mark.parametrize(("k", "n_docs"), [(51, 300), (31, 30)])
def test_lists_shorter_than_k_are_refused(k, n_docs):
    with pytest.raises(InputError, match=f"{k}"):
        nearest_cutoff(lists(depth=min(50, n_docs), n_docs=n_docs), Cutoff(k))


@pytest.fixture(scope="module")
def pair():
    """Give two models of the same 30 documents and 12 queries, those in another order."""
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(42, 8)), rng.normal(size=(42, 12))
    gains = [(query, int(row), 1) for query in range(10) for row in rng.choice(30, 3, False)]
    order = rng.permutation(12)

    def made(vectors, query_rows):
        vectors = vectors.astype(np.float32)
        ids = [f"q{row}" for row in query_rows]
        places = {int(row): place for place, row in enumerate(query_rows)}
        collection = Collection(
            make_records(name="d", ids=[f"d{row}" for row in range(30)], vectors=vectors[:30]),
            make_records(name="q", ids=ids, vectors=vectors[30:][query_rows]),
            judgements(*((places[query], document, gain) for query, document, gain in gains)),
        )
        kinds = ("float32", "int8")
        return evaluate(collection, dims=(4, 8), quantizations=kinds, bases=("native",), depth=20)

    return made(first, np.arange(12)), made(second, order), order


def test_differences_are_paired_query_by_query(pair):
    first, second, order = pair
    one, two = (summarise(evaluation, Cutoff(5)) for evaluation in (first, second))
    config, other = Config(4, "int8"), Config(8, "int8")
    shared = match(first, second)
    found = differences(one, config, two, other, shared)
    place, other_place = first.rankings.place(config), second.rankings.place(other)
    back = np.argsort(order)
    assert found.recall == compare(one.recall[place], two.recall[other_place][back])
    ndcg = dict(zip(two.relevance.query_rows, two.relevance.ndcg[other_place], strict=True))
    by_query = np.array([ndcg[back[query]] for query in range(10)])
    assert found.ndcg == compare(one.relevance.ndcg[place], by_query)
    assert found.ndcg.n_queries == 10
    turned = differences(two, other, one, config, match(second, first))
    assert turned.ndcg.difference == pytest.approx(-found.ndcg.difference)
    assert turned.recall.low == pytest.approx(-found.recall.high, abs=0.02)


def test_an_evaluation_does_not_differ_from_itself(pair):
    first, *_ = pair
    summary = summarise(first, Cutoff(5))
    config = Config(4, "int8")
    found = differences(summary, config, summary, config, match(first, first))
    for one in (found.ndcg, found.recall):
        assert one.difference == 0
        assert one.low < 0 < one.high


def test_points_are_those_of_one_quantization_and_basis(pair):
    first, *_ = pair
    summary = summarise(first, Cutoff(5))
    for points, figures in (
        (recall_points(summary, Config(4, "int8")), ("recall", "recall_low", "recall_high")),
        (ndcg_points(summary, Config(4, "int8"), np.arange(10)), ("ndcg",)),
    ):
        assert [point.dim for point in points] == [4, 8]
        for point in points:
            row = summary.row(Config(point.dim, "int8"))
            expected = [getattr(row, name) for name in figures]
            assert [point.value, point.low, point.high][: len(expected)] == pytest.approx(expected)
            assert point.low <= point.value <= point.high


def test_points_of_some_queries_average_those_alone(pair):
    first, *_ = pair
    summary = summarise(first, Cutoff(5))
    rows = np.array([1, 7])
    (point, _) = ndcg_points(summary, Config(8), rows)
    assert point.value == pytest.approx(
        summary.relevance.ndcg[first.rankings.place(Config(4)), rows].mean()
    )
