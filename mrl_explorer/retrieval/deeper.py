"""Longer lists of the same run, for questions that short ones cannot answer."""

from dataclasses import replace

import numpy as np

from mrl_explorer.data import Collection, own_rows
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, silent
from mrl_explorer.retrieval.candidates import check_vectors
from mrl_explorer.retrieval.evaluation import Evaluation, list_documents


def vectors_of(collection: Collection) -> tuple[np.ndarray, np.ndarray]:
    """Give the vectors of documents and queries.

    Raises
    ------
    InputError
        If there are texts alone.
    """
    documents, queries = collection.documents.vectors, collection.queries.vectors
    if documents is None or queries is None:
        raise InputError("The data has texts and no vectors: name the model that embeds them.")
    return documents, queries


def left_out_rows(evaluation: Evaluation, collection: Collection) -> np.ndarray | None:
    """Find the document that each query itself is, where a run left these out of their own lists.

    Returns
    -------
    np.ndarray or None
        (n_queries,) rows, -1 where there is none; None when nothing was left out.
    """
    try:
        own = own_rows(collection.documents, collection.queries)
    except InputError:
        # It cannot be told which they are, so the run cannot have left them out.
        return None
    ids = evaluation.rankings.ids
    # A document that is the query scores highest: in no list at all, it was left out of them.
    if (own < 0).all() or (ids == own[None, :, None]).any():
        return None
    return own


def rank_deeper(
    evaluation: Evaluation, collection: Collection, *, depth: int, on_progress: OnProgress = silent
) -> Evaluation:
    """Rank the configurations of a run again, into longer lists.

    Parameters
    ----------
    evaluation : Evaluation
        The run.
    collection : Collection
        What it was made on, with vectors.
    depth : int
        Places in each list.

    Raises
    ------
    InputError
        If the collection is not what the run was made on.
    """
    from mrl_explorer.retrieval.sweep import sweep  # noqa: PLC0415 - numba is slow to import

    documents, queries = vectors_of(collection)
    check_vectors(evaluation.rankings, documents, queries)
    rankings = sweep(
        documents,
        queries,
        evaluation.rankings.configs,
        depth=depth,
        excluded=left_out_rows(evaluation, collection),
        on_progress=on_progress,
    )
    return replace(
        evaluation, rankings=rankings, listed=list_documents(collection.documents, rankings)
    )
