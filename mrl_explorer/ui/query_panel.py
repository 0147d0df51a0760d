"""Which query's results are shown: picked from the run, or typed."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mrl_explorer.decide.summary import Summary
from mrl_explorer.report.formats import share_text
from mrl_explorer.ui.address import set_parameter
from mrl_explorer.ui.controls import View, pin, unpin

_SHOWN = 50
_ALL = "All segments"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes
    ----------
    row : int or None
        A query of the run; None when one was typed, or none is left to pick.
    typed : str
        The typed query, or empty.
    """

    row: int | None
    typed: str


def show_query_panel(summary: Summary, view: View) -> Choice:
    """Show the choice of a query: worst first, by segment, by search, or typed new."""
    queries = summary.evaluation.queries
    recalls = summary.recall[summary.evaluation.rankings.place(view.config)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        segment = _ALL
        if queries.segments is not None:
            segment = st.selectbox(
                "Segment",
                [_ALL, *sorted(set(queries.segments))],
                key="segment",
                bind="query-params",
                width=170,
                persist_state="session",
                help="Pick only among queries of this segment.",
            )
        words = st.text_input(
            "Find a query",
            key="find",
            bind="query-params",
            width=180,
            placeholder="words in it",
            persist_state="session",
            help="Pick only among queries that hold these words.",
        )
        rows = matching(summary, segment=None if segment == _ALL else segment, words=words)
        row = _pick(summary, rows[np.argsort(recalls[rows], kind="stable")], recalls)
        typed = st.text_input(
            "Or type your own",
            key="typed",
            bind="query-params",
            persist_state="session",
            placeholder="a new query, then Enter",
            help="Searched in every configuration. It has no judgements and enters no average.",
            icon=":material/search:",
        )
        _show_pin(view)
    return Choice(None if typed.strip() else row, typed.strip())


def _show_pin(view: View) -> None:
    if view.pinned is None:
        st.button(
            "Pin",
            icon=":material/keep:",
            on_click=pin,
            args=(view.config,),
            help=f"Hold {view.config} in a third column while you slide on.",
        )
    else:
        st.button(
            "Unpin",
            icon=":material/keep_off:",
            on_click=unpin,
            help=f"Let go of {view.pinned}, the third column.",
        )


def matching(summary: Summary, *, segment: str | None, words: str) -> np.ndarray:
    """List the query rows of a segment (None for all) that hold all the words."""
    queries = summary.evaluation.queries
    wanted = words.lower().split()
    return np.array(
        [
            row
            for row, text in enumerate(queries.texts)
            if (segment is None or (queries.segments or ())[row] == segment)
            and all(word in f"{queries.ids[row]} {text}".lower() for word in wanted)
        ],
        dtype=np.int64,
    )


def _pick(summary: Summary, rows: np.ndarray, recalls: np.ndarray) -> int | None:
    """Let the reader pick among the worst; what is picked stays while the order changes."""
    queries = summary.evaluation.queries
    row_of = {identity: row for row, identity in enumerate(queries.ids)}
    options = [queries.ids[row] for row in rows[:_SHOWN]]
    picked = st.session_state.get("query") or st.query_params.get("q")
    if picked in row_of and row_of[picked] in rows and picked not in options:
        options.append(picked)
    if not options:
        st.selectbox(
            "Query, worst first",
            ["No query matches"],
            disabled=True,
            key="no query",
            help="Choose another segment, or other words, to list queries again.",
        )
        return None
    if picked not in options:
        picked = options[0]
    st.session_state["query"] = picked
    texts = {identity: queries.texts[row_of[identity]] or identity for identity in options}
    repeats = Counter(texts.values())
    chosen = st.selectbox(
        "Query, worst first",
        options,
        key="query",
        format_func=lambda identity: (
            f"{share_text(recalls[row_of[identity]])}  {texts[identity]}"
            f"{f' ({identity})' if repeats[texts[identity]] > 1 else ''}"
        ),
        persist_state="session",
        help=f"Each with its recall in this configuration. The {len(options)} worst of "
        f"{len(rows):,} are listed: the segment and the words beside this narrow them down.",
    )
    set_parameter("q", str(chosen))
    return row_of[str(chosen)]
