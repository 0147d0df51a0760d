"""Time of flat search by every quantization, beside faiss's flat index and usearch's exact search.

From the project's folder: `python -m benchmarks.flat` or `python benchmarks/flat.py`.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import faiss
import numpy as np
from usearch.index import MetricKind, search

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import machine_seconds
from benchmarks.sweep import QUIET_CORES
from benchmarks.synthetic import clustered
from mrl_explorer.retrieval.candidates import Scorer
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.flat import FlatSearch, store_codes
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.sweep import n_threads

COUNT = 100
FAISS, USEARCH = "float32 by faiss", "int8 by usearch"
SINGLE_EVERY = 10
"""Of the queries of a batch, one in so many is also searched for by itself."""

Search = Callable[[np.ndarray, int], object]
"""Takes query codes, and a number of threads."""


def faiss_search(documents: np.ndarray) -> Search:
    """Search float32 vectors by faiss."""

    def run(queries: np.ndarray, threads: int) -> None:
        faiss.omp_set_num_threads(threads)
        faiss.knn(queries, documents, COUNT, metric=faiss.METRIC_INNER_PRODUCT)

    return run


def usearch_search(codes: np.ndarray) -> Search:
    """Search int8 codes by usearch."""
    return lambda queries, threads: search(
        codes, queries, COUNT, MetricKind.Cos, exact=True, threads=threads
    )


def own_search(config: Config, scorer: Scorer) -> Search:
    """Search by this product."""
    flat = FlatSearch(config, store_codes(config, scorer))
    return lambda queries, threads: flat.search(queries, COUNT, threads=threads)


def measure(searches: dict[str, tuple[Search, np.ndarray]], *, rounds: int) -> None:
    """Print times of one query and of a batch, as multiples of faiss's and usearch's."""
    alone: dict[str, list[float]] = {name: [] for name in searches}
    together: dict[str, list[float]] = {name: [] for name in searches}
    n_quiet = 0
    for number in range(rounds + 1):
        begun = time.perf_counter(), machine_seconds() - time.process_time()
        for name, (run, queries) in searches.items():
            start = time.thread_time()
            singles = range(0, len(queries), SINGLE_EVERY)
            for query in singles:
                run(queries[query : query + 1], 1)
            single = (time.thread_time() - start) / len(singles)
            start = time.perf_counter()
            run(queries, n_threads())
            batch = (time.perf_counter() - start) / len(queries)
            # The first round compiles and warms up.
            if number:
                alone[name].append(single)
                together[name].append(batch)
        seconds = time.perf_counter() - begun[0]
        others = machine_seconds() - time.process_time() - begun[1]
        n_quiet += bool(number) and others / seconds <= QUIET_CORES
    for name in searches:
        single, batch = median(alone[name]), median(together[name])
        print(
            f"| {name} | {1e3 * single:.2f} | {single / median(alone[FAISS]):.2f} "
            f"| {single / median(alone[USEARCH]):.2f} | {1 / batch:,.0f} "
            f"| {batch / median(together[FAISS]):.2f} | {batch / median(together[USEARCH]):.2f} |"
        )
    print(f"{n_quiet} of {rounds} rounds were quiet", flush=True)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--dims", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    for dim in options.dims:
        documents, queries = clustered(
            n_docs=options.documents, n_queries=options.queries, full_dim=dim
        )
        scorer = Scorer(documents, queries)
        int8 = Config(dim, "int8")
        searches = {
            FAISS: (faiss_search(documents), queries),
            USEARCH: (usearch_search(scorer.all_codes(int8)), scorer.all_query_codes(int8)),
        }
        for name in QUANTIZATIONS:
            config = Config(dim, name)
            searches[name] = (own_search(config, scorer), scorer.all_query_codes(config))
        print(f"{options.documents} x {dim}, the best {COUNT}")
        print("| search | ms, 1 query, 1 thread | of faiss | of usearch ", end="")
        print("| queries/s, all threads | time of faiss | of usearch |")
        measure(searches, rounds=options.rounds)


if __name__ == "__main__":
    main()
