"""`tiers`: plan a short first stage and what rescores it, from a saved evaluation."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mrl_explorer.cli.output import align, check_target, names, write_json
from mrl_explorer.cli.recommend import EXIT_NOTHING_HOLDS
from mrl_explorer.cli.sending import add_agreement, embed_as_agreed
from mrl_explorer.decide.funnels import Aim, Plan, Tiers, describe, held_out_tiers, plan
from mrl_explorer.decide.needs import Need, rescoring_configs
from mrl_explorer.embed import DataSource
from mrl_explorer.errors import InputError
from mrl_explorer.report.formats import byte_text, count_text, times_text
from mrl_explorer.report.tiers import (
    aim_text,
    enough_text,
    fitted_text,
    growth_text,
    shortfall_text,
    stage_role,
)
from mrl_explorer.retrieval.candidates import (
    Candidates,
    gather_candidates,
    rank_directly,
    scorer_of,
)
from mrl_explorer.retrieval.chains import parse_chain, remarks
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.evaluation_file import load_evaluation
from mrl_explorer.retrieval.rankings import Rankings


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `tiers` to the commands."""
    command = commands.add_parser(
        "tiers", help="plan a short first stage and what rescores it, from an evaluation file"
    )
    command.set_defaults(run=_run)
    add = command.add_argument
    add("evaluation", type=Path, metavar="EVALUATION", help="what `evaluate --save` wrote")
    add("--min-recall", type=float, default=0.99, metavar="SHARE", help="to keep (default: .99)")
    add("-k", "--k", type=int, default=10, help="results that count (default: 10)")
    add("--n-vectors", type=float, default=1e7, metavar="N", help="in production (default: 1e7)")
    add(
        "--sure",
        action="store_true",
        help="hold the low end of the 95%% interval against it, not the mean",
    )
    add(
        "--cheapest-by",
        choices=("ram", "bytes"),
        default="ram",
        help="what is to be least: RAM, or bytes read for a query (default: ram)",
    )
    add("--max-ram-gb", type=float, metavar="GB", help="RAM at most, 1 GB = 1e9 bytes")
    add("--max-candidates", type=int, metavar="N", help="handed on by the first stage at most")
    add("--max-disk-reads", type=int, metavar="N", help="vectors read from disk at most")
    add("--max-stages", type=int, choices=(1, 2, 3, 4), default=4, help="default: 4")
    add("--indexed", action="store_true", help="count the RAM of a graph over the first stage")
    add("--quantizations", type=names, metavar="int8,binary", help="that a stage may use")
    add("--basis", type=names, metavar="native,pca", help="that a stage may use")
    add("--all-in-ram", action="store_true", help="keep the last stage's vectors in RAM as well")
    add(
        "--chain",
        action="append",
        default=[],
        metavar="64-binary:200,768-float32:10",
        help="also give the figures of this chain; may be repeated",
    )
    group = command.add_argument_group(
        "the data of the evaluation",
        "With it candidates are scored directly: chains that the lists are too short for are "
        "decided, and float queries on stored codes can rescore.",
    )
    add = group.add_argument
    add("--corpus", metavar="PATH", help="as for evaluate")
    add("--queries", metavar="PATH", help="as for evaluate")
    add("--corpus-vectors", metavar="PATH", help="as for evaluate")
    add("--queries-vectors", metavar="PATH", help="as for evaluate")
    add("--model", metavar="NAME", help="as for evaluate")
    add_agreement(command)
    command.add_argument("--json", metavar="FILE", help="write it as JSON; - for standard output")


def _run(options: argparse.Namespace) -> int:
    aim = Aim(
        min_recall=options.min_recall,
        k=options.k,
        n_vectors=options.n_vectors,
        sure=options.sure,
        objective=options.cheapest_by,
        max_ram=None if options.max_ram_gb is None else options.max_ram_gb * 1e9,
        max_candidates=options.max_candidates,
        max_disk_reads=options.max_disk_reads,
        max_stages=options.max_stages,
        indexed=options.indexed,
        last_on_disk=not options.all_in_ram,
        quantizations=options.quantizations,
        bases=options.basis,
    )
    check_target(options.json)
    chains = [parse_chain(text) for text in options.chain]
    evaluation = load_evaluation(options.evaluation)
    rankings = evaluation.rankings
    candidates = gather_candidates(rankings)
    if options.corpus is not None:
        candidates = _scored(candidates, evaluation, options)
    there = evaluation.held_out
    unseen = None if there is None else gather_candidates(there.rankings)
    found = plan(candidates, aim, judgements=evaluation.judgements, unseen=unseen)
    own: list[Tiers] = []
    for chain in chains:
        tiers = describe(chain, candidates, aim, judgements=evaluation.judgements)
        if tiers is None:
            raise InputError(
                f"The evaluation alone cannot tell the recall of {chain.spelling} (a later stage "
                "is not in it, or its lists are too short): give --corpus and what else the "
                "evaluation was made from."
            )
        own.append(tiers)
    held_out = None
    if found.chosen is not None and unseen is not None:
        held_out = held_out_tiers(found.chosen.chain, unseen, aim)
    if options.json is not None:
        write_json(_plan_values(found, rankings, own=own, held_out=held_out), options.json)
    if options.json != "-":
        sys.stdout.write(_plan_text(found, rankings, own=own, held_out=held_out))
    return 0 if found.chosen is not None else EXIT_NOTHING_HOLDS


def _scored(
    candidates: Candidates, evaluation: Evaluation, options: argparse.Namespace
) -> Candidates:
    """Read the data again and score all candidates by what a later stage may rank by."""
    source = DataSource(
        options.corpus,
        options.queries,
        document_vectors=options.corpus_vectors,
        query_vectors=options.queries_vectors,
        model=options.model,
    )
    collection, _ = embed_as_agreed(source, source.read(), options)
    scorer = scorer_of(evaluation, collection)
    rankings = evaluation.rankings
    configs = list(rescoring_configs(rankings.full_dim, rankings.configs))
    for text in options.chain:
        configs += [stage.config for stage in parse_chain(text).stages[1:]]
    return rank_directly(candidates, list(dict.fromkeys(configs)), scorer)


def _tiers_values(tiers: Tiers) -> dict[str, object]:
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


def _plan_values(
    plan: Plan,
    rankings: Rankings,
    *,
    own: Sequence[Tiers] = (),
    held_out: Tiers | None = None,
) -> dict[str, object]:
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
        "chosen": None if plan.chosen is None else _tiers_values(plan.chosen),
        "chosen_held_out_recall": None if held_out is None else held_out.recall,
        "runner_up": None if plan.runner_up is None else _tiers_values(plan.runner_up),
        "own": [_tiers_values(tiers) for tiers in own],
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


def _plan_text(
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
    lines.append(_first_stages(plan, rankings).rstrip())
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


def _ratio_text(full: Need, need: Need) -> str:
    """Write how much less RAM a chain needs, and how much less it reads."""
    return (
        f"RAM {byte_text(need.ram)} ({times_text(full.ram / need.ram)} less), disk "
        f"{byte_text(need.disk)}, reads {byte_text(need.bytes_read)} a query "
        f"({times_text(full.bytes_read / need.bytes_read)} less), "
        f"{need.disk_reads:.0f} vectors from disk"
    )


def _chain_lines(title: str, tiers: Tiers, full: Need, rankings: Rankings) -> list[str]:
    judged = "" if tiers.ndcg is None else f", nDCG@{tiers.chain.k} {tiers.ndcg:.3f}"
    lines = [
        f"{title}{tiers.chain}",
        f"  recall@{tiers.chain.k} {tiers.recall:.3f} ({tiers.low:.3f}-{tiers.high:.3f}){judged}",
        f"  {_ratio_text(full, tiers.need)}",
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


def _first_stages(plan: Plan, rankings: Rankings) -> str:
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
    return align(rows, left={0})
