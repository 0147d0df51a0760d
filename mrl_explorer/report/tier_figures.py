"""Figures of tiers: recall by candidates, by work, and by a graph's latency."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mrl_explorer.decide.allocation import Allocation, Point
from mrl_explorer.decide.funnels import Plan
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config

# Streamlit puts the theme's own chart colours in the place of these.
_COLOURS = tuple(f"#00000{number}" for number in range(1, 10))
_SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "star",
    "hexagon",
    "x",
    "pentagon",
)
_DASHES = ("solid", "dot", "dash", "dashdot", "longdash", "longdashdot")
# At least 3:1 against both backgrounds, and the colour of no curve.
_CHOSEN = "#D9480F"
_MARGIN = {"l": 10, "r": 10, "t": 34, "b": 40}

MOST_CURVES = len(_COLOURS)


def recall_by_candidates(
    plan: Plan, counts: np.ndarray, curves: np.ndarray, configs: Sequence[Config]
) -> go.Figure:
    """Draw recall after full-dimension rescoring against the candidates of first stages.

    Parameters
    ----------
    plan : Plan
        Its target is drawn as a line, and its chain's first stage as a ring.
    counts, curves : np.ndarray
        (n_counts,) and (len(configs), n_counts).
    configs : sequence of Config
        What each curve is, at most `MOST_CURVES`.
    """
    figure = go.Figure()
    fewest = {first.config: first for first in plan.first_stages}
    for place, (config, curve) in enumerate(zip(configs, curves, strict=True)):
        figure.add_trace(
            go.Scatter(
                x=counts,
                y=curve,
                mode="lines",
                name=f"{config}, {config.bytes_per_vector} B",
                line={"color": _COLOURS[place], "dash": _DASHES[place % len(_DASHES)], "width": 2},
                hovertemplate="%{x} candidates: %{y:.3f}",
            )
        )
        first = fewest.get(config)
        if first is not None and first.candidates is not None:
            figure.add_trace(
                go.Scatter(
                    x=[first.candidates],
                    y=[first.recall],
                    mode="markers",
                    showlegend=False,
                    marker={"color": _COLOURS[place], "symbol": _SYMBOLS[place], "size": 10},
                    name=str(config),
                    hovertemplate="fewest that reach it: %{x} candidates, %{y:.3f}",
                )
            )
    if plan.chosen is not None:
        chain = plan.chosen.chain
        figure.add_trace(
            go.Scatter(
                x=[chain.candidates],
                y=[plan.chosen.recall],
                mode="markers",
                name="chosen chain",
                marker={
                    "symbol": "circle-open",
                    "size": 18,
                    "color": _CHOSEN,
                    "line": {"width": 3},
                },
                hovertemplate=f"{chain}: %{{y:.3f}}",
            )
        )
    figure.add_hline(
        y=plan.aim.min_recall,
        line={"dash": "dot", "width": 1.5, "color": _CHOSEN},
        annotation={"text": f"asked for {share_text(plan.aim.min_recall)}", "yanchor": "top"},
        annotation_position="bottom right",
    )
    lowest = float(curves.min()) if curves.size else 0.0
    figure.update_layout(
        xaxis={"title": "candidates handed on by the first stage"},
        yaxis={
            "title": f"recall@{plan.aim.k} after full-dim rescoring",
            "range": [max(0.0, lowest - 0.03), 1.01],
        },
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        margin=_MARGIN,
    )
    return figure


def quality_by_work(allocation: Allocation, *, full_bytes: float, relevance: bool) -> go.Figure:
    """Draw recall, or relevance, against mean bytes read a query, for every policy.

    Parameters
    ----------
    allocation : Allocation
        What to draw.
    full_bytes : float
        Bytes of a full-dimension float32 vector: work is drawn as a share of it.
    relevance : bool
        Whether nDCG is drawn instead of recall; where queries have none, nothing is.
    """
    figure = go.Figure()

    def line(name: str, points: Sequence[Point], place: int, *, marks: bool = False) -> None:
        shown = [(point, _value(point, relevance)) for point in points]
        figure.add_trace(
            go.Scatter(
                x=[100 * point.work / full_bytes for point, value in shown if value is not None],
                y=[value for _, value in shown if value is not None],
                customdata=[100 * point.share for point, value in shown if value is not None],
                mode="lines+markers" if marks else "lines",
                name=name,
                line={"color": _COLOURS[place], "dash": _DASHES[place % len(_DASHES)], "width": 2},
                marker={"symbol": _SYMBOLS[place], "size": 8},
                hovertemplate="%{x:.3g}% of full: %{y:.3f}, %{customdata:.0f}% deeper",
            )
        )

    line("one dim for all", allocation.fixed, 0, marks=True)
    line("oracle", allocation.oracle, 1)
    for place, policy in enumerate(allocation.policies, start=2):
        line(policy.name, policy.curve, place)
    for place, policy in enumerate(allocation.policies, start=2):
        value = _value(policy.tuned, relevance)
        if value is None:
            continue
        figure.add_trace(
            go.Scatter(
                x=[100 * policy.tuned.work / full_bytes],
                y=[value],
                mode="markers",
                name=f"{policy.name}, tuned",
                marker={"symbol": _SYMBOLS[place], "size": 13, "color": _COLOURS[place]},
                hovertemplate="%{x:.3g}% of full: %{y:.3f}",
            )
        )
    if not relevance:
        figure.add_hline(y=allocation.target, line={"dash": "dot", "width": 1.5, "color": _CHOSEN})
    figure.update_layout(
        xaxis={"title": "mean bytes read a query, % of full-dimension float32"},
        yaxis={"title": "nDCG" if relevance else "recall vs full dimension"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        margin=_MARGIN,
    )
    return figure


def recall_by_latency(
    efs: Sequence[int],
    milliseconds: Sequence[float],
    of_exact: Sequence[float],
    rescored: Sequence[float],
    *,
    k: int,
) -> go.Figure:
    """Draw a graph's recall against its latency, a point for each ef_search."""
    figure = go.Figure()
    named = (
        ("of exact search of the same configuration", of_exact),
        ("vs full dimension, after rescoring", rescored),
    )
    for place, (name, values) in enumerate(named):
        figure.add_trace(
            go.Scatter(
                x=list(milliseconds),
                y=list(values),
                text=[f"ef {ef}" for ef in efs],
                mode="lines+markers+text" if not place else "lines+markers",
                textposition="bottom right",
                name=name,
                line={"color": _COLOURS[place], "dash": _DASHES[place], "width": 2},
                marker={"symbol": _SYMBOLS[place], "size": 9},
                hovertemplate="%{text}: %{x:.3g} ms, %{y:.3f}",
            )
        )
    figure.update_layout(
        xaxis={"title": "p50 of one query on one thread, ms on this machine", "type": "log"},
        yaxis={
            "title": f"recall@{k}",
            "range": [max(0.0, min(*of_exact, *rescored) - 0.02), 1.005],
        },
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        margin=_MARGIN,
    )
    return figure


def _value(point: Point, relevance: bool) -> float | None:
    return point.ndcg if relevance else point.recall
