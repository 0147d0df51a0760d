"""An evaluation: ranked lists, and all that is needed to read them."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mrl_explorer.data import Collection, Judgements, Records, is_passage_id, own_rows
from mrl_explorer.embed import Origin
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, silent
from mrl_explorer.retrieval.basis import (
    BASES,
    DEFAULT_BASES,
    ROWS_AT_ONCE,
    RUN_BASES,
    Basis,
    fit_bases,
)
from mrl_explorer.retrieval.config import Config, default_dims, grid
from mrl_explorer.retrieval.held_out import LEAST_DOCUMENTS, HeldOut, rank_held_out
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS
from mrl_explorer.retrieval.rankings import Rankings

DEFAULT_DEPTH = 100
UNIT_TOLERANCE = 1e-3
"""A norm this close to 1 is unit length: float16 vectors and rounded exports are."""

NORM_SPREAD = 0.05
"""Norms that spread further than this carry information that cosine throws away."""


@dataclass(frozen=True, eq=False)
class Listed:
    """The documents that occur in a ranked list: what a reader of the lists can be shown.

    Attributes
    ----------
    rows : np.ndarray
        (n,) int32, ascending: rows among all documents.
    ids, titles, texts : tuple of str
        One each per row; titles and texts are empty where the data had none.
    """

    rows: np.ndarray
    ids: tuple[str, ...]
    titles: tuple[str, ...]
    texts: tuple[str, ...]

    @cached_property
    def unit(self) -> str:
        """What the rows are, in the plural: documents, or passages where these were split."""
        return "passages" if any(map(is_passage_id, self.ids)) else "documents"

    def place(self, row: int) -> int:
        """Give the index of a document row in these columns.

        Raises
        ------
        KeyError
            If the document occurs in no list.
        """
        place = int(np.searchsorted(self.rows, row))
        if place == len(self.rows) or self.rows[place] != row:
            raise KeyError(row)
        return place

    def shown(self, rows: Iterable[int]) -> dict[int, tuple[str, str, str]]:
        """Give (id, title, text) of document rows."""
        places = {row: self.place(row) for row in rows}
        return {row: (self.ids[at], self.titles[at], self.texts[at]) for row, at in places.items()}


@dataclass(frozen=True, eq=False)
class Queries:
    """The queries of an evaluation.

    Attributes
    ----------
    ids : tuple of str
        One per query.
    texts : tuple of str
        Empty where the data had vectors only.
    segments : tuple of str or None
        None when the data had no such column.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    segments: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Source:
    """Where the numbers come from, as understood from the data.

    Attributes
    ----------
    documents, queries : str
        Names of the files.
    model : str or None
        The model that made the vectors; None when they came ready and it is not known.
    trained_dims : tuple of int
        Dims that the model was trained to be cut at; empty when not known.
    notes : tuple of str
        Whole sentences on what the reader should know about the data.
    exclude_self : bool
        Whether each document used as a query was left out of its own list.
    query_prompt, document_prompt : str or None
        What the model was given before each query and document; None when the vectors came ready.
    """

    documents: str
    queries: str
    model: str | None = None
    trained_dims: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    exclude_self: bool = False
    query_prompt: str | None = None
    document_prompt: str | None = None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One run: every page, the command line and the file form start from this value.

    Attributes
    ----------
    rankings : Rankings
        A list per configuration and query.
    listed : Listed
        The documents in them.
    queries : Queries
        What was searched for.
    judgements : Judgements or None
        Human relevance labels; rows are those of all documents.
    source : Source
        Where it comes from.
    bases : tuple of Basis
        The bases of the lists but for the native one: whoever searches anew uses the same axes.
    held_out : HeldOut or None
        Fitted bases on documents that they were not fitted on; None when nothing was fitted.
    """

    rankings: Rankings
    listed: Listed
    queries: Queries
    judgements: Judgements | None
    source: Source
    bases: tuple[Basis, ...] = ()
    held_out: HeldOut | None = None

    @cached_property
    def half(self) -> "Evaluation | None":
        """The held-out lists as an evaluation of their own, with what is judged among them."""
        held_out, judged = self.held_out, self.judgements
        if held_out is None:
            return None
        if judged is not None:
            judged = judged.of_documents(held_out.rows)
        return replace(self, rankings=held_out.rankings, judgements=judged, held_out=None)


def evaluate(
    collection: Collection,
    *,
    dims: Iterable[int] | None = None,
    quantizations: Iterable[str] = DEFAULT_QUANTIZATIONS,
    bases: Iterable[str] = DEFAULT_BASES,
    given: Iterable[Basis] = (),
    depth: int = DEFAULT_DEPTH,
    exclude_self: bool = False,
    model: str | None = None,
    trained_dims: tuple[int, ...] = (),
    on_progress: OnProgress = silent,
) -> Evaluation:
    """Rank every combination of dims, quantizations and bases on a collection.

    Parameters
    ----------
    collection : Collection
        Documents and queries with vectors, of the same model.
    dims : iterable of int, optional
        Dims to keep; by default those of `default_dims`.
    quantizations, bases : iterable of str
        Names of entries of `QUANTIZATIONS` and of `RUN_BASES`.
    given : iterable of Basis
        Bases that are ready, such as a trained adapter; they are ranked beside `bases`.
    depth : int
        Places in each list; it bounds k x oversample afterwards.
    exclude_self : bool
        Leave a document that is used as a query out of its own list.
    model : str, optional
        Name of the model that made the vectors, for the record.
    trained_dims : tuple of int
        Dims it was trained to be cut at; they join the default dims.
    on_progress : callable
        Told as the work goes on; what it raises stops it.

    Raises
    ------
    InputError
        If vectors are missing, dims disagree, there are fewer than two documents, or a name or a
        dim is not known.
    """
    # numba takes half a second to import, and pages that only read evaluations do without.
    from mrl_explorer.retrieval.sweep import sweep  # noqa: PLC0415

    documents, queries = collection.documents, collection.queries
    document_vectors, query_vectors = vectors_of(documents), vectors_of(queries)
    full_dim = document_vectors.shape[1]
    if query_vectors.shape[1] != full_dim:
        raise InputError(
            f"{documents.name} has vectors of {full_dim} dimensions and {queries.name} of "
            f"{query_vectors.shape[1]}: embed both with the same model."
        )
    if len(documents) < 2:
        raise InputError(
            f"{documents.name} holds one document, and a ranking needs at least two: add more."
        )
    if depth < 1:
        raise InputError(f"A depth of {depth} leaves no results: choose 1 or more.")
    for what, values in (("quantizations", quantizations), ("bases", bases)):
        if isinstance(values, str):
            raise InputError(f"'{values}' is one name and {what} are a list: write ['{values}'].")
    if dims is None:
        dims = default_dims(full_dim, trained=trained_dims)
    ready = {basis.name: basis for basis in given}
    names = dict.fromkeys([*_checked_names(bases, ready), *ready])
    configs = tuple(
        config
        for config in grid(full_dim, dims=dims, quantizations=quantizations, bases=names)
        if config.basis not in ready or config.dim <= ready[config.basis].out_dim(full_dim)
    )
    unfitted = [name for name in names if name not in {"native", *ready}]
    fitted = fit_bases(unfitted, document_vectors, on_progress=on_progress)
    excluded = own_rows(documents, queries) if exclude_self else None
    rankings = sweep(
        document_vectors,
        query_vectors,
        configs,
        bases=(*ready.values(), *fitted),
        depth=depth,
        excluded=excluded,
        on_progress=on_progress,
    )
    held_out = rank_held_out(
        document_vectors,
        query_vectors,
        configs,
        depth=depth,
        excluded=excluded,
        trained=ready.values(),
        on_progress=on_progress,
    )
    source = Source(
        documents=documents.name,
        queries=queries.name,
        model=model,
        trained_dims=tuple(d for d in trained_dims if d <= full_dim),
        notes=(
            *_notes(collection, exclude_self=exclude_self),
            *_held_out_notes(configs, n_docs=len(documents)),
        ),
        exclude_self=exclude_self,
    )
    return Evaluation(
        rankings,
        list_documents(documents, rankings),
        Queries(
            tuple(queries.ids),
            tuple(queries.texts or ("",) * len(queries)),
            None if queries.segments is None else tuple(queries.segments),
        ),
        collection.judgements,
        source,
        (*ready.values(), *fitted),
        held_out,
    )


def record_origin(evaluation: Evaluation, origin: Origin) -> Evaluation:
    """Keep with an evaluation how its vectors came about, so that a new query gets the same."""
    source = replace(
        evaluation.source,
        query_prompt=origin.query_prompt,
        document_prompt=origin.document_prompt,
        notes=(*evaluation.source.notes, *origin.notes),
    )
    return replace(evaluation, source=source)


def _checked_names(bases: Iterable[str], ready: Container[str]) -> Iterable[str]:
    """Refuse a basis that only training makes, where it is not given."""
    for name in bases:
        if name in BASES and name not in RUN_BASES and name not in ready:
            raise InputError(
                f"The basis '{name}' is not made from documents: choose among "
                f"{', '.join(RUN_BASES)}."
            )
        yield name


def vectors_of(records: Records) -> np.ndarray:
    """Give the vectors of records: (n, full_dim) float32.

    Raises
    ------
    InputError
        If they have none.
    """
    if records.vectors is None:
        raise InputError(
            f"{records.name} holds texts and no vectors: name a model to embed them with."
        )
    return records.vectors


def list_documents(documents: Records, rankings: Rankings) -> Listed:
    """Collect the documents that occur in any of the lists."""
    rows = np.unique(rankings.ids)
    rows = rows[rows >= 0]
    empty = ("",) * len(documents)

    def column(cells: Sequence[str] | None) -> tuple[str, ...]:
        cells = cells or empty
        return tuple(cells[row] for row in rows)

    return Listed(rows, column(documents.ids), column(documents.titles), column(documents.texts))


def _notes(collection: Collection, *, exclude_self: bool) -> Iterable[str]:
    """Say in whole sentences what a reader of the numbers should know about the data."""
    for records in (collection.documents, collection.queries):
        if records.n_empty:
            yield f"Empty texts in {records.name}, left out: {records.n_empty:,}."
        if records.n_duplicates:
            yield (
                f"{records.n_duplicates} texts in {records.name} repeat an earlier one; copies "
                "tie, and a tie counts as found."
            )
        yield from records.notes
    # Documents and queries may be of one file, as those of ann-benchmarks are.
    is_one_file = collection.documents.name == collection.queries.name
    for records, what in ((collection.documents, "documents"), (collection.queries, "queries")):
        place = f"{records.name} ({what})" if is_one_file else records.name
        yield from _norm_notes(records, place)
    if collection.unjudged_note:
        yield collection.unjudged_note
    if exclude_self:
        yield (
            "Documents serve as queries, each left out of its own results. That overstates recall: "
            "real queries are shorter, and worded otherwise, than documents."
        )


def _held_out_notes(configs: Iterable[Config], *, n_docs: int) -> Iterable[str]:
    if n_docs < LEAST_DOCUMENTS and any(config.is_fitted for config in configs):
        yield (
            f"{n_docs} documents are too few to fit a basis on one half and measure it on the "
            "other, so there is no held-out figure."
        )


def _norm_notes(records: Records, place: str) -> Iterable[str]:
    vectors = vectors_of(records)
    least, most = np.inf, 0.0
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        norms = np.linalg.norm(vectors[start : start + ROWS_AT_ONCE], axis=1)
        least, most = min(least, norms.min()), max(most, norms.max())
    if max(1 - least, most - 1) <= UNIT_TOLERANCE:
        return
    yield f"Vectors in {place} were not unit length and have been normalised."
    if most > least * (1 + NORM_SPREAD):
        yield (
            f"Their norms run from {least:.3g} to {most:.3g}: if your model is meant for inner "
            "products, cosine ranks differently."
        )
