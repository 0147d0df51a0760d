"""JSON files: an array of objects, or an object that holds one."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from mrl_explorer.data.columns import Columns
from mrl_explorer.data.files import decoded, opened, whole_text
from mrl_explorer.data.tables import (
    DECODER,
    SAMPLED_OBJECTS,
    Table,
    object_columns,
    objects_table,
)
from mrl_explorer.errors import InputError

# The text is held whole while its objects are read one by one.
_LIMIT_BYTES = 500 * 10**6
_SAMPLED_BYTES = 2**20

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
        The wanted keys, as for `read_jsonl`.

    Returns
    -------
    Table
        One record per object.

    Raises
    ------
    InputError
        If the file is no such JSON, with the line.
    """
    return objects_table(
        _objects(path),
        columns,
        name=path.name,
        row_word="row",
        found=lambda: json_columns(path),
    )


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
