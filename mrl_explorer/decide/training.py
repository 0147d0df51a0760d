"""Training on judged pairs, held against the model as it was, on queries and documents unseen."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mrl_explorer.data import Collection, Judgements, own_rows
from mrl_explorer.decide.adapter_verdict import judge_basis
from mrl_explorer.decide.adapters import Trained, teaching_half
from mrl_explorer.decide.pairs import Pair, compare
from mrl_explorer.embed.training import (
    Head,
    PairCheck,
    Pairs,
    Student,
    TrainingSettings,
    train_on_pairs,
)
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.basis import Basis, fit_basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import vectors_of
from mrl_explorer.retrieval.held_out import searched_half
from mrl_explorer.retrieval.metrics import Cutoff, relevance

LEAST_QUERIES = 60
"""Queries with a relevant document: half of them judge, and fewer than 30 can tell nothing."""

_SEED = 20_31


@dataclass(frozen=True, eq=False)
class PairSplit:
    """Who learns, who tells when to stop, and who judges.

    Attributes
    ----------
    training, stopping : Pairs
        Rows of the collection.
    taught : np.ndarray
        Rows of the queries in these pairs, ascending.
    queries, documents : np.ndarray
        Rows that judge, ascending: neither is in a pair that is trained on or stopped by.
    judgements : Judgements
        Of these, with their places among them.
    """

    training: Pairs
    stopping: Pairs
    taught: np.ndarray
    queries: np.ndarray
    documents: np.ndarray
    judgements: Judgements


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """nDCG@k at one dim, means over the queries that judge.

    Attributes
    ----------
    dim : int
        Dims kept.
    ndcg : dict of str to float
        By what is compared, the trained one last.
    """

    dim: int
    ndcg: dict[str, float]


@dataclass(frozen=True, slots=True)
class TrainingVerdict:
    """What the measurement says.

    Attributes
    ----------
    rows : tuple of TrainingRow
        One a dim, ascending.
    gains : dict of str to Pair
        nDCG of the trained one minus that of each other, averaged over the dims.
    k, n_docs, n_queries : int
        Results that count, documents and queries that judge.
    """

    rows: tuple[TrainingRow, ...]
    gains: dict[str, Pair]
    k: int
    n_docs: int
    n_queries: int

    @property
    def better(self) -> bool:
        """Whether it beats all that it is held against, beyond the interval."""
        return all(gain.low > 0 for gain in self.gains.values())


def split_pairs(
    collection: Collection, *, unseen: np.ndarray | None = None, exclude_self: bool = False
) -> PairSplit:
    """Divide the relevant pairs: half of the queries judge, by documents kept from the training.

    Queries that cannot judge, since none of these documents is relevant to them, teach.

    Parameters
    ----------
    collection : Collection
        With judgements.
    unseen : np.ndarray, optional
        Document rows to judge on, ascending; by default those of `searched_half`.
    exclude_self : bool
        Whether queries are documents. These teach nothing, since one may be judged on.

    Raises
    ------
    InputError
        If there are too few queries with a relevant document.
    """
    judged = collection.judgements
    relevant = None if judged is None else judged.gains > 0
    if judged is None or relevant is None or not relevant.any():
        raise InputError(
            "There are no relevant documents to train on: give judgements, or a file of pairs."
        )
    if judged.n_answered < LEAST_QUERIES:
        raise InputError(
            f"{judged.n_answered} queries have a relevant document, and training takes "
            f"{LEAST_QUERIES}: half of them judge it. Give more judgements or pairs."
        )
    documents = searched_half(len(collection.documents)) if unseen is None else unseen
    held_out = np.isin(judged.document_rows, documents)
    teachable = np.unique(judged.query_rows[relevant & ~held_out])
    judging = np.unique(judged.query_rows[relevant & held_out])
    if exclude_self:
        teachable = teachable[own_rows(collection.documents, collection.queries)[teachable] < 0]
    # The drawn half is that of an adapter which learns from neighbours: joined to the grid in turn,
    # both leave out much the same queries.
    taught = np.union1d(teaching_half(teachable), np.setdiff1d(teachable, judging))
    judging = np.setdiff1d(judging, taught)
    if len(taught) < 2 or not len(judging):
        raise InputError(
            "The judged queries share so few documents that none are left to train or judge on: "
            "give more judgements or pairs."
        )
    order = np.random.default_rng(_SEED).permutation(taught)
    stopping = order[: max(1, len(order) // 4)]
    learnt = relevant & ~held_out & np.isin(judged.query_rows, taught)
    stops = np.isin(judged.query_rows, stopping)

    def pairs(chosen: np.ndarray) -> Pairs:
        return Pairs(judged.query_rows[chosen], judged.document_rows[chosen])

    return PairSplit(
        pairs(learnt & ~stops),
        pairs(learnt & stops),
        taught,
        judging,
        documents,
        judged.of_queries(judging).of_documents(documents),
    )


def train_head(
    collection: Collection,
    settings: TrainingSettings,
    *,
    k: int = 10,
    exclude_self: bool = False,
    unseen: np.ndarray | None = None,
    goes_on: Callable[[PairCheck], bool] = lambda _: True,
    on_progress: OnProgress = silent,
) -> Trained:
    """Train an adapter on judged pairs with MatryoshkaLoss, and judge it on what it has not seen.

    It starts from the principal axes of the documents that do not judge.

    Parameters
    ----------
    collection : Collection
        Documents and queries with vectors, and judgements.
    settings : TrainingSettings
        How the loss is taken.
    k : int
        Results that count.
    exclude_self, unseen
        As for `split_pairs`.
    goes_on : callable
        Told of every check of the loss; False ends the training, and the best so far is judged.
    on_progress : callable
        Told as the work goes on; what it raises stops it with nothing to show.

    Raises
    ------
    InputError
        If vectors are missing, too few queries have a relevant document, or no dim cuts something.
    """
    documents, queries = vectors_of(collection.documents), vectors_of(collection.queries)
    n_docs, full_dim = documents.shape
    if all(dim >= full_dim for dim in settings.dims):
        raise InputError(
            f"None of the dims cuts these vectors of {full_dim} dimensions: name one from 2 to "
            f"{full_dim - 1}."
        )
    split = split_pairs(collection, unseen=unseen, exclude_self=exclude_self)
    others = np.setdiff1d(np.arange(n_docs), split.documents, assume_unique=True)
    start = fit_basis("pca", documents[others], on_progress=on_progress).components
    assert start is not None  # noqa: S101 - principal axes have components
    head = Head(start, queries, documents)
    checks: list[PairCheck] = []

    def record(check: PairCheck) -> bool:
        checks.append(check)
        return goes_on(check)

    best_step, _ = train_student(head, split, settings, goes_on=record, on_progress=on_progress)
    basis = Basis("adapter", head.components, split.documents)
    verdict = judge_basis(
        collection,
        basis,
        dims=tuple(sorted({*settings.dims, full_dim})),
        taught=split.taught,
        k=k,
        excluded=own_rows(collection.documents, collection.queries) if exclude_self else None,
        teacher="pairs",
        on_progress=on_progress,
    )
    return Trained(
        basis,
        checks[0].dims,
        tuple(check.step for check in checks),
        np.array([check.losses for check in checks]),
        best_step,
        verdict,
        split.taught,
        None,
    )


def train_student(
    student: Student,
    split: PairSplit,
    settings: TrainingSettings,
    *,
    goes_on: Callable[[PairCheck], bool] = lambda _: True,
    on_progress: OnProgress = silent,
) -> tuple[int, bool]:
    """Train to the end or until stopped; the student is then as it was at its best.

    Returns
    -------
    best_step : int
        Where that is; 0 is the start.
    stopped : bool
        Whether `goes_on`, or Ctrl-C on a terminal, ended it.
    """
    best_step, stopped = 0, False
    checks = train_on_pairs(student, split.training, split.stopping, settings)
    try:
        for check in checks:
            best_step = check.best_step
            on_progress(Progress(check.step, check.n_steps, "training"))
            if not goes_on(check):
                stopped = True
                break
    except KeyboardInterrupt:
        stopped = True
    finally:
        # Closing lets the student go back to its best.
        checks.close()
    return best_step, stopped


def judge_training(
    split: PairSplit,
    compared: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    dims: Iterable[int],
    k: int = 10,
    on_progress: OnProgress = silent,
) -> TrainingVerdict:
    """Hold what was trained against the others by nDCG.

    Parameters
    ----------
    split : PairSplit
        Whose documents and queries judge.
    compared : mapping of str to pair of np.ndarray
        By name, the trained one last: (n_docs, any) and (n_queries, any) float32 vectors of those
        documents and queries.
    dims : iterable of int
        Dims to cut to.
    k : int
        Results that count.
    """
    # numba takes half a second to import, and pages that only read evaluations do without.
    from mrl_explorer.retrieval.sweep import sweep  # noqa: PLC0415

    dims = sorted(dims)
    k = min(k, len(split.documents))
    ndcg = {}
    for name, (documents, queries) in compared.items():
        rankings = sweep(
            documents, queries, [Config(dim) for dim in dims], depth=k, on_progress=on_progress
        )
        places = [rankings.place(Config(dim)) for dim in dims]
        ndcg[name] = relevance(rankings, split.judgements, Cutoff(k)).ndcg[places]
    *others, trained = ndcg
    return TrainingVerdict(
        tuple(
            TrainingRow(dim, {name: float(values[place].mean()) for name, values in ndcg.items()})
            for place, dim in enumerate(dims)
        ),
        {other: compare(ndcg[trained].mean(axis=0), ndcg[other].mean(axis=0)) for other in others},
        k,
        len(split.documents),
        len(split.queries),
    )
