"""What the commands share that may send texts to a hosted model."""

import argparse
import os

from mrl_explorer.data import Collection
from mrl_explorer.embed import (
    DEFAULT_CONCURRENCY,
    Connection,
    Told,
    estimate_sending,
    is_hosted,
    needs_model,
)
from mrl_explorer.errors import InputError


def add_connection(command: argparse.ArgumentParser) -> None:
    """Add the options of a hosted model."""
    add = command.add_argument
    add(
        "--key-from",
        metavar="VARIABLE",
        help="environment variable that holds the key of a hosted model (default: the one that the "
        "provider's own client reads, for the provider's own address)",
    )
    add(
        "--concurrency",
        type=int,
        default=DEFAULT_CONCURRENCY,
        metavar="N",
        help=f"requests to a hosted model at once (default: {DEFAULT_CONCURRENCY})",
    )


def connection_of(options: argparse.Namespace, *, confirmed: bool) -> Connection:
    """Read how a hosted model is to be reached.

    Raises
    ------
    InputError
        If the variable is not set, or there would be no requests.
    """
    if options.concurrency < 1:
        raise InputError(f"--concurrency {options.concurrency} sends nothing: choose 1 or more.")
    key = None
    if options.key_from is not None:
        key = os.environ.get(options.key_from)
        if not key:
            # A key given by mistake instead of a name is not repeated.
            raise InputError(
                "--key-from names no environment variable that is set: give the name of the "
                "variable that holds the key, not the key."
            )
    return Connection(key, trusted=True, confirmed=confirmed, concurrency=options.concurrency)


def check_confirmed(
    model: str | None,
    collection: Collection,
    told: Told,
    *,
    price: float | None,
    confirmed: bool,
) -> None:
    """Stop before texts are sent, unless that was agreed to.

    Raises
    ------
    InputError
        That says what would be sent, and what it costs.
    """
    if confirmed or model is None or not is_hosted(model) or not needs_model(collection):
        return
    estimate = estimate_sending(model, collection, told, price=price)
    if estimate.n_texts:
        raise InputError(f"Nothing was sent yet. {estimate.sentence} Add --yes to send them.")
