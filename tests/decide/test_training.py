"""Training on judged pairs: who learns, who judges, and the adapter that comes of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.decide.adapter_verdict import AdapterVerdict
from mrl_explorer.decide.training import split_pairs, train_head
from mrl_explorer.embed.training import TrainingSettings
from mrl_explorer.errors import InputError
from mrl_explorer.report.adapters import (
    best_sentence,
    decisive,
    taught_sentence,
    verdict_chart,
    verdict_rows,
    verdict_sentences,
    verdict_title,
)
from mrl_explorer.retrieval.held_out import searched_half
from tests.decide.test_adapters import collection_of, judged_topics, measured


def judged(pairs, *, n_docs, n_queries, gains=None):
    rows = np.array(pairs, np.int32).reshape(-1, 2)
    gains = np.ones(len(rows), np.float32) if gains is None else np.array(gains, np.float32)
    return Collection(
        make_records(name="d", vectors=np.ones((n_docs, 2), np.float32)),
        make_records(name="q", vectors=np.ones((n_queries, 2), np.float32), what="queries"),
        Judgements("qrels", rows[:, 0], rows[:, 1], gains),
    )


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_who_judges_has_taught_nothing(data):
    n_docs, n_queries = data.draw(st.integers(40, 80)), 80
    row = st.tuples(st.integers(0, n_queries - 1), st.integers(0, n_docs - 1))
    pairs = sorted(data.draw(st.sets(row, min_size=150, max_size=200)))
    gains = data.draw(
        st.lists(st.sampled_from([0, 1, 2]), min_size=len(pairs), max_size=len(pairs))
    )
    unseen = np.flatnonzero(data.draw(st.lists(st.booleans(), min_size=n_docs, max_size=n_docs)))
    collection = judged(pairs, n_docs=n_docs, n_queries=n_queries, gains=gains)
    try:
        split = split_pairs(collection, unseen=unseen)
    except InputError:
        return
    learnt = (split.training, split.stopping)
    relevant = {pair for pair, gain in zip(pairs, gains, strict=True) if gain > 0}
    for part in learnt:
        assert not np.isin(part.queries, split.queries).any()
        assert not np.isin(part.documents, unseen).any()
        assert set(zip(part.queries.tolist(), part.documents.tolist(), strict=True)) <= relevant
    assert not np.isin(split.stopping.queries, split.training.queries).any()
    assert set(split.taught) == {q for part in learnt for q in part.queries.tolist()}
    assert np.array_equal(split.documents, unseen)
    # Every query that judges can: one of the documents that judge is relevant to it.
    kept = split.judgements
    assert set(kept.query_rows[kept.gains > 0]) == set(range(len(split.queries)))
    asked = zip(split.queries[kept.query_rows], unseen[kept.document_rows], strict=True)
    assert set(map(tuple, asked)) == {
        pair for pair in pairs if pair[0] in split.queries and pair[1] in unseen
    }


def test_who_cannot_judge_teaches():
    """One document a query: half of the documents judge, and so do their queries."""
    n = 200
    collection = judged([(row, row) for row in range(n)], n_docs=n, n_queries=n)
    half = searched_half(n)
    split = split_pairs(collection)
    assert np.array_equal(split.queries, half)
    assert np.array_equal(split.taught, np.setdiff1d(np.arange(n), half))
    assert len(split.stopping.queries) == 25


def test_a_query_that_is_a_document_teaches_nothing():
    n = 200
    collection = judged([(row, (row + 1) % n) for row in range(n)], n_docs=n, n_queries=n)
    same_file = replace(collection, queries=replace(collection.queries, name="d"))
    with pytest.raises(InputError, match="none are left to train"):
        split_pairs(same_file, exclude_self=True)


def test_few_judged_queries_are_refused():
    few = judged([(row, row) for row in range(20)], n_docs=200, n_queries=200)
    with pytest.raises(InputError, match="20 queries have a relevant document, and training"):
        split_pairs(few)
    with pytest.raises(InputError, match="no relevant documents"):
        split_pairs(replace(few, judgements=None))


def test_a_head_finds_what_pairs_say():
    collection = judged_topics()
    trained = train_head(collection, TrainingSettings((16, 64)))
    verdict = trained.verdict
    assert verdict.offered
    assert verdict.ndcg.is_better
    assert trained.best_step > 0
    assert trained.losses.shape == (len(trained.steps), 2)
    assert (trained.dims, trained.cuts, verdict.dims) == ((16, 64), (16,), (16,))
    assert (len(trained.taught), verdict.n_queries, verdict.n_judged) == (120, 120, 120)
    assert np.array_equal(trained.basis.unseen, searched_half(800))
    assert "finds more" in verdict_title(verdict)
    assert "judged pairs of 120 queries with MatryoshkaLoss" in taught_sentence(trained)
    assert f"step {trained.best_step}, where the mean loss" in best_sentence(trained)
    assert decisive(verdict) == ("nDCG@10", verdict.ndcg)
    assert list(verdict_rows(verdict)[0])[1:4] == [
        f"{who} nDCG@10" for who in ("prefix", "PCA", "adapter")
    ]
    # Nothing that is drawn lies outside the axis.
    chart = verdict_chart(verdict)
    drawn = [value for series in chart["series"] for _, value in series["data"]]
    assert chart["yAxis"]["min"] <= min(drawn) <= max(drawn) <= chart["yAxis"]["max"]


def test_what_judges_changes_nothing_in_the_training():
    """Neither vectors of the queries and documents that judge, nor their judgements."""
    collection = judged_topics()

    def until(check):
        return check.step < 40

    first = train_head(collection, TrainingSettings((4, 64)), goes_on=until)
    assert first.steps == (0, 10, 20, 30, 40)
    judging = np.setdiff1d(np.arange(240), first.taught)
    queries = collection.queries.vectors.copy()
    queries[judging] = np.random.default_rng(3).normal(size=(len(judging), 64))
    documents = collection.documents.vectors.copy()
    unseen = first.basis.unseen
    documents[unseen] = np.random.default_rng(4).normal(size=(len(unseen), 64))
    other = collection_of(documents, queries, collection.judgements)
    second = train_head(other, TrainingSettings((4, 64)), goes_on=until)
    assert np.array_equal(first.taught, second.taught)
    assert np.array_equal(first.losses, second.losses)
    assert np.array_equal(first.components, second.components)


def test_a_head_that_cuts_nothing_is_refused():
    with pytest.raises(InputError, match="None of the dims cuts these vectors of 64"):
        train_head(judged_topics(), TrainingSettings((64,)))


@pytest.mark.parametrize(
    ("recall", "ndcg", "offered", "title"),
    [
        (0.0, 0.05, True, "finds more of what is relevant than PCA"),
        (-0.05, 0.05, True, "than PCA, and keeps fewer neighbours"),
        (0.05, 0.05, True, "keeps and finds more than PCA"),
        (0.05, 0.0, False, "finds no more of what is relevant"),
        (0.05, -0.05, False, "finds less of what is relevant"),
    ],
)
def test_what_learnt_from_pairs_is_offered_by_relevance(recall, ndcg, offered, title):
    rows = train_head(
        judged_topics(60), TrainingSettings((16, 64)), goes_on=lambda check: False
    ).verdict.recall.rows
    kept = replace(measured(recall, over_native=recall), rows=rows)
    verdict = AdapterVerdict(kept, measured(ndcg), (16,), 10, 100, 100, 100, "pairs")
    assert verdict.offered == offered
    assert title in verdict_title(verdict)
    last = verdict_sentences(verdict)[-1]
    assert ("So it is not offered" in last) == (not offered)
    assert ("counts what it puts right as lost" in last) == (offered and recall < 0)
