"""An adapter's training and worth in sentences, tables and charts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mrl_explorer.decide.adapters import AdapterVerdict
from mrl_explorer.decide.pairs import Pair
from mrl_explorer.report.formats import share_text

_LEAST_LOSS = 1e-4


def verdict_title(verdict: AdapterVerdict) -> str:
    """Say in a few words whether it is worth having."""
    if verdict.offered:
        return "The adapter keeps more than PCA"
    if verdict.gain.low > 0:
        return "The adapter beats PCA, and not the model's own prefix"
    if verdict.gain.high < 0:
        return "The adapter is worse than PCA"
    return "No advantage over PCA measured"


def verdict_sentences(verdict: AdapterVerdict) -> tuple[str, ...]:
    """Say what was measured, with its figures."""
    k, row = verdict.k, verdict.rows[0]
    measure = f"recall@{k}"
    said = [
        f"On {verdict.n_docs:,} documents that it has not seen, with {verdict.n_queries:,} queries "
        f"that it has not seen, averaged over the dims that cut: {measure} "
        f"{pair_text(verdict.gain)} against PCA, its start, and {pair_text(verdict.over_native)} "
        "against the model's own prefix.",
        f"At {row.dim} dims: prefix {share_text(row.native)}, PCA {share_text(row.pca)}, adapter "
        f"{share_text(row.adapter)}. At full dimension it keeps "
        f"{share_text(verdict.rows[-1].adapter)}.",
    ]
    if verdict.ndcg_gain is not None:
        said.append(
            f"nDCG@{k} by your judgements of these documents ({verdict.n_judged:,} queries): "
            f"{pair_text(verdict.ndcg_gain)} against PCA."
        )
    if not verdict.offered:
        said.append(
            "So it is not offered: PCA, which needs no training, is as good or better, or these "
            "queries cannot tell."
            if verdict.gain.low <= 0
            else "So it is not offered: cutting the model's own vectors keeps as much."
        )
    return tuple(said)


def verdict_rows(verdict: AdapterVerdict) -> list[dict[str, float | int]]:
    """Give the figures by dim as a table's rows."""
    names = {
        "native": f"prefix recall@{verdict.k}",
        "pca": f"PCA recall@{verdict.k}",
        "adapter": f"adapter recall@{verdict.k}",
        "native_ndcg": f"prefix nDCG@{verdict.k}",
        "pca_ndcg": f"PCA nDCG@{verdict.k}",
        "adapter_ndcg": f"adapter nDCG@{verdict.k}",
    }
    return [
        {"dim": row.dim}
        | {
            label: value
            for name, label in names.items()
            if (value := getattr(row, name)) is not None
        }
        for row in verdict.rows
    ]


def recall_chart(verdict: AdapterVerdict) -> dict[str, Any]:
    """Draw held-out recall by dim: the model's prefix, PCA and the adapter."""
    curves = (
        ("prefix", "native", "circle", "dotted"),
        ("PCA", "pca", "rect", "dashed"),
        ("adapter", "adapter", "diamond", "solid"),
    )
    series = [
        {
            "name": name,
            "type": "line",
            "symbol": symbol,
            "symbolSize": 8,
            "lineStyle": {"type": kind},
            "data": [[row.dim, round(getattr(row, column), 4)] for row in verdict.rows],
        }
        for name, column, symbol, kind in curves
    ]
    dims = [row.dim for row in verdict.rows]
    least = min(min(row.native, row.pca, row.adapter) for row in verdict.rows)
    x_axis = {
        "type": "log",
        "logBase": 2,
        "min": dims[0] / 1.1,
        "max": dims[-1] * 1.1,
        "name": "dims kept (log scale)",
        "axisLabel": {"customValues": dims},
        "axisTick": {"customValues": dims},
        "splitLine": {"show": False},
    }
    y_axis = {"min": int(least * 10) / 10, "max": 1, "name": f"recall@{verdict.k}, held out"}
    return _chart(series, x_axis, y_axis)


def loss_chart(steps: Sequence[int], losses: np.ndarray, dims: Sequence[int]) -> dict[str, Any]:
    """Draw the loss of each dim by step.

    Parameters
    ----------
    steps : sequence of int
        Where it was checked.
    losses : np.ndarray
        (n_steps, n_dims).
    dims : sequence of int
        Of the columns; full dimension, whose loss starts at nothing, is left out.
    """
    symbols = ("circle", "rect", "diamond", "triangle", "roundRect", "pin", "arrow", "emptyCircle")
    series = [
        {
            "name": f"{dim}d",
            "type": "line",
            "symbol": symbol,
            "symbolSize": 6,
            "data": [
                # The axis is logarithmic, and has no zero.
                [step, max(round(float(loss), 5), _LEAST_LOSS)]
                for step, loss in zip(steps, losses[:, place], strict=True)
            ],
        }
        for place, (dim, symbol) in enumerate(zip(dims[:-1], symbols, strict=False))
    ]
    x_axis = {"type": "value", "name": "training steps", "splitLine": {"show": False}}
    return _chart(series, x_axis, {"type": "log", "name": "loss (log scale)"})


def _chart(
    series: list[dict[str, Any]], x_axis: dict[str, Any], y_axis: dict[str, Any]
) -> dict[str, Any]:
    named = {"nameLocation": "middle"}
    return {
        "animation": False,
        "grid": {"left": 56, "right": 20, "top": 34, "bottom": 44, "outerBoundsMode": "none"},
        "legend": {"type": "scroll", "top": 0, "left": 40},
        "tooltip": {"trigger": "axis"},
        "xAxis": {**x_axis, **named, "nameGap": 26},
        "yAxis": {"type": "value", **y_axis, **named, "nameGap": 38},
        "series": series,
    }


def pair_text(pair: Pair) -> str:
    """Write a difference with its interval: "+.031 (+.020 to +.042)"."""
    return f"{_sign(pair.difference)} ({_sign(pair.low)} to {_sign(pair.high)})"


def _sign(value: float) -> str:
    # Rounded first, so that nothing becomes "minus nothing".
    value = round(value, 3)
    return f"{'−' if value < 0 else '+'}{share_text(abs(value))}"
