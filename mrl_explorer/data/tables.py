"""CSV, TSV, JSONL and plain text files as columns of text."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from mrl_explorer.data.columns import Columns, check_columns
from mrl_explorer.data.files import text_lines
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError

# Python's own limit of 131,072 characters is less than a long document.
_FIELD_LIMIT_CHARACTERS = 64 * 10**6

# JSON objects need not have the same keys; the columns offered are those of the first ones.
_SAMPLED_OBJECTS = 100


@dataclass(frozen=True, eq=False)
class Table:
    """What a reader takes from a file: the wanted columns and the vectors, if any.

    Attributes
    ----------
    cells : dict of str to list of (str or None)
        The wanted columns by name, of equal length; None is an empty cell.
    rows : list of int
        Where each record stands in the file.
    row_word : "line" or "row"
        What `rows` count: lines of text from 1, or rows of arrays from 0.
    vectors : (n, full_dim) float32 array or None
        Checked and read-only.
    vector_column : str or None
        Where in the file the vectors were.
    """

    cells: dict[str, list[str | None]]
    rows: list[int]
    row_word: Literal["line", "row"]
    vectors: npt.NDArray[np.float32] | None = None
    vector_column: str | None = None


def lines_columns(path: Path) -> tuple[str, ...]:
    """Return the only column of a file with one text per line; `path` is not read."""
    del path
    return ("text",)


def read_lines(path: Path, columns: Columns) -> Table:
    """Read a file with one text per line."""
    check_columns(columns.of_text, found=lines_columns(path), name=path.name)
    texts: list[str | None] = [line.rstrip("\r\n") for line in text_lines(path)]
    return Table(
        cells=dict.fromkeys(columns.of_text, texts),
        rows=list(range(1, len(texts) + 1)),
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
    places = {name: header.index(name) for name in columns.of_text}
    cells: dict[str, list[str | None]] = {name: [] for name in places}
    rows = []
    for line, fields in islice(_csv_rows(path), 1, None):
        if len(fields) != len(header):
            raise InputError(
                f"{path.name}, line {line}: the header has {len(header)} fields and this row "
                f"{len(fields)}; put texts that hold the delimiter or a line end in double quotes."
            )
        rows.append(line)
        for name, place in places.items():
            cells[name].append(fields[place])
    return Table(cells=cells, rows=rows, row_word="line")


def jsonl_columns(path: Path) -> tuple[str, ...]:
    """Return the keys of a file's first objects, inner ones as `outer.inner`."""
    names: dict[str, None] = {}
    for _, record in islice(_json_objects(path), _SAMPLED_OBJECTS):
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
    wanted = columns.of_text
    cells: dict[str, list[str | None]] = {name: [] for name in wanted}
    rows = []
    present: set[str] = set()
    for line, record in _json_objects(path):
        rows.append(line)
        for name in wanted:
            found, value = _json_value(record, name)
            if found:
                present.add(name)
            if isinstance(value, dict | list):
                raise InputError(
                    f"{path.name}, line {line}: {quoted(name)} holds a list or an object; "
                    "write text there."
                )
            cells[name].append(_json_text(value))
    if rows:
        absent = [name for name in wanted if name not in present]
        check_columns(absent, found=jsonl_columns(path), name=path.name)
    return Table(cells=cells, rows=rows, row_word="line")


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
            # NaN is not JSON, but it is how pandas' users write a missing text.
            record = json.loads(line, parse_constant=_nothing)
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
    return encodable(value) if isinstance(value, str) else json.dumps(value)
