"""Everything one could run: each configuration as it is, and rescored from ever more candidates."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mrl_explorer.decide.intervals import intervals, simultaneous_lows
from mrl_explorer.decide.retention import retention
from mrl_explorer.decide.stability import half_sums
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, recall, recall_at, relevance
from mrl_explorer.retrieval.rankings import Rankings

OVERSAMPLES = (2, 3, 4, 5, 8, 10, 20)
"""Candidates per result that a recommendation may ask for; the lists' depth bounds them."""


@dataclass(frozen=True, eq=False)
class Options:
    """Recall of everything one could run, at one k.

    What is derived from it is reckoned when it is first asked for, and kept.

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
    held_out : np.ndarray
        (n_cutoffs, n_configs) bool: where recall is held out.
    """

    evaluation: Evaluation
    cutoffs: tuple[Cutoff, ...]
    configs: tuple[Config, ...]
    recall: np.ndarray
    held_out: np.ndarray

    @property
    def k(self) -> int:
        """Results that count."""
        return self.cutoffs[0].k

    @property
    def n_queries(self) -> int:
        """Queries measured on."""
        return int(self.recall.shape[2])

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean recall: (n_cutoffs, n_configs)."""
        return self.recall.mean(axis=2)

    @cached_property
    def exact(self) -> np.ndarray:
        """Tell which options equal the baseline by construction: (n_cutoffs, n_configs) bool."""
        rankings = self.evaluation.rankings
        same = [
            config == rankings.baseline or config.is_rotated_baseline(rankings.full_dim)
            for config in self.configs
        ]
        whole = [cutoff.candidates >= rankings.n_docs for cutoff in self.cutoffs]
        return np.array(whole)[:, None] | np.array(same)[None, :]

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends of each configuration's own 95% interval without rescoring: (n_configs,) twice."""
        return self._intervals(self.recall[0], self.exact[0])

    @cached_property
    def joint_low(self) -> np.ndarray:
        """Lower ends that hold for all of these options at once: (n_cutoffs, n_configs)."""
        lows = np.ones(self.exact.shape)
        lows[~self.exact] = simultaneous_lows(self.recall[~self.exact])
        return lows

    @cached_property
    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean recall on halves of the queries: (n_splits, n_cutoffs, n_configs) twice.

        On each half and on the other; see `stability`.
        """
        ones = np.ones((1, self.n_queries))
        return _half_means(self.recall, ones, np.zeros(self.exact.shape, int))

    @cached_property
    def kept(self) -> "Kept | None":
        """What each option keeps of full dimension's nDCG; None without judgements."""
        return measure_kept(self)

    @cached_property
    def rescored(self) -> "Options":
        """These options, and each rescored from ever more candidates."""
        if len(self.cutoffs) > 1:
            return self
        rankings, k = self.evaluation.rankings, self.k
        deepest = rankings.n_docs if rankings.depth >= rankings.n_docs else rankings.depth
        more = (Cutoff(k, n, rescore=True) for n in OVERSAMPLES if n * k <= deepest)
        return _list(self.evaluation, (*self.cutoffs, *more))

    def is_confirmed(self, config: Config) -> bool:
        """Tell whether a fitted basis was measured on documents that it was not fitted on, too."""
        held_out = self.evaluation.held_out
        return (
            held_out is not None
            and config.is_fitted
            and config in held_out.rankings
            and self.k <= _deepest(held_out.rankings)
        )

    def at(self, cutoff: Cutoff) -> tuple[np.ndarray, np.ndarray]:
        """Give recall (n_configs, n_queries) at a cut-off, and where it is held out."""
        options = self.rescored if cutoff.rescore else self
        place = options.cutoffs.index(cutoff)
        return options.recall[place], options.held_out[place]

    def of(self, config: Config, cutoff: Cutoff) -> np.ndarray:
        """Give the recall of one option, per query: (n_queries,)."""
        return self.at(cutoff)[0][self.configs.index(config)]

    def is_exact(self, config: Config, cutoff: Cutoff) -> bool:
        """Tell whether an option equals the baseline by construction."""
        options = self.rescored if cutoff.rescore else self
        return bool(options.exact[options.cutoffs.index(cutoff), self.configs.index(config)])

    def measured_on(self, config: Config, cutoff: Cutoff) -> tuple[Evaluation, Cutoff]:
        """Give the lists, and the cut-off, that an option's recall is read from."""
        half = self.evaluation.half
        if half is None or not self.at(cutoff)[1][self.configs.index(config)]:
            return self.evaluation, cutoff
        answerable = [
            one
            for one in self.rescored.cutoffs
            if one.candidates <= min(cutoff.candidates, _deepest(half.rankings))
        ]
        return half, answerable[-1] if cutoff.rescore else cutoff

    def paired(
        self, one: tuple[Config, Cutoff], other: tuple[Config, Cutoff]
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Give two options' recall on the same documents, query by query.

        Where one of them is held out, both are taken of the held-out lists.

        Returns
        -------
        tuple of (n_queries,) arrays, or None
            None where the held-out lists lack one of them, or cannot answer its cut-off.
        """
        held_out = [
            bool(self.at(cutoff)[1][self.configs.index(config)]) for config, cutoff in (one, other)
        ]
        if held_out[0] == held_out[1]:
            return self.of(*one), self.of(*other)
        half = self.evaluation.half
        if half is None or any(
            config not in half.rankings or cutoff.candidates > _deepest(half.rankings)
            for config, cutoff in (one, other)
        ):
            return None
        first, second = (
            recall(half.rankings.only(config), cutoff)[-1] for config, cutoff in (one, other)
        )
        return first, second

    def interval(self, config: Config, cutoff: Cutoff) -> tuple[float, float]:
        """Give the ends of one option's own 95% interval."""
        place = self.configs.index(config)
        if not cutoff.rescore:
            return float(self.ends[0][place]), float(self.ends[1][place])
        exact = np.array([self.is_exact(config, cutoff)])
        low, high = self._intervals(self.of(config, cutoff)[None], exact)
        return float(low[0]), float(high[0])

    @staticmethod
    def _intervals(values: np.ndarray, exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = intervals(values)
        low[exact] = high[exact] = 1.0
        return low, high


@dataclass(frozen=True, eq=False)
class Kept:
    """What each option keeps of full dimension's nDCG.

    Attributes
    ----------
    share, low : np.ndarray
        (n_cutoffs, n_configs): mean and simultaneous lower end.
    held_out : np.ndarray
        (n_cutoffs, n_configs) bool: where these are held out, as in `Options`.
    ndcg : np.ndarray
        (n_cutoffs, n_configs, n_judged); 0 for a query with nothing relevant among the documents
        that the option is measured on.
    full : np.ndarray
        (2, n_judged) nDCG at full dimension, on all documents and on those held out; NaN for a
        query with nothing relevant among them.
    query_rows : np.ndarray
        (n_judged,) the judged queries.
    """

    share: np.ndarray
    low: np.ndarray
    held_out: np.ndarray
    ndcg: np.ndarray
    full: np.ndarray
    query_rows: np.ndarray

    @cached_property
    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """As of `Options`, of the share kept."""
        whole = np.nan_to_num(self.full)
        return _half_means(self.ndcg, whole, self.held_out.astype(int))


def list_options(evaluation: Evaluation, k: int) -> Options:
    """Read the recall of every configuration off the lists; see `Options.rescored` for more.

    Raises
    ------
    InputError
        If the lists cannot answer this k.
    """
    return _list(evaluation, (Cutoff(k),))


def _list(evaluation: Evaluation, cutoffs: tuple[Cutoff, ...]) -> Options:
    rankings = evaluation.rankings
    values = recall_at(rankings, cutoffs)
    held_out = _hold_out(evaluation, cutoffs, values)
    return Options(evaluation, cutoffs, rankings.configs, values, held_out)


def _half_means(
    values: np.ndarray, whole: np.ndarray, base: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Average over halves of the queries, as shares.

    Parameters
    ----------
    values : np.ndarray
        (n_cutoffs, n_configs, n).
    whole : np.ndarray
        (n_bases, n): what each is a share of.
    base : np.ndarray
        (n_cutoffs, n_configs): which of `whole`.
    """
    first, second = (
        sums.reshape(-1, *values.shape[:2]) / np.maximum(of, 1e-9)[:, base]
        for sums, of in zip(
            half_sums(values.reshape(-1, values.shape[2])), half_sums(whole), strict=True
        )
    )
    return first, second


def _deepest(held_out: Rankings) -> int:
    """Give the most candidates that held-out lists can answer for: fewer than all documents."""
    return min(held_out.depth, held_out.n_docs - 1)


def _fitted(rankings: Rankings, held_out: Rankings) -> Iterator[tuple[int, int]]:
    """Give the places, here and there, of each fitted configuration that has held-out lists."""
    for place, config in enumerate(rankings.configs):
        if config.is_fitted and config in held_out:
            yield place, held_out.place(config)


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
    answerable = [cutoff for cutoff in cutoffs if cutoff.candidates <= _deepest(lists)]
    if not answerable:
        return replaced
    answered = recall_at(lists, answerable)
    for place, own in _fitted(evaluation.rankings, lists):
        for number in range(len(cutoffs)):
            one = answered[min(number, len(answered) - 1)][own]
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
    full = np.full((2, len(rows)), np.nan)
    full[0] = ndcg[0, rankings.place(rankings.baseline)]
    held_out = _hold_out_ndcg(options, ndcg, full, rows)
    share, low = retention(ndcg.reshape(-1, len(rows)), full, held_out.astype(int).reshape(-1))
    share, low = share.reshape(options.exact.shape), low.reshape(options.exact.shape)
    return Kept(share, np.where(options.exact, share, low), held_out, ndcg, full, rows)


def _hold_out_ndcg(
    options: Options, ndcg: np.ndarray, full: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Put held-out nDCG in the place of fitted bases' own, as `_hold_out` does; tell where.

    Parameters
    ----------
    ndcg, full : np.ndarray
        As of `Kept`; filled in.
    rows : np.ndarray
        (n_judged,) the judged queries.
    """
    replaced = np.zeros(options.exact.shape, dtype=bool)
    half = options.evaluation.half
    if half is None or half.judgements is None:
        return replaced
    lists = half.rankings
    answered = [
        relevance(lists, half.judgements, cutoff)
        for cutoff in options.cutoffs
        if cutoff.candidates <= _deepest(lists)
    ]
    if not answered or not answered[0].ndcg[lists.place(lists.baseline)].any():
        return replaced
    at = np.searchsorted(rows, answered[0].query_rows)
    full[1, at] = answered[0].ndcg[lists.place(lists.baseline)]
    whole = np.nansum(full, axis=1)
    for place, own in _fitted(options.evaluation.rankings, lists):
        for number in range(len(options.cutoffs)):
            one = answered[min(number, len(answered) - 1)].ndcg[own]
            if one.sum() / whole[1] < ndcg[number, place].sum() / whole[0]:
                ndcg[number, place] = 0
                ndcg[number, place, at] = one
                replaced[number, place] = True
    return replaced
