"""Two models at equal bytes: which dims of each fit, and which then finds the better results."""

from dataclasses import dataclass

from mrl_explorer.decide.beside import (
    Differences,
    Match,
    Point,
    differences,
    ndcg_points,
    recall_points,
)
from mrl_explorer.decide.summary import Summary
from mrl_explorer.retrieval.config import Config


@dataclass(frozen=True, slots=True)
class Curves:
    """Recall and relevance by dim of one model, in one quantization of its own axes.

    Attributes
    ----------
    recall : tuple of Point
        recall@k against its own full dimension.
    ndcg : tuple of Point
        nDCG@k over the queries that both models are judged on alike; empty without any.
    """

    recall: tuple[Point, ...]
    ndcg: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Fitting:
    """What fits in so many bytes a vector.

    Attributes
    ----------
    n_bytes : int
        The bytes there are.
    first, second : Config
        The most dims of each model that fit.
    found : Differences
        First minus second.
    """

    n_bytes: int
    first: Config
    second: Config
    found: Differences


def shared_quantizations(first: Summary, second: Summary) -> tuple[str, ...]:
    """List the quantizations that both runs cover on their own axes, as the first has them."""
    theirs = {config.quantization for config in _native(second)}
    ours = dict.fromkeys(config.quantization for config in _native(first))
    return tuple(name for name in ours if name in theirs)


def curves(
    first: Summary, second: Summary, *, quantization: str, shared: Match
) -> tuple[Curves, Curves]:
    """Give the curves of both models in one quantization."""
    sides = zip((first, second), shared.judged_rows, strict=True)
    return tuple(  # type: ignore[return-value]
        Curves(
            recall_points(summary, config),
            ndcg_points(summary, config, rows) if len(rows) else (),
        )
        for summary, rows in sides
        for config in [Config(summary.evaluation.rankings.full_dim, quantization)]
    )


def fitting(
    first: Summary, second: Summary, *, quantization: str, shared: Match
) -> tuple[Fitting, ...]:
    """Compare two models at each size that one of them has: the most dims of each that fit.

    Sizes that only one model fits in are left out.
    """
    ours, theirs = (
        sorted(c for c in _native(summary) if c.quantization == quantization)
        for summary in (first, second)
    )
    seen: dict[tuple[Config, Config], int] = {}
    for n_bytes in sorted({config.bytes_per_vector for config in (*ours, *theirs)}):
        fit = [
            [config for config in configs if config.bytes_per_vector <= n_bytes]
            for configs in (ours, theirs)
        ]
        if all(fit):
            seen.setdefault((fit[0][-1], fit[1][-1]), n_bytes)
    return tuple(
        Fitting(n_bytes, one, two, differences(first, one, second, two, shared))
        for (one, two), n_bytes in seen.items()
    )


def _native(summary: Summary) -> list[Config]:
    return [c for c in summary.evaluation.rankings.configs if c.basis == "native"]
