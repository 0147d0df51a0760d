"""A chain as a search engine runs it, one query at a time, to be timed."""

import copy
import time
from typing import Any

import numpy as np

from mrl_explorer.progress import OnProgress, silent
from mrl_explorer.retrieval.candidates import Scorer
from mrl_explorer.retrieval.chains import Chain
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.hnsw import Graph, check_indexed, kernel_of, search_graph
from mrl_explorer.retrieval.quantization import quantization


class StagedSearch:
    """Codes of every stage in memory, and a search that runs stage after stage.

    The first stage is usearch's: its exact search over all codes, or a graph (see `through`).
    Later stages gather the codes of what they are handed and score them with numpy. Vectors that
    production would read from disk are in memory here.

    Parameters
    ----------
    chain : Chain
        The stages; the first one's codes must be of a kind that usearch searches.
    scorer : Scorer
        Of the documents and queries.

    Raises
    ------
    InputError
        If usearch does not search the first stage's codes.
    """

    def __init__(
        self,
        chain: Chain,
        scorer: Scorer,
        *,
        on_progress: OnProgress = silent,
    ) -> None:
        check_indexed(chain.stages[0].config)
        self.chain = chain
        self._graph: Graph | None = None
        self._ef_search = 0
        configs = [stage.config for stage in chain.stages]
        self._codes = [scorer.all_codes(c, on_progress=on_progress) for c in configs]
        self._queries = [scorer.all_query_codes(config) for config in configs]
        self._exact = _ExactSearch(configs[0], self._codes[0])

    def through(self, graph: Graph, *, ef_search: int) -> "StagedSearch":
        """Give the same search, its first stage through a graph; codes are shared."""
        other = copy.copy(self)
        other._graph, other._ef_search = graph, ef_search
        return other

    def search(self, query: int) -> tuple[np.ndarray, list[float]]:
        """Search for one query.

        Returns
        -------
        rows : np.ndarray
            (k,) document rows, best first.
        seconds : list of float
            What each stage took.
        """
        start = time.perf_counter()
        rows = self._first(query)
        seconds = [time.perf_counter() - start]
        for place, stage in enumerate(self.chain.stages[1:], start=1):
            start = time.perf_counter()
            scores = _scores(stage.config, self._codes[place][rows], self._queries[place][query])
            rows = rows[np.argsort(-scores, kind="stable")[: stage.keep]]
            seconds.append(time.perf_counter() - start)
        return rows, seconds

    def search_all(self, *, threads: int) -> float:
        """Search for every query with so many threads, 0 for all; give the seconds it took.

        The first stage runs as one batch, the later ones query by query.
        """
        start = time.perf_counter()
        stage = self.chain.stages[0]
        codes = self._queries[0]
        if self._graph is not None:
            handed = search_graph(
                self._graph, codes, count=stage.keep, ef_search=self._ef_search, threads=threads
            )
        else:
            handed = self._exact.search(codes, stage.keep, threads=threads)
        for place, later in enumerate(self.chain.stages[1:], start=1):
            kept = []
            for query, rows in enumerate(handed):
                scores = _scores(
                    later.config, self._codes[place][rows], self._queries[place][query]
                )
                kept.append(rows[np.argsort(-scores, kind="stable")[: later.keep]])
            handed = np.array(kept)
        return time.perf_counter() - start

    @property
    def n_queries(self) -> int:
        """Queries that can be searched for."""
        return len(self._queries[0])

    def _first(self, query: int) -> np.ndarray:
        keep = self.chain.stages[0].keep
        code = self._queries[0][query : query + 1]
        if self._graph is None:
            return self._exact.search(code, keep, threads=1)[0]
        found = search_graph(self._graph, code, count=keep, ef_search=self._ef_search, threads=1)[0]
        return found[found >= 0]


class _ExactSearch:
    """usearch's exact search over all codes."""

    def __init__(self, config: Config, codes: np.ndarray) -> None:
        from usearch.compiled import MetricKind, ScalarKind  # noqa: PLC0415
        from usearch.index import search  # noqa: PLC0415

        dtype, metric = kernel_of(config)
        self._search: Any = search
        self._dtype = ScalarKind.B1 if dtype == "b1" else None
        self._metric = {
            "ip": MetricKind.IP,
            "cos": MetricKind.Cos,
            "hamming": MetricKind.Hamming,
        }[metric]
        # float16 is searched as float16, half the bytes; for bfloat16 numpy has no type.
        self._type = np.float16 if dtype == "f16" else codes.dtype
        self._codes = np.ascontiguousarray(codes, dtype=self._type)

    def search(self, codes: np.ndarray, count: int, *, threads: int) -> np.ndarray:
        """Search: (n_queries, ...) codes -> (n_queries, count) rows."""
        found = self._search(
            self._codes,
            codes.astype(self._type, copy=False),
            min(count, len(self._codes)),
            self._metric,
            exact=True,
            threads=threads,
            dtype=self._dtype,
        )
        return np.atleast_2d(found.keys).astype(np.int64)


def _scores(config: Config, codes: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Score candidates' codes, higher is better: (n, ...) and one query's code -> (n,)."""
    entry = quantization(config.quantization)
    if entry.scheme == "sign":
        if not entry.float_query:
            return -np.bitwise_count(codes ^ query).sum(axis=1).astype(np.float32)
        signs = np.unpackbits(codes, axis=1, count=config.dim).astype(np.float32)
        # q . (+1 or -1) = 2 q . bit - sum q: the sum is the same for every document.
        return signs @ query
    if entry.scheme == "integer":
        numbers = codes.astype(np.float32)
        norms = np.sqrt(np.einsum("ij,ij->i", numbers, numbers))
        return numbers @ query.astype(np.float32) / np.maximum(norms, 1)
    return codes @ query
