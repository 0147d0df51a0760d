"""What stands behind a recommendation: where it hurts, what else the same bytes buy, every cell."""

import html
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from textwrap import shorten

import numpy as np
import streamlit as st

from mrl_explorer.decide.diagnosis import Agreement, Losses, Tail, agreement, split_loss, tail
from mrl_explorer.decide.neighbours import neighbours
from mrl_explorer.decide.options import Options
from mrl_explorer.decide.pairs import MARGIN
from mrl_explorer.decide.recommendation import Choice, Recommendation
from mrl_explorer.decide.segments import Segment, by_segment, language_kinds, segmentations
from mrl_explorer.report.decide_charts import published_chart
from mrl_explorer.report.decide_tables import (
    Bar,
    heat_map,
    histogram,
    published_text,
    same_bytes,
    sizes,
    table_options,
    table_rows,
)
from mrl_explorer.report.formats import share_text
from mrl_explorer.report.verdicts import (
    agreement_text,
    choice_name,
    losses_text,
    pair_text,
    tail_text,
)
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.ui.components.curves import show_curves
from mrl_explorer.ui.components.query_list import show_query_list
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.explorer_link import go_if_asked, open_in_explore
from mrl_explorer.ui.problems import literal

_HURTS, _NEIGHBOURS, _BYTES, _CELLS, _TABLE, _OTHERS = (
    "Where it hurts",
    "Can the queries tell?",
    "Same bytes",
    "Every cell",
    "Table",
    "What others lost",
)
_LANGUAGE = "Language"
_WORST = 8
_TEXT_SHOWN = 80
_MARGINS = {"½ point": 0.005, "1 point": MARGIN, "2 points": 0.02, "5 points": 0.05}
_STYLE = """
<style>
.mrl-rows { display: grid; gap: .15rem .7rem; align-items: center; font-size: .88rem;
  grid-template-columns: minmax(8rem, max-content) minmax(4rem, 1fr) 8.5rem; }
.mrl-rows > span:nth-child(3n) { font-variant-numeric: tabular-nums; white-space: nowrap; }
.mrl-track { position: relative; height: .8rem; background: rgba(127,135,147,.16); }
.mrl-track i { position: absolute; inset: 0 auto 0 0; background: #2B7FC0; opacity: .8; }
.mrl-track b { position: absolute; top: .32rem; height: .16rem; background: currentColor; }
.mrl-columns { display: flex; align-items: flex-end; height: 9.4rem; font-size: .8rem;
  font-variant-numeric: tabular-nums; }
.mrl-columns > div { flex: 1; text-align: center; line-height: 1.3; }
.mrl-columns i { display: block; margin: 0 12%; background: #2B7FC0; border-bottom: 1px solid; }
.mrl-axis { text-align: center; font-size: .8rem; opacity: .8; }
.mrl-heat { border-collapse: collapse; font-size: .84rem; font-variant-numeric: tabular-nums; }
.mrl-heat th { font-weight: 600; padding: .15rem .5rem; text-align: right; }
.mrl-heat td { padding: .2rem .5rem; text-align: right; border: 1px solid rgba(127,135,147,.25); }
.mrl-heat td.chosen { outline: 3px solid #D9480F; outline-offset: -3px; font-weight: 700; }
</style>
"""


@st.fragment
def show_evidence(
    dataset: Dataset, options: Options, found: Recommendation, *, marker: str
) -> None:
    """Show the view that is chosen; the others cost nothing.

    Parameters
    ----------
    marker : str
        The question in one line, for whoever waits until all of the page answers it.
    """
    go_if_asked()
    st.html(_STYLE)
    shown = _shown(found)
    chosen = st.segmented_control(
        "Evidence",
        [_HURTS, _NEIGHBOURS, _BYTES, _CELLS, _TABLE, _OTHERS],
        default=_HURTS,
        required=True,
        key="evidence",
        persist_state="session",
        help=f"Each for {choice_name(shown)}.",
    )
    st.caption(literal(_about(options, found, shown)))
    if chosen == _NEIGHBOURS:
        _show_neighbours(options, shown)
    elif chosen == _BYTES:
        _show_same_bytes(options, shown)
    elif chosen == _CELLS:
        _show_cells(options, found, shown)
    elif chosen == _TABLE:
        _show_table(options, found)
    elif chosen == _OTHERS:
        _show_others(options, found, shown)
    else:
        _show_where_it_hurts(dataset, options, shown)
    st.html(f'<span class="mrl-end" data-question="{marker} {chosen or _HURTS}" hidden></span>')


def _shown(found: Recommendation) -> Choice:
    """Give what the evidence is about: the choice, or what comes next to one."""
    relaxed = found.relaxations[0].choice if found.relaxations else None
    return found.choice or found.closest or relaxed or found.baseline


def _about(options: Options, found: Recommendation, shown: Choice) -> str:
    """Say what the evidence is about, and on which documents it was measured."""
    what = "" if found.choice else " Nothing holds what you ask; this is what comes next to it."
    held_out = options.evaluation.held_out
    where = ""
    if shown.held_out and held_out is not None:
        where = (
            f" Measured on the {held_out.rankings.n_docs:,} documents that its basis was not "
            f"fitted on; Explore shows its lists of all {found.n_docs:,}, which can look better."
        )
    return f"About {choice_name(shown)}.{what}{where}"


def _show_where_it_hurts(dataset: Dataset, options: Options, shown: Choice) -> None:
    key = (dataset.key, dataset.version)
    if options.is_exact(shown.config, shown.cutoff):
        st.info("This equals full dimension by construction: nothing is lost.")
        return
    values = options.of(shown.config, shown.cutoff)
    spread = tail(values)
    with st.grid(2, min_column_width=440, gap=("small", "medium")):
        left, right = st.container(gap="xsmall"), st.container(gap="xsmall")
    with left:
        few, worst = tail_text(spread)
        st.markdown(
            f"**{few}** {worst}",
            help="The mean hides queries that lose everything. Each bar counts queries by how "
            "much of their own full-dimension results they keep.",
        )
        _show_histogram(spread, k=options.k)
        losses, agreed = _diagnosis(options, key, shown.config, shown.cutoff)
        if losses is not None:
            st.markdown(
                f"**Why.** {losses_text(losses, shown)}",
                help="In mean recall@k: first the loss of the cut in float32, "
                "then that of fewer bits, then what rescoring brings back.",
            )
        if agreed is None:
            st.markdown(
                "**Does it matter?** Without judgements nobody can say whether a lost result was "
                "one that a reader would have missed."
            )
        else:
            st.markdown(f"**Does it matter?** {agreement_text(agreed)}")
    with right:
        _show_segments(dataset, values, shown)
        _show_worst(dataset, values, shown)


def _show_histogram(spread: Tail, *, k: int) -> None:
    columns = "".join(
        f'<div><span>{column.count:,}</span><i style="height:{6.5 * column.height:.2f}rem"></i>'
        f"<span>{column.name}</span></div>"
        for column in histogram(spread)
    )
    st.html(
        f'<div class="mrl-columns">{columns}</div>'
        f'<div class="mrl-axis">recall@{k} of one query; above each column, how many queries</div>'
    )


@st.cache_resource(show_spinner=False, max_entries=16)
def _ways(_dataset: Dataset, key: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    return segmentations(_dataset.evaluation)


@st.cache_resource(show_spinner="Telling the languages apart", max_entries=16)
def _languages(_dataset: Dataset, key: tuple[str, str]) -> tuple[str, ...]:
    return language_kinds(_dataset.evaluation)


@st.cache_resource(show_spinner=False, max_entries=256)
def _diagnosis(
    _options: Options, key: tuple[str, str], config: Config, cutoff: Cutoff
) -> tuple[Losses | None, Agreement | None]:
    """Diagnose an option once: most controls leave the choice as it is."""
    evaluation, answerable = _options.measured_on(config, cutoff)
    return split_loss(evaluation, config, answerable), agreement(evaluation, config, answerable)


@st.cache_resource(show_spinner=False, max_entries=256)
def _segments(
    _values: np.ndarray,
    _kinds: tuple[str, ...],
    key: tuple[str, str],
    way: str,
    config: Config,
    cutoff: Cutoff,
) -> tuple[Segment, ...]:
    """Average an option's recall by segment once; values and kinds follow from the rest."""
    return by_segment(_values, _kinds)


def _show_segments(dataset: Dataset, values: np.ndarray, shown: Choice) -> None:
    key = (dataset.key, dataset.version)
    ways = _ways(dataset, key)
    names = [*ways, *([_LANGUAGE] if any(dataset.evaluation.queries.texts) else [])]
    if not names:
        return
    if st.session_state.get("split_by") not in names:
        st.session_state.pop("split_by", None)
    chosen = st.segmented_control(
        "Recall by",
        names,
        default=names[0],
        required=True,
        key="split_by",
        persist_state="session",
        help="The data's own segments where it has them; otherwise what can be told from the "
        "text. A language is one that a good part of the texts is in, by its ISO 639 code. The "
        "line in each bar is the 95% interval; the worst kind stands on top.",
    )
    way = str(chosen or names[0])
    kinds = _languages(dataset, key) if way == _LANGUAGE else ways[way]
    segments = _segments(values, kinds, key, way, shown.config, shown.cutoff)
    _show_bars(map(_segment_bar, segments))


def _segment_bar(segment: Segment) -> Bar:
    few = ", too few" if segment.few else ""
    name = f"{segment.name or '(none)'} ({segment.n_queries}{few})"
    return Bar(name, segment.recall, segment.low, segment.high)


def _show_bars(bars: Iterable[Bar]) -> None:
    rows = "".join(
        f"<span>{html.escape(bar.name)}</span>"
        f'<span class="mrl-track"><i style="width:{100 * bar.value:.2f}%"></i>'
        f'<b style="left:{100 * bar.low:.2f}%;width:{max(100 * (bar.high - bar.low), 0.4):.2f}%">'
        f"</b></span><span>{share_text(bar.value)} [{share_text(bar.low)}-{share_text(bar.high)}]"
        "</span>"
        for bar in bars
    )
    st.html(f'<div class="mrl-rows">{rows}</div>')


def _show_worst(dataset: Dataset, values: np.ndarray, shown: Choice) -> None:
    queries = dataset.evaluation.queries
    worst = [int(row) for row in np.argsort(values, kind="stable")[:_WORST] if values[row] < 1]
    if not worst:
        st.markdown("**No query loses a result.**")
        return
    st.markdown(
        "**The worst queries**, each with both result lists one click away",
        help="Opens the query in Explore: full dimension's results beside this configuration's.",
    )
    show_query_list(
        [
            (
                queries.ids[row],
                share_text(float(values[row])),
                shorten(queries.texts[row] or queries.ids[row], _TEXT_SHOWN, placeholder=" …"),
            )
            for row in worst
        ],
        key="worst",
        on_query=partial(_open_query, shown),
    )


def _open_query(shown: Choice) -> None:
    """Open the query that was clicked, with the configuration shown."""
    query = str(st.session_state["worst"]["query"])
    open_in_explore(shown.config, cutoff=shown.cutoff, query=query)


def _show_neighbours(options: Options, shown: Choice) -> None:
    margin = st.segmented_control(
        "A difference that would not matter to you",
        list(_MARGINS),
        default="1 point",
        required=True,
        key="margin",
        persist_state="session",
        help="Of recall, in hundredths. Two configurations closer than that are alike to you; the "
        "number of queries is what it takes for the 95% interval of their difference to fit.",
    )
    pairs = neighbours(options, shown, margin=_MARGINS[str(margin or "1 point")])
    if not pairs:
        st.info("This run has no neighbour of this configuration.")
    for other, pair in pairs:
        st.markdown(f"- {pair_text(pair, str(shown.config), str(other))}")


def _show_same_bytes(options: Options, shown: Choice) -> None:
    there = sizes(options)
    if not there:
        st.info("In this run no two configurations take the same bytes.")
        return
    if st.session_state.get("same_bytes") not in there:
        st.session_state["same_bytes"] = min(
            there, key=lambda size: abs(size - shown.config.bytes_per_vector)
        )
    size = st.select_slider(
        "Bytes per vector",
        there,
        key="same_bytes",
        persist_state="session",
        width=420,
        help="Many dims in few bits, or few dims in many: what the same bytes buy.",
    )
    _show_bars(same_bytes(options, int(size)))
    st.caption(_held_out_note(options))


def _held_out_note(options: Options) -> str:
    """Say which figures are of other documents; empty where none are."""
    held_out = options.evaluation.held_out
    if held_out is None or not options.held_out.any():
        return ""
    return (
        f"Marked *: measured on the {held_out.rankings.n_docs:,} documents that the basis was not "
        f"fitted on, the others on all {options.evaluation.rankings.n_docs:,}."
    )


def _show_cells(options: Options, found: Recommendation, shown: Choice) -> None:
    measure = "recall" if found.constraints.min_ndcg_kept is None else "share of nDCG kept"
    st.caption(
        f"Mean {measure} without rescoring; ✓ where it holds what you ask. The darker, the more is "
        f"kept. {_held_out_note(options)}"
    )
    tables = []
    for basis, rows, quantizations in heat_map(
        options, found.constraints, chosen=None if shown.cutoff.rescore else shown.config
    ):
        head = "".join(f"<th>{html.escape(name)}</th>" for name in quantizations)
        body = "".join(
            f"<tr><th>{dim:,}</th>"
            + "".join(
                "<td></td>"
                if cell is None
                else f'<td class="{"chosen" if cell.chosen else ""}" '
                f'style="background:rgba(43,127,192,{cell.strength:.2f})">{cell.text}</td>'
                for cell in cells
            )
            + "</tr>"
            for dim, cells in rows
        )
        tables.append(
            f'<table class="mrl-heat"><tr><th style="text-align:left">{html.escape(basis)}</th>'
            f"{head}</tr>{body}</table>"
        )
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:1.2rem">{"".join(tables)}</div>')


def _show_table(options: Options, found: Recommendation) -> None:
    clicks = st.session_state.setdefault("table clicks", 0)
    key = f"decide table {clicks}"
    listed = table_options(options, found)
    rows = table_rows(options, found, listed)
    st.session_state["table options"] = listed
    st.dataframe(
        rows,
        hide_index=True,
        height=360,
        key=key,
        on_select=partial(_open_row, key),
        selection_mode="single-row",
        column_config={
            "cost": st.column_config.NumberColumn(
                "$ a month", format="%.2f", help="RAM and disk at the prices set above."
            ),
            "ram": st.column_config.NumberColumn(
                "RAM, GB", format="%.2f", help="Codes, graph and tables in the engine chosen."
            ),
            "disk": st.column_config.NumberColumn(
                "disk, GB", format="%.2f", help="The index file, and what is read from disk."
            ),
            "dim": st.column_config.Column("dimension", help="Dims kept."),
            "quantization": st.column_config.Column(help="How a component is stored."),
            "basis": st.column_config.Column(help="The axes that are cut."),
            "bytes_per_vector": st.column_config.Column(
                "bytes per vector", help="Of one stored code."
            ),
            "chosen": st.column_config.CheckboxColumn("chosen", help="What is recommended."),
            "candidates": st.column_config.Column(
                "rescored from", help="Candidates that full dimension re-orders."
            ),
            "held_out": st.column_config.CheckboxColumn(
                "held out",
                help="Measured on documents that the basis was not fitted on; the others on all.",
            ),
            "best": st.column_config.CheckboxColumn(
                "best at its bytes", help="No configuration of as few bytes has a higher recall."
            ),
            **{
                name: st.column_config.NumberColumn(label, format="%.3f", help=note)
                for name, label, note in (
                    (
                        "recall",
                        f"recall@{options.k}",
                        "Mean share of full dimension's results that are found.",
                    ),
                    ("recall_low", "95% from", "Lower end of its own 95% interval."),
                    ("recall_high", "95% to", "Upper end of its own 95% interval."),
                    (
                        "joint_low",
                        "lower end",
                        "Lower end that allows for the choice among all configurations.",
                    ),
                )
            },
        },
    )
    st.caption(
        "Without rescoring, but for a choice that needs it. The lower end allows for the choice "
        "among all configurations. A click "
        "at the left of a row opens it in Explore."
    )


def _open_row(key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.session_state["table clicks"] += 1
        config, cutoff = st.session_state["table options"][rows[0]]
        open_in_explore(config, cutoff=cutoff)


def _show_others(options: Options, found: Recommendation, shown: Choice) -> None:
    full_dim = options.evaluation.rankings.full_dim
    st.markdown(published_text(shown.config, full_dim=full_dim))
    show_curves(
        published_chart(options, found.constraints, shown.config),
        key="published",
        on_point=partial(_open_share, shown.config, full_dim),
    )
    st.caption(
        "Published figures are task scores (nDCG, MTEB) without rescoring, on other data; overlap "
        "with full dimension falls faster, so a recall below the band is usual."
    )


def _open_share(config: Config, full_dim: int) -> None:
    """Open the dim whose share was clicked."""
    share = float(st.session_state["published"]["point"][0])
    open_in_explore(replace(config, dim=round(share * full_dim)))
