"""Relevance judgements from BEIR and TREC files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mrl_explorer.data.collection import Judgements, Records, read_only
from mrl_explorer.data.files import text_lines
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError

_LARGEST_GAIN = float(np.finfo(np.float32).max)


def read_judgements(path: Path, documents: Records, queries: Records) -> Judgements:
    """Read judgements (qrels) of these documents for these queries.

    Parameters
    ----------
    path : Path
        BEIR: query id, document id and gain between tabs, with or without a header. TREC: query
        id, an ignored column, document id and gain between white space. Gzipped when the name
        ends in `.gz`.
    documents, queries : Records
        With ids from their files.

    Returns
    -------
    Judgements
        In the order of the file. Negative gains are 0; a repeated line counts once; judgements
        of records that were left out as empty are left out too.

    Raises
    ------
    InputError
        If a line is of neither form, names an id that does not exist, gives a gain that is not
        a number, or contradicts an earlier one, with that line; or if nothing is left.
    """
    for records in (documents, queries):
        if not records.has_ids:
            raise InputError(
                f"{path.name} names records by id and {records.name} has no ids: add an id column."
            )
    query_rows = {identity: row for row, identity in enumerate(queries.ids)}
    document_rows = {identity: row for row, identity in enumerate(documents.ids)}
    gains: dict[tuple[int, int], float] = {}
    lines: dict[tuple[int, int], int] = {}
    for line, query_id, document_id, gain in _judged(path, queries):
        if query_id in queries.left_out_ids or document_id in documents.left_out_ids:
            continue
        if query_id not in query_rows or document_id not in document_rows:
            missing = queries if query_id not in query_rows else documents
            identity = query_id if missing is queries else document_id
            raise InputError(
                f"{path.name}, line {line}: the id {quoted(identity)} is not in {missing.name}; "
                "add the record or remove the line."
            )
        pair = query_rows[query_id], document_rows[document_id]
        if gains.setdefault(pair, gain) != gain:
            raise InputError(
                f"{path.name}, line {line}: the gain {gain:g} contradicts the {gains[pair]:g} of "
                f"line {lines[pair]} for the same query and document; remove one of the lines."
            )
        lines.setdefault(pair, line)
    if not gains:
        raise InputError(f"{path.name} holds no judgements of these documents: give at least one.")
    pairs = np.array(list(gains), dtype=np.int32)
    return Judgements(
        name=path.name,
        query_rows=read_only(pairs[:, 0].copy()),
        document_rows=read_only(pairs[:, 1].copy()),
        gains=read_only(np.array(list(gains.values()), dtype=np.float32)),
    )


def _judged(path: Path, queries: Records) -> Iterator[tuple[int, str, str, float]]:
    """Yield each judgement's line, query id, document id and gain; a header is skipped."""
    query_ids = {*queries.ids, *queries.left_out_ids}
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        query_id, document_id, written = _fields(line, where=where)
        gain = _gain(written)
        if gain is not None:
            yield number, query_id, document_id, gain
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
        number = float(text)
    except ValueError:
        return None
    return max(number, 0.0) if abs(number) <= _LARGEST_GAIN else None
