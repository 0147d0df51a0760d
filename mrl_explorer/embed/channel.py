"""The HTTP client under every provider's library: keys, tries, failures, hosts it may reach."""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx2
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from mrl_explorer.embed.connections import ALLOW_ENDPOINTS
from mrl_explorer.embed.failures import (
    BrokenError,
    ForbiddenError,
    LateError,
    RefusedError,
    UnreachableError,
)

CONNECT_SECONDS = 10.0

LONGEST_WAIT = 60.0
"""Seconds: who is asked to wait for longer is told so instead."""

MOST_BYTES = 2**27
"""Of one answer from an address that was typed on a page: 128 texts in JSON take some 10 MB."""

# What a provider needs of a request. The libraries add what they find in the environment
# (OPENAI_CUSTOM_HEADERS, OPENAI_ORG_ID, ...) and describe the machine: no business of others.
_SENT_HEADERS = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "user-agent",
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_allowed_endpoint(url: str) -> bool:
    """Tell whether the server's owner lists an endpoint, whatever its path."""
    listed = os.environ.get(ALLOW_ENDPOINTS, "").split(",")
    return _origin(url) in {_origin(entry.strip()) for entry in listed if entry.strip()}


def _origin(url: str) -> tuple[str, str, int | None]:
    """Give scheme, host and port; of what is no address, one that no address has."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ("", url, None)
    return parts.scheme, (parts.hostname or url).rstrip("."), port


def is_public(address: str) -> bool:
    """Tell whether an IP address is of the internet and not of a network of one's own.

    IPv4 addresses inside IPv6 ones (mapped, 6to4, Teredo, NAT64) are taken out first.
    """
    # A zone (%eth0) belongs to a link, and so is not of the internet.
    if "%" in address:
        return False
    return all(_is_global(ip) for ip in _unwrapped(ipaddress.ip_address(address)))


def _unwrapped(ip: _Address) -> list[_Address]:
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    inner: list[_Address] = [ip for ip in (ip.ipv4_mapped, ip.sixtofour) if ip is not None]
    if ip.teredo is not None:
        inner.extend(ip.teredo)
    if ip in _NAT64:
        inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return inner or [ip]


def _is_global(ip: _Address) -> bool:
    # Python calls multicast global; an API is not there. The deprecated site-local addresses and
    # those that only contain an IPv4 address are no longer anyone's.
    return (
        ip.is_global
        and not ip.is_multicast
        and not (isinstance(ip, ipaddress.IPv6Address) and (ip.is_site_local or int(ip) < 2**32))
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Load the certificates of the machine once: it takes longer than many a request."""
    return httpx2.create_ssl_context()


class PublicTransport(httpx2.AsyncBaseTransport):
    """Connects to hosts of the internet only.

    A name is looked up once, all its addresses are checked, and the connection goes to one of
    these: a name that leads elsewhere at a second look leads nowhere. The certificate is still
    checked against the name. Proxies in the environment are not used, since they would look up the
    name themselves.
    """

    def __init__(self, *, max_connections: int) -> None:
        self._inner = httpx2.AsyncHTTPTransport(
            verify=_certificates(),
            trust_env=False,
            limits=httpx2.Limits(max_connections=max_connections),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to an address that was checked."""
        url = request.url
        if url.scheme != "https":
            raise ForbiddenError("it is not encrypted (http)")
        addresses = await self._look_up(url.host, url.port or 443)
        if not all(map(is_public, addresses)):
            raise ForbiddenError("it is in the server's own network")
        failure: httpx2.ConnectError | None = None
        for address in addresses:
            # The header Host was set from the name already.
            request.url = url.copy_with(host=address)
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            # A small answer could be unpacked to a large one.
            request.headers["accept-encoding"] = "identity"
            try:
                return _limited(await self._inner.handle_async_request(request))
            except httpx2.ConnectError as error:
                failure = error
            finally:
                request.url = url
        raise failure or UnreachableError("its name has no address")

    async def _look_up(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError(f"its name is not known: {error}") from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


def _limited(response: httpx2.Response) -> httpx2.Response:
    """Have an answer end in an error where it is packed, or too long for this machine's memory."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise UnreachableError("its answer is packed, which was not asked for")
    stream = response.stream
    if isinstance(stream, httpx2.AsyncByteStream):
        response.stream = _Limited(stream)
    return response


class _Limited(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        n_bytes = 0
        async for part in self._stream:
            n_bytes += len(part)
            if n_bytes > MOST_BYTES:
                raise UnreachableError("its answer is too long")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class Channel(httpx2.AsyncClient):
    """Sends to one endpoint, tries again, never follows it elsewhere, and says what went wrong.

    Parameters
    ----------
    secrets : mapping
        Headers that hold the key.
    kept_headers : set of str
        Further headers, in lower case, that may leave this machine.
    public_only : bool
        Whether to refuse hosts in the machine's own network.
    seconds : float
        How long an answer may take.
    max_connections : int
        Connections at once.
    retries : int
        Tries after the first, when the endpoint is busy or fails.
    """

    def __init__(
        self,
        *,
        secrets: Mapping[str, str],
        kept_headers: frozenset[str],
        public_only: bool,
        seconds: float,
        max_connections: int,
        retries: int,
    ) -> None:
        super().__init__(
            verify=_certificates(),
            transport=PublicTransport(max_connections=max_connections) if public_only else None,
            limits=httpx2.Limits(max_connections=max_connections),
            follow_redirects=False,
        )
        self._secrets = secrets
        self._kept = _SENT_HEADERS | kept_headers
        self._seconds = httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)).as_dict()
        self._retries = retries
        self._answered = False

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:  # noqa: ANN401
        """Send a request with the key, and without what is no business of the endpoint's.

        Raises
        ------
        SendError
            If no try of it was answered as it should be.
        """
        for name in [name for name in request.headers if name.lower() not in self._kept]:
            del request.headers[name]
        request.headers.update(self._secrets)
        # Each library has a time of its own.
        request.extensions = {**request.extensions, "timeout": self._seconds}
        tries = AsyncRetrying(
            stop=stop_after_attempt(self._retries + 1),
            retry=retry_if_exception(_passes),
            wait=_wait,
            reraise=True,
        )
        return await tries(self._try, request)

    async def _try(self, request: httpx2.Request) -> httpx2.Response:
        try:
            # Without auth=None credentials of ~/.netrc would go along.
            response = await super().send(request, auth=None, follow_redirects=False)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            # What was there a moment ago is worth another try.
            failure = BrokenError if self._answered else UnreachableError
            raise failure(str(error) or type(error).__name__) from error
        except httpx2.TimeoutException as error:
            raise LateError(type(error).__name__) from error
        except httpx2.RequestError as error:
            raise BrokenError(type(error).__name__) from error
        self._answered = True
        if not response.is_success:
            raise RefusedError(response.status_code, response.text, _named_wait(response.headers))
        return response


def _passes(failure: BaseException) -> bool:
    """Tell whether a failure may be over at the next try."""
    if isinstance(failure, RefusedError):
        busy = failure.status in (408, 409, 429) or failure.status >= 500
        return busy and (failure.wait or 0.0) <= LONGEST_WAIT
    return isinstance(failure, BrokenError | LateError)


_back_off = wait_exponential_jitter(initial=0.5, max=8.0, jitter=0.5)


def _wait(state: RetryCallState) -> float:
    """Give the seconds before the next try: what the endpoint names, or longer each time."""
    failure = state.outcome.exception() if state.outcome else None
    named = failure.wait if isinstance(failure, RefusedError) else None
    return named or _back_off(state)


def _named_wait(headers: httpx2.Headers) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "")
    try:
        if value.strip().isdigit():
            return float(value)
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
