"""Where quality is lost: at full dimension already, in which queries, and by what."""

from dataclasses import dataclass

import numpy as np

from mrl_explorer.data import Judgements
from mrl_explorer.decide.pairs import MARGIN, Pair, compare
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance

LOW_NDCG = 0.3
"""Mean nDCG@10 below which full dimension itself is called weak. Models that lead public
collections average .5 on BEIR (jina-embeddings-v3 .509, arXiv 2510.19340)."""

MANY_FAILED = 0.05
"""Share of judged queries without a relevant result that makes tuning the smaller problem."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Whether tuning dims and quantization is the thing to do.

    Attributes
    ----------
    k : int
        Results that count.
    n_judged : int
        Judged queries; 0 without judgements, and then nothing else is known.
    ndcg : float or None
        Mean nDCG@k at full dimension.
    failed : tuple of int
        Queries for which full dimension shows nothing relevant, by row.
    n_hopeless : int
        Of these, the ones for which no configuration does.
    """

    k: int
    n_judged: int
    ndcg: float | None
    failed: tuple[int, ...]
    n_hopeless: int = 0

    @property
    def weak(self) -> bool:
        """Whether the page should warn before anything else."""
        if self.ndcg is None:
            return False
        return self.ndcg < LOW_NDCG or len(self.failed) >= MANY_FAILED * self.n_judged


def worth_tuning(evaluation: Evaluation, k: int) -> Worth:
    """Look at full dimension, and at what else helps where it fails.

    Raises
    ------
    InputError
        If the lists cannot answer this k.
    """
    if evaluation.judgements is None:
        return Worth(k, 0, None, ())
    rankings = evaluation.rankings.only()
    measured = relevance(rankings, evaluation.judgements, Cutoff(k))
    if not len(measured.query_rows):
        return Worth(k, 0, None, ())
    place = rankings.place(rankings.baseline)
    failed = measured.query_rows[measured.success[place] == 0]
    return Worth(
        k,
        len(measured.query_rows),
        float(measured.ndcg[place].mean()),
        tuple(int(row) for row in failed),
        _count_hopeless(evaluation, failed, k),
    )


def _count_hopeless(evaluation: Evaluation, failed: np.ndarray, k: int) -> int:
    """Count the queries for which no configuration shows anything relevant."""
    judged = evaluation.judgements
    if judged is None or not len(failed):
        return 0
    theirs = np.isin(judged.query_rows, failed)
    of_failed = Judgements(
        judged.name, judged.query_rows[theirs], judged.document_rows[theirs], judged.gains[theirs]
    )
    fixed = relevance(evaluation.rankings, of_failed, Cutoff(k)).success.any(axis=0)
    return int((~fixed).sum())


@dataclass(frozen=True, slots=True)
class Tail:
    """How recall spreads over the queries.

    Attributes
    ----------
    edges : tuple of float
        Bounds of the bins, ascending from 0 to 1; the last bin holds 1 alone.
    counts : tuple of int
        Queries in each bin.
    p5 : float
        Recall that 5% of the queries do not exceed.
    threshold, share_below : float
        Share of queries with a recall below a threshold.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    p5: float
    threshold: float
    share_below: float


def tail(values: np.ndarray, *, threshold: float = 0.5) -> Tail:
    """Describe the spread of per-query recall: (n_queries,) in [0, 1]."""
    edges = np.linspace(0, 1, 11)
    # A hair of slack: 0.7 as 7 hits of 10 belongs to the bin that begins there.
    bins = np.clip(np.floor(values * 10 + 1e-9).astype(int), 0, 10)
    counts = np.bincount(bins, minlength=11)
    return Tail(
        (*map(float, edges), 1.0),
        tuple(int(count) for count in counts),
        float(np.quantile(values, 0.05, method="lower")),
        threshold,
        float((values < threshold - 1e-9).mean()),
    )


@dataclass(frozen=True, slots=True)
class Losses:
    """What a configuration loses, in recall, step by step.

    Attributes
    ----------
    dims : float
        By keeping fewer dims, in float32 and the same basis.
    bits : float
        By storing them in fewer bits, after that.
    regained : float
        By rescoring; 0 without.
    remaining : float
        What is lost in the end: dims + bits - regained.
    """

    dims: float
    bits: float
    regained: float
    remaining: float


def split_loss(evaluation: Evaluation, config: Config, cutoff: Cutoff) -> Losses | None:
    """Split the loss of a configuration; None if the run lacks its dim in float32.

    Raises
    ------
    InputError
        If the lists cannot answer this cut-off.
    """
    rankings = evaluation.rankings
    uncut = Config(config.dim, "float32", config.basis)
    if uncut not in rankings or config not in rankings:
        return None
    rankings = rankings.only(uncut, config)
    plain = recall(rankings, Cutoff(cutoff.k)).mean(axis=1)
    after_dims = float(plain[rankings.place(uncut)])
    after_bits = float(plain[rankings.place(config)])
    end = float(recall(rankings, cutoff)[rankings.place(config)].mean())
    return Losses(1 - after_dims, after_dims - after_bits, end - after_bits, 1 - end)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Recall and relevance of one option, side by side.

    Attributes
    ----------
    recall : float
        Mean recall@k over all queries.
    ndcg, full_ndcg : float
        Mean nDCG@k over the judged queries, of the option and of full dimension.
    n_judged : int
        Judged queries.
    change : Pair
        nDCG of the option minus full dimension's.
    verdict : str
        "both kept", "loss without harm", "both lost", "relevance lost", "relevance gained" or
        "cannot tell".
    """

    recall: float
    ndcg: float
    full_ndcg: float
    n_judged: int
    change: Pair
    verdict: str


def agreement(
    evaluation: Evaluation, config: Config, cutoff: Cutoff, *, margin: float = MARGIN
) -> Agreement | None:
    """Hold recall and relevance against each other; None without judgements.

    Raises
    ------
    InputError
        If the lists cannot answer this cut-off.
    """
    if evaluation.judgements is None:
        return None
    rankings = evaluation.rankings.only(config)
    measured = relevance(rankings, evaluation.judgements, cutoff)
    if not len(measured.query_rows):
        return None
    # Rescoring leaves the baseline as it is.
    full = measured.ndcg[rankings.place(rankings.baseline)]
    place = rankings.place(config)
    found = float(recall(rankings, cutoff)[place].mean())
    change = compare(measured.ndcg[place], full, margin=margin)
    return Agreement(
        found,
        float(measured.ndcg[place].mean()),
        float(full.mean()),
        len(measured.query_rows),
        change,
        _agree(found, change, margin=margin),
    )


def _agree(found: float, change: Pair, *, margin: float) -> str:
    lost = found < 1 - margin
    if change.verdict == "alike":
        return "loss without harm" if lost else "both kept"
    if change.verdict == "second better":
        return "both lost" if lost else "relevance lost"
    return "relevance gained" if change.verdict == "first better" else "cannot tell"
