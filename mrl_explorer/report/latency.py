"""Latencies as rows of a table, and what they say of a larger corpus."""

from collections.abc import Mapping

from mrl_explorer.decide.needs import Need
from mrl_explorer.report.formats import count_text
from mrl_explorer.retrieval.latency import Latency

MIN_DOCS = 10_000
"""Documents below which the fixed cost of a call hides what a document costs."""


def latency_rows(
    measured: Mapping[str, Latency],
    *,
    compared_with: str,
    bytes_read: Mapping[str, float] | None = None,
) -> list[dict[str, str | float]]:
    """Give a row for each search, ratios first.

    Parameters
    ----------
    measured : mapping of str to Latency
        By name of the search.
    compared_with : str
        What ratios are taken to.
    bytes_read : mapping of str to float, optional
        Bytes that each search reads for a query: the model where memory bandwidth is the limit.
    """
    return [
        {
            "search": name,
            **_bytes_column(name, compared_with, bytes_read),
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


def _bytes_column(
    name: str, compared_with: str, bytes_read: Mapping[str, float] | None
) -> dict[str, str]:
    if bytes_read is None:
        return {}
    ratio = bytes_read[name] / bytes_read[compared_with]
    return {f"bytes vs {compared_with}": f"{ratio:.3g}×"}


def modelled_text(
    measured: Mapping[str, Latency],
    needs: Mapping[str, Need],
    *,
    n_docs: int,
    n_vectors: float,
) -> str:
    """Say what flat searches of so many vectors would take at the measured rates."""
    if n_docs < MIN_DOCS:
        return (
            f"With fewer than {MIN_DOCS:,} documents the fixed cost of a call hides the rate, so "
            "no time is projected from this: the bytes read are the model."
        )
    times = ", ".join(
        f"{name} {_milliseconds(modelled_seconds(measured[name], need, n_docs))} ms"
        for name, need in needs.items()
    )
    return (
        f"At the measured rates of each stage, a flat search of {count_text(n_vectors)} vectors "
        f"on one thread would take: {times}. A small corpus fits a processor's cache and a large "
        "one does not, and reads from a disk come on top, so take these as the least."
    )


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:,.0f}" if seconds >= 0.1 else f"{1e3 * seconds:.2g}"


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
