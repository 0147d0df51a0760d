"""The documents listed for each query, and what any chain of stages makes of them.

A chain's answer is read off the ranked lists. It is exact where each list names enough of what its
stage is handed: whatever a list does not name ranks below all that it names. Where a list is too
short the chain is undecided for that query, until `rank_directly` has scored the candidates.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from mrl_explorer.data import Collection
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.basis import ROWS_AT_ONCE, Basis, document_mean, fit_basis, unit_rows
from mrl_explorer.retrieval.chains import MAX_STAGES, Chain
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, vectors_of
from mrl_explorer.retrieval.quantization import encode, quantization
from mrl_explorer.retrieval.query_subset import with_same_queries
from mrl_explorer.retrieval.rankings import TIE, Rankings

ZERO_PREFIX = -1e9
"""Score of a document whose prefix is all zero: below every other, and a number."""

_EXACT_IN_FLOAT32 = 2**24 // 127**2
"""Dims up to which a product of int8 codes is a whole number that float32 holds exactly."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """All documents in any list of a query, numbered from 0 by full-dimension score.

    Attributes
    ----------
    rankings : Rankings
        The lists.
    starts : np.ndarray
        (n_queries + 1,) int64: where each query's documents begin in `rows` and `scores`.
    rows, scores : np.ndarray
        (n_listed,) int32 document rows and float32 full-dimension scores, best first.
    local : np.ndarray
        (n_configs, n_queries, depth) int32: the lists as numbers; -1 where a list has ended.
    direct : mapping of Config to np.ndarray
        (n_queries, most listed) int32: every listed document in a configuration's order, from
        scoring them directly; -1 at the end.
    """

    rankings: Rankings
    starts: np.ndarray
    rows: np.ndarray
    scores: np.ndarray
    local: np.ndarray
    direct: Mapping[Config, np.ndarray] = field(default_factory=dict)

    @property
    def sizes(self) -> np.ndarray:
        """(n_queries,) documents listed."""
        return np.diff(self.starts)

    def can_rescore(self, config: Config) -> bool:
        """Tell whether a later stage can rank by it, if only for part of the queries."""
        return config in self.rankings or config in self.direct

    def truth(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Count each query's ground truth.

        Returns
        -------
        n_true, wanted : np.ndarray
            (n_queries,) int32: the documents numbered below n_true are in the top k or tie with
            its last; `wanted` of them make a recall of 1.
        """
        rankings = self.rankings
        scores = rankings.full_scores[rankings.place(rankings.baseline)]
        listed = np.isfinite(scores)
        kth = np.where(listed, scores, np.inf)[:, :k].min(axis=1)
        query_of = np.repeat(np.arange(rankings.n_queries), self.sizes)
        true = self.scores >= kth[query_of] - TIE
        n_true = np.bincount(query_of[true], minlength=rankings.n_queries)
        wanted = np.minimum(k, listed.sum(axis=1))
        return n_true.astype(np.int32), wanted.astype(np.int32)

    def found(self, k: int) -> np.ndarray:
        """Count the ground truth in every beginning of every list.

        Divided by what is wanted, this is recall after full-dimension rescoring of so many
        candidates: re-ordering them puts every true one on top.

        Returns
        -------
        np.ndarray
            (n_configs, n_queries, depth) int16: at c - 1 for the first c places.
        """
        n_true, wanted = self.truth(k)
        hits = (self.local >= 0) & (self.local < n_true[None, :, None])
        found = np.cumsum(hits, axis=2, dtype=np.int16)
        return np.minimum(found, wanted.astype(np.int16)[None, :, None], out=found)

    def recall(self, chains: Sequence[Chain]) -> np.ndarray:
        """Give recall@k of chains that all end at the same k.

        Returns
        -------
        np.ndarray
            (n_chains, n_queries) float64 in [0, 1]; NaN where the lists cannot tell.

        Raises
        ------
        InputError
            If the run does not cover a stage, or a first stage hands on more than the lists hold.
        ValueError
            If the chains end at different k.
        """
        from mrl_explorer.retrieval import chain_kernels  # noqa: PLC0415 - numba is slow to import

        n_queries = self.rankings.n_queries
        if not chains:
            return np.empty((0, n_queries))
        if len({chain.k for chain in chains}) != 1:
            raise ValueError("chains are compared at one k")
        n_true, wanted = self.truth(chains[0].k)
        sizes = self.sizes.astype(np.int32)
        lists = self._lists(chains)
        hits = np.empty((len(chains), n_queries), np.int32)

        def count(part: slice) -> None:
            chain_kernels.count_hits(part.start, part.stop, sizes, n_true, wanted, *lists, hits)  # type: ignore[call-arg]

        size = max(1, -(-n_queries // 8))
        parts = [slice(at, min(at + size, n_queries)) for at in range(0, n_queries, size)]
        with ThreadPoolExecutor() as pool:
            list(pool.map(count, parts))
        shares = hits / np.maximum(wanted, 1)
        return np.where(hits == chain_kernels.UNDECIDED, np.nan, shares)

    def results(self, chain: Chain) -> tuple[np.ndarray, np.ndarray]:
        """Give the documents that a chain returns.

        Returns
        -------
        rows, decided : np.ndarray
            (n_queries, k) int32 in the last stage's order, -1 where a list ends early; and
            (n_queries,) bool: whether the lists could tell.

        Raises
        ------
        InputError
            As for `recall`.
        """
        from mrl_explorer.retrieval import chain_kernels  # noqa: PLC0415

        numbers = np.full((self.rankings.n_queries, chain.k), -1, np.int32)
        decided = np.empty(len(numbers), bool)
        orders, offsets, widths, lists, keeps, n_stages = self._lists([chain])
        chain_kernels.list_results(
            self.sizes.astype(np.int32),
            orders,
            offsets,
            widths,
            lists[0],
            keeps[0],
            n_stages[0],
            numbers,
            decided,
        )
        places = np.minimum(self.starts[:-1, None] + numbers, len(self.rows) - 1)
        return np.where(numbers >= 0, self.rows[places], -1), decided

    def _lists(self, chains: Sequence[Chain]) -> tuple[np.ndarray, ...]:
        """Lay the lists that chains need one after another, as the kernels take them."""
        places: dict[tuple[Config, bool], int] = {}
        lists = np.zeros((len(chains), MAX_STAGES), np.int32)
        keeps = np.ones((len(chains), MAX_STAGES), np.int32)
        for number, chain in enumerate(chains):
            for at, stage in enumerate(chain.stages):
                if at == 0:
                    self._check_first(chain)
                lists[number, at] = places.setdefault((stage.config, at == 0), len(places))
                keeps[number, at] = stage.keep
        orders, offsets, widths, offset = [], [], [], 0
        for config, first in places:
            order = self._order(config, first=first)
            orders.append(order.ravel())
            offsets.append(offset)
            widths.append(order.shape[1])
            offset += order.size
        return (
            np.concatenate([*orders, np.zeros(1, np.int32)]),
            np.array(offsets, np.int64),
            np.array(widths, np.int64),
            lists,
            keeps,
            np.array([len(chain.stages) for chain in chains], np.int32),
        )

    def _check_first(self, chain: Chain) -> None:
        rankings, stage = self.rankings, chain.stages[0]
        rankings.place(stage.config)
        if stage.keep > rankings.depth and rankings.depth < rankings.n_docs:
            raise InputError(
                f"{stage.keep} candidates are more than the {rankings.depth} places of these "
                f"lists: choose fewer, or rank deeper, to {stage.keep} or more."
            )

    def _order(self, config: Config, *, first: bool) -> np.ndarray:
        """Give a stage's order of each query's documents; no columns for the ground truth's own."""
        rankings = self.rankings
        if first:
            return self.local[rankings.place(config)]
        if config == rankings.baseline or config.is_rotated_baseline(rankings.full_dim):
            return np.empty((rankings.n_queries, 0), np.int32)
        if config in self.direct:
            return self.direct[config]
        return self.local[rankings.place(config)]


def gather_candidates(rankings: Rankings) -> Candidates:
    """Collect and number the documents in any list: once for a run, then chains are look-ups."""
    from mrl_explorer.retrieval import chain_kernels  # noqa: PLC0415

    ids = rankings.ids
    counts = np.empty(rankings.n_queries, np.int64)
    chain_kernels.count_listed(ids, np.full(rankings.n_docs, -1, np.int32), counts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows = np.empty(starts[-1], np.int32)
    scores = np.empty(starts[-1], np.float32)
    local = np.empty(ids.shape, np.int32)
    scratch = np.empty(rankings.n_docs, np.int32)
    chain_kernels.number_listed(ids, rankings.full_scores, starts, scratch, rows, scores, local)
    return Candidates(rankings, starts, rows, scores, local)


def rank_directly(
    candidates: Candidates,
    configs: Sequence[Config],
    scorer: "Scorer",
    *,
    on_progress: OnProgress = silent,
) -> Candidates:
    """Rank every listed document by further configurations, by their codes.

    After this a chain whose later stages use them is decided for every query, and a later stage
    may use a configuration that the run does not cover.

    Parameters
    ----------
    configs : sequence of Config
        What later stages rank by.
    scorer : Scorer
        Of the vectors that the lists were made from.
    on_progress : callable
        Told after each configuration; what it raises stops the work.

    Raises
    ------
    InputError
        If the vectors are not those of this evaluation.
    """
    scorer.check(rankings := candidates.rankings)
    wanted = [c for c in configs if c not in candidates.direct and c != rankings.baseline]
    direct = dict(candidates.direct)
    for done, config in enumerate(wanted):
        on_progress(Progress(done, len(wanted), f"scoring candidates by {config}"))
        direct[config] = _direct_order(candidates, config, scorer)
    return replace(candidates, direct=direct)


def _direct_order(candidates: Candidates, config: Config, scorer: "Scorer") -> np.ndarray:
    rankings, sizes = candidates.rankings, candidates.sizes
    order = np.full((rankings.n_queries, int(sizes.max(initial=1))), -1, np.int32)
    in_lists = config in rankings
    scores = scorer.scores(config, candidates.starts, candidates.rows)
    for query in range(rankings.n_queries):
        own = slice(candidates.starts[query], candidates.starts[query + 1])
        best = np.lexsort((candidates.rows[own], -scores[own]))
        if in_lists:
            # The list's own places stand: so the same chain gives the same with and without this.
            head = candidates.local[rankings.place(config), query]
            head = head[head >= 0]
            best = np.concatenate([head, best[~np.isin(best, head)]])
        order[query, : sizes[query]] = best
    return order


def scorer_of(evaluation: Evaluation, collection: Collection) -> "Scorer":
    """Make what scores the documents of an evaluation, in the bases of its lists.

    Raises
    ------
    InputError
        If there are texts alone, or the collection is another.
    """
    collection = with_same_queries(collection, evaluation)
    scorer = Scorer(
        vectors_of(collection.documents), vectors_of(collection.queries), bases=evaluation.bases
    )
    scorer.check(evaluation.rankings)
    return scorer


class Scorer:
    """Scores of single documents, by the plain recipe: basis, truncate, normalise, encode.

    Parameters
    ----------
    documents, queries : np.ndarray
        (n_docs, full_dim) and (n_queries, full_dim) float, of any norm.
    bases : iterable of Basis
        Bases that are ready; any other is fitted on the documents.
    """

    def __init__(
        self, documents: np.ndarray, queries: np.ndarray, *, bases: Iterable[Basis] = ()
    ) -> None:
        self._documents, self._queries = documents, queries
        self._bases = {basis.name: basis for basis in bases}
        self._mean: np.ndarray | None = None

    def check(self, rankings: Rankings) -> None:
        """Refuse lists that were not made from these vectors.

        Raises
        ------
        InputError
            If counts or dims differ, or the best documents' scores do.
        """
        documents, queries = self._documents, self._queries
        wanted = ((rankings.n_docs, rankings.full_dim), (rankings.n_queries, rankings.full_dim))
        if (documents.shape, queries.shape) != wanted:
            raise InputError(
                f"These are {len(documents):,} documents and {len(queries):,} queries of "
                f"{documents.shape[1]} dimensions, and the evaluation has {rankings.n_docs:,} and "
                f"{rankings.n_queries:,} of {rankings.full_dim}: give the data that it was made "
                "from."
            )
        place = rankings.place(rankings.baseline)
        ids, scores = rankings.ids[place, :, 0], rankings.full_scores[place, :, 0]
        some = np.flatnonzero(ids >= 0)[:64]
        own = (unit_rows(documents[ids[some]]) * unit_rows(queries[some])).sum(axis=1)
        if np.abs(own - scores[some]).max(initial=0.0) > 1e-3:
            raise InputError(
                "These documents and queries score otherwise than in the evaluation: give the "
                "data, and name the model, that it was made from."
            )

    def scores(self, config: Config, starts: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Score each query's own documents.

        Parameters
        ----------
        starts, rows : np.ndarray
            (n_queries + 1,) where each query's part begins; (n,) document rows.

        Returns
        -------
        np.ndarray
            (n,) float64, higher is better.
        """
        used, places = np.unique(rows, return_inverse=True)
        documents, norms, zero = self._numbers(config, self._documents[used], document=True)
        queries, query_norms, _ = self._numbers(config, self._queries, document=False)
        exact = np.float32 if config.dim <= _EXACT_IN_FLOAT32 else np.float64
        scores = np.empty(len(rows))
        for query in range(len(starts) - 1):
            own = slice(starts[query], starts[query + 1])
            listed = places[own]
            products = documents[listed].astype(exact) @ queries[query].astype(exact)
            scores[own] = products / (norms[listed] * query_norms[query])
            scores[own][zero[listed]] = ZERO_PREFIX
        return scores

    def listed_scores(self, config: Config, rows: np.ndarray) -> np.ndarray:
        """Score lists of documents: (n_queries, n) rows -> the same shape, -inf where -1."""
        listed = rows >= 0
        starts = np.concatenate([[0], np.cumsum(listed.sum(axis=1))])
        scores = np.full(rows.shape, -np.inf)
        scores[listed] = self.scores(config, starts, rows[listed])
        return scores

    def encoded(
        self, config: Config, *, on_progress: OnProgress = silent
    ) -> tuple[np.ndarray, np.ndarray]:
        """Encode every document, a block at a time.

        Returns
        -------
        codes, zeros : np.ndarray
            (n_docs, ...) as `encode` gives them; (n,) rows, ascending, whose prefix is all zero.
        """
        parts, zeros = [], []
        for start in range(0, len(self._documents), ROWS_AT_ONCE):
            on_progress(Progress(start, len(self._documents), f"encoding as {config}"))
            prefixes = self._prefixes(config, self._documents[start : start + ROWS_AT_ONCE])
            parts.append(encode(quantization(config.quantization), prefixes))
            zeros.append(start + np.flatnonzero(~prefixes.any(axis=1)))
        return np.concatenate(parts), np.concatenate(zeros)

    def all_codes(self, config: Config, *, on_progress: OnProgress = silent) -> np.ndarray:
        """Encode every document: the codes alone."""
        return self.encoded(config, on_progress=on_progress)[0]

    def all_query_codes(self, config: Config) -> np.ndarray:
        """Encode every query: float32 where the query stays float."""
        prefixes = self._prefixes(config, self._queries)
        entry = quantization(config.quantization)
        return prefixes if entry.float_query else encode(entry, prefixes)

    def _prefixes(self, config: Config, vectors: np.ndarray) -> np.ndarray:
        basis = self._basis(config.basis)
        units = unit_rows(vectors)
        if quantization(config.quantization).centred:
            if self._mean is None:
                self._mean = document_mean(self._documents).astype(np.float32)
            units = units - self._mean
        cut = basis.apply(units)[:, : config.dim]
        rotation = basis.rotation(config.dim)
        return unit_rows(cut if rotation is None else cut @ rotation.T)

    def _basis(self, name: str) -> Basis:
        if name not in self._bases:
            self._bases[name] = fit_basis(name, self._documents)
        return self._bases[name]

    def _numbers(
        self, config: Config, vectors: np.ndarray, *, document: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give codes as numbers whose inner products rank, their norms, and the zero prefixes."""
        entry = quantization(config.quantization)
        prefixes = self._prefixes(config, vectors)
        zero = np.logical_not(np.any(prefixes != 0, axis=1))
        ones = np.ones(len(prefixes))
        if entry.float_query and not document:
            return prefixes, ones, zero
        if entry.scheme == "sign":
            return np.where(prefixes > 0, 1, -1).astype(np.int8), ones, zero
        codes = encode(entry, prefixes)
        if entry.scheme == "rounded":
            return codes, ones, zero
        norms = np.linalg.norm(codes.astype(np.float32), axis=1)
        return codes, np.where(norms > 0, norms, 1.0), zero
