"""Long documents as passages that a model reads whole."""

# ruff: noqa: PLC0415 - the splitter is loaded by the first document that is split.

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mrl_explorer.data.collection import Records
from mrl_explorer.data.documents import PAGE_BREAK
from mrl_explorer.data.tables import Cells
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError

_PASSAGE_ID = re.compile(r"#[0-9]+( \(page [0-9]+\))?$")


@dataclass(frozen=True, slots=True)
class Splitting:
    """How documents are split.

    Attributes
    ----------
    size : int
        Characters of a passage at most; 0 leaves documents whole.
    overlap : int
        Characters at most that a passage repeats of the one before it, so that a thought cut by
        the border is whole in one of them.
    """

    size: int = 1000
    overlap: int = 100

    def __post_init__(self) -> None:
        if self.size and not (self.size >= 20 and 0 <= self.overlap < self.size):
            raise InputError(
                f"Passages of {self.size} characters with an overlap of {self.overlap} cannot be "
                "made: choose a size of at least 20 and an overlap smaller than it."
            )


WHOLE = Splitting(0, 0)


def split_records(records: Records, splitting: Splitting) -> Records:
    """Split each document into passages.

    A document that fits into one passage keeps its id. The passages of another are `id#1`,
    `id#2`, ..., those of a document with pages `id#1 (page 1)`. Each has its document's title and
    segment.

    Parameters
    ----------
    records : Records
        Documents with texts.
    splitting : Splitting
        How long passages are. Borders are those of paragraphs, else sentences, else words, where
        there are any.

    Returns
    -------
    Records
        The passages, with `source_ids`; `WHOLE` gives the documents as they are.

    Raises
    ------
    InputError
        If the documents have vectors, which are of the whole documents, or a passage's id is that
        of another document.
    """
    if not splitting.size:
        return records
    if records.vectors is not None or records.texts is None:
        raise InputError(
            f"{records.name} has vectors of whole documents, so it cannot be split into passages: "
            "leave the documents whole."
        )
    from semantic_text_splitter import TextSplitter

    splitter = TextSplitter(splitting.size, overlap=splitting.overlap)
    sources = array("q")

    def passages() -> Iterator[tuple[str, str]]:
        for row, (identity, text) in enumerate(zip(records.ids, records.texts or (), strict=True)):
            if len(text) <= splitting.size:
                sources.append(row)
                yield identity, text.replace(PAGE_BREAK, "\n")
                continue
            page, read_to = 1, 0
            has_pages = PAGE_BREAK in text
            for number, (start, passage) in enumerate(splitter.chunk_indices(text), start=1):
                sources.append(row)
                page += text.count(PAGE_BREAK, read_to, start)
                read_to = max(read_to, start)
                where = f" (page {page})" if has_pages else ""
                yield f"{identity}#{number}{where}", passage.replace(PAGE_BREAK, "\n")

    cells = Cells(("id", "text"))
    for passage in passages():
        cells.add(0, passage)
    table = cells.table("row")
    ids, texts = table.cells["id"], table.cells["text"]
    if ids.n_distinct() < len(ids):
        known = set(records.ids)
        twice = next(
            i for i, s in zip(ids, sources, strict=True) if i != records.ids[s] and i in known
        )
        raise InputError(
            f"{records.name} holds a document with the id {quoted(twice)}, which is also that of "
            "a passage: rename it, or leave the documents whole."
        )
    rows = np.array(sources)
    of_source = records.select(rows)
    return replace(of_source, ids=ids, texts=texts, source_ids=of_source.ids)


def is_passage_id(identity: str) -> bool:
    """Tell whether an id is one that splitting gave to a passage, such as "manual.pdf#3"."""
    return _PASSAGE_ID.search(identity) is not None
