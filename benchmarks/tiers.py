"""Time to plan tiers once lists exist, and to build a graph beside usearch called directly.

From the project's folder: `python -m benchmarks.tiers` or `python benchmarks/tiers.py`.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from usearch.index import Index

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import machine_seconds
from benchmarks.sweep import QUIET_CORES, configurations
from benchmarks.synthetic import DEPTH, clustered
from mrl_explorer.decide.funnels import Aim, plan
from mrl_explorer.progress import Progress
from mrl_explorer.retrieval.candidates import Scorer, gather_candidates
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.hnsw import GraphSettings, build_graph, kernel_of
from mrl_explorer.retrieval.sweep import sweep

TARGET_SECONDS = 2.0
TARGET_CHAINS = 1000
TARGET_RATIO = 1.1
AIMS = (
    Aim(min_recall=0.99),
    Aim(min_recall=0.95, sure=True),
    Aim(min_recall=0.9, objective="bytes"),
    # Nothing reads so little with two stages, so chains of more are run until the limit.
    Aim(min_recall=0.95, max_disk_reads=12),
)
GRAPHS = (Config(256, "int8"), Config(256, "binary"), Config(128, "float32"))


def measure_planning(documents: np.ndarray, queries: np.ndarray, *, rounds: int) -> None:
    """Print seconds of planning, gathering the candidates included."""
    rankings = sweep(documents, queries, configurations(documents.shape[1]), depth=DEPTH)
    # Compiles, which happens once on a machine.
    plan(gather_candidates(rankings), AIMS[-1])
    print(f"{len(rankings.configs)} configurations; seconds with gathering, chains considered")
    slowest, fewest = 0.0, 10**9
    for aim in AIMS:
        seconds, n_considered = [], 0
        for _ in range(rounds):
            start = time.perf_counter()
            found = plan(gather_candidates(rankings), aim)
            seconds.append(time.perf_counter() - start)
            n_considered = found.n_considered
        chosen = "none" if found.chosen is None else str(found.chosen.chain)
        print(
            f"  recall {aim.min_recall:.3f}, by {aim.objective:5} {median(seconds):6.2f} s "
            f"{n_considered:>7,}  {chosen}",
            flush=True,
        )
        slowest, fewest = max(slowest, median(seconds)), min(fewest, n_considered)
    met = slowest < TARGET_SECONDS and fewest >= TARGET_CHAINS
    print(
        f"slowest {slowest:.2f} s over at least {fewest:,} chains, target under "
        f"{TARGET_SECONDS:g} s over {TARGET_CHAINS:,}: {'met' if met else 'missed'}"
    )


class Stopwatch:
    """Seconds, processor seconds, and the cores that other processes used, since it was made."""

    def __init__(self) -> None:
        self._start = self._now()

    @staticmethod
    def _now() -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), machine_seconds()

    def read(self) -> tuple[float, float, float]:
        """Give the three."""
        seconds, processor, machine = (
            now - then for now, then in zip(self._now(), self._start, strict=True)
        )
        return seconds, processor, max(0.0, machine - processor) / seconds


def measure_building(documents: np.ndarray, *, rounds: int) -> None:
    """Print the time of building a graph as a multiple of usearch's own, in turn."""
    scorer = Scorer(documents, documents[:1])
    settings = GraphSettings()
    for config in (config for config in GRAPHS if config.dim <= documents.shape[1]):
        codes = scorer.all_codes(config)
        dtype, metric = kernel_of(config)

        def direct(
            codes=codes, config=config, dtype=dtype, metric=metric
        ) -> tuple[float, float, float]:
            index = Index(
                ndim=config.dim,
                metric=metric,
                dtype=dtype,
                connectivity=settings.links,
                expansion_add=settings.ef_construction,
            )
            watch = Stopwatch()
            index.add(np.arange(len(codes)), codes)
            return watch.read()

        def own(codes=codes, config=config) -> tuple[float, float, float]:
            built: list[tuple[float, float, float]] = []

            def listen(progress: Progress) -> None:
                # What comes after the graph is built is no part of building it.
                if progress.what.startswith("measuring"):
                    built.append(watch.read())

            watch = Stopwatch()
            build_graph(codes, config, settings, on_progress=listen)
            return built[0]

        seen, quiet = [], []
        for number in range(rounds):
            # In turn first: what runs second finds the memory warm.
            if number % 2:
                alone, built = direct(), own()
            else:
                built, alone = own(), direct()
            row = (alone[0], built[0] / alone[0], built[1] / alone[1])
            seen.append(row)
            if max(alone[2], built[2]) <= QUIET_CORES:
                quiet.append(row)
        counted = quiet or seen
        seconds, ratio, processor = map(median, zip(*counted, strict=True))
        ratios = [one for _, one, _ in counted]
        verdict = "met" if ratio <= TARGET_RATIO else "missed"
        print(
            f"  {config!s:14} {seconds:6.2f} s by usearch alone; ratio {ratio:.3f} "
            f"({min(ratios):.3f} to {max(ratios):.3f}), of processor time {processor:.3f}; "
            f"target at most {TARGET_RATIO}: {verdict} "
            f"({f'{len(quiet)} of {rounds} rounds count' if quiet else 'THE MACHINE WAS BUSY'})",
            flush=True,
        )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--dim", type=int, default=768, help="dimensions of the vectors")
    parser.add_argument("--graph-documents", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    documents, queries = clustered(
        n_docs=options.documents, n_queries=options.queries, full_dim=options.dim
    )
    print(f"{options.documents} x {options.dim} documents, {options.queries} queries")
    measure_planning(documents, queries, rounds=options.rounds)
    print(f"building graphs of {options.graph_documents} documents")
    measure_building(documents[: options.graph_documents], rounds=options.rounds)


if __name__ == "__main__":
    main()
