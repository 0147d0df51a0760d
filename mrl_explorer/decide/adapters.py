"""Whether a trained adapter is worth having, on documents and queries that it has not seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from mrl_explorer.data import Collection, Judgements, own_rows
from mrl_explorer.decide.pairs import Pair, compare
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.adapter import Checkpoint, train
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import vectors_of
from mrl_explorer.retrieval.held_out import HeldOut, rank_held_out
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance

START, NATIVE = "pca", "native"


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """The figures at one dim: means over the queries, on the documents held out.

    Attributes
    ----------
    dim : int
        Dims kept.
    native, pca, adapter : float
        Recall@k of the model's prefix, of the principal axes and of the adapter.
    native_ndcg, pca_ndcg, adapter_ndcg : float or None
        nDCG@k by judgement; None without judgements of these documents.
    """

    dim: int
    native: float
    pca: float
    adapter: float
    native_ndcg: float | None = None
    pca_ndcg: float | None = None
    adapter_ndcg: float | None = None


@dataclass(frozen=True, slots=True)
class AdapterVerdict:
    """What the measurement says.

    Attributes
    ----------
    rows : tuple of AdapterRow
        One a dim, ascending, full dimension last.
    gain : Pair
        Recall of the adapter minus that of its start, PCA, averaged over the dims that cut.
    over_native : Pair
        The same minus the model's own prefix.
    ndcg_gain : Pair or None
        nDCG of the adapter minus that of PCA, likewise; None without judgements.
    k, n_docs, n_queries, n_judged : int
        Results that count, documents held out, queries, and those with a judgement of these.
    """

    rows: tuple[AdapterRow, ...]
    gain: Pair
    over_native: Pair
    ndcg_gain: Pair | None
    k: int
    n_docs: int
    n_queries: int
    n_judged: int

    @property
    def offered(self) -> bool:
        """Whether it beats both its start and the model's own prefix, beyond the interval."""
        return self.gain.low > 0 and self.over_native.low > 0


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
    """

    basis: Basis
    dims: tuple[int, ...]
    steps: tuple[int, ...]
    losses: np.ndarray
    best_step: int
    verdict: AdapterVerdict

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

    Queries take no part in the training, so all of them judge.

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
    steps: list[int] = []
    losses: list[np.ndarray] = []
    try:
        for checkpoint in train(documents, dims=dims, unseen=unseen, on_progress=on_progress):
            steps.append(checkpoint.step)
            losses.append(checkpoint.losses)
            on_progress(Progress(checkpoint.step, checkpoint.n_steps, "training the adapter"))
            if not goes_on(checkpoint):
                break
    except KeyboardInterrupt:
        if not steps:
            raise
        # On a terminal, Ctrl-C ends the training and not the work: the best so far is judged.
    excluded = own_rows(collection.documents, collection.queries) if exclude_self else None
    basis = checkpoint.best
    held_out = rank_held_out(
        documents,
        queries,
        adapter_configs(checkpoint.dims),
        depth=k,
        excluded=excluded,
        rows=basis.unseen,
        trained=[basis],
        on_progress=on_progress,
    )
    assert held_out is not None  # noqa: S101 - an adapter is fitted, and documents are enough
    return Trained(
        basis,
        checkpoint.dims,
        tuple(steps),
        np.array(losses),
        checkpoint.best_step,
        judge(held_out, k=k, judgements=collection.judgements),
    )


def adapter_configs(dims: tuple[int, ...]) -> tuple[Config, ...]:
    """List what has to be ranked for a verdict."""
    return tuple(Config(dim, basis=basis) for basis in (NATIVE, START, "adapter") for dim in dims)


def judge(
    held_out: HeldOut, *, k: int = 10, judgements: Judgements | None = None
) -> AdapterVerdict:
    """Compare an adapter with its start and with the model's own prefix.

    One figure for all dims that cut, so that none is picked for its luck. The interval is of the
    difference query by query.

    Parameters
    ----------
    held_out : HeldOut
        Lists of what `adapter_configs` names, of documents that the adapter has not seen.
    k : int
        Results that count, cut to the documents there are.
    judgements : Judgements, optional
        Of all documents.
    """
    rankings = held_out.rankings
    cutoff = Cutoff(min(k, rankings.n_docs))
    dims = sorted(c.dim for c in rankings.configs if c.basis == "adapter")
    cuts = np.array(dims) < rankings.full_dim
    places = {
        basis: [rankings.place(Config(dim, basis=basis)) for dim in dims]
        for basis in (NATIVE, START, "adapter")
    }
    values = recall(rankings, cutoff)
    found = {basis: values[rows] for basis, rows in places.items()}
    judged = None if judgements is None else _of_half(judgements, held_out.rows)
    ndcg = {}
    if judged is not None and (judged.gains > 0).any():
        measured = relevance(rankings, judged, cutoff).ndcg
        ndcg = {basis: measured[rows] for basis, rows in places.items()}

    def over(of: dict[str, np.ndarray], other: str) -> Pair:
        return compare(of["adapter"][cuts].mean(axis=0), of[other][cuts].mean(axis=0))

    return AdapterVerdict(
        tuple(
            AdapterRow(
                dim,
                *(float(found[basis][place].mean()) for basis in places),
                *(float(ndcg[basis][place].mean()) for basis in places if ndcg),
            )
            for place, dim in enumerate(dims)
        ),
        over(found, START),
        over(found, NATIVE),
        over(ndcg, START) if ndcg else None,
        cutoff.k,
        rankings.n_docs,
        rankings.n_queries,
        ndcg["adapter"].shape[1] if ndcg else 0,
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
