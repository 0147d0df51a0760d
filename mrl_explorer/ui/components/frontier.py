"""Recall against bytes as a browser component: a click on a point opens its configuration."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from mrl_explorer.ui.components import source

_component = st.components.v2.component(
    "mrl_explorer_frontier",
    css=source("chart.css", "frontier.css"),
    js=source("svg.js", "frontier.js"),
    isolate_styles=False,
)


def show_frontier(data: dict[str, Any], *, key: str, on_point: Callable[[], None]) -> None:
    """Show points as `report.decide_charts.frontier_chart` gives them.

    Parameters
    ----------
    key : str
        Where `on_point` finds the number of the configuration in the session's state, as `point`.
    on_point : callable
        Called when a point is clicked.
    """
    _component(data=data, key=key, on_point_change=on_point)
