"""Documents, queries and judgements as frozen values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import TypeVar, overload

import numpy as np
import numpy.typing as npt

from mrl_explorer.data.columns import Columns
from mrl_explorer.data.lookup import Lookup
from mrl_explorer.data.strings import Strings
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Records:
    """Documents or queries, in the order of their file; all arrays are read-only.

    Attributes
    ----------
    name : str
        File name as shown to the user.
    ids : Strings
        Unique; where the file has none, the record's position as text ("0", "1", ...).
    has_ids : bool
        Whether the ids come from the file.
    texts, titles, segments : Strings or None
        One each per record, as in the file; None when the file has no such column.
    vectors : (n, full_dim) float32 array or None
        Ready vectors as in the file, not normalised; C-contiguous. Every row has a length that
        float32 can express, so it can be normalised.
    rows : (n,) int64 array
        Where each record stands in its file, for messages: lines of text files counted from 1
        (the first line of a record of several), rows of arrays and Parquet from 0.
    positions : (n,) int64 array
        Which record of the file each is, counted from 0 with those left out.
    n_read : int
        Records in the file, with those left out.
    columns : Columns
        The columns of the file that were read.
    n_empty : int
        Records of the file left out because text and title were empty.
    left_out_ids : frozenset of str
        Ids of the records left out because they were empty.
    source_ids : Strings or None
        The id of the document that each record is a passage of, when documents were split.
    notes : tuple of str
        What a reader should know of how the file was read, in whole sentences.
    """

    name: str
    ids: Strings
    has_ids: bool
    texts: Strings | None
    titles: Strings | None
    segments: Strings | None
    vectors: npt.NDArray[np.float32] | None
    rows: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    n_read: int
    columns: Columns
    n_empty: int
    left_out_ids: frozenset[str]
    source_ids: Strings | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def n_duplicates(self) -> int:
        """Records whose passage (title and text) equals an earlier one's; they stay."""
        if self.texts is None:
            return 0
        # Digests instead of the texts: a set of a gigabyte of texts takes more than one.
        return len(self) - len({digest(passage) for passage in passages(self)})

    def select(self, rows: npt.NDArray[np.integer]) -> "Records":
        """Keep some records.

        Parameters
        ----------
        rows : (m,) integer array
            Indices into these records, each at most once, in the order wanted.

        Returns
        -------
        Records
            The records at `rows`; what is said of the file (`n_read`, `n_empty`,
            `left_out_ids`) stays as it is.
        """
        return replace(
            self,
            ids=self.ids.take(rows),
            texts=_taken(self.texts, rows),
            titles=_taken(self.titles, rows),
            segments=_taken(self.segments, rows),
            source_ids=_taken(self.source_ids, rows),
            vectors=None if self.vectors is None else read_only(self.vectors[rows]),
            rows=read_only(self.rows[rows]),
            positions=read_only(self.positions[rows]),
        )


@dataclass(frozen=True, eq=False)
class Judgements:
    """Human relevance labels (qrels), in the order of their file; all arrays are read-only.

    Attributes
    ----------
    name : str
        File name as shown to the user.
    query_rows, document_rows : (m,) int32 arrays
        Indices into the queries and the documents; a pair occurs once.
    gains : (m,) float32 array
        How relevant the document is to the query; 0 is judged and not relevant.
    """

    name: str
    query_rows: npt.NDArray[np.int32]
    document_rows: npt.NDArray[np.int32]
    gains: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.gains)

    @property
    def n_answered(self) -> int:
        """Queries with a relevant document."""
        return len(np.unique(self.query_rows[self.gains > 0]))

    def of_queries(self, rows: npt.NDArray[np.integer]) -> "Judgements":
        """Keep those by some queries, (n,) rows ascending, with their places among these."""
        kept = np.isin(self.query_rows, rows)
        return replace(
            self,
            query_rows=np.searchsorted(rows, self.query_rows[kept]).astype(np.int32),
            document_rows=self.document_rows[kept],
            gains=self.gains[kept],
        )

    def of_documents(self, rows: npt.NDArray[np.integer]) -> "Judgements":
        """Keep those of some documents, (n,) rows ascending, with their places among these."""
        kept = np.isin(self.document_rows, rows)
        return replace(
            self,
            query_rows=self.query_rows[kept],
            document_rows=np.searchsorted(rows, self.document_rows[kept]).astype(np.int32),
            gains=self.gains[kept],
        )


@dataclass(frozen=True, eq=False)
class Collection:
    """What an evaluation is made on.

    Attributes
    ----------
    documents, queries : Records
        What is searched, and what it is searched for.
    judgements : Judgements or None
        None when the user has none; recall needs none.
    n_unjudged : int
        Queries left out because no judgement names them: a BEIR collection has one file of
        queries for all its splits.
    """

    documents: Records
    queries: Records
    judgements: Judgements | None = None
    n_unjudged: int = 0

    @property
    def unjudged_note(self) -> str:
        """Say how many queries were left out, and why; empty when none were."""
        if not self.n_unjudged:
            return ""
        return (
            f"Queries without a judgement, left out of recall too: {self.n_unjudged:,}, since a "
            "BEIR collection has one file of queries for all its splits. To keep them, give "
            "queries and judgements as files of their own."
        )


def make_records(  # the one place that leaves out empty records and checks ids
    *,
    name: str,
    texts: Sequence[str | None] | None = None,
    titles: Sequence[str | None] | None = None,
    ids: Sequence[str | None] | None = None,
    segments: Sequence[str | None] | None = None,
    vectors: npt.NDArray[np.float32] | None = None,
    rows: Sequence[int] | None = None,
    row_word: str = "row",
    columns: Columns | None = None,
    what: str = "documents",
) -> Records:
    """Make records from columns of equal length.

    Parameters
    ----------
    name : str
        File name as shown to the user.
    texts, titles, ids, segments : sequence of (str or None), optional
        Columns; None in a column is an empty cell.
    vectors : (n, full_dim) float32 array, optional
        Ready vectors as `check_vectors` returns them.
    rows : sequence of int, optional
        Where each record stands in its file; 0, 1, ... by default.
    row_word : str
        What `rows` count: "row" (from 0) or "line" (from 1).
    columns : Columns, optional
        The columns' names in the file.
    what : str
        What the records are, in the plural.

    Returns
    -------
    Records
        The records whose text or title is not empty; all of them when there are no texts.

    Raises
    ------
    InputError
        If nothing is left, an id is missing, or two records have the same id.
    """
    n_read = next((len(c) for c in (rows, texts, vectors) if c is not None), 0)
    rows = range(n_read) if rows is None else rows
    if isinstance(rows, range):
        # Number by number, this would take half as long as reading a Parquet file.
        file_rows = np.arange(rows.start, rows.stop, rows.step, dtype=np.int64)
    else:
        file_rows = np.array(rows, dtype=np.int64)
    text_column, title_column = _column(texts), _column(titles)
    if text_column is None:
        kept = np.arange(n_read)
    else:
        empty = text_column.are_blank()
        if title_column is not None:
            empty &= title_column.are_blank()
        kept = np.flatnonzero(~empty)
    if not len(kept):
        reason = f"every text of the {n_read} is empty" if n_read else "the file is empty"
        raise InputError(f"{name} holds no {what} ({reason}): give at least one.")

    every_id = Strings.numbers(n_read) if ids is None else Strings.of(ids).trimmed()
    if ids is not None:
        _check_ids(every_id, kept=kept, rows=file_rows, row_word=row_word, name=name)
    left_out = np.delete(np.arange(n_read), kept)
    segment_column = _column(segments)
    everything = Records(
        name=name,
        ids=every_id,
        has_ids=ids is not None,
        texts=text_column,
        titles=title_column,
        segments=None if segment_column is None else segment_column.trimmed(),
        vectors=vectors,
        rows=read_only(file_rows),
        positions=read_only(np.arange(n_read, dtype=np.int64)),
        n_read=n_read,
        columns=columns or Columns(),
        n_empty=len(left_out),
        left_out_ids=frozenset(every_id[row] for row in left_out) - {""},
    )
    return everything.select(kept) if len(left_out) else everything


def passages(records: Records) -> Sequence[str]:
    """Return the texts to embed and to show: title and text, joined by a space.

    Parameters
    ----------
    records : Records
        Documents or queries with texts.

    Returns
    -------
    sequence of str
        One passage per record; the text alone where there is no title, and the reverse. They are
        joined when they are asked for.

    Raises
    ------
    InputError
        If the records have vectors only.
    """
    if records.texts is None:
        raise InputError(f"{records.name} holds vectors and no texts: give the texts as well.")
    return records.texts if records.titles is None else _Joined(records.titles, records.texts)


class _Joined(Sequence[str]):
    """Titles and texts, joined one by one."""

    def __init__(self, titles: Strings, texts: Strings) -> None:
        self._titles, self._texts = titles, texts

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...

    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(map(_joined, self._titles[place], self._texts[place]))
        return _joined(self._titles[place], self._texts[place])

    def __iter__(self) -> Iterator[str]:
        return map(_joined, self._titles, self._texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def own_rows(documents: Records, queries: Records) -> npt.NDArray[np.int64]:
    """Find the document that each query itself is.

    Parameters
    ----------
    documents, queries : Records
        Where documents serve as queries.

    Returns
    -------
    (n_queries,) int64 array
        For each query the row among `documents` of the document with the same id or, when
        neither has ids and both are the same file, at the same place; -1 where there is none.

    Raises
    ------
    InputError
        If it cannot be told: only one of them has ids, or the files differ and have none; or if
        no query is a document.
    """
    if documents.source_ids is not None:
        raise InputError(
            "Documents used as queries cannot be left out of their own results when documents are "
            "split into passages: leave the documents whole."
        )
    if documents.has_ids != queries.has_ids:
        without = queries if documents.has_ids else documents
        raise InputError(
            "Documents used as queries cannot be left out of their own results: "
            f"{without.name} has no ids, so give both files ids."
        )
    same_file = (documents.name, documents.n_read) == (queries.name, queries.n_read)
    if not documents.has_ids and not same_file:
        raise InputError(
            "Documents used as queries cannot be left out of their own results: "
            f"{documents.name} and {queries.name} have no ids and are not the same file, so give "
            "both files ids."
        )
    # Without ids the id is the position in the file, so one look-up serves both cases.
    found = Lookup(documents.ids)
    rows = np.array([found.row(query_id) for query_id in queries.ids], dtype=np.int64)
    if (rows < 0).all():
        raise InputError(
            f"No query of {queries.name} has the id of a document in {documents.name}, so there is "
            "nothing to leave out of its own results: give documents as queries, or do not ask for "
            "it."
        )
    return rows


def read_only(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """Return the array, closed for writing: values that are shared must not change."""
    array.setflags(write=False)
    return array


def _joined(title: str, text: str) -> str:
    """Join a title and a text, one of which may be blank."""
    return " ".join(part for part in (title, text) if part.strip())


def digest(text: str) -> bytes:
    """Give a short name of a text's content."""
    return blake2b(text.encode(), digest_size=16).digest()


def _column(cells: Sequence[str | None] | None) -> Strings | None:
    """Return a column that may not be there as `Strings`."""
    return None if cells is None else Strings.of(cells)


def _taken(column: Strings | None, rows: npt.NDArray[np.integer]) -> Strings | None:
    """Return the cells at `rows` of a column that may not be there."""
    return None if column is None else column.take(rows)


def _check_ids(
    ids: Strings,
    *,
    kept: npt.NDArray[np.integer],
    rows: npt.NDArray[np.integer],
    row_word: str,
    name: str,
) -> None:
    """Check that every kept record has an id and that no two records share one."""
    origin = "" if row_word == "line" else " (counted from 0)"
    missing = kept[ids.sizes()[kept] == 0]
    if len(missing):
        raise InputError(
            f"{name}, {row_word} {rows[missing[0]]}{origin}: the id is empty; "
            "give every record an id, or choose no id column."
        )
    if ids.are_rising() or ids.n_distinct() == len(ids):
        return
    first_at: dict[str, int] = {}
    for row, identity in enumerate(ids):
        first = first_at.setdefault(identity, row)
        if identity and first != row:
            raise InputError(
                f"{name}, {row_word} {rows[row]}{origin}: the id {quoted(identity)} is also "
                f"that of {row_word} {rows[first]}; give every record its own id."
            )
