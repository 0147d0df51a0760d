"""What an endpoint answers: vectors, or a refusal that becomes one sentence."""

import binascii
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mrl_explorer.embed.hosted_names import HostedName
from mrl_explorer.embed.providers import response_vectors
from mrl_explorer.errors import InputError

if TYPE_CHECKING:
    from openai import APIStatusError

# Refusals of what is too much, in the words of the providers and of common servers.
_TOO_MUCH = re.compile(
    r"token|too (long|large|many|big)|maximum|exceed|at most|batch|limit|length|size", re.IGNORECASE
)
_KEPT = "what was embedded so far is kept"


def is_too_much(error: "APIStatusError") -> bool:
    """Tell whether a request was refused because its texts are too long or too many."""
    return error.status_code in (400, 413, 422) and bool(_TOO_MUCH.search(words(error)))


def refusal(error: "APIStatusError", hosted: HostedName, *, key: str | None, tries: int) -> str:
    """Say in one sentence why a request was refused; the key is never in it."""
    host, status, said = hosted.host, error.status_code, shown(words(error), key)
    if status in (401, 403):
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
        wait = error.response.headers.get("retry-after", "")
        until = f" for {wait} seconds" if wait.isdigit() else ""
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


def words(error: "APIStatusError") -> str:
    """Find the provider's own words in a refusal."""
    try:
        answer = error.response.json()
    except ValueError:
        return error.response.text[:2000] or f"status {error.status_code}"
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
    content: bytes, hosted: HostedName, *, n_texts: int, dim: int | None
) -> npt.NDArray[np.float32]:
    """Take the vectors out of an answer.

    Returns
    -------
    (n_texts, dim) float32 array

    Raises
    ------
    InputError
        If it holds something else, too few of them, or vectors of other dims than `dim`.
    """
    try:
        vectors = [_vector(item) for item in response_vectors(hosted.provider, json.loads(content))]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise InputError(
            f"{hosted.host} answers with something that is no list of vectors: check that the "
            "address is that of an embeddings API."
        ) from None
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
