"""The part of the Data page that runs an evaluation: model, settings, progress."""

import re
from dataclasses import dataclass

import streamlit as st

from mrl_explorer.data import Collection
from mrl_explorer.embed import Connection, DataSource, needs_model
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress
from mrl_explorer.report.formats import byte_text, time_text
from mrl_explorer.retrieval.basis import BASES, DEFAULT_BASES, RUN_BASES
from mrl_explorer.retrieval.config import default_dims
from mrl_explorer.retrieval.duration import estimate_run
from mrl_explorer.retrieval.evaluation import DEFAULT_DEPTH, evaluate, record_origin
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS, QUANTIZATIONS
from mrl_explorer.ui import datasets, jobs
from mrl_explorer.ui.controls import start_view


@dataclass(frozen=True, slots=True)
class Run:
    """What the reader asks for.

    Attributes
    ----------
    dims : tuple of int or None
        None for the default ladder.
    quantizations, bases : tuple of str
        Names.
    depth : int
        Places in a list.
    exclude_self : bool
        Whether queries are documents of the corpus.
    """

    dims: tuple[int, ...] | None
    quantizations: tuple[str, ...]
    bases: tuple[str, ...]
    depth: int
    exclude_self: bool


def show_run(source: DataSource, collection: Collection, connection: Connection | None) -> None:
    """Ask for settings, start the run, and show how it goes; closed without a connection."""
    st.subheader("Run", anchor=False)
    run = _show_settings()
    vectors = collection.documents.vectors
    if run.dims is None and vectors is not None:
        st.caption(f"Dims: {', '.join(map(str, default_dims(vectors.shape[1])))}.")
    st.caption(_estimate(source, collection, run), help=_HELP_ESTIMATE)
    ready = connection is not None and (source.model is not None or not needs_model(collection))
    if st.button(
        "Evaluate",
        type="primary",
        icon=":material/play_arrow:",
        help="Embeds what has no vectors, and ranks every configuration; it can be cancelled.",
        disabled=not ready or jobs.running("evaluate"),
    ):
        jobs.begin(
            "evaluate",
            lambda on_progress: _work(source, collection, run, connection, on_progress),
            then=lambda done: explore(datasets.take_up(done, source)),
        )
        # Drawn anew, the button is closed for as long as the run goes on.
        st.rerun()
    jobs.show("evaluate", cancelled="Cancelled. Embeddings made so far are kept.")


_HELP_ESTIMATE = (
    "From the model's size, the length of the texts and how fast this machine multiplies: right "
    "within a factor of two or three on an idle machine. Texts embedded before cost nothing. "
    "Memory: 4 bytes a component for documents and queries, and at most 1 GB beside them while "
    "they are ranked."
)


def _estimate(source: DataSource, collection: Collection, run: Run) -> str:
    """Say how long the run may take, and how much memory."""
    size = estimate_run(
        collection,
        model=source.model,
        dims=run.dims,
        n_quantizations=len(run.quantizations),
        bases=run.bases,
    )
    embedding = "no embedding"
    if needs_model(collection):
        embedding = (
            "embedding: not known before it runs"
            if size.embedding_seconds is None
            else f"embedding {_about(size.embedding_seconds)}"
        )
    return (
        f"Estimate: {embedding}, ranking {size.n_configs} configurations "
        f"{_about(size.ranking_seconds)}, memory {byte_text(size.vector_bytes)} for vectors."
    )


def _about(seconds: float) -> str:
    return "under 1 s" if seconds < 1 else f"about {time_text(seconds)}"


def _show_settings() -> Run:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        quantizations = st.multiselect(
            "Quantizations",
            list(QUANTIZATIONS),
            default=list(DEFAULT_QUANTIZATIONS),
            key="run quantizations",
            persist_state="session",
            width=520,
            help="; ".join(f"**{entry.name}**: {entry.help}" for entry in QUANTIZATIONS.values()),
        )
        bases = st.multiselect(
            "Bases",
            list(RUN_BASES),
            default=list(DEFAULT_BASES),
            key="run bases",
            persist_state="session",
            width=220,
            help=" ".join(f"**{name}**: {BASES[name]}" for name in RUN_BASES)
            + " A fitted basis (pca, pca-rotated) is also measured on documents held out from the "
            "fitting.",
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        dims = st.text_input(
            "Dims",
            key="run dims",
            persist_state="session",
            width=300,
            placeholder="a ladder from 32 to all",
            help="Comma-separated; the slider stops at these. Full dimension is always there.",
        )
        depth = st.number_input(
            "Depth",
            1,
            10_000,
            DEFAULT_DEPTH,
            key="run depth",
            persist_state="session",
            width=140,
            help="Places in each list: k × oversampling can go up to it.",
        )
        exclude_self = st.toggle(
            "Queries are documents of this corpus",
            key="run exclude_self",
            persist_state="session",
            help="Leaves each out of its own results. Such queries overstate recall.",
        )
    return Run(
        parse_dims(dims),
        tuple(quantizations) or DEFAULT_QUANTIZATIONS,
        tuple(bases) or ("native",),
        int(depth),
        exclude_self,
    )


def parse_dims(text: str) -> tuple[int, ...] | None:
    """Read '64, 128'; None for an empty field.

    Raises
    ------
    InputError
        If a part is no whole number.
    """
    parts = [part for part in text.replace(",", " ").split() if part]
    wrong = next((part for part in parts if not re.fullmatch("[0-9]{1,6}", part)), None)
    if wrong is not None:
        raise InputError(f"Dims: '{wrong[:40]}' is no whole number: write for example 64, 128.")
    return tuple(map(int, parts)) or None


def _work(
    source: DataSource,
    collection: Collection,
    run: Run,
    connection: Connection | None,
    on_progress: OnProgress,
) -> datasets.Done:
    """Embed what has no vectors, rank, and keep it; in the job's thread, so without the page."""
    collection, origin = source.embed(collection, on_progress, connection)
    dims, vectors = run.dims, collection.documents.vectors
    if dims is not None and vectors is not None:
        # The slider's last stop is full dimension, in every quantization and basis.
        dims = (*dims, vectors.shape[1])
    evaluation = evaluate(
        collection,
        dims=dims,
        quantizations=run.quantizations,
        bases=run.bases,
        depth=run.depth,
        exclude_self=run.exclude_self,
        model=origin.model,
        trained_dims=origin.trained_dims,
        on_progress=on_progress,
    )
    evaluation = record_origin(evaluation, origin)
    # Kept here, so that it is there even when the browser was closed meanwhile.
    return datasets.Done(evaluation, collection, datasets.keep_on_server(evaluation, source))


def explore(key: str) -> None:
    """Go to the Explore page with a data set."""
    datasets.choose(key)
    start_view(datasets.find(key))
    st.switch_page(st.session_state["explore page"])
