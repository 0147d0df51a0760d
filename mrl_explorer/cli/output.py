"""What the commands share: lists on the command line, JSON, columns for a terminal."""

import argparse
import json
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from mrl_explorer.errors import InputError


def integers(text: str) -> tuple[int, ...]:
    """Read '64,128'."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no list of whole numbers: write for example 64,128"
        ) from None


def names(text: str) -> tuple[str, ...]:
    """Read 'float32,int8'."""
    return tuple(part.strip() for part in text.split(","))


def check_target(target: str | Path | None) -> None:
    """Refuse a file whose folder is not there.

    Raises
    ------
    InputError
        If the folder does not exist.
    """
    if target not in (None, "-") and not Path(str(target)).absolute().parent.is_dir():
        raise InputError(
            f"{target} cannot be written (its folder does not exist): make the folder first."
        )


def write_json(values: dict[str, object], target: str) -> None:
    """Write values to a file, or to standard output for '-'.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    text = json.dumps(values, indent=1)
    if target == "-":
        sys.stdout.write(text + "\n")
        return
    try:
        Path(target).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{target} cannot be written ({error.strerror}): choose a folder you may write to."
        ) from error


def align(lines: Sequence[Sequence[str]], *, left: Collection[int]) -> str:
    """Lay cells out in columns, those of `left` to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        + "\n"
        for line in lines
    )


def loss_line(step: int, dims: Sequence[int], losses: np.ndarray) -> str:
    """Write the loss of each dim at a step of a training: 'step 20: 64d 0.512, 128d 0.231'."""
    each = (f"{dim}d {loss:.3f}" for dim, loss in zip(dims, losses, strict=True))
    return f"step {step}: {', '.join(each)}"
