"""`recommend`: name the cheapest configuration that holds, from a saved evaluation."""

import argparse
import sys
from pathlib import Path

from mrl_explorer.cli.output import align, check_target, integers, names, write_json
from mrl_explorer.decide.cost import DISK_PRICE, RAM_PRICE, Production
from mrl_explorer.decide.diagnosis import Worth, worth_tuning
from mrl_explorer.decide.engines import ENGINES, read_setting
from mrl_explorer.decide.options import list_options
from mrl_explorer.decide.recommendation import Choice, Constraints, Recommendation, recommend
from mrl_explorer.report.engines import engine_notes
from mrl_explorer.report.formats import byte_text, money_text, share_text
from mrl_explorer.report.verdicts import choice_name, verdict, worth_text
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.evaluation_file import load_evaluation

EXIT_NOTHING_HOLDS = 3


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `recommend` to the commands."""
    command = commands.add_parser(
        "recommend", help="name the cheapest configuration that meets your constraints"
    )
    command.set_defaults(run=_recommend)
    add = command.add_argument
    add("evaluation", type=Path, metavar="EVALUATION", help="a file that `evaluate --save` wrote")
    add("-k", "--k", type=int, default=10, help="results that count (default: 10)")
    quality = command.add_argument_group("what must hold")
    quality.add_argument(
        "--min-recall",
        type=float,
        metavar="SHARE",
        help="recall@k against full dimension, at least (default: .95, unless --min-ndcg-kept)",
    )
    quality.add_argument(
        "--min-ndcg-kept",
        type=float,
        metavar="SHARE",
        help="share of full dimension's nDCG@k, at least; needs judgements",
    )
    quality.add_argument(
        "--on-mean",
        action="store_true",
        help="ask it of the mean, and not of the lower end of the 95%% interval that allows for "
        "the choice among all configurations",
    )
    limits = command.add_argument_group("what may be used")
    for name, unit, what in (
        ("bytes-per-vector", "BYTES", "bytes of one stored code"),
        ("ram-gb", "GB", "RAM (1 GB = 10^9 bytes)"),
        ("disk-gb", "GB", "disk"),
        ("cost", "DOLLARS", "US dollars a month"),
    ):
        limits.add_argument(f"--max-{name}", type=float, metavar=unit, help=f"{what}, at most")
    limits.add_argument("--dims", type=integers, metavar="64,128", help="only these dims")
    limits.add_argument(
        "--quantizations", type=names, metavar="float32,int8", help="only these quantizations"
    )
    limits.add_argument("--basis", type=names, metavar="native,pca", help="only these bases")
    limits.add_argument(
        "--rescore",
        action="store_true",
        help="candidates may be re-ordered by a full-dimension copy kept on disk",
    )
    running = command.add_argument_group("what it will run on")
    running.add_argument(
        "--n-vectors", type=float, default=1e7, metavar="N", help="vectors (default: 1e7)"
    )
    running.add_argument("--replicas", type=int, default=1, help="copies that serve (default: 1)")
    running.add_argument(
        "--engine",
        metavar="NAME",
        help=f"only what it stores, and its memory: {', '.join(ENGINES)} (default: an HNSW graph "
        "as usearch's, with codes of any kind)",
    )
    running.add_argument(
        "--engine-parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter that changes its memory; may be given more than once. "
        + "; ".join(
            f"{name}: "
            + ", ".join(
                f"{parameter} (default: {one.default})"
                for parameter, one in engine.parameters.items()
            )
            for name, engine in ENGINES.items()
            if engine.parameters
        ),
    )
    running.add_argument(
        "--ram-price",
        type=float,
        default=RAM_PRICE,
        metavar="DOLLARS",
        help=f"per GB of RAM and month (default: {RAM_PRICE}, as "
        "huggingface.co/blog/embedding-quantization reckoned in March 2024)",
    )
    running.add_argument(
        "--disk-price",
        type=float,
        default=DISK_PRICE,
        metavar="DOLLARS",
        help=f"per GB of disk and month (default: {DISK_PRICE}, AWS EBS gp3 in us-east-1 by "
        "aws.amazon.com/ebs/pricing, as of early 2026)",
    )
    add("--json", metavar="FILE", help="write the recommendation as JSON; - for standard output")


def _recommend(options: argparse.Namespace) -> int:
    check_target(options.json)
    min_recall = options.min_recall
    if min_recall is None and options.min_ndcg_kept is None:
        min_recall = Constraints().min_recall
    constraints = Constraints(
        min_recall=min_recall,
        min_ndcg_kept=options.min_ndcg_kept,
        on_mean=options.on_mean,
        max_bytes_per_vector=options.max_bytes_per_vector,
        max_ram=_bytes(options.max_ram_gb),
        max_disk=_bytes(options.max_disk_gb),
        max_cost=options.max_cost,
        dims=options.dims,
        quantizations=options.quantizations,
        bases=options.basis,
        rescore=options.rescore,
    )
    production = Production(
        options.n_vectors,
        options.replicas,
        options.ram_price,
        options.disk_price,
        options.engine,
        tuple(map(read_setting, options.engine_parameter)),
    )
    evaluation = load_evaluation(options.evaluation)
    listed = list_options(evaluation, options.k)
    found = recommend(listed, constraints, production=production)
    sys.stderr.write(_missing(constraints, evaluation))
    worth = worth_tuning(evaluation, options.k)
    if options.json is not None:
        write_json(_figures(found, evaluation, worth), options.json)
    if options.json != "-":
        sys.stdout.write(_worth(evaluation, worth) + _text(found))
    return EXIT_NOTHING_HOLDS if found.choice is None else 0


def _missing(constraints: Constraints, evaluation: Evaluation) -> str:
    """Say which names were asked for in vain; empty where the run has them all."""
    configs = evaluation.rankings.configs
    missing = [
        f"{what} {', '.join(map(str, absent))}"
        for what, wanted, there in (
            ("dims", constraints.dims, {config.dim for config in configs}),
            ("quantizations", constraints.quantizations, {c.quantization for c in configs}),
            ("bases", constraints.bases, {config.basis for config in configs}),
        )
        if (absent := [name for name in wanted or () if name not in there])
    ]
    if not missing:
        return ""
    return (
        f"Note: the run has no {', no '.join(missing)}: what is recommended is among the others "
        "that you name; evaluate with these to compare them.\n"
    )


def _bytes(gigabytes: float | None) -> float | None:
    return None if gigabytes is None else gigabytes * 1e9


_FAILED_SHOWN = 20


def _worth(evaluation: Evaluation, worth: Worth) -> str:
    """Say first what no setting fixes, with the first of these queries."""
    text = worth_text(worth)
    if not text:
        return ""
    ids = [evaluation.queries.ids[row] for row in worth.failed[:_FAILED_SHOWN]]
    more = ", ..." if len(worth.failed) > _FAILED_SHOWN else ""
    named = f" Queries: {', '.join(ids)}{more}." if ids else ""
    return f"{text}{named}\n\n"


def _figures(found: Recommendation, evaluation: Evaluation, worth: Worth) -> dict[str, object]:
    """Give the choice, flat, and the options beside it; `dim` is null when nothing holds."""
    return {
        **_option(found.choice),
        "failed_at_full_dimension": [evaluation.queries.ids[row] for row in worth.failed],
        "recipe": verdict(found).recipe,
        "sentence": verdict(found).sentence,
        "baseline": _option(found.baseline),
        "runner_up": _option(found.runner_up) if found.runner_up else None,
        "next_cheaper": _option(found.cheaper) if found.cheaper else None,
        "notes": [*verdict(found).beside, *engine_notes(found)],
    }


def _option(choice: Choice | None) -> dict[str, object]:
    if choice is None:
        return dict.fromkeys(_FIELDS)
    values = (
        choice.config.dim,
        choice.config.quantization,
        choice.config.basis,
        choice.cutoff.k,
        choice.cutoff.oversample if choice.cutoff.rescore else None,
        choice.recall,
        choice.recall_low,
        choice.recall_high,
        choice.joint_low,
        choice.held_out,
        choice.ndcg_kept,
        choice.ndcg_kept_low,
        choice.config.bytes_per_vector,
        choice.need.ram,
        choice.need.disk,
        choice.need.cost,
    )
    return dict(zip(_FIELDS, values, strict=True))


_FIELDS = (
    "dim",
    "quantization",
    "basis",
    "k",
    "oversample",
    "recall",
    "recall_low",
    "recall_high",
    "recall_joint_low",
    "held_out",
    "ndcg_kept",
    "ndcg_kept_low",
    "bytes_per_vector",
    "ram_bytes",
    "disk_bytes",
    "cost_per_month",
)


def _text(found: Recommendation) -> str:
    """Lay the recommendation out for a terminal."""
    said = verdict(found)
    asked = found.constraints.min_ndcg_kept is not None
    measures = ["recall", "95% interval", "lower end", *(["nDCG kept", "its low"] if asked else [])]
    lines = [["", "option", *measures, "bytes", "RAM", "disk", "month"]]
    for name, choice in (
        ("recommended", found.choice),
        ("runner-up", found.runner_up),
        ("next cheaper, fails", found.cheaper),
        ("full dimension", found.baseline),
    ):
        if choice is not None:
            lines.append(
                [
                    name,
                    choice_name(choice),
                    share_text(choice.recall),
                    f"{share_text(choice.recall_low)}-{share_text(choice.recall_high)}",
                    share_text(choice.joint_low),
                    *(
                        share_text(share)
                        for share in (choice.ndcg_kept, choice.ndcg_kept_low)
                        if share is not None
                    ),
                    f"{choice.config.bytes_per_vector:,}",
                    byte_text(choice.need.ram),
                    byte_text(choice.need.disk),
                    money_text(choice.need.cost),
                ]
            )
    beside = "".join(f"{sentence}\n" for sentence in (*said.beside, *engine_notes(found)))
    recipe = f"{said.recipe}\n" if said.recipe else ""
    return f"{said.title}.\n{recipe}{said.sentence}\n\n{align(lines, left={0, 1})}\n{beside}"
