"""More of an evaluation that is there: another dimension or basis, or longer lists."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from mrl_explorer.data import Collection, own_rows
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, silent
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, list_documents, vectors_of
from mrl_explorer.retrieval.held_out import HeldOut, held_out_configs, rank_held_out
from mrl_explorer.retrieval.query_subset import with_same_queries
from mrl_explorer.retrieval.rankings import BYTES_PER_PLACE, Rankings

MOST_BYTES = 2 * 10**9
"""What the lists of an evaluation may take on the page."""


def deepest(rankings: Rankings) -> int:
    """Give the depth to which these configurations can be ranked within `MOST_BYTES`."""
    n_lists = len(rankings.configs) * rankings.n_queries
    affordable = MOST_BYTES // (BYTES_PER_PLACE * n_lists)
    return min(rankings.n_docs, max(rankings.depth, affordable))


def extend(
    evaluation: Evaluation,
    collection: Collection,
    *,
    dims: Iterable[int] = (),
    depth: int | None = None,
    trained: Basis | None = None,
    on_progress: OnProgress = silent,
) -> Evaluation:
    """Rank more dims, one more basis, or all configurations deeper.

    Parameters
    ----------
    evaluation : Evaluation
        What there is; it stays as it is.
    collection : Collection
        What it was made on, with vectors; queries that the evaluation left out are passed over.
    dims : iterable of int
        Dims to add, in every quantization and basis of the evaluation that has so many.
    depth : int, optional
        Places in each list; other than those there are, every list is ranked anew.
    trained : Basis, optional
        A trained basis to add, in every dim and quantization of the evaluation; it takes the place
        of the one of its name.

    Returns
    -------
    Evaluation
        With the lists there were, where the depth stays.

    Raises
    ------
    InputError
        If a dim is outside what there is, or the collection is another.
    """
    # numba takes half a second to import, and pages that only read evaluations do without.
    from mrl_explorer.retrieval.sweep import sweep  # noqa: PLC0415

    collection = with_same_queries(collection, evaluation)
    documents, queries = _checked(evaluation, collection)
    if trained is not None:
        evaluation = _exchanged(evaluation, trained)
    rankings = evaluation.rankings
    dims = tuple(dims)
    for dim in dims:
        if not 1 <= dim <= rankings.full_dim:
            raise InputError(
                f"Dimension {dim} is outside 1 to {rankings.full_dim}, the dimensions of these "
                f"vectors: choose one of those."
            )
    if depth is not None and depth < 1:
        raise InputError(f"A depth of {depth} leaves no results: choose 1 or more.")
    wanted = _configs(evaluation, dims)
    depth = rankings.depth if depth is None else min(depth, rankings.n_docs)
    same_depth = depth == rankings.depth
    new = tuple(c for c in wanted if c not in rankings) if same_depth else wanted
    if not new:
        return evaluation
    excluded = (
        own_rows(collection.documents, collection.queries)
        if evaluation.source.exclude_self
        else None
    )
    there = evaluation.held_out
    unheld = new if there is not None or not same_depth else wanted
    ranked = sweep(
        documents,
        queries,
        new,
        bases=evaluation.bases,
        depth=depth,
        excluded=excluded,
        on_progress=on_progress,
    )
    held_out = rank_held_out(
        documents,
        queries,
        unheld,
        depth=depth,
        excluded=excluded,
        rows=None if there is None else there.rows,
        trained=evaluation.bases,
        on_progress=on_progress,
    )
    if same_depth:
        ranked = rankings.joined(ranked, wanted)
        if there is not None:
            held_out = _joined_held_out(there, held_out, wanted)
    return replace(
        evaluation,
        rankings=ranked,
        listed=list_documents(collection.documents, ranked),
        held_out=held_out,
    )


def _checked(evaluation: Evaluation, collection: Collection) -> tuple[np.ndarray, np.ndarray]:
    """Give the vectors, if they are those that the evaluation was made on as far as can be told."""
    rankings = evaluation.rankings
    documents, queries = vectors_of(collection.documents), vectors_of(collection.queries)
    same = (
        documents.shape == (rankings.n_docs, rankings.full_dim)
        and queries.shape[1] == rankings.full_dim
        and collection.queries.ids == evaluation.queries.ids
    )
    if not same:
        raise InputError(
            f"{collection.documents.name} or {collection.queries.name} has changed since this run: "
            "evaluate again on the Data page."
        )
    return documents, queries


def _exchanged(evaluation: Evaluation, trained: Basis) -> Evaluation:
    """Name a trained basis in an evaluation, without the lists of the one that it replaces."""

    def without(rankings: Rankings) -> Rankings:
        kept = [config for config in rankings.configs if config.basis != trained.name]
        return rankings.joined(rankings, kept)

    there = evaluation.held_out
    return replace(
        evaluation,
        rankings=without(evaluation.rankings),
        held_out=None if there is None else replace(there, rankings=without(there.rankings)),
        bases=(*(b for b in evaluation.bases if b.name != trained.name), trained),
    )


def _configs(evaluation: Evaluation, dims: Iterable[int]) -> tuple[Config, ...]:
    """List what there is in order, with every quantization and basis at the new dims.

    A basis that has no lists yet joins at the dims that each quantization has.
    """
    rankings = evaluation.rankings
    widths = {basis.name: basis.out_dim(rankings.full_dim) for basis in evaluation.bases}
    kinds = dict.fromkeys(
        (config.quantization, config.basis)
        for config in rankings.configs
        if config != rankings.baseline
    ) or {("float32", "native"): None}
    bases = {basis for _, basis in kinds}
    unlisted = dict.fromkeys(
        (quantization, basis) for basis in widths if basis not in bases for quantization, _ in kinds
    )
    own_dims = {(c.quantization, c.dim) for c in rankings.configs if c != rankings.baseline}
    cells = [(kind, dim) for kind in (*kinds, *unlisted) for dim in dims]
    cells += [(kind, dim) for kind in unlisted for name, dim in own_dims if name == kind[0]]
    kinds |= unlisted
    added = [
        Config(dim, quantization, basis)
        for (quantization, basis), dim in cells
        if dim <= widths.get(basis, rankings.full_dim)
    ]
    # The baseline may be the only one of its kind, and stands in front whatever its kind.
    place = {kind: number for number, kind in enumerate(kinds)}
    rest = sorted(
        {*rankings.configs, *added} - {rankings.baseline},
        key=lambda config: (place[config.quantization, config.basis], config.dim),
    )
    return (rankings.baseline, *rest)


def _joined_held_out(there: HeldOut, added: HeldOut | None, wanted: tuple[Config, ...]) -> HeldOut:
    if added is None:
        return there
    order = dict.fromkeys([there.rankings.baseline, *held_out_configs(wanted)])
    # A trained basis that has seen this half has no lists of it.
    listed = [c for c in order if c in there.rankings or c in added.rankings]
    return HeldOut(there.rankings.joined(added.rankings, listed), there.rows)
