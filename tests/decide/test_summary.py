from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.decide.summary import summarise
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance


def make_evaluation(*, judgements=None, n_docs=60, depth=40, exclude_self=False, **options):
    random = np.random.default_rng(0)
    vectors = random.normal(size=(n_docs + 12, 16)).astype(np.float32)
    documents = make_records(name="documents.npy", vectors=vectors[:n_docs])
    queries = make_records(name="queries.npy", vectors=vectors[n_docs:], what="queries")
    if exclude_self:
        queries = documents
    return evaluate(
        Collection(documents, queries, judgements),
        dims=[8, 16],
        depth=depth,
        exclude_self=exclude_self,
        **options,
    )


def judge(*rows):
    queries, documents, gains = zip(*rows, strict=True)
    return Judgements(
        "qrels", np.array(queries, np.int32), np.array(documents, np.int32), np.float32(gains)
    )


@pytest.fixture(scope="module")
def evaluation():
    return make_evaluation()


def test_figures_are_the_means_and_intervals_of_the_queries(evaluation):
    summary = summarise(evaluation, Cutoff(5))
    values = recall(evaluation.rankings, Cutoff(5))
    assert np.array_equal(summary.recall, values)
    rows = list(summary.rows())
    assert len(rows) == len(evaluation.rankings.configs)
    for config, row, value in zip(evaluation.rankings.configs, rows, values, strict=True):
        assert Config(row.dim, row.quantization, row.basis) == config
        assert row == summary.row(config)
        assert row.bytes_per_vector == config.bytes_per_vector
        assert row.recall == value.mean()
        assert 0 <= row.recall_low <= row.recall <= row.recall_high <= 1
    assert any(row.recall < 1 for row in rows)


def test_what_equals_the_baseline_has_no_interval(evaluation):
    summary = summarise(evaluation, Cutoff(5))
    for config in (Config(16), Config(16, "float32", "pca")):
        row = summary.row(config)
        assert (row.recall, row.recall_low, row.recall_high) == (1, 1, 1)


def test_what_is_estimated_has_an_interval_even_without_a_miss(evaluation):
    row = summarise(evaluation, Cutoff(5)).row(Config(16, "float16"))
    assert row.recall == 1
    assert row.recall_high == 1
    assert row.recall_low < 1


def test_rescoring_some_documents_is_estimated(evaluation):
    summary = summarise(evaluation, Cutoff(5, 8, rescore=True))
    assert summary.cutoff.candidates == 40
    row = summary.row(Config(16, "float16"))
    assert row.recall == 1
    assert row.recall_low < 1
    assert summary.row(Config(16)).recall_low == 1


def test_rescoring_all_documents_is_the_baseline():
    evaluation = make_evaluation(depth=60)
    summary = summarise(evaluation, Cutoff(5, 12, rescore=True))
    assert (summary.recall == 1).all()
    assert (summary.low == 1).all()
    assert (summary.high == 1).all()
    # As many candidates without rescoring are no rescoring.
    assert (summarise(evaluation, Cutoff(5, 12)).low < 1).any()


def test_a_list_of_all_documents_misses_none():
    evaluation = make_evaluation(depth=60)
    assert (summarise(evaluation, Cutoff(60)).low == 1).all()
    assert (summarise(evaluation, Cutoff(59)).low < 1).any()


def test_rescoring_all_but_its_own_document_is_the_baseline():
    evaluation = make_evaluation(depth=60, exclude_self=True)
    assert (summarise(evaluation, Cutoff(5, 12, rescore=True)).low == 1).all()


def test_without_judgements_there_is_no_relevance(evaluation):
    summary = summarise(evaluation, Cutoff(5))
    assert summary.relevance is None
    assert set(summary.row(Config(16)).as_dict()) == {
        "dim",
        "quantization",
        "basis",
        "bytes_per_vector",
        "recall",
        "recall_low",
        "recall_high",
    }


def test_judgements_that_find_nothing_relevant_are_none():
    evaluation = make_evaluation(judgements=judge((0, 1, 0), (2, 3, 0)))
    summary = summarise(evaluation, Cutoff(5))
    assert summary.relevance is None
    assert summary.row(Config(16)).ndcg is None


def test_relevance_is_the_mean_of_the_judged_queries():
    judgements = judge((0, 1, 1), (0, 2, 2), (3, 30, 1), (5, 4, 0))
    evaluation = make_evaluation(judgements=judgements)
    summary = summarise(evaluation, Cutoff(20))
    expected = relevance(evaluation.rankings, judgements, Cutoff(20))
    assert expected.ndcg.shape[1] == 2
    for place, config in enumerate(evaluation.rankings.configs):
        row = summary.row(config)
        assert row.ndcg == expected.ndcg[place].mean()
        assert row.mrr == expected.mrr[place].mean()
        assert row.success == expected.success[place].mean()
        figures = row.as_dict()
        assert all(isinstance(figures[name], float) for name in ("ndcg", "mrr", "success"))
    assert any(row.ndcg for row in summary.rows())


def test_a_relevance_of_zero_is_a_figure():
    """Only what is not there is left out."""
    best = make_evaluation().rankings.ids[0, 0, 0]
    evaluation = make_evaluation(judgements=judge((0, (best + 1) % 60, 1)))
    (row,) = [r for r in summarise(evaluation, Cutoff(1)).rows() if r.as_dict()["dim"] == 16][:1]
    assert row.as_dict()["ndcg"] == 0.0


def test_a_fitted_basis_is_measured_on_documents_held_out(evaluation):
    summary = summarise(evaluation, Cutoff(5))
    half = evaluation.held_out.rankings
    values = recall(half, Cutoff(5))
    assert summary.held_out.rankings is half
    assert np.array_equal(summary.held_out.recall, values)
    for row in summary.rows():
        config = Config(row.dim, row.quantization, row.basis)
        figures = (row.held_out, row.held_out_low, row.held_out_high, row.held_out_native)
        if row.basis == "native":
            assert figures == (None,) * 4
            continue
        assert row.held_out == values[half.place(config)].mean()
        assert row.held_out_native == values[half.place(replace(config, basis="native"))].mean()
        assert 0 <= row.held_out_low <= row.held_out <= row.held_out_high <= 1
    full = summary.row(Config(16, "float32", "pca"))
    assert (full.held_out, full.held_out_low, full.held_out_high, full.held_out_native) == (1,) * 4


def test_the_other_half_is_not_what_was_measured_in_sample(evaluation):
    rows = [row for row in summarise(evaluation, Cutoff(5)).rows() if row.held_out is not None]
    assert any(row.held_out != row.recall for row in rows)


def test_a_k_beyond_the_half_has_no_held_out_figure(evaluation):
    assert summarise(evaluation, Cutoff(29)).held_out is not None
    # A list of all 30 keeps everything, whatever the basis.
    summary = summarise(evaluation, Cutoff(30))
    assert summary.held_out is None
    assert "held_out" not in summary.row(Config(8, "int8", "pca")).as_dict()


def test_rescoring_is_held_out_too(evaluation):
    plain = summarise(evaluation, Cutoff(2)).row(Config(8, "binary", "pca"))
    rescored = summarise(evaluation, Cutoff(2, 8, rescore=True)).row(Config(8, "binary", "pca"))
    assert rescored.held_out > plain.held_out
    assert rescored.held_out_native > plain.held_out_native
    # The half has 30 documents, and taking all of them misses none.
    every = summarise(evaluation, Cutoff(10, 3, rescore=True)).row(Config(8, "binary", "pca"))
    assert (every.held_out_low, every.recall_low < 1) == (1, True)


def test_without_a_fitted_basis_nothing_is_held_out():
    evaluation = make_evaluation(bases=["native", "random"])
    summary = summarise(evaluation, Cutoff(5))
    assert summary.held_out is None
    assert summary.row(Config(8, "int8", "random")).held_out is None


def test_figures_are_plain_numbers(evaluation):
    for row in summarise(evaluation, Cutoff(5)).rows():
        assert {type(value) for value in row.as_dict().values()} <= {int, float, str}


def test_a_cutoff_that_cannot_be_answered(evaluation):
    with pytest.raises(InputError, match="k = 61 is larger than the corpus"):
        summarise(evaluation, Cutoff(61))
    with pytest.raises(InputError, match="50 candidates are more than the 40 places"):
        summarise(evaluation, Cutoff(10, 5, rescore=True))


def test_a_configuration_that_was_not_run(evaluation):
    with pytest.raises(InputError, match="does not cover 3d float32"):
        summarise(evaluation, Cutoff(5)).row(Config(3))
