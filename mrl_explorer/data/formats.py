"""The kinds of files that can be read: one entry in `FORMATS` for each ending."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mrl_explorer.data import documents
from mrl_explorer.data.columns import Columns
from mrl_explorer.data.delimited import csv_columns, read_csv
from mrl_explorer.data.files import reading
from mrl_explorer.data.hdf5 import read_hdf5
from mrl_explorer.data.json_file import json_columns, read_json
from mrl_explorer.data.json_lines import jsonl_columns, read_jsonl
from mrl_explorer.data.parquet import parquet_columns, read_parquet
from mrl_explorer.data.tables import Table, lines_columns, read_lines
from mrl_explorer.data.vectors import no_columns, npz_columns, read_npy, read_npz
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError


@dataclass(frozen=True, slots=True)
class Format:
    """How to read one kind of file.

    Attributes
    ----------
    list_columns : callable
        Returns the names of the columns that can hold text.
    read : callable
        Returns the wanted columns, and the vectors if there are any.
    read_document : callable or None
        Reads the file as one document. None for tables, whose rows are the documents.
    vectors_only : bool
        Whether files of this kind hold no texts.
    """

    list_columns: Callable[[Path], tuple[str, ...]]
    read: Callable[[Path, Columns], Table]
    read_document: Callable[[Path], documents.Document] | None = None
    vectors_only: bool = False


def _document(read: Callable[[Path], documents.Document]) -> Format:
    return Format(documents.document_columns, documents.whole_file(read), read)


_CSV = Format(csv_columns, read_csv)
_JSONL = Format(jsonl_columns, read_jsonl)
# One text a line by itself, and one document among the files of a folder.
_TXT = Format(lines_columns, read_lines, documents.read_text)
_JSON = Format(json_columns, read_json)
_MARKDOWN = _document(documents.read_markdown)
_HTML = _document(documents.read_html)
_HDF5 = Format(no_columns, read_hdf5, vectors_only=True)

FORMATS = {
    ".csv": _CSV,
    ".csv.gz": _CSV,
    ".tsv": _CSV,
    ".tsv.gz": _CSV,
    ".jsonl": _JSONL,
    ".jsonl.gz": _JSONL,
    ".ndjson": _JSONL,
    ".ndjson.gz": _JSONL,
    ".json": _JSON,
    ".json.gz": _JSON,
    ".txt": _TXT,
    ".txt.gz": _TXT,
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".html": _HTML,
    ".htm": _HTML,
    ".pdf": _document(documents.read_pdf),
    ".docx": _document(documents.read_docx),
    ".parquet": Format(parquet_columns, read_parquet),
    ".npy": Format(no_columns, read_npy, vectors_only=True),
    ".npz": Format(npz_columns, read_npz, vectors_only=True),
    ".h5": _HDF5,
    ".hdf5": _HDF5,
}


def find_format(name: str) -> Format | None:
    """Return the format that a file's name declares, if it is a known one."""
    lower = name.lower()
    return next((found for ending, found in FORMATS.items() if lower.endswith(ending)), None)


def format_of(path: Path) -> Format:
    """Return the format that a file's name declares.

    Raises
    ------
    InputError
        If there is no such file, it is of no known kind, or it is empty.
    """
    found = find_format(path.name)
    with reading(path):
        size = path.stat().st_size
    if found is None:
        raise InputError(
            f"{quoted(path.name)} is of no known kind: give a file that ends in "
            f"{', '.join(FORMATS)}."
        )
    if not size:
        raise InputError(f"{path.name} is empty: give a file that holds something.")
    return found


def is_one_document(path: Path) -> bool:
    """Tell whether a file by itself is one document, not a table of them."""
    found = find_format(path.name)
    return found is not None and found.list_columns is documents.document_columns
