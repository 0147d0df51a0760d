"""What a configuration needs in production: vectors, HNSW graph and the copy for rescoring."""

from dataclasses import dataclass

from mrl_explorer.retrieval.config import Config

CONNECTIVITY = 16
"""Links per node (M) of the graph whose size is projected: usearch's and hnswlib's default."""

RESIDENT_BYTES_PER_NODE = 109.5
"""RAM per node beyond its bytes on disk: pointers, the table of keys, unused ends of arenas.

Measured with usearch 2.26.6 on Linux as the growth of resident memory on loading an index of
100,000 to 200,000 vectors: 287 to 290 bytes a vector at 256-d binary, 322 at 64-d int8, 1,282 at
256-d float32, that is 255 to 258 beyond the code. `benchmarks/memory.py` measures it again."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of an HNSW index and of what rescoring reads.

    Attributes
    ----------
    vectors : float
        The stored codes.
    graph : float
        Links, keys and levels, as written to disk.
    bookkeeping : float
        What the graph takes in RAM beyond that: pointers and the table of keys.
    rescoring : float
        Full-dimension float32 vectors on disk, read for the candidates only; 0 without rescoring.
    """

    vectors: float
    graph: float
    bookkeeping: float
    rescoring: float

    @property
    def ram(self) -> float:
        """Bytes resident while the index serves."""
        return self.vectors + self.graph + self.bookkeeping

    @property
    def disk(self) -> float:
        """Bytes of the files."""
        return self.vectors + self.graph + self.rescoring


def memory(config: Config, *, n_vectors: float, full_dim: int, rescore: bool) -> Memory:
    """Project what `n_vectors` need in usearch's HNSW with M = 16.

    On disk a node is its code, an 8-byte key, 2 bytes of level (and 2 in a table of levels), a
    base list of 2M links and, for one node in M - 1 on average, a list of M links above; a list is
    a 4-byte count and 4 bytes a link (usearch 2.26, `index.hpp`). That is the code and 148.5
    bytes, as measured. Resident, once loaded from its file, it is the code and 258 bytes.

    Parameters
    ----------
    config : Config
        What is stored.
    n_vectors : float
        Vectors in production.
    full_dim : int
        Dimensions of the float32 copy that rescoring reads.
    rescore : bool
        Whether that copy is kept, on disk.
    """
    links = CONNECTIVITY
    base = 8 + 2 + 2 + (4 + 4 * 2 * links)
    above = (4 + 4 * links) / (links - 1)
    return Memory(
        vectors=n_vectors * config.bytes_per_vector,
        graph=n_vectors * (base + above),
        bookkeeping=n_vectors * RESIDENT_BYTES_PER_NODE,
        rescoring=n_vectors * 4 * full_dim if rescore else 0.0,
    )
