"""Columns of text, held as UTF-8: a gigabyte of text takes a gigabyte.

A Python string has a header of about 50 bytes, and one curly quote in it doubles what its letters
take. For a million passages that is the difference between fitting into memory and not.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, SupportsIndex, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_CHUNK = 4096
_JOINED = 2**16


class Strings(Sequence[str]):
    """A column of text that cannot be changed; an empty cell is "".

    Parameters
    ----------
    chunks : sequence of pa.LargeStringArray
        The cells, in order.
    rows : (n,) int64 array, optional
        Which of the cells; all of them by default.
    """

    __slots__ = ("_chunks", "_ends", "_rows")

    def __init__(
        self, chunks: Sequence[pa.LargeStringArray], rows: npt.NDArray[np.int64] | None = None
    ) -> None:
        self._chunks = tuple(chunk for chunk in chunks if len(chunk))
        self._ends = np.cumsum([len(chunk) for chunk in self._chunks], dtype=np.int64)
        self._rows = rows

    @classmethod
    def of(cls, cells: "Iterable[str | None]") -> "Strings":
        """Collect cells one by one; a column that is one already stays as it is."""
        if isinstance(cells, Strings):
            return cells
        rest = iter(cells)
        chunks = []
        while chunk := list(islice(rest, _CHUNK)):
            chunks.append(pa.array(chunk, pa.large_string()))
        return cls(chunks)

    @classmethod
    def packed(cls, chunks: Iterable[pa.Array]) -> "Strings":
        """Collect cells that are packed as text, or as values that are written as text."""
        texts: list[pa.LargeStringArray] = []
        for kind, alike in groupby(chunks, attrgetter("type")):
            if pa.types.is_large_string(kind):
                texts += alike
            else:
                texts += (values.cast(pa.large_string()) for values in _joined([*alike]))
        return cls(texts)

    @classmethod
    def numbers(cls, n: int) -> "Strings":
        """Give "0", "1", ... as a column."""
        starts = range(0, n, _CHUNK)
        return cls(
            [
                pa.array(np.arange(start, min(start + _CHUNK, n))).cast(pa.large_string())
                for start in starts
            ]
        )

    def __len__(self) -> int:
        if self._rows is not None:
            return len(self._rows)
        return int(self._ends[-1]) if len(self._ends) else 0

    @overload
    def __getitem__(self, place: SupportsIndex) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...

    def __getitem__(self, place: SupportsIndex | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self._cell(at) for at in range(len(self))[place])
        return self._cell(range(len(self))[place])

    def __iter__(self) -> Iterator[str]:
        if self._rows is not None:
            yield from map(self._cell, range(len(self)))
            return
        for chunk in self._chunks:
            for start in range(0, len(chunk), _CHUNK):
                # Whole batches: cell by cell is ten times as slow.
                for cell in chunk.slice(start, _CHUNK).to_pylist():
                    yield "" if cell is None else cell

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str) or not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            mine == theirs for mine, theirs in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Strings({list(self[:3])!r}{', ...' if len(self) > 3 else ''})"

    def take(self, rows: npt.NDArray[np.integer]) -> "Strings":
        """Keep the cells at `rows`; nothing is copied but the row numbers."""
        wanted: npt.NDArray[np.int64] = np.asarray(rows, dtype=np.int64)
        if self._rows is not None:
            wanted = self._rows[wanted]
        return Strings(self._chunks, wanted)

    def are_blank(self) -> npt.NDArray[np.bool_]:
        """Tell for each cell whether it holds nothing but white space."""
        return self._gathered(
            lambda chunk: pc.or_(pc.equal(pc.binary_length(chunk), 0), pc.utf8_is_space(chunk)),
            fill=True,
            dtype=np.bool_,
        )

    def lengths(self) -> npt.NDArray[np.int64]:
        """Give the characters of each cell."""
        return self._gathered(pc.utf8_length, fill=0, dtype=np.int64)

    def sizes(self) -> npt.NDArray[np.int64]:
        """Give the bytes of each cell, as UTF-8."""
        return self._gathered(pc.binary_length, fill=0, dtype=np.int64)

    def trimmed(self) -> "Strings":
        """Give the cells without white space around them."""
        if self._rows is not None:
            return Strings.of(cell.strip() for cell in self)
        return Strings([pc.utf8_trim_whitespace(cells) for cells in _joined(self._chunks)])

    def n_distinct(self) -> int:
        """Count the different cells."""
        if self._rows is not None:
            return len(set(self))
        chunks = [pc.fill_null(chunk, "") for chunk in self._chunks]
        cells = pa.chunked_array(chunks, pa.large_string())
        return int(pc.count_distinct(cells, mode="all").as_py())

    def are_rising(self) -> bool:
        """Tell whether each cell is longer than the one before it, or as long and later in order.

        Then no two are equal, which this tells much faster than counting: row numbers rise, and
        so do ids that were numbered with leading zeros.
        """
        if self._rows is not None:
            return False
        last = pa.array([""], pa.large_string())
        for chunk in self._chunks:
            cells = pa.concat_arrays([last, chunk])
            before, after = cells.slice(0, len(chunk)), cells.slice(1)
            shorter, longer = pc.binary_length(before), pc.binary_length(after)
            later = pc.and_(pc.equal(shorter, longer), pc.less(before, after))
            if not pc.all(pc.or_(pc.less(shorter, longer), later), skip_nulls=False).as_py():
                return False
            last = cells.slice(len(chunk))
        return True

    def _cell(self, place: int) -> str:
        row = place if self._rows is None else int(self._rows[place])
        at = int(np.searchsorted(self._ends, row, side="right"))
        start = int(self._ends[at - 1]) if at else 0
        cell = self._chunks[at][row - start].as_py()
        return "" if cell is None else cell

    def _gathered(
        self, measure: Callable[[pa.Array], pa.Array], *, fill: int, dtype: npt.DTypeLike
    ) -> npt.NDArray[Any]:
        """Measure every cell, chunk by chunk; a null measures `fill`."""
        found = np.empty(int(self._ends[-1]) if len(self._ends) else 0, dtype)
        start = 0
        for chunk in self._chunks:
            values = pc.fill_null(measure(chunk), fill)
            found[start : start + len(chunk)] = values.to_numpy(zero_copy_only=False)
            start += len(chunk)
        return found if self._rows is None else found[self._rows]


def _joined(chunks: Sequence[pa.Array]) -> Iterator[pa.Array]:
    """Join small chunks: a call for each of them would take longer than its work."""
    if not chunks:
        return
    cells = pa.chunked_array(chunks)
    for start in range(0, len(cells), _JOINED):
        yield cells.slice(start, _JOINED).combine_chunks()
