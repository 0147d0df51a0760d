"""Rankings written down by hand."""

import numpy as np

from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.rankings import Rankings


def rankings_by_hand(full_scores, lists, *, full_dim=8, n_docs=None):
    """Rank one query: `full_scores` by row, and each configuration's rows, best first.

    A configuration's own scores fall by one a place, so that nobody mistakes them for cosines;
    the baseline's are the full scores. None in a list is a place that it does not have.
    """
    configs = tuple(lists)
    ids = np.array([[[-1 if r is None else r for r in rows]] for rows in lists.values()], np.int32)
    full = np.array(
        [[[-np.inf if r is None else full_scores[r] for r in rows]] for rows in lists.values()],
        np.float32,
    )
    scores = -np.broadcast_to(np.arange(ids.shape[2], dtype=np.float32), ids.shape).copy()
    scores[configs.index(Config(full_dim))] = full[configs.index(Config(full_dim))]
    scores[ids < 0] = -np.inf
    return Rankings(configs, ids, scores, full, n_docs or len(full_scores), full_dim)
