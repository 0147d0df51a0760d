"""Tiers: whether a short first stage, or fewer dims for some queries, can do better."""

import streamlit as st

from mrl_explorer.ui.frame import show_data_line
from mrl_explorer.ui.tiers_allocation import show_allocation
from mrl_explorer.ui.tiers_data import Tiered, tiered
from mrl_explorer.ui.tiers_index import show_index
from mrl_explorer.ui.tiers_plan import show_plan

_PLAN, _ALLOCATION, _INDEX = "Plan a funnel", "Dims by query", "The real index"
_SECTIONS = {
    _PLAN: show_plan,
    _ALLOCATION: show_allocation,
    _INDEX: show_index,
}


def show() -> None:
    """Run the page from top to bottom."""
    data: Tiered = tiered(show_data_line())
    section = st.segmented_control(
        "Tiers",
        list(_SECTIONS),
        default=_PLAN,
        required=True,
        key="section",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
        help="A chain of stages for every query, fewer dims for some queries, or what a real "
        "graph index loses and costs.",
    )
    _SECTIONS[section or _PLAN](data)
