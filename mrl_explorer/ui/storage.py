"""How large the cache is, and a button that empties it."""

import streamlit as st

from mrl_explorer.embed import CACHE_KINDS, cache_dir, cache_limit, cache_usage, empty_cache
from mrl_explorer.errors import InputError
from mrl_explorer.report.formats import byte_text
from mrl_explorer.ui.problems import show_error


def show_storage() -> None:
    """Show the panel; its sizes are looked up only while it is open."""
    panel = st.popover(
        "Storage",
        icon=":material/hard_drive:",
        help="What is kept on this server's disk, so that no text is embedded twice.",
        key="storage",
        on_change="rerun",
    )
    if not panel.open:
        return
    with panel:
        try:
            _show_sizes()
        except InputError as error:
            show_error(str(error))


def _show_sizes() -> None:
    usage = cache_usage(cache_dir())
    held, limit = sum(usage.values()), cache_limit()
    st.progress(
        min(held / max(limit, 1), 1.0), f"{byte_text(held)} of {byte_text(limit)} on this server"
    )
    for kind, n_bytes in usage.items():
        st.text(f"{byte_text(n_bytes)}: {CACHE_KINDS[kind]}")
    st.caption(
        "What was not used for longest goes first when the limit is reached; the server's owner "
        "sets it (MRL_EXPLORER_CACHE_GB). It holds no uploaded text."
    )
    if freed := st.session_state.pop("storage freed", None):
        st.success(f"{freed} deleted.", icon=":material/check:")
    st.caption(
        "Emptied, the next run of anyone on this server embeds its texts anew, which with a large "
        "model can take hours; links to runs on the server's files stop working."
    )
    st.button(
        "Empty it",
        icon=":material/delete:",
        help="Deletes all that is kept on this server, for everyone who uses it.",
        disabled=held == 0,
        on_click=_empty,
    )


def _empty() -> None:
    st.session_state["storage freed"] = byte_text(empty_cache(cache_dir()))
