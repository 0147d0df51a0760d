"""Whether a trained adapter is worth having, on documents and queries that it has not seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from mrl_explorer.data import Collection, Judgements, own_rows
from mrl_explorer.decide.pairs import Pair, compare
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.adapter import MOST_QUERIES, Checkpoint, Relevant, short, train
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, vectors_of
from mrl_explorer.retrieval.extension import extend
from mrl_explorer.retrieval.held_out import HeldOut, rank_held_out, searched_half
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance

START, NATIVE = "pca", "native"

LEAST_JUDGED = 100
"""Judged queries from which relevance is trained: half of them are, and fewer than 50 others leave
an interval wider than what an adapter gains."""

_SEED = 20_32
_NOTE = "The adapter in the grid learnt relevance from "


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """One measure at one dim: means over the queries that judge, on the documents held out.

    Attributes
    ----------
    dim : int
        Dims kept.
    native, pca, adapter : float
        Of the model's prefix, of the principal axes and of the adapter.
    gain, over_native : Pair
        Adapter minus PCA, and minus the prefix, each with an interval of its own.
    """

    dim: int
    native: float
    pca: float
    adapter: float
    gain: Pair
    over_native: Pair


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of an adapter, recall or nDCG.

    Attributes
    ----------
    rows : tuple of AdapterRow
        One a dim, ascending, full dimension last.
    gain, over_native : Pair
        Adapter minus PCA, its start, and minus the model's own prefix, averaged over the dims of
        `short`.
    """

    rows: tuple[AdapterRow, ...]
    gain: Pair
    over_native: Pair

    @property
    def is_better(self) -> bool:
        """Whether it beats both its start and the model's own prefix, beyond the interval."""
        return self.gain.low > 0 and self.over_native.low > 0

    @property
    def is_worse(self) -> bool:
        """Whether one of them beats it, beyond the interval."""
        return self.gain.high < 0 or self.over_native.high < 0


@dataclass(frozen=True, slots=True)
class AdapterVerdict:
    """What the measurement says.

    Attributes
    ----------
    recall : Measured
        Recall@k against full dimension.
    ndcg : Measured or None
        nDCG@k by judgement; None without judgements of these documents by queries that judge.
    dims : tuple of int
        Dims that the averages are of.
    k, n_docs, n_queries, n_judged : int
        Results that count, documents held out, queries that judge, and those of them with a
        relevant document among these.
    """

    recall: Measured
    ndcg: Measured | None
    dims: tuple[int, ...]
    k: int
    n_docs: int
    n_queries: int
    n_judged: int

    @property
    def offered(self) -> bool:
        """Whether one measure is better and the other is not measurably worse."""
        measures = (self.recall, *(() if self.ndcg is None else (self.ndcg,)))
        return any(m.is_better for m in measures) and not any(m.is_worse for m in measures)


@dataclass(frozen=True, eq=False)
class Trained:
    """An adapter, how it came about, and what it is worth.

    Attributes
    ----------
    basis : Basis
        The map that keeps the most neighbours of documents that were not trained on.
    dims : tuple of int
        Prefixes that it was trained for, full dimension last.
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
        Queries with a relevant document among those trained on; None without judgements. Fewer
        than `LEAST_JUDGED` teach nothing.
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
    judging = np.setdiff1d(np.arange(len(queries)), taught, assume_unique=True)
    basis = checkpoint.best
    held_out = rank_held_out(
        documents,
        queries[judging],
        adapter_configs(checkpoint.dims),
        depth=k,
        excluded=None if excluded is None else excluded[judging],
        rows=basis.unseen,
        trained=[basis],
        on_progress=on_progress,
    )
    assert held_out is not None  # noqa: S101 - an adapter is fitted, and documents are enough
    judgements = collection.judgements
    return Trained(
        basis,
        checkpoint.dims,
        tuple(steps),
        np.array(losses),
        checkpoint.best_step,
        judge(
            held_out,
            k=k,
            judgements=None if judgements is None else _of_queries(judgements, judging),
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
    drawn = np.random.default_rng(_SEED).permutation(queries)
    return np.sort(drawn[: min(len(queries) // 2, MOST_QUERIES)]), len(queries)


def _relevant(
    queries: np.ndarray, judgements: Judgements | None, taught: np.ndarray
) -> Relevant | None:
    """Give what some queries teach."""
    if judgements is None or len(taught) == 0:
        return None
    kept = _of_queries(judgements, taught)
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

    Judgements that it learnt from would flatter it, so their queries no longer count in what is
    measured by judgement, whatever the basis; a note says so.

    Returns
    -------
    Evaluation
        With the basis "adapter" beside what there was.
    """
    larger = extend(evaluation, collection, trained=trained.basis, on_progress=on_progress)
    notes = [note for note in larger.source.notes if not note.startswith(_NOTE)]
    judgements = larger.judgements
    if judgements is not None and len(trained.taught):
        kept = ~np.isin(judgements.query_rows, trained.taught)
        judgements = replace(
            judgements,
            query_rows=judgements.query_rows[kept],
            document_rows=judgements.document_rows[kept],
            gains=judgements.gains[kept],
        )
        notes.append(
            f"{_NOTE}{len(trained.taught):,} queries: nDCG, MRR and success are of the other "
            "judged queries alone."
        )
    source = replace(larger.source, notes=tuple(notes))
    return replace(larger, source=source, judgements=judgements)


def adapter_configs(dims: tuple[int, ...]) -> tuple[Config, ...]:
    """List what has to be ranked for a verdict."""
    return tuple(Config(dim, basis=basis) for basis in (NATIVE, START, "adapter") for dim in dims)


def judge(
    held_out: HeldOut, *, k: int = 10, judgements: Judgements | None = None
) -> AdapterVerdict:
    """Compare an adapter with its start and with the model's own prefix.

    One figure for all short dims, so that none is picked for its luck. The intervals are of the
    difference query by query.

    Parameters
    ----------
    held_out : HeldOut
        Lists of what `adapter_configs` names, of documents that the adapter has not seen.
    k : int
        Results that count, cut to the documents there are.
    judgements : Judgements, optional
        Of all documents, by these queries.
    """
    rankings = held_out.rankings
    cutoff = Cutoff(min(k, rankings.n_docs))
    dims = sorted(c.dim for c in rankings.configs if c.basis == "adapter")
    counts = short(dims, rankings.full_dim)
    places = {
        basis: [rankings.place(Config(dim, basis=basis)) for dim in dims]
        for basis in (NATIVE, START, "adapter")
    }

    def measured(values: np.ndarray) -> Measured:
        of = {basis: values[rows] for basis, rows in places.items()}

        def over(other: str, rows: np.ndarray | list[int]) -> Pair:
            return compare(of["adapter"][rows].mean(axis=0), of[other][rows].mean(axis=0))

        return Measured(
            tuple(
                AdapterRow(
                    dim,
                    float(of[NATIVE][row].mean()),
                    float(of[START][row].mean()),
                    float(of["adapter"][row].mean()),
                    over(START, [row]),
                    over(NATIVE, [row]),
                )
                for row, dim in enumerate(dims)
            ),
            over(START, counts),
            over(NATIVE, counts),
        )

    judged = None if judgements is None else _of_half(judgements, held_out.rows)
    ndcg = None
    if judged is not None and (judged.gains > 0).any():
        ndcg = relevance(rankings, judged, cutoff).ndcg
    return AdapterVerdict(
        measured(recall(rankings, cutoff)),
        None if ndcg is None else measured(ndcg),
        tuple(dim for dim, is_short in zip(dims, counts, strict=True) if is_short),
        cutoff.k,
        rankings.n_docs,
        rankings.n_queries,
        0 if ndcg is None else ndcg.shape[1],
    )


def _of_half(judgements: Judgements, rows: np.ndarray) -> Judgements:
    """Keep the judgements of some documents, with their places among these."""
    kept = np.isin(judgements.document_rows, rows)
    return replace(
        judgements,
        query_rows=judgements.query_rows[kept],
        document_rows=np.searchsorted(rows, judgements.document_rows[kept]).astype(np.int32),
        gains=judgements.gains[kept],
    )


def _of_queries(judgements: Judgements, rows: np.ndarray) -> Judgements:
    """Keep the judgements by some queries, with their places among these."""
    kept = np.isin(judgements.query_rows, rows)
    return replace(
        judgements,
        query_rows=np.searchsorted(rows, judgements.query_rows[kept]).astype(np.int32),
        document_rows=judgements.document_rows[kept],
        gains=judgements.gains[kept],
    )
