"""Data: bring documents, queries and judgements, see what was understood, and evaluate."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from mrl_explorer.data import EXTENSIONS, Collection, Columns, Records, detect_columns, list_columns
from mrl_explorer.embed import DataSource
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.evaluation_file import SUFFIX, load_evaluation
from mrl_explorer.ui import datasets
from mrl_explorer.ui.problems import show_error
from mrl_explorer.ui.run_panel import explore, show_model, show_run
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
        source = show_model(source, collection)
        show_run(source, collection)
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
    texts = {name: str(path) for name, path in files.items() if path is not None}
    return DataSource(
        documents=texts["documents"],
        queries=texts.get("queries"),
        judgements=texts.get("judgements"),
        document_vectors=texts.get("document_vectors"),
        query_vectors=texts.get("query_vectors"),
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
