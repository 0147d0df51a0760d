"""Embed what a collection has as texts and not yet as vectors."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from mrl_explorer.data import Collection, Records, passages
from mrl_explorer.embed.cache import cache_dir, embed
from mrl_explorer.embed.check import check_same_model
from mrl_explorer.embed.models import Kind, Model
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, silent


def needs_model(collection: Collection) -> bool:
    """Whether documents or queries are texts that have no vectors yet."""
    return any(r.vectors is None for r in (collection.documents, collection.queries))


def embed_collection(
    collection: Collection,
    model: Model,
    *,
    cache: Path | None = None,
    on_progress: OnProgress = silent,
) -> Collection:
    """Give documents and queries their vectors, made by one model.

    Parameters
    ----------
    collection : Collection
        Documents and queries; what has vectors already keeps them, the rest gets unit vectors.
    model : Model
        As from `load_model`.
    cache : Path, optional
        Folder of the cache; that of `cache_dir` by default.
    on_progress : OnProgress
        Told as texts are embedded.

    Raises
    ------
    InputError
        If there are neither texts nor vectors, or a text cannot be embedded or gets an all-zero
        vector, which has no direction to compare; or if only one side has vectors and `model` did
        not make them, as three of its texts tell.
    """
    mixed = (collection.documents.vectors is None) != (collection.queries.vectors is None)

    def with_embeddings(records: Records, kind: Kind) -> Records:
        if records.vectors is not None:
            if mixed and records.texts is not None:
                check_same_model(model, passages(records), records.vectors, kind=kind)
            return records
        texts = passages(records)
        vectors = embed(
            model, texts, kind=kind, cache=cache or cache_dir(), on_progress=on_progress
        )
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        zero = np.flatnonzero(norms == 0)
        if len(zero):
            raise InputError(
                f"{records.name}: {len(zero)} texts get an all-zero vector from {model.name}, the "
                f"first at row {records.rows[zero[0]]}: leave these texts out."
            )
        return replace(records, vectors=vectors / norms)

    return replace(
        collection,
        documents=with_embeddings(collection.documents, "document"),
        queries=with_embeddings(collection.queries, "query"),
    )
