"""Adapters: trained on one part of the data, judged on the other, and joined to the grid."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from mrl_explorer.data import Collection, Judgements, own_rows
from mrl_explorer.decide.adapter_verdict import AdapterVerdict, judge_basis
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.adapter import MOST_QUERIES, Checkpoint, Relevant, train
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.evaluation import Evaluation, vectors_of
from mrl_explorer.retrieval.extension import extend
from mrl_explorer.retrieval.held_out import searched_half
from mrl_explorer.retrieval.query_subset import keep_queries

LEAST_JUDGED = 100
"""Judged queries from which relevance is trained: half of them are, and fewer than 50 others leave
an interval wider than what an adapter gains."""

_SEED = 20_32
_LEFT_OUT = " queries taught what is relevant in a training, and are left out of this run."


@dataclass(frozen=True, eq=False)
class Trained:
    """An adapter, how it came about, and what it is worth.

    Attributes
    ----------
    basis : Basis
        The map that was best on what tells when to stop.
    dims : tuple of int
        Dims that the losses are of, ascending.
    steps : tuple of int
        Where the loss was checked.
    losses : np.ndarray
        (n_steps, n_dims) losses there.
    best_step : int
        Where the map is from; 0 is the start.
    verdict : AdapterVerdict
        On documents and queries that it has not seen.
    taught : np.ndarray
        Rows of the queries whose judgements were trained on or told when to stop, ascending.
    n_teachable : int or None
        Queries that could teach relevance beside neighbours, of which it takes `LEAST_JUDGED`; None
        without judgements, and where pairs alone teach.
    """

    basis: Basis
    dims: tuple[int, ...]
    steps: tuple[int, ...]
    losses: np.ndarray
    best_step: int
    verdict: AdapterVerdict
    taught: np.ndarray
    n_teachable: int | None

    @property
    def components(self) -> np.ndarray:
        """The matrix: (full_dim, full_dim) float32, one axis a row."""
        assert self.basis.components is not None  # noqa: S101 - an adapter has components
        return self.basis.components

    @property
    def cuts(self) -> tuple[int, ...]:
        """The dims that cut something."""
        return tuple(dim for dim in self.dims if dim < len(self.components))


def train_and_judge(
    collection: Collection,
    *,
    dims: Iterable[int],
    k: int = 10,
    exclude_self: bool = False,
    unseen: np.ndarray | None = None,
    goes_on: Callable[[Checkpoint], bool] = lambda _: True,
    on_progress: OnProgress = silent,
) -> Trained:
    """Train an adapter on one half of the documents and judge it on the other.

    With `LEAST_JUDGED` queries that have a relevant document in the half that is trained on, half
    of these queries teach relevance. All the others judge, by the other half of the documents. A
    query that is itself a document teaches nothing, since it may be one that is judged on.

    Parameters
    ----------
    collection : Collection
        Documents and queries with vectors.
    dims : iterable of int
        Prefixes that are to keep neighbours.
    k : int
        Results that count.
    exclude_self : bool
        Leave a document that is used as a query out of its own list.
    unseen : np.ndarray, optional
        Document rows to judge on; by default those of `searched_half`.
    goes_on : callable
        Told of every check of the loss; False ends the training, and the best so far is judged.
    on_progress : callable
        Told as the work goes on; what it raises stops it with nothing to show.

    Raises
    ------
    InputError
        If vectors or queries are missing, or there are too few documents.
    """
    documents, queries = vectors_of(collection.documents), vectors_of(collection.queries)
    if len(queries) == 0:
        raise InputError("There are no queries to judge an adapter by: add a file of queries.")
    unseen = searched_half(len(documents)) if unseen is None else unseen
    excluded = own_rows(collection.documents, collection.queries) if exclude_self else None
    taught, n_teachable = _taught(collection.judgements, unseen, excluded)
    steps: list[int] = []
    losses: list[np.ndarray] = []
    try:
        for checkpoint in train(
            documents,
            dims=dims,
            unseen=unseen,
            relevant=_relevant(queries, collection.judgements, taught),
            on_progress=on_progress,
        ):
            steps.append(checkpoint.step)
            losses.append(checkpoint.losses)
            on_progress(Progress(checkpoint.step, checkpoint.n_steps, "training the adapter"))
            if not goes_on(checkpoint):
                break
    except KeyboardInterrupt:
        if not steps:
            raise
        # On a terminal, Ctrl-C ends the training and not the work: the best so far is judged.
    return Trained(
        checkpoint.best,
        checkpoint.dims,
        tuple(steps),
        np.array(losses),
        checkpoint.best_step,
        judge_basis(
            collection,
            checkpoint.best,
            dims=checkpoint.dims,
            taught=taught,
            k=k,
            excluded=excluded,
            on_progress=on_progress,
        ),
        taught,
        n_teachable,
    )


def _taught(
    judgements: Judgements | None, unseen: np.ndarray, excluded: np.ndarray | None
) -> tuple[np.ndarray, int | None]:
    """Draw the queries that teach relevance, ascending, of so many that could."""
    none = np.zeros(0, np.int64)
    if judgements is None:
        return none, None
    there = (judgements.gains > 0) & ~np.isin(judgements.document_rows, unseen)
    queries = np.unique(judgements.query_rows[there])
    if excluded is not None:
        queries = queries[excluded[queries] < 0]
    if len(queries) < LEAST_JUDGED:
        return none, len(queries)
    return np.sort(teaching_half(queries)[:MOST_QUERIES]), len(queries)


def teaching_half(queries: np.ndarray) -> np.ndarray:
    """Draw half of the queries that could teach: (n,) rows, in the order drawn."""
    return np.random.default_rng(_SEED).permutation(queries)[: len(queries) // 2]


def _relevant(
    queries: np.ndarray, judgements: Judgements | None, taught: np.ndarray
) -> Relevant | None:
    """Give what some queries teach."""
    if judgements is None or len(taught) == 0:
        return None
    kept = judgements.of_queries(taught)
    relevant = kept.gains > 0
    return Relevant(queries[taught], kept.query_rows[relevant], kept.document_rows[relevant])


def join_grid(
    evaluation: Evaluation,
    collection: Collection,
    trained: Trained,
    *,
    on_progress: OnProgress = silent,
) -> Evaluation:
    """Rank an adapter in every dim and quantization of an evaluation.

    Queries that taught it relevance would flatter it, and so leave the evaluation, whatever the
    basis; a note says so.

    Returns
    -------
    Evaluation
        With the basis "adapter" beside what there was.

    Raises
    ------
    InputError
        If the collection is another, or no query is left.
    """
    larger = extend(evaluation, collection, trained=trained.basis, on_progress=on_progress)
    return leave_out(larger, collection, trained.taught)


def leave_out(evaluation: Evaluation, collection: Collection, taught: np.ndarray) -> Evaluation:
    """Take the queries that taught, rows of the collection, out of an evaluation of it."""
    teachers = {collection.queries.ids[row] for row in taught}
    kept = np.array([row for row, one in enumerate(evaluation.queries.ids) if one not in teachers])
    if len(kept) == len(evaluation.queries.ids):
        return evaluation
    if not len(kept):
        raise InputError(
            "Every query of this run taught an adapter, which leaves none to measure by: evaluate "
            "again."
        )
    n_left_out = len(collection.queries) - len(kept)
    source = evaluation.source
    notes = [note for note in source.notes if not note.endswith(_LEFT_OUT)]
    notes.append(f"{n_left_out:,}{_LEFT_OUT}")
    return replace(keep_queries(evaluation, kept), source=replace(source, notes=tuple(notes)))
