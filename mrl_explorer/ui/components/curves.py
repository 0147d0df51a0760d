"""Recall by dimension as a browser component: a click on a point selects it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from mrl_explorer.ui.components import source

_component = st.components.v2.component(
    "mrl_explorer_curves",
    css=source("chart.css", "curves.css"),
    js=source("svg.js", "curves.js"),
    isolate_styles=False,
)


def show_curves(data: dict[str, Any], *, key: str, on_point: Callable[[], None]) -> None:
    """Show curves as `report.curves` gives them.

    Parameters
    ----------
    key : str
        Where `on_point` finds the point in the session's state, as `point`: [its place on
        the horizontal axis, the curve's name].
    on_point : callable
        Called when a point is clicked.
    """
    _component(data=data, key=key, on_point_change=on_point)
