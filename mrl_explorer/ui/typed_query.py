"""A query that was typed: embedded by the data's own model, ranked in every configuration."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from mrl_explorer.data import Collection, passages
from mrl_explorer.embed import (
    Connection,
    Model,
    Told,
    check_same_model,
    embed,
    estimate_query,
    load_model,
)
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.evaluation import Listed, list_documents
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.hosted_panel import has_key, typed_connection
from mrl_explorer.ui.problems import literal, show_error


@dataclass(frozen=True, eq=False)
class Found:
    """Ranked lists of one query, wherever they come from.

    Attributes
    ----------
    rankings : Rankings
        The lists.
    query : int
        The query's row in them.
    text : str
        The query.
    listed : Listed
        The documents in them.
    """

    rankings: Rankings
    query: int
    text: str
    listed: Listed


def search_typed(dataset: Dataset, text: str) -> Found | None:
    """Rank a typed query, or say on the page what is missing for it."""
    if dataset.collection is None:
        st.info(
            "This evaluation file holds ranked lists and no vectors, so a new query cannot be "
            "searched in it. Open the data itself on the Data page to type queries."
        )
        return None
    try:
        model = _model(dataset)
        if model is None:
            return None
        with st.spinner("Searching every configuration"):
            key = dataset.key, dataset.version
            if model.hosted:
                told = Told(model.query_prompt)
                st.caption(literal(estimate_query(model.name, text, told).sentence))
            return _search(dataset, key, model, model.fingerprint("query"), text)
    except InputError as error:
        show_error(str(error))
        return None


def _model(dataset: Dataset) -> Model | None:
    """Give the model that made the vectors; ask for it when the data came with ready ones."""
    source = dataset.evaluation.source
    name = source.model
    if name is None:
        name = st.text_input(
            "Which model made these vectors?",
            key="vectors_model",
            persist_state="session",
            placeholder="for example wordllama-256, openai:text-embedding-3-small, a folder",
            help="Three texts are embedded again and compared with their vectors: only the same "
            "model can search among them.",
        ).strip()
        if not name:
            st.info("To search ready vectors, name the model that made them.")
            return None
    if not has_key(name):
        st.info("A typed query is sent to this model's provider, which wants a key.")
        return None
    with st.spinner(f"Loading {name}"):
        # With the prompts of the run, whatever its files say by now.
        told = Told(source.query_prompt, source.document_prompt)
        model = _load(name, told, typed_connection(name))
    if source.query_prompt is None:
        # The vectors came ready: what is said of their model may be wrong.
        _check(dataset, (dataset.key, dataset.version), model, model.fingerprint("document"))
    return model


@st.cache_resource(show_spinner=False, max_entries=4)
def _load(name: str, told: Told, connection: Connection) -> Model:
    # A key that one session typed is not for another: it tells their models apart.
    return load_model(name, told, connection)


@st.cache_resource(show_spinner=False, max_entries=4)
def _collection(_dataset: Dataset, key: tuple[str, str]) -> Collection:
    if _dataset.collection is None:
        raise ValueError("the data set has no vectors")
    return _dataset.collection()


@st.cache_resource(show_spinner=False, max_entries=64)
def _check(_dataset: Dataset, key: tuple[str, str], _model: Model, fingerprint: str) -> None:
    documents = _collection(_dataset, key).documents
    if documents.texts is None or documents.vectors is None:
        raise InputError(
            "These vectors came without texts, so nothing can be embedded again to check the "
            "model: give the texts as well to type queries."
        )
    check_same_model(_model, passages(documents), documents.vectors, kind="document")


@st.cache_resource(show_spinner=False, max_entries=64)
def _search(
    _dataset: Dataset, key: tuple[str, str], _model: Model, fingerprint: str, text: str
) -> Found:
    # numba takes half a second to import, and most visits type no query.
    from mrl_explorer.retrieval.sweep import sweep  # noqa: PLC0415

    documents = _collection(_dataset, key).documents
    if documents.vectors is None:
        raise InputError(f"{documents.name} has no vectors to search in.")
    vectors = embed(_model, [text], kind="query", cache=None)
    if not np.any(vectors):
        raise InputError("The model reads nothing in this query: type words it knows.")
    rankings, bases = _dataset.evaluation.rankings, _dataset.evaluation.bases
    found = sweep(documents.vectors, vectors, rankings.configs, bases=bases, depth=rankings.depth)
    return Found(found, 0, text, list_documents(documents, found))
