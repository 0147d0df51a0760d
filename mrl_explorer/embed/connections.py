"""How hosted models are reached: keys, what was agreed to, requests at once."""

import os
from dataclasses import dataclass, field

from mrl_explorer.embed.hosted_names import HostedName
from mrl_explorer.errors import InputError

ALLOW_ENDPOINTS = "MRL_EXPLORER_ALLOW_ENDPOINTS"
"""Environment variable in which the server's owner lists endpoints in the server's own network.

Addresses such as http://localhost:11434, separated by commas: whoever uses the page may then name
any path there. There is no word for all of them."""

UNASKED = 8
"""Texts that are sent without having been confirmed: a typed query, three texts to check a model.

More than that has to be confirmed, since it may cost money and gives texts away."""

DEFAULT_CONCURRENCY = 8
"""Requests at once."""

_RETRIES = 5
"""Tries after the first, each after twice the time of the one before: 0.5 to 8 seconds."""

_SECONDS = 120.0
"""How long a server may take for one answer."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How hosted models are reached, and what was agreed to.

    Attributes
    ----------
    key : str or None
        Given by the user; None takes the one in the environment, which goes to the provider's own
        address only. It is in no name, fingerprint, file or message.
    trusted : bool
        Whether the user may name endpoints in this machine's own network, as on a terminal.
    confirmed : bool
        Whether sending the texts was agreed to.
    concurrency : int
        Requests at once.
    retries : int
        Tries after the first, when the provider is busy or fails.
    seconds : float
        How long an answer may take.
    """

    key: str | None = field(default=None, repr=False)
    trusted: bool = False
    confirmed: bool = False
    concurrency: int = DEFAULT_CONCURRENCY
    retries: int = _RETRIES
    seconds: float = _SECONDS


def key_variable(hosted: HostedName) -> str | None:
    """Name the environment variable that holds the key for a model; None if none may be used.

    An address that the user gave is never sent a key that is not the user's.
    """
    if hosted.endpoint is not None:
        return None
    return next((name for name in hosted.provider.key_variables if os.environ.get(name)), None)


def needs_key(hosted: HostedName) -> bool:
    """Tell whether a model cannot do without a key; servers of one's own often want none."""
    return hosted.endpoint is None and hosted.url == hosted.provider.url


def find_key(hosted: HostedName, connection: Connection) -> str | None:
    """Give the key to send.

    Raises
    ------
    InputError
        If there is none and the provider wants one, or no header can hold it.
    """
    key = (connection.key or "").strip()
    if not key and (variable := key_variable(hosted)):
        key = os.environ[variable].strip()
    if not key:
        if needs_key(hosted):
            raise InputError(
                f"{hosted.provider.title} wants a key: set {hosted.provider.key_variables[0]} in "
                "the environment, or give a key beside the model."
            )
        return None
    # What the client says of a header that it cannot send would show the key.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError("The key holds spaces or characters that no key has: copy it again.")
    return key
