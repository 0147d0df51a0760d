"""CSV, TSV, JSONL and plain text files as columns of text."""

import csv
import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mrl_explorer.data.columns import Columns, check_columns
from mrl_explorer.data.files import text_lines
from mrl_explorer.data.strings import Strings
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError

# Python's own limit of 131,072 characters is less than a long document.
_FIELD_LIMIT_CHARACTERS = 64 * 10**6

# JSON objects need not have the same keys; the columns offered are those of the first ones.
SAMPLED_OBJECTS = 100

_BATCH = 1024
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
    """The wanted cells of a file that is read record by record.

    They are packed a batch at a time, so that no more than a batch of them is ever held as Python
    strings.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.rows = array("q")
        self._batch: dict[str, list[str | None]] = {name: [] for name in names}
        self._chunks: dict[str, list[pa.LargeStringArray]] = {name: [] for name in self._batch}

    def add(self, row: int, record: Iterable[str | None]) -> None:
        """Add one record, its cells in the order of the names."""
        self.rows.append(row)
        for cells, cell in zip(self._batch.values(), record, strict=True):
            cells.append(cell)
        if not len(self.rows) % _BATCH:
            self._pack()

    def table(self, row_word: Literal["line", "row"], *, notes: Sequence[str] = ()) -> Table:
        """Give what was added."""
        self._pack()
        cells = {name: Strings(chunks) for name, chunks in self._chunks.items()}
        return Table(cells=cells, rows=self.rows, row_word=row_word, notes=tuple(notes))

    def _pack(self) -> None:
        for name, cells in self._batch.items():
            self._chunks[name].append(_packed(cells))
            cells.clear()
            last = self._chunks[name][-_JOINED_BATCHES:]
            if len(self.rows) % (_BATCH * _JOINED_BATCHES) == 0 and len(last) > 1:
                # A batch has room for up to twice what it holds; one made of several has not.
                self._chunks[name][-_JOINED_BATCHES:] = [pa.concat_arrays(last)]


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
    texts = Strings.of(line.rstrip("\r\n") for line in text_lines(path))
    return Table(
        cells=dict.fromkeys(columns.of_text, texts),
        rows=range(1, len(texts) + 1),
        row_word="line",
    )


def csv_columns(path: Path) -> tuple[str, ...]:
    """Return the names in the header of a delimited file."""
    return tuple(name for name in _header(path) if name)


def read_csv(path: Path, columns: Columns) -> Table:
    """Read the wanted columns of a delimited file with a header.

    Parameters
    ----------
    path : Path
        Comma, semicolon or tab between the fields; double quotes around a field that holds one
        of them, a line end or a double quote (doubled).
    columns : Columns
        The wanted columns.

    Returns
    -------
    Table
        Blank lines are skipped.

    Raises
    ------
    InputError
        If the file breaks these rules, with its line.
    """
    header = _header(path)
    check_columns(columns.of_text, found=[name for name in header if name], name=path.name)
    places = [header.index(name) for name in columns.of_text]
    cells = Cells(columns.of_text)
    for line, fields in islice(_csv_rows(path), 1, None):
        if len(fields) != len(header):
            raise InputError(
                f"{path.name}, line {line}: the header has {len(header)} fields and this row "
                f"{len(fields)}; put texts that hold the delimiter or a line end in double quotes."
            )
        cells.add(line, [fields[place] for place in places])
    return cells.table("line")


def jsonl_columns(path: Path) -> tuple[str, ...]:
    """Return the keys of a file's first objects, inner ones as `outer.inner`."""
    return object_columns(record for _, record in islice(_json_objects(path), SAMPLED_OBJECTS))


def object_columns(records: Iterable[dict[str, object]]) -> tuple[str, ...]:
    """Return the keys of objects whose values can be text, inner ones as `outer.inner`."""
    names: dict[str, None] = {}
    for record in records:
        for key, value in record.items():
            if isinstance(value, dict):
                names.update(dict.fromkeys(f"{key}.{inner}" for inner in value))
            elif not isinstance(value, list):
                names[key] = None
    return tuple(names)


def read_jsonl(path: Path, columns: Columns) -> Table:
    """Read the wanted keys of a file with one JSON object per line.

    Parameters
    ----------
    path : Path
        Blank lines are skipped.
    columns : Columns
        The wanted keys, inner ones as `outer.inner`. Numbers become text; null or a key that an
        object lacks is an empty cell.

    Returns
    -------
    Table
        One record per object.

    Raises
    ------
    InputError
        If a line is not an object or a wanted value is a list or an object, with its line.
    """
    return objects_table(
        _json_objects(path),
        columns,
        name=path.name,
        row_word="line",
        found=lambda: jsonl_columns(path),
    )


def objects_table(
    objects: Iterable[tuple[int, dict[str, object]]],
    columns: Columns,
    *,
    name: str,
    row_word: Literal["line", "row"],
    found: Callable[[], tuple[str, ...]],
) -> Table:
    """Take the wanted keys of objects.

    Parameters
    ----------
    objects : iterable of (int, dict)
        Each with its place in the file.
    columns : Columns
        The wanted keys, as for `read_jsonl`.
    name : str
        The file as the user knows it.
    row_word : "line" or "row"
        What the places count.
    found : callable
        Gives the keys that could have been chosen, for the message about one that is missing.

    Raises
    ------
    InputError
        If a wanted value is a list or an object, or a wanted key is in none of the objects.
    """
    wanted = columns.of_text
    cells = Cells(wanted)
    absent = set(wanted)
    for row, record in objects:
        values: list[str | None] = []
        for key in wanted:
            value = record.get(key)
            if type(value) is str:  # nearly always, and this loop is what reading costs
                if absent:
                    absent.discard(key)
                values.append(value)
                continue
            present, value = _json_value(record, key)
            if present:
                absent.discard(key)
            if isinstance(value, dict | list):
                origin = "" if row_word == "line" else " (counted from 0)"
                raise InputError(
                    f"{name}, {row_word} {row}{origin}: {quoted(key)} holds a list or an object; "
                    "write text there."
                )
            values.append(_json_text(value))
        cells.add(row, values)
    if absent and cells.rows:
        check_columns([key for key in wanted if key in absent], found=found(), name=name)
    return cells.table(row_word)


def encodable(text: str) -> str:
    """Replace halves of surrogate pairs, which no UTF-8 file, page or tokenizer can take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _header(path: Path) -> list[str]:
    """Return the names in the first row of a delimited file, trimmed."""
    _, fields = next(_csv_rows(path), (0, []))
    return [name.strip() for name in fields]


def _delimiter(path: Path) -> str:
    """Return the delimiter: tab for TSV, else the one that splits the header most."""
    if path.name.lower().endswith((".tsv", ".tsv.gz")):
        return "\t"
    header = next((line for line in text_lines(path) if line.strip()), "")
    return max(",;\t", key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter))))


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's first line, counted from 1, and its fields."""
    csv.field_size_limit(_FIELD_LIMIT_CHARACTERS)
    line = 1
    try:
        # Strict: otherwise a quote that is never closed swallows the rest of the file in silence.
        reader = csv.reader(text_lines(path), delimiter=_delimiter(path), strict=True)
        for fields in reader:
            if fields:
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path.name}, line {line}: not a readable row ({error}); end rows with a line "
            "feed, close every double quote and double those inside a text."
        ) from error


def _json_objects(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield each object of a JSONL file with its line, counted from 1."""
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{path.name}, line {number}: not valid JSON; write one object per line."
            ) from error
        if not isinstance(record, dict):
            raise InputError(
                f"{path.name}, line {number}: not a JSON object; write one object per line, such "
                'as {"id": "1", "text": "..."}.'
            )
        yield number, record


def _nothing(constant: str) -> None:
    """Read `NaN` or `Infinity` as null."""
    del constant


# NaN is not JSON, but it is how pandas' users write a missing text. One decoder for all lines:
# `json.loads` would make one for each.
DECODER = json.JSONDecoder(parse_constant=_nothing)


def _json_value(record: dict[str, object], name: str) -> tuple[bool, object]:
    """Look up a key, or an inner key as `outer.inner`; tell whether it is there."""
    if name in record:
        return True, record[name]
    outer, _, inner = name.partition(".")
    within = record.get(outer)
    return (True, within[inner]) if isinstance(within, dict) and inner in within else (False, None)


def _json_text(value: object) -> str | None:
    """Return a JSON scalar as text: 7 as "7", null as None."""
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value)
