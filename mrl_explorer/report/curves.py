"""Recall by dimension as plain values for the page's chart.

The chart follows the slider, so it is drawn by a browser component that keeps its curves from one
move to the next. Measured on the whole page, a move takes about 60 ms more with Plotly, which
makes its chart anew on every change, and 20 ms more with ECharts. Figures that stay put use
Plotly: `figures`.
"""

from typing import Any

from mrl_explorer.decide.summary import Row, Summary
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config


def recall_curves(
    summary: Summary, *, basis: str, chosen: Config, pinned: Config | None
) -> dict[str, Any]:
    """Give a curve with its 95% interval for each quantization, and the points to mark.

    Parameters
    ----------
    summary : Summary
        The figures of a run.
    basis : str
        The basis whose curves are drawn.
    chosen, pinned : Config
        Points to mark.

    Returns
    -------
    dict
        `curves`: by quantization its `name` and `points`, each [dim, recall, low, high];
        `marks`: `kind` (chosen or pinned), `dim`, `recall` and `text`; `dims` and those of them
        that get a label, `ticks`; `lowest`, the foot of the vertical axis; `measure`, its name.
    """
    by_quantization: dict[str, list[Row]] = {}
    for row in sorted(summary.rows(), key=lambda row: row.dim):
        if row.basis == basis:
            by_quantization.setdefault(row.quantization, []).append(row)
    order = dict.fromkeys(config.quantization for config in summary.evaluation.rankings.configs)
    names = [name for name in order if name in by_quantization]
    rows = [row for name in names for row in by_quantization[name]]
    dims = sorted({row.dim for row in rows})
    marks = [("pinned", pinned), ("chosen", chosen)]
    return {
        "measure": f"recall@{summary.cutoff.k}",
        "basis": basis,
        "dims": dims,
        "ticks": _ticks(dims),
        "lowest": max(0.0, int(min(row.recall_low for row in rows) * 10) / 10),
        "curves": [
            {"name": name, "points": [_point(row) for row in by_quantization[name]]}
            for name in names
        ],
        "marks": [_mark(kind, config, summary) for kind, config in marks if config is not None],
    }


def _point(row: Row) -> list[float]:
    return [row.dim, *(round(v, 3) for v in (row.recall, row.recall_low, row.recall_high))]


def _mark(kind: str, config: Config, summary: Summary) -> dict[str, Any]:
    recall = summary.row(config).recall
    return {
        "kind": kind,
        "dim": config.dim,
        "recall": recall,
        "text": f"{config}: {share_text(recall)}",
    }


def _ticks(dims: list[int]) -> list[int]:
    """Label dims that stand far enough apart to be read, from the largest down."""
    labelled: list[int] = []
    for dim in reversed(dims):
        if not labelled or dim * 1.3 < labelled[-1]:
            labelled.append(dim)
    return labelled[::-1]
