"""The verdict on whether a prefix carries more, on made and on real vectors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.data import read_beir
from mrl_explorer.decide.matryoshka import (
    CANNOT_TELL,
    CARRIES_MORE,
    NO_ADVANTAGE,
    diagnose,
)
from mrl_explorer.retrieval.orders import N_RANDOM, Orders, Sample, compare_orders, order_dims

SAMPLE = Path(__file__).parents[2] / "sample_data/help_centre"


def measured(prefix, random):
    """Give orders with this recall of the prefix, and of the random subsets (a row each)."""
    prefix, random = np.atleast_2d(prefix), np.asarray(random)[:, None, :]
    nothing = np.empty((1, 0))
    return Orders(
        dims=(4,),
        full_dim=8,
        k=10,
        n_docs=100,
        n_queries=prefix.shape[1],
        recall={"prefix": prefix, "suffix": prefix, "pca": prefix},
        ndcg=dict.fromkeys(("prefix", "suffix", "pca"), nothing),
        random_recall=random,
        random_ndcg=np.empty((len(random), 1, 0)),
        full_ndcg=np.empty(0),
        held_out={},
        energy=np.full(8, 1 / 8),
    )


def subsets(*, means, n_queries):
    """Give subsets of these means, with queries of unlike difficulty."""
    wave = np.linspace(-0.1, 0.1, n_queries)
    return np.array([mean + wave for mean in means])


SPREAD = np.linspace(0.48, 0.52, N_RANDOM)


@pytest.mark.parametrize(
    ("prefix", "n_queries", "verdict"),
    [
        (0.60, 200, CARRIES_MORE),
        # Better than the mean for certain, but no better than the best random subset.
        (0.515, 2000, NO_ADVANTAGE),
        (0.50, 2000, NO_ADVANTAGE),
        (0.30, 200, NO_ADVANTAGE),
        # Three queries say nothing, however far ahead it looks.
        (0.60, 3, CANNOT_TELL),
    ],
)
def test_the_verdict_needs_queries_and_to_be_beyond_chance(prefix, n_queries, verdict):
    random = subsets(means=SPREAD, n_queries=n_queries)
    found = diagnose(measured(subsets(means=[prefix], n_queries=n_queries), random))
    assert found.verdict == verdict
    assert found.chance == pytest.approx(0.02)
    assert found.advantage.difference == pytest.approx(prefix - 0.5)


def test_rows_hold_means_over_queries_and_subsets():
    random = subsets(means=SPREAD, n_queries=20)
    found = diagnose(measured(subsets(means=[0.7], n_queries=20), random))
    (row,) = found.rows
    assert (row.dim, row.energy) == (4, 0.5)
    means = row.recall.random, row.recall.random_low, row.recall.random_high
    assert means == pytest.approx((0.5, 0.48, 0.52))
    assert (row.recall.prefix, row.recall.suffix) == pytest.approx((0.7, 0.7))
    assert row.ndcg is row.pca_held_out is row.pca_gain is found.ndcg_advantage is None


def test_relevance_and_held_out_axes_are_told_where_they_are_there():
    prefix, random = np.array([[0.6, 0.8]]), np.array([[0.2, 0.4], [0.4, 0.6]])
    there = {"pca": np.array([[0.9, 0.7]]), "prefix": np.array([[0.5, 0.5]])}
    orders = replace(
        measured(prefix, random),
        ndcg={"prefix": prefix, "suffix": prefix / 2, "pca": prefix / 4},
        random_ndcg=random[:, None],
        full_ndcg=np.array([1.0, 0.8]),
        held_out=there,
    )
    found = diagnose(orders)
    assert found.full_ndcg == pytest.approx(0.9)
    assert found.ndcg_advantage.difference == pytest.approx(0.3)
    (row,) = found.rows
    shown = row.ndcg
    assert (shown.prefix, shown.suffix, shown.pca) == pytest.approx((0.7, 0.35, 0.175))
    assert (shown.random, shown.random_low, shown.random_high) == pytest.approx((0.4, 0.3, 0.5))
    assert (row.pca_held_out, row.prefix_there) == pytest.approx((0.8, 0.5))
    assert row.pca_gain.difference == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("model", "full_dim", "carries"), [("wordllama-256", 256, True), ("minilm-384", 384, False)]
)
def test_the_sample_tells_the_matryoshka_model_from_the_standard_one(model, full_dim, carries):
    documents = np.load(SAMPLE / model / "documents.npy")
    queries = np.load(SAMPLE / model / "queries.npy")
    sample = Sample(documents, queries, read_beir(SAMPLE).judgements)
    found = diagnose(compare_orders(sample, dims=order_dims(full_dim)))
    assert (found.verdict == CARRIES_MORE) == carries
    assert all(row.pca_held_out > row.prefix_there for row in found.rows)


def test_shuffling_the_dims_of_a_matryoshka_model_takes_its_advantage():
    folder = SAMPLE / "wordllama-256"
    order = np.random.default_rng(3).permutation(256)
    documents = np.load(folder / "documents.npy")[:, order]
    queries = np.load(folder / "queries.npy")[:, order]
    found = diagnose(compare_orders(Sample(documents, queries), dims=order_dims(256)))
    assert found.verdict != CARRIES_MORE
