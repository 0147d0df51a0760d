"""JSONL files: one JSON object per line."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mrl_explorer.data.columns import Columns
from mrl_explorer.data.files import Bytes, block_texts, line_blocks
from mrl_explorer.data.json_objects import (
    DECODER,
    SAMPLED_OBJECTS,
    ObjectCells,
    object_columns,
    object_type,
    parsed,
)
from mrl_explorer.data.tables import Table
from mrl_explorer.errors import InputError

_OPEN, _CLOSE, _RETURN = b"{}\r"


def jsonl_columns(path: Path) -> tuple[str, ...]:
    """Return the keys of a file's first objects, inner ones as `outer.inner`."""
    return object_columns(islice(_first_objects(path), SAMPLED_OBJECTS))


def read_jsonl(path: Path, columns: Columns) -> Table:
    """Read the wanted keys of a file with one JSON object per line.

    Parameters
    ----------
    path : Path
        Blank lines are skipped.
    columns : Columns
        The wanted keys, as for `ObjectCells`.

    Returns
    -------
    Table
        One record per object.

    Raises
    ------
    InputError
        If a line is not an object or a wanted value is a list or an object, with its line.
    """
    cells = ObjectCells(columns, name=path.name, row_word="line")
    kind = None
    for number, lines, block, bounds in _line_texts(path):
        rows = np.arange(number, number + len(lines))
        if _is_object_a_line(block, bounds):
            # Most blocks are of the kind of the one before.
            packed = _parsed(block, kind, n=len(lines))
            if packed is None:
                kind = _kind(lines[0].as_py(), columns.of_text)
                packed = _parsed(block, kind, n=len(lines))
            if packed is not None and cells.extend(rows, packed):
                continue
        for row, line in zip(rows.tolist(), lines, strict=True):
            record = _object(line.as_py(), path=path, number=row)
            if record is not None:
                cells.add(row, record)
    return cells.table(found=lambda: jsonl_columns(path))


def _is_object_a_line(block: Bytes, bounds: npt.NDArray[np.int64]) -> bool:
    """Tell whether lines hold an object each, if they hold nothing but objects."""
    # A closing brace, a line end and an opening brace are never neighbours within an object.
    inner = bounds[1:-1]
    before = block[inner - 2]
    if (before == _RETURN).any():
        before = np.where(before == _RETURN, block[inner - 3], before)
    return bool(len(inner) and (before == _CLOSE).all() and (block[inner] == _OPEN).all())


def _kind(line: str, wanted: Sequence[str]) -> pa.StructType | None:
    """Give the type as which Arrow can take objects like the one of a line."""
    try:
        example = DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    return object_type(wanted, example) if isinstance(example, dict) else None


def _parsed(block: Bytes, kind: pa.StructType | None, *, n: int) -> dict[str, pa.Array] | None:
    """Parse a block of `n` objects by Arrow; None if it finds others."""
    table = None if kind is None else parsed(pa.py_buffer(block), kind)
    if table is None or len(table) != n:
        return None
    return {key: table.column(key).chunk(0) for key in table.column_names}


def _line_texts(
    path: Path,
) -> Iterator[tuple[int, pa.LargeStringArray, Bytes, npt.NDArray[np.int64]]]:
    """Give blocks of lines: number of the first one, their texts, bytes and bounds."""
    number = 1
    for block, bounds in line_blocks(path):
        lines = block_texts(block, bounds, path=path, line=number)
        yield number, lines, block, bounds
        number += len(lines)


def _first_objects(path: Path) -> Iterator[dict[str, object]]:
    for first, lines, _, _ in _line_texts(path):
        for number, line in enumerate(lines, start=first):
            record = _object(line.as_py(), path=path, number=number)
            if record is not None:
                yield record


def _object(line: str, *, path: Path, number: int) -> dict[str, object] | None:
    """Decode a line's object; None for a blank line."""
    if not line.strip():
        return None
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
    return record
