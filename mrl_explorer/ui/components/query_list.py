"""Queries as a browser component: a click on one opens it. A button each is slow to draw."""

from collections.abc import Callable, Sequence

import streamlit as st

from mrl_explorer.ui.components import source

_component = st.components.v2.component(
    "mrl_explorer_query_list",
    css=source("query_list.css"),
    js=source("query_list.js"),
    isolate_styles=False,
)


def show_query_list(
    queries: Sequence[tuple[str, str, str]], *, key: str, on_query: Callable[[], None]
) -> None:
    """Show queries in their order.

    Parameters
    ----------
    queries : sequence of (str, str, str)
        Id, figure and text of each.
    key : str
        Where `on_query` finds the id in the session's state, as `query`.
    on_query : callable
        Called when a query is clicked.
    """
    _component(data={"queries": queries}, key=key, on_query_change=on_query)
