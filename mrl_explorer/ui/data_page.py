"""Data: bring documents, queries and judgements, see what was understood, and evaluate."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from mrl_explorer.data import (
    EXTENSIONS,
    JUDGEMENT_EXTENSIONS,
    WHOLE,
    Collection,
    CollectionOverview,
    Columns,
    Splitting,
    content_stamp,
    default_splitting,
    describe_collection,
    detect_columns,
    holds_vectors,
    is_whole,
    list_columns,
)
from mrl_explorer.data.docstrings import TITLE
from mrl_explorer.embed import DataSource
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.evaluation_file import SUFFIX, load_evaluation
from mrl_explorer.ui import datasets
from mrl_explorer.ui.hosted_panel import show_sending
from mrl_explorer.ui.library_panel import show_library
from mrl_explorer.ui.model_picker import show_model
from mrl_explorer.ui.overview import show_overview
from mrl_explorer.ui.problems import show_error
from mrl_explorer.ui.run_panel import explore, show_run
from mrl_explorer.ui.sources import allowed_folders
from mrl_explorer.ui.storage import show_storage
from mrl_explorer.ui.uploads import Slot, show_path, show_upload

_VECTORS = (".npy", ".npz", ".parquet")
DOCUMENTS = Slot(
    "documents",
    "Documents",
    "Tables of texts: CSV, TSV, TXT (one a line), JSONL, JSON, Parquet. Whole documents: PDF, "
    "DOCX, HTML, Markdown. A ZIP of any of these, or of a BEIR collection with its queries and "
    "judgements. Ready vectors: NPY, NPZ, Parquet, HDF5.",
    (*EXTENSIONS, ".zip", ".gz"),
)
QUERIES = Slot(
    "queries",
    "Queries",
    "A table in the same formats. Not needed with a BEIR collection or an HDF5 file with `test`. "
    "Real queries of your users say most.",
    (*EXTENSIONS, ".gz"),
)
JUDGEMENTS = Slot(
    "judgements",
    "Judgements (optional)",
    "Which documents are relevant to which query: a table (CSV, TSV, JSONL, JSON, Parquet) with "
    "the columns query-id, corpus-id and score, or TREC qrels.",
    JUDGEMENT_EXTENSIONS,
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
_HELP_COLUMNS = {
    "text": "What is embedded, and shown as a result.",
    "title": "Put before the text when it is embedded, and shown above it.",
    "id": "What judgements name a record by; without one it is the row.",
    "segment": "A kind or group, by which the pages can tell results apart.",
}
_UPLOAD, _SERVER, _OPEN = "Upload files", "Files on this server", "Open an evaluation"


def show() -> None:
    """Run the page from top to bottom."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Your data", anchor=False, width="stretch")
        show_storage()
    where = st.segmented_control(
        "Where it is",
        [_UPLOAD, _SERVER, TITLE, _OPEN],
        default=_UPLOAD,
        required=True,
        key="where",
        persist_state="session",
        label_visibility="collapsed",
        help="Files of yours, files that lie on this server, the documentation of its Python "
        "packages, or the evaluation file of a run made elsewhere.",
    )
    try:
        if where == _OPEN:
            _show_open()
            return
        if where == TITLE:
            source = show_library()
        else:
            source = _show_files(on_server=where == _SERVER)
            if source is None:
                _show_empty()
        if source is None:
            return
        collection, overview = _read(source)
        st.subheader("What was understood", anchor=False)
        show_overview(collection, overview)
        source = show_model(source, collection)
        connection = show_sending(source, collection)
        show_run(source, collection, connection)
    except InputError as error:
        show_error(str(error))


def _show_empty() -> None:
    st.info(
        "Start with documents and queries, or with a BEIR collection as one ZIP or folder. Texts "
        "are embedded here, by a model you name; vectors you have are used as they are. Nothing "
        "leaves this machine, unless you choose a hosted model and agree to what is sent."
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
    if st.button(
        "Explore it",
        type="primary",
        icon=":material/tune:",
        help="Shows this run on every page of this browser session.",
    ):
        explore(datasets.open_uploaded(evaluation, path.stem))


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
    splitting = _show_splitting(documents, files["document_vectors"])
    texts = {name: str(path) for name, path in files.items() if path is not None}
    return DataSource(
        documents=texts["documents"],
        queries=texts.get("queries"),
        judgements=texts.get("judgements"),
        document_vectors=texts.get("document_vectors"),
        query_vectors=texts.get("query_vectors"),
        document_columns=document_columns,
        query_columns=query_columns,
        splitting=splitting,
        on_server=on_server,
        title=documents.stem,
    )


def _show_columns(path: Path, slot: Slot) -> Columns | None:
    """Let the reader change what was detected; None where a file has no columns to choose."""
    if is_whole(path):
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
                help=_HELP_COLUMNS[role],
            )
    return replace(found, **chosen)


def _show_splitting(path: Path, vectors: Path | None) -> Splitting:
    """Ask how documents are split into passages."""
    if vectors is not None or holds_vectors(path):
        return WHOLE
    usual, on = Splitting(), default_splitting(path).size > 0
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        split = st.toggle(
            "Split documents into passages",
            value=on,
            key=f"split {path}",
            help="A model reads the first few hundred words of a text and never sees the rest. "
            "Passages are cut at paragraphs, else sentences, else words, and have ids such as "
            "manual.pdf#3. A judgement of a document counts for each of its passages: MRR and "
            "success then say whether a passage of a relevant document is found, and nDCG "
            "rewards every passage of it.",
        )
        if not split:
            return WHOLE
        size = st.number_input(
            "Characters a passage",
            20,
            100_000,
            usual.size,
            step=100,
            key=f"split size {path}",
            width=170,
            help="At most. 1,000 characters are about 250 tokens of English, which is what the "
            "smallest usual models read.",
        )
        overlap = st.number_input(
            "Overlap",
            0,
            100_000,
            usual.overlap,
            step=50,
            key=f"split overlap {path}",
            width=130,
            help="Characters at most that a passage repeats of the one before it, so that a "
            "sentence at the border is whole in one of them.",
        )
    return Splitting(int(size), int(overlap))


@st.cache_resource(show_spinner="Reading the files", max_entries=4, scope="session")
def _read_once(_source: DataSource, key: str) -> tuple[Collection, CollectionOverview]:
    collection = _source.read()
    return collection, describe_collection(collection)


def _read(source: DataSource) -> tuple[Collection, CollectionOverview]:
    """Read the files once for each of their contents."""
    return _read_once(source, repr((source, [content_stamp(path) for path in source.paths])))
