from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.decide.adapter_verdict import (
    AdapterVerdict,
    Measured,
    adapter_configs,
    judge,
)
from mrl_explorer.decide.adapters import LEAST_JUDGED, join_grid, train_and_judge
from mrl_explorer.decide.pairs import Pair
from mrl_explorer.decide.summary import summarise
from mrl_explorer.errors import InputError
from mrl_explorer.report.adapters import (
    best_sentence,
    taught_sentence,
    verdict_rows,
    verdict_sentences,
    verdict_title,
)
from mrl_explorer.retrieval.basis import Basis, fit_basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import load_evaluation, save_evaluation
from mrl_explorer.retrieval.extension import extend
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
    row = verdict.recall.rows[0]
    assert row.dim == 4
    assert row.native == pytest.approx(own[rankings.place(adapter_configs((4,))[0])])
    assert row.adapter == pytest.approx(own[rankings.place(adapter_configs((4,))[2])])
    assert (verdict.n_docs, verdict.n_queries, verdict.k) == (400, 60, 10)
    assert verdict.ndcg is None
    # Full dimension is in the table, and not in the comparison.
    rows = verdict.recall.rows
    assert [row.dim for row in rows] == [4, 8, 24]
    assert verdict.dims == (4, 8)
    cuts = [row.adapter - row.pca for row in rows[:-1]]
    assert verdict.recall.gain.difference == pytest.approx(np.mean(cuts))
    assert rows[0].gain.low <= rows[0].gain.difference <= rows[0].gain.high
    assert rows[0].gain.difference == pytest.approx(cuts[0])
    assert rows[1].over_native.difference == pytest.approx(rows[1].adapter - rows[1].native)


def test_the_start_itself_is_not_offered():
    documents, queries = hidden_order()
    others = np.setdiff1d(np.arange(800), searched_half(800))
    axes = fit_basis("pca", documents[others]).components
    verdict = judge(ranked(documents, queries, axes))
    assert verdict.recall.gain.difference == 0
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
    assert verdict.recall.over_native.low > 0.3
    assert verdict.offered == (verdict.recall.gain.low > 0)


def test_worse_than_the_start_is_said():
    documents, queries = hidden_order()
    backwards = np.eye(24, dtype=np.float32)[::-1].copy()
    verdict = judge(ranked(documents, queries, backwards))
    assert verdict.recall.gain.high < 0
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
    assert verdict.ndcg.rows[0].adapter == verdict.ndcg.rows[0].native
    assert verdict.ndcg.over_native.difference == 0
    assert "nDCG@10" in " ".join(verdict_sentences(verdict))
    assert set(verdict_rows(verdict)[0]) == {
        "dim",
        *(
            label
            for what in ("recall@10", "nDCG@10")
            for label in (
                *(f"{who} {what}" for who in ("prefix", "PCA", "adapter")),
                f"{what}, adapter − PCA",
            )
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
    others = np.setdiff1d(np.arange(800), searched_half(800))
    start = fit_basis("pca", documents[others]).components
    assert np.array_equal(trained.components, start) == (trained.best_step == 0)
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


def judged_topics(n_queries=240, seed=0):
    """Topics told by sixteen directions, a little weaker than those that tell nothing.

    Judgements are by topic, and each query is relevant to documents of both halves.
    """
    random = np.random.default_rng(seed)
    centres = random.normal(size=(40, 16))
    axes, _ = np.linalg.qr(random.normal(size=(64, 64)))

    def draw(n_rows):
        topics = np.arange(n_rows) % 40
        vectors = 1.1 * random.normal(size=(n_rows, 64))
        vectors[:, 48:] = centres[topics] + 0.1 * random.normal(size=(n_rows, 16))
        return (vectors @ axes).astype(np.float32), topics

    documents, document_topics = draw(800)
    queries, query_topics = draw(n_queries)
    pairs = np.argwhere(query_topics[:, None] == document_topics[None, :])
    judged = Judgements(
        "qrels",
        pairs[:, 0].astype(np.int32),
        pairs[:, 1].astype(np.int32),
        np.ones(len(pairs), np.float32),
    )
    return collection_of(documents, queries, judged)


def test_judgements_teach_and_other_queries_judge():
    collection = judged_topics()
    trained = train_and_judge(collection, dims=[16])
    assert (len(trained.taught), trained.n_teachable) == (120, 240)
    assert trained.verdict.n_queries == trained.verdict.n_judged == 120
    assert "relevance from the judgements of 120 queries" in taught_sentence(trained)
    # What tells topics apart is neither first in the model nor in the variance.
    assert trained.verdict.ndcg.is_better
    assert trained.verdict.offered
    assert trained.best_step > 0
    # Without judgements it does not find it.
    alone = train_and_judge(replace(collection, judgements=None), dims=[16])
    found = judge(
        ranked(
            collection.documents.vectors,
            collection.queries.vectors,
            alone.components,
            dims=(16,),
        ),
        judgements=collection.judgements,
    )
    assert found.ndcg.gain.difference < trained.verdict.ndcg.gain.low


def test_what_judges_changes_nothing_in_the_training():
    """Neither vectors nor judgements of the queries and documents that judge."""
    collection = judged_topics()
    first = train_and_judge(collection, dims=[4], goes_on=lambda check: check.step < 40)
    queries = collection.queries.vectors.copy()
    judging = np.setdiff1d(np.arange(240), first.taught)
    queries[judging] = np.random.default_rng(3).normal(size=(len(judging), 64))
    documents = collection.documents.vectors.copy()
    unseen = first.basis.unseen
    documents[unseen] = np.random.default_rng(4).normal(size=(len(unseen), 64))
    other = collection_of(documents, queries, collection.judgements)
    second = train_and_judge(other, dims=[4], goes_on=lambda check: check.step < 40)
    assert np.array_equal(first.taught, second.taught)
    assert np.array_equal(first.losses, second.losses)
    assert np.array_equal(first.components, second.components)


@pytest.mark.parametrize("n_queries", [LEAST_JUDGED - 1, LEAST_JUDGED])
def test_few_judged_queries_teach_nothing_and_it_is_said(n_queries):
    trained = train_and_judge(judged_topics(n_queries), dims=[4], goes_on=lambda check: False)
    assert trained.n_teachable == n_queries
    taught = n_queries // 2 if n_queries == LEAST_JUDGED else 0
    assert len(trained.taught) == taught
    assert trained.verdict.n_queries == n_queries - taught
    alone = f"neighbours alone: {n_queries} judged queries" in taught_sentence(trained)
    assert alone == (taught == 0)


def test_without_judgements_it_says_so():
    trained = train_and_judge(collection_of(*hidden_order()), dims=[4], goes_on=lambda check: False)
    assert trained.n_teachable is None
    assert "there are no judgements" in taught_sentence(trained)
    assert best_sentence(trained).endswith("the map is PCA's.")


def pair(difference):
    return Pair(difference, difference - 0.01, difference + 0.01, 0.01, 100, 100)


def measured(gain, over_native=0.3):
    return Measured((), pair(gain), pair(over_native))


@pytest.mark.parametrize(
    ("recall_gain", "ndcg_gain", "offered"),
    [
        (measured(0.05), None, True),
        (measured(0.0), None, False),
        (measured(0.05, over_native=0.0), None, False),
        (measured(0.05), measured(0.0), True),
        (measured(0.05), measured(-0.05), False),
        (measured(0.05), measured(0.0, over_native=-0.05), False),
        (measured(0.0), measured(0.05), True),
        (measured(-0.05), measured(0.05), False),
        (measured(0.0), measured(0.05, over_native=0.0), False),
        (measured(0.05), measured(0.05), True),
        (measured(0.0), measured(0.0), False),
    ],
)
def test_when_it_is_offered(recall_gain, ndcg_gain, offered):
    verdict = AdapterVerdict(recall_gain, ndcg_gain, (4,), 10, 100, 100, 100)
    assert verdict.offered == offered
    titles_of_no = ("not the model's", "finds less", "keeps less", "No advantage", "worse")
    assert any(said in verdict_title(verdict) for said in titles_of_no) != offered


def test_in_the_grid_no_query_counts_that_taught_it(tmp_path):
    collection = judged_topics()
    trained = train_and_judge(collection, dims=[4], goes_on=lambda check: False)
    evaluation = evaluate(collection, dims=[4, 64], quantizations=["float32"], depth=10)
    larger = join_grid(evaluation, collection, trained)
    assert Config(4, basis="adapter") in larger.rankings
    assert larger.rankings.n_queries == larger.held_out.rankings.n_queries == 120
    assert not set(larger.queries.ids) & {collection.queries.ids[row] for row in trained.taught}
    # The figure beside the grid is that of the verdict: the same documents and the same queries.
    row = summarise(larger, Cutoff(10)).row(Config(4, basis="adapter"))
    judged = trained.verdict.recall.rows[0]
    assert (row.held_out, row.held_out_native) == pytest.approx((judged.adapter, judged.native))
    assert [note for note in larger.source.notes if note.startswith("120 queries taught")]
    # Once more: the note stays one.
    assert join_grid(larger, collection, trained).source.notes == larger.source.notes
    # It is an evaluation as any other: it can be kept, and go on from the same collection.
    save_evaluation(larger, tmp_path / "joined.evaluation")
    longer = extend(load_evaluation(tmp_path / "joined.evaluation"), collection, dims=[8])
    assert Config(8, basis="adapter") in longer.rankings


def test_a_grid_keeps_some_queries_to_measure_by():
    collection = judged_topics()
    trained = train_and_judge(collection, dims=[4], goes_on=lambda check: False)
    evaluation = evaluate(collection, dims=[4, 64], quantizations=["float32"], depth=10)
    with pytest.raises(InputError, match="leaves none to measure by"):
        join_grid(evaluation, collection, replace(trained, taught=np.arange(240)))
