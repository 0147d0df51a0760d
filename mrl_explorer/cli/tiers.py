"""The command `tiers`: plans a chain of stages from an evaluation file."""

import argparse
import sys
from pathlib import Path

from mrl_explorer.cli.output import names, write_json
from mrl_explorer.decide.funnels import Aim, Tiers, describe, held_out_tiers, plan
from mrl_explorer.decide.needs import rescoring_configs
from mrl_explorer.embed import DataSource
from mrl_explorer.errors import InputError
from mrl_explorer.report.tiers import plan_text, plan_values
from mrl_explorer.retrieval.candidates import (
    Candidates,
    gather_candidates,
    rank_directly,
    scorer_of,
)
from mrl_explorer.retrieval.chains import parse_chain
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.evaluation_file import load_evaluation


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
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
        write_json(plan_values(found, rankings, own=own, held_out=held_out), options.json)
    if options.json != "-":
        sys.stdout.write(plan_text(found, rankings, own=own, held_out=held_out))
    return 0


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
    scorer = scorer_of(evaluation, source.embedded())
    rankings = evaluation.rankings
    configs = list(rescoring_configs(rankings.full_dim, rankings.configs))
    for text in options.chain:
        configs += [stage.config for stage in parse_chain(text).stages[1:]]
    return rank_directly(candidates, list(dict.fromkeys(configs)), scorer)
