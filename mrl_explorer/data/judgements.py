"""Relevance judgements from BEIR and TREC files, and from tables with named columns."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mrl_explorer.data.collection import Judgements, Records, read_only
from mrl_explorer.data.columns import Columns, first_usual
from mrl_explorer.data.files import text_lines
from mrl_explorer.data.lookup import Lookup
from mrl_explorer.data.readers import list_columns, read_columns
from mrl_explorer.data.wording import listed, quoted
from mrl_explorer.errors import InputError

_LARGEST_GAIN = float(np.finfo(np.float32).max)

# In order of preference; compared in lower case.
_QUERY_NAMES = ("query-id", "query_id", "queryid", "qid", "question_id", "query", "q_id")
_DOCUMENT_NAMES = (
    *("corpus-id", "corpus_id", "document_id", "document-id", "doc_id", "docid", "docno"),
    *("passage_id", "pid", "document", "doc", "d_id", "id"),
)
_GAIN_NAMES = (
    *("score", "gain", "relevance", "rel", "relevant", "label", "grade", "rating"),
    *("judgement", "judgment"),
)
_TABLES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".parquet")

JUDGEMENT_EXTENSIONS = (*_TABLES, ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".qrels", ".gz")
"""Endings of the names of files of judgements."""

# Where a judgement stands: what is counted there, and how many.
_Place = tuple[str, int]


def read_judgements(path: Path, documents: Records, queries: Records) -> Judgements:
    """Read judgements (qrels) of these documents for these queries.

    Parameters
    ----------
    path : Path
        A table (CSV, JSONL, JSON, Parquet, or TSV) whose columns have usual names for the query's
        id, the document's id and the gain, in any order. Or BEIR: query id, document id and gain
        between tabs, with or without a header. Or TREC: query id, an ignored column, document id
        and gain between white space. Text may be gzipped, with a name that ends in `.gz`.
    documents, queries : Records
        With ids from their files.

    Returns
    -------
    Judgements
        In the order of the file. Negative gains are 0; a repeated line counts once; judgements
        of records that were left out as empty are left out too. A judgement that names a document
        which was split holds for each of its passages.

    Raises
    ------
    InputError
        If a line is of no known form, names an id that does not exist, gives a gain that is not
        a number, or contradicts an earlier one, with that line; or if nothing is left, or
        nothing is relevant.
    """
    for records in (documents, queries):
        if not records.has_ids:
            raise InputError(
                f"{path.name} names records by id and {records.name} has no ids: add an id column."
            )
    query_row_of, document_rows_of = Lookup(queries.ids), _DocumentRows(documents)
    gains: dict[tuple[int, int], float] = {}
    places: dict[tuple[int, int], _Place] = {}
    for place, query_id, document_id, gain in _judged(path, queries):
        if query_id in queries.left_out_ids or document_id in documents.left_out_ids:
            continue
        query_row, document_rows = query_row_of.row(query_id), document_rows_of.rows(document_id)
        if query_row < 0 or not document_rows:
            missing, identity = (queries, query_id) if query_row < 0 else (documents, document_id)
            raise InputError(
                f"{_worded(path, place)}: the id {quoted(identity)} is not in {missing.name}; "
                "add the record or remove the line."
            )
        for document_row in document_rows:
            pair = query_row, document_row
            if gains.setdefault(pair, gain) != gain:
                word, number = places[pair]
                raise InputError(
                    f"{_worded(path, place)}: the gain {gain:g} contradicts the {gains[pair]:g} of "
                    f"{word} {number} for the same query and document; remove one of the lines."
                )
            places.setdefault(pair, place)
    if not gains:
        raise InputError(f"{path.name} holds no judgements of these documents: give at least one.")
    if max(gains.values()) <= 0:
        raise InputError(
            f"{path.name} calls no document relevant (every gain is 0 or less): nothing is there "
            "to measure relevance by: give gains above 0, or no judgements."
        )
    pairs = np.array(list(gains), dtype=np.int32)
    return Judgements(
        name=path.name,
        query_rows=read_only(pairs[:, 0].copy()),
        document_rows=read_only(pairs[:, 1].copy()),
        gains=read_only(np.array(list(gains.values()), dtype=np.float32)),
    )


class _DocumentRows:
    """The rows that a document's id stands for: several when it was split into passages."""

    def __init__(self, documents: Records) -> None:
        self._own = Lookup(documents.ids)
        self._passages: dict[str, list[int]] = {}
        for row, source in enumerate(documents.source_ids or ()):
            self._passages.setdefault(source, []).append(row)
        self._sources = Lookup(self._passages)
        self._rows = list(self._passages.values())

    def rows(self, identity: str) -> list[int]:
        """Give the rows of an id, none when there is no such document."""
        source = self._sources.row(identity)
        if source >= 0:
            return self._rows[source]
        row = self._own.row(identity)
        return [] if row < 0 else [row]


def _worded(path: Path, place: _Place) -> str:
    """Say where in a file a judgement stands."""
    word, number = place
    return f"{path.name}, {word} {number}{'' if word == 'line' else ' (counted from 0)'}"


def _judged(path: Path, queries: Records) -> Iterator[tuple[_Place, str, str, float]]:
    """Yield each judgement's place, query id, document id and gain."""
    columns = _named_columns(path)
    return _of_table(path, columns) if columns else _of_lines(path, queries)


def _named_columns(path: Path) -> tuple[str, str, str] | None:
    """Find the columns of a table; None for BEIR's and TREC's own forms."""
    name = path.name.lower()
    is_table = name.endswith(_TABLES)
    if not is_table and not name.endswith((".tsv", ".tsv.gz")):
        return None
    names = list_columns(path)
    found = [first_usual(usual, names) for usual in (_QUERY_NAMES, _DOCUMENT_NAMES, _GAIN_NAMES)]
    query, document, gain = found
    if query is not None and document is not None and gain is not None:
        # BEIR's own form is read as lines, so that a quotation mark in an id is only that.
        in_order = not is_table and list(names) == found
        return None if in_order else (query, document, gain)
    if not is_table:
        return None
    missing = [
        what
        for what, column in zip(("query's id", "document's id", "gain"), found, strict=True)
        if column is None
    ]
    raise InputError(
        f"{path.name} has no column with a usual name for the {' or the '.join(missing)} (its "
        f"columns: {listed(names)}): call them query-id, corpus-id and score."
    )


def _of_table(
    path: Path, columns: tuple[str, str, str]
) -> Iterator[tuple[_Place, str, str, float]]:
    """Read judgements from named columns."""
    query, document, gain = columns
    table = read_columns(path, Columns(id=query, title=document, text=gain))
    cells = (table.cells[column] for column in columns)
    for row, query_id, document_id, written in zip(table.rows, *cells, strict=True):
        place = table.row_word, row
        number = _gain(written)
        if number is None:
            raise InputError(
                f"{_worded(path, place)}: the gain {quoted(written)} is not a number; correct it."
            )
        yield place, query_id.strip(), document_id.strip(), number


def _of_lines(path: Path, queries: Records) -> Iterator[tuple[_Place, str, str, float]]:
    """Read judgements in the forms of BEIR and TREC; a header is skipped."""
    query_ids = {*queries.ids, *queries.left_out_ids}
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        query_id, document_id, written = _fields(line, where=where)
        gain = _gain(written)
        if gain is not None:
            yield ("line", number), query_id, document_id, gain
        elif number > 1 or query_id in query_ids:
            raise InputError(f"{where}: the gain {quoted(written)} is not a number; correct it.")


def _fields(line: str, *, where: str) -> tuple[str, str, str]:
    """Return a line's query id, document id and gain."""
    match line.split("\t"):
        case [query_id, document_id, gain]:
            return query_id.strip(), document_id.strip(), gain.strip()
    match line.split():
        case [query_id, _, document_id, gain]:
            return query_id, document_id, gain
    raise InputError(
        f"{where}: neither query id, document id and gain between tabs (BEIR) nor the four "
        "columns of TREC qrels; write one of these."
    )


def _gain(text: str) -> float | None:
    """Return a gain, at least 0, or None when the text is not a number that float32 can hold."""
    try:
        number = {"true": 1.0, "false": 0.0}.get(text.strip().lower()) if text else None
        number = float(text) if number is None else number
    except ValueError:
        return None
    return max(number, 0.0) if abs(number) <= _LARGEST_GAIN else None
