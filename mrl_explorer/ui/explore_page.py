"""Explore: what is lost at this dimension and quantization."""

from functools import partial

import streamlit as st

from mrl_explorer.decide.summary import Summary
from mrl_explorer.errors import InputError
from mrl_explorer.report.comparison import column_data, compare, tie_note
from mrl_explorer.report.curves import recall_curves
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui import datasets
from mrl_explorer.ui.beside import (
    Beside,
    choose_curves,
    set_beside,
    show_results_beside,
    show_verdict,
)
from mrl_explorer.ui.components.curves import show_curves
from mrl_explorer.ui.components.results import show_results
from mrl_explorer.ui.controls import Settings, View, show_dim, show_settings
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.details import show_details
from mrl_explorer.ui.figures_cache import summary_of
from mrl_explorer.ui.frame import show_data_line
from mrl_explorer.ui.link import tell_link
from mrl_explorer.ui.numbers import Side, show_memory, show_numbers
from mrl_explorer.ui.problems import show_error
from mrl_explorer.ui.query_panel import Choice, show_query_panel
from mrl_explorer.ui.typed_query import Found, search_typed

_POINTED = "point taken"
"""Says that a click on the chart has set a control that the slider's part does not show."""


def show() -> None:
    """Run the page from top to bottom."""
    dataset = show_data_line(offer_beside=True)
    _show_run(dataset, datasets.beside(dataset))


@st.fragment
def _show_run(dataset: Dataset, other: Dataset | None) -> None:
    """Show all that a control changes: what stands above is not sent again."""
    tell_link(dataset)
    _show_view(dataset, other, show_settings(dataset))


@st.fragment
def _show_view(dataset: Dataset, other: Dataset | None, settings: Settings) -> None:
    """Show all that the slider changes: a move sends nothing else, not even the other controls."""
    if st.session_state.pop(_POINTED, False):
        st.rerun()
    with st.grid(2, min_column_width=440, gap=("small", "medium")):
        numbers, right = st.container(gap="xsmall"), st.container()
    curves = right.container()
    with numbers:
        view = show_dim(dataset, settings)
    try:
        summary = summary_of(dataset, view.cutoff)
    except InputError as error:
        show_error(str(error))
        st.stop()
    beside = None if other is None else set_beside(dataset, summary, view, other)
    sides = [Side(summary, view)] if beside is None else [beside.first, beside.second]
    with numbers:
        for side in sides:
            show_numbers(side, leads=side is sides[0])
        show_memory(sides)
    if beside is not None:
        with right:
            show_verdict(beside)
    choice = show_query_panel(summary, view)
    _show_results(dataset, view, choice, beside)
    with curves:
        _show_curves(summary, view, beside)
    show_details(summary, view)


def _show_curves(summary: Summary, view: View, beside: Beside | None) -> None:
    if beside is None:
        drawn = recall_curves(
            summary, basis=view.config.basis, chosen=view.config, pinned=view.pinned
        )
    else:
        drawn = choose_curves(beside)
    quantization = None if beside is None else view.config.quantization
    with st.container(key="curves"):
        show_curves(
            drawn,
            key="curve",
            on_point=partial(
                _take_point, summary.evaluation.rankings, view.config.basis, quantization
            ),
        )


def _take_point(rankings: Rankings, basis: str, quantization: str | None) -> None:
    """Move the controls to the point that was clicked.

    Where each curve is an evaluation's, all are of one quantization, and the point may be the
    other one's: the nearest dim is taken.
    """
    dim, name = st.session_state["curve"]["point"]
    if quantization is not None:
        st.session_state["dim"] = rankings.nearest(Config(dim, quantization, basis)).dim
        return
    # A click on a chart that is just being replaced may name a point that is no longer there.
    if Config(dim, name, basis) in rankings:
        st.session_state["dim"], st.session_state["quantization"] = dim, name
        st.session_state[_POINTED] = True


def _show_results(dataset: Dataset, view: View, choice: Choice, beside: Beside | None) -> None:
    """Show one query's lists, with a word on what they are."""
    evaluation = dataset.evaluation
    text = choice.typed or evaluation.queries.texts[choice.row or 0]
    if beside is not None and (choice.typed or choice.row is not None):
        show_results_beside(dataset, beside, choice, text=text)
        return
    if choice.typed:
        found = search_typed(dataset, choice.typed)
        if found is None:
            return
    elif choice.row is None:
        st.info("No query of this run holds these words in this segment.")
        return
    else:
        found = Found(evaluation.rankings, choice.row, choice.typed, evaluation.listed)
    columns = compare(
        found.rankings, found.query, chosen=view.config, pinned=view.pinned, cutoff=view.cutoff
    )
    rows = {result.row for column in columns for result in column.results}
    show_results(
        column_data(columns, found.listed.shown(rows), cutoff=view.cutoff),
        query=text,
        note=tie_note(found.rankings, found.query, view.config, cutoff=view.cutoff),
        dim=view.config.dim,
    )
