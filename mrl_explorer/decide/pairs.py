"""Two configurations on the same queries: which is better, and can these queries tell."""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from mrl_explorer.decide.intervals import LEVEL, N_RESAMPLES, resampled_means

MARGIN = 0.01
"""A difference of means that a reader would not act upon: one point, unless they say otherwise."""

_NORMAL = 1.959964
"""97.5% point of the normal distribution."""

_PSEUDO_LOSS = 0.25
"""Difference of the query added at each end, as 0.75 is 0.25 from a perfect one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The difference of two configurations, first minus second.

    Attributes
    ----------
    difference, low, high : float
        Mean difference over the queries, and its 95% interval.
    margin : float
        What counts as no difference.
    n_queries, needed : int
        Queries there are, and about how many it takes for the interval to fit inside the margin
        on both sides. It follows from the spread of the differences, not from their mean.
    """

    difference: float
    low: float
    high: float
    margin: float
    n_queries: int
    needed: int

    @property
    def verdict(self) -> str:
        """One of "first better", "second better", "alike" and "cannot tell".

        Alike: the whole interval lies within the margin. Better: all of it lies on one side of 0,
        and some of it beyond the margin.
        """
        if -self.margin <= self.low and self.high <= self.margin:
            return "alike"
        if self.low > 0:
            return "first better"
        if self.high < 0:
            return "second better"
        return "cannot tell"


def compare(first: np.ndarray, second: np.ndarray, *, margin: float = MARGIN) -> Pair:
    """Compare two configurations query by query.

    A percentile bootstrap of the paired differences, each end with one more query that is 0.25
    worse, so that a sample without a difference does not prove that there is none.

    Parameters
    ----------
    first, second : np.ndarray
        (n_queries,) values in [0, 1] of the same queries.
    margin : float
        What counts as no difference.
    """
    differences = np.asarray(first, dtype=float) - second
    n = len(differences)
    rank = int((1 - LEVEL) / 2 * (N_RESAMPLES - 1))
    both = np.vstack([np.append(differences, -_PSEUDO_LOSS), np.append(differences, _PSEUDO_LOSS)])
    means = np.sort(resampled_means(both), axis=1)
    mean = float(differences.mean())
    low, high = min(float(means[0, rank]), mean), max(float(means[1, -1 - rank]), mean)
    return Pair(mean, low, high, margin, n, needed_queries(differences, margin=margin))


def needed_queries(differences: np.ndarray, *, margin: float) -> int:
    """Estimate how many queries make the interval of the mean difference fit inside the margin.

    The interval's half width with n queries is about z s / sqrt(n) + 0.25 / n, with s the standard
    deviation about the mean; solved for n where that equals the margin. The observed difference
    itself is left out: a number of queries computed from it would promise to find what this
    sample happened to show.

    Parameters
    ----------
    differences : np.ndarray
        (n,) paired differences.
    margin : float
        Half width wanted, above 0.
    """
    # One query more on either side, so that a sample without a difference has a spread too.
    spread = np.append(differences - differences.mean(), [_PSEUDO_LOSS, -_PSEUDO_LOSS]).std()
    root = _NORMAL * spread + sqrt((_NORMAL * spread) ** 2 + 4 * margin * _PSEUDO_LOSS)
    return ceil((root / (2 * margin)) ** 2)
