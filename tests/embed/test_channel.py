"""Which hosts may be reached from a page, with names looked up in a table instead of the DNS."""

import asyncio
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl_explorer.embed import Connection, channel, load_model
from mrl_explorer.embed.channel import is_allowed_endpoint, is_public
from mrl_explorer.errors import InputError

from .servers import serve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_addresses_of_ones_own_network(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet(address):
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_no_more_public_inside_another(address):
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert is_public(f"64:ff9b::{int(address) >> 16:x}:{int(address) & 0xFFFF:x}") == is_public(
        str(address)
    )


def load(url, **options):
    return load_model(f"openai:m@{url}", None, Connection(retries=0, **options))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "10.1.1.1"],
)
def test_hosts_in_the_servers_own_network_are_refused(host):
    with serve() as (url, provider):
        port = url.rsplit(":", 1)[1]
        with pytest.raises(InputError, match="is in the server's own network") as caught:
            load(f"https://{host}:{port}")
        assert "MRL_EXPLORER_ALLOW_ENDPOINTS" in str(caught.value)
        assert provider.requests == []


def test_what_is_not_encrypted_is_refused():
    with pytest.raises(InputError, match=r"is not encrypted \(http\)"):
        load("http://8.8.8.8/v1")


@pytest.mark.parametrize(
    ("listed", "allowed"),
    [
        ("{origin}", True),
        ("https://other , {origin}/v1/", True),
        ("", False),
        ("*", False),
        ("http://127.0.0.1", False),
        ("https{rest}", False),
    ],
)
def test_the_owner_may_allow_an_endpoint(listed, allowed, monkeypatch):
    with serve() as (url, _):
        origin = url.removesuffix("/v1")
        listed = listed.format(origin=origin, rest=origin.removeprefix("http"))
        monkeypatch.setenv("MRL_EXPLORER_ALLOW_ENDPOINTS", listed)
        assert is_allowed_endpoint(url) == allowed
        if allowed:
            assert load(url).full_dim == 8
        else:
            with pytest.raises(InputError, match="may not be used from this page"):
                load(url)


class Names:
    """Looks names up in a table: each look gives the next of its answers."""

    def __init__(self, **answers):
        self.answers = answers
        self.looks = []

    async def getaddrinfo(self, loop, host, port, **options):
        self.looks.append(host)
        given = self.answers[host.partition(".")[0]]
        found = given.pop(0) if len(given) > 1 else given[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]


@pytest.fixture
def names(monkeypatch):
    table = Names()

    async def look_up(loop, host, port, **options):
        return await table.getaddrinfo(loop, host, port, **options)

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", look_up)
    return table


@pytest.mark.parametrize("found", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_leads_inside_is_refused(names, found):
    names.answers["evil"] = [found]
    with pytest.raises(InputError, match="is in the server's own network"):
        load("https://evil.example/v1")


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(names, monkeypatch):
    """A name whose second answer leads elsewhere (DNS rebinding) leads nowhere new."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(4096))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        # Loopback stands for a host of the internet, so that no network is needed.
        monkeypatch.setattr(channel, "is_public", lambda address: address == "127.0.0.1")
        names.answers["rebind"] = [["127.0.0.1"], ["10.0.0.1"]]
        with pytest.raises(InputError, match="cannot be reached"):
            load(f"https://rebind.example:{server.getsockname()[1]}/v1")
        thread.join(30)
    assert names.looks == ["rebind.example"]
    # The name is still what the certificate has to be of.
    assert b"rebind.example" in heard[0]


@pytest.fixture
def open_transport(monkeypatch):
    """Loopback, unencrypted, in the place of a host of the internet."""
    monkeypatch.setattr(channel, "is_public", lambda address: address == "127.0.0.1")
    inner = channel.PublicTransport.handle_async_request

    async def handle(self, request):
        # The transport insists on https; the server here speaks http.
        real = self._inner.handle_async_request

        async def plain(request):
            request.url = request.url.copy_with(scheme="http")
            return await real(request)

        self._inner.handle_async_request = plain
        return await inner(self, request)

    monkeypatch.setattr(channel.PublicTransport, "handle_async_request", handle)


def test_an_answer_that_would_fill_the_memory_ends_in_an_error(open_transport, monkeypatch):
    with serve() as (plain_url, provider):
        url = plain_url.replace("http:", "https:")
        assert load(url).full_dim == 8
        assert provider.requests[0]["headers"]["accept-encoding"] == "identity"
        monkeypatch.setattr(channel, "MOST_BYTES", 1000)
        provider.script.append(lambda handler: handler.answer(200, b" " * 2000) or True)
        with pytest.raises(InputError, match="its answer is too long"):
            load(url)
        packed = [("content-encoding", "gzip")]
        provider.script.append(lambda handler: handler.answer(200, b"x", packed) or True)
        with pytest.raises(InputError, match="its answer is packed"):
            load(url)


def test_proxies_in_the_environment_do_not_look_up_names_for_a_page(monkeypatch):
    with serve() as (url, provider):
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, url.removesuffix("/v1"))
        with pytest.raises(InputError, match="cannot be reached"):
            load("https://nowhere.invalid/v1")
        assert provider.requests == []


def test_a_redirect_is_not_followed():
    with serve() as (url, provider), serve() as (other, elsewhere):

        def send_on(handler):
            handler.answer(307, {}, [("location", f"{other}/embeddings")])
            return True

        provider.script.append(send_on)
        with pytest.raises(InputError, match="sends on to another address"):
            load(url, trusted=True, key="the-key")
        assert elsewhere.requests == []
