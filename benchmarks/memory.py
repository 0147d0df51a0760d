"""Size of real usearch indexes on disk and in RAM, beside what the product projects.

From the project's folder: `python -m benchmarks.memory` or `python benchmarks/memory.py`.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from usearch.index import Index, MetricKind

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import resident_bytes, run_child
from mrl_explorer.decide.memory import CONNECTIVITY, memory
from mrl_explorer.retrieval.config import Config

CONFIGS = (
    Config(256, "binary"),
    Config(64, "int8"),
    Config(256, "float32"),
    Config(768, "int8"),
)
_DTYPES = {"binary": "b1", "int8": "i8", "float32": "f32"}

# The size of a graph does not depend on how well it is built: a list of links has a fixed length.
_EXPANSION_ADD = 16


def build(config: Config, *, n_vectors: int, path: Path) -> dict[str, int]:
    """Build an index of random vectors and save it."""
    random = np.random.default_rng(0)
    if config.quantization == "binary":
        vectors = random.integers(256, size=(n_vectors, config.bytes_per_vector), dtype=np.uint8)
        metric = MetricKind.Hamming
    else:
        vectors = random.standard_normal((n_vectors, config.dim), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        metric = MetricKind.Cos
    index = Index(
        ndim=config.dim,
        metric=metric,
        dtype=_DTYPES[config.quantization],
        connectivity=CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
    )
    index.add(np.arange(n_vectors), vectors)
    index.save(path)
    return {"disk": path.stat().st_size}


def load(path: Path) -> dict[str, int]:
    """Give the growth of this process's resident memory on loading an index."""
    before = resident_bytes()
    index = Index.restore(path, view=False)
    assert index is not None
    return {"ram": resident_bytes() - before, "vectors": len(index)}


def measure(config: Config, *, n_vectors: int) -> None:
    """Print a configuration's sizes per vector, measured and projected."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.usearch"
        disk = run_child(
            "memory", "--build", config.dim, config.quantization, path, "--vectors", n_vectors
        )["disk"]
        # A process that built the index holds freed memory that the loaded one could take over.
        loaded = run_child("memory", "--load", path)
    assert loaded["vectors"] == n_vectors
    projected = memory(config, n_vectors=n_vectors, full_dim=config.dim, rescore=False)
    cells = (
        value / n_vectors
        for pair in ((disk, projected.disk), (loaded["ram"], projected.ram))
        for value in pair
    )
    disk_each, disk_projected, ram_each, ram_projected = cells
    print(
        f"{config!s:14} {config.bytes_per_vector:>5} "
        f"{disk_each:>9.1f} {disk_projected:>10.1f} {disk_projected / disk_each:>6.3f} "
        f"{ram_each:>9.1f} {ram_projected:>10.1f} {ram_projected / ram_each:>6.3f}",
        flush=True,
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--build", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        dim, quantization, path = options.build
        config = Config(int(dim), quantization)
        print(json.dumps(build(config, n_vectors=options.vectors, path=Path(path))))
    elif options.load:
        print(json.dumps(load(options.load)))
    else:
        print(
            f"usearch HNSW, M = {CONNECTIVITY}, {options.vectors} vectors; bytes a vector; "
            "ratio = projected / measured"
        )
        print(f"{'':20} {'on disk':>27} {'resident once loaded':>27}")
        measured = f"{'measured':>9} {'projected':>10} {'ratio':>6}"
        print(f"{'configuration':14} {'code':>5} {measured} {measured}")
        for config in CONFIGS:
            measure(config, n_vectors=options.vectors)


if __name__ == "__main__":
    main()
