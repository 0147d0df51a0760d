"""The part of the Data page that builds the library documentation."""

import streamlit as st

from mrl_explorer.data.docstrings import (
    DEFAULT_SIZE,
    MAX_QUERIES,
    MAX_SIZE,
    TITLE,
    Library,
    is_built,
    read_library,
)
from mrl_explorer.embed import DataSource, cache_dir
from mrl_explorer.embed.storage import LIBRARY
from mrl_explorer.ui import jobs


def show_library() -> DataSource | None:
    """Ask how much of it, and build it; None until it is there."""
    st.caption(
        "A large real sample, built from the docstrings of the Python packages installed on this "
        "server: they are read, never run. The first sentence of each is held out, and up to "
        f"{MAX_QUERIES:,} of them, drawn at random, are the queries; what follows the sentence is "
        "the one passage to find."
    )
    row = st.container(horizontal=True, vertical_alignment="bottom")
    size = row.number_input(
        "Passages",
        1_000,
        MAX_SIZE,
        DEFAULT_SIZE,
        step=5_000,
        key="library size",
        persist_state="session",
        width=200,
        disabled=jobs.running("library"),
        help="Of 40 to 250 words, without duplicates. The packages here may hold fewer; then all "
        "of them are taken.",
    )
    library = _pinned(int(size))
    folder = cache_dir() / LIBRARY
    if is_built(library, cache=folder):
        wanted = "" if library.size == DEFAULT_SIZE else f" (up to {library.size:,})"
        return DataSource(str(library), on_server=True, title=f"{TITLE}{wanted}")
    if row.button(
        "Build",
        type="primary",
        icon=":material/construction:",
        disabled=jobs.running("library"),
        help="It is kept on this server, so this is needed once.",
    ):
        jobs.begin(
            "library",
            lambda on_progress: read_library(library, cache=folder, on_progress=on_progress),
            then=lambda _: None,
        )
        st.rerun()
    jobs.show("library")
    return None


@st.cache_data(show_spinner="Looking at what is installed", ttl=60)
def _pinned(size: int) -> Library:
    return Library(size).pinned()
