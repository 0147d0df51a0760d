"""What every ranked list has to be, whoever made it."""

import numpy as np

from mrl_explorer.retrieval.rankings import TIE

from . import naive


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
    assert (scores[(zero & ~lost)[ids]] < naive.ZERO_PREFIX).all(), where
    assert (scores[~zero[ids]] > naive.ZERO_PREFIX).all() or lost[ids].any(), where

    # The scores are those of the recipe.
    sure = ~zero & ~lost
    listed = sure[ids]
    off = np.abs(scores[listed] - values[ids][listed]) - slack[ids][listed]
    assert (off <= TIE).all(), f"{where}: a score is off by {off.max()}"

    # Where scores are whole numbers, equals are equal: the lower rows are listed.
    if length and not slack.any() and not lost.any():
        last = values[ids[-1]]
        crowd = ids[values[ids] == last]
        assert np.array_equal(crowd, np.flatnonzero(wanted & (values == last))[: len(crowd)]), where

    # And nothing better was left out.
    unlisted = wanted & sure
    unlisted[ids] = False
    if unlisted.any():
        candidates = ids[~lost[ids]]
        least = np.min(values[candidates] + np.where(zero, 0, slack)[candidates], initial=np.inf)
        most = np.max(values[unlisted] - slack[unlisted])
        assert most <= least + TIE, f"{where}: {most} was left out for {least}"
