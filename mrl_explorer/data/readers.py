"""Documents, queries and vectors from files of any kind."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from mrl_explorer.data.collection import Records, make_records, read_only
from mrl_explorer.data.columns import Columns, detect_columns
from mrl_explorer.data.documents import document_columns
from mrl_explorer.data.folders import holds_documents, is_folder, read_folder
from mrl_explorer.data.formats import FORMATS, find_format, format_of, is_one_document
from mrl_explorer.data.lookup import Lookup
from mrl_explorer.data.splitting import WHOLE, Splitting
from mrl_explorer.data.strings import Strings
from mrl_explorer.data.tables import Table
from mrl_explorer.data.wording import listed
from mrl_explorer.errors import InputError

EXTENSIONS = tuple(FORMATS)
"""Endings of the file names that `read_records` knows, beside folders and `.zip`."""


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
    return document_columns(path) if is_folder(path) else format_of(path).list_columns(path)


def read_records(path: Path, *, columns: Columns | None = None, what: str = "documents") -> Records:
    """Read documents, queries or ready vectors.

    Parameters
    ----------
    path : Path
        A file whose name ends in one of `EXTENSIONS`, or a folder or ZIP archive of such files.
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
    if records.source_ids is not None:
        raise InputError(
            f"{path.name} holds vectors of whole documents, and {records.name} is split into "
            "passages: leave the documents whole."
        )
    # Nothing but ids and vectors: an empty text beside a vector must not take it out of the count.
    ids_only = Columns(id=detect_columns(list_columns(path)).id)
    source = _records(path, ids_only, what="vectors")
    if source.vectors is None:
        raise InputError(f"{path.name} holds no vectors: give an NPY, NPZ or Parquet file.")
    if records.has_ids and source.has_ids:
        found = Lookup(source.ids)
        order = np.array([found.row(identity) for identity in records.ids], dtype=np.int64)
        missing = records.ids.take(np.flatnonzero(order < 0))
        if missing:
            raise InputError(
                f"{path.name} has no vector for {len(missing)} of the {len(records)} ids of "
                f"{records.name} ({listed(missing)}): add these vectors."
            )
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


def read_columns(path: Path, columns: Columns) -> Table:
    """Read a file's wanted columns and its vectors.

    Raises
    ------
    InputError
        As `read_records`.
    """
    return read_folder(path, columns) if is_folder(path) else format_of(path).read(path, columns)


def default_splitting(path: Path) -> Splitting:
    """Give how documents are split unless the user says otherwise.

    Files that are one document each are split, since models do not read all of a manual; the rows
    of a table, which someone has cut already, are left whole.
    """
    whole = holds_documents(path) if is_folder(path) else is_one_document(path)
    return Splitting() if whole else WHOLE


def is_whole(path: Path) -> bool:
    """Tell whether a path has no columns to choose: a document, or a folder or archive."""
    return is_folder(path) or is_one_document(path)


def holds_vectors(path: Path) -> bool:
    """Tell whether a file's kind is one of vectors without texts."""
    found = find_format(path.name)
    return found is not None and found.vectors_only


def _records(path: Path, columns: Columns, *, what: str) -> Records:
    """Make records of a file's wanted columns and vectors."""
    table = read_columns(path, columns)

    def cells(name: str | None) -> Strings | None:
        return None if name is None else table.cells[name]

    records = make_records(
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
    return replace(records, notes=table.notes)
