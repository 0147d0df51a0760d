"""A plan of tiers as text for a terminal and as plain values for JSON."""

from collections.abc import Sequence
from typing import Any

from mrl_explorer.decide.funnels import FirstStage, Plan, Tiers
from mrl_explorer.decide.needs import Need
from mrl_explorer.report.formats import byte_text, count_text, share_text, times_text
from mrl_explorer.retrieval.chains import remarks, rescoring_name
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.rankings import Rankings


def tiers_values(tiers: Tiers) -> dict[str, Any]:
    """Give a chain and its figures as plain values."""
    need = tiers.need
    return {
        "chain": tiers.chain.spelling,
        "recall": tiers.recall,
        "recall_low": tiers.low,
        "recall_high": tiers.high,
        **({} if tiers.ndcg is None else {"ndcg": tiers.ndcg}),
        "ram_bytes": need.ram,
        "disk_bytes": need.disk,
        "bytes_read_per_query": need.bytes_read,
        "disk_reads_per_query": need.disk_reads,
        "stages": [
            {
                "dim": one.stage.config.dim,
                "quantization": one.stage.config.quantization,
                "basis": one.stage.config.basis,
                "keep": one.stage.keep,
                "scored": one.scored,
                "bytes_read": one.bytes_read,
                "from": "disk" if one.on_disk else "ram",
            }
            for one in need.stages
        ],
    }


def plan_values(
    plan: Plan,
    rankings: Rankings,
    *,
    own: Sequence[Tiers] = (),
    held_out: Tiers | None = None,
) -> dict[str, Any]:
    """Give a plan as plain values: see `plan_text`."""
    aim = plan.aim
    return {
        "n_docs": rankings.n_docs,
        "n_queries": rankings.n_queries,
        "full_dim": rankings.full_dim,
        "depth": rankings.depth,
        "k": aim.k,
        "min_recall": aim.min_recall,
        "held_against": "low end of the 95% interval" if aim.sure else "mean",
        "n_vectors": aim.n_vectors,
        "cheapest_by": aim.objective,
        "n_considered": plan.n_considered,
        "n_undecided": plan.n_undecided,
        "cut_short": plan.cut_short,
        "full_ram_bytes": plan.full.ram,
        "full_bytes_read_per_query": plan.full.bytes_read,
        "chosen": None if plan.chosen is None else tiers_values(plan.chosen),
        "chosen_held_out_recall": None if held_out is None else held_out.recall,
        "runner_up": None if plan.runner_up is None else tiers_values(plan.runner_up),
        "own": [tiers_values(tiers) for tiers in own],
        "first_stages": [
            {
                "dim": first.config.dim,
                "quantization": first.config.quantization,
                "basis": first.config.basis,
                "bytes_per_vector": first.config.bytes_per_vector,
                "candidates": first.candidates,
                "recall": first.recall,
                "recall_low": first.low,
            }
            for first in plan.first_stages
        ],
    }


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


def plan_text(
    plan: Plan,
    rankings: Rankings,
    *,
    own: Sequence[Tiers] = (),
    held_out: Tiers | None = None,
) -> str:
    """Lay a plan out for a terminal.

    Parameters
    ----------
    own : sequence of Tiers
        Chains that were asked for by name.
    held_out : Tiers or None
        The chosen chain on documents that its basis has not seen.
    """
    aim = plan.aim
    lines = [
        f"{rankings.n_docs:,} documents, {rankings.n_queries:,} queries, {rankings.full_dim} "
        f"dimensions; asked for: {aim_text(plan)}",
        f"{plan.n_considered:,} chains considered, for {count_text(aim.n_vectors)} vectors, the "
        f"first stage {'with a graph' if aim.indexed else 'searched flat'}",
        "",
    ]
    if plan.chosen is None:
        lines.append(shortfall_text(plan, rankings))
    for title, tiers in (("Cheapest", plan.chosen), ("Runner-up", plan.runner_up)):
        if tiers is not None:
            lines += _chain_lines(f"{title}: ", tiers, plan.full, rankings)
    for tiers in own:
        lines += _chain_lines("", tiers, plan.full, rankings)
    lines += ["", f"Fewest candidates before full-dimension rescoring, {aim_text(plan)}:"]
    lines += _first_stage_lines(plan, rankings)
    if plan.n_undecided:
        lines.append(
            f"{plan.n_undecided} chains were left aside: these lists are too short to tell their "
            "recall. Give --corpus, or evaluate with a larger --depth."
        )
    if plan.cut_short:
        lines.append("Not every chain of several stages was run: a cheaper one may exist.")
    if plan.chosen is not None:
        notes = growth_text(plan.chosen, rankings), fitted_text(plan.chosen, held_out)
        lines += [f"Note: {text}" for text in notes if text]
    return "\n".join(lines) + "\n"


def stage_role(chain_configs: Sequence[Config], place: int, *, full_dim: int) -> str:
    """Name what a stage does: the search, or how it re-orders what it is handed."""
    if place == 0:
        return "searches all"
    name = rescoring_name(chain_configs[place - 1], chain_configs[place], full_dim=full_dim)
    return f"rescores by {name}"


def ratio_text(full: Need, need: Need) -> str:
    """Write how much less RAM a chain needs, and how much less it reads."""
    return (
        f"RAM {byte_text(need.ram)} ({times_text(full.ram / need.ram)} less), disk "
        f"{byte_text(need.disk)}, reads {byte_text(need.bytes_read)} a query "
        f"({times_text(full.bytes_read / need.bytes_read)} less), "
        f"{need.disk_reads:.0f} vectors from disk"
    )


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


def _chain_lines(title: str, tiers: Tiers, full: Need, rankings: Rankings) -> list[str]:
    judged = "" if tiers.ndcg is None else f", nDCG@{tiers.chain.k} {tiers.ndcg:.3f}"
    lines = [
        f"{title}{tiers.chain}",
        f"  recall@{tiers.chain.k} {tiers.recall:.3f} ({tiers.low:.3f}-{tiers.high:.3f}){judged}",
        f"  {ratio_text(full, tiers.need)}",
    ]
    configs = [stage.config for stage in tiers.chain.stages]
    for place, one in enumerate(tiers.need.stages):
        where = "disk" if one.on_disk else "RAM"
        lines.append(
            f"  {place + 1}. {one.stage.config} "
            f"{stage_role(configs, place, full_dim=rankings.full_dim)}: {one.scored:,.0f} vectors, "
            f"{byte_text(one.bytes_read)} from {where}, hands on {one.stage.keep}"
        )
    return [*lines, *(f"  {remark}" for remark in remarks(tiers.chain))]


def _first_stage_lines(plan: Plan, rankings: Rankings) -> list[str]:
    rows = [["first stage", "bytes", "candidates", f"recall@{plan.aim.k}", "95% from"]]
    for first in sorted(plan.first_stages, key=lambda one: one.config.bytes_per_vector):
        rows.append(
            [
                str(first.config),
                str(first.config.bytes_per_vector),
                enough_text(first, rankings),
                f"{first.recall:.3f}",
                f"{first.low:.3f}",
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
