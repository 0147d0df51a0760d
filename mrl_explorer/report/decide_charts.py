"""Charts of the Decide page as plain values: see `curves` for why they are no Plotly figures."""

from typing import Any

from mrl_explorer.decide.frontier import frontier
from mrl_explorer.decide.options import Options
from mrl_explorer.decide.published import band
from mrl_explorer.decide.recommendation import Constraints, Recommendation
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config

_SHARES = (0.0625, 0.125, 0.25, 0.5, 1)


def frontier_chart(options: Options, recommendation: Recommendation) -> dict[str, Any]:
    """Draw recall against bytes with the frontier, the target and the choice.

    Returns
    -------
    dict
        `series`: by quantization its `name` and `points`, each [place among the configurations,
        bytes, recall, what it is, whether its basis is native]; `best`: [bytes, recall] of those
        with the best recall at their bytes; `asked`: `share` and `text`, or None; `chosen`: `size`,
        `share` and `text`, or None; `least`, `most` and `ticks` in bytes; `lowest`, the foot of the
        vertical axis; `across` and `upwards`, the names of the axes; `about`, for screen readers.
    """
    k, mean = options.k, options.mean[0]
    series: dict[str, list[list[Any]]] = {}
    for place, config in enumerate(options.configs):
        series.setdefault(config.quantization, []).append(_point(options, place))
    sizes = [config.bytes_per_vector for config in options.configs]
    wanted, choice = recommendation.constraints.min_recall, recommendation.choice
    return {
        "series": [{"name": name, "points": points} for name, points in series.items()],
        "best": [
            [sizes[place], round(float(mean[place]), 3)]
            for place in frontier(options.configs, mean)
        ],
        "asked": None
        if wanted is None
        else {"share": wanted, "text": f"asked: {share_text(wanted)}"},
        "chosen": None
        if choice is None
        else {
            "size": choice.config.bytes_per_vector,
            "share": round(choice.recall, 3),
            "text": f"{choice.config}{', rescored' if choice.cutoff.rescore else ''}: "
            f"{share_text(choice.recall)}",
        },
        "least": min(sizes),
        "most": max(sizes),
        "ticks": [2**power for power in range(20) if min(sizes) <= 2**power <= max(sizes)],
        "lowest": max(0.0, int(float(mean.min()) * 10) / 10),
        "across": "bytes per vector (log scale)",
        "upwards": f"recall@{k} vs full dimension",
        "about": f"recall@{k} against bytes per vector of every configuration without rescoring; "
        "the dashed line joins the best at their bytes. A click on a point opens it in Explore.",
    }


def _point(options: Options, place: int) -> list[Any]:
    config = options.configs[place]
    mean, low, high = (float(ends[place]) for ends in (options.mean[0], *options.ends))
    text = (
        f"{config}, {config.bytes_per_vector:,} bytes: recall@{options.k} {share_text(mean)}, "
        f"95% {share_text(low)} to {share_text(high)}"
    )
    return [place, config.bytes_per_vector, round(mean, 3), text, config.basis == "native"]


def published_chart(options: Options, constraints: Constraints, chosen: Config) -> dict[str, Any]:
    """Draw the band of published losses and this run's own curve at the same bits.

    Returns
    -------
    dict
        As `curves.recall_curves` gives; a curve's place is the share of the dims kept.
    """
    points = [
        [share, (low + high) / 2, low, high] for share, low, high in band(chosen.quantization)
    ]
    full_dim = options.evaluation.rankings.full_dim
    own = sorted(
        (config.dim, place)
        for place, config in enumerate(options.configs)
        if (config.quantization, config.basis) == (chosen.quantization, chosen.basis)
    )
    measured = {"your recall": (options.mean[0], *options.ends)}
    kept = None if constraints.min_ndcg_kept is None else options.kept
    if kept is not None:
        measured["your nDCG kept"] = (kept.share[0],) * 3
    curves: list[dict[str, Any]] = [{"name": "published", "points": points, "only_band": True}]
    curves += [
        {
            "name": name,
            "points": [
                [dim / full_dim, *(round(float(end[place]), 3) for end in ends)]
                for dim, place in own
            ],
        }
        for name, ends in measured.items()
    ]
    shares = sorted({point[0] for curve in curves for point in curve["points"]})
    least = min(point[2] for curve in curves for point in curve["points"])
    return {
        "curves": curves,
        "marks": [],
        "dims": shares,
        "ticks": [share for share in _SHARES if shares[0] <= share <= shares[-1]],
        "lowest": int(least * 10) / 10,
        "measure": "share",
        "axis": "kept",
        "across": "share of the dims kept (log scale)",
        "unit": "of the dims",
        "about": "Share of the score that published models kept by share of the dims, as a band, "
        "beside this run. A click on a point opens it in Explore.",
    }
