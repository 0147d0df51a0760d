"""Documents, queries and vectors from files: one entry in `_FORMATS` for each format."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mrl_explorer.data.collection import Records, make_records, read_only
from mrl_explorer.data.columns import Columns, detect_columns
from mrl_explorer.data.parquet import parquet_columns, read_parquet
from mrl_explorer.data.tables import (
    Table,
    csv_columns,
    jsonl_columns,
    lines_columns,
    read_csv,
    read_jsonl,
    read_lines,
)
from mrl_explorer.data.vectors import no_columns, npz_columns, read_npy, read_npz
from mrl_explorer.data.wording import listed, quoted
from mrl_explorer.errors import InputError


@dataclass(frozen=True, slots=True)
class _Format:
    """How to read one kind of file.

    Attributes
    ----------
    list_columns : callable
        Returns the names of the columns that can hold text.
    read : callable
        Returns the wanted columns, and the vectors if there are any.
    """

    list_columns: Callable[[Path], tuple[str, ...]]
    read: Callable[[Path, Columns], Table]


_CSV = _Format(csv_columns, read_csv)
_JSONL = _Format(jsonl_columns, read_jsonl)
_LINES = _Format(lines_columns, read_lines)

_FORMATS = {
    ".csv": _CSV,
    ".csv.gz": _CSV,
    ".tsv": _CSV,
    ".tsv.gz": _CSV,
    ".jsonl": _JSONL,
    ".jsonl.gz": _JSONL,
    ".ndjson": _JSONL,
    ".ndjson.gz": _JSONL,
    ".txt": _LINES,
    ".txt.gz": _LINES,
    ".parquet": _Format(parquet_columns, read_parquet),
    ".npy": _Format(no_columns, read_npy),
    ".npz": _Format(npz_columns, read_npz),
}

EXTENSIONS = tuple(_FORMATS)
"""Endings of the file names that `read_records` knows."""


def list_columns(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns that can hold texts, titles, ids or segments.

    Parameters
    ----------
    path : Path
        A file whose name ends in one of `EXTENSIONS`.

    Returns
    -------
    tuple of str
        In the order of the file; empty for files that hold vectors only.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    return _format(path).list_columns(path)


def read_records(path: Path, *, columns: Columns | None = None, what: str = "documents") -> Records:
    """Read documents, queries or ready vectors.

    Parameters
    ----------
    path : Path
        A file whose name ends in one of `EXTENSIONS`.
    columns : Columns, optional
        The columns to read; found by their usual names by default.
    what : str
        What the records are, in the plural, for messages.

    Returns
    -------
    Records
        Texts, vectors or both. Records whose text and title are empty are left out and counted.

    Raises
    ------
    InputError
        If the file cannot be read, breaks the rules of its format, or holds neither texts nor
        vectors.
    """
    records = _records(path, columns or detect_columns(list_columns(path)), what=what)
    if records.texts is None and records.vectors is None:
        raise InputError(
            f"{path.name} has no column with a usual name for texts: choose the text among its "
            f"columns ({listed(list_columns(path))})."
        )
    return records


def with_vectors(records: Records, path: Path) -> Records:
    """Join ready vectors to texts: by id when both have ids, else by row of the file.

    Parameters
    ----------
    records : Records
        Documents or queries.
    path : Path
        A file of vectors.

    Returns
    -------
    Records
        The same records with vectors; vectors of no record are left out.

    Raises
    ------
    InputError
        If the file holds no vectors, a record's id is not among theirs or, without ids, there
        is not one vector for each record of the records' file (empty ones included).
    """
    # Nothing but ids and vectors: an empty text beside a vector must not take it out of the count.
    ids_only = Columns(id=detect_columns(list_columns(path)).id)
    source = _records(path, ids_only, what="vectors")
    if source.vectors is None:
        raise InputError(f"{path.name} holds no vectors: give an NPY, NPZ or Parquet file.")
    if records.has_ids and source.has_ids:
        row_of = {identity: row for row, identity in enumerate(source.ids)}
        missing = [identity for identity in records.ids if identity not in row_of]
        if missing:
            raise InputError(
                f"{path.name} has no vector for {len(missing)} of the {len(records)} ids of "
                f"{records.name} ({listed(missing)}): add these vectors."
            )
        order = np.array([row_of[identity] for identity in records.ids])
    else:
        if len(source) != records.n_read:
            raise InputError(
                f"{path.name} holds {len(source)} vectors and {records.name} {records.n_read} "
                "records: give one vector per record in the same order, or ids in both files."
            )
        order = records.positions
    # Vectors already in order are shared, since a copy may be hundreds of megabytes.
    in_order = np.array_equal(order, np.arange(len(source)))
    vectors = source.vectors if in_order else read_only(source.vectors[order])
    columns = replace(records.columns, vector=source.columns.vector)
    return replace(records, vectors=vectors, columns=columns)


def _records(path: Path, columns: Columns, *, what: str) -> Records:
    """Make records of a file's wanted columns and vectors."""
    table = _format(path).read(path, columns)

    def cells(name: str | None) -> list[str | None] | None:
        return None if name is None else table.cells[name]

    return make_records(
        name=path.name,
        texts=cells(columns.text),
        titles=cells(columns.title),
        ids=cells(columns.id),
        segments=cells(columns.segment),
        vectors=table.vectors,
        rows=table.rows,
        row_word=table.row_word,
        columns=replace(columns, vector=table.vector_column),
        what=what,
    )


def _format(path: Path) -> _Format:
    """Return the format that a file's name declares."""
    name = path.name.lower()
    for extension, found in _FORMATS.items():
        if name.endswith(extension):
            return found
    raise InputError(
        f"{quoted(path.name)} is of no known kind: give a file that ends in "
        f"{', '.join(EXTENSIONS)}."
    )
