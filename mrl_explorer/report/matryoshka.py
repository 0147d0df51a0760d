"""Whether a model is Matryoshka, in words, as a table and as a chart."""

from typing import Any

import numpy as np

from mrl_explorer.decide.matryoshka import (
    CARRIES_MORE,
    NO_ADVANTAGE,
    Diagnosis,
    OrderRow,
    Spread,
)
from mrl_explorer.decide.pairs import Pair
from mrl_explorer.embed import Matryoshka
from mrl_explorer.report.formats import percent_text, share_text, signed_text
from mrl_explorer.retrieval.orders import N_RANDOM, Orders

_BAND = "#7A7F87"

STATED_TITLES = {
    "yes": "Yes: trained to be cut",
    "likely": "Likely: it seems trained to be cut",
    "no": "No: not trained to be cut",
    "unknown": "Unknown: nothing says how it was trained",
}
"""What is said of a model, whatever was measured."""

VERDICT_TITLES = {
    CARRIES_MORE: "The prefix carries more",
    NO_ADVANTAGE: "No advantage measured",
}
_CANNOT_TELL_TITLE = "Cannot tell with these queries"


def stated_text(model: str | None, stated: Matryoshka) -> str:
    """Say what the registry, the model's own files or the run say of its training."""
    name = model or "This model"
    reason = f"{stated.reason}."
    dims = f" It was trained at {_listed(stated.dims)} dims." if stated.dims else ""
    return f"{name}: {reason}{dims}"


def verdict_title(found: Diagnosis) -> str:
    """Name the verdict in a few words."""
    return VERDICT_TITLES.get(found.verdict, _CANNOT_TELL_TITLE)


def verdict_text(found: Diagnosis, orders: Orders) -> str:
    """Say in one sentence what the verdict rests on, with its interval."""
    dims = _listed(orders.dims)
    measured = f"Recall@{orders.k} of the first {dims} dims"
    gap = pair_text(found.advantage)
    queries = f"{orders.n_queries:,} queries"
    if found.verdict == CARRIES_MORE:
        return (
            f"{measured} is {gap} above the mean of {N_RANDOM} random "
            f"subsets as large, over {queries}, and no subset does as well (the best is "
            f"{signed_text(found.chance)})."
        )
    if found.verdict == NO_ADVANTAGE:
        return (
            f"{measured} differs by {gap} from the mean of {N_RANDOM} "
            f"random subsets as large, over {queries}, which is within what chance gives a subset "
            f"(the best is {signed_text(found.chance)})."
        )
    return (
        f"{measured} differs by {gap} from the mean of {N_RANDOM} "
        f"random subsets as large, over {queries}, and the best subset is at "
        f"{signed_text(found.chance)}. About {found.advantage.needed:,} queries would narrow the "
        f"interval to a point on each side."
    )


def standing_text(found: Diagnosis, stated: Matryoshka) -> str:
    """Say how the measurement stands to what is said of the model; empty where both agree."""
    if found.verdict == CARRIES_MORE:
        if stated.verdict == "no":
            return (
                "It was not trained for this, so its training is not the reason: on your data its "
                "first dims happen to carry more."
            )
        if stated.verdict == "unknown":
            return "That speaks for such a training, and is no proof: only its maker knows."
        return ""
    no_statement = (
        "This is no statement about its training: a model that was trained to be cut may show only "
        "a point over random dims, since its training also spreads what matters over all of them."
    )
    if stated.verdict in ("yes", "likely"):
        return f"{no_statement} What is said of the model stands above the measurement."
    return no_statement if stated.verdict == "unknown" else ""


def relevance_text(found: Diagnosis, orders: Orders) -> str:
    """Say what the prefix is worth by the judgements; empty without any."""
    if found.ndcg_advantage is None or found.full_ndcg is None:
        return ""
    return (
        f"By your judgements the prefix is {pair_text(found.ndcg_advantage)} nDCG@{orders.k} from "
        f"the random subsets, over {found.ndcg_advantage.n_queries:,} judged queries; full "
        f"dimension has {share_text(found.full_ndcg)}."
    )


def pca_text(found: Diagnosis) -> str:
    """Say what principal axes are worth beside the prefix, at the dim where they gain most."""
    gains = [(row.pca_gain, row) for row in found.rows if row.pca_gain is not None]
    if not gains:
        return "There are too few documents to judge principal axes on others than their own."
    gain, row = max(gains, key=lambda one: one[0].difference)
    if gain.verdict == "first better":
        return (
            f"Principal axes of your documents do better than the prefix: at {row.dim} dims "
            f"{pair_text(gain)}, on documents that they were not fitted on."
        )
    return (
        "Principal axes of your documents are not shown to do better than the prefix: at best "
        f"{pair_text(gain)}, at {row.dim} dims, on documents that they were not fitted on."
    )


def pair_text(pair: Pair) -> str:
    """Write a difference with its interval: '+.046 [+.031, +.060]'."""
    low, high = signed_text(pair.low), signed_text(pair.high)
    return f"{signed_text(pair.difference)} [{low}, {high}]"


def order_rows(found: Diagnosis) -> list[dict[str, object]]:
    """Give the figures at each dim as a row of a table; its heads are those of `ORDER_HELP`."""
    return [_table_row(row) for row in found.rows]


ORDER_HELP = {
    "dims": "Dims kept.",
    "prefix": "Recall of the first dims against full dimension, mean over the queries.",
    "random": f"Mean over {N_RANDOM} random choices of as many dims, and the least and the most.",
    "advantage": "Prefix minus random, with the 95% interval of the paired difference over the "
    "queries.",
    "suffix": "Recall of the last dims: what the model puts at its end.",
    "PCA": "Recall of principal axes, fitted on the very documents searched: it flatters itself.",
    "PCA held out": "Recall of principal axes fitted on one half of the documents and measured on "
    "the other.",
    "prefix there": "Recall of the first dims on that same other half, for a fair comparison.",
    "nDCG prefix": "Relevance of the first dims by your judgements.",
    "nDCG random": f"Mean relevance over the {N_RANDOM} random choices, and the least and the "
    "most.",
    "nDCG suffix": "Relevance of the last dims.",
    "nDCG PCA": "Relevance of principal axes fitted on the documents searched.",
    "energy": "Share of the squared length of the unit documents that lies in the first dims.",
}
"""What each column of `order_rows` is."""


def _table_row(row: OrderRow) -> dict[str, object]:
    figures: dict[str, object] = {
        "dims": row.dim,
        "prefix": row.recall.prefix,
        "random": _spread_text(row.recall),
        "advantage": pair_text(row.advantage),
        "suffix": row.recall.suffix,
        "PCA": row.recall.pca,
    }
    if row.pca_held_out is not None:
        figures |= {"PCA held out": row.pca_held_out, "prefix there": row.prefix_there}
    if row.ndcg is not None:
        figures |= {
            "nDCG prefix": row.ndcg.prefix,
            "nDCG random": _spread_text(row.ndcg),
            "nDCG suffix": row.ndcg.suffix,
            "nDCG PCA": row.ndcg.pca,
        }
    return figures | {"energy": percent_text(row.energy)}


def _spread_text(spread: Spread) -> str:
    low, high = share_text(spread.random_low), share_text(spread.random_high)
    return f"{share_text(spread.random)} ({low} to {high})"


def orders_chart(found: Diagnosis, orders: Orders, *, relevance: bool = False) -> dict[str, Any]:
    """Draw recall, or relevance, by dim for each order, as ECharts options.

    Parameters
    ----------
    relevance : bool
        nDCG instead of recall; there must be judgements.
    """
    rows: list[tuple[OrderRow, Spread]] = []
    for row in found.rows:
        spread = row.ndcg if relevance else row.recall
        if spread is None:
            raise ValueError("there are no judgements")
        rows.append((row, spread))
    full_dim = orders.full_dim
    full = found.full_ndcg if relevance else 1.0
    end = [] if full is None else [[full_dim, round(full, 3)]]

    def points(values: list[float]) -> list[list[float]]:
        dims = [row.dim for row, _ in rows]
        return [[dim, round(v, 3)] for dim, v in zip(dims, values, strict=True)]

    low = [*points([spread.random_low for _, spread in rows]), *end]
    height = [*points([spread.random_high - spread.random_low for _, spread in rows])]
    if end:
        height.append([full_dim, 0.0])
    series = [
        *_band(f"random: all {N_RANDOM}", low, height),
        _line(
            "random: mean", [*points([s.random for _, s in rows]), *end], "dashed", "emptyCircle"
        ),
        _line("prefix", [*points([s.prefix for _, s in rows]), *end], "solid", "circle"),
        _line("suffix", [*points([s.suffix for _, s in rows]), *end], "dotted", "triangle"),
        _line("PCA, in-sample", [*points([s.pca for _, s in rows]), *end], [2, 4], "emptyRect"),
    ]
    held_out = [row for row, _ in rows if row.pca_held_out is not None]
    if held_out and not relevance:
        series.append(
            _line(
                "PCA, held out",
                [
                    *([row.dim, round(float(row.pca_held_out or 0), 3)] for row in held_out),
                    *end,
                ],
                [8, 3],
                "diamond",
            )
        )
    values = [v for one in series[1:] for _, v in one["data"] if one.get("stack") is None]
    measure = f"nDCG@{orders.k}" if relevance else f"recall@{orders.k} vs full dimension"
    values += [value for _, value in low]
    return _by_dim(series, [*orders.dims, full_dim], name=measure, least=min(values))


def energy_chart(orders: Orders) -> dict[str, Any]:
    """Draw the share of the squared length in the first dims, beside an even spread of it."""
    full_dim = orders.full_dim
    shares = np.cumsum(orders.energy)
    dims = sorted(
        {*np.linspace(1, full_dim, min(full_dim, 128)).astype(int).tolist(), *orders.dims}
    )
    series = [
        _line(
            "of these documents",
            [[dim, round(float(shares[dim - 1]), 3)] for dim in dims],
            "solid",
            "none",
        ),
        _line("if all dims had the same", [[0, 0], [full_dim, 1]], "dashed", "none"),
    ]
    chart = _by_dim(series, [*orders.dims, full_dim], name="share of squared length")
    chart["xAxis"] |= {"type": "value", "min": 0, "max": full_dim, "name": "first dims"}
    del chart["xAxis"]["logBase"]
    return chart


def _band(name: str, low: list[list[float]], height: list[list[float]]) -> list[dict[str, Any]]:
    hidden = {"type": "line", "stack": "band", "symbol": "none", "silent": True, "name": name}
    return [
        {**hidden, "lineStyle": {"opacity": 0}, "itemStyle": {"color": _BAND}, "data": low},
        {
            **hidden,
            "lineStyle": {"opacity": 0},
            "areaStyle": {"opacity": 0.28, "color": _BAND},
            "itemStyle": {"color": _BAND},
            "data": height,
        },
    ]


def _line(name: str, data: list[list[float]], dash: str | list[int], symbol: str) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "symbol": symbol,
        "symbolSize": 8,
        "lineStyle": {"type": dash, "width": 2},
        "data": data,
    }


def _by_dim(
    series: list[dict[str, Any]], dims: list[int], *, name: str, least: float = 0.0
) -> dict[str, Any]:
    """Lay lines out over the dims, on a scale of halvings."""
    return {
        "animation": False,
        "grid": {"left": 56, "right": 20, "top": 58, "bottom": 44, "outerBoundsMode": "none"},
        "legend": {"type": "plain", "top": 0, "left": 40, "itemGap": 12},
        "tooltip": {"trigger": "item", "formatter": "{a}, {@[0]} dims: {@[1]}"},
        "xAxis": {
            "type": "log",
            "logBase": 2,
            "min": min(dims) / 1.06,
            "max": max(dims) * 1.06,
            "name": "dims kept (log scale)",
            "nameLocation": "middle",
            "nameGap": 26,
            "axisLabel": {"customValues": dims},
            "axisTick": {"customValues": dims},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": int(least * 10) / 10,
            "name": name,
            "nameLocation": "middle",
            "nameGap": 38,
        },
        "series": series,
    }


def _listed(dims: tuple[int, ...]) -> str:
    """Write dims as one would say them: '32, 64 and 128'."""
    *most, last = map(str, dims)
    return f"{', '.join(most)} and {last}" if most else last
