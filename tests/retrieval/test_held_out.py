import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import Collection, make_records
from mrl_explorer.retrieval.basis import fit_basis
from mrl_explorer.retrieval.blas import single_threaded_blas
from mrl_explorer.retrieval.config import Config, grid
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.held_out import (
    LEAST_DOCUMENTS,
    held_out_configs,
    rank_held_out,
    searched_half,
)
from mrl_explorer.retrieval.metrics import Cutoff, recall

from . import naive
from .corpora import make_corpus


def corpus(n_docs=61, n_queries=5, full_dim=16, kind="gaussian", seed=0):
    return make_corpus(kind, n_docs=n_docs, n_queries=n_queries, full_dim=full_dim, seed=seed)


def rank(documents, queries, configs, **options):
    return rank_held_out(documents, queries, configs, **{"depth": 20, "excluded": None, **options})


@given(st.integers(0, 3000))
def test_the_half_is_a_half_and_always_the_same(n_docs):
    rows = searched_half(n_docs)
    assert len(rows) == n_docs - n_docs // 2
    assert (np.diff(rows) > 0).all()
    assert set(rows.tolist()) <= set(range(n_docs))
    assert np.array_equal(rows, searched_half(n_docs))


def test_the_half_is_spread_over_the_file():
    rows = searched_half(10_000)
    assert abs(rows.mean() - 5000) < 100


def test_native_stands_beside_each_fitted_configuration():
    configs = grid(8, dims=[4, 8], quantizations=["int8"], bases=["native", "pca", "random"])
    assert held_out_configs(configs) == (
        Config(4, "int8"),
        Config(8, "int8"),
        Config(4, "int8", "pca"),
        Config(8, "int8", "pca"),
    )
    assert held_out_configs([Config(8), Config(4, "int8", "random")]) == ()
    # Also where the run has no native one.
    assert held_out_configs([Config(4, "int8", "pca-rotated")])[0] == Config(4, "int8")


@settings(max_examples=25, deadline=None)
@given(
    n_docs=st.integers(LEAST_DOCUMENTS, 90),
    dim=st.integers(1, 12),
    quantization=st.sampled_from(["float32", "int8", "int4", "binary"]),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_the_lists_are_those_of_a_basis_fitted_on_the_other_half(
    n_docs, dim, quantization, seed, data
):
    """Also when what is excluded lies in either half."""
    documents, queries = corpus(n_docs, 3, 12, seed=seed)
    excluded = np.array(data.draw(st.lists(st.integers(-1, n_docs - 1), min_size=3, max_size=3)))
    config = Config(dim, quantization, "pca")
    held_out = rank(documents, queries, [config], excluded=excluded)
    rows, rankings = held_out.rows, held_out.rankings
    others = np.setdiff1d(np.arange(n_docs), rows)
    axes = fit_basis("pca", documents[others]).components
    assert rankings.n_docs == len(rows)
    for each, own_axes in ((config, axes), (Config(dim, quantization), None)):
        scores = naive.score(
            documents[rows], queries, dim=dim, quantization=quantization, axes=own_axes
        )
        place = rankings.place(each)
        for query in range(3):
            ids = rankings.ids[place, query]
            ids = ids[ids >= 0]
            here = excluded[query] in rows
            assert len(ids) == min(20, len(rows) - here if len(rows) <= 20 else 20)
            assert excluded[query] not in rows[ids]
            off = np.abs(rankings.scores[place, query][: len(ids)] - scores.values[query, ids])
            assert (off <= scores.slack[query, ids] + 2e-6).all()
    # The ground truth is the full dimension on this half.
    full = naive.unit(queries) @ naive.unit(documents[rows]).T
    listed = rankings.ids[0]
    found = listed >= 0
    expected = np.take_along_axis(full, np.maximum(listed, 0).astype(int), axis=1)
    np.testing.assert_allclose(rankings.full_scores[0][found], expected[found], atol=1e-6)


def test_a_half_that_was_drawn_before_is_ranked_again():
    documents, queries = corpus()
    rows = np.arange(0, 60, 3, dtype=np.int32)
    held_out = rank(documents, queries, [Config(4, "int8", "pca")], rows=rows)
    assert np.array_equal(held_out.rows, rows)
    assert held_out.rankings.n_docs == 20


def test_nothing_is_held_out_where_nothing_is_fitted():
    documents, queries = corpus()
    assert rank(documents, queries, [Config(4), Config(4, "int8", "random")]) is None


@pytest.mark.parametrize("n_docs", [2, 3, 4, 5])
def test_too_few_documents_for_two_halves(n_docs):
    documents, queries = corpus(n_docs)
    held_out = rank(documents, queries, [Config(4, "int8", "pca")])
    assert (held_out is None) == (n_docs < 4)
    collection = Collection(
        make_records(name="d", vectors=documents),
        make_records(name="q", vectors=queries, what="queries"),
    )
    evaluation = evaluate(collection, dims=[4])
    assert (evaluation.held_out is None) == (n_docs < 4)
    said = [note for note in evaluation.source.notes if "too few" in note]
    assert said == (
        [
            f"{n_docs} documents are too few to fit a basis on one half and measure it on the "
            "other, so there is no held-out figure."
        ]
        if n_docs < 4
        else []
    )
    native = evaluate(collection, dims=[4], bases=["native"])
    assert not any("too few" in note for note in native.source.notes)


def test_fitting_on_what_is_searched_flatters():
    """Which is why there is a held-out figure: pure noise has no axes to find."""
    documents, queries = corpus(200, 60, 128)
    config = Config(64, "float32", "pca")
    collection = Collection(
        make_records(name="d", vectors=documents),
        make_records(name="q", vectors=queries, what="queries"),
    )
    evaluation = evaluate(collection, dims=[64], quantizations=["float32"])
    in_sample = recall(evaluation.rankings, Cutoff(10))[evaluation.rankings.place(config)].mean()
    half = evaluation.held_out.rankings
    values = recall(half, Cutoff(10)).mean(axis=1)
    held_out, native = values[half.place(config)], values[half.place(Config(64))]
    assert in_sample > held_out + 0.1
    assert abs(held_out - native) < 0.05


def test_progress_is_told_apart_and_stops_it(monkeypatch):
    documents, queries = corpus()
    reports = []
    rank(documents, queries, [Config(4, "int8", "pca")], on_progress=reports.append)
    assert {report.what for report in reports} == {
        "held-out half: fitting PCA",
        "held-out half: ranking 3 configurations",
    }
    assert reports[-1].done == reports[-1].total

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rank(documents, queries, [Config(4, "int8", "pca")], on_progress=stop)
    assert single_threaded_blas._users == 0
