"""Libraries that run inside a process: usearch, faiss, hnswlib.

Their sizes follow from what their sources allocate, and `benchmarks/memory.py` holds them against
real indexes. Vectors for rescoring are in a file of the user's own, which is read through a memory
map, so they take no RAM that is counted.
"""

import math
from collections.abc import Callable
from functools import lru_cache

from mrl_explorer.decide.engines.engine import (
    Encoding,
    Engine,
    Need,
    Parameter,
    bits,
    rounded_up,
)
from mrl_explorer.decide.memory import Memory, Part
from mrl_explorer.retrieval.config import Config

LINKS = 16
"""Links per node (M) where nothing else is chosen: the default of usearch and of hnswlib."""

_LINKS_HELP = (
    "Links per node on the upper levels of the graph, twice as many on the lowest. More links find "
    "more and take 8 bytes each."
)
_M = Parameter(LINKS, range(4, 129), _LINKS_HELP)
_OWN_FILE = "The full-dimension vectors are in a file of your own, read through a memory map."


def _expected(size: Callable[[int], float], links: int) -> float:
    """Average a size over the levels of an HNSW graph: level l or more has a share M^-l."""
    share = 1 - 1 / links
    # With as few as 4 links, one node in 10^7 stands above level 12.
    return sum(share * links**-level * size(level) for level in range(13))


@lru_cache(maxsize=256)
def _usearch_node(links: int) -> tuple[float, float]:
    """Average the bytes of a usearch node without its code: on disk, and in RAM."""

    def node(level: int) -> float:
        return 8 + 2 + (4 + 4 * 2 * links) + level * (4 + 4 * links)

    return _expected(node, links), _expected(lambda level: rounded_up(node(level), to=64), links)


def usearch_memory(
    config: Config, *, n_vectors: float, full_dim: int, rescore: bool, links: int = LINKS
) -> Memory:
    """Project usearch's structure for codes of any size, also of those that it cannot search.

    On disk a node is its code, an 8-byte key, 2 bytes of level (and 2 in a table of levels), a
    base list of 2M links and, on each level above, one of M; a list is a 4-byte count and 4 bytes
    a link. In RAM nodes are rounded up to 64 bytes and codes to 8, each has two pointers, and a
    table finds slots by their keys: 16 bytes and 2 bits a place, a power of two of places, at
    least 3/2 of the vectors. One that was built reserves for a power of two of vectors first.

    Parameters
    ----------
    config : Config
        What is stored.
    n_vectors : float
        Vectors in production.
    full_dim : int
        Dimensions of the float32 copy that rescoring reads.
    rescore : bool
        Whether that copy is kept, on disk; the baseline needs none beside itself.
    links : int
        M, usearch's `connectivity`.
    """
    code = config.bytes_per_vector
    is_baseline = (config.dim, config.quantization) == (full_dim, "float32")

    def table(n_keys: float) -> float:
        return 16.25 * max(64, _power_of_two(1.5 * n_keys))

    on_disk, in_ram = _usearch_node(links)
    graph = n_vectors * (on_disk + 2)
    held = n_vectors * (rounded_up(code, to=8) + 16 + in_ram)
    vectors = n_vectors * code
    ram = held + table(n_vectors)
    copy = n_vectors * 4 * full_dim if rescore and not is_baseline else 0.0
    return Memory(
        (
            Part("vectors", vectors, vectors),
            Part("graph", graph, graph),
            Part("bookkeeping", ram - vectors - graph),
            Part("rescoring", disk=copy),
        ),
        ram_built=held + table(_power_of_two(n_vectors)),
    )


def _power_of_two(number: float) -> float:
    return 2.0 ** math.ceil(math.log2(number))


def _usearch(need: Need, *, connectivity: int) -> Memory:
    return usearch_memory(
        Config(need.dim, need.quantization),
        n_vectors=need.n_vectors,
        full_dim=need.full_dim,
        rescore=need.rescore,
        links=connectivity,
    )


USEARCH = Engine(
    name="usearch",
    label="usearch",
    quantizations={
        "float32": Encoding("f32", bits(32)),
        "float16": Encoding("f16", bits(16)),
        "bfloat16": Encoding("bf16", bits(16)),
        "int8": Encoding(
            "i8",
            bits(8),
            "127 times the unit vector, cut to whole numbers: from some 256 dims on it uses few of "
            "the 256 codes and finds less than shown here.",
        ),
        "binary": Encoding("b1", bits(1)),
    },
    parameters={"connectivity": _M},
    source=(
        "Sizes of nodes, lists and tables in usearch 2.26 (index.hpp, index_dense.hpp, "
        "index_plugins.hpp): github.com/unum-cloud/usearch"
    ),
    basis="measured",
    rescoring=_OWN_FILE,
    model=_usearch,
)


def _hnswlib(need: Need, *, M: int) -> Memory:  # noqa: N803 - hnswlib's name for it
    n, links = need.n_vectors, M
    list_above = 4 + 4 * links
    above = list_above / (links - 1)
    # A label of 8 bytes, the base list, and the length of the lists above.
    graph = n * (8 + (4 + 4 * 2 * links) + 4 + above)
    # The C library hands out multiples of 16 bytes, 8 of which it keeps to itself.
    lists = _expected(
        lambda level: rounded_up(level * list_above + 8, to=16) if level else 0.0, links
    )
    # Beside the lists: a pointer to them, the level, a lock of 40 bytes; an entry of the hash table
    # of labels, 32 bytes as handed out, and its bucket, 8 to 16 bytes, as it doubles when full.
    tables = n * (8 + 4 + 40 + 32 + 12)
    # 65,536 locks of labels, whatever the size of the index.
    locks = 65_536 * 40
    ram = need.vectors + n * (8 + 4 + 4 * 2 * links) + n * lists + tables + locks
    return Memory(
        (
            Part("vectors", need.vectors, need.vectors),
            Part("graph", graph, graph),
            Part("bookkeeping", ram - need.vectors - graph),
            Part("rescoring", disk=need.full_copy),
        ),
        ram_built=ram,
    )


HNSWLIB = Engine(
    name="hnswlib",
    label="hnswlib",
    quantizations={"float32": Encoding("float32", bits(32))},
    parameters={"M": _M},
    source="Elements, lists and locks in hnswlib 0.8 (hnswalg.h): github.com/nmslib/hnswlib",
    basis="measured",
    rescoring=_OWN_FILE,
    model=_hnswlib,
)


_RETURNED = 32 * 2**20
"""The C library may keep freed blocks below this; larger ones go back to the system at once."""


def _faiss_hnsw(need: Need, *, M: int) -> Memory:  # noqa: N803 - faiss's name for it
    n = need.n_vectors
    # Links of 4 bytes without a count, the offset of a node's links, 8, and its level, 4.
    graph = n * (4 * 2 * M + 4 * M / (M - 1) + 8 + 4)
    # Adding works with the order of insertion and locks, and copies offsets and levels as their
    # arrays grow.
    freed = sum(size * n for size in (4, 4, 8, 4) if size * n < _RETURNED)
    return _faiss(need, graph=graph, freed=freed)


def _faiss_flat(need: Need) -> Memory:
    return _faiss(need, graph=0.0, freed=0.0)


def _faiss(need: Need, *, graph: float, freed: float) -> Memory:
    parts = (
        Part("vectors", need.vectors, need.vectors),
        Part("graph", graph, graph),
        Part("rescoring", disk=need.full_copy),
    )
    return Memory(parts, ram_built=need.vectors + graph + freed)


_MINMAX = "Scaled by the least and largest component of each dim, not of each vector."
_FAISS_SOURCE = "Arrays of {}: github.com/facebookresearch/faiss"


def _faiss_encodings(binary: str) -> dict[str, Encoding]:
    return {
        "float32": Encoding("Flat", bits(32)),
        "float16": Encoding("SQfp16", bits(16)),
        "bfloat16": Encoding("SQbf16", bits(16)),
        "int8": Encoding("SQ8", bits(8), _MINMAX),
        "int4": Encoding("SQ4", bits(4), f"{_MINMAX} The query stays float32."),
        "int4-floatq": Encoding("SQ4", bits(4), _MINMAX),
        "binary": Encoding(binary, bits(1), multiple=8),
    }


_FAISS_RESCORING = f"{_OWN_FILE} IndexRefineFlat would hold them in RAM instead."

FAISS_HNSW = Engine(
    name="faiss-hnsw",
    label="faiss HNSW",
    quantizations=_faiss_encodings("IndexBinaryHNSW"),
    parameters={"M": Parameter(32, range(4, 129), _LINKS_HELP)},
    source=_FAISS_SOURCE.format("HNSW in faiss 1.15 (impl/HNSW.h, IndexScalarQuantizer.h)"),
    basis="measured",
    rescoring=_FAISS_RESCORING,
    model=_faiss_hnsw,
    max_vectors=2**31 - 1,
)

FAISS_FLAT = Engine(
    name="faiss-flat",
    label="faiss flat",
    quantizations=_faiss_encodings("IndexBinaryFlat"),
    source=_FAISS_SOURCE.format("codes in faiss 1.15 (IndexFlatCodes.h)"),
    basis="measured",
    rescoring=_FAISS_RESCORING,
    model=_faiss_flat,
    max_vectors=2**63 - 1,
)
