"""CSV and TSV files: a header, and rows with a delimiter between the fields.

Arrow parses whole blocks where every double quote stands as the rules want it. Whatever it might
take otherwise than Python's `csv` is left to `csv`: that decides what is valid, and what is said of
what is not.
"""

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pv

from mrl_explorer.data.columns import Columns, check_columns
from mrl_explorer.data.files import Bytes, line_blocks, text_lines
from mrl_explorer.data.tables import BATCH, Cells, Table
from mrl_explorer.errors import InputError

# Python's own limit of 131,072 characters is less than a long document.
_FIELD_LIMIT_CHARACTERS = 64 * 10**6
_QUOTE, _FEED, _RETURN = b'"\n\r'


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
    table = None
    if places:
        table = _read_by_arrow(path, columns.of_text, places, n_fields=len(header))
    if table is not None:
        return table
    return _read_by_csv(path, columns.of_text, places, n_fields=len(header))


def _read_by_csv(
    path: Path, names: Sequence[str], places: Sequence[int], *, n_fields: int
) -> Table:
    cells = Cells(names)
    rows = islice(_csv_rows(path), 1, None)
    # Whole batches: row by row, this loop would cost as much as reading.
    while batch := list(islice(rows, BATCH)):
        lines, records = zip(*batch, strict=True)
        if set(map(len, records)) != {n_fields}:
            line, n = next((line, n) for line, row in batch if (n := len(row)) != n_fields)
            raise InputError(
                f"{path.name}, line {line}: the header has {n_fields} fields and this row {n}; "
                "put texts that hold the delimiter or a line end in double quotes."
            )
        cells.add_batch(lines, [[fields[place] for fields in records] for place in places])
    return cells.table("line")


def _read_by_arrow(
    path: Path, names: Sequence[str], places: Sequence[int], *, n_fields: int
) -> Table | None:
    """Read all rows by Arrow; None as soon as `csv` might read them otherwise."""
    delimiter = _delimiter(path)
    cells, is_header = Cells(names), True
    held, held_bounds = np.empty(0, np.uint8), np.zeros(1, np.int64)
    line = 1
    for read, read_bounds in line_blocks(path):
        # A record whose text has line ends may have begun in the block before.
        block, bounds = read, read_bounds
        if len(held):
            block = np.concatenate([held, read])
            bounds = np.concatenate([held_bounds, read_bounds[1:] + len(held)])
        ends = _record_ends(block, bounds, delimiter=ord(delimiter))
        if ends is None or len(held) > _FIELD_LIMIT_CHARACTERS:
            return None
        last = int(ends[-1]) + 1 if len(ends) else 0
        held, held_bounds = block[bounds[last] :].copy(), bounds[last:] - bounds[last]
        starts = _record_starts(block, bounds, ends)
        lines, line = starts + line, line + last
        if is_header and len(starts):
            begin = int(bounds[ends[np.searchsorted(ends, starts[0])] + 1])
            lines, is_header = lines[1:], False
        else:
            begin = 0
        if not len(lines):
            continue
        columns = _parsed(block[begin : bounds[last]], delimiter, places, n_fields=n_fields)
        if columns is None or len(columns[0]) != len(lines):
            return None
        cells.extend(lines, dict(zip(names, columns, strict=True)))
    return None if len(held) else cells.table("line")


def _record_ends(
    block: Bytes, bounds: npt.NDArray[np.int64], *, delimiter: int
) -> npt.NDArray[np.int64] | None:
    """Find the lines that end a record; None unless every quote opens or closes a whole field."""
    quotes = np.flatnonzero(block == _QUOTE)
    is_open = np.searchsorted(quotes, bounds[1:]) % 2 == 1
    ends = np.flatnonzero(~is_open)
    whole = int(bounds[ends[-1] + 1]) if len(ends) else 0
    quotes = quotes[quotes < whole]
    # Before an opening and after a closing quote stands the edge of a field, or the second one of
    # a doubled quote; a carriage return ends a line with a line feed only.
    edges = np.zeros(256, np.bool_)
    edges[[delimiter, _FEED, _QUOTE]] = True
    opening, closing = quotes[::2], quotes[1::2]
    returns = np.flatnonzero(block[:whole] == _RETURN)
    after = np.append(block[:whole], np.uint8(_FEED))
    edges_after = edges.copy()
    edges_after[_RETURN] = True
    if (
        not edges[block[opening[opening > 0] - 1]].all()
        or not edges_after[after[closing + 1]].all()
        or (returns + 1 == whole).any()
        or (after[returns + 1] != _FEED).any()
    ):
        return None
    return ends


def _record_starts(
    block: Bytes, bounds: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Give the first line of each record that ends at `ends`, without blank lines."""
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    begin, end = bounds[starts], bounds[ends + 1]
    is_blank = (end - begin == 1) & (block[begin] == _FEED)
    is_blank |= (end - begin == 2) & (block[begin] == _RETURN)
    return starts[~is_blank]


def _parsed(
    block: Bytes, delimiter: str, places: Sequence[int], *, n_fields: int
) -> list[pa.LargeStringArray] | None:
    """Parse whole records by Arrow; None if it refuses them."""
    names = [f"field {place}" for place in range(n_fields)]
    wanted = [names[place] for place in places]
    try:
        table = pv.read_csv(
            pa.BufferReader(pa.py_buffer(block)),
            pv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            pv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.large_string()),
                strings_can_be_null=False,
                null_values=[],
            ),
        )
    except pa.ArrowInvalid:
        return None
    return [table.column(name).combine_chunks() for name in wanted]


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
