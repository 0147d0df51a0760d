"""Everything one could run: each configuration as it is, and rescored from ever more candidates."""

from dataclasses import dataclass

import numpy as np

from mrl_explorer.decide.intervals import intervals, simultaneous_lows
from mrl_explorer.decide.retention import retention
from mrl_explorer.decide.stability import half_sums
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, check_cutoff, recall, relevance
from mrl_explorer.retrieval.rankings import Rankings

OVERSAMPLES = (2, 3, 4, 5, 8, 10, 20)
"""Candidates per result that a recommendation may ask for; the lists' depth bounds them."""


@dataclass(frozen=True, eq=False)
class Options:
    """Recall of everything one could run, at one k.

    Attributes
    ----------
    evaluation : Evaluation
        What it is read from.
    cutoffs : tuple of Cutoff
        Without rescoring first, then by oversample.
    configs : tuple of Config
        In the order of the run.
    recall : np.ndarray
        (n_cutoffs, n_configs, n_queries): held out where the basis is fitted, the evaluation has
        such lists and they say less, since a basis fitted on the documents that it is measured on
        flatters itself.
    mean, low, high : np.ndarray
        (n_cutoffs, n_configs): mean recall and its own 95% interval.
    plain_low : np.ndarray
        (n_configs,): lower ends without rescoring that hold for all configurations at once.
    any_low : np.ndarray
        (n_cutoffs, n_configs): the same for all options at once.
    held_out : np.ndarray
        (n_cutoffs, n_configs) bool: where recall is held out.
    halves : tuple of np.ndarray
        (n_splits, n_cutoffs, n_configs) twice: mean recall on each half of the queries and on the
        other; see `stability`.
    """

    evaluation: Evaluation
    cutoffs: tuple[Cutoff, ...]
    configs: tuple[Config, ...]
    recall: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    plain_low: np.ndarray
    any_low: np.ndarray
    held_out: np.ndarray
    halves: tuple[np.ndarray, np.ndarray]

    @property
    def k(self) -> int:
        """Results that count."""
        return self.cutoffs[0].k

    @property
    def n_queries(self) -> int:
        """Queries measured on."""
        return int(self.recall.shape[2])

    def is_confirmed(self, config: Config) -> bool:
        """Tell whether a fitted basis was measured on documents that it was not fitted on, too."""
        held_out = self.evaluation.held_out
        return (
            held_out is not None
            and config.is_fitted
            and config in held_out.rankings
            and self.k <= _deepest(held_out.rankings)
        )

    def of(self, config: Config, cutoff: Cutoff) -> np.ndarray:
        """Give the recall of one option, per query: (n_queries,)."""
        return self.recall[self.cutoffs.index(cutoff), self.configs.index(config)]


@dataclass(frozen=True, eq=False)
class Kept:
    """What each option keeps of full dimension's nDCG.

    Attributes
    ----------
    share, low : np.ndarray
        (n_cutoffs, n_configs): mean and simultaneous lower end.
    ndcg : np.ndarray
        (n_cutoffs, n_configs, n_judged).
    full : np.ndarray
        (n_judged,) nDCG at full dimension.
    query_rows : np.ndarray
        (n_judged,) the judged queries.
    halves : tuple of np.ndarray
        As of `Options`, of the share kept.
    """

    share: np.ndarray
    low: np.ndarray
    ndcg: np.ndarray
    full: np.ndarray
    query_rows: np.ndarray
    halves: tuple[np.ndarray, np.ndarray]


def list_options(evaluation: Evaluation, k: int) -> Options:
    """Read the recall of every option off the lists.

    Raises
    ------
    InputError
        If the lists cannot answer this k.
    """
    rankings = evaluation.rankings
    check_cutoff(rankings, Cutoff(k))
    deepest = rankings.n_docs if rankings.depth >= rankings.n_docs else rankings.depth
    cutoffs = (
        Cutoff(k),
        *(Cutoff(k, n, rescore=True) for n in OVERSAMPLES if n * k <= deepest),
    )
    values = np.stack([recall(rankings, cutoff) for cutoff in cutoffs])
    held_out = _hold_out(evaluation, cutoffs, values)
    flat = values.reshape(-1, values.shape[2])
    exact = _is_exact(rankings, cutoffs).reshape(-1)
    low, high = intervals(flat)
    plain = np.arange(len(flat)) < len(rankings.configs)
    low[exact] = high[exact] = 1.0
    shape = values.shape[:2]
    return Options(
        evaluation,
        cutoffs,
        rankings.configs,
        values,
        values.mean(axis=2),
        low.reshape(shape),
        high.reshape(shape),
        _joint_lows(flat[plain], exact[plain]),
        _joint_lows(flat, exact).reshape(shape),
        held_out,
        _half_means(flat, shape),
    )


def _half_means(
    values: np.ndarray, shape: tuple[int, ...], whole: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Average (n_options, n_queries) over halves, as shares of `whole` (by default of 1)."""
    whole = np.ones(values.shape[1]) if whole is None else whole
    first, second = (
        sums / np.maximum(of, 1e-9)
        for sums, of in zip(half_sums(values), half_sums(whole[None]), strict=True)
    )
    return first.reshape(-1, *shape), second.reshape(-1, *shape)


def _joint_lows(values: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Bound all rows at once; those that equal the baseline by construction need no bound."""
    lows = np.ones(len(values))
    lows[~exact] = simultaneous_lows(values[~exact])
    return lows


def _is_exact(rankings: Rankings, cutoffs: tuple[Cutoff, ...]) -> np.ndarray:
    """Tell which options equal the baseline by construction: (n_cutoffs, n_configs)."""
    same = [
        config == rankings.baseline or config.is_rotated_baseline(rankings.full_dim)
        for config in rankings.configs
    ]
    whole = [cutoff.candidates >= rankings.n_docs for cutoff in cutoffs]
    return np.array(whole)[:, None] | np.array(same)[None, :]


def _deepest(held_out: Rankings) -> int:
    """Give the most candidates that held-out lists can answer for: fewer than all documents."""
    return min(held_out.depth, held_out.n_docs - 1)


def _hold_out(
    evaluation: Evaluation, cutoffs: tuple[Cutoff, ...], values: np.ndarray
) -> np.ndarray:
    """Put held-out recall in the place of fitted bases' own; tell where.

    The held-out documents are half as many. Where they are too few for so many candidates, the
    most that they can answer stands in, which more candidates would only raise. And where so many
    candidates are so large a part of them that recall is higher than on all documents, that of all
    documents stays: the lower of the two is believed.

    Returns
    -------
    np.ndarray
        (n_cutoffs, n_configs) bool.
    """
    replaced = np.zeros(values.shape[:2], dtype=bool)
    held_out = evaluation.held_out
    if held_out is None:
        return replaced
    lists = held_out.rankings
    answered = [recall(lists, cutoff) for cutoff in cutoffs if cutoff.candidates <= _deepest(lists)]
    if not answered:
        return replaced
    for place, config in enumerate(evaluation.rankings.configs):
        if not config.is_fitted or config not in lists:
            continue
        for number in range(len(cutoffs)):
            one = answered[min(number, len(answered) - 1)][lists.place(config)]
            if one.mean() < values[number, place].mean():
                values[number, place] = one
                replaced[number, place] = True
    return replaced


def measure_kept(options: Options) -> Kept | None:
    """Measure what each option keeps of full dimension's nDCG; None without judgements.

    Raises
    ------
    InputError
        If full dimension finds nothing relevant.
    """
    evaluation = options.evaluation
    if evaluation.judgements is None:
        return None
    rankings = evaluation.rankings
    measured = [relevance(rankings, evaluation.judgements, cutoff) for cutoff in options.cutoffs]
    rows = measured[0].query_rows
    if not len(rows):
        return None
    ndcg = np.stack([one.ndcg for one in measured])
    full = ndcg[0, rankings.place(rankings.baseline)]
    share, low = retention(ndcg.reshape(-1, len(rows)), full)
    exact = _is_exact(rankings, options.cutoffs)
    low = np.where(exact, share.reshape(exact.shape), low.reshape(exact.shape))
    halves = _half_means(ndcg.reshape(-1, len(rows)), exact.shape, full)
    return Kept(share.reshape(exact.shape), low, ndcg, full, rows, halves)
