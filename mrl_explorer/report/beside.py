"""Two evaluations side by side, in words."""

from collections.abc import Iterator

from mrl_explorer.decide.beside import Differences, Match
from mrl_explorer.decide.pairs import Pair
from mrl_explorer.decide.summary import Summary
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff

_LONGEST_NAME = 32


def short_names(
    titles: tuple[str, str], models: tuple[str | None, str | None], shared: Match
) -> tuple[str, str]:
    """Name two evaluations by what tells them apart: the model on the same data, else the title."""
    names = titles
    if shared.same_documents and models[0] and models[1] and models[0] != models[1]:
        names = models[0], models[1]
    first, second = (
        name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names
    )
    return first, second if second != first else f"{second} (2)"


def setting_text(config: Config, full_dim: int) -> str:
    """Write a configuration with the dims that it was cut from: '256 of 384d int8'."""
    kept, _, rest = str(config).partition("d ")
    return f"{kept} of {full_dim}d {rest}"


def departures(
    wanted: Config, shown: Config, wanted_cutoff: Cutoff, shown_cutoff: Cutoff
) -> Iterator[str]:
    """Say where an evaluation does not follow the controls, since its run does not cover them."""
    if shown != wanted:
        yield f"nearest to {wanted} in its run"
    if shown_cutoff != wanted_cutoff:
        yield f"its lists do not hold {wanted_cutoff.candidates} candidates"


def verdicts(
    first: Summary,
    second: Summary,
    *,
    names: tuple[str, str],
    shared: Match,
    found: Differences,
) -> Iterator[str]:
    """Say which of two evaluations is better, as far as what they share can tell.

    Parameters
    ----------
    first, second : Summary
        Their figures, at the same k.
    names : (str, str)
        What to call them.
    shared : Match
        What they share.
    found : Differences
        First minus second.

    Yields
    ------
    str
        A sentence on relevance, and one on recall.
    """
    k = first.cutoff.k
    if found.ndcg is not None:
        yield _relevance_sentence(found.ndcg, names, k) + _documents_note(first, second, shared)
    elif not shared.n_shared:
        yield "They share no query, so nothing here says which finds better results."
    elif first.evaluation.judgements is None or second.evaluation.judgements is None:
        yield (
            "Which finds better results, only judgements on both sides can say: recall counts what "
            "each keeps of its own results."
        )
    else:
        yield "No query is judged alike on both sides, so their nDCG does not compare."
    if found.recall is not None:
        yield _recall_sentence(found.recall, names, k)


def _relevance_sentence(pair: Pair, names: tuple[str, str], k: int) -> str:
    name, other, difference, low, high = _from_the_better(pair, names)
    figures = f"{_signed(difference)} [{_signed(low)}, {_signed(high)}] nDCG@{k}"
    queries = _queries_text(pair.n_queries)
    match pair.verdict:
        case "alike":
            return (
                f"{names[0]} and {names[1]} are alike on these {queries}: they differ by "
                f"{figures}, all of it within {share_text(pair.margin)}."
            )
        case "cannot tell":
            return (
                f"These {queries} cannot tell {names[0]} and {names[1]} apart: {name} is ahead by "
                f"{figures}."
            )
        case _:
            return f"{name} is better than {other} by {figures} on these {queries}."


def _recall_sentence(pair: Pair, names: tuple[str, str], k: int) -> str:
    name, _, difference, low, high = _from_the_better(pair, names)
    figures = f"{_signed(difference)} [{_signed(low)}, {_signed(high)}]"
    each = f"Each recall@{k} is against its own full dimension, which is not the same truth"
    queries = _queries_text(pair.n_queries)
    match pair.verdict:
        case "alike":
            return f"{each}: on {queries} what they keep differs by {figures}, which is alike."
        case "cannot tell":
            return (
                f"{each}: {queries} cannot tell which keeps more of its own results, {name} is "
                f"ahead by {figures}."
            )
        case _:
            return f"{each}: {name} keeps more of its own results by {figures} on {queries}."


def _from_the_better(pair: Pair, names: tuple[str, str]) -> tuple[str, str, float, float, float]:
    """Turn a difference so that it is not negative: the one ahead, the other, and the figures."""
    if pair.difference < 0:
        return names[1], names[0], -pair.difference, -pair.high, -pair.low
    return names[0], names[1], pair.difference, pair.low, pair.high


def _documents_note(first: Summary, second: Summary, shared: Match) -> str:
    if shared.same_documents:
        return ""
    counts = [f"{one.evaluation.rankings.n_docs:,}" for one in (first, second)]
    return (
        f" They search different documents ({counts[0]} and {counts[1]}), and part of the "
        "difference may be theirs."
    )


def _queries_text(n_queries: int) -> str:
    return "1 query" if n_queries == 1 else f"{n_queries:,} queries"


def _signed(value: float) -> str:
    """Write a difference as shares are written: -0.0304 -> '-.030'."""
    # A negative zero is none.
    return f"{round(value, 3) + 0.0:.3f}".replace("0.", ".", 1)
