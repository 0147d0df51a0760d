"""LanceDB: inverted lists (IVF) over a table on disk.

The lists are read from disk and kept in the cache of the index once they have been searched. What
is projected as RAM is the cache that holds all of them.
"""

import math

from mrl_explorer.decide.engines.engine import Encoding, Engine, Need, Parameter, bits
from mrl_explorer.decide.memory import Memory, Part

_FILE_ROWS = 2**20
"""Rows of one file of a table; an address is the file's number, then 32 bits for the row."""


def _lancedb(need: Need, *, num_partitions: int) -> Memory:
    n = need.n_vectors
    centres = (num_partitions or math.isqrt(math.ceil(n))) * 4 * need.dim
    # The address of a row is 8 bytes in RAM; on disk it is packed to the bits that it needs.
    packed = n * _address_bits(n) / 8
    # The table keeps the vectors as they were given. Rescoring reads this column (refine_factor),
    # or, when dims are cut, one more.
    return Memory(
        (
            Part("vectors", need.vectors, need.vectors),
            Part("graph", n * 8 + centres, packed + centres),
            Part("originals", disk=need.kept_originals),
            Part("rescoring", disk=need.full_copy_beside_originals),
        )
    )


def _address_bits(n_rows: float) -> int:
    if n_rows <= _FILE_ROWS:
        return max(1, math.ceil(math.log2(n_rows)))
    return 32 + math.ceil(math.log2(n_rows / _FILE_ROWS))


_ROTATED = "Rotated first (RaBitQ), with {} factors of 4 bytes a vector; the query stays float32."

LANCEDB = Engine(
    name="lancedb",
    label="LanceDB",
    quantizations={
        "float32": Encoding("IVF_FLAT", bits(32)),
        "int8": Encoding("IVF_SQ", bits(8), "Scaled by one range for all components."),
        "int4-floatq": Encoding(
            "IVF_RQ, num_bits 4", bits(4, extra=20), _ROTATED.format(5), multiple=8
        ),
        "binary-floatq": Encoding(
            "IVF_RQ, num_bits 1", bits(1, extra=12), _ROTATED.format(3), multiple=8
        ),
    },
    parameters={
        "num_partitions": Parameter(
            0,
            range(2**20 + 1),
            "Lists, each with a centre in float32; 0 is LanceDB's default, the square root of the "
            "number of vectors.",
        )
    },
    source=(
        "Columns of the index files and cache of LanceDB 0.40 (Lance's IVF_FLAT, IVF_SQ, IVF_RQ: "
        "github.com/lance-format/lance). RAM: the cache with every list in it"
    ),
    basis="measured",
    rescoring=(
        "The table keeps the vectors on disk, and a search reads them with refine_factor; where "
        "dims are cut, a second column holds the full ones."
    ),
    model=_lancedb,
    max_vectors=2**63 - 1,
)
