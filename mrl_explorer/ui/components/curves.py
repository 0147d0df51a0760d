"""Recall by dimension as a browser component: a click on a point selects it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "mrl_explorer_curves",
    css=(_HERE / "curves.css").read_text(encoding="utf-8"),
    js=(_HERE / "curves.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show_curves(data: dict[str, Any], *, key: str, on_point: Callable[[], None]) -> None:
    """Show curves as `report.curves.recall_curves` gives them.

    Parameters
    ----------
    key : str
        Where `on_point` finds the point in the session's state, as `point`: [dim, quantization].
    on_point : callable
        Called when a point is clicked.
    """
    _component(data=data, key=key, on_point_change=on_point)
