"""JSON files: an array of objects, or an object that holds one."""

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from mrl_explorer.data.columns import Columns
from mrl_explorer.data.files import decoded, is_utf_8, opened, whole_text
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

# What Arrow does not parse is held whole while its objects are read one by one.
_LIMIT_BYTES = 500 * 10**6
_SAMPLED_BYTES = 2**20
# As in `line_blocks`; larger only where an object is.
_PIECE_BYTES = 2**21
_LARGEST_PIECE_BYTES = 64 * 10**6

# Arrow wants an object. The array stands in a second one: a piece that closed the array of the file
# and went on within its object would then be no JSON.
_BEFORE, _AFTER = b'{"":[[', b"]]}"

_SPACES = b" \t\n\r"
_SPACE = re.compile(r"[ \t\n\r]*")


def json_columns(path: Path) -> tuple[str, ...]:
    """Return the keys of the first objects, inner ones as `outer.inner`."""
    with opened(path) as stream:
        start = stream.read(_SAMPLED_BYTES)
    sampled: list[dict[str, object]] = []
    # What follows the sample is checked when the file is read.
    with suppress(ValueError, RecursionError):
        text = decoded(start, errors="ignore")
        at = _array_start(text)
        for value in islice(_elements(text, at) if at is not None else (), SAMPLED_OBJECTS):
            if isinstance(value, dict):
                sampled.append(value)
    if not sampled:
        sampled = [record for _, record in islice(_objects(path), SAMPLED_OBJECTS)]
    return object_columns(sampled)


def read_json(path: Path, columns: Columns) -> Table:
    """Read the wanted keys of an array of objects.

    Parameters
    ----------
    path : Path
        The array is the file, or the first array of objects among the values of its object.
    columns : Columns
        The wanted keys, as for `ObjectCells`.

    Returns
    -------
    Table
        One record per object.

    Raises
    ------
    InputError
        If the file is no such JSON, with the line.
    """
    cells = ObjectCells(columns, name=path.name, row_word="row")
    if not _parse(path, columns, cells):
        cells = ObjectCells(columns, name=path.name, row_word="row")
        for row, record in _objects(path):
            cells.add(row, record)
    return cells.table(found=lambda: json_columns(path))


def _parse(path: Path, columns: Columns, cells: ObjectCells) -> bool:
    """Parse a file by Arrow, piece by piece; False where it is not surely what `json` would read.

    Pieces end between two objects. Where that is, is guessed by what stands between the first two
    objects; a wrong guess leaves a piece that is no JSON.
    """
    with opened(path) as stream:
        start = stream.read(_PIECE_BYTES).removeprefix(codecs.BOM_UTF8)
        layout = _layout(start, columns)
        if layout is None:
            return False
        piece, n_rows, is_last = start[layout.start :], 0, False
        while not is_last:
            more = stream.read(_PIECE_BYTES)
            is_last = not more
            piece += more
            objects: bytes | None
            if is_last:
                objects = layout.without_end(piece)
            else:
                # The closing brace is of the object before.
                objects = piece[: piece.rfind(layout.between) + 1]
                if not objects and len(piece) < _LARGEST_PIECE_BYTES:
                    continue
            found = _parsed_objects(objects, layout.kind) if objects else None
            if objects is None or found is None:
                return False
            rows = np.arange(n_rows, n_rows + len(found))
            if not cells.extend(rows, {name: found.field(name) for name in columns.of_text}):
                return False
            n_rows += len(found)
            piece = piece[len(objects) + layout.gap :]
    return True


@dataclass(frozen=True, slots=True)
class _Layout:
    """How an array of objects is written.

    Attributes
    ----------
    kind : pa.StructType
        What Arrow shall take of an object.
    start : int
        Byte at which the first object begins.
    between : bytes
        From the closing brace of the first object to the first key of the second, which tells
        them from objects within an object.
    gap : int
        Bytes between the two braces.
    is_inner : bool
        Whether the array is a value of an object.
    """

    kind: pa.StructType
    start: int
    between: bytes
    gap: int
    is_inner: bool

    def without_end(self, piece: bytes) -> bytes | None:
        """Cut off what closes the file; None if more follows the array."""
        for sign in (b"}", b"]") if self.is_inner else (b"]",):
            piece = piece.rstrip(_SPACES)
            if not piece.endswith(sign):
                return None
            piece = piece[:-1]
        return piece


def _layout(start: bytes, columns: Columns) -> _Layout | None:
    """See how a file is written from its first objects; None if Arrow cannot take it."""
    with suppress(ValueError, RecursionError):
        # Incremental: the start may end within a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
        array = _array_start(text)
        if array is None:
            return None
        first = _after_space(text, array + 1)
        example, end = DECODER.raw_decode(text, first)
        second = _after_space(text, _expected(text, end, ","))
        kind = object_type(columns.of_text, example) if isinstance(example, dict) else None
        if kind is not None and text[second : second + 1] == "{":
            key = _after_space(text, second + 1)
            if text[key : key + 1] == '"':
                _, key = DECODER.raw_decode(text, key)
            return _Layout(
                kind=kind,
                start=len(text[:first].encode()),
                between=text[end - 1 : key].encode(),
                gap=second - end,
                is_inner=text[_after_space(text, 0)] == "{",
            )
    return None


def _parsed_objects(objects: bytes, kind: pa.StructType) -> pa.StructArray | None:
    """Parse objects with commas between them; None if Arrow refuses them or finds other values."""
    if not is_utf_8(objects):
        return None
    raw = pa.py_buffer(b"".join((_BEFORE, objects, _AFTER)))
    table = parsed(raw, [pa.field("", pa.list_(pa.list_(kind)))])
    if table is None:
        return None
    outer = table.column(0).chunk(0).flatten()
    found = outer.flatten()
    # A second inner array, or a null among the objects, is not what the file should hold.
    return found if len(outer) == 1 and not found.null_count else None


def _objects(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the objects of the array, counted from 0."""
    text = whole_text(path, limit_bytes=_LIMIT_BYTES)
    try:
        start = _array_start(text)
        if start is None:
            raise InputError(
                f"{path.name} holds no array of objects: write records as "
                '[{"id": "1", "text": "..."}, ...].'
            )
        for row, value in enumerate(_elements(text, start)):
            if not isinstance(value, dict):
                raise InputError(
                    f"{path.name}, row {row} (counted from 0): not a JSON object; write records "
                    'as [{"id": "1", "text": "..."}, ...].'
                )
            yield row, value
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path.name}, line {error.lineno}: not valid JSON ({error.msg}); correct it there, "
            "or save the file again."
        ) from error
    # Whole numbers of more than 4,300 digits are a ValueError that is no JSONDecodeError.
    except (RecursionError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path.name} is nested too deeply or holds a number too long to be records: write an "
            "array of plain objects."
        ) from error


def _array_start(text: str) -> int | None:
    """Find the array of records: the file's own, or the first of objects within its object."""
    at = _after_space(text, 0)
    if text[at : at + 1] == "[":
        return at
    if text[at : at + 1] != "{":
        DECODER.raw_decode(text, at)  # explains what is not JSON at all
        return None
    at = _after_space(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = DECODER.raw_decode(text, at)
        if not isinstance(key, str):
            raise json.JSONDecodeError("Expecting a key in double quotes", text, at)
        at = _after_space(text, _expected(text, at, ":"))
        if text[at : at + 1] == "[" and text.startswith("{", _after_space(text, at + 1)):
            return at
        _, at = DECODER.raw_decode(text, at)
        at = _after_space(text, at)
        if text[at : at + 1] != "}":
            at = _after_space(text, _expected(text, at, ","))
    return None


def _elements(text: str, start: int) -> Iterator[object]:
    """Decode the elements of the array at `start` one by one."""
    at = _after_space(text, start + 1)
    if text[at : at + 1] == "]":
        return
    while True:
        value, at = DECODER.raw_decode(text, at)
        yield value
        at = _after_space(text, at)
        if text[at : at + 1] == "]":
            return
        at = _after_space(text, _expected(text, at, ","))


def _expected(text: str, at: int, sign: str) -> int:
    """Step over a sign."""
    at = _after_space(text, at)
    if text[at : at + 1] != sign:
        raise json.JSONDecodeError(f"Expecting '{sign}'", text, at)
    return at + 1


def _after_space(text: str, at: int) -> int:
    """Step over white space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at
