"""Real indexes of each engine whose memory is projected by measurement, built and loaded again."""

from pathlib import Path
from typing import Any

import numpy as np

from mrl_explorer.retrieval.config import Config

# The size of a graph does not depend on how well it is built: a list of links has a fixed length.
_EFFORT = 16
LANCE_PARTITIONS = 16

_USEARCH = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "int8": "i8", "binary": "b1"}
_FAISS = {"float32": "Flat", "float16": "SQfp16", "int8": "SQ8", "int4": "SQ4"}
_LANCE = {
    "float32": {"index_type": "IVF_FLAT"},
    "int8": {"index_type": "IVF_SQ"},
    "int4-floatq": {"index_type": "IVF_RQ", "num_bits": 4},
    "binary-floatq": {"index_type": "IVF_RQ", "num_bits": 1},
}


def random_vectors(config: Config, n_vectors: int) -> np.ndarray:
    """Give unit vectors, or packed bits for a binary configuration."""
    random = np.random.default_rng(0)
    if config.quantization == "binary":
        return random.integers(256, size=(n_vectors, config.bytes_per_vector), dtype=np.uint8)
    vectors = random.standard_normal((n_vectors, config.dim), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def build(engine: str, config: Config, vectors: np.ndarray, *, links: int) -> Any:
    """Build an index in this process."""
    if engine == "usearch":
        from usearch.index import Index, MetricKind

        index = Index(
            ndim=config.dim,
            metric=MetricKind.Hamming if config.quantization == "binary" else MetricKind.Cos,
            dtype=_USEARCH[config.quantization],
            connectivity=links,
            expansion_add=_EFFORT,
        )
        index.add(np.arange(len(vectors)), vectors)
        return index
    if engine == "hnswlib":
        import hnswlib

        index = hnswlib.Index(space="ip", dim=config.dim)
        index.init_index(max_elements=len(vectors), M=links, ef_construction=_EFFORT)
        index.add_items(vectors, np.arange(len(vectors)))
        return index
    return _build_faiss(config, vectors, links=links if engine == "faiss-hnsw" else None)


def _build_faiss(config: Config, vectors: np.ndarray, *, links: int | None) -> Any:
    import faiss

    if config.quantization == "binary":
        kind = "BFlat" if links is None else f"BHNSW{links}"
        index = faiss.index_binary_factory(config.dim, kind)
    else:
        code = _FAISS[config.quantization]
        kind = code if links is None else f"HNSW{links},{code}"
        index = faiss.index_factory(config.dim, kind, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors[:1000])
    if links is not None:
        index.hnsw.efConstruction = _EFFORT
    index.add(vectors)
    return index


def save(engine: str, config: Config, index: Any, path: Path) -> None:
    """Write an index to a file."""
    if engine == "usearch":
        index.save(path)
    elif engine == "hnswlib":
        index.save_index(str(path))
    else:
        import faiss

        write = faiss.write_index_binary if config.quantization == "binary" else faiss.write_index
        write(index, str(path))


def load(engine: str, config: Config, path: Path) -> Any:
    """Read an index from its file into RAM."""
    if engine == "usearch":
        from usearch.index import Index

        return Index.restore(path, view=False)
    if engine == "hnswlib":
        import hnswlib

        index = hnswlib.Index(space="ip", dim=config.dim)
        index.load_index(str(path))
        return index
    import faiss

    read = faiss.read_index_binary if config.quantization == "binary" else faiss.read_index
    return read(str(path))


def build_lance(config: Config, vectors: np.ndarray, folder: Path, name: str) -> int:
    """Write a LanceDB table of vectors with its index, and give the bytes of its files."""
    import lancedb
    import pyarrow as pa

    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), config.dim)
    table = lancedb.connect(folder).create_table(name, pa.table({"vector": column}))
    table.create_index(
        metric="dot",
        num_partitions=LANCE_PARTITIONS,
        sample_rate=16,
        max_iterations=5,
        **_LANCE[config.quantization],
    )
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def search_lance(config: Config, folder: Path, name: str) -> Any:
    """Search every list of a LanceDB index, and give the table, which holds what was read."""
    import lancedb

    table = lancedb.connect(folder).open_table(name)
    for query in np.random.default_rng(1).standard_normal((4, config.dim), np.float32):
        found = table.search(query).distance_type("dot").nprobes(LANCE_PARTITIONS).limit(10)
        found.select(["_distance"]).to_arrow()
    return table
