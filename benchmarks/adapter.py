"""Seconds to train an adapter and to judge it.

From the project's folder: `python -m benchmarks.adapter` or `python benchmarks/adapter.py`.
"""

import argparse
import sys
import time
from pathlib import Path

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.synthetic import clustered
from mrl_explorer.data import Collection, make_records
from mrl_explorer.decide.adapters import train_and_judge
from mrl_explorer.retrieval import adapter

TARGET_SECONDS = 180


def main() -> None:
    """Read the options, measure, and hold the time against its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--dim", type=int, default=768)
    options = parser.parse_args()
    documents, queries = clustered(
        n_docs=options.documents, n_queries=options.queries, full_dim=options.dim
    )
    collection = Collection(
        make_records(name="documents", vectors=documents),
        make_records(name="queries", vectors=queries, what="queries"),
    )
    # What is timed are all steps, also where it would stop by itself.
    adapter.PATIENCE = adapter.N_STEPS
    start = time.perf_counter()
    trained = train_and_judge(collection, dims=[32, 64, 128, 256, 512])
    seconds = time.perf_counter() - start
    met = "met" if seconds < TARGET_SECONDS else "missed"
    print(f"{trained.steps[-1]} steps and the verdict: {seconds:.0f} s", end=" ")
    print(f"(target under {TARGET_SECONDS} s: {met})")


if __name__ == "__main__":
    main()
