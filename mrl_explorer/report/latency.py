"""Latencies as rows of a table, and what they say of a larger corpus."""

from collections.abc import Mapping

from mrl_explorer.decide.needs import Need
from mrl_explorer.retrieval.latency import Latency


def latency_rows(
    measured: Mapping[str, Latency], *, compared_with: str
) -> list[dict[str, str | float]]:
    """Give a row for each search, ratios first."""
    return [
        {
            "search": name,
            f"time vs {compared_with}": (
                f"{one.ratio:.2f}× ({one.ratio_low:.2f}-{one.ratio_high:.2f})"
            ),
            "p50 ms": _figures(1e3 * one.p50),
            "p95 ms": _figures(1e3 * one.p95),
            "p99 ms": _figures(1e3 * one.p99),
            "queries/s, 1 thread": f"{one.per_second:,.0f}",
            "queries/s, all threads": f"{one.per_second_all:,.0f}",
            "by stage, ms": " + ".join(_figures(1e3 * seconds) for seconds in one.stages),
        }
        for name, one in measured.items()
    ]


def modelled_seconds(measured: Latency, need: Need, n_docs: int) -> float:
    """Scale each stage's measured time to what it scores in production.

    Parameters
    ----------
    measured : Latency
        Of a chain, at `n_docs` documents.
    need : Need
        Of the same chain, for the vectors in production.
    n_docs : int
        Documents that the first stage scored when it was measured.
    """
    first, *later = need.stages
    # Later stages score what they are handed, whatever the corpus.
    return measured.stages[0] * first.scored / n_docs + sum(measured.stages[1 : 1 + len(later)])


def _figures(value: float) -> str:
    return f"{value:.3g}"
