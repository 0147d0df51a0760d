"""Fitted bases on documents that they were not fitted on.

A basis fitted on the very documents that are searched flatters itself. Here it is fitted on a
random half of them and ranks the other half, beside the native basis on that same half. A trained
basis is not trained again: it takes part where it has not seen the half that is ranked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.basis import RUN_BASES, Basis, fit_bases
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.rankings import Rankings

LEAST_DOCUMENTS = 4
"""With fewer there are not two documents to fit on and two to rank."""

_SEED = 20_27


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Ranked lists of one half of the documents.

    Attributes
    ----------
    rankings : Rankings
        The fitted configurations and the native ones of the same dims and quantizations; ids are
        places in `rows`, and the ground truth is the baseline on these documents.
    rows : np.ndarray
        (n_half,) int32, ascending: the document rows ranked. Bases were fitted on the others.
    """

    rankings: Rankings
    rows: np.ndarray


def searched_half(n_docs: int) -> np.ndarray:
    """Draw the half that is ranked, always the same for so many documents.

    Returns
    -------
    np.ndarray
        (ceil(n_docs / 2),) int32 document rows, ascending.
    """
    order = np.random.default_rng(_SEED).permutation(n_docs)
    return np.sort(order[n_docs // 2 :]).astype(np.int32)


def held_out_configs(configs: Iterable[Config]) -> tuple[Config, ...]:
    """List the fitted configurations, each after the native one that it is compared with."""
    fitted = [config for config in configs if config.is_fitted]
    native = dict.fromkeys(replace(config, basis="native") for config in fitted)
    return (*native, *fitted)


def has_not_seen(basis: Basis, rows: np.ndarray) -> bool:
    """Tell whether a basis is known to be trained on documents other than these."""
    return basis.unseen is not None and bool(np.isin(rows, basis.unseen).all())


def rank_held_out(
    documents: np.ndarray,
    queries: np.ndarray,
    configs: Iterable[Config],
    *,
    depth: int,
    excluded: np.ndarray | None,
    rows: np.ndarray | None = None,
    trained: Iterable[Basis] = (),
    on_progress: OnProgress = silent,
) -> HeldOut | None:
    """Fit on one half of the documents, and rank the other.

    At most half a copy of the documents is held in memory at a time.

    Parameters
    ----------
    documents, queries, configs, depth, excluded, on_progress
        As for `sweep`, about all documents; configurations that are not fitted are passed over.
    rows : np.ndarray, optional
        The half to rank; by default that of `searched_half`.
    trained : iterable of Basis
        Bases that are ready. Configurations of a trained basis are passed over where it is not
        among them, or has seen documents of this half.

    Returns
    -------
    HeldOut or None
        None when there is nothing fitted, or fewer than `LEAST_DOCUMENTS`.
    """
    # numba takes half a second to import, and pages that only read evaluations do without.
    from mrl_explorer.retrieval.sweep import sweep  # noqa: PLC0415

    n_docs = len(documents)
    rows = searched_half(n_docs) if rows is None else rows
    ready = {basis.name: basis for basis in trained if has_not_seen(basis, rows)}
    wanted = held_out_configs(c for c in configs if c.basis in RUN_BASES or c.basis in ready)
    if not wanted or n_docs < LEAST_DOCUMENTS:
        return None

    def report(progress: Progress) -> None:
        on_progress(replace(progress, what=f"held-out half: {progress.what}"))

    others = np.setdiff1d(np.arange(n_docs), rows, assume_unique=True)
    names = sorted({config.basis for config in wanted if config.is_fitted} - set(ready))
    bases = (*ready.values(), *fit_bases(names, documents[others], on_progress=report))
    rankings = sweep(
        documents[rows],
        queries,
        wanted,
        bases=bases,
        depth=depth,
        excluded=None if excluded is None else _within(rows, excluded, n_docs=n_docs),
        on_progress=report,
    )
    return HeldOut(rankings, rows)


def _within(rows: np.ndarray, excluded: np.ndarray, *, n_docs: int) -> np.ndarray:
    """Find the excluded documents among the rows ranked; -1 where they are not ranked anyway."""
    places = np.full(n_docs, -1)
    places[rows] = np.arange(len(rows))
    return np.where(excluded >= 0, places[excluded], -1)
