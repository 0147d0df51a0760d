"""(query, document) pairs as a collection: one table, a pair a row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mrl_explorer.data.collection import Collection, Judgements, Records, make_records
from mrl_explorer.data.columns import Columns, first_usual
from mrl_explorer.data.readers import list_columns, read_records
from mrl_explorer.data.wording import listed
from mrl_explorer.errors import InputError

_QUERY_NAMES = ("query", "question", "anchor", "sentence1", "queries")
_DOCUMENT_NAMES = ("document", "passage", "answer", "positive", "text", "sentence2", "documents")


def read_pairs(path: Path) -> Collection:
    """Read pairs; texts that occur more than once are one query or document.

    Rows in which either text is empty are left out.

    Raises
    ------
    InputError
        If the file cannot be read, or has no two columns with usual names.
    """
    names = list_columns(path)
    query, document = first_usual(_QUERY_NAMES, names), first_usual(_DOCUMENT_NAMES, names)
    if query is None or document is None:
        raise InputError(
            f"{path.name} has no columns of queries and documents (found: {listed(names)}): name "
            "them 'query' and 'document'."
        )
    queries = read_records(path, columns=Columns(text=query), what="queries")
    documents = read_records(path, columns=Columns(text=document))
    # Each left out its own empty texts: what both kept is a pair.
    both = np.intersect1d(queries.positions, documents.positions, return_indices=True)
    query_rows, unique_queries = _unique(queries, both[1], what="queries")
    document_rows, unique_documents = _unique(documents, both[2], what="documents")
    rows = np.unique(np.column_stack([query_rows, document_rows]), axis=0).astype(np.int32)
    return Collection(
        unique_documents,
        unique_queries,
        Judgements(path.name, rows[:, 0], rows[:, 1], np.ones(len(rows), np.float32)),
    )


def _unique(records: Records, rows: np.ndarray, *, what: str) -> tuple[np.ndarray, Records]:
    """Give the place of each row's text among the unique ones, and these as records."""
    texts: Sequence[str] = records.texts or ()
    places: dict[str, int] = {}
    found = np.array([places.setdefault(texts[row], len(places)) for row in rows], np.int64)
    return found, make_records(name=records.name, texts=list(places), what=what)
