"""What an adapter is worth, on documents and by queries that it has not seen."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mrl_explorer.data import Collection, Judgements
from mrl_explorer.decide.pairs import Pair, compare
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, silent
from mrl_explorer.retrieval.adapter import short
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import vectors_of
from mrl_explorer.retrieval.held_out import HeldOut, rank_held_out
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance

START, NATIVE = "pca", "native"

Teacher = Literal["neighbours", "pairs"]
"""What an adapter learnt from: the neighbours at full dimension, and relevance where enough is
judged; or judged pairs alone, with MatryoshkaLoss."""


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
    teacher : str
        As in `Teacher`.
    """

    recall: Measured
    ndcg: Measured | None
    dims: tuple[int, ...]
    k: int
    n_docs: int
    n_queries: int
    n_judged: int
    teacher: Teacher = "neighbours"

    @property
    def offered(self) -> bool:
        """Whether it is better at what it learnt.

        What learnt from neighbours is better in one measure, and not measurably worse in the other.
        What learnt from pairs moves full dimension as well, so recall against the model's own full
        dimension, which then counts every change as a loss, has no say.
        """
        if self.teacher == "pairs":
            return self.ndcg is not None and self.ndcg.is_better
        measures = (self.recall, *(() if self.ndcg is None else (self.ndcg,)))
        return any(m.is_better for m in measures) and not any(m.is_worse for m in measures)


def judge_basis(
    collection: Collection,
    basis: Basis,
    *,
    dims: tuple[int, ...],
    taught: np.ndarray,
    k: int,
    excluded: np.ndarray | None,
    teacher: Teacher = "neighbours",
    on_progress: OnProgress = silent,
) -> AdapterVerdict:
    """Rank the documents that an adapter has not seen, by the queries that did not teach it.

    Parameters
    ----------
    basis : Basis
        The adapter, with the documents that it has not seen.
    dims : tuple of int
        To cut at, full dimension last.
    taught : np.ndarray
        Rows of the queries that it learnt from, ascending.
    excluded : np.ndarray or None
        Document left out of each query's list, as `own_rows` gives it.

    Raises
    ------
    InputError
        If there are too few documents for two halves.
    """
    documents, queries = vectors_of(collection.documents), vectors_of(collection.queries)
    judging = np.setdiff1d(np.arange(len(queries)), taught, assume_unique=True)
    held_out = rank_held_out(
        documents,
        queries[judging],
        adapter_configs(dims),
        depth=k,
        excluded=None if excluded is None else excluded[judging],
        rows=basis.unseen,
        trained=[basis],
        on_progress=on_progress,
    )
    if held_out is None:
        raise InputError(
            f"{len(documents)} documents are too few to train an adapter on one half and judge it "
            "on the other: add more."
        )
    judgements = collection.judgements
    return judge(
        held_out,
        k=k,
        judgements=None if judgements is None else judgements.of_queries(judging),
        teacher=teacher,
    )


def adapter_configs(dims: tuple[int, ...]) -> tuple[Config, ...]:
    """List what has to be ranked for a verdict."""
    return tuple(Config(dim, basis=basis) for basis in (NATIVE, START, "adapter") for dim in dims)


def judge(
    held_out: HeldOut,
    *,
    k: int = 10,
    judgements: Judgements | None = None,
    teacher: Teacher = "neighbours",
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
    teacher : str
        As in `Teacher`.
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

    judged = None if judgements is None else judgements.of_documents(held_out.rows)
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
        teacher,
    )
