"""Data: bring documents, queries and judgements, see what was understood, and evaluate."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from mrl_explorer.data import EXTENSIONS, Collection, Columns, Records, detect_columns, list_columns
from mrl_explorer.embed import BUNDLED, DataSource, embed_collection, load_model
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress
from mrl_explorer.retrieval.basis import BASES
from mrl_explorer.retrieval.config import default_dims
from mrl_explorer.retrieval.evaluation import DEFAULT_DEPTH, Evaluation, evaluate
from mrl_explorer.retrieval.evaluation_file import SUFFIX, load_evaluation
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS, QUANTIZATIONS
from mrl_explorer.ui import datasets, jobs
from mrl_explorer.ui.controls import start_view
from mrl_explorer.ui.problems import show_error
from mrl_explorer.ui.sources import allowed_folders
from mrl_explorer.ui.uploads import Slot, show_path, show_upload

_TEXTS = tuple(EXTENSIONS)
_VECTORS = (".npy", ".npz", ".parquet")
DOCUMENTS = Slot(
    "documents",
    "Documents",
    "CSV, TSV, TXT (one a line), JSONL or Parquet with texts; NPY, NPZ or Parquet with ready "
    "vectors; or a BEIR collection as a ZIP, with its queries and judgements.",
    (*_TEXTS, ".zip", ".gz"),
)
QUERIES = Slot(
    "queries",
    "Queries",
    "The same formats. Not needed with a BEIR collection. Real queries of your users say most.",
    (*_TEXTS, ".gz"),
)
JUDGEMENTS = Slot(
    "judgements",
    "Judgements (optional)",
    "Which documents are relevant to which query: BEIR (query-id, corpus-id, score) or TREC qrels.",
    (".tsv", ".txt", ".qrels", ".gz"),
)
DOCUMENT_VECTORS = Slot(
    "document_vectors",
    "Ready vectors of the documents (optional)",
    "Joined to the texts by id when both have ids, else by row.",
    _VECTORS,
)
QUERY_VECTORS = Slot(
    "query_vectors", "Ready vectors of the queries (optional)", DOCUMENT_VECTORS.help, _VECTORS
)
EVALUATION = Slot(
    "evaluation",
    "Evaluation file",
    "Written by `python -m mrl_explorer evaluate --save`: a run on a server opens here.",
    (SUFFIX,),
)
_UPLOAD, _SERVER, _OPEN = "Upload files", "Files on this server", "Open an evaluation"
_OTHER = "another model"


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


def show() -> None:
    """Run the page from top to bottom."""
    st.subheader("Your data", anchor=False)
    where = st.segmented_control(
        "Where it is",
        [_UPLOAD, _SERVER, _OPEN],
        default=_UPLOAD,
        required=True,
        key="where",
        persist_state="session",
        label_visibility="collapsed",
    )
    try:
        if where == _OPEN:
            _show_open()
            return
        source = _show_files(on_server=where == _SERVER)
        if source is None:
            _show_empty()
            return
        collection = _read(source)
        st.subheader("What was understood", anchor=False)
        _show_understood(collection)
        source = _show_model(source, collection)
        _show_run(source, collection)
    except InputError as error:
        show_error(str(error))


def _show_empty() -> None:
    st.info(
        "Start with documents and queries, or with a BEIR collection as one ZIP or folder. Texts "
        "are embedded here, by a model you name; vectors you have are used as they are. Nothing "
        "leaves this machine."
    )


def _show_open() -> None:
    path = show_upload(EVALUATION)
    if path is None:
        return
    evaluation = load_evaluation(path)
    rankings = evaluation.rankings
    st.text(
        f"{evaluation.source.documents}: {rankings.n_docs:,} documents, "
        f"{rankings.n_queries:,} queries, {len(rankings.configs)} configurations"
    )
    if st.button("Explore it", type="primary", icon=":material/tune:"):
        _explore(datasets.open_uploaded(evaluation, path.stem))


def _show_files(*, on_server: bool) -> DataSource | None:
    """Ask for files and columns; None until there are documents."""
    ask = show_path if on_server else show_upload
    if on_server:
        folders = ", ".join(map(str, allowed_folders()))
        st.caption(
            f"Paths in {folders}. A link to such a run opens in any browser."
            if folders
            else "This server's owner has named no folders to read from (MRL_EXPLORER_DATA)."
        )
    files: dict[str, Path | None] = {}
    problems: list[InputError] = []

    def ask_all(*slots: Slot) -> None:
        # A wrong path must not take the other fields off the page.
        for slot in slots:
            try:
                files[slot.name] = ask(slot)
            except InputError as problem:
                problems.append(problem)

    with st.grid(3, min_column_width=260):
        ask_all(DOCUMENTS, QUERIES, JUDGEMENTS)
    with st.expander("I have vectors already"), st.grid(2, min_column_width=260):
        ask_all(DOCUMENT_VECTORS, QUERY_VECTORS)
    if problems:
        raise problems[0]
    documents, queries = files["documents"], files["queries"]
    if documents is None:
        return None
    with st.grid(2, min_column_width=400):
        left, right = st.container(), st.container()
    with left:
        document_columns = _show_columns(documents, DOCUMENTS)
    with right:
        query_columns = _show_columns(queries, QUERIES) if queries else None
    texts = {name: str(path) for name, path in files.items() if path is not None}
    return DataSource(
        **texts,
        document_columns=document_columns,
        query_columns=query_columns,
        on_server=on_server,
        title=documents.stem,
    )


def _show_columns(path: Path, slot: Slot) -> Columns | None:
    """Let the reader change what was detected; None where a file has no columns to choose."""
    if path.is_dir() or path.suffix.lower() == ".zip":
        return None
    names = list_columns(path)
    if len(names) < 2:
        return None
    found = detect_columns(names)
    chosen: dict[str, str | None] = {}
    with st.container(horizontal=True, gap="small"):
        for role in ("text", "title", "id", "segment"):
            options = [None, *names]
            chosen[role] = st.selectbox(
                f"{slot.label}: {role}",
                options,
                index=options.index(getattr(found, role)),
                format_func=lambda name: "none" if name is None else name,
                key=f"column {slot.name} {role} {path}",
                width=150,
            )
    return replace(found, **chosen)


@st.cache_resource(show_spinner="Reading the files", max_entries=4, scope="session")
def _read_once(_source: DataSource, key: str) -> Collection:
    return _source.read()


def _read(source: DataSource) -> Collection:
    """Read the files once for each of their contents."""
    stamps = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in source.paths]
    return _read_once(source, repr((source, stamps)))


def _show_understood(collection: Collection) -> None:
    judgements = collection.judgements
    with st.grid(2, min_column_width=400, gap="medium"):
        with st.container():
            _show_records(collection.documents, "documents")
        with st.container():
            _show_records(collection.queries, "queries")
    if judgements is None:
        st.caption("No judgements: recall against full dimension needs none; nDCG, MRR do.")
    else:
        unjudged = (
            f" {collection.n_unjudged:,} queries without one were left out."
            if collection.n_unjudged
            else ""
        )
        st.caption(f"{len(judgements):,} judgements from {judgements.name}.{unjudged}")


def _show_records(records: Records, what: str) -> None:
    """Show counts, columns and examples, and what is odd about them."""
    facts = [f"{len(records):,} {what}"]
    if records.vectors is not None:
        facts.append(f"vectors of {records.vectors.shape[1]:,} dimensions")
    facts.append("ids from the file" if records.has_ids else "numbered by row")
    st.markdown("**" + ", ".join(facts) + "**")
    st.text(f"from {records.name}")
    if records.texts is not None:
        examples: dict[str, list[str]] = {"id": list(records.ids[:5])}
        for name, cells in (("title", records.titles), ("segment", records.segments)):
            if cells is not None:
                examples[name] = list(cells[:5])
        examples["text"] = [text[:300] for text in records.texts[:5]]
        st.dataframe(examples, hide_index=True, height=215)
    for count, sentence in (
        (records.n_empty, "empty texts are left out: there is nothing to embed."),
        (
            records.n_duplicates,
            "texts repeat an earlier one: copies tie, and a tie counts as found.",
        ),
    ):
        if count:
            st.warning(f"{count:,} {sentence}", icon=":material/warning:")


def _show_model(source: DataSource, collection: Collection) -> DataSource:
    """Ask which model embeds the texts, or nothing when there are vectors on both sides."""
    needs = [r for r in (collection.documents, collection.queries) if r.vectors is None]
    if not needs:
        st.caption("Both sides have vectors, so no model is needed to evaluate.")
        return source
    st.subheader("Model", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Embed with",
            [*BUNDLED, _OTHER],
            key="model",
            persist_state="session",
            width=260,
            help="wordllama-256 is bundled: static, 256 dimensions, Matryoshka, 50,000 short texts "
            "a minute and more on a laptop.",
        )
        if name == _OTHER:
            name = st.text_input(
                "A folder on this server, or an id on the hub",
                key="model name",
                persist_state="session",
                placeholder="sentence-transformers/all-MiniLM-L6-v2",
            ).strip()
    return replace(source, model=name or None)


def _show_run(source: DataSource, collection: Collection) -> None:
    st.subheader("Run", anchor=False)
    run = _show_settings()
    vectors = collection.documents.vectors
    if run.dims is None and vectors is not None:
        st.caption(f"Dims: {', '.join(map(str, default_dims(vectors.shape[1])))}.")
    job: jobs.Job[tuple[Evaluation, Collection]] | None = st.session_state.get("job")
    ready = source.model is not None or (
        vectors is not None and collection.queries.vectors is not None
    )
    if st.button(
        "Evaluate",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not ready or (job is not None and not job.finished),
    ):
        st.session_state["job"] = jobs.start(
            lambda on_progress: _work(source, collection, run, on_progress)
        )
        st.session_state["job source"] = source
        # Drawn anew, the button is closed for as long as the run goes on.
        st.rerun()
    if message := st.session_state.pop("job message", None):
        show_error(message)
    if job is not None:
        _watch()


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
            list(BASES),
            default=list(BASES),
            key="run bases",
            persist_state="session",
            width=220,
            help="; ".join(f"**{name}**: {sentence}" for name, sentence in BASES.items()),
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
    source: DataSource, collection: Collection, run: Run, on_progress: OnProgress
) -> tuple[Evaluation, Collection]:
    """Embed what has no vectors, and rank; in the job's thread, so without the page."""
    trained: tuple[int, ...] = ()
    if source.model is not None:
        model = load_model(source.model)
        trained = model.dims
        collection = embed_collection(collection, model, on_progress=on_progress)
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
        model=source.model,
        trained_dims=trained,
        on_progress=on_progress,
    )
    return evaluation, collection


@st.fragment(run_every=0.5)
def _watch() -> None:
    """Show how the run goes, and move on when it is done."""
    job: jobs.Job[tuple[Evaluation, Collection]] | None = st.session_state.get("job")
    if job is None:
        return
    if not job.finished:
        progress, left = job.progress, job.seconds_left
        share = min(progress.done / max(progress.total, 1), 1.0)
        estimate = "" if left is None else f", about {left:.0f} s left"
        st.progress(share, f"{progress.what}: {progress.done:,} of {progress.total:,}{estimate}")
        st.button("Cancel", icon=":material/close:", on_click=job.cancel)
        return
    st.session_state.pop("job")
    if job.result is not None:
        _explore(datasets.keep(*job.result, st.session_state["job source"]))
    st.session_state["job message"] = job.error or "Cancelled. Embeddings made so far are kept."
    st.rerun()


def _explore(key: str) -> None:
    datasets.choose(key)
    start_view(datasets.find(key))
    st.switch_page(st.session_state["explore page"])
