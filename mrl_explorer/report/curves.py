"""Recall by dimension as an ECharts option.

The curve follows the slider, so it is drawn with ECharts, which keeps its chart from one run to
the next; Plotly's is made anew on every change (measured on the whole page: about 60 ms more a
move, and a blank frame now and then). Figures that stay put use Plotly: `figures`.
"""

from typing import Any

from mrl_explorer.decide.summary import Row, Summary
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config

# Shape and dash tell the curves apart without colour; they repeat after five, colours do not.
_SYMBOLS = ("circle", "rect", "diamond", "triangle", "emptyCircle")
_DASHES = ("solid", "dotted", "dashed", [8, 3, 2, 3], [2, 2])
# At least 3:1 against both backgrounds, and the colour of no curve.
_CHOSEN = "#D9480F"
_PINNED = "#7A7F87"


def recall_curves(
    summary: Summary, *, basis: str, chosen: Config, pinned: Config | None
) -> dict[str, Any]:
    """Draw a curve with its 95% band for each quantization, and mark the chosen point.

    Each point carries [dim, recall, low, high]; a click on it tells its dim and quantization.

    Parameters
    ----------
    summary : Summary
        The figures of a run.
    basis : str
        The basis whose curves are drawn.
    chosen, pinned : Config
        Points to mark.
    """
    by_quantization: dict[str, list[Row]] = {}
    for row in sorted(summary.rows(), key=lambda row: row.dim):
        if row.basis == basis:
            by_quantization.setdefault(row.quantization, []).append(row)
    order = dict.fromkeys(config.quantization for config in summary.evaluation.rankings.configs)
    names = [name for name in order if name in by_quantization]
    series: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        series.append(_line(name, by_quantization[name], place))
    for name in names:
        series.extend(_band(name, by_quantization[name]))
    dims = sorted({row.dim for rows in by_quantization.values() for row in rows})
    for config, colour, size in ((pinned, _PINNED, 16), (chosen, _CHOSEN, 20)):
        if config is not None:
            series.append(_marked(summary.row(config), dims, colour=colour, size=size))
    lowest = min(row.recall_low for rows in by_quantization.values() for row in rows)
    k = summary.cutoff.k
    return {
        "animation": False,
        "grid": {"left": 52, "right": 16, "top": 30, "bottom": 44, "outerBoundsMode": "none"},
        "legend": {"data": names, "top": 0, "left": 40, "itemGap": 14},
        "tooltip": {
            "trigger": "item",
            "formatter": f"{{a}} at {{@[0]}} dims: recall@{k} {{@[1]}}, 95% {{@[2]}} to {{@[3]}}",
        },
        "xAxis": {
            "type": "log",
            "logBase": 2,
            "min": dims[0] / 1.12,
            "max": dims[-1] * 1.12,
            "name": "dimensions kept (log scale)",
            "nameLocation": "middle",
            "nameGap": 26,
            "axisLabel": {"customValues": _ticks(dims)},
            "axisTick": {"customValues": dims},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": max(0.0, (int(lowest * 10)) / 10),
            "max": 1,
            "name": f"recall@{k} vs full dimension",
            "nameLocation": "middle",
            "nameGap": 34,
        },
        "series": series,
    }


def curve_dims(summary: Summary, *, basis: str) -> dict[str, list[int]]:
    """List the dims of each curve's points in their order: what a click's index refers to."""
    dims: dict[str, list[int]] = {}
    for config in sorted(summary.evaluation.rankings.configs, key=lambda config: config.dim):
        if config.basis == basis:
            dims.setdefault(config.quantization, []).append(config.dim)
    return dims


def _ticks(dims: list[int]) -> list[int]:
    """Label dims that stand far enough apart to be read, from the largest down."""
    labelled: list[int] = []
    for dim in reversed(dims):
        if not labelled or dim * 1.3 < labelled[-1]:
            labelled.append(dim)
    return labelled[::-1]


def _line(name: str, rows: list[Row], place: int) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "data": [
            [row.dim, *(round(v, 3) for v in (row.recall, row.recall_low, row.recall_high))]
            for row in rows
        ],
        "symbol": _SYMBOLS[place % len(_SYMBOLS)],
        "symbolSize": 9,
        "showSymbol": True,
        "lineStyle": {"width": 2, "type": _DASHES[place % len(_DASHES)]},
        "selectedMode": "single",
        "z": 3,
    }


def _band(name: str, rows: list[Row]) -> list[dict[str, Any]]:
    """Stack an unseen area up to the low end and a tinted one on it; the name shares the colour."""
    common = {
        "type": "line",
        "name": name,
        "stack": f"{name} 95%",
        "symbol": "none",
        "silent": True,
        "lineStyle": {"opacity": 0},
        "tooltip": {"show": False},
        "z": 1,
    }
    return [
        {**common, "data": [[row.dim, row.recall_low] for row in rows]},
        {
            **common,
            "data": [[row.dim, row.recall_high - row.recall_low] for row in rows],
            "areaStyle": {"opacity": 0.14},
        },
    ]


def _marked(row: Row, dims: list[int], *, colour: str, size: int) -> dict[str, Any]:
    """Ring a point and write what it is beside it, within the frame."""
    name = str(Config(row.dim, row.quantization, row.basis))
    align = {dims[0]: "left", dims[-1]: "right"}.get(row.dim, "center")
    return {
        "type": "scatter",
        "name": name,
        "data": [[row.dim, row.recall]],
        "symbol": "circle",
        "symbolSize": size,
        "silent": True,
        "itemStyle": {"color": "rgba(0,0,0,0)", "borderColor": colour, "borderWidth": 3},
        "label": {
            "show": True,
            "formatter": f"{name}: {share_text(row.recall)}",
            "position": "bottom" if row.recall > 0.4 else "top",
            "align": align,
            "distance": 8,
            "color": "#FFFFFF",
            "backgroundColor": colour,
            "padding": [3, 6],
            "borderRadius": 4,
        },
        "labelLayout": {"hideOverlap": False, "moveOverlap": "shiftY"},
        "z": 5,
    }
