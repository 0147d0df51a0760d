"""Explore: what is lost at this dimension and quantization."""

from functools import partial

import streamlit as st

from mrl_explorer.decide.summary import Summary, summarise
from mrl_explorer.errors import InputError
from mrl_explorer.report.comparison import column_data, compare
from mrl_explorer.report.curves import curve_dims, recall_curves
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, tied_at_k
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui.components.results import show_results
from mrl_explorer.ui.controls import View, show_controls
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.details import show_details
from mrl_explorer.ui.frame import show_data_line
from mrl_explorer.ui.numbers import show_memory, show_numbers
from mrl_explorer.ui.problems import show_error
from mrl_explorer.ui.query_panel import Choice, show_query_panel
from mrl_explorer.ui.typed_query import Found, search_typed

_CHART_HEIGHT = 246


def show() -> None:
    """Run the page from top to bottom."""
    dataset = show_data_line()
    with st.grid(2, min_column_width=440, gap=("small", "medium")):
        controls, curves = st.container(), st.container()
        numbers, needs = st.container(gap="xsmall"), st.container(gap="xsmall")
    with controls:
        view = show_controls(dataset)
    try:
        summary = _summary(dataset.evaluation, (dataset.key, dataset.version), view.cutoff)
    except InputError as error:
        show_error(str(error))
        st.stop()
    with numbers:
        show_numbers(summary, view)
    with needs:
        show_memory(summary, view)
    choice = show_query_panel(summary, view)
    _show_results(dataset, view, choice)
    with curves:
        _show_curves(summary, view)
    show_details(summary, view)


@st.cache_resource(show_spinner=False, max_entries=64)
def _summary(_evaluation: Evaluation, key: tuple[str, str], cutoff: Cutoff) -> Summary:
    """Read the figures once for each cut-off: every slider move after that is a look-up.

    The key stands for the evaluation, which is too large to hash.
    """
    return summarise(_evaluation, cutoff)


def _show_curves(summary: Summary, view: View) -> None:
    st.session_state["curve dims"] = curve_dims(summary, basis=view.config.basis)
    # A click on the point that was clicked last says nothing new, so each click gets a new chart.
    clicks = st.session_state.setdefault("clicks", 0)
    with st.container(key="curves"):
        _draw_curves(summary, view, key=f"curve {clicks}")


def _draw_curves(summary: Summary, view: View, *, key: str) -> None:
    st.echarts_chart(
        recall_curves(summary, basis=view.config.basis, chosen=view.config, pinned=view.pinned),
        height=_CHART_HEIGHT,
        key=key,
        renderer="svg",
        on_select=partial(_take_point, key),
        alt=f"Recall by dimension in the basis {view.config.basis}, a curve for each quantization "
        "with its 95% band. A click on a point selects it.",
    )


def _take_point(key: str) -> None:
    """Move the controls to the point that was clicked."""
    selected = st.session_state[key]["selection"]["selected"]
    point = chosen_point(selected, st.session_state["curve dims"])
    if point is not None:
        st.session_state["dim"], st.session_state["quantization"] = point
        st.session_state["clicks"] += 1


def chosen_point(
    selected: list[dict[str, object]], dims: dict[str, list[int]]
) -> tuple[int, str] | None:
    """Tell which (dim, quantization) a click on the curves means; None for nothing."""
    for series in selected:
        name, places = str(series.get("series_name")), series.get("data_indices")
        if name in dims and isinstance(places, list) and places:
            return dims[name][int(places[0])], name
    return None


def _show_results(dataset: Dataset, view: View, choice: Choice) -> None:
    """Show one query's lists, with a word on what they are."""
    evaluation = dataset.evaluation
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
    texts = {}
    for column in columns:
        for result in column.results:
            place = found.listed.place(result.row)
            texts[result.row] = (
                found.listed.ids[place],
                found.listed.titles[place],
                found.listed.texts[place],
            )
    text = choice.typed or evaluation.queries.texts[choice.row or 0]
    show_results(
        column_data(columns, texts, cutoff=view.cutoff),
        query=text,
        note=_tie_note(found.rankings, found.query, view),
        dim=view.config.dim,
    )


def _tie_note(rankings: Rankings, query: int, view: View) -> str:
    """Say how many documents share the k-th binary score: their order among them is arbitrary."""
    if view.config.quantization != "binary" or view.cutoff.rescore:
        return ""
    tied = int(tied_at_k(rankings, view.config, view.cutoff.k)[query])
    if tied < 2:
        return ""
    return (
        f"{tied} documents share the Hamming distance of place {view.cutoff.k}: among them the "
        "order of the file decides."
    )
