"""Lengths of texts as an ECharts option."""

from collections.abc import Sequence
from typing import Any


def length_histogram(lengths: Sequence[tuple[str, int]], what: str) -> dict[str, Any]:
    """Draw a bar for each span of lengths.

    Parameters
    ----------
    lengths : sequence of (str, int)
        A span of characters in words, and how many texts are of such a length.
    what : str
        What is counted, in the plural.
    """
    return {
        "animation": False,
        "grid": {"left": 44, "right": 8, "top": 20, "bottom": 34, "outerBoundsMode": "none"},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {
            "type": "category",
            "data": [span for span, _ in lengths],
            "name": "characters",
            "nameLocation": "middle",
            "nameGap": 22,
            "axisLabel": {"hideOverlap": True},
            "axisTick": {"show": False},
        },
        "yAxis": {"type": "value", "minInterval": 1, "splitNumber": 2},
        "series": [
            {
                "type": "bar",
                "name": what,
                "data": [n for _, n in lengths],
                "barCategoryGap": "12%",
                "label": {"show": True, "position": "top"},
                "labelLayout": {"hideOverlap": True},
            }
        ],
    }
