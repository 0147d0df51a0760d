"""Two models at equal bytes as a table, a chart and sentences."""

from typing import Any

from mrl_explorer.decide.beside import Point
from mrl_explorer.decide.pairs import Pair
from mrl_explorer.decide.same_bytes import Curves, Fitting
from mrl_explorer.report.matryoshka import pair_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import quantization

_SYMBOLS = ("circle", "diamond")
_DASHES = ("solid", "dashed")


def fitting_rows(
    found: tuple[Fitting, ...], sides: tuple[Curves, Curves], names: tuple[str, str]
) -> list[dict[str, object]]:
    """Give a row for each size: the dims of each model that fit, and its figures there."""
    rows = []
    for one in found:
        both = list(zip(names, (one.first, one.second), sides, strict=True))
        row: dict[str, object] = {"bytes": one.n_bytes}
        row |= {f"{name}: dims": config.dim for name, config, _ in both}
        if one.found.ndcg is not None:
            row["finds better results"] = _better(one.found.ndcg, names)
            row["nDCG difference"] = pair_text(one.found.ndcg)
            row |= {f"{name}: nDCG": _at(side.ndcg, config) for name, config, side in both}
        row |= {f"{name}: recall": _at(side.recall, config) for name, config, side in both}
        rows.append(row)
    return rows


def fitting_help(names: tuple[str, str], k: int) -> dict[str, str]:
    """Say of each column of `fitting_rows` what it is."""
    columns = {
        "bytes": "Bytes of one stored code: what both models have to fit in.",
        "finds better results": "Which has the higher nDCG in these bytes, as far as these "
        "queries tell.",
        "nDCG difference": f"{names[0]} minus {names[1]}, with the 95% interval of the paired "
        "difference.",
    }
    for name in names:
        columns |= {
            f"{name}: dims": "The most of its dims that fit, among those of its run.",
            f"{name}: nDCG": f"nDCG@{k} over the queries that both are judged on alike.",
            f"{name}: recall": f"recall@{k} against its own full dimension.",
        }
    return columns


def sizes_chart(
    sides: tuple[Curves, Curves], names: tuple[str, str], *, stored: str, k: int, relevance: bool
) -> dict[str, Any]:
    """Draw nDCG, or recall, of both models against bytes per vector, as ECharts options.

    Parameters
    ----------
    stored : str
        The quantization.
    relevance : bool
        nDCG instead of recall.
    """
    code = quantization(stored)
    chosen = [side.ndcg if relevance else side.recall for side in sides]
    series = [
        {
            "type": "line",
            "name": name,
            "symbol": symbol,
            "symbolSize": 9,
            "lineStyle": {"type": dash, "width": 2},
            "data": [
                {
                    "name": f"{point.dim} dims",
                    "value": [
                        code.bytes_per_vector(point.dim),
                        *(round(v, 3) for v in (point.value, point.low, point.high)),
                    ],
                }
                for point in points
            ],
            "tooltip": {
                "formatter": "{a}, {b}, {@[0]} bytes: {@[1]}, 95% {@[2]} to {@[3]}",
            },
        }
        for name, points, symbol, dash in zip(names, chosen, _SYMBOLS, _DASHES, strict=True)
    ]
    sizes = sorted({code.bytes_per_vector(point.dim) for points in chosen for point in points})
    least = min(point.value for points in chosen for point in points)
    labels = [2**power for power in range(20) if sizes[0] <= 2**power <= sizes[-1]]
    return {
        "animation": False,
        "grid": {"left": 56, "right": 20, "top": 34, "bottom": 44, "outerBoundsMode": "none"},
        "legend": {"type": "plain", "top": 0, "left": 40},
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "log",
            "logBase": 2,
            "min": sizes[0] / 1.15,
            "max": sizes[-1] * 1.15,
            "name": f"bytes per vector in {stored} (log scale)",
            "nameLocation": "middle",
            "nameGap": 26,
            "axisLabel": {"customValues": labels},
            "axisTick": {"customValues": labels},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": int(least * 10) / 10,
            "name": f"nDCG@{k}" if relevance else f"recall@{k} vs own full dim",
            "nameLocation": "middle",
            "nameGap": 38,
        },
        "series": series,
    }


def _at(points: tuple[Point, ...], config: Config) -> float:
    (value,) = (point.value for point in points if point.dim == config.dim)
    return value


def _better(pair: Pair, names: tuple[str, str]) -> str:
    return {
        "first better": names[0],
        "second better": names[1],
        "alike": "alike",
    }.get(pair.verdict, "cannot tell")
