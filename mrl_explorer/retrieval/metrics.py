"""Measures of ranked lists, per query first: means and intervals are taken of what is given here.

recall@k asks how much of the baseline's own top k a configuration finds; nDCG@k, MRR@k and
success@k ask how good a list is by human judgement. They are different questions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mrl_explorer.data import Judgements
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.rankings import TIE, Rankings


@dataclass(frozen=True, slots=True)
class Cutoff:
    """What is read off a list.

    Attributes
    ----------
    k : int
        Results shown to the user of the search.
    oversample : int
        Candidates taken per result when `rescore`, so k x oversample in all.
    rescore : bool
        Whether the candidates are re-ordered by full-dimension float32 before the cut at k.
    """

    k: int = 10
    oversample: int = 1
    rescore: bool = False

    @property
    def candidates(self) -> int:
        """How many places of a list are read."""
        return self.k * self.oversample if self.rescore else self.k


def check_cutoff(rankings: Rankings, cutoff: Cutoff) -> None:
    """Refuse a cut-off that these lists cannot answer.

    Raises
    ------
    InputError
        If k or the oversampling is below 1, k exceeds the documents, or k x oversample exceeds
        the lists' depth.
    """
    if cutoff.k < 1 or cutoff.oversample < 1:
        raise InputError(
            f"k = {cutoff.k} with an oversampling of {cutoff.oversample} leaves no results: choose "
            "1 or more for both."
        )
    if cutoff.k > rankings.n_docs:
        raise InputError(
            f"k = {cutoff.k} is larger than the corpus of {rankings.n_docs} documents: "
            f"choose k up to {rankings.n_docs}."
        )
    if cutoff.candidates > rankings.depth and rankings.depth < rankings.n_docs:
        raise InputError(
            f"{cutoff.candidates} candidates are more than the {rankings.depth} places of these "
            f"lists: choose fewer, or evaluate again with a depth of {cutoff.candidates}."
        )


def recall(rankings: Rankings, cutoff: Cutoff) -> np.ndarray:
    """Share of the baseline's top k that each configuration finds, per query.

    A document tied with the k-th of the ground truth counts as found: either would have been a
    right answer. With full-dimension rescoring this is the share among the candidates, since
    re-ordering them by the ground truth's own score puts every one of them on top.

    Returns
    -------
    np.ndarray
        (n_configs, n_queries) float64 in [0, 1].
    """
    return recall_at(rankings, (cutoff,))[0]


def recall_at(rankings: Rankings, cutoffs: Sequence[Cutoff]) -> np.ndarray:
    """Read `recall` at several cut-offs off the lists at once.

    Parameters
    ----------
    rankings : Rankings
        The lists.
    cutoffs : sequence of Cutoff
        Of one k, by ascending candidates.

    Returns
    -------
    np.ndarray
        (n_cutoffs, n_configs, n_queries) float64 in [0, 1].

    Raises
    ------
    ValueError
        If the cut-offs are of several k, or not ascending.
    """
    for cutoff in cutoffs:
        check_cutoff(rankings, cutoff)
    k = cutoffs[0].k
    ends = [min(cutoff.candidates, rankings.full_scores.shape[2]) for cutoff in cutoffs]
    if any(cutoff.k != k for cutoff in cutoffs) or ends != sorted(ends):
        raise ValueError("cut-offs are of one k, and ascend")
    truth = rankings.full_scores[rankings.place(rankings.baseline)]
    # A list that ends early (its own query left out of a tiny corpus) has fewer to find.
    wanted = np.minimum(k, np.isfinite(truth).sum(axis=1))
    # Ties stand by row, so the least of the first k need not be the last.
    kth = np.where(np.isfinite(truth), truth, np.inf)[:, :k].min(axis=1)
    found = rankings.full_scores[:, :, : ends[-1]] >= (kth - TIE)[None, :, None]
    # Each place is read once: hits between one end and the next, then their running sum.
    edges = sorted(set(ends))
    parts = np.add.reduceat(found.view(np.uint8), [0, *edges[:-1]], axis=2, dtype=np.uint32)
    hits = np.moveaxis(parts.cumsum(axis=2), 2, 0)[[edges.index(end) for end in ends]]
    return np.minimum(hits, wanted) / np.maximum(wanted, 1)


def top(rankings: Rankings, config: Config, cutoff: Cutoff) -> np.ndarray:
    """Give the first k places of one configuration, after rescoring where that is on.

    Rescored candidates of equal score stand by row.

    Returns
    -------
    np.ndarray
        (n_queries, min(k, depth)) int64: indices into that configuration's lists.
    """
    check_cutoff(rankings, cutoff)
    full = rankings.full_scores[rankings.place(config)][:, : cutoff.candidates]
    if not cutoff.rescore:
        return np.broadcast_to(np.arange(min(cutoff.k, full.shape[1])), (len(full), full.shape[1]))[
            :, : cutoff.k
        ]
    ids = rankings.ids[rankings.place(config)][:, : cutoff.candidates]
    return np.argsort(_order_keys(full, ids), axis=1)[:, : cutoff.k]


def _order_keys(scores: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Make one integer of each score and row: ascending, the best score and the lower row first.

    Sorting these takes a third of the time that `np.lexsort` does.
    """
    # The bits of a float32 ascend as its value does, those of negative ones the other way round;
    # adding 0 makes one of the two zeros.
    bits = (scores + np.float32(0)).view(np.uint32)
    descending = np.where(bits >> 31, bits, bits ^ np.uint32(0x7FFFFFFF))
    return descending.astype(np.uint64) << np.uint64(32) | ids.astype(np.uint32)


@dataclass(frozen=True, eq=False)
class Relevance:
    """Measures by judgement, per configuration and judged query.

    Attributes
    ----------
    ndcg, mrr, success : np.ndarray
        (n_configs, n_judged) float64 in [0, 1], at the cut-off's k.
    query_rows : np.ndarray
        (n_judged,) the queries that have at least one relevant document; only those count.
    """

    ndcg: np.ndarray
    mrr: np.ndarray
    success: np.ndarray
    query_rows: np.ndarray


def relevance(rankings: Rankings, judgements: Judgements, cutoff: Cutoff) -> Relevance:
    """Measure every configuration against human judgements.

    nDCG@k is the sum of gain / log2(rank + 1) over the first k, divided by the largest sum that
    the judgements allow (Jarvelin and Kekalainen 2002, with linear gain, as trec_eval has it).
    MRR@k is 1 / rank of the first relevant document within k, else 0; success@k is 1 if there
    is one. A document is relevant when its gain is above 0; one without a judgement is not.

    Returns
    -------
    Relevance
        Empty along its second axis when no query has a relevant document.
    """
    check_cutoff(rankings, cutoff)
    lists = (
        np.take_along_axis(ids, top(rankings, config, cutoff), axis=1) if cutoff.rescore else ids
        for ids, config in zip(rankings.ids, rankings.configs, strict=True)
    )
    return relevance_of(lists, judgements, n_docs=rankings.n_docs, k=cutoff.k)


def relevance_of(
    lists: Iterable[np.ndarray], judgements: Judgements, *, n_docs: int, k: int
) -> Relevance:
    """Measure lists against human judgements, as `relevance` does.

    Parameters
    ----------
    lists : iterable of np.ndarray
        (n_queries, at most k) document rows each, best first; -1 where a list has ended.
    n_docs : int
        Documents that the rows count.
    k : int
        Places that count.
    """
    gains = _Gains(judgements, n_docs)
    rows = gains.judged_queries
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = gains.ideal(k) @ discounts
    ndcg, mrr, success = [], [], []
    for ids in lists:
        found = gains.of(rows, ids[rows, :k])
        relevant = found > 0
        ndcg.append(found @ discounts[: found.shape[1]] / ideal)
        success.append(relevant.any(axis=1))
        mrr.append(success[-1] / (relevant.argmax(axis=1) + 1))
    return Relevance(np.array(ndcg), np.array(mrr), np.array(success, float), rows)


class _Gains:
    """Gains by query and document, looked up by the million."""

    def __init__(self, judgements: Judgements, n_docs: int) -> None:
        self._n_docs = n_docs
        keys = judgements.query_rows.astype(np.int64) * n_docs + judgements.document_rows
        order = np.argsort(keys)
        # Less than not relevant is not relevant, as trec_eval has it.
        gains = np.maximum(judgements.gains, 0).astype(np.float64)
        self._keys, self._gains = keys[order], gains[order]
        relevant = judgements.gains > 0
        self.judged_queries = np.unique(judgements.query_rows[relevant])
        self._is_judged = np.zeros(n_docs, dtype=bool)
        self._is_judged[judgements.document_rows] = True

    def of(self, query_rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Give the gain of each listed document: (n, k) rows -> (n, k); 0 where unjudged."""
        gains = np.zeros(ids.shape)
        # Few documents are judged for any query: only these are looked for.
        rows, places = np.nonzero(self._is_judged[ids] & (ids >= 0))
        wanted = query_rows[rows].astype(np.int64) * self._n_docs + ids[rows, places]
        found = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        gains[rows, places] = np.where(self._keys[found] == wanted, self._gains[found], 0.0)
        return gains

    def ideal(self, k: int) -> np.ndarray:
        """Give each judged query's k largest gains, descending, padded with 0."""
        queries = self._keys // self._n_docs
        order = np.lexsort((-self._gains, queries))
        queries, gains = queries[order], self._gains[order]
        # Place among its own query's, whose first one searchsorted finds.
        places = np.arange(len(queries)) - np.searchsorted(queries, queries)
        kept = (places < k) & np.isin(queries, self.judged_queries)
        best = np.zeros((len(self.judged_queries), k))
        best[np.searchsorted(self.judged_queries, queries[kept]), places[kept]] = gains[kept]
        return best


def tied_at_k(rankings: Rankings, config: Config, k: int) -> np.ndarray:
    """Count, per query, the listed documents that score as the k-th one does.

    Binary codes tie in crowds; which of the tied are shown is then down to their order in the
    file. A count that reaches the end of the list is a lower bound.

    Returns
    -------
    np.ndarray
        (n_queries,) int64.
    """
    scores = rankings.scores[rankings.place(config)]
    kth = scores[:, min(k, scores.shape[1]) - 1][:, None]
    kth = np.where(np.isfinite(kth), kth, np.inf)  # a list that has ended ties with nothing
    return (np.abs(scores - kth) <= TIE).sum(axis=1)
