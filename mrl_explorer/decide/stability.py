"""Would other queries have led to the same choice? Halves of the queries tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

N_SPLITS = 100
_LEAST_QUERIES = 4

Target = tuple[np.ndarray, np.ndarray, np.ndarray, float]
"""Values (n_options, n_queries), what they are a share of (n_queries,), what the lower end takes
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


def half_splits(targets: Sequence[Target], *, chosen: int) -> Stability | None:
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

    Returns
    -------
    Stability or None
        None with fewer than four queries.
    """
    n_queries = targets[0][0].shape[1]
    if n_queries < _LEAST_QUERIES:
        return None
    random = np.random.default_rng(100)
    halves = np.zeros((N_SPLITS, n_queries), dtype=np.float32)
    for half in halves:
        half[random.permutation(n_queries)[: n_queries // 2]] = 1
    first = np.all([_reached(target, halves, strict=True) for target in targets], axis=0)
    second = np.all([_reached(target, 1 - halves, strict=False) for target in targets], axis=0)
    picked = first.argmax(axis=1)
    found = first.any(axis=1)
    rows = np.arange(N_SPLITS)
    return Stability(
        N_SPLITS,
        int((found & (picked == chosen)).sum()),
        int((found & second[rows, picked]).sum()),
    )


def _reached(target: Target, halves: np.ndarray, *, strict: bool) -> np.ndarray:
    """Tell which options reach a target on each half: (n_splits, n_options)."""
    values, whole, slack, wanted = target
    share = (halves @ values.T.astype(np.float32)) / np.maximum(
        halves @ whole.astype(np.float32), 1e-9
    )[:, None]
    # Sums in float32: what is reached to the last bit on all queries is reached.
    return share - (slack if strict else 0) >= wanted - 1e-6
