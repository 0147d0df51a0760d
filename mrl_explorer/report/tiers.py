"""A plan of tiers in words."""

from collections.abc import Sequence

from mrl_explorer.decide.funnels import FirstStage, Plan, Tiers
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.chains import rescoring_name
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.rankings import Rankings


def enough_text(first: FirstStage, rankings: Rankings) -> str:
    """Write how many candidates reach the aim, or that the lists end before."""
    if first.candidates is not None:
        return f"{first.candidates}"
    return f"over {min(rankings.depth, rankings.n_docs)}"


def aim_text(plan: Plan) -> str:
    """Say what was asked for."""
    aim = plan.aim
    measure = f"{'low end of the 95% interval of ' if aim.sure else ''}recall@{aim.k}"
    return f"{measure} of at least {share_text(aim.min_recall)}"


def shortfall_text(plan: Plan, rankings: Rankings) -> str:
    """Say why no chain was found and what to do, in one sentence."""
    if not plan.first_stages:
        return "This run has no configuration but full dimension: evaluate again with more dims."
    best = max(plan.first_stages, key=lambda first: (first.recall, -first.config.bytes_per_vector))
    limits = [
        text
        for text, limit in (
            ("RAM", plan.aim.max_ram),
            ("candidates", plan.aim.max_candidates),
            ("reads from disk", plan.aim.max_disk_reads),
        )
        if limit is not None
    ]
    if any(first.candidates is not None for first in plan.first_stages):
        advice = f"allow more {' or '.join(limits)}" if limits else "allow more stages"
        return f"No chain within these limits reaches {aim_text(plan)}: {advice}."
    n_places = min(rankings.depth, rankings.n_docs)
    return (
        f"No first stage reaches {aim_text(plan)} with {n_places} candidates (the best, "
        f"{best.config}, keeps {share_text(best.recall)}, its interval from "
        f"{share_text(best.low)}): rank deeper, ask for less, or use more queries where only the "
        "interval is too wide."
    )


def stage_role(chain_configs: Sequence[Config], place: int, *, full_dim: int) -> str:
    """Name what a stage does: the search, or how it re-orders what it is handed."""
    if place == 0:
        return "searches all"
    name = rescoring_name(chain_configs[place - 1], chain_configs[place], full_dim=full_dim)
    return f"rescores by {name}"


def fitted_text(tiers: Tiers, held_out: Tiers | None) -> str:
    """Say what a fitted basis keeps on documents that it has not seen; empty where none is used."""
    if not any(stage.config.is_fitted for stage in tiers.chain.stages):
        return ""
    if held_out is None:
        return PCA_NOTE
    return (
        f"The basis was fitted on these documents, which flatters it: fitted on one half and run "
        f"on the other, the chain keeps {share_text(held_out.recall)} "
        f"({share_text(held_out.low)} to {share_text(held_out.high)}) of that half's own results."
    )


def growth_text(tiers: Tiers, rankings: Rankings) -> str:
    """Say what the length of the list means for a corpus of another size."""
    share = tiers.chain.candidates / rankings.n_docs
    return (
        f"{tiers.chain.candidates} candidates are {100 * share:.2g}% of these {rankings.n_docs:,} "
        "documents. Among more documents there are more near misses, so the list has to be longer."
    )


PCA_NOTE = (
    "A basis was fitted on the very documents it is measured on, which flatters it, and these "
    "lists do not tell what the chain keeps on others."
)
