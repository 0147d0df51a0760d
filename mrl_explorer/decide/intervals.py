"""95% intervals of means over queries, all configurations resampled together."""

from functools import lru_cache

import numpy as np

N_RESAMPLES = 2000
LEVEL = 0.95
PSEUDO_QUERY = 0.5
"""Value of the query added for the lower end: see `intervals`."""


@lru_cache(maxsize=8)
def _draws(n_queries: int) -> np.ndarray:
    """How often each query is in each resample: (N_RESAMPLES, n_queries) float32.

    The seed is fixed: the same data give the same interval on every machine and every page.
    Whole numbers, divided by `n_queries` only when summed, keep the mean of ones at exactly 1.
    """
    draws = np.random.default_rng(20_24).multinomial(
        n_queries, np.full(n_queries, 1 / n_queries), size=N_RESAMPLES
    )
    draws = draws.astype(np.float32)
    draws.flags.writeable = False
    return draws


def _resampled_means(values: np.ndarray) -> np.ndarray:
    """Mean of each row in each resample of its queries: (n_rows, n) -> (N_RESAMPLES, n_rows)."""
    n_queries = values.shape[1]
    return _draws(n_queries) @ values.T.astype(np.float32) / np.float32(n_queries)


def intervals(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the ends of the 95% interval of each row's mean.

    A percentile bootstrap over queries, with the same resamples for every row. Near 1.0 it is
    too narrow at the bottom (with 50 queries at .99 it covers 79%), because a sample without a
    miss looks as if there were none; so the lower end resamples the queries and one more with
    value 0.5, which bounds what so few queries can promise. Both ends are order statistics of
    averages with weights >= 0, so a row at least as good on every query never has a lower end
    that is lower.

    Parameters
    ----------
    values : np.ndarray
        (n_rows, n_queries) in [0, 1].

    Returns
    -------
    low, high : np.ndarray
        (n_rows,) float64, low <= mean <= high.
    """
    n_rows, n_queries = values.shape
    if n_queries == 0:
        return np.full(n_rows, np.nan), np.full(n_rows, np.nan)
    tail = (1 - LEVEL) / 2
    mean = values.mean(axis=1)
    with_one_more = np.hstack([values, np.full((n_rows, 1), PSEUDO_QUERY)])
    low = np.quantile(_resampled_means(with_one_more), tail, axis=0, method="lower")
    high = np.quantile(_resampled_means(values), 1 - tail, axis=0, method="higher")
    # Where the mean is below 0.5 the added query lifts the lower end, perhaps past the mean.
    return np.minimum(low, mean).astype(float), np.maximum(high, mean).astype(float)
