"""Explore: what is lost at this dimension and quantization."""

from functools import partial

import streamlit as st

from mrl_explorer.decide.summary import Summary, summarise
from mrl_explorer.errors import InputError
from mrl_explorer.report.comparison import column_data, compare
from mrl_explorer.report.curves import recall_curves
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, tied_at_k
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui.components.curves import show_curves
from mrl_explorer.ui.components.results import show_results
from mrl_explorer.ui.controls import View, show_controls
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.details import show_details
from mrl_explorer.ui.frame import show_data_line
from mrl_explorer.ui.numbers import show_memory, show_numbers
from mrl_explorer.ui.problems import show_error
from mrl_explorer.ui.query_panel import Choice, show_query_panel
from mrl_explorer.ui.typed_query import Found, search_typed


def show() -> None:
    """Run the page from top to bottom."""
    _show_view(show_data_line())


@st.fragment
def _show_view(dataset: Dataset) -> None:
    """Show all that a control changes: what stands above is not sent again while sliding."""
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
    with st.container(key="curves"):
        show_curves(
            recall_curves(summary, basis=view.config.basis, chosen=view.config, pinned=view.pinned),
            key="curve",
            on_point=partial(_take_point, summary.evaluation.rankings, view.config.basis),
        )


def _take_point(rankings: Rankings, basis: str) -> None:
    """Move the controls to the point that was clicked."""
    dim, quantization = st.session_state["curve"]["point"]
    # A click on a chart that is just being replaced may name a point that is no longer there.
    if Config(dim, quantization, basis) in rankings:
        st.session_state["dim"], st.session_state["quantization"] = dim, quantization


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
