"""95% intervals of means over queries, all configurations resampled together."""

from functools import lru_cache
from math import ceil, log

import numpy as np

from mrl_explorer.retrieval.blas import single_threaded_blas

N_RESAMPLES = 2000
LEVEL = 0.95
_TAIL = (1 - LEVEL) / 2
_RANK = int(_TAIL * (N_RESAMPLES - 1))
"""Place of the lower end among the resampled means in ascending order."""

PSEUDO_QUERY = 0.75
"""Value of the query added for the lower end: see `intervals`."""

JOINT_PSEUDO_QUERY = 0.5
"""The same where many rows are bounded at once: that reaches further into each row's tail, where a
resample of few queries knows less."""


_FEW_ROWS = 8


@lru_cache(maxsize=48)
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


def resampled_means(values: np.ndarray) -> np.ndarray:
    """Mean of each row in each resample of its queries: (n_rows, n) -> (n_rows, N_RESAMPLES)."""
    n_queries, draws = values.shape[1], _draws(values.shape[1])
    values = values.astype(np.float32)
    with single_threaded_blas:
        if 0 < len(values) <= _FEW_ROWS:
            # A product of matrices first lays out all draws anew: eight times as long for two rows.
            sums = np.stack([draws @ row for row in values])
        else:
            sums = values @ draws.T
    return sums / np.float32(n_queries)


def with_one_more(values: np.ndarray, value: float = PSEUDO_QUERY) -> np.ndarray:
    """Add a query of the same value to each row: (n_rows, n) -> (n_rows, n + 1)."""
    return np.hstack([values, np.full((len(values), 1), value)])


def most_promised(n_queries: int) -> float:
    """Give the largest mean that a sample of `n_queries` without a miss can promise.

    The exact binomial bound: were more than 1 - this of all queries missed, such a sample would
    turn up in fewer than 2.5% of draws (Clopper and Pearson 1934; about 1 - 3.7 / n).
    """
    return float(_TAIL ** (1 / n_queries))


def queries_to_promise(share: float) -> int:
    """Give the number of queries without a miss that it takes to promise a mean, below 1."""
    return ceil(log(_TAIL) / log(share))


def intervals(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the ends of the 95% interval of each row's mean.

    A percentile bootstrap over queries, with the same resamples for every row. Near 1.0 it is
    too narrow at the bottom (with 50 queries at .99 it covers 79%), because a sample with few
    misses looks as if there were no others. So the lower end resamples the queries and one more
    with value 0.75, and promises no more than `most_promised`; the upper end rules out no mean
    below 1 minus that. Every end is an order statistic of
    averages with weights >= 0, so a row at least as good on every query never has a lower end
    that is lower. `benchmarks/intervals.py` measures the coverage.

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
    below = np.partition(resampled_means(with_one_more(values)), _RANK, axis=1)[:, _RANK]
    above = np.partition(resampled_means(values), -1 - _RANK, axis=1)[:, -1 - _RANK]
    mean = values.mean(axis=1)
    # Where all are missed, no resample knows a hit: the exact bound does, as at the other end.
    high = np.maximum(np.maximum(above, mean), 1 - most_promised(n_queries))
    return _bounded(below, mean, n_queries), high.astype(float)


def simultaneous_lows(values: np.ndarray) -> np.ndarray:
    """Give lower ends that hold for all rows at once in 97.5% of samples.

    Who picks the best looking of many configurations is likely to pick one that was lucky in this
    sample, and its own interval does not know of that. Here the largest deviation over all rows
    decides (max-T), each measured on the row's own bootstrap distribution (Beran 1988, balanced
    simultaneous confidence sets), so that rows of unlike spread are treated alike and the ends
    stay monotone: they are one and the same order statistic of every row's resampled means.

    Parameters
    ----------
    values : np.ndarray
        (n_rows, n_queries) in [0, 1].

    Returns
    -------
    np.ndarray
        (n_rows,) float64, at most the low of `intervals`.
    """
    n_rows, n_queries = values.shape
    if n_queries == 0 or n_rows == 0:
        return np.full(n_rows, np.nan)
    least = common_lows(resampled_means(with_one_more(values, JOINT_PSEUDO_QUERY)))
    return _bounded(least, values.mean(axis=1), n_queries)


def common_lows(means: np.ndarray) -> np.ndarray:
    """Give the order statistic of each row that all rows exceed at once in 97.5% of resamples.

    Parameters
    ----------
    means : np.ndarray
        (n_rows, N_RESAMPLES) means in shared resamples.

    Returns
    -------
    np.ndarray
        (n_rows,).
    """
    least = np.sort(np.partition(means, _RANK, axis=1)[:, : _RANK + 1], axis=1)
    low, high = 0, _RANK
    while low < high:
        rank = (low + high + 1) // 2
        if (means < least[:, rank, None]).any(axis=0).sum() <= _RANK:
            low = rank
        else:
            high = rank - 1
    return least[:, low]


def _bounded(low: np.ndarray, mean: np.ndarray, n_queries: int) -> np.ndarray:
    # Where the mean is below the added query, that lifts the lower end, perhaps past the mean.
    return np.minimum(np.minimum(low, mean), most_promised(n_queries)).astype(float)
