"""Size of real indexes on disk and in RAM, beside what the product projects.

From the project's folder: `python -m benchmarks.memory` or `python benchmarks/memory.py`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import indexes
from benchmarks.process import give_back_freed, resident_bytes, run_child
from mrl_explorer.decide.engines import ENGINES
from mrl_explorer.decide.memory import Memory
from mrl_explorer.retrieval.config import Config

CONFIGS = {
    "usearch": (
        *("64d float32", "256d float32", "256d float16", "64d int8", "768d int8"),
        *("64d binary", "256d binary", "1024d binary"),
    ),
    "faiss-hnsw": (
        *("64d float32", "256d float32", "256d float16", "256d int8", "256d int4"),
        *("256d binary", "1024d binary"),
    ),
    "faiss-flat": ("256d float32", "256d float16", "256d int8", "768d int4", "1024d binary"),
    "hnswlib": ("64d float32", "256d float32", "768d float32"),
    "lancedb": (
        *("256d float32", "256d int8", "768d int8", "256d int4-floatq"),
        *("256d binary-floatq", "1024d binary-floatq"),
    ),
    "pgvector": (
        *("64d float32", "256d float32", "768d float32", "1536d float32"),
        *("256d float16", "1024d float16", "256d binary", "1024d binary"),
    ),
}
LINKS = 16
_LIMITS = {"lancedb": 0.10, "pgvector": 0.10}
_LIMIT_DISK, _LIMIT_RAM = 0.05, 0.10
_WARM_UP = 2000

# Freed memory that the C library keeps in an arena per thread is not the index's.
_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}


def _config(text: str) -> Config:
    dim, quantization = text.split("d ")
    return Config(int(dim), quantization)


def _project(engine: str, config: Config, n_vectors: int) -> Memory:
    links = {
        "usearch": {"connectivity": LINKS},
        "pgvector": {"m": LINKS},
        "hnswlib": {"M": LINKS},
        "faiss-hnsw": {"M": LINKS},
        "lancedb": {"num_partitions": indexes.LANCE_PARTITIONS},
    }.get(engine, {})
    return ENGINES[engine].memory(
        config, n_vectors=n_vectors, full_dim=config.dim, rescore=False, **links
    )


def build(engine: str, config: Config, *, n_vectors: int, folder: Path) -> dict[str, float]:
    """Build and save an index of random vectors: its file, and how much this process grew."""
    vectors = indexes.random_vectors(config, n_vectors)
    if engine == "lancedb":
        indexes.build_lance(config, vectors[:_WARM_UP], folder / "small", "small")
        return {"disk": indexes.build_lance(config, vectors, folder / "large", "large")}
    # What a library allocates once, at its first index, is not the index's.
    small = indexes.build(engine, config, vectors[:_WARM_UP], links=LINKS)
    indexes.save(engine, config, small, folder / "small")
    before = resident_bytes()
    large = indexes.build(engine, config, vectors, links=LINKS)
    ram = resident_bytes() - before
    indexes.save(engine, config, large, folder / "large")
    return {"disk": (folder / "large").stat().st_size, "built": ram}


def load(engine: str, config: Config, *, folder: Path) -> dict[str, float]:
    """Give the growth of this process's resident memory on loading an index."""
    if engine == "lancedb":
        kept = [indexes.search_lance(config, folder / "small", "small") for _ in range(5)]
        before = resident_bytes()
        kept.append(indexes.search_lance(config, folder / "large", "large"))
        give_back_freed()
        return {"ram": resident_bytes() - before}
    kept = [indexes.load(engine, config, folder / "small")]
    before = resident_bytes()
    kept.append(indexes.load(engine, config, folder / "large"))
    return {"ram": resident_bytes() - before}


def measure(engine: str, configs: Iterable[Config], n_vectors: int) -> Iterator[dict[str, float]]:
    """Give the sizes of each configuration, each measured in processes of its own."""
    if engine == "pgvector":
        from benchmarks import postgres

        with postgres.server() as server:
            for config in configs:
                yield postgres.measure(server, config, n_vectors=n_vectors, links=LINKS)
        return
    for config in configs:
        with tempfile.TemporaryDirectory() as folder:
            common = (engine, config.dim, config.quantization, folder)
            sizes = run_child("memory", "--build", *common, "--vectors", n_vectors)
            # A process that built the index holds freed memory that a loaded one could take over.
            sizes |= run_child("memory", "--load", *common, environment=_ONE_ARENA)
        yield sizes


def report(engine: str, *, n_vectors: int) -> bool:
    """Print an engine's sizes per vector, measured and projected; tell whether all are near."""
    configs = [_config(text) for text in CONFIGS[engine]]
    near = True
    for config, sizes in zip(configs, measure(engine, configs, n_vectors), strict=True):
        projected = _project(engine, config, n_vectors)
        cells = []
        for name, expected, limit in (
            ("disk", projected.disk, _LIMITS.get(engine, _LIMIT_DISK)),
            ("ram", projected.ram, _LIMIT_RAM),
            ("built", projected.ram_built, _LIMIT_RAM),
        ):
            if expected is None or name not in sizes:
                cells.append(f"{'':>9} {'':>9} {'':>6} ")
                continue
            ratio = expected / sizes[name]
            near &= abs(ratio - 1) <= limit
            mark = " " if abs(ratio - 1) <= limit else "!"
            cells.append(
                f"{sizes[name] / n_vectors:>9.1f} {expected / n_vectors:>9.1f} {ratio:>6.3f}{mark}"
            )
        print(f"{engine:11} {config!s:20} {' '.join(cells)}", flush=True)
    return near


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument("--vectors", type=int, default=80_000)
    parser.add_argument("--vectors-lance", type=int, default=200_000)
    parser.add_argument("--vectors-postgres", type=int, default=20_000)
    parser.add_argument("--build", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--load", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if child := options.build or options.load:
        engine, dim, quantization, folder = child
        config = Config(int(dim), quantization)
        if options.build:
            sizes = build(engine, config, n_vectors=options.vectors, folder=Path(folder))
        else:
            sizes = load(engine, config, folder=Path(folder))
        print(json.dumps(sizes))
        return
    print("Bytes a vector; ratio = projected / measured, ! where it is outside the limit.")
    print(f"{'':32} {'on disk':>26}  {'RAM, loaded':>26}  {'RAM, built':>26}")
    columns = f"{'measured':>9} {'projected':>9} {'ratio':>6} "
    print(f"{'engine':11} {'configuration':20} {columns} {columns} {columns}")
    # LanceDB's fixed costs need many vectors to be small beside them; Postgres builds slowly.
    others = {"lancedb": options.vectors_lance, "pgvector": options.vectors_postgres}
    near = [
        report(engine, n_vectors=others.get(engine, options.vectors)) for engine in options.engines
    ]
    sys.exit(0 if all(near) else 1)


if __name__ == "__main__":
    main()
