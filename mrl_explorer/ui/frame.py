"""What every page has: its style, and the line that says which data it shows."""

import html

import streamlit as st

from mrl_explorer.data import docstrings as library
from mrl_explorer.ui import datasets
from mrl_explorer.ui.address import set_parameter
from mrl_explorer.ui.components.copy_link import show_copy_link
from mrl_explorer.ui.controls import start_view
from mrl_explorer.ui.datasets import Dataset

_STYLE = """
<style>
.stMainBlockContainer { padding-inline: 2rem; padding-bottom: 2rem; }
[data-testid="stMetric"] { padding: 0; }
[data-testid="stMetric"] > div { padding: 0.45rem 0.7rem; }
.st-key-controls { gap: 0.35rem 1rem; padding-block: 0.5rem; }
/* Rows of controls wrap before a query is squeezed out of sight. */
.st-key-query, .st-key-typed { min-width: 15rem; }
/* Where a chart stands above it, text begins below its axis. */
.mrl-under-chart { padding-left: 3.2rem; }
/* The chart keeps its place while it is drawn. */
.st-key-curves { min-height: 330px; }
</style>
"""


def show_style() -> None:
    """Narrow Streamlit's wide margins: the page is for numbers side by side."""
    st.html(_STYLE)


def show_data_line(*, offer_beside: bool = False) -> Dataset:
    """Show which data set this is, what was understood of it, and the link; give the data set.

    Parameters
    ----------
    offer_beside : bool
        Whether another can be chosen to stand beside it.
    """
    dataset = datasets.current()
    other = datasets.beside(dataset) if offer_beside else None
    titles = datasets.available()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="data_line"):
        chosen = st.selectbox(
            "Data set",
            list(titles),
            index=list(titles).index(dataset.key),
            format_func=lambda key: titles[key],
            width=260,
            label_visibility="collapsed",
            key=f"data set {dataset.key}",
            help="The run that every page shows; the Data page makes another.",
        )
        if chosen == library.NAME:
            # It is not there yet: the Data page builds it.
            st.session_state["where"] = library.TITLE
            st.switch_page(st.session_state["data page"])
        if chosen != dataset.key:
            if other is not None and chosen == other.key:
                # The two change places.
                datasets.choose_beside(dataset.key)
            datasets.choose(chosen)
            start_view(datasets.find(chosen))
            st.rerun()
        if offer_beside:
            _show_beside_choice(dataset, other, titles)
        lines = [_in_short(one) for one in (dataset, other) if one is not None]
        padding = ".55rem" if other is None else "0"
        st.html(
            f'<div style="padding-bottom:{padding}">{"<br>".join(lines)}</div>', width="stretch"
        )
        with st.popover(
            "About this data",
            icon=":material/info:",
            help="Where the documents, queries, judgements and vectors come from.",
        ):
            _show_source(dataset)
        if dataset.shared and (other is None or other.shared):
            show_copy_link()
        else:
            st.button(
                "Copy link",
                disabled=True,
                help="Uploaded data stays in this browser session, so a link cannot open it. "
                "Give a server-side path on the Data page to share a view.",
            )
    set_parameter("data", None if dataset.key == datasets.SAMPLE else dataset.key)
    if offer_beside:
        set_parameter("beside", None if other is None else other.key)
    return dataset


def _in_short(dataset: Dataset) -> str:
    rankings, model = dataset.evaluation.rankings, dataset.evaluation.source.model
    return (
        f"{rankings.n_docs:,} {dataset.evaluation.listed.unit} · {rankings.n_queries:,} queries · "
        f"{html.escape(model or 'model not named')}, {rankings.full_dim:,} dimensions"
    )


def _show_beside_choice(dataset: Dataset, other: Dataset | None, titles: dict[str, str]) -> None:
    """Let the reader choose a second data set or model, or none."""
    shown = ""
    if other is not None:
        shown, titles = other.key, {**titles, other.key: other.title}
    # The library documentation is listed under its own name while it is not built.
    options = ["", *(key for key in titles if key not in (dataset.key, library.NAME))]
    chosen = st.selectbox(
        "Beside",
        options,
        index=options.index(shown),
        format_func=lambda key: f"Beside: {titles[key]}" if key else "Nothing beside",
        width=310,
        label_visibility="collapsed",
        key=f"beside {dataset.key} {shown}",
        help="Another data set or model, with the same controls.",
    )
    if chosen != shown:
        datasets.choose_beside(chosen)
        st.rerun()


def _show_source(dataset: Dataset) -> None:
    rankings, source = dataset.evaluation.rankings, dataset.evaluation.source
    judgements = dataset.evaluation.judgements
    facts = {
        dataset.evaluation.listed.unit.capitalize(): f"{rankings.n_docs:,} from {source.documents}",
        "Queries": f"{rankings.n_queries:,} from {source.queries}",
        "Judgements": f"{len(judgements):,} from {judgements.name}" if judgements else "none",
        "Model": source.model or "not named",
        "Trained dims": ", ".join(map(str, source.trained_dims)) or "not known",
        "Configurations": f"{len(rankings.configs)}, ranked {rankings.depth} deep",
    }
    rows = "".join(
        f"<tr><td style='padding:.1rem 1rem .1rem 0;opacity:.75'>{name}</td>"
        f"<td>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    st.html(f"<table>{rows}</table>")
    for note in source.notes:
        st.html(f"<div>{html.escape(note)}</div>")
    st.caption(
        "Ground truth is exact search at full dimension in float32. Recall on a small corpus "
        "flatters a large one: the more documents, the more near misses."
    )
