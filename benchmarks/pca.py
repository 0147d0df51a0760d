"""Time to fit principal axes as a multiple of scikit-learn's fastest exact solver.

From the project's folder: `python -m benchmarks.pca` or `python benchmarks/pca.py`.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sklearn.decomposition import PCA

from benchmarks.synthetic import clustered
from mrl_explorer.retrieval.basis import fit_basis, unit_rows

TARGET_RATIO = 2.0


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Read the options, measure, and hold the ratio against its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=1536)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    documents, _ = clustered(n_docs=options.documents, n_queries=1, full_dim=options.dim)
    unit = unit_rows(documents)

    def library() -> PCA:
        return PCA(svd_solver="covariance_eigh").fit(unit)

    def product() -> np.ndarray:
        return fit_basis("pca", documents).components

    # The first axes, whose variances lie apart, have to be the same up to their sign.
    agreement = np.abs((library().components_[:5] * product()[:5]).sum(axis=1))
    print(f"first axes agree to {1 - agreement.min():.1e}")
    ratios = []
    for _ in range(options.rounds):
        theirs, ours = seconds(library), seconds(product)
        ratios.append(ours / theirs)
        print(f"scikit-learn {theirs:.1f} s, product {ours:.1f} s: {ratios[-1]:.2f}")
    met = "met" if median(ratios) <= TARGET_RATIO else "missed"
    print(f"median {median(ratios):.2f} (target at most {TARGET_RATIO:g}: {met})")


if __name__ == "__main__":
    main()
