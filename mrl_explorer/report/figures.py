"""Figures that stay put while the reader slides: Plotly, for its tooltips and downloads."""

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mrl_explorer.decide.intervals import intervals
from mrl_explorer.decide.summary import Summary
from mrl_explorer.retrieval.config import Config

TOO_FEW = 5
"""Queries below which a segment's average says little; it is shown, and marked."""

_SYMBOLS = ("circle", "diamond-open")
# Streamlit puts the theme's own chart colours in the place of these.
_COLOURS = ("#000001", "#000003")


def recall_by_segment(summary: Summary, configs: Sequence[Config]) -> go.Figure:
    """Draw each segment's mean recall with its 95% interval, a mark for each configuration.

    Parameters
    ----------
    summary : Summary
        Of a run whose queries have segments.
    configs : sequence of Config
        One or two to show, the first one's worst segment on top.

    Raises
    ------
    ValueError
        If the queries have no segments.
    """
    segments = summary.evaluation.queries.segments
    if segments is None:
        raise ValueError("the queries have no segments")
    names = np.array(segments)
    places = [summary.evaluation.rankings.place(config) for config in configs]
    rows = {name: np.flatnonzero(names == name) for name in sorted(set(segments))}
    order = sorted(rows, key=lambda name: -summary.recall[places[0], rows[name]].mean())
    labels = [_label(name, len(rows[name])) for name in order]
    figure = go.Figure()
    for config, place, symbol, colour in zip(configs, places, _SYMBOLS, _COLOURS, strict=False):
        means, below, above = [], [], []
        for name in order:
            values = summary.recall[place : place + 1, rows[name]]
            low, high = intervals(values)
            mean = float(values.mean())
            means.append(mean)
            below.append(mean - float(low[0]))
            above.append(float(high[0]) - mean)
        figure.add_trace(
            go.Scatter(
                x=means,
                y=labels,
                mode="markers",
                name=str(config),
                marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2}},
                error_x={"type": "data", "symmetric": False, "array": above, "arrayminus": below},
                hovertemplate="%{y}: %{x:.3f}",
            )
        )
    figure.update_layout(
        xaxis={"title": f"recall@{summary.cutoff.k} vs full dimension", "range": [0, 1.02]},
        yaxis={"title": None},
        scattermode="group",
        legend={"orientation": "h", "y": 1.12},
        margin={"l": 10, "r": 10, "t": 30, "b": 40},
    )
    return figure


def _label(name: str, n_queries: int) -> str:
    """Name a segment and its size; Plotly would read tags in it."""
    few = ", too few" if n_queries < TOO_FEW else ""
    return f"{html.escape(name, quote=False) or '(none)'} ({n_queries}{few})"
