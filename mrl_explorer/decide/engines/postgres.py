"""pgvector: an HNSW index and a table in Postgres, both in pages of 8 KiB.

The index has to be cached, in shared buffers or by the operating system, since a search reads pages
all over it: that is what is projected as RAM. The table is read for the results alone.
"""

import math
from functools import lru_cache

from mrl_explorer.decide.engines.engine import Encoding, Engine, Need, Parameter, bits, rounded_up
from mrl_explorer.decide.memory import Memory, Part

_PAGE = 8192
_POINTER = 4
"""Bytes of the page's own pointer to a tuple."""

_INDEX_ROOM = _PAGE - 24 - 8
"""Bytes of an index page beside its header and what pgvector notes at its end."""

_TABLE_ROOM = _PAGE - 24
_ROW = 24 + 8
"""Header of a row, and a key of 8 bytes."""

_LONGEST_ROW = 2032
"""Rows longer than this have their vector moved out (TOAST), in chunks."""

_CHUNK = 1996

_VARLENA = 8
"""Bytes before the components: length and number of dims."""


def _pgvector(need: Need, *, m: int) -> Memory:
    size = _VARLENA + need.encoding.code_bytes(need.dim)
    index = need.n_vectors * _index_bytes(size, m)
    kept_size = _VARLENA + 4 * need.full_dim if need.reads_copy else size
    table = Part(
        "rescoring" if need.reads_copy else "originals",
        disk=need.n_vectors * _table_bytes(kept_size),
    )
    return Memory(
        (
            Part("vectors", need.vectors, need.vectors),
            Part("graph", index - need.vectors, index - need.vectors),
            table,
        )
    )


@lru_cache
def _index_bytes(size: float, m: int) -> float:
    """Average bytes of index pages per vector.

    A vector is a tuple of 72 bytes and the vector, and its links are one of 4 bytes and 6 bytes a
    link: 2m on the lowest level, m on each above. Both stand on one page if they fit on one, and
    a pair that does not fit on what is left of a page begins the next.
    """
    vector = rounded_up(72 + size, to=8) + _POINTER
    links = rounded_up(4 + 6 * 2 * m, to=8) + _POINTER
    if vector + links > _INDEX_ROOM:
        return 2 * _PAGE
    level = rounded_up(6 * m, to=8)
    # The average number of pairs on a page is the sum of the chances that there are that many.
    most = int(_INDEX_ROOM // (vector + links))
    on_a_page = sum(
        _chance_of_levels(pairs, int((_INDEX_ROOM - pairs * (vector + links)) // level), m)
        for pairs in range(1, most + 1)
    )
    return _PAGE / on_a_page


def _chance_of_levels(nodes: int, most: int, m: int) -> float:
    """Give the chance that so many nodes have at most `most` levels above the lowest in all.

    A node has one more level with chance 1/m, so the sum is negative binomial.
    """
    term = (1 - 1 / m) ** nodes
    total = term
    for levels in range(1, most + 1):
        term *= (nodes + levels - 1) / levels / m
        total += term
    return min(total, 1.0)


@lru_cache
def _table_bytes(size: float) -> float:
    """Average bytes of table pages per row, of a key and a vector."""
    row = rounded_up(_ROW + size, to=8)
    if row <= _LONGEST_ROW:
        return _PAGE / (_TABLE_ROOM // (row + _POINTER))
    chunks = [min(size - 4 - start, _CHUNK) for start in range(0, math.ceil(size) - 4, _CHUNK)]
    # A row keeps a reference of 18 bytes; a chunk has 36 bytes of header, keys and length; the
    # table's index of chunks 20 bytes each, its pages filled to nine tenths.
    reference = rounded_up(_ROW + 18, to=8) + _POINTER
    entry = 20 * _PAGE / (0.9 * (_TABLE_ROOM - 16))
    placed = _placed([rounded_up(36 + chunk, to=8) + _POINTER for chunk in chunks])
    return _PAGE / (_TABLE_ROOM // reference) + placed + entry * len(chunks)


def _placed(tuples: list[int]) -> float:
    """Give the average bytes of pages per row when rows of these tuples are written in turn.

    Postgres tries the page that it wrote to last, then one of those that it found too full for an
    earlier tuple and noted in the map of free space, and only then a new one (hio.c).
    """
    rows = 400
    pages, current = 0, 0
    noted: list[int] = []
    for _ in range(rows):
        for length in tuples:
            if length > current:
                noted.append(current)
                place = next((i for i, free in enumerate(noted) if free >= length), None)
                if place is None:
                    pages, current = pages + 1, _TABLE_ROOM
                else:
                    current = noted.pop(place)
            current -= length
    return _PAGE * pages / rows


PGVECTOR = Engine(
    name="pgvector",
    label="pgvector HNSW",
    quantizations={
        "float32": Encoding(
            "vector",
            bits(32),
            max_dim=2000,
            instead="use float16 (halfvec) up to 4,000, binary (bit) up to 64,000, or ",
        ),
        "float16": Encoding(
            "halfvec", bits(16), max_dim=4000, instead="use binary (bit) up to 64,000, or "
        ),
        "binary": Encoding("bit", bits(1), max_dim=64_000),
    },
    parameters={
        "m": Parameter(
            16,
            range(4, 101),
            "Links per node on the upper levels of the graph, twice as many on the lowest, 6 bytes "
            "each.",
        )
    },
    source=(
        "Tuples and pages in pgvector 0.8 (src/hnsw.h, hnswbuild.c: github.com/pgvector/pgvector) "
        "and in Postgres 18 (hio.c, heaptoast.h). RAM: the pages of the index, which should be "
        "cached"
    ),
    basis="measured",
    rescoring="The table holds the full-dimension vectors; the index is on the cut ones.",
    model=_pgvector,
    # An index has at most 2^32 pages, and a vector may take two.
    max_vectors=2**31 - 1,
)
