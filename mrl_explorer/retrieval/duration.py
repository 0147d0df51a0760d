"""How long a run will take and how much memory, told before it starts."""

from collections.abc import Collection as Several
from dataclasses import dataclass

from mrl_explorer.data import Collection
from mrl_explorer.embed.description import entry_of
from mrl_explorer.embed.duration import embedding_seconds, operations_a_second
from mrl_explorer.retrieval.config import Config, default_dims

_USUAL_DIM = 768
# The sweep of 40 configurations takes 8 times one float32 search, which is one matrix product
# (benchmarks/README.md), so a configuration takes a fifth of it.
_SHARE_A_CONFIG = 0.2


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What a run is expected to need.

    Attributes
    ----------
    embedding_seconds : float or None
        As `embed.duration.embedding_seconds`.
    ranking_seconds : float
        Of the sweep.
    n_configs : int
        Configurations that are ranked.
    vector_bytes : int
        Memory of all vectors as float32; they are held whole.
    """

    embedding_seconds: float | None
    ranking_seconds: float
    n_configs: int
    vector_bytes: int


def estimate_run(
    collection: Collection,
    *,
    model: str | None,
    dims: Several[int] | None,
    n_quantizations: int,
    bases: Several[str],
) -> RunEstimate:
    """Estimate a run, within a factor of two or three.

    Parameters
    ----------
    collection : Collection
        Documents and queries, with or without vectors.
    model : str or None
        What embeds the texts; None when none is chosen yet.
    dims : collection of int or None
        None for the default ladder.
    n_quantizations : int
        Quantizations a dim.
    bases : collection of str
        Fitted ones are ranked once more on held-out documents.
    """
    documents, queries = collection.documents, collection.queries
    vectors = documents.vectors if documents.vectors is not None else queries.vectors
    entry = entry_of(model) if model else None
    full_dim = entry.full_dim if entry else _USUAL_DIM
    if vectors is not None:
        full_dim = vectors.shape[1]
    ladder = default_dims(full_dim, trained=entry.dims if entry else ()) if dims is None else dims
    a_basis = len({*ladder, full_dim}) * n_quantizations
    # On one half of the documents, beside native there.
    held_out = sum(Config(full_dim, "float32", basis).is_fitted for basis in bases)
    ranked = a_basis * (len(bases) + (held_out + bool(held_out)) / 2)
    product = 2.0 * len(documents) * len(queries) * full_dim / operations_a_second()
    return RunEstimate(
        embedding_seconds(model, collection) if model else None,
        product * max(1.0, _SHARE_A_CONFIG * ranked),
        a_basis * len(bases),
        (len(documents) + len(queries)) * full_dim * 4,
    )
