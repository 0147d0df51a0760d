"""The figures of the chosen configuration, and its memory beside the baseline's."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from mrl_explorer.decide.engines import usearch_memory
from mrl_explorer.decide.memory import Memory
from mrl_explorer.decide.summary import Row, Summary
from mrl_explorer.report.beside import setting_text
from mrl_explorer.report.formats import (
    byte_text,
    count_text,
    share_text,
    times_text,
)
from mrl_explorer.ui.controls import View


@dataclass(frozen=True, eq=False)
class Side:
    """An evaluation as the controls show it.

    Attributes
    ----------
    summary : Summary
        Its figures.
    view : View
        What is shown of it.
    name : str
        What tells it from the one beside it; empty when it stands alone.
    notes : tuple of str
        Where it departs from the controls.
    """

    summary: Summary
    view: View
    name: str = ""
    notes: tuple[str, ...] = ()


_HELP_RECALL = (
    "Share of the results of exact full-dimension float32 search that this configuration finds, "
    "averaged over the queries. Below it the 95% interval: where the average would lie for other "
    "queries of the same kind. A different question from nDCG: lost neighbours may matter to "
    "nobody, and a kept one may be wrong."
)
_HELP_JUDGED = "By your relevance judgements, over {n} judged queries. The change is against full "
_HELP_JUDGED += "dimension."
_HELP_SEEN = (
    " The adapter was trained on half of these documents, which may flatter it: its figures on the "
    "other half stand where it was trained, on the Model page or in the text of the command."
)
_HELP = {
    "nDCG": "Gain of the first k results, discounted by rank, against the best possible order. ",
    "MRR": "One over the rank of the first relevant result. ",
    "success": "Share of queries with at least one relevant result among the first k. ",
}


def show_numbers(side: Side, *, leads: bool = True) -> None:
    """Show recall with its interval and, where there are judgements, relevance.

    Parameters
    ----------
    leads : bool
        Whether this is the evaluation that the controls are of.
    """
    summary, view = side.summary, side.view
    row, full = summary.row(view.config), summary.row(summary.evaluation.rankings.baseline)
    k = summary.cutoff.k
    place = f'class="mrl-numbers" data-dim="{row.dim}"' if leads else 'class="mrl-numbers-beside"'
    st.html(f"<div {place}>{_heading(side)}</div>")
    n_columns = (2 if summary.relevance is None else 4) + view.config.is_fitted
    with st.grid(n_columns, min_column_width=105 if view.config.is_fitted else 120, gap="small"):
        st.metric(
            f"recall@{k}",
            share_text(row.recall),
            f"{share_text(row.recall_low)} to {share_text(row.recall_high)}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help=_HELP_RECALL,
        )
        if view.config.is_fitted:
            _show_held_out(summary, row)
        if summary.relevance is None:
            st.caption(
                "Without judgements there is no nDCG: recall alone does not say whether a lost "
                "result mattered."
            )
        else:
            _show_judged(row, full, k=k, n_judged=len(summary.relevance.query_rows))


def _heading(side: Side) -> str:
    view = side.view
    rescored = f", rescored from {view.cutoff.candidates} candidates" if view.cutoff.rescore else ""
    if not side.name:
        return f"<b>{view.config}</b>{rescored}, against full dimension"
    setting = setting_text(view.config, side.summary.evaluation.rankings.full_dim)
    notes = "".join(f" ({note})" for note in side.notes)
    name = html.escape(side.name)
    return f"<b>{name}</b> {setting}{rescored}, against its own full dimension{notes}"


def _show_held_out(summary: Summary, row: Row) -> None:
    """Show what a fitted basis reaches where it cannot flatter itself, or why that is not known."""
    figures = row.held_out, row.held_out_low, row.held_out_high, row.held_out_native
    value, low, high, native = (None if v is None else share_text(v) for v in figures)
    k, half = summary.cutoff.k, summary.evaluation.held_out
    if value is not None:
        below = f"{low} to {high}"
        text = (
            f"recall@{k} with the basis fitted on one half of the documents and measured on the "
            f"other; native there: {native}. Judge a fitted basis by this figure: measured on the "
            "documents it was fitted on, it flatters itself."
        )
    elif half is not None:
        below = "k too large"
        text = f"k = {k} leaves out none of the {half.rankings.n_docs} documents that are held out."
    else:
        below = "not measured"
        text = (
            "This run has no held-out figure: it is of an earlier version, or has too few "
            "documents for two halves. Evaluate again, or distrust a fitted basis."
        )
    st.metric(
        "held out",
        value or "–",
        below,
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=text,
    )


def _show_judged(row: Row, full: Row, *, k: int, n_judged: int) -> None:
    seen = _HELP_SEEN if row.basis == "adapter" else ""
    for name, value, before in (
        ("nDCG", row.ndcg, full.ndcg),
        ("MRR", row.mrr, full.mrr),
        ("success", row.success, full.success),
    ):
        if value is None or before is None:
            continue
        st.metric(
            f"{name}@{k}",
            share_text(value),
            f"{value - before:+.3f} vs full",
            delta_color="normal" if abs(value - before) >= 0.0005 else "off",
            delta_arrow="off",
            border=True,
            help=_HELP[name] + _HELP_JUDGED.format(n=n_judged) + seen,
        )


_HELP_MEMORY = (
    "An HNSW index of usearch, M = 16, loaded from its file. RAM: codes, graph and its tables, "
    "resident. Disk: the index file and, with rescoring, the full-dimension float32 copy that it "
    "reads. The graph does not shrink with the vector, so RAM falls less than the bytes a vector. "
    "usearch itself has no int4: there, it is a graph of this kind with codes of that size. "
    "1 GB = 10⁹ bytes."
)
# Of each part: its field, its name, and a colour that stands out on light and dark.
_PARTS = (
    ("vectors", "vectors", "#2B7FC0", "1"),
    ("graph", "HNSW graph", "#2B7FC0", ".55"),
    ("bookkeeping", "its tables in RAM", "#2B7FC0", ".28"),
    ("rescoring", "full-dimension copy for rescoring", "#D9480F", ".8"),
)
_STYLE = """
.mrl-memory { font-size: .85rem; }
.mrl-memory-side:not(:first-child) { margin-top: .6rem; }
.mrl-bar { display: grid; grid-template-columns: 10.5rem minmax(0, 1fr) 4.8rem; gap: .5rem;
  align-items: center; height: 1.3rem; }
.mrl-bar > span:first-child { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.mrl-bar > span:nth-child(2) { height: .75rem; display: flex; }
.mrl-bar > span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.mrl-legend { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .78rem; opacity: .85; }
.mrl-legend i { display: inline-block; width: .7em; height: .7em; margin-right: .3em; }
"""


def show_memory(sides: Sequence[Side]) -> None:
    """Show RAM and disk as bars of their parts, beside those of full dimension, on one scale."""
    needs = [_needs(side) for side in sides]
    widest = max(size for full, need in needs for m in (full, need) for size in (m.ram, m.disk))
    title = f"**Memory for {count_text(sides[0].view.n_vectors)} vectors**"
    saved = [_saved_text(side, *both) for side, both in zip(sides, needs, strict=True)]
    alone = len(sides) == 1
    st.markdown(f"{title}: {saved[0]}" if alone else title, help=_HELP_MEMORY)
    blocks = []
    for side, (full, need), text in zip(sides, needs, saved, strict=True):
        if not alone:
            name = html.escape(side.name)
            blocks.append(f'<div class="mrl-memory-side"><b>{name}</b> {text}</div>')
        blocks += [
            _bar(label, sizes, widest)
            for label, sizes in (
                ("RAM, full dimension", _ram_parts(full)),
                (f"RAM, {side.view.config}", _ram_parts(need)),
                ("Disk, full dimension", _disk_parts(full)),
                (f"Disk, {side.view.config}", _disk_parts(need)),
            )
        ]
    rescore = sides[0].view.cutoff.rescore
    shown = [part for part in _PARTS if part[0] != "rescoring" or rescore]
    legend = " ".join(
        f'<span><i style="background:{colour};opacity:{opacity}"></i>{label}</span>'
        for _, label, colour, opacity in shown
    )
    st.html(
        f'<style>{_STYLE}</style><div class="mrl-memory">{"".join(blocks)}'
        f'<div class="mrl-legend">{legend}</div></div>'
    )


def _needs(side: Side) -> tuple[Memory, Memory]:
    """Give what full dimension needs, and what the configuration needs."""
    rankings, view = side.summary.evaluation.rankings, side.view
    full_dim, n_vectors = rankings.full_dim, view.n_vectors
    return (
        usearch_memory(rankings.baseline, n_vectors=n_vectors, full_dim=full_dim, rescore=False),
        usearch_memory(
            view.config, n_vectors=n_vectors, full_dim=full_dim, rescore=view.cutoff.rescore
        ),
    )


def _saved_text(side: Side, full: Memory, need: Memory) -> str:
    code = side.view.config.bytes_per_vector
    full_code = side.summary.evaluation.rankings.baseline.bytes_per_vector
    return (
        f"{code:,} bytes a vector ({times_text(full_code / code)} smaller), "
        f"RAM {times_text(full.ram / need.ram)} smaller"
    )


def _ram_parts(need: Memory) -> dict[str, float]:
    return {part.name: part.ram for part in need.parts}


def _disk_parts(need: Memory) -> dict[str, float]:
    return {part.name: part.disk for part in need.parts}


def _bar(label: str, sizes: dict[str, float], widest: float) -> str:
    pieces = "".join(
        f'<span title="{name}: {byte_text(sizes[key])}" style="width:'
        f'{100 * sizes[key] / widest:.3f}%;background:{colour};opacity:{opacity}"></span>'
        for key, name, colour, opacity in _PARTS
        if sizes.get(key)
    )
    total = byte_text(sum(sizes.values()))
    return (
        f'<div class="mrl-bar"><span>{label}</span><span>{pieces}</span><span>{total}</span></div>'
    )
