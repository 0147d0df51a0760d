"""Time and memory of one sweep over the whole grid, beside one faiss search of the same data.

From the project's folder: `python -m benchmarks.sweep` or `python benchmarks/sweep.py`.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import faiss
import numpy as np

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import machine_seconds, peak_resident_bytes, resident_bytes, run_child
from benchmarks.synthetic import DEPTH, QUANTIZATIONS, clustered, dims_up_to
from mrl_explorer.retrieval.config import Config, grid
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.retrieval.sweep import n_threads, sweep

TARGET_RATIO = 10
TARGET_GB = 1.0
QUIET_CORES = 0.15
"""Of a core: a round in which other processes used more does not count.

One busy process on two cores made faiss, whose threads wait for each other, four times as slow and
the sweep, whose threads take what comes, twice: the ratio of such a round flatters the sweep."""


def configurations(full_dim: int) -> tuple[Config, ...]:
    """Give the grid that is ranked: 40 cells at 768 dimensions."""
    return grid(full_dim, dims=dims_up_to(full_dim), quantizations=QUANTIZATIONS)


class Timing(NamedTuple):
    """How long something took, and how many cores other processes used meanwhile."""

    seconds: float
    others: float


def timed(work: Callable[[], object]) -> Timing:
    """Time a call."""
    machine, own, start = machine_seconds(), time.process_time(), time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    others = (machine_seconds() - machine) - (time.process_time() - own)
    return Timing(seconds, max(0.0, others) / seconds)


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

    heads = f"{'faiss s':>8} {'sweep s':>8} {'ratio':>6} {'half docs':>10} {'half queries':>13}"
    print(f"\n{'round':5} {heads}")
    rounds_seen: list[tuple[float, ...]] = []
    quiet: list[tuple[float, ...]] = []
    for number in range(1, rounds + 1):
        # All of a round run one after another, so that what else the machine does hits them alike.
        one = timed(search)
        whole = timed(lambda: rank(documents, queries))
        fewer_docs = timed(lambda: rank(half_docs, queries))
        fewer_queries = timed(lambda: rank(documents, half_queries))
        seconds = one.seconds, whole.seconds
        halves = (half.seconds / whole.seconds for half in (fewer_docs, fewer_queries))
        row = (*seconds, whole.seconds / one.seconds, *halves)
        others = max(timing.others for timing in (one, whole, fewer_docs, fewer_queries))
        rounds_seen.append(row)
        if others <= QUIET_CORES:
            quiet.append(row)
        _print_row(str(number), row, "" if others <= QUIET_CORES else f"others: {others:.1f} cores")
    counted = quiet or rounds_seen
    medians = tuple(map(median, zip(*counted, strict=True)))
    _print_row("median", medians, f"of {len(counted)} rounds")
    if not quiet:
        print("THE MACHINE WAS BUSY in every round, which flatters the ratio: do not quote it.")
    elif len(quiet) < rounds:
        print(f"{rounds - len(quiet)} rounds do not count: other processes were busy meanwhile.")
    print(f"\nsweep / faiss: {medians[2]:.2f}, {_verdict(medians[2], TARGET_RATIO)}")
    print(
        f"at half the documents {medians[3]:.2f} of the time, at half the queries "
        f"{medians[4]:.2f}; linear is about 0.5"
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


def _print_row(name: str, row: tuple[float, ...], note: str) -> None:
    one, whole, ratio, fewer_docs, fewer_queries = row
    print(
        f"{name:6} {one:>7.2f} {whole:>8.2f} {ratio:>6.2f} {fewer_docs:>10.2f} "
        f"{fewer_queries:>13.2f}  {note}",
        flush=True,
    )


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
