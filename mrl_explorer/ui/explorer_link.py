"""From any page to a configuration, and a query, on the Explore page."""

import streamlit as st

from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff


def open_in_explore(
    config: Config, *, cutoff: Cutoff | None = None, query: str | None = None
) -> None:
    """Set Explore's controls and ask to go there: for callbacks, which cannot switch pages."""
    state = st.session_state
    state["dim"], state["quantization"], state["basis"] = (
        config.dim,
        config.quantization,
        config.basis,
    )
    state["rescore"] = cutoff is not None and cutoff.rescore
    if cutoff is not None and cutoff.rescore:
        state["oversample"] = cutoff.oversample
    if query is not None:
        state["query"], state["typed"] = query, ""
        for name in ("segment", "find"):
            state.pop(name, None)
    state["to explore"] = True


def go_if_asked() -> None:
    """Go to the Explore page if a callback has asked for it."""
    if st.session_state.pop("to explore", False):
        # Without new parameters Streamlit would clear those that are bound, which it refuses.
        st.switch_page(st.session_state["explore page"], query_params={})
