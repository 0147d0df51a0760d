"""Folders and ZIP archives of files, each a document or a table of them."""

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from mrl_explorer.data.archive import archive_members, unpacked
from mrl_explorer.data.columns import Columns, detect_columns
from mrl_explorer.data.documents import COLUMNS
from mrl_explorer.data.files import reading
from mrl_explorer.data.formats import Format, find_format
from mrl_explorer.data.strings import Strings
from mrl_explorer.data.tables import Cells, Table, encodable
from mrl_explorer.data.wording import listed, quoted
from mrl_explorer.errors import InputError

_NOT_DOCUMENTS = ("queries", "query", "qrels", "judgements", "judgments")
"""Names, without endings, of files that lie beside documents and are none."""

_SHOWN_PROBLEMS = 3


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder or an archive of one."""
    return path.is_dir() or path.name.lower().endswith(".zip")


def folder_names(path: Path) -> list[str]:
    """Return the names of the files in a folder or archive, with `/` between their parts.

    Hidden files, and those that lead out of the folder, are left out.

    Raises
    ------
    InputError
        If the folder or archive cannot be read.
    """
    if not path.is_dir():
        names = [name.replace("\\", "/") for name in archive_members(path)]
    else:
        root = path.resolve()
        names = []
        with reading(path):
            for folder, _, files in os.walk(path):
                for name in files:
                    file = Path(folder) / name
                    if file.is_file() and file.resolve().is_relative_to(root):
                        names.append(file.relative_to(path).as_posix())
    return sorted(name for name in names if not _is_hidden(name))


def content_stamp(path: Path) -> str:
    """Tell one content of a file or folder from the next by names, sizes and times.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with reading(path):
        files = [path / name for name in folder_names(path)] if path.is_dir() else [path]
        stats = [(str(file), file.stat()) for file in files]
    digest = blake2b(digest_size=16)
    for name, stat in stats:
        digest.update(repr((name, stat.st_mtime_ns, stat.st_size)).encode(errors="replace"))
    return digest.hexdigest()


def holds_documents(path: Path) -> bool:
    """Tell whether any of a folder's files is one whole document."""
    formats = (find_format(name) for name in folder_names(path))
    return any(found is not None and found.read_document is not None for found in formats)


def read_folder(path: Path, columns: Columns) -> Table:
    """Read the documents of a folder or ZIP archive, in the order of their names.

    Parameters
    ----------
    path : Path
        Text, Markdown, HTML, PDF and DOCX files are a document each, with their path in the
        folder as id. Tables give a document a row, with the row's own id, else `name:row`.
    columns : Columns
        `id`, `title` and `text`, as far as they are wanted.

    Returns
    -------
    Table
        What was left out is said in `notes`.

    Raises
    ------
    InputError
        If the folder cannot be read or nothing in it can.
    """
    found = _Found(Cells(COLUMNS))
    with _files(path) as folder:
        for name in folder_names(folder):
            found.read(folder, name)
    found.check(path.name)
    table = found.cells.table("row", notes=found.notes())
    found.check_ids(table.cells["id"], path.name)
    return Table(
        cells={name: table.cells[name] for name in columns.of_text},
        rows=table.rows,
        row_word="row",
        notes=table.notes,
    )


@dataclass
class _Found:
    """What was met in a folder so far."""

    cells: Cells
    others: Counter[str] = field(default_factory=Counter)
    companions: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    first_rows: list[tuple[int, str]] = field(default_factory=list)

    def read(self, folder: Path, name: str) -> None:
        """Read one file, or remember why not."""
        kind = find_format(name)
        stem = PurePosixPath(name).name.partition(".")[0].lower()
        if kind is None or kind.vectors_only:
            self.others[PurePosixPath(name).suffix or "no ending"] += 1
        elif stem in _NOT_DOCUMENTS and kind.read_document is None:
            self.companions.append(name)
        else:
            self.first_rows.append((len(self.cells.rows), name))
            try:
                for record in _records(kind, folder, name):
                    self.cells.add(len(self.cells.rows), record)
            except InputError as problem:
                # One damaged file among hundreds is no reason to read none of them.
                self.problems.append(str(problem))

    def check(self, name: str) -> None:
        """Raise an `InputError` when there is nothing to go on with."""
        if self.cells.rows:
            return
        if self.problems:
            raise InputError(f"{name} holds no file that can be read: {self.problems[0]}")
        raise InputError(
            f"{name} holds no documents: give a folder or ZIP archive of Markdown, HTML, PDF, "
            "DOCX, text or table files, or a BEIR collection with corpus.jsonl."
        )

    def check_ids(self, ids: Strings, name: str) -> None:
        """Raise an `InputError` that names the files when two of them give the same id."""
        if ids.n_distinct() == len(ids):
            return
        first_at: dict[str, int] = {}
        for row, identity in enumerate(map(str.strip, ids)):
            first = first_at.setdefault(identity, row)
            if first != row:
                raise InputError(
                    f"{name}: the id {quoted(identity)} is in {self._file(first)} and in "
                    f"{self._file(row)}; give every document its own id, or give one of the files."
                )

    def _file(self, row: int) -> str:
        place = bisect_right(self.first_rows, row, key=lambda start: start[0])
        return self.first_rows[place - 1][1]

    def notes(self) -> list[str]:
        """Say what was left out."""
        notes = []
        if self.others:
            n = self.others.total()
            kinds = ", ".join(sorted(self.others)[:8])
            notes.append(f"{_files_are(n)} of other kinds and left out ({kinds}).")
        if self.companions:
            notes.append(
                f"{listed(self.companions)} left out, as the name is that of queries or "
                "judgements: give them in their own fields."
            )
        if self.problems:
            shown = " ".join(self.problems[:_SHOWN_PROBLEMS])
            notes.append(f"{_files_are(len(self.problems))} unreadable and left out. {shown}")
        return notes


def _files_are(n: int) -> str:
    return "1 file is" if n == 1 else f"{n:,} files are"


def _records(kind: Format, folder: Path, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield id, title and text of each document in a file."""
    path = folder / name
    if kind.read_document is not None:
        title, text = kind.read_document(path)
        yield encodable(name), encodable(title), encodable(text)
        return
    columns = detect_columns(kind.list_columns(path))
    if columns.text is None:
        raise InputError(f"{name} has no column with a usual name for texts: rename it to text.")
    table = kind.read(path, Columns(text=columns.text, title=columns.title, id=columns.id))
    for place, row in enumerate(table.rows):
        identity = table.cells[columns.id][place] if columns.id else f"{name}:{row}"
        title = table.cells[columns.title][place] if columns.title else ""
        yield identity, title, table.cells[columns.text][place]


@contextmanager
def _files(path: Path) -> Iterator[Path]:
    """Give the folder that a path is or holds."""
    if path.is_dir():
        yield path
    else:
        with unpacked(path) as folder:
            yield folder


def _is_hidden(name: str) -> bool:
    """Tell whether a file is one that systems put beside the user's own."""
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
