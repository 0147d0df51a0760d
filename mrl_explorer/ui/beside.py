"""A second evaluation beside the first: the same controls, its own numbers, results and truth."""

import html
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from mrl_explorer.decide.beside import (
    Match,
    Point,
    differences,
    match,
    ndcg_points,
    nearest_cutoff,
    recall_points,
)
from mrl_explorer.decide.summary import Summary
from mrl_explorer.errors import InputError
from mrl_explorer.report.beside import departures, setting_text, short_names, verdicts
from mrl_explorer.report.comparison import (
    ColumnData,
    column_data,
    compare_with_own_truth,
    mark_shared,
    tie_note,
)
from mrl_explorer.report.curves import curves_beside
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.ui.components.results import show_results
from mrl_explorer.ui.controls import View
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.figures_cache import summary_of
from mrl_explorer.ui.numbers import Side
from mrl_explorer.ui.problems import show_error
from mrl_explorer.ui.query_panel import Choice
from mrl_explorer.ui.typed_query import Found, search_typed

_NDCG, _RECALL = "nDCG", "recall"
_NOTE = (
    "Side by side the full-dimension lists give way: what each lost of its own stands below it. "
    "⇄ is the rank in the other."
)


@dataclass(frozen=True, eq=False)
class Beside:
    """Two evaluations, each as the controls show it.

    Attributes
    ----------
    first, second : Side
        The one that the controls are of, and the one beside it.
    dataset : Dataset
        The second one's data.
    shared : Match
        What they share.
    key : tuple of str
        Tells these two, and their contents, from any others.
    """

    first: Side
    second: Side
    dataset: Dataset
    shared: Match
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, str]:
        """What to call them."""
        return self.first.name, self.second.name


def set_beside(dataset: Dataset, summary: Summary, view: View, other: Dataset) -> Beside | None:
    """Read another evaluation as the controls of the first say, or say why that cannot be."""
    key = dataset.key, dataset.version, other.key, other.version
    shared = _match(dataset.evaluation, other.evaluation, key)
    models = dataset.evaluation.source.model, other.evaluation.source.model
    names = short_names((dataset.title, other.title), models, shared)
    rankings = other.evaluation.rankings
    try:
        cutoff = nearest_cutoff(rankings, view.cutoff)
        figures = summary_of(other, cutoff)
    except InputError as error:
        show_error(f"{names[1]} cannot be shown beside: {error}")
        return None
    config = rankings.nearest(view.config)
    notes = tuple(departures(view.config, config, view.cutoff, cutoff))
    return Beside(
        Side(summary, view, names[0]),
        Side(figures, View(config, cutoff, view.n_vectors, None), names[1], notes),
        other,
        shared,
        key,
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _match(_first: Evaluation, _second: Evaluation, keys: tuple[str, ...]) -> Match:
    """Match two evaluations once: every slider move after that is a look-up."""
    return match(_first, _second)


def show_verdict(beside: Beside) -> None:
    """Say which one is better, as far as what they share can tell."""
    one, two = beside.first, beside.second
    found = differences(one.summary, one.view.config, two.summary, two.view.config, beside.shared)
    first, *rest = verdicts(
        one.summary, two.summary, names=beside.names, shared=beside.shared, found=found
    )
    lines = [f"<b>{html.escape(first)}</b>", *map(html.escape, rest)]
    text = "<br>".join(lines)
    st.html(f'<div class="mrl-under-chart"><div class="mrl-verdict">{text}</div></div>')


def choose_curves(beside: Beside) -> dict[str, Any]:
    """Give the curves of both: of nDCG where both judge alike, else of recall; the reader's choice.

    Only nDCG puts them on one scale, so it comes first.
    """
    k = beside.first.view.cutoff.k
    measure = _RECALL
    if beside.shared.judged_alike.any():
        measure = st.segmented_control(
            "Curves",
            [_NDCG, _RECALL],
            default=_NDCG,
            required=True,
            key="measure",
            bind="query-params",
            persist_state="session",
            label_visibility="collapsed",
            help="nDCG by the same judgements puts both on one scale; recall is against each one's "
            "own full dimension.",
        )
    rows = beside.shared.judged_rows
    sides = [
        (side.name, side.view.config, _points(side, str(measure), query_rows, beside.key))
        for side, query_rows in zip((beside.first, beside.second), rows, strict=True)
    ]
    axis = "by judgement" if measure == _NDCG else "vs own full dim"
    return curves_beside(sides, measure=f"{measure}@{k}", axis=axis)


def _points(
    side: Side, measure: str, query_rows: np.ndarray, key: tuple[str, ...]
) -> tuple[Point, ...]:
    config = replace(side.view.config, dim=side.summary.evaluation.rankings.full_dim)
    if measure == _RECALL:
        return recall_points(side.summary, config)
    return _ndcg_points(side.summary, config, query_rows, (*key, side.name, side.summary.cutoff))


@st.cache_resource(show_spinner=False, max_entries=64)
def _ndcg_points(
    _summary: Summary, config: Config, _query_rows: np.ndarray, key: tuple[object, ...]
) -> tuple[Point, ...]:
    """Resample once for each curve: every slider move after that is a look-up."""
    return ndcg_points(_summary, config, _query_rows)


def show_results_beside(dataset: Dataset, beside: Beside, choice: Choice, *, text: str) -> None:
    """Show one query's results in both, each against its own full dimension.

    Parameters
    ----------
    text : str
        The query.
    """
    row = choice.row or 0
    first = _found(dataset, row, choice.typed)
    if first is None:
        return
    view = beside.first.view
    columns = [_column(first, beside.first.name, view.config, view)]
    if view.pinned is not None:
        columns.append(_column(first, f"Pinned, {beside.first.name}", view.pinned, view))
    second, notes = _second_column(beside, row, choice.typed)
    if note := tie_note(first.rankings, first.query, view.config, cutoff=view.cutoff):
        notes = [f"{beside.first.name}: {note}", *notes]
    show_results(
        mark_shared(columns, second),
        query=text,
        note=" ".join([_NOTE, *notes]),
        dim=view.config.dim,
    )


def _found(dataset: Dataset, row: int, typed: str) -> Found | None:
    if typed:
        return search_typed(dataset, typed)
    evaluation = dataset.evaluation
    return Found(evaluation.rankings, row, typed, evaluation.listed)


def _column(found: Found, title: str, config: Config, view: View) -> ColumnData:
    column = compare_with_own_truth(
        found.rankings, found.query, config, title=title, cutoff=view.cutoff
    )
    rows = [result.row for result in column.results + column.lost]
    (data,) = column_data([column], found.listed.shown(rows), cutoff=view.cutoff)
    rescored = " rescored" if view.cutoff.rescore else ""
    return {**data, "config": setting_text(config, found.rankings.full_dim) + rescored}


def _second_column(beside: Beside, row: int, typed: str) -> tuple[ColumnData, list[str]]:
    """Give the results of the same query in the second one, or a word on why there are none.

    And what else is to be said of them.
    """
    side, evaluation = beside.second, beside.dataset.evaluation
    found, why = None, ""
    if typed and (beside.dataset.collection is None or evaluation.source.model is None):
        why = (
            "A typed query cannot be searched here: this evaluation came without its vectors, or "
            "without the name of its model."
        )
    elif not typed and beside.shared.queries[row] < 0:
        why = "This evaluation has no such query, by id or by text."
    else:
        place = -1 if typed else int(beside.shared.queries[row])
        found = _found(beside.dataset, place, typed)
        why = "This query could not be searched here."
    if found is not None:
        config, cutoff = side.view.config, side.view.cutoff
        note = tie_note(found.rankings, found.query, config, cutoff=cutoff)
        column = _column(found, side.name, config, side.view)
        return column, [f"{side.name}: {note}"] if note else []
    column = {
        "title": side.name,
        "config": setting_text(side.view.config, evaluation.rankings.full_dim),
        "note": "",
        "cards": [],
        "lost": [],
        "empty": why,
    }
    return column, []
