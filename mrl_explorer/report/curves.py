"""Recall by dimension as plain values for the page's chart.

The chart follows the slider, so it is drawn by a browser component that keeps its curves from one
move to the next. Measured on the whole page, a move takes about 60 ms more with Plotly, which
makes its chart anew on every change, and 20 ms more with ECharts. Figures that stay put use
Plotly: `figures`.
"""

from collections.abc import Sequence
from typing import Any

from mrl_explorer.decide.beside import Point
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
        `marks`: `kind` (chosen or pinned), `dim`, `value` and `text`; `dims` and those of them
        that get a label, `ticks`; `lowest`, the foot of the vertical axis; `measure`, its name,
        `axis`, what stands beside it; `across` and `unit`, the same of the horizontal one; `about`,
        what the chart shows, for screen readers.
    """
    by_quantization: dict[str, list[Row]] = {}
    for row in sorted(summary.rows(), key=lambda row: row.dim):
        if row.basis == basis:
            by_quantization.setdefault(row.quantization, []).append(row)
    order = dict.fromkeys(config.quantization for config in summary.evaluation.rankings.configs)
    names = [name for name in order if name in by_quantization]
    marks = [("pinned", pinned), ("chosen", chosen)]
    return _chart(
        {name: [_point(row) for row in by_quantization[name]] for name in names},
        [_mark(kind, config, summary) for kind, config in marks if config is not None],
        measure=f"recall@{summary.cutoff.k}",
        axis="vs full dimension",
        about=f"in the basis {basis}, a curve for each quantization",
    )


def curves_beside(
    sides: Sequence[tuple[str, Config, Sequence[Point]]], *, measure: str, axis: str
) -> dict[str, Any]:
    """Give a curve for each of two evaluations, and the point of each that is shown.

    Parameters
    ----------
    sides : sequence of (str, Config, sequence of Point)
        Name, configuration, and the points of its quantization and basis.
    measure, axis : str
        What is drawn, and what the vertical axis says of it.

    Returns
    -------
    dict
        As `recall_curves`; a curve's name is that of the evaluation and its quantization, and the
        marks are of the kinds chosen and beside.
    """
    curves: dict[str, list[list[float]]] = {}
    marks: list[dict[str, Any]] = []
    for (name, config, points), kind in zip(sides, ("chosen", "beside"), strict=True):
        curves[f"{name}, {str(config).partition('d ')[2]}"] = [
            [point.dim, *(round(v, 3) for v in (point.value, point.low, point.high))]
            for point in points
        ]
        value = next(point.value for point in points if point.dim == config.dim)
        text = f"{name}: {share_text(value)}"
        marks.append({"kind": kind, "dim": config.dim, "value": value, "text": text})
    # The boxes of two points that lie close together stand on the far sides of them.
    max(marks, key=lambda mark: mark["value"])["above"] = True
    return _chart(curves, marks, measure=measure, axis=axis, about="a curve for each evaluation")


def _chart(
    curves: dict[str, list[list[float]]],
    marks: list[dict[str, Any]],
    *,
    measure: str,
    axis: str,
    about: str,
) -> dict[str, Any]:
    points = [point for curve in curves.values() for point in curve]
    dims = sorted({int(dim) for dim, *_ in points})
    return {
        "measure": measure,
        "axis": axis,
        "across": "dimensions kept (log scale)",
        "unit": "dims",
        "about": f"{measure} {axis} by dimension, {about}, with its 95% interval. A click on a "
        "point selects it.",
        "dims": dims,
        "ticks": _ticks(dims),
        "lowest": max(0.0, int(min(low for _, _, low, _ in points) * 10) / 10),
        "curves": [{"name": name, "points": curve} for name, curve in curves.items()],
        "marks": marks,
    }


def _point(row: Row) -> list[float]:
    return [row.dim, *(round(v, 3) for v in (row.recall, row.recall_low, row.recall_high))]


def _mark(kind: str, config: Config, summary: Summary) -> dict[str, Any]:
    recall = summary.row(config).recall
    return {
        "kind": kind,
        "dim": config.dim,
        "value": recall,
        "text": f"{config}: {share_text(recall)}",
    }


def _ticks(dims: list[int]) -> list[int]:
    """Label dims that stand far enough apart to be read, from the largest down."""
    labelled: list[int] = []
    for dim in reversed(dims):
        if not labelled or dim * 1.3 < labelled[-1]:
            labelled.append(dim)
    return labelled[::-1]
