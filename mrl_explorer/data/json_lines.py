"""JSONL files: one JSON object per line."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mrl_explorer.data.columns import Columns
from mrl_explorer.data.files import Bytes, block_texts, line_blocks, text_lines
from mrl_explorer.data.json_objects import (
    DECODER,
    SAMPLED_OBJECTS,
    ObjectCells,
    as_texts,
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
    number = 1
    for block, bounds in line_blocks(path):
        lines = block_texts(block, bounds, path=path, line=number)
        rows = np.arange(number, number + len(lines))
        number += len(lines)
        packed = _parsed_lines(block, bounds, columns.of_text)
        if packed is not None and cells.extend(rows, packed):
            continue
        for row, line in zip(rows.tolist(), lines, strict=True):
            record = _object(line.as_py(), path=path, number=row)
            if record is not None:
                cells.add(row, record)
    return cells.table(found=lambda: jsonl_columns(path))


def _parsed_lines(
    block: Bytes, bounds: npt.NDArray[np.int64], wanted: Sequence[str]
) -> dict[str, pa.LargeStringArray] | None:
    """Parse a block by Arrow; None unless it surely holds one object a line."""
    # A closing brace, a line end and an opening brace are never neighbours within an object.
    inner = bounds[1:-1]
    before = block[inner - 2]
    if (before == _RETURN).any():
        before = np.where(before == _RETURN, block[inner - 3], before)
    if not len(inner) or (block[inner] != _OPEN).any() or (before != _CLOSE).any():
        return None
    try:
        example = DECODER.decode(block[: bounds[1]].tobytes().decode())
    except (ValueError, RecursionError):
        return None
    kind = object_type(wanted, example) if isinstance(example, dict) else None
    table = None if kind is None else parsed(pa.py_buffer(block), kind)
    if table is None or len(table) != len(bounds) - 1:
        return None
    return {key: as_texts(table.column(key).chunk(0)) for key in wanted}


def _first_objects(path: Path) -> Iterator[dict[str, object]]:
    for number, line in enumerate(text_lines(path), start=1):
        record = _object(line, path=path, number=number)
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
