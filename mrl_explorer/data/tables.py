"""Tables of text, and the reader of plain text files."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mrl_explorer.data.columns import Columns, check_columns
from mrl_explorer.data.files import block_texts, line_blocks
from mrl_explorer.data.strings import Strings

BATCH = 1024
_JOINED_BATCHES = 16


@dataclass(frozen=True, eq=False)
class Table:
    """What a reader takes from a file: the wanted columns and the vectors, if any.

    Attributes
    ----------
    cells : dict of str to Strings
        The wanted columns by name, of equal length.
    rows : sequence of int
        Where each record stands in the file.
    row_word : "line" or "row"
        What `rows` count: lines of text from 1, or rows of arrays from 0.
    vectors : (n, full_dim) float32 array or None
        Checked and read-only.
    vector_column : str or None
        Where in the file the vectors were.
    notes : tuple of str
        What was left out of the file or changed, in whole sentences.
    """

    cells: dict[str, Strings]
    rows: Sequence[int]
    row_word: Literal["line", "row"]
    vectors: npt.NDArray[np.float32] | None = None
    vector_column: str | None = None
    notes: tuple[str, ...] = ()


class Cells:
    """The wanted cells of a file that is read record by record, or some records at a time.

    They are packed a batch at a time, so that no more than a batch of them is ever held as Python
    strings.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.rows = array("q")
        self._n_loose = 0
        self._batch: dict[str, list[str | None]] = {name: [] for name in names}
        self._small: dict[str, list[pa.LargeStringArray]] = {name: [] for name in self._batch}
        self._chunks: dict[str, list[pa.Array]] = {name: [] for name in self._batch}

    def add(self, row: int, record: Iterable[str | None]) -> None:
        """Add one record, its cells in the order of the names."""
        self.rows.append(row)
        for cells, cell in zip(self._batch.values(), record, strict=True):
            cells.append(cell)
        self._n_loose += 1
        if self._n_loose == BATCH:
            self._pack()

    def add_batch(self, rows: Iterable[int], columns: Iterable[list[str | None]]) -> None:
        """Add some records, column by column."""
        self._pack()
        self.rows.extend(rows)
        for small, cells in zip(self._small.values(), columns, strict=True):
            small.append(_packed(cells))
        self._join_many()

    def extend(self, rows: npt.NDArray[np.int64], chunks: Mapping[str, pa.Array]) -> None:
        """Add records whose cells are packed already, as text or numbers."""
        self._pack()
        self._join()
        self.rows.frombytes(rows.tobytes())
        for name, chunk in chunks.items():
            self._chunks[name].append(chunk)

    def table(self, row_word: Literal["line", "row"], *, notes: Sequence[str] = ()) -> Table:
        """Give what was added."""
        self._pack()
        self._join()
        cells = {name: Strings.packed(chunks) for name, chunks in self._chunks.items()}
        return Table(cells=cells, rows=self.rows, row_word=row_word, notes=tuple(notes))

    def _pack(self) -> None:
        if not self._n_loose:
            return
        self._n_loose = 0
        for name, cells in self._batch.items():
            self._small[name].append(_packed(cells))
            cells.clear()
        self._join_many()

    def _join_many(self) -> None:
        if any(len(small) >= _JOINED_BATCHES for small in self._small.values()):
            self._join()

    def _join(self) -> None:
        # A batch has room for up to twice what it holds; one made of several has not.
        for name, small in self._small.items():
            if small:
                self._chunks[name].append(pa.concat_arrays(small))
                small.clear()


def _packed(cells: list[str | None]) -> pa.LargeStringArray:
    """Pack a batch; trying is faster than looking at every cell first."""
    try:
        return pa.array(cells, pa.large_string())
    except UnicodeEncodeError:
        return pa.array([cell and encodable(cell) for cell in cells], pa.large_string())


def lines_columns(path: Path) -> tuple[str, ...]:
    """Return the only column of a file with one text per line; `path` is not read."""
    del path
    return ("text",)


def read_lines(path: Path, columns: Columns) -> Table:
    """Read a file with one text per line."""
    check_columns(columns.of_text, found=lines_columns(path), name=path.name)
    chunks: list[pa.LargeStringArray] = []
    line = 1
    for block, bounds in line_blocks(path):
        lines = block_texts(block, bounds, path=path, line=line)
        chunks.append(pc.ascii_rtrim(lines, characters="\r\n"))
        line += len(lines)
    texts = Strings(chunks)
    return Table(
        cells=dict.fromkeys(columns.of_text, texts),
        rows=range(1, len(texts) + 1),
        row_word="line",
    )


def encodable(text: str) -> str:
    """Replace halves of surrogate pairs, which no UTF-8 file, page or tokenizer can take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
