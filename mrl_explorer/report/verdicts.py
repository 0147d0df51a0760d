"""A recommendation in sentences, for the page and the terminal alike."""

from collections.abc import Iterator
from dataclasses import dataclass

from mrl_explorer.decide.diagnosis import LOW_NDCG, Agreement, Losses, Tail, Worth
from mrl_explorer.decide.intervals import most_promised, queries_to_promise
from mrl_explorer.decide.options import Options
from mrl_explorer.decide.pairs import MARGIN, Pair, compare
from mrl_explorer.decide.recommendation import Choice, Failure, Recommendation, Relaxation
from mrl_explorer.report.formats import (
    byte_text,
    change_text,
    count_text,
    money_text,
    percent_text,
    share_text,
    times_text,
)
from mrl_explorer.report.recipe import recipe_text

_BOUNDS = {
    "min_recall": "recall",
    "min_ndcg_kept": "nDCG kept",
    "max_bytes_per_vector": "bytes per vector",
    "max_ram": "RAM",
    "max_disk": "disk",
    "max_cost": "cost per month",
    "dims": "dims",
    "quantizations": "quantizations",
    "bases": "bases",
    "rescore": "rescoring",
    "engine": "engine",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a stakeholder reads.

    Attributes
    ----------
    title : str
        The answer in a few words.
    recipe : str
        What to do; empty when nothing holds.
    sentence : str
        Why, with its figures.
    beside : tuple of str
        Sentences on the runner-up, the next cheaper one, and how sure this is.
    """

    title: str
    recipe: str
    sentence: str
    beside: tuple[str, ...]


def choice_name(choice: Choice) -> str:
    """Name an option: '64d int4 pca, rescored from 40 candidates'."""
    if not choice.cutoff.rescore:
        return str(choice.config)
    return f"{choice.config}, rescored from {choice.cutoff.candidates} candidates"


def verdict(recommendation: Recommendation) -> Verdict:
    """Put a recommendation into words."""
    if recommendation.choice is None:
        return _nothing_holds(recommendation)
    choice = recommendation.choice
    return Verdict(
        f"Ship {choice_name(choice)}",
        recipe_text(choice.config, choice.cutoff, full_dim=recommendation.baseline.config.dim),
        _main_sentence(recommendation, choice),
        tuple(_beside(recommendation)),
    )


def _main_sentence(recommendation: Recommendation, choice: Choice) -> str:
    k, production, full = choice.cutoff.k, recommendation.production, recommendation.baseline
    replicas = "" if production.replicas == 1 else f" in {production.replicas} replicas"
    bytes_each = choice.config.bytes_per_vector
    text = (
        f"It finds {percent_text(choice.recall)} of the top {k} that the full vectors find "
        f"(recall@{k} vs full dimension {share_text(choice.recall)}, 95% interval "
        f"{share_text(choice.recall_low)} to {share_text(choice.recall_high)}"
        f"{_fitted(choice)}){_relevance(recommendation, choice)}, at {bytes_each:,} bytes per "
        "vector. "
        f"{count_text(production.n_vectors)} vectors{replicas} then need "
        f"{byte_text(choice.need.ram)} of RAM and {byte_text(choice.need.disk)} of disk, about "
        f"{money_text(choice.need.cost)} a month"
    )
    if choice.config == full.config:
        return f"{text}: nothing cheaper holds."
    if full.need.cost > 0:
        text += (
            f", {_saving(choice.need.cost, full.need.cost)} the full vectors in float32 "
            f"({money_text(full.need.cost)}, {byte_text(full.need.ram)} of RAM)"
        )
    return f"{text}."


def _relevance(recommendation: Recommendation, choice: Choice) -> str:
    """Say what is kept of nDCG where that is what must hold."""
    asked, kept, low = (
        recommendation.constraints.min_ndcg_kept,
        choice.ndcg_kept,
        choice.ndcg_kept_low,
    )
    if asked is None or kept is None or low is None:
        return ""
    k = choice.cutoff.k
    where = ", on documents that the basis was not fitted on" if choice.ndcg_held_out else ""
    return f" and keeps {share_text(kept)} of their nDCG@{k} (lower end {share_text(low)}{where})"


def _fitted(choice: Choice) -> str:
    """Say on what a fitted basis was measured."""
    if choice.held_out:
        return ", on documents that the basis was not fitted on"
    if choice.confirmed:
        return ", and no less on documents that the basis was not fitted on"
    if choice.config.is_fitted:
        return ", on the documents that the basis was fitted on, which flatters it"
    return ""


def _saving(cost: float, before: float) -> str:
    change = change_text(before, cost)
    return f"{change[1:]} {'less' if cost <= before else 'more'} than"


def choice_pairs(
    options: Options, recommendation: Recommendation, *, margin: float = MARGIN
) -> tuple[str, ...]:
    """Say whether the queries can tell the choice from the one below and the one above it."""
    choice = recommendation.choice
    if choice is None:
        return ()
    sentences = []
    full_dim = recommendation.baseline.config.dim
    for other in (recommendation.cheaper, recommendation.runner_up):
        if other is None or other.config.is_rotated_baseline(full_dim):
            # That one is the baseline turned, and equal to it whatever the queries.
            continue
        values = options.paired((choice.config, choice.cutoff), (other.config, other.cutoff))
        if values is None:
            sentences.append(
                f"{choice_name(choice)} and {choice_name(other)} were not measured on the same "
                "documents, so nothing is said of their difference."
            )
        else:
            pair = compare(*values, margin=margin)
            sentences.append(pair_text(pair, choice_name(choice), choice_name(other)))
    return tuple(sentences)


def _beside(recommendation: Recommendation) -> list[str]:
    choice, runner, cheaper = (
        recommendation.choice,
        recommendation.runner_up,
        recommendation.cheaper,
    )
    sentences = []
    k = recommendation.baseline.cutoff.k
    if runner is not None:
        sentences.append(
            f"Runner-up: {choice_name(runner)}, recall@{k} {share_text(runner.recall)}"
            f"{_kept(runner)}, {money_text(runner.need.cost)} a month."
        )
    if cheaper is not None:
        reasons = " and ".join(
            failure_text(failure, on_mean=recommendation.constraints.on_mean)
            for failure in recommendation.cheaper_failures
        )
        sentences.append(
            f"Next cheaper: {choice_name(cheaper)}, {money_text(cheaper.need.cost)} a month, "
            f"fails: {reasons}."
        )
    else:
        sentences.append("Nothing cheaper is among what you allow.")
    if choice is not None and choice.config == recommendation.baseline.config:
        sentences.extend(_promise(recommendation))
    stability = recommendation.stability
    if stability is not None:
        sentences.append(
            f"How sure: choosing by a random half of your {recommendation.n_queries:,} queries "
            f"gave the same choice in {stability.same} of {stability.n_splits} splits, and what "
            f"was chosen reached the target on the other half in {stability.confirmed}."
        )
    else:
        sentences.append(
            f"How sure: not at all, with {_queries(recommendation.n_queries)}. Bring more."
        )
    size = "" if choice is None else _size_text(recommendation, choice)
    return [*sentences, size] if size else sentences


def _kept(choice: Choice) -> str:
    return "" if choice.ndcg_kept is None else f", nDCG kept {share_text(choice.ndcg_kept)}"


_MANY_TIMES = 10
_LARGE_SHARE = 0.05


def _size_text(recommendation: Recommendation, choice: Choice) -> str:
    """Say that a larger corpus is harder; empty where the production is hardly larger."""
    n_docs, n_vectors = recommendation.n_docs, recommendation.production.n_vectors
    if n_vectors < _MANY_TIMES * n_docs:
        return ""
    text = (
        f"Measured on {n_docs:,} documents: among {count_text(n_vectors)} more of them come close, "
        "and recall at the same setting is lower"
    )
    candidates = choice.cutoff.candidates
    if choice.cutoff.rescore and candidates > _LARGE_SHARE * n_docs:
        text += (
            f"; {candidates} candidates are {percent_text(candidates / n_docs)} of the documents "
            "here and next to none of those"
        )
    return f"{text}. Measure on as many documents as you can before you ship."


def _queries(n: int) -> str:
    return "1 query" if n == 1 else f"{n:,} queries"


def failure_text(failure: Failure, *, on_mean: bool) -> str:
    """Say why an option does not hold."""
    name = _BOUNDS[failure.name]
    if failure.name in ("min_recall", "min_ndcg_kept") and failure.wanted is not None:
        of = "mean" if on_mean else "lower end"
        return (
            f"the {of} of its {name} is {share_text(float(failure.got))}, below "
            f"{share_text(failure.wanted)}"
        )
    if failure.name == "engine":
        return "the engine does not store it"
    if failure.wanted is None:
        return f"it needs {name}" if failure.name == "rescore" else f"{failure.got} is not allowed"
    return f"its {name} is {_amount(failure.name, failure.got)}"


def _amount(name: str, value: float | int | str | bool) -> str:
    if name in ("max_ram", "max_disk"):
        return byte_text(float(value))
    if name == "max_cost":
        return money_text(float(value))
    if name in ("min_recall", "min_ndcg_kept"):
        return share_text(float(value))
    return f"{float(value):,.0f}"


def _asked_instead(failure: Failure) -> str:
    """Say what a constraint would have to be: 'RAM of 5.0 GB instead of 1.0 GB'."""
    got = float(failure.got)
    if failure.name in ("min_recall", "min_ndcg_kept"):
        # Rounded down, so that the figure typed in does hold.
        got = int(got * 1000) / 1000
    asked = 0.0 if failure.wanted is None else failure.wanted
    return (
        f"{_BOUNDS[failure.name]} of {_amount(failure.name, got)} instead of "
        f"{_amount(failure.name, asked)}"
    )


def relaxation_text(relaxation: Relaxation, *, on_mean: bool) -> str:
    """Say what to relax, to what, and what one would get."""
    failure, choice = relaxation.failure, relaxation.choice
    name = _BOUNDS[failure.name]
    gives = f"{choice_name(choice)} would hold"
    if failure.name == "rescore":
        return f"Allow rescoring: {gives}."
    if failure.name == "engine":
        return f"Choose an engine that stores it: {gives}."
    if failure.wanted is None:
        return f"Allow {failure.got} among the {name}: {gives}."
    got, wanted = float(failure.got), failure.wanted
    if failure.name in ("min_recall", "min_ndcg_kept"):
        of = "mean" if on_mean else "lower end"
        return f"Ask for {_asked_instead(failure)} ({of}): {gives}."
    more = f" ({times_text(got / wanted)})" if wanted > 0 else ""
    return f"Allow {_asked_instead(failure)}{more}: {gives}."


def _nothing_holds(recommendation: Recommendation) -> Verdict:
    constraints = recommendation.constraints
    beside = [
        relaxation_text(relaxation, on_mean=constraints.on_mean)
        for relaxation in recommendation.relaxations
    ]
    if recommendation.closest is not None:
        closest = recommendation.closest
        beside.append(
            f"Relaxing one constraint is not enough. {choice_name(closest)} (recall "
            f"{share_text(closest.recall)}, {closest.config.bytes_per_vector:,} bytes per vector, "
            f"{money_text(closest.need.cost)} a month) would hold with all of these: "
            f"{'; '.join(map(_asked_instead, recommendation.closest_failures))}."
        )
    beside.extend(_promise(recommendation))
    sentence = f"No option of {recommendation.n_configs} configurations meets all you ask."
    if beside:
        sentence += " One of these would help:" if recommendation.relaxations else ""
    return Verdict("Nothing holds", "", sentence, tuple(beside))


def _promise(recommendation: Recommendation) -> Iterator[str]:
    """Say that so few queries cannot promise so much, where that is so."""
    n_queries, wanted = recommendation.n_queries, recommendation.constraints.min_recall
    if (
        wanted is None
        or recommendation.constraints.on_mean
        or not most_promised(n_queries) < wanted < 1
    ):
        return
    yield (
        f"With {_queries(n_queries)} nothing short of full dimension can be shown to keep "
        f"{share_text(wanted)}: without a single miss they promise "
        f"{share_text(most_promised(n_queries))}, and it takes "
        f"{queries_to_promise(wanted):,} of them, or the mean instead of the lower end."
    )


def pair_text(pair: Pair, first: str, second: str, *, what: str = "recall") -> str:
    """Say which of two is better by these queries, or that they cannot tell."""
    points, with_queries = f"{100 * pair.margin:g} point", _queries(pair.n_queries)
    plural = "" if pair.margin == 0.01 else "s"
    low, high = pair.low, pair.high
    if pair.verdict == "second better":
        low, high = -high, -low
    interval = f"95% interval of the difference {low:+.3f} to {high:+.3f}"
    if pair.verdict == "alike":
        return (
            f"{first} and {second} are alike within {points}{plural} of {what} on your "
            f"{with_queries} ({interval})."
        )
    if pair.verdict == "cannot tell":
        more = (
            f"; about {pair.needed:,} would do"
            if pair.needed > pair.n_queries
            else "; they are enough, but the difference lies near the margin itself"
        )
        return (
            f"With your {with_queries} {first} and {second} cannot be told apart within "
            f"{points}{plural} of {what}{more} ({interval})."
        )
    better, worse = (first, second) if pair.verdict == "first better" else (second, first)
    return (
        f"{better} has more {what} than {worse}, by {abs(pair.difference):.3f} on average "
        f"({interval})."
    )


def worth_text(worth: Worth) -> str:
    """Say what no setting can fix; empty where full dimension serves every judged query."""
    if worth.ndcg is None:
        return ""
    parts = []
    if worth.ndcg < LOW_NDCG:
        parts.append(
            f"The full vectors themselves are weak here: nDCG@{worth.k} {share_text(worth.ndcg)} "
            f"of 1 over {_judged(worth.n_judged)}."
        )
    n = len(worth.failed)
    if n:
        these = "this query" if n == 1 else f"these {n:,} queries"
        some = n - worth.n_hopeless
        sure, luck = (
            (
                " for sure",
                f"; for {some:,} of them some configuration does, as likely by luck as by merit",
            )
            if some
            else ("", "")
        )
        parts.append(
            f"No setting here fixes {these}{sure}, of {worth.n_judged:,} judged: even the full "
            f"vectors show nothing relevant in the first {worth.k}{luck}. Change the model, the "
            "text or the splitting."
        )
    return " ".join(parts)


def _judged(n: int) -> str:
    return "1 judged query" if n == 1 else f"{n:,} judged queries"


def agreement_text(found: Agreement) -> str:
    """Say in plain words whether recall and relevance agree."""
    change = found.change
    moved = (
        f"nDCG {share_text(found.ndcg)} against {share_text(found.full_ndcg)} at full dimension, "
        f"over {_judged(found.n_judged)} (95% interval of the change {change.low:+.3f} to "
        f"{change.high:+.3f})"
    )
    lost = percent_text(1 - found.recall)
    return {
        "both kept": f"Recall and relevance agree: both are kept; {moved}.",
        "loss without harm": (
            f"They disagree: {lost} of the neighbours are lost, and the lost neighbours cost no "
            f"relevance here; {moved}."
        ),
        "both lost": f"Recall and relevance agree: both are lost; {moved}.",
        "relevance lost": (
            f"They disagree: almost every neighbour is kept, and relevance falls all the same; "
            f"{moved}."
        ),
        "relevance gained": (
            f"They disagree: {lost} of the neighbours are lost, and relevance rises; {moved}."
        ),
        "cannot tell": (
            f"{lost} of the neighbours are lost; whether that costs relevance these judgements "
            f"cannot tell: {moved}. About {change.needed:,} judged queries would do."
        ),
    }[found.verdict]


def losses_text(losses: Losses, choice: Choice) -> str:
    """Say by what the loss comes about."""
    parts = [
        f"keeping {choice.config.dim:,} dims {_loss(losses.dims)}",
        f"{choice.config.quantization} {_loss(losses.bits)}",
    ]
    if choice.cutoff.rescore:
        parts.append(f"rescoring {choice.cutoff.candidates} candidates {_loss(-losses.regained)}")
    rest = "nothing" if losses.remaining < _LEAST else share_text(losses.remaining)
    return f"Of a recall of 1, {', '.join(parts)}; {rest} is lost in the end."


_LEAST = 0.0005


def _loss(loss: float) -> str:
    if abs(loss) < _LEAST:
        return "loses nothing"
    return f"loses {share_text(loss)}" if loss > 0 else f"brings back {share_text(-loss)}"


def tail_text(spread: Tail) -> tuple[str, str]:
    """Say how many queries fare badly, and how badly the worst of them."""
    few, whose = "No query keeps less than half", "its"
    if spread.share_below:
        few, whose = (
            f"{percent_text(spread.share_below)} of the queries keep less than half",
            "their",
        )
    worst = (
        "95% or more keep all."
        if spread.p5 >= 1
        else f"The worst 5% keep {percent_text(spread.p5)} or less."
    )
    return f"{few} of {whose} results.", worst
