"""The figures of the chosen configuration, and its memory beside the baseline's."""

import streamlit as st

from mrl_explorer.decide.memory import Memory, memory
from mrl_explorer.decide.summary import Row, Summary
from mrl_explorer.report.formats import (
    byte_text,
    change_text,
    count_text,
    share_text,
    times_text,
)
from mrl_explorer.ui.controls import View

_HELP_RECALL = (
    "Share of the results of exact full-dimension float32 search that this configuration finds, "
    "averaged over the queries. Below it the 95% interval: where the average would lie for other "
    "queries of the same kind. A different question from nDCG: lost neighbours may matter to "
    "nobody, and a kept one may be wrong."
)
_HELP_JUDGED = "By your relevance judgements, over {n} judged queries. The change is against full "
_HELP_JUDGED += "dimension."
_HELP = {
    "nDCG": "Gain of the first k results, discounted by rank, against the best possible order. ",
    "MRR": "One over the rank of the first relevant result. ",
    "success": "Share of queries with at least one relevant result among the first k. ",
}


def show_numbers(summary: Summary, view: View) -> None:
    """Show recall with its interval, relevance where there are judgements, and memory."""
    rankings = summary.evaluation.rankings
    row, full = summary.row(view.config), summary.row(rankings.baseline)
    k = summary.cutoff.k
    st.html(
        f'<div class="mrl-numbers" data-dim="{row.dim}" style="font-weight:600">{view.config}'
        + (f", rescored from {view.cutoff.candidates} candidates" if view.cutoff.rescore else "")
        + "</div>"
    )
    with st.grid(4, min_column_width=132, gap="small"):
        st.metric(
            f"recall@{k} vs full",
            share_text(row.recall),
            f"{share_text(row.recall_low)} to {share_text(row.recall_high)}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=_HELP_RECALL,
        )
        if summary.relevance is not None:
            _show_judged(summary, row, full)
        _show_memory(summary, view)


def _show_judged(summary: Summary, row: Row, full: Row) -> None:
    if summary.relevance is None:
        return
    n_judged = len(summary.relevance.query_rows)
    for name, value, before in (
        ("nDCG", row.ndcg, full.ndcg),
        ("MRR", row.mrr, full.mrr),
        ("success", row.success, full.success),
    ):
        if value is None or before is None:
            continue
        st.metric(
            f"{name}@{summary.cutoff.k}",
            share_text(value),
            f"{value - before:+.3f}".replace("-", "−"),
            delta_color="normal" if abs(value - before) >= 0.0005 else "off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=_HELP[name] + _HELP_JUDGED.format(n=n_judged),
        )


def _show_memory(summary: Summary, view: View) -> None:
    rankings = summary.evaluation.rankings
    need = memory(
        view.config,
        n_vectors=view.n_vectors,
        full_dim=rankings.full_dim,
        rescore=view.cutoff.rescore,
    )
    full = memory(
        rankings.baseline, n_vectors=view.n_vectors, full_dim=rankings.full_dim, rescore=False
    )
    count = count_text(view.n_vectors)
    for name, value, before, explanation in (
        (
            f"RAM at {count}",
            need.ram,
            full.ram,
            "Resident memory of vectors, HNSW graph and its tables (usearch, M = 16).",
        ),
        (
            f"Disk at {count}",
            need.disk,
            full.disk,
            "The index file, and with rescoring the full-dimension float32 copy it reads.",
        ),
    ):
        st.metric(
            name,
            byte_text(value),
            change_text(before, value),
            delta_color="inverse" if round(value) != round(before) else "off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=f"{explanation} Full dimension needs {byte_text(before)}. 1 GB = 10⁹ bytes.",
        )
    code, full_code = view.config.bytes_per_vector, rankings.baseline.bytes_per_vector
    st.metric(
        "Bytes per vector",
        f"{code:,}",
        f"{times_text(full_code / code)} smaller" if code != full_code else "full size",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=f"Code alone, without graph: ceil(dim × bits / 8). Full dimension: {full_code:,}. "
        "The graph does not shrink with the vector, so RAM falls less.",
    )
    st.metric(
        "RAM compression",
        times_text(full.ram / need.ram),
        "graph included",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help="Resident memory of full dimension over that of this configuration.",
    )


_PARTS = (
    ("vectors", "vectors", "var(--primary, #0B63A5)", "1"),
    ("graph", "HNSW graph", "var(--primary, #0B63A5)", ".55"),
    ("bookkeeping", "tables", "var(--primary, #0B63A5)", ".3"),
    ("rescoring", "copy for rescoring", "#D9480F", ".8"),
)


def show_memory_bars(summary: Summary, view: View) -> None:
    """Show RAM and disk as bars of their parts, beside those of full dimension."""
    rankings = summary.evaluation.rankings
    full = memory(
        rankings.baseline, n_vectors=view.n_vectors, full_dim=rankings.full_dim, rescore=False
    )
    need = memory(
        view.config,
        n_vectors=view.n_vectors,
        full_dim=rankings.full_dim,
        rescore=view.cutoff.rescore,
    )
    widest = max(full.ram, full.disk, need.ram, need.disk)
    rows = "".join(
        _bar(f"{what} · {whose}", sizes, total, widest)
        for what, whose, sizes, total in (
            ("RAM", "full dimension", _ram_parts(full), full.ram),
            ("RAM", str(view.config), _ram_parts(need), need.ram),
            ("Disk", "full dimension", _disk_parts(full), full.disk),
            ("Disk", str(view.config), _disk_parts(need), need.disk),
        )
    )
    shown = [part for part in _PARTS if part[0] != "rescoring" or need.rescoring]
    legend = " ".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:.7em;'
        f'height:.7em;background:{colour};opacity:{opacity};margin-right:.3em"></span>{label}</span>'
        for _, label, colour, opacity in shown
    )
    st.html(
        f'<div style="font-size:.85rem"><div style="display:flex;gap:1rem;flex-wrap:wrap;'
        f'margin-bottom:.3rem"><b>Memory for {count_text(view.n_vectors)} vectors</b>{legend}'
        f"</div>{rows}</div>"
    )


def _ram_parts(need: Memory) -> dict[str, float]:
    return {"vectors": need.vectors, "graph": need.graph, "bookkeeping": need.bookkeeping}


def _disk_parts(need: Memory) -> dict[str, float]:
    return {"vectors": need.vectors, "graph": need.graph, "rescoring": need.rescoring}


def _bar(label: str, sizes: dict[str, float], total: float, widest: float) -> str:
    pieces = "".join(
        f'<span title="{name}: {byte_text(sizes[key])}" style="display:inline-block;height:100%;'
        f'width:{100 * sizes[key] / widest:.3f}%;background:{colour};opacity:{opacity}"></span>'
        for key, name, colour, opacity in _PARTS
        if sizes.get(key)
    )
    return (
        '<div style="display:grid;grid-template-columns:12.5rem 1fr 5rem;gap:.5rem;'
        'align-items:center;height:1.35rem">'
        f'<span style="white-space:nowrap;overflow:hidden;text-overflow:ellipsis">{label}</span>'
        f'<span style="height:.75rem;display:flex">{pieces}</span>'
        f'<span style="text-align:right;font-variant-numeric:tabular-nums">{byte_text(total)}'
        "</span></div>"
    )
