"""How much of full dimension's relevance is kept: nDCG as a share of the baseline's."""

import numpy as np

from mrl_explorer.decide.intervals import (
    JOINT_PSEUDO_QUERY,
    common_lows,
    resampled_means,
)
from mrl_explorer.errors import InputError


def retention(
    ndcg: np.ndarray, full: np.ndarray, base: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give each row's mean nDCG as a share of full dimension's, and its simultaneous lower end.

    Queries are resampled in pairs with full dimension's, so what makes a query hard for both
    cancels. As for bounds of recall, one more query is added for the lower end: of average nDCG at
    full dimension, and half of it in the row.

    Parameters
    ----------
    ndcg : np.ndarray
        (n_rows, n_judged) in [0, 1].
    full : np.ndarray
        (n_bases, n_judged) nDCG at full dimension, on all documents and on others; NaN where a
        query has nothing relevant among those.
    base : np.ndarray
        (n_rows,) which of `full` each row is a share of.

    Returns
    -------
    share, low : np.ndarray
        (n_rows,) float64; above 1 where a row is better than full dimension. All rows' lows hold
        at once in 97.5% of samples.

    Raises
    ------
    InputError
        If full dimension finds nothing relevant at all.
    """
    counted = np.isfinite(full)
    whole = np.where(counted, full, 0)
    mean = whole.sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    if not (mean[np.unique(base)] > 0).all():
        raise InputError(
            "Full dimension finds nothing relevant among the first k of any judged query, so there "
            "is no nDCG to keep: set a recall instead, or look at the judgements."
        )
    rows = np.where(counted[base], ndcg, 0)
    share = rows.sum(axis=1) / whole.sum(axis=1)[base]
    more = np.hstack([rows, JOINT_PSEUDO_QUERY * mean[base, None]])
    means = resampled_means(np.vstack([more, np.hstack([whole, mean[:, None]])]))
    means, bases = means[: len(rows)], means[len(rows) :]
    # A resample in which full dimension finds nothing says nothing on what is kept of it.
    ratios = means / np.maximum(bases, np.float32(1e-6))[base]
    return share, np.minimum(common_lows(ratios), share).astype(float)
