"""Tables of the Decide page as plain values and texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mrl_explorer.decide.cost import need
from mrl_explorer.decide.diagnosis import Tail
from mrl_explorer.decide.frontier import frontier, shared_sizes
from mrl_explorer.decide.options import Options
from mrl_explorer.decide.published import comparable
from mrl_explorer.decide.recommendation import Constraints, Recommendation
from mrl_explorer.report.formats import percent_text, share_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff


@dataclass(frozen=True, slots=True)
class Bar:
    """A named value with its 95% interval."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the heat map.

    Attributes
    ----------
    text : str
        Recall, with a mark where it is at least what is asked.
    strength : float
        Opacity of its colour, 0 to 0.55.
    chosen : bool
        Whether it is the configuration shown.
    """

    text: str
    strength: float
    chosen: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a histogram.

    Attributes
    ----------
    name : str
        The recall it stands for.
    count : int
        Queries.
    height : float
        Share of the tallest one.
    """

    name: str
    count: int
    height: float


def histogram(spread: Tail) -> tuple[Column, ...]:
    """Give the columns of the spread of per-query recall, the least first."""
    names = ("0+", *(f".{tenth}+" for tenth in range(1, 10)), "all")
    tallest = max(spread.counts)
    return tuple(
        Column(name, count, count / tallest)
        for name, count in zip(names, spread.counts, strict=True)
    )


def sizes(options: Options) -> list[int]:
    """List the bytes per vector that different dims and bits share."""
    return list(shared_sizes(options.configs))


def same_bytes(options: Options, size: int) -> tuple[Bar, ...]:
    """Give the recall of every configuration of so many bytes, the best first."""
    bars = [
        Bar(
            f"{config}{' *' if options.held_out[0, place] else ''}",
            float(options.mean[0, place]),
            float(options.ends[0][place]),
            float(options.ends[1][place]),
        )
        for place, config in enumerate(options.configs)
        if config.bytes_per_vector == size
    ]
    return tuple(sorted(bars, key=lambda bar: -bar.value))


Row = tuple[int, list[Cell | None]]


def heat_map(
    options: Options, constraints: Constraints, *, chosen: Config | None
) -> Iterator[tuple[str, list[Row], list[str]]]:
    """Give, for each basis, its name, a row of cells for each dim, and the quantizations."""
    places = {config: place for place, config in enumerate(options.configs)}
    quantizations = list(dict.fromkeys(config.quantization for config in options.configs))
    kept = None if constraints.min_ndcg_kept is None else options.kept
    if kept is None:
        asked, values, lows = constraints.min_recall, options.mean[0], options.joint_low[0]
        held_out = options.held_out[0]
    else:
        asked, values, lows = constraints.min_ndcg_kept, kept.share[0], kept.low[0]
        held_out = kept.held_out[0]
    if constraints.on_mean:
        lows = values
    least = float(values.min())
    for basis in dict.fromkeys(config.basis for config in options.configs):
        rows: list[Row] = []
        for dim in sorted({c.dim for c in options.configs if c.basis == basis}):
            cells: list[Cell | None] = []
            for name in quantizations:
                config = Config(dim, name, basis)
                if config not in places:
                    cells.append(None)
                    continue
                place = places[config]
                value = float(values[place])
                mark = " *" if held_out[place] else ""
                mark += " ✓" if asked is not None and lows[place] >= asked else ""
                strength = 0.55 * (value - least) / max(1 - least, 1e-9)
                cells.append(Cell(share_text(value) + mark, strength, config == chosen))
            rows.append((dim, cells))
        yield basis, rows, quantizations


def published_text(config: Config, *, full_dim: int) -> str:
    """Say what published models kept at about the same share of dims and bits."""
    found = comparable(config, full_dim=full_dim)
    share = percent_text(config.dim / full_dim)
    if not found:
        return (
            f"No published figure at hand is near {share} of the dims in {config.quantization}; "
            "the band shows what there is."
        )
    low, high = min(one.kept for one in found), max(one.kept for one in found)
    models = ", ".join(dict.fromkeys(f"{one.model} ({one.metric}; {one.source})" for one in found))
    kept = percent_text(low) if low == high else f"{percent_text(low)} to {percent_text(high)}"
    return (
        f"At about {share} of the dims and as many bits, published models kept **{kept}** of their "
        f"score: {models}."
    )


def _candidates(cutoff: Cutoff) -> str:
    return f"{cutoff.candidates}" if cutoff.rescore else ""


def table_options(options: Options, found: Recommendation) -> list[tuple[Config, Cutoff]]:
    """List what the table shows: a choice that is rescored, then all that is not."""
    plain = [(config, options.cutoffs[0]) for config in options.configs]
    choice = found.choice
    if choice is None or not choice.cutoff.rescore:
        return plain
    return [(choice.config, choice.cutoff), *plain]


def table_rows(
    options: Options, found: Recommendation, listed: Sequence[tuple[Config, Cutoff]]
) -> list[dict[str, object]]:
    """Give the figures of options, in the order of `listed`."""
    full_dim = options.evaluation.rankings.full_dim
    best = {options.configs[place] for place in frontier(options.configs, options.mean[0])}
    choice = found.choice
    rows: list[dict[str, object]] = []
    for config, cutoff in listed:
        own = options.rescored if cutoff.rescore else options
        at = own.cutoffs.index(cutoff), own.configs.index(config)
        one = need(config, production=found.production, full_dim=full_dim, rescore=cutoff.rescore)
        low, high = own.interval(config, cutoff)
        rows.append(
            {
                "chosen": choice is not None and (choice.config, choice.cutoff) == (config, cutoff),
                "dim": config.dim,
                "quantization": config.quantization,
                "basis": config.basis,
                **({"candidates": _candidates(cutoff)} if listed[0][1].rescore else {}),
                "bytes_per_vector": config.bytes_per_vector,
                "recall": float(own.mean[at]),
                "recall_low": low,
                "recall_high": high,
                "joint_low": float(own.joint_low[at]),
                "ram": one.ram / 1e9,
                "disk": one.disk / 1e9,
                "cost": one.cost,
                "best": not cutoff.rescore and config in best,
                "held_out": bool(own.held_out[at]),
            }
        )
    return rows
