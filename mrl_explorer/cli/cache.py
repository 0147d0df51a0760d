"""`cache`: how large the cache is, or emptying it."""

import argparse
import sys

from mrl_explorer.embed import CACHE_KINDS, cache_dir, cache_limit, cache_usage, empty_cache
from mrl_explorer.report.formats import byte_text


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `cache` to the commands."""
    command = commands.add_parser(
        "cache", help="show how large the cache is, or empty it", description=_cache.__doc__
    )
    command.set_defaults(run=_cache)
    command.add_argument(
        "--empty",
        action="store_true",
        help="delete everything in it: the next runs embed and build anew, and links to runs on "
        "files of this machine no longer open",
    )


def _cache(options: argparse.Namespace) -> int:
    """Show what the cache holds and how much it may hold (MRL_EXPLORER_CACHE_GB)."""
    folder = cache_dir()
    if options.empty:
        sys.stdout.write(f"{byte_text(empty_cache(folder))} deleted from {folder}\n")
        return 0
    usage = cache_usage(folder)
    sizes = {kind: byte_text(n_bytes) for kind, n_bytes in usage.items()}
    lines = [f"{sizes[kind]:>8}  {kind}: {what}\n" for kind, what in CACHE_KINDS.items()]
    total, limit = byte_text(sum(usage.values())), byte_text(cache_limit())
    sys.stdout.write("".join(lines) + f"{total:>8}  of {limit} in {folder}\n")
    return 0
