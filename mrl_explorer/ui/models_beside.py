"""Two models on the same data on the Model page: dims, bytes, recall and relevance."""

import html

import streamlit as st

from mrl_explorer.data import docstrings as library
from mrl_explorer.decide.beside import Match, differences, match, nearest_cutoff
from mrl_explorer.decide.same_bytes import (
    Curves,
    Fitting,
    curves,
    fitting,
    shared_quantizations,
)
from mrl_explorer.decide.summary import Summary
from mrl_explorer.errors import InputError
from mrl_explorer.report.beside import short_names, verdicts
from mrl_explorer.report.same_bytes import fitting_help, fitting_rows, sizes_chart
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.ui import datasets
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.figures_cache import summary_of
from mrl_explorer.ui.problems import literal, show_error

_K = 10
_CHART_HEIGHT = 300


def show_models_beside(dataset: Dataset) -> None:
    """Let the reader choose a second run, and show what each model gives for its bytes."""
    st.subheader("Two models on the same data", anchor=False)
    other = _choose(dataset)
    if other is None:
        st.caption(
            "Choose a run of another model on the same documents and queries: it is evaluated on "
            "the Data page as the first one was."
        )
        return
    try:
        cutoff = Cutoff(min(_K, dataset.evaluation.rankings.n_docs))
        first = summary_of(dataset, nearest_cutoff(dataset.evaluation.rankings, cutoff))
        second = summary_of(other, nearest_cutoff(other.evaluation.rankings, cutoff))
    except InputError as error:
        show_error(str(error))
        return
    key = (dataset.key, dataset.version, other.key, other.version)
    _show(first, second, (dataset, other), key)


def _choose(dataset: Dataset) -> Dataset | None:
    titles = datasets.available()
    options = ["", *(key for key in titles if key not in (dataset.key, library.NAME))]
    beside = datasets.usual_beside(dataset)
    key = st.selectbox(
        "Beside",
        options,
        index=options.index(beside) if beside in options else 0,
        format_func=lambda key: titles[key] if key else "nothing",
        key=f"model beside {dataset.key}",
        persist_state="session",
        width=340,
        help="A run of another model. On the same queries, judged alike, the page says which one "
        "finds better results in the same bytes.",
    )
    if not key:
        return None
    try:
        return datasets.find(key)
    except InputError as error:
        show_error(str(error))
        return None


def _show(
    first: Summary, second: Summary, both: tuple[Dataset, Dataset], key: tuple[str, ...]
) -> None:
    shared = _match(first.evaluation, second.evaluation, key)
    models = first.evaluation.source.model, second.evaluation.source.model
    names = short_names((both[0].title, both[1].title), models, shared)
    found = differences(
        first,
        first.evaluation.rankings.baseline,
        second,
        second.evaluation.rankings.baseline,
        shared,
    )
    # Full dimension keeps all of its own by definition, so only relevance tells them apart.
    sentence = next(verdicts(first, second, names=names, shared=shared, found=found))
    st.html(f'<div class="mrl-verdict"><b>At full dimension: {html.escape(sentence)}</b></div>')
    quantizations = shared_quantizations(first, second)
    if not quantizations:
        st.info("These two runs have no quantization in common, so there is no size to compare at.")
        return
    stored = st.selectbox(
        "Quantization",
        quantizations,
        key=f"model beside quantization {quantizations}",
        persist_state="session",
        width=170,
        help="How both store a component: with it, dims become bytes.",
    )
    k = first.cutoff.k
    sides, rows = _compared(first, second, shared, stored, (*key, str(k)))
    measures = ["nDCG"] if shared.judged_alike.any() else []
    with st.grid(2, min_column_width=440, gap=("small", "medium")):
        for measure in (*measures, "recall"):
            st.echarts_chart(
                sizes_chart(sides, names, stored=stored, k=k, relevance=measure == "nDCG"),
                height=_CHART_HEIGHT,
                key=f"model sizes {measure}",
                renderer="svg",
                alt=f"{measure}@{k} of {names[0]} and {names[1]} against bytes per vector in "
                f"{stored}.",
            )
    if not rows:
        st.info("No size of one model leaves room for the other.")
        return
    cells, explained = fitting_rows(rows, sides, names), fitting_help(names, k)
    st.dataframe(
        cells,
        hide_index=True,
        column_config={
            name: (
                st.column_config.NumberColumn(format="%.3f", help=explained[name])
                if isinstance(value, float)
                else st.column_config.Column(help=explained[name])
            )
            for name, value in cells[0].items()
        },
    )
    st.caption(
        literal(
            "Each row: the most dims of each model that fit in so many bytes. nDCG by the same "
            "judgements puts both on one scale; recall is against each one's own full dimension, "
            "which is not the same truth."
        )
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _match(_first: Evaluation, _second: Evaluation, key: tuple[str, ...]) -> Match:
    """Match two evaluations once; the key stands for both."""
    return match(_first, _second)


@st.cache_resource(show_spinner=False, max_entries=32)
def _compared(
    _first: Summary, _second: Summary, _shared: Match, stored: str, key: tuple[str, ...]
) -> tuple[tuple[Curves, Curves], tuple[Fitting, ...]]:
    """Resample once for each quantization; the key stands for both evaluations and k."""
    return (
        curves(_first, _second, quantization=stored, shared=_shared),
        fitting(_first, _second, quantization=stored, shared=_shared),
    )
