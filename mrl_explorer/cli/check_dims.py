"""`check-dims`: whether one download at full dimension serves every dimension of a provider."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from mrl_explorer.cli.bar import Bar
from mrl_explorer.cli.output import align, check_target, integers, write_json
from mrl_explorer.cli.sending import add_connection, connection_of
from mrl_explorer.data import passages, read_records
from mrl_explorer.embed import check_dims


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `check-dims` to the commands."""
    command = commands.add_parser(
        "check-dims",
        help="tell whether a hosted model cuts vectors as is done here",
        description="Sends up to 16 texts to a hosted model, at full dimension and once for each "
        "dim, and compares what it returns with its full vectors cut and normalised here.",
    )
    command.set_defaults(run=_check_dims)
    add = command.add_argument
    add("model", help="for example openai:text-embedding-3-small, or openai:MODEL@https://host/v1")
    add("--corpus", required=True, type=Path, metavar="PATH", help="a table or file of texts")
    add("--dims", type=integers, metavar="256,512", help="dims to compare (default: those known)")
    add("--json", metavar="FILE", help="write the figures as JSON; - for standard output")
    add_connection(command)


def _check_dims(options: argparse.Namespace) -> int:
    """Compare a provider's cuts with local ones."""
    check_target(options.json)
    connection = connection_of(options, confirmed=True)
    with Bar() as bar:
        check = check_dims(
            options.model,
            passages(read_records(options.corpus)),
            dims=options.dims,
            connection=connection,
            on_progress=bar.show,
        )
    if options.json is not None:
        write_json(asdict(check), options.json)
    if options.json != "-":
        lines = [["dim", "least cosine", "length 1"]]
        for cut in check.cuts:
            lines.append(
                [str(cut.dim), f"{cut.least_cosine:.6f}", "yes" if cut.unit_length else "no"]
            )
        sys.stdout.write(f"{align(lines, left={2})}{check.verdict}\n")
    return 0
