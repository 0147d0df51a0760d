"""Charts of the Decide page as ECharts options: see `curves` for why ECharts."""

from itertools import cycle
from typing import Any

from mrl_explorer.decide.frontier import frontier
from mrl_explorer.decide.options import Kept, Options
from mrl_explorer.decide.published import band
from mrl_explorer.decide.recommendation import Choice, Recommendation
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config

_SYMBOLS = ("circle", "rect", "diamond", "triangle", "roundRect")
_CHOSEN = "#D9480F"
_LINE = "#7A7F87"


def frontier_series(options: Options) -> dict[str, list[Config]]:
    """List the configurations of each series of the frontier chart, in the order of its points."""
    series: dict[str, list[Config]] = {}
    for config in options.configs:
        series.setdefault(config.quantization, []).append(config)
    return series


def frontier_chart(options: Options, recommendation: Recommendation) -> dict[str, Any]:
    """Draw recall against bytes with the frontier, the target and the choice."""
    k = options.k
    mean = options.mean[0]
    series: list[dict[str, Any]] = []
    for (name, configs), symbol in zip(
        frontier_series(options).items(), cycle(_SYMBOLS), strict=False
    ):
        series.append(
            {
                "type": "scatter",
                "name": name,
                "symbol": symbol,
                "selectedMode": "single",
                "data": [_point(options, config) for config in configs],
                "tooltip": {
                    "formatter": f"{{b}}, {{@[0]}} bytes: recall@{k} {{@[1]}}, "
                    "95% {@[2]} to {@[3]}"
                },
            }
        )
    series.append(
        {
            "type": "line",
            "name": "best at its bytes",
            "data": [
                [options.configs[place].bytes_per_vector, round(float(mean[place]), 3)]
                for place in frontier(options.configs, mean)
            ],
            "step": "end",
            "symbol": "none",
            "silent": True,
            "lineStyle": {"color": _LINE, "type": "dashed", "width": 1.5},
            "itemStyle": {"color": _LINE},
            **_target(recommendation.constraints.min_recall),
        }
    )
    if recommendation.choice is not None:
        series.append(_ringed(recommendation.choice))
    sizes = [config.bytes_per_vector for config in options.configs]
    least = max(0.0, int(float(mean.min()) * 10) / 10)
    return {
        "animation": False,
        "grid": {"left": 52, "right": 20, "top": 58, "bottom": 44, "outerBoundsMode": "none"},
        "legend": {"type": "plain", "top": 0, "left": 40, "itemGap": 10, "itemWidth": 14},
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "log",
            "logBase": 2,
            "min": min(sizes) / 1.25,
            "max": max(sizes) * 1.25,
            "name": "bytes per vector (log scale)",
            "nameLocation": "middle",
            "nameGap": 26,
            "axisLabel": {"customValues": _powers(min(sizes), max(sizes))},
            "axisTick": {"customValues": _powers(min(sizes), max(sizes))},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": least,
            "max": 1,
            "name": f"recall@{k} vs full dimension",
            "nameLocation": "middle",
            "nameGap": 34,
        },
        "series": series,
    }


def _point(options: Options, config: Config) -> dict[str, Any]:
    """Give a point; those of another basis than the model's own are large and pale."""
    place = options.configs.index(config)
    shares = (options.mean[0, place], options.low[0, place], options.high[0, place])
    native = config.basis == "native"
    return {
        "name": str(config),
        "value": [config.bytes_per_vector, *(round(float(share), 3) for share in shares)],
        "symbolSize": 9 if native else 15,
        "itemStyle": {"opacity": 1 if native else 0.45},
    }


def _powers(least: int, most: int) -> list[int]:
    return [2**power for power in range(20) if least <= 2**power <= most]


def _target(wanted: float | None) -> dict[str, Any]:
    if wanted is None:
        return {}
    return {
        "markLine": {
            "silent": True,
            "symbol": "none",
            "animation": False,
            "data": [{"yAxis": wanted}],
            "label": {
                "formatter": f"asked: {share_text(wanted)}",
                "position": "insideStartTop",
            },
            "lineStyle": {"color": _LINE, "type": "solid"},
        }
    }


def _ringed(choice: Choice) -> dict[str, Any]:
    rescored = ", rescored" if choice.cutoff.rescore else ""
    return {
        "type": "scatter",
        "name": "recommended",
        "data": [[choice.config.bytes_per_vector, round(choice.recall, 3)]],
        "symbol": "circle",
        "symbolSize": 24,
        "silent": True,
        "itemStyle": {"color": "rgba(0,0,0,0)", "borderColor": _CHOSEN, "borderWidth": 3},
        "label": {
            "show": True,
            "formatter": f"{choice.config}{rescored}: {share_text(choice.recall)}",
            "position": "bottom",
            "distance": 6,
            "color": "#FFFFFF",
            "backgroundColor": _CHOSEN,
            "padding": [3, 6],
            "borderRadius": 4,
        },
        "z": 5,
    }


def published_chart(options: Options, kept: Kept | None, chosen: Config) -> dict[str, Any]:
    """Draw the band of published losses and this run's own curve at the same bits."""
    points = band(chosen.quantization)
    full_dim = options.evaluation.rankings.full_dim
    own = sorted(
        (config.dim, place)
        for place, config in enumerate(options.configs)
        if (config.quantization, config.basis) == (chosen.quantization, chosen.basis)
    )
    hidden = {"type": "line", "stack": "band", "symbol": "none", "silent": True}
    series: list[dict[str, Any]] = [
        {
            **hidden,
            "name": "published",
            "lineStyle": {"opacity": 0},
            "data": [[share, round(low, 3)] for share, low, _ in points],
        },
        {
            **hidden,
            "name": "published",
            "lineStyle": {"opacity": 0},
            "areaStyle": {"opacity": 0.25, "color": _LINE},
            "itemStyle": {"color": _LINE},
            "data": [[share, round(high - low, 3)] for share, low, high in points],
        },
        {
            "type": "line",
            "name": "your recall",
            "symbol": "circle",
            "data": [
                [round(dim / full_dim, 4), round(float(options.mean[0, place]), 3)]
                for dim, place in own
            ],
        },
    ]
    if kept is not None:
        series.append(
            {
                "type": "line",
                "name": "your nDCG kept",
                "symbol": "diamond",
                "lineStyle": {"type": "dashed"},
                "data": [
                    [round(dim / full_dim, 4), round(float(kept.share[0, place]), 3)]
                    for dim, place in own
                ],
            }
        )
    shares = [share for share, _, _ in points] + [dim / full_dim for dim, _ in own]
    least = min([low for _, low, _ in points] + [float(options.mean[0, p]) for _, p in own])
    return {
        "animation": False,
        "grid": {"left": 52, "right": 16, "top": 30, "bottom": 44, "outerBoundsMode": "none"},
        "legend": {"top": 0, "left": 40},
        "tooltip": {"trigger": "item", "formatter": "{a}: {@[1]} at {@[0]} of the dims"},
        "xAxis": {
            "type": "log",
            "logBase": 2,
            "min": min(shares) / 1.1,
            "max": 1.1,
            "name": "share of the dims kept (log scale)",
            "nameLocation": "middle",
            "nameGap": 26,
            "axisLabel": {"customValues": [0.0625, 0.125, 0.25, 0.5, 1]},
            "axisTick": {"customValues": [0.0625, 0.125, 0.25, 0.5, 1]},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "max": 1,
            "min": int(least * 10) / 10,
            "name": "share kept",
            "nameLocation": "middle",
            "nameGap": 34,
        },
        "series": series,
    }
