"""The command line: the same evaluation without a browser."""

import argparse
import os
import sys
from collections.abc import Sequence

from mrl_explorer.cli import adapt, cache, check_dims, evaluate, models, recommend, tiers, train
from mrl_explorer.errors import InputError

EXIT_INPUT_ERROR = 2
EXIT_BROKEN_PIPE = 141
"""What a shell reports of a program that the signal SIGPIPE has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status.

    0 is success; 2 means that the input has to be put right, which one sentence on standard error
    explains; 3 that nothing meets the constraints, or that what was trained is no better.
    """
    options = _parser().parse_args(arguments)
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough, as `head` has; flushing at exit must find another place.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_INPUT_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. What was embedded so far is kept for the next run.\n")
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mrl_explorer", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    evaluate.add_command(commands)
    recommend.add_command(commands)
    tiers.add_command(commands)
    adapt.add_command(commands)
    train.add_command(commands)
    models.add_command(commands)
    check_dims.add_command(commands)
    cache.add_command(commands)
    return parser
