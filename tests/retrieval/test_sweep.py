"""The sweep against the plain recipe: every cell, on corpora made to be hard."""

import faiss
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrl_explorer.progress import Progress
from mrl_explorer.retrieval import sweep as sweep_module
from mrl_explorer.retrieval.basis import fit_basis
from mrl_explorer.retrieval.config import Config, baseline, grid
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.rankings import TIE
from mrl_explorer.retrieval.sweep import sweep

from . import naive
from .corpora import KINDS, make_corpus

EVERYTHING = {"quantizations": tuple(QUANTIZATIONS), "bases": ("native", "pca")}


def check_rankings(rankings, documents, queries, *, depth, excluded=None):
    """Hold every list of every configuration against the plain recipe."""
    n_docs, full_dim = documents.shape
    axes = {"native": None}
    if any(config.basis == "pca" for config in rankings.configs):
        # Which axes span a shared eigenvalue is anybody's choice: test_basis.py proves that
        # these are principal axes, and here all else follows from them.
        axes["pca"] = fit_basis("pca", documents).components
    full = naive.unit(queries) @ naive.unit(documents).T
    assert rankings.n_docs == n_docs
    assert rankings.full_dim == full_dim
    assert rankings.ids.shape == (len(rankings.configs), len(queries), min(depth, n_docs))
    for config in rankings.configs:
        place = rankings.place(config)
        expected = naive.score(
            documents,
            queries,
            dim=config.dim,
            quantization=config.quantization,
            axes=axes[config.basis],
        )
        for query in range(len(queries)):
            left_out = -1 if excluded is None else excluded[query]
            check_list(
                rankings.ids[place, query],
                rankings.scores[place, query],
                expected.values[query],
                expected.slack[query],
                expected.lost[query],
                left_out=left_out,
                where=f"{config}, query {query}",
            )
            ids = rankings.ids[place, query]
            listed = rankings.full_scores[place, query]
            np.testing.assert_allclose(listed[ids >= 0], full[query, ids[ids >= 0]], atol=1e-6)
            assert (listed[ids < 0] == -np.inf).all()


def check_list(ids, scores, values, slack, lost, *, left_out, where):
    wanted = np.arange(len(values)) != left_out
    length = min(len(ids), int(wanted.sum()))
    assert (ids[length:] == -1).all(), where
    assert (scores[length:] == -np.inf).all(), where
    ids, scores = ids[:length], scores[:length]
    assert len(set(ids.tolist())) == length, where
    assert (ids >= 0).all(), where
    assert left_out not in ids, where
    assert not np.isnan(scores).any(), where

    # Best first, and equals by row.
    assert (scores[:-1] >= scores[1:] - TIE).all(), where
    equal = scores[:-1] == scores[1:]
    assert (ids[:-1] < ids[1:])[equal].all(), where

    # A zero prefix below everything else.
    zero = values == -np.inf
    assert (scores[zero[ids]] < naive.ZERO_PREFIX).all(), where
    assert (scores[~zero[ids]] > naive.ZERO_PREFIX).all() or lost[ids].any(), where

    # The scores are those of the recipe.
    sure = ~zero & ~lost
    listed = sure[ids]
    off = np.abs(scores[listed] - values[ids][listed]) - slack[ids][listed]
    assert (off <= TIE).all(), f"{where}: a score is off by {off.max()}"

    # And nothing better was left out.
    unlisted = wanted & sure
    unlisted[ids] = False
    if unlisted.any():
        candidates = ids[~lost[ids]]
        least = np.min(values[candidates] + np.where(zero, 0, slack)[candidates], initial=np.inf)
        most = np.max(values[unlisted] - slack[unlisted])
        assert most <= least + TIE, f"{where}: {most} was left out for {least}"


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_cell_equals_the_plain_recipe(data):
    kind = data.draw(st.sampled_from(KINDS), "kind")
    n_docs = data.draw(st.one_of(st.integers(2, 12), st.integers(13, 400)), "n_docs")
    n_queries = data.draw(st.integers(1, 6), "n_queries")
    full_dim = data.draw(st.one_of(st.integers(2, 20), st.integers(21, 140)), "full_dim")
    dims = data.draw(st.sets(st.integers(1, full_dim), max_size=4), "dims")
    depth = data.draw(st.one_of(st.integers(1, 12), st.just(n_docs + 3)), "depth")
    seed = data.draw(st.integers(0, 2**32 - 1), "seed")
    documents_at_once = data.draw(st.sampled_from([7, 64, 150, 2048]), "documents_at_once")
    queries_at_once = data.draw(st.sampled_from([1, 2, 128]), "queries_at_once")
    documents, queries = make_corpus(
        kind, n_docs=n_docs, n_queries=n_queries, full_dim=full_dim, seed=seed
    )
    excluded = None
    if data.draw(st.booleans(), "exclude"):
        excluded = np.array(
            data.draw(
                st.lists(st.integers(-1, n_docs - 1), min_size=n_queries, max_size=n_queries)
            )
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_module, "DOCUMENTS_AT_ONCE", documents_at_once)
        patch.setattr(sweep_module, "QUERIES_AT_ONCE", queries_at_once)
        configs = grid(full_dim, dims=dims, **EVERYTHING)
        rankings = sweep(documents, queries, configs, depth=depth, excluded=excluded)
    assert rankings.configs == configs
    check_rankings(rankings, documents, queries, depth=depth, excluded=excluded)
