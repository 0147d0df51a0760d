"""The usual rules of thumb on dims and quantization, tested on a run."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mrl_explorer.decide.pairs import compare
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance

HOLDS, FAILS, CANNOT_TELL = "holds here", "fails here", "cannot tell"

KEPT = 0.95
"""Share of full dimension's quality that "keeps 95%" names; below it a cut does harm."""

FREE = 0.99
"""What counts as nothing lost: all but one point."""

_OVERSAMPLE = 10
"""Candidates per result that a first pass hands on, at most."""

_FEW = 10
"""A first pass that hands on more than a tenth of all documents tells little."""

RULES = ("512", "256", "int8", "standard")
"""In this order: "512 dims keep 95%", "256 is enough for a first pass", "int8 is free", "never
truncate a standard model"."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of full dimension's quality is kept, by one measure.

    Attributes
    ----------
    measure : str
        "recall" or "nDCG".
    share, low, high : float
        Share of full dimension's mean, and its 95% interval.
    n_queries : int
        Queries that count: for nDCG the judged ones.
    verdict : str
        Of the rule by this measure: `HOLDS`, `FAILS` or `CANNOT_TELL`.
    """

    measure: str
    share: float
    low: float
    high: float
    n_queries: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule comes to on a run.

    Attributes
    ----------
    rule : str
        One of `RULES`.
    limit : float
        Share of full dimension's quality that decides.
    config : Config or None
        What was tested; None when nothing was.
    cutoff : Cutoff
        How it was read.
    instead : str
        Why that is not what the rule names: "too few dims" (the model has no more), "not in the
        run" (the nearest dim is taken); empty when it is.
    kept : tuple of Kept
        By recall, and by nDCG with judgements; empty when nothing was tested.
    why_not : str
        Why nothing was tested: "trained" (the model was trained to be cut) or "not in the run".
    """

    rule: str
    limit: float
    config: Config | None
    cutoff: Cutoff
    instead: str = ""
    kept: tuple[Kept, ...] = ()
    why_not: str = ""


def try_rules(evaluation: Evaluation, *, trained: bool, k: int = 10) -> tuple[Finding, ...]:
    """Test every rule on a run's own lists.

    A rule that promises a share of quality holds when the lower end of the paired interval over
    queries reaches that share, and fails when the upper end does not; else these queries cannot
    tell. "Never truncate" says that a cut does harm, so there it is the other way round.

    Parameters
    ----------
    evaluation : Evaluation
        What to test on.
    trained : bool
        Whether the model is said to be trained to be cut.
    k : int
        Results that count, cut to what the lists and the documents give.
    """
    rankings = evaluation.rankings
    k = min(k, rankings.n_docs, rankings.depth)
    plain = Cutoff(k)
    most = min(_OVERSAMPLE, rankings.depth // k, max(1, rankings.n_docs // (_FEW * k)))
    first_pass = Cutoff(k, most, rescore=True)
    dims = [c.dim for c in rankings.configs if c == Config(c.dim) and c.dim < rankings.full_dim]

    def test(
        rule: str, config: Config | None, cutoff: Cutoff, limit: float, instead: str = ""
    ) -> Finding:
        if config is None or config not in rankings:
            return Finding(rule, limit, None, cutoff, why_not="not in the run")
        kept = _measures(evaluation, config, cutoff, limit, harm=rule == "standard")
        return Finding(rule, limit, config, cutoff, instead, tuple(kept))

    at_512, instead_512 = _asked(512, dims, rankings.full_dim)
    at_256, instead_256 = _asked(256, dims, rankings.full_dim)
    half, _ = _asked(rankings.full_dim // 2, dims, rankings.full_dim)
    return (
        test("512", at_512, plain, KEPT, instead_512),
        test("256", at_256, first_pass, FREE, instead_256),
        test("int8", Config(rankings.full_dim, "int8"), plain, FREE),
        Finding("standard", KEPT, None, plain, why_not="trained")
        if trained
        else test("standard", half, plain, KEPT),
    )


def _asked(wanted: int, dims: list[int], full_dim: int) -> tuple[Config | None, str]:
    """Choose the dim to test: the one that is named, half of them, or the nearest in the run."""
    goal, instead = (wanted, "") if wanted < full_dim else (full_dim // 2, "too few dims")
    if not dims:
        return None, instead
    nearest = min(dims, key=lambda dim: abs(np.log(dim / goal)))
    return Config(nearest), instead or ("" if nearest == wanted else "not in the run")


def _measures(
    evaluation: Evaluation, config: Config, cutoff: Cutoff, limit: float, *, harm: bool
) -> Iterator[Kept]:
    rankings = evaluation.rankings.only(config)
    values = recall(rankings, cutoff)[rankings.place(config)]
    yield _kept("recall", values, np.ones_like(values), limit, harm=harm)
    if evaluation.judgements is None:
        return
    full = relevance(rankings, evaluation.judgements, Cutoff(cutoff.k))
    full_ndcg = full.ndcg[rankings.place(rankings.baseline)]
    if not full_ndcg.size or not full_ndcg.any():
        return
    ndcg = relevance(rankings, evaluation.judgements, cutoff).ndcg[rankings.place(config)]
    yield _kept("nDCG", ndcg, full_ndcg, limit, harm=harm)


def _kept(measure: str, values: np.ndarray, full: np.ndarray, limit: float, *, harm: bool) -> Kept:
    """Hold what is kept against a share of full dimension's, query by query."""
    pair, mean = compare(values, limit * full), float(full.mean())
    share, low, high = (limit + figure / mean for figure in (pair.difference, pair.low, pair.high))
    if pair.low >= 0:
        verdict = FAILS if harm else HOLDS
    elif pair.high < 0:
        verdict = HOLDS if harm else FAILS
    else:
        verdict = CANNOT_TELL
    # Nothing is found beyond all that full dimension finds; relevance can exceed full dimension's.
    high = min(high, 1.0) if measure == "recall" else high
    return Kept(measure, share, low, high, len(values), verdict)
