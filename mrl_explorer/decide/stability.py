"""Would other queries have led to the same choice? Halves of the queries tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mrl_explorer.retrieval.blas import single_threaded_blas

N_SPLITS = 100
_LEAST_QUERIES = 4

Target = tuple[np.ndarray, np.ndarray, np.ndarray, float]
"""Each option's mean on each half and on the other (n_splits, n_options), what the lower end takes
off (n_options,), and what must be reached."""


@dataclass(frozen=True, slots=True)
class Stability:
    """How a choice fares on random halves of the queries.

    Attributes
    ----------
    n_splits : int
        Halves drawn.
    same : int
        Halves on which the same option is chosen.
    confirmed : int
        Halves whose own choice reaches the targets, on the mean, on the other half.
    """

    n_splits: int
    same: int
    confirmed: int


@lru_cache(maxsize=8)
def _halves(n_queries: int) -> np.ndarray:
    """Draw which queries are in each half: (N_SPLITS, n_queries) float32 of 0 and 1."""
    random = np.random.default_rng(100)
    halves = np.zeros((N_SPLITS, n_queries), dtype=np.float32)
    for half in halves:
        half[random.permutation(n_queries)[: n_queries // 2]] = 1
    halves.flags.writeable = False
    return halves


def half_sums(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum each row over each half of the queries, and over the other half.

    Parameters
    ----------
    values : np.ndarray
        (n_rows, n_queries).

    Returns
    -------
    first, second : np.ndarray
        (N_SPLITS, n_rows) float32.
    """
    halves = _halves(values.shape[1])
    rows = values.astype(np.float32)
    with single_threaded_blas:
        return halves @ rows.T, (1 - halves) @ rows.T


def half_splits(targets: Sequence[Target], *, chosen: int, n_queries: int) -> Stability | None:
    """Choose the first option that holds, on 100 random halves of the queries.

    The mean of a half scatters about the mean of all as that does about the truth, so a half shows
    what another sample could have shown. What the lower end takes off is kept as it is on all
    queries: a half would otherwise be asked to promise more than all of them can.

    Parameters
    ----------
    targets : sequence
        What must hold; options in order of preference.
    chosen : int
        The choice on all queries.
    n_queries : int
        How many there are.

    Returns
    -------
    Stability or None
        None with fewer than four queries.
    """
    if n_queries < _LEAST_QUERIES:
        return None
    # Sums in float32: what is reached to the last bit on all queries is reached.
    first = np.all([one - slack >= wanted - 1e-6 for one, _, slack, wanted in targets], axis=0)
    second = np.all([other >= wanted - 1e-6 for _, other, _, wanted in targets], axis=0)
    picked = first.argmax(axis=1)
    found = first.any(axis=1)
    rows = np.arange(N_SPLITS)
    return Stability(
        N_SPLITS,
        int((found & (picked == chosen)).sum()),
        int((found & second[rows, picked]).sum()),
    )
