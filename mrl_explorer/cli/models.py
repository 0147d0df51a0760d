"""`models`: list the known embedding models."""

import argparse
import sys

from mrl_explorer.cli.output import align
from mrl_explorer.embed import REGISTRY
from mrl_explorer.errors import InputError


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `models` to the commands."""
    command = commands.add_parser("models", help="list the known embedding models")
    command.set_defaults(run=_models)
    command.add_argument("word", nargs="?", default="", help="only those with this in a cell")


def _models(options: argparse.Namespace) -> int:
    """List the registry, a model a line."""
    heads = ["model", "access", "full dim", "Matryoshka", "dims", "max tokens", "prompts"]
    lines = []
    for entry in REGISTRY.values():
        row = entry.as_dict()
        cells = ["-" if row[head] in (None, "") else str(row[head]) for head in heads]
        if any(options.word.lower() in cell.lower() for cell in cells):
            lines.append(cells)
    if not lines:
        raise InputError(f"No known model has '{options.word}' in it: `models` lists them all.")
    sys.stdout.write(align([heads, *lines], left={0, 1, 3, 4, 6}))
    return 0
