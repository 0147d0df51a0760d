from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.candidates import scorer_of
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import load_evaluation, save_evaluation
from mrl_explorer.retrieval.extension import extend
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance
from mrl_explorer.retrieval.query_subset import keep_queries, with_same_queries

N_QUERIES = 12


@pytest.fixture(scope="module")
def collection():
    random = np.random.default_rng(0)
    return Collection(
        make_records(
            name="d", texts=[f"text {row}" for row in range(80)], vectors=normal(random, 80)
        ),
        make_records(
            name="q",
            texts=[f"query {row}" for row in range(N_QUERIES)],
            segments=[f"s{row % 3}" for row in range(N_QUERIES)],
            vectors=normal(random, N_QUERIES),
            what="queries",
        ),
        Judgements(
            "qrels",
            np.repeat(np.arange(N_QUERIES, dtype=np.int32), 3),
            random.integers(80, size=3 * N_QUERIES).astype(np.int32),
            np.ones(3 * N_QUERIES, np.float32),
        ),
    )


def normal(random, n_rows):
    return random.normal(size=(n_rows, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def evaluation(collection):
    return evaluate(collection, dims=[4, 16], quantizations=["float32", "binary"], depth=20)


@pytest.mark.parametrize("rows", [[0], [1, 4, 11], list(range(N_QUERIES))])
def test_what_is_kept_is_as_it_was(evaluation, rows, tmp_path):
    rows = np.array(rows)
    smaller = keep_queries(evaluation, rows)
    assert smaller.queries.ids == tuple(evaluation.queries.ids[row] for row in rows)
    assert smaller.queries.segments == tuple(f"s{row % 3}" for row in rows)
    cutoff = Cutoff(5)
    for part, whole in (
        (smaller.rankings, evaluation.rankings),
        (smaller.held_out.rankings, evaluation.held_out.rankings),
    ):
        assert np.array_equal(recall(part, cutoff), recall(whole, cutoff)[:, rows])
    every = relevance(evaluation.rankings, evaluation.judgements, cutoff)
    kept = relevance(smaller.rankings, smaller.judgements, cutoff)
    assert np.array_equal(kept.ndcg, every.ndcg[:, rows])
    # What a file holds is checked when it is opened: each part fits the others.
    save_evaluation(smaller, tmp_path / "smaller.evaluation")
    assert load_evaluation(tmp_path / "smaller.evaluation").queries.ids == smaller.queries.ids


def test_its_collection_serves_it_further(evaluation, collection):
    smaller = keep_queries(evaluation, np.array([2, 3, 7]))
    fitting = with_same_queries(collection, smaller)
    assert fitting.queries.ids == smaller.queries.ids
    assert np.array_equal(fitting.judgements.query_rows, smaller.judgements.query_rows)
    longer = extend(smaller, collection, dims=[8])
    assert longer.rankings.n_queries == 3
    whole = extend(evaluation, collection, dims=[8])
    assert np.array_equal(longer.rankings.ids, whole.rankings.ids[:, [2, 3, 7]])
    scorer_of(smaller, collection)


def test_all_queries_leave_it_as_it_is(evaluation, collection):
    assert with_same_queries(collection, evaluation) is collection


def test_other_queries_are_told(evaluation, collection):
    smaller = keep_queries(evaluation, np.array([2, 3, 7]))
    texts = [f"another {row}" for row in range(N_QUERIES)]
    renamed = make_records(
        name="q", texts=texts, vectors=collection.queries.vectors, what="queries"
    )
    for other in (
        replace(collection, queries=renamed),
        replace(collection, queries=collection.queries.select(np.array([7, 3, 2, 0]))),
        replace(collection, queries=collection.queries.select(np.array([2, 3]))),
    ):
        assert with_same_queries(other, smaller) is other
        with pytest.raises(InputError, match="has changed since this run"):
            extend(smaller, other, dims=[8])
