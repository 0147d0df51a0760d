"""What an endpoint answers: vectors, or a refusal that becomes one sentence."""

import binascii
import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from mrl_explorer.embed.connections import ALLOW_ENDPOINTS, Connection
from mrl_explorer.embed.failures import (
    MALFORMED,
    BrokenError,
    ForbiddenError,
    LateError,
    RefusedError,
    SendError,
    UnreachableError,
    UnreadableError,
)
from mrl_explorer.embed.hosted_names import HostedName
from mrl_explorer.embed.senders import Reading
from mrl_explorer.errors import InputError

# Refusals of what is too much, in the words of the providers and of common servers.
_TOO_MUCH = re.compile(
    r"token|too (long|large|many|big)|maximum|exceed|at most|batch|limit|length|size", re.IGNORECASE
)
# Google answers 400 where others answer 401.
_BAD_KEY = re.compile(r"api key not valid", re.IGNORECASE)
_KEPT = "what was embedded so far is kept"


def is_too_much(error: RefusedError) -> bool:
    """Tell whether a request was refused because its texts are too long or too many."""
    return error.status in (400, 413, 422) and bool(_TOO_MUCH.search(words(error)))


def failure(
    error: SendError, hosted: HostedName, connection: Connection, *, key: str | None
) -> str:
    """Say in one sentence what came of a request; the key is never in it."""
    host, tries = hosted.host, connection.retries + 1
    if isinstance(error, ForbiddenError):
        return (
            f"The endpoint {host} may not be used from this page, since {error}: its owner can "
            f"allow it in {ALLOW_ENDPOINTS}."
        )
    if isinstance(error, UnreachableError):
        return f"{host} cannot be reached ({error}): check the address and the network; {_KEPT}."
    if isinstance(error, LateError):
        return (
            f"{host} did not answer within {connection.seconds:g} seconds, tried {tries} times: "
            f"try again later, or with fewer requests at once; {_KEPT}."
        )
    if isinstance(error, BrokenError):
        return (
            f"The connection to {host} broke off ({error}), tried {tries} times: try again later; "
            f"{_KEPT}."
        )
    if isinstance(error, RefusedError):
        return _refusal(error, hosted, said=shown(words(error), key), tries=tries)
    return (
        f"{host} answers with something that is no list of vectors: check that the address is that "
        "of an embeddings API."
    )


def _refusal(error: RefusedError, hosted: HostedName, *, said: str, tries: int) -> str:
    host, status = hosted.host, error.status
    if status in (401, 403) or _BAD_KEY.search(said):
        # Providers repeat a part of the key here.
        return (
            f"{host} refuses the key ({status}): check that it is whole, not expired, and allowed "
            f"to use {hosted.model}."
        )
    if status == 404:
        return (
            f"{host} knows no model {hosted.model} at this address ({said}): check the model's id "
            "and the address."
        )
    if status == 429:
        until = "" if error.wait is None else f" for {error.wait:.0f} seconds"
        return (
            f"{host} asks to wait{until} ({said}): its limit of requests or of money is reached; "
            f"try again later, or with fewer requests at once; {_KEPT}."
        )
    if status >= 500:
        return f"{host} fails ({said}), tried {tries} times: try again later; {_KEPT}."
    if 300 <= status < 400:
        return (
            f"{host} sends on to another address, which is not followed: give the final address of "
            "the endpoint."
        )
    return f"{host} refuses the request for {hosted.model} ({said}): check model and dims."


def words(error: RefusedError) -> str:
    """Find the provider's own words in a refusal."""
    try:
        answer = json.loads(error.body)
    except (ValueError, RecursionError):
        return error.body[:2000] or str(error)
    for key in ("error", "message", "detail"):
        if isinstance(answer, dict) and key in answer:
            answer = answer[key]
    return answer if isinstance(answer, str) else json.dumps(answer)[:2000]


def shown(text: str, key: str | None) -> str:
    """Shorten what an endpoint said for the page, and take the key out of it."""
    # Some servers repeat the headers of the request.
    line = " ".join((text.replace(key, "***") if key else text).split())
    return line if len(line) <= 160 else f"{line[:160]}..."


def read_vectors(
    reading: Reading, hosted: HostedName, *, n_texts: int, dim: int | None
) -> npt.NDArray[np.float32]:
    """Take the vectors out of an answer.

    Returns
    -------
    (n_texts, dim) float32 array

    Raises
    ------
    UnreadableError
        If it holds something else.
    InputError
        If it holds too few of them, or vectors of other dims than `dim`.
    """
    try:
        vectors = [_vector(item) for item in reading()]
    except MALFORMED as error:
        raise UnreadableError from error
    if len(vectors) != n_texts:
        raise InputError(
            f"{hosted.host} returned {len(vectors):,} vectors for {n_texts:,} texts: nothing of "
            "this answer was used; try again, or choose another model."
        )
    expected = len(vectors[0]) if dim is None else dim
    wrong = next((len(vector) for vector in vectors if len(vector) != expected), None)
    if wrong is not None:
        raise InputError(
            f"{hosted.host} returned a vector of {wrong:,} dims where {expected:,} were expected: "
            f"check that {hosted.model} is one and the same model all the time, and the dims asked "
            "for."
        )
    return np.stack(vectors)


def _vector(item: Any) -> npt.NDArray[np.float32]:  # noqa: ANN401 - what JSON holds
    """Read a vector: numbers, or the base64 of little-endian float32."""
    if isinstance(item, str):
        try:
            # base64.b64decode checks by a regular expression first, which takes ten times as long.
            vector = np.frombuffer(binascii.a2b_base64(item, strict_mode=True), "<f4")
        except binascii.Error as error:
            raise ValueError(str(error)) from error
    else:
        vector = np.array(item, np.float32)
    if vector.ndim != 1 or not len(vector):
        raise ValueError("no vector")
    return vector.astype(np.float32, copy=False)
