"""What the commands share that may send texts to a hosted model."""

import argparse
import os

from mrl_explorer.data import Collection
from mrl_explorer.embed import (
    DEFAULT_CONCURRENCY,
    Connection,
    DataSource,
    Origin,
    Told,
    check_client,
    estimate_sending,
    needs_model,
    parse_hosted,
)
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, silent


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


def add_agreement(command: argparse.ArgumentParser) -> None:
    """Add the options of a hosted model that embeds a whole collection."""
    command.add_argument(
        "--yes",
        action="store_true",
        help="send texts to a hosted model; without it, what would be sent is only said",
    )
    command.add_argument(
        "--price",
        type=float,
        metavar="DOLLARS",
        help="what a hosted model costs for a million tokens, where it is not the known price",
    )
    add_connection(command)


def embed_as_agreed(
    source: DataSource,
    collection: Collection,
    options: argparse.Namespace,
    on_progress: OnProgress = silent,
) -> tuple[Collection, Origin]:
    """Embed a collection that was read, after what a hosted model is sent was agreed to.

    Raises
    ------
    InputError
        If it was not, which says what would be sent and what it costs; or as `DataSource.embed`.
    """
    connection = connection_of(options, confirmed=options.yes)
    hosted = None if source.model is None else parse_hosted(source.model)
    if hosted is not None and needs_model(collection) and not options.yes:
        told = Told(source.query_prompt, source.document_prompt)
        estimate = estimate_sending(str(source.model), collection, told, price=options.price)
        if estimate.n_texts:
            check_client(hosted)
            raise InputError(f"Nothing was sent yet. {estimate.sentence} Add --yes to send them.")
    return source.embed(collection, on_progress, connection)
