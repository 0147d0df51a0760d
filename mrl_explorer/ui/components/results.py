"""Result cards side by side, as a browser component.

Streamlit's own texts parse Markdown, and a card each is slow; this shows a document's text
literally and repaints in one go.
"""

from typing import Any

import streamlit as st

from mrl_explorer.ui.components import source

_component = st.components.v2.component(
    "mrl_explorer_results",
    css=source("results.css"),
    js=source("results.js"),
    isolate_styles=False,
)


def show_results(columns: list[dict[str, Any]], *, query: str, note: str, dim: int) -> None:
    """Show columns as `report.comparison.column_data` gives them.

    Parameters
    ----------
    query : str
        What was searched for: another one closes the cards that were opened.
    note : str
        One sentence on the lists, or empty.
    dim : int
        The chosen dimension, for whoever waits for it to be painted.
    """
    _component(data={"columns": columns, "query": query, "note": note, "dim": dim}, key="results")
