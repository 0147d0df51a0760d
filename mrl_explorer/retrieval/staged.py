"""A chain as a search engine runs it, one query at a time, to be timed."""

import copy
import time

import numpy as np

from mrl_explorer.progress import OnProgress, silent
from mrl_explorer.retrieval.candidates import Scorer
from mrl_explorer.retrieval.chains import Chain, stored_code
from mrl_explorer.retrieval.hnsw import Graph, search_graph


class StagedSearch:
    """Codes of every stage in memory, and a search that runs stage after stage.

    The first stage scores all codes, or goes through a graph (see `through`); later ones gather
    the codes of what they are handed. Vectors that production would read from disk are in memory
    here. A code that several stages read is stored once.

    Parameters
    ----------
    chain : Chain
        The stages.
    scorer : Scorer
        Of the documents and queries.
    """

    def __init__(
        self,
        chain: Chain,
        scorer: Scorer,
        *,
        on_progress: OnProgress = silent,
    ) -> None:
        # numba is slow to import, and the page that offers a measurement does not need it.
        from mrl_explorer.retrieval.flat import FlatSearch, store_codes  # noqa: PLC0415

        self.chain = chain
        self._graph: Graph | None = None
        self._ef_search = 0
        configs = [stage.config for stage in chain.stages]
        stored = {
            code: store_codes(config, scorer, on_progress=on_progress)
            for code, config in {stored_code(config): config for config in configs}.items()
        }
        self._flat = [FlatSearch(config, stored[stored_code(config)]) for config in configs]
        self._queries = [scorer.all_query_codes(config) for config in configs]

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
        (rows,) = self._first(self._queries[0][query : query + 1], threads=1)
        seconds = [time.perf_counter() - start]
        for place in range(1, len(self.chain.stages)):
            start = time.perf_counter()
            rows = self._later(place, query, rows)
            seconds.append(time.perf_counter() - start)
        return rows, seconds

    def search_all(self, *, threads: int) -> float:
        """Search for every query with so many threads, 0 for all; give the seconds it took.

        The first stage runs as one batch, the later ones query by query.
        """
        start = time.perf_counter()
        for query, rows in enumerate(self._first(self._queries[0], threads=threads)):
            handed = rows
            for place in range(1, len(self.chain.stages)):
                handed = self._later(place, query, handed)
        return time.perf_counter() - start

    @property
    def n_queries(self) -> int:
        """Queries that can be searched for."""
        return len(self._queries[0])

    def _first(self, codes: np.ndarray, *, threads: int) -> list[np.ndarray]:
        """Search all documents: for each of (n_queries, ...) its candidates' rows."""
        keep = self.chain.stages[0].keep
        if self._graph is None:
            return list(self._flat[0].search(codes, keep, threads=threads)[0])
        found = search_graph(
            self._graph, codes, count=keep, ef_search=self._ef_search, threads=threads
        )
        return [rows[rows >= 0] for rows in found]

    def _later(self, place: int, query: int, rows: np.ndarray) -> np.ndarray:
        """Re-order the (n,) rows that a stage is handed, and hand on the best."""
        keep = self.chain.stages[place].keep
        return self._flat[place].among(rows, self._queries[place][query], keep)
