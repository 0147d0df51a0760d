"""An evaluation without some of its queries, and the collection that then belongs to it."""

from dataclasses import replace

import numpy as np

from mrl_explorer.data import Collection
from mrl_explorer.data.lookup import Lookup
from mrl_explorer.retrieval.evaluation import Evaluation, Listed, Queries


def keep_queries(evaluation: Evaluation, rows: np.ndarray) -> Evaluation:
    """Keep some queries of an evaluation, with all that is known of them.

    Parameters
    ----------
    rows : np.ndarray
        (n,) query rows, ascending, at least one.
    """
    rankings, there = evaluation.rankings.of_queries(rows), evaluation.held_out
    queries, judgements = evaluation.queries, evaluation.judgements
    return replace(
        evaluation,
        rankings=rankings,
        listed=_still_listed(evaluation.listed, rankings.ids),
        queries=Queries(
            tuple(queries.ids[row] for row in rows),
            tuple(queries.texts[row] for row in rows),
            None if queries.segments is None else tuple(queries.segments[row] for row in rows),
        ),
        judgements=None if judgements is None else judgements.of_queries(rows),
        held_out=None
        if there is None
        else replace(there, rankings=there.rankings.of_queries(rows)),
    )


def _still_listed(listed: Listed, ids: np.ndarray) -> Listed:
    kept = np.flatnonzero(np.isin(listed.rows, ids))
    ids_of, titles, texts = (
        tuple(cells[place] for place in kept) for cells in (listed.ids, listed.titles, listed.texts)
    )
    return Listed(listed.rows[kept], ids_of, titles, texts)


def with_same_queries(collection: Collection, evaluation: Evaluation) -> Collection:
    """Give a collection those of its queries alone that an evaluation of it has kept.

    It stays as it is where that cannot be: whoever uses it then tells that it is another.
    """
    wanted, queries = evaluation.queries, collection.queries
    if queries.ids == wanted.ids:
        return collection
    found = Lookup(queries.ids)
    rows = np.array([found.row(identity) for identity in wanted.ids])
    if rows.min() < 0 or (np.diff(rows) <= 0).any():
        return collection
    kept = queries.select(rows)
    if any(wanted.texts) and kept.texts is not None and kept.texts != wanted.texts:
        return collection
    judgements = collection.judgements
    return replace(
        collection,
        queries=kept,
        judgements=None if judgements is None else judgements.of_queries(rows),
    )
