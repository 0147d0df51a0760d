"""Training on judged pairs, held against the model as it was, on queries and documents unseen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrl_explorer.data import Collection, Judgements
from mrl_explorer.decide.pairs import Pair, compare
from mrl_explorer.embed.training import PairCheck, Pairs, Student, train_on_pairs
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.config import Config
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
    queries, documents : np.ndarray
        Rows that judge, ascending: neither is in a pair that is trained on or stopped by.
    judgements : Judgements
        Of these, with their places among them.
    """

    training: Pairs
    stopping: Pairs
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


def split_pairs(collection: Collection) -> PairSplit:
    """Divide judged pairs, always the same way.

    A half of the judged queries judges, an eighth tells when to stop. Documents that only these or
    those name go with them; one that both name is on the side that a seeded draw gives it, and its
    pairs with the other side are left out. Documents that no query names can be found by all that
    judge.

    Raises
    ------
    InputError
        If there are no judgements or too few of them.
    """
    judged = collection.judgements
    relevant = None if judged is None else judged.gains > 0
    if judged is None or relevant is None or not relevant.any():
        raise InputError(
            "There are no relevant documents to train on: give judgements, or a file of pairs."
        )
    query_rows, document_rows = judged.query_rows[relevant], judged.document_rows[relevant]
    queries = np.unique(query_rows)
    if len(queries) < LEAST_QUERIES:
        raise InputError(
            f"{len(queries)} queries have a relevant document, and training takes "
            f"{LEAST_QUERIES}: half of them judge it. Give more judgements or pairs."
        )
    order = np.random.default_rng(_SEED).permutation(queries)
    n_judging, n_stopping = len(order) // 2, max(1, len(order) // 8)
    judging, stopping = order[:n_judging], order[n_judging:][:n_stopping]
    n_docs = len(collection.documents)
    judges = np.isin(query_rows, judging)
    named_by_judges = np.isin(np.arange(n_docs), document_rows[judges])
    named_by_others = np.isin(np.arange(n_docs), document_rows[~judges])
    drawn = np.isin(np.arange(n_docs), searched_half(n_docs))
    unseen = ~named_by_others | (named_by_judges & drawn)
    learnt = ~judges & ~unseen[document_rows]
    stops = np.isin(query_rows, stopping)
    documents = np.flatnonzero(unseen)
    kept = np.isin(judged.query_rows, judging) & unseen[judged.document_rows] & (judged.gains > 0)
    judging = np.unique(judged.query_rows[kept])
    split = PairSplit(
        Pairs(query_rows[learnt & ~stops], document_rows[learnt & ~stops]),
        Pairs(query_rows[learnt & stops], document_rows[learnt & stops]),
        judging,
        documents,
        Judgements(
            judged.name,
            np.searchsorted(judging, judged.query_rows[kept]).astype(np.int32),
            np.searchsorted(documents, judged.document_rows[kept]).astype(np.int32),
            judged.gains[kept],
        ),
    )
    if not all(len(part) for part in (split.training.queries, split.stopping.queries, judging)):
        raise InputError(
            "The judged queries share so few documents that none are left to train or judge on: "
            "give more judgements or pairs."
        )
    return split


def train_student(
    student: Student,
    split: PairSplit,
    *,
    dims: Sequence[int],
    weights: Sequence[float] | None = None,
    n_dims_per_step: int = -1,
    batch_size: int = 64,
    n_steps: int = 400,
    on_check: Callable[[PairCheck], None] = lambda _: None,
    on_progress: OnProgress = silent,
) -> tuple[int, bool]:
    """Train to the end or until interrupted; the student is then as it was at its best.

    Returns
    -------
    best_step : int
        Where that is; 0 is the start.
    stopped : bool
        Whether Ctrl-C ended it.
    """
    best_step = 0
    checks = train_on_pairs(
        student,
        split.training,
        split.stopping,
        dims=dims,
        weights=weights,
        n_dims_per_step=n_dims_per_step,
        batch_size=batch_size,
        n_steps=n_steps,
    )
    try:
        for check in checks:
            best_step = check.best_step
            on_check(check)
            on_progress(Progress(check.step, check.n_steps, "training"))
    except KeyboardInterrupt:
        # Closing lets the student go back to its best.
        checks.close()
        return best_step, True
    return best_step, False


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
