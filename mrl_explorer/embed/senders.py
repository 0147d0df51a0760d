"""The providers' client libraries: each writes the request and reads the answer of its provider.

All of them send through one `Channel`, which has the key, tries again, and says what went wrong.
They are imported only when something is sent: each takes up to a second.
"""

# ruff: noqa: PLC0415

import importlib.util
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mrl_explorer.embed.failures import MALFORMED, UnreadableError
from mrl_explorer.embed.hosted_names import HostedName
from mrl_explorer.errors import InputError

if TYPE_CHECKING:
    from mrl_explorer.embed.channel import Channel

Reading = Callable[[], Sequence[Any]]
"""Gives the vectors of an answer, in the order of the texts: numbers, or base64 of float32.

Called when there is time: reading may take longer than sending the next request. Of an answer that
is not as it should be, it ends in one of `MALFORMED`."""

Ask = Callable[[list[str]], Awaitable[Reading]]
"""Sends texts; raises a `SendError`."""

_KEY = "in the channel"


def check_client(hosted: HostedName) -> None:
    """Make sure that the client library of a model's provider is installed.

    Raises
    ------
    InputError
        If it is not.
    """
    try:
        found = importlib.util.find_spec(hosted.provider.client)
    except ModuleNotFoundError:
        # Of the package that the module is in.
        found = None
    if found is None:
        raise InputError(
            f"{hosted.provider.title} is asked by its own client library, which is not installed: "
            "run `pip install -r requirements-providers.txt`, or choose another model."
        )


def open_sender(hosted: HostedName, channel: "Channel", parameters: Mapping[str, Any]) -> Ask:
    """Give the function that asks a model for vectors.

    Parameters
    ----------
    hosted : HostedName
        Which model.
    channel : Channel
        By which to send.
    parameters : mapping
        As `Provider.parameters` gives them.
    """
    return _SENDERS[hosted.provider.client](hosted, channel, parameters)


def _openai(hosted: HostedName, channel: "Channel", parameters: Mapping[str, Any]) -> Ask:
    import httpx2
    import jiter
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=_KEY, base_url=hosted.url, max_retries=0, http_client=channel)

    async def ask(texts: list[str]) -> Reading:
        # Not `embeddings.create`: it reads vectors one number at a time, and at once.
        body = {"model": hosted.model, "input": texts, **parameters}
        answer = await client.post("/embeddings", cast_to=httpx2.Response, body=body)
        # What openai reads JSON with: numbers in a fifth of the time of Python's own.
        return lambda: _in_order(jiter.from_json(answer.content)["data"])

    return ask


def _in_order(items: list[dict[str, Any]]) -> list[Any]:
    if all("index" in item for item in items):
        items = sorted(items, key=lambda item: item["index"])
    return [item["embedding"] for item in items]


def _cohere(hosted: HostedName, channel: "Channel", parameters: Mapping[str, Any]) -> Ask:
    from cohere import AsyncClientV2
    from cohere.core.api_error import ApiError

    sending: Any = channel  # httpx2's client is that of httpx by another name
    client = AsyncClientV2(_KEY, base_url=_base(hosted), max_retries=0, httpx_client=sending)

    async def ask(texts: list[str]) -> Reading:
        try:
            answer: Any = await client.embed(model=hosted.model, texts=texts, **parameters)
        except (ApiError, *MALFORMED) as error:
            raise UnreadableError from error
        return lambda: list(answer.embeddings.base64)

    return ask


def _google(hosted: HostedName, channel: "Channel", parameters: Mapping[str, Any]) -> Ask:
    from google.genai import Client
    from google.genai.types import Content, EmbedContentConfig, HttpOptions, Part

    version = hosted.provider.url_suffix.strip("/")
    options = HttpOptions(base_url=_base(hosted), api_version=version, httpx_async_client=channel)
    models = Client(api_key=_KEY, vertexai=False, http_options=options).aio.models
    config = EmbedContentConfig.model_validate(parameters)

    async def ask(texts: list[str]) -> Reading:
        # Plain strings would be taken for the parts of one text by some models.
        contents: Any = [Content(parts=[Part(text=text)]) for text in texts]
        try:
            answer: Any = await models.embed_content(
                model=hosted.model, contents=contents, config=config
            )
        except MALFORMED as error:
            raise UnreadableError from error
        return lambda: [item.values for item in answer.embeddings]

    return ask


def _mistral(hosted: HostedName, channel: "Channel", parameters: Mapping[str, Any]) -> Ask:
    from mistralai.client import Mistral
    from mistralai.client.errors import MistralError

    client = Mistral(api_key=_KEY, server_url=_base(hosted), async_client=channel)

    async def ask(texts: list[str]) -> Reading:
        try:
            answer: Any = await client.embeddings.create_async(
                model=hosted.model, inputs=texts, **parameters
            )
        except (MistralError, *MALFORMED) as error:
            raise UnreadableError from error
        return lambda: [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]

    return ask


def _base(hosted: HostedName) -> str:
    """Give the address without the version, which the provider's own library adds."""
    return hosted.url.removesuffix(hosted.provider.url_suffix)


_SENDERS = {
    "openai": _openai,
    "cohere": _cohere,
    "google.genai": _google,
    "mistralai.client": _mistral,
}
