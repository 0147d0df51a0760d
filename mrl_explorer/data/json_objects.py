"""JSON objects as rows of a table: their wanted keys as text.

Arrow parses many objects at once and makes no Python object of any. What it refuses, and whatever
it would take otherwise than Python's `json`, is left to `json`, object by object: that decides what
is valid, and what is said of what is not.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.json as pj

from mrl_explorer.data.columns import Columns, check_columns
from mrl_explorer.data.tables import Cells, Table
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError

# Objects need not have the same keys; the columns offered are those of the first ones.
SAMPLED_OBJECTS = 100


def _nothing(constant: str) -> None:
    """Read `NaN` or `Infinity` as null."""
    del constant


# NaN is not JSON, but it is how pandas' users write a missing text. One decoder for all objects:
# `json.loads` would make one for each.
DECODER = json.JSONDecoder(parse_constant=_nothing)


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


class ObjectCells:
    """The wanted keys of the objects of a file.

    Parameters
    ----------
    columns : Columns
        The wanted keys, inner ones as `outer.inner`. Numbers become text; null or a key that an
        object lacks is an empty cell.
    name : str
        The file as the user knows it.
    row_word : "line" or "row"
        What the objects' places count.
    """

    def __init__(self, columns: Columns, *, name: str, row_word: Literal["line", "row"]) -> None:
        self._wanted = columns.of_text
        self._cells = Cells(self._wanted)
        self._absent = set(self._wanted)
        self._name = name
        self._row_word: Literal["line", "row"] = row_word

    def add(self, row: int, record: dict[str, object]) -> None:
        """Add an object.

        Raises
        ------
        InputError
            If a wanted value is a list or an object.
        """
        values: list[str | None] = []
        for key in self._wanted:
            present, value = _json_value(record, key)
            if present:
                self._absent.discard(key)
            if isinstance(value, dict | list):
                origin = "" if self._row_word == "line" else " (counted from 0)"
                raise InputError(
                    f"{self._name}, {self._row_word} {row}{origin}: {quoted(key)} holds a list or "
                    "an object; write text there."
                )
            values.append(_json_text(value))
        self._cells.add(row, values)

    def extend(self, rows: npt.NDArray[np.int64], cells: Mapping[str, pa.Array]) -> bool:
        """Add objects that Arrow parsed; False, and nothing added, if it cannot tell enough.

        Arrow gives null for a key that is absent, too: until a key was seen, that must be told
        apart.
        """
        seen = {key for key in self._absent if cells[key].null_count < len(cells[key])}
        if seen != self._absent:
            return False
        self._absent.clear()
        self._cells.extend(rows, cells)
        return True

    def table(self, *, found: Callable[[], tuple[str, ...]]) -> Table:
        """Give the table.

        Parameters
        ----------
        found : callable
            Gives the keys that could have been chosen, for the message about one that is missing.

        Raises
        ------
        InputError
            If a wanted key is in none of the objects.
        """
        if self._absent and self._cells.rows:
            absent = [key for key in self._wanted if key in self._absent]
            check_columns(absent, found=found(), name=self._name)
        return self._cells.table(self._row_word)


def object_type(wanted: Sequence[str], example: dict[str, object]) -> pa.StructType | None:
    """Give the type as which Arrow can take objects like an example; None if it cannot.

    Whole numbers are the only ones that it writes as `json` does, and inner keys may also stand as
    they are written.
    """
    fields = []
    for key in wanted:
        value = example.get(key)
        if "." in key or not (value is None or type(value) in (str, int)):
            return None
        fields.append(pa.field(key, pa.int64() if type(value) is int else pa.large_string()))
    return pa.struct(fields)


def parsed(raw: pa.Buffer, fields: Iterable[pa.Field]) -> pa.Table | None:
    """Parse objects that stand one after the other; None if Arrow refuses them."""
    how = pj.ParseOptions(
        explicit_schema=pa.schema(fields),
        unexpected_field_behavior="ignore",
    )
    # One block: what comes back is then one chunk, in order.
    once = pj.ReadOptions(use_threads=False, block_size=raw.size + 1)
    try:
        return pj.read_json(pa.BufferReader(raw), once, how)
    except pa.ArrowInvalid:
        return None


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
