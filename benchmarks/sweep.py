"""Time and memory of one sweep over the whole grid, beside one faiss search of the same data.

From the project's folder: `python -m benchmarks.sweep` or `python benchmarks/sweep.py`.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import faiss
import numpy as np

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import peak_resident_bytes, resident_bytes, run_child
from benchmarks.synthetic import DEPTH, QUANTIZATIONS, clustered, dims_up_to
from mrl_explorer.retrieval.config import Config, grid
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.retrieval.sweep import n_threads, sweep

TARGET_RATIO = 10
TARGET_GB = 1.0
MOST_SPREAD = 1.3
"""Slowest over fastest of the same work, beyond which other work on the machine decides."""


def configurations(full_dim: int) -> tuple[Config, ...]:
    """Give the grid that is ranked: 40 cells at 768 dimensions."""
    return grid(full_dim, dims=dims_up_to(full_dim), quantizations=QUANTIZATIONS)


def timed(work: Callable[[], object]) -> float:
    """Give the seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_time(documents: np.ndarray, queries: np.ndarray, *, rounds: int) -> None:
    """Print the seconds of search and sweep, and how the sweep grows with the data."""
    faiss.omp_set_num_threads(n_threads())
    configs = configurations(documents.shape[1])
    half_docs, half_queries = documents[: len(documents) // 2], queries[: len(queries) // 2]

    def search() -> np.ndarray:
        return faiss.knn(queries, documents, DEPTH, metric=faiss.METRIC_INNER_PRODUCT)[1]

    def rank(documents: np.ndarray, queries: np.ndarray) -> Rankings:
        return sweep(documents, queries, configs, depth=DEPTH)

    print(f"{len(configs)} cells, depth {DEPTH}, {n_threads()} threads; warming up")
    found, rankings = search(), rank(documents, queries)
    _check_agreement(found, rankings)

    print(
        f"\n{'round':>5} {'faiss s':>8} {'sweep s':>8} {'ratio':>6} {'half docs':>10} half queries"
    )
    columns: list[tuple[float, ...]] = []
    for number in range(1, rounds + 1):
        # All of a round run one after another, so that what else the machine does hits them alike.
        one = timed(search)
        whole = timed(lambda: rank(documents, queries))
        fewer_docs = timed(lambda: rank(half_docs, queries)) / whole
        fewer_queries = timed(lambda: rank(documents, half_queries)) / whole
        columns.append((one, whole, whole / one, fewer_docs, fewer_queries))
        print(
            f"{number:>5} {one:>8.2f} {whole:>8.2f} {whole / one:>6.2f} {fewer_docs:>10.2f} "
            f"{fewer_queries:.2f}",
            flush=True,
        )
    series = list(zip(*columns, strict=True))
    one, whole, ratio, fewer_docs, fewer_queries = map(median, series)
    searches, sweeps = series[:2]
    print(
        f"\nmedian ratio sweep / faiss: {ratio:.2f} ({whole:.2f} s / {one:.2f} s), "
        f"{_verdict(ratio, TARGET_RATIO)}\n"
        f"ratio of the best times: {min(sweeps) / min(searches):.2f} "
        f"({min(sweeps):.2f} s / {min(searches):.2f} s)\n"
        f"median time at half the documents: {fewer_docs:.2f} of the whole; at half the queries: "
        f"{fewer_queries:.2f} (linear is about 0.5)"
    )
    if max(map(_spread, (searches, sweeps))) > MOST_SPREAD:
        print(
            f"THE MACHINE WAS BUSY: the slowest search took {_spread(searches):.1f} times the "
            f"fastest, the slowest sweep {_spread(sweeps):.1f} times. A busy core holds faiss back "
            "more than the sweep, so these ratios flatter: run again on a quiet machine."
        )


def measure_memory(documents: np.ndarray, queries: np.ndarray) -> None:
    """Print the peak memory of a sweep beyond the corpus, measured in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "documents.npy", documents)
        np.save(Path(folder) / "queries.npy", queries)
        memory = run_child("sweep", "--child", folder)
    beyond = (memory["peak"] - memory["loaded"]) / 1e9
    print(
        f"peak memory beyond the corpus: {beyond:.2f} GB (resident {memory['loaded'] / 1e9:.2f} GB "
        f"with the corpus loaded, peak {memory['peak'] / 1e9:.2f} GB), "
        f"{_verdict(beyond, TARGET_GB, ' GB')}"
    )


def measure_own_memory(folder: Path) -> dict[str, int]:
    """Sweep once in this process, cold, so that compiled code counts as memory of the sweep."""
    documents, queries = (np.load(folder / f"{name}.npy") for name in ("documents", "queries"))
    loaded = resident_bytes()
    sweep(documents, queries, configurations(documents.shape[1]), depth=DEPTH)
    return {"loaded": loaded, "peak": peak_resident_bytes()}


def _check_agreement(found: np.ndarray, rankings: Rankings) -> None:
    """Refuse to compare the speed of two searches that do not find the same."""
    own = rankings.ids[rankings.place(rankings.baseline)]
    shared = np.mean([np.isin(a, b).mean() for a, b in zip(own, found, strict=True)])
    print(f"the sweep's baseline and faiss list the same documents: {shared:.4%}")
    assert shared > 0.999, "the sweep and faiss disagree"


def _spread(seconds: Sequence[float]) -> float:
    return max(seconds) / min(seconds)


def _verdict(value: float, target: float, unit: str = "") -> str:
    return f"target at most {target:g}{unit}: {'met' if value <= target else 'missed'}"


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--dim", type=int, default=768, help="dimensions of the vectors")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure_own_memory(options.child)))
        return
    documents, queries = clustered(
        n_docs=options.documents, n_queries=options.queries, full_dim=options.dim
    )
    print(f"{options.documents} x {options.dim} documents, {options.queries} queries")
    measure_time(documents, queries, rounds=options.rounds)
    measure_memory(documents, queries)


if __name__ == "__main__":
    main()
