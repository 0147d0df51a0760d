"""An adapter's training and worth in sentences, tables and charts."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np

from mrl_explorer.decide.adapter_verdict import AdapterVerdict, Measured
from mrl_explorer.decide.adapters import LEAST_JUDGED, Trained
from mrl_explorer.decide.pairs import Pair
from mrl_explorer.report.formats import share_text

_LEAST_LOSS = 1e-4


def verdict_title(verdict: AdapterVerdict) -> str:
    """Say in a few words whether it is worth having."""
    keeps = verdict.recall.is_better
    finds = verdict.ndcg is not None and verdict.ndcg.is_better
    gain = verdict.recall.gain
    if verdict.offered:
        what = {
            (True, True): "keeps and finds more",
            (True, False): "keeps more",
            (False, True): "finds more of what is relevant",
        }[keeps, finds]
        loses = ", and keeps fewer neighbours" if verdict.recall.is_worse else ""
        return f"The adapter {what} than PCA{loses}"
    if verdict.teacher == "pairs":
        worse = verdict.ndcg is not None and verdict.ndcg.is_worse
        return f"The adapter finds {'less' if worse else 'no more'} of what is relevant"
    if keeps:
        return "The adapter keeps more than PCA, and finds less of what is relevant"
    if finds:
        return "The adapter finds more of what is relevant than PCA, and keeps less"
    if gain.low > 0:
        return "The adapter beats PCA, and not the model's own prefix"
    return "The adapter is worse than PCA" if gain.high < 0 else "No advantage over PCA measured"


def taught_sentence(trained: Trained) -> str:
    """Say what it learnt from."""
    n_taught, n_teachable = len(trained.taught), trained.n_teachable
    if trained.verdict.teacher == "pairs":
        return (
            f"It learnt from the judged pairs of {n_taught:,} queries with MatryoshkaLoss, and "
            "none of these queries judges it."
        )
    if n_taught:
        return (
            f"It learnt to keep neighbours, and relevance from the judgements of {n_taught:,} "
            "queries, none of which judges it."
        )
    if n_teachable is None:
        return (
            "It learnt to keep neighbours alone: there are no judgements to learn relevance from."
        )
    return (
        f"It learnt to keep neighbours alone: {n_teachable:,} judged queries have a relevant "
        f"document in the half that it learns from, and relevance takes {LEAST_JUDGED}, half of "
        "which judge."
    )


def best_sentence(trained: Trained) -> str:
    """Say which step the map is of."""
    if not trained.best_step:
        return "No step was better than the start on what tells when to stop: the map is PCA's."
    if trained.verdict.teacher == "pairs":
        return (
            f"The map is that of step {trained.best_step}, where the mean loss on the pairs that "
            "tell when to stop was least."
        )
    dims = _dims_text(trained.verdict.dims)
    return (
        f"The map is that of step {trained.best_step}, the best at {dims} dims on what tells when "
        "to stop."
    )


def verdict_sentences(verdict: AdapterVerdict) -> tuple[str, ...]:
    """Say what was measured, with its figures."""
    k, row = verdict.k, verdict.recall.rows[0]
    recall, ndcg = verdict.recall, verdict.ndcg
    said = [
        f"On {verdict.n_docs:,} documents that it has not seen, with {verdict.n_queries:,} queries "
        f"that it has not seen, averaged over {_dims_text(verdict.dims)} dims: recall@{k} "
        f"{_pairs_text(recall)}.",
        f"At {row.dim} dims: prefix {share_text(row.native)}, PCA {share_text(row.pca)}, adapter "
        f"{share_text(row.adapter)}. At full dimension it keeps "
        f"{share_text(recall.rows[-1].adapter)}.",
    ]
    if ndcg is not None:
        said.append(
            f"nDCG@{k} by your judgements of these documents ({verdict.n_judged:,} queries): "
            f"{_pairs_text(ndcg)}."
        )
    if not verdict.offered:
        said.append(_reason(verdict))
    elif recall.is_worse:
        said.append(
            "It moves full dimension as well, so recall against the model's own full dimension "
            "counts what it puts right as lost; Decide chooses by that recall unless you ask for "
            "relevance."
        )
    return tuple(said)


def _reason(verdict: AdapterVerdict) -> str:
    """Say why it is not offered."""
    if verdict.teacher == "pairs":
        return (
            "So it is not offered: by your judgements PCA or the model's own prefix is as good or "
            "better, or these queries cannot tell."
        )
    measures = {"recall": verdict.recall}
    if verdict.ndcg is not None:
        measures["nDCG"] = verdict.ndcg
    worse = [name for name, measure in measures.items() if measure.is_worse]
    if len(worse) < len(measures) and any(m.is_better for m in measures.values()):
        return f"So it is not offered: its {worse[0]} is measurably worse."
    if any(m.gain.low > 0 for m in measures.values()):
        return "So it is not offered: cutting the model's own vectors is as good."
    return (
        "So it is not offered: PCA, which needs no training, is as good or better, or these "
        "queries cannot tell."
    )


def _pairs_text(measured: Measured) -> str:
    return (
        f"{pair_text(measured.gain)} against PCA, its start, and {pair_text(measured.over_native)} "
        "against the model's own prefix"
    )


def _dims_text(dims: Sequence[int]) -> str:
    *first, last = map(str, dims)
    return f"{', '.join(first)} and {last}" if first else last


def verdict_rows(verdict: AdapterVerdict) -> list[dict[str, float | int | str]]:
    """Give the figures by dim as a table's rows, what decides first, with its interval on PCA."""
    rows: list[dict[str, float | int | str]] = [{"dim": row.dim} for row in verdict.recall.rows]
    measures = {f"recall@{verdict.k}": verdict.recall, f"nDCG@{verdict.k}": verdict.ndcg}
    first, _ = decisive(verdict)
    for name, measured in sorted(measures.items(), key=lambda item: item[0] != first):
        for row, figures in zip(rows, () if measured is None else measured.rows, strict=False):
            row |= {
                f"prefix {name}": figures.native,
                f"PCA {name}": figures.pca,
                f"adapter {name}": figures.adapter,
                f"{name}, adapter − PCA": f"{pair_text(figures.gain)}: {_told(figures.gain)}",
            }
    return rows


def _told(gain: Pair) -> str:
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "cannot tell"


def verdict_chart(verdict: AdapterVerdict) -> dict[str, Any]:
    """Draw what decides, held out, by dim: of the model's prefix, of PCA and of the adapter."""
    measure, measured = decisive(verdict)
    rows = measured.rows
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
            "data": [[row.dim, round(getattr(row, column), 4)] for row in rows],
        }
        for name, column, symbol, kind in curves
    ]
    dims = [row.dim for row in rows]
    values = [value for row in rows for value in (row.native, row.pca, row.adapter)]
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
    y_axis = {
        "min": int(min(values) * 10) / 10,
        "max": ceil(max(values) * 10) / 10,
        "name": f"{measure}, held out",
    }
    return _chart(series, x_axis, y_axis)


def decisive(verdict: AdapterVerdict) -> tuple[str, Measured]:
    """Give the measure that an adapter was trained for: its name and its figures."""
    if verdict.teacher == "pairs" and verdict.ndcg is not None:
        return f"nDCG@{verdict.k}", verdict.ndcg
    return f"recall@{verdict.k}", verdict.recall


def loss_chart(
    steps: Sequence[int], losses: np.ndarray, dims: Sequence[int], *, log: bool
) -> dict[str, Any]:
    """Draw the loss of each dim by step.

    Parameters
    ----------
    steps : sequence of int
        Where it was checked.
    losses : np.ndarray
        (n_steps, n_dims).
    dims : sequence of int
        Of the columns.
    log : bool
        Whether the losses are so far apart that the axis has to be logarithmic.
    """
    symbols = (
        *("circle", "rect", "diamond", "triangle", "roundRect", "pin", "arrow"),
        *("emptyCircle", "emptyRect"),
    )
    series = [
        {
            "name": f"{dim}d",
            "type": "line",
            "symbol": symbol,
            "symbolSize": 6,
            "data": [
                # A logarithmic axis has no zero.
                [step, max(round(float(loss), 5), _LEAST_LOSS)]
                for step, loss in zip(steps, losses[:, place], strict=True)
            ],
        }
        for place, (dim, symbol) in enumerate(zip(dims, symbols, strict=False))
    ]
    x_axis = {"type": "value", "name": "training steps", "splitLine": {"show": False}}
    y_axis = {"type": "log", "name": "loss (log scale)"} if log else {"scale": True, "name": "loss"}
    return _chart(series, x_axis, y_axis)


def _chart(
    series: list[dict[str, Any]], x_axis: dict[str, Any], y_axis: dict[str, Any]
) -> dict[str, Any]:
    named = {"nameLocation": "middle"}
    return {
        "animation": False,
        "grid": {"left": 66, "right": 20, "top": 34, "bottom": 44, "outerBoundsMode": "none"},
        "legend": {"type": "scroll", "top": 0, "left": 50},
        "tooltip": {"trigger": "axis"},
        "xAxis": {**x_axis, **named, "nameGap": 26},
        "yAxis": {"type": "value", **y_axis, **named, "nameGap": 48},
        "series": series,
    }


def pair_text(pair: Pair) -> str:
    """Write a difference with its interval: "+.031 (+.020 to +.042)"."""
    return f"{_sign(pair.difference)} ({_sign(pair.low)} to {_sign(pair.high)})"


def _sign(value: float) -> str:
    # Rounded first, so that nothing becomes "minus nothing".
    value = round(value, 3)
    return f"{'−' if value < 0 else '+'}{share_text(abs(value))}"
