"""A real server and a real browser; both live as long as this folder's tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.explorer import ROOT, Explorer

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
REQUIRED = "MRL_EXPLORER_REQUIRE_BROWSER"
_ABSENT = "no Chromium on the PATH (chromium, chromium-browser or google-chrome)"
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
# Generous: it ends a test that hangs, and passes no judgement on speed.
_PATIENCE_MS = 30_000


def pytest_ignore_collect(collection_path):
    """Leave this folder's tests out where there is no browser to run them in."""
    if CHROMIUM is None and not os.environ.get(REQUIRED) and collection_path.name[:5] == "test_":
        return True
    return None


def pytest_terminal_summary(terminalreporter):
    if CHROMIUM is None and not os.environ.get(REQUIRED):
        terminalreporter.write_line(f"The browser tests did not run: {_ABSENT}.", yellow=True)


@pytest.fixture(scope="package")
def browser():
    if CHROMIUM is None:
        pytest.fail(f"{REQUIRED} is set, and there is {_ABSENT}.", pytrace=False)
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def data_folder(tmp_path_factory):
    """The folder that the server may read."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="package")
def address(tmp_path_factory, data_folder):
    """Where the app runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log_path = tmp_path_factory.mktemp("server") / "log"
    environment = {
        **os.environ,
        "MRL_EXPLORER_CACHE": str(tmp_path_factory.mktemp("cache")),
        "MRL_EXPLORER_DATA": str(data_folder),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    options = {"port": port, "address": "127.0.0.1", "headless": "true", "fileWatcherType": "none"}
    for name, value in options.items():
        command += [f"--server.{name}", str(value)]
    with log_path.open("wb") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_ready(server, f"http://127.0.0.1:{port}/_stcore/health", log_path)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_ready(server, health, log_path):
    for _ in range(600):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(health) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"The server did not start:\n{log_path.read_text()}", pytrace=False)


@pytest.fixture
def open_page(browser, address):
    """Open an address in a browser that has never been here; a dict gives it its properties."""
    contexts, mistakes = [], []

    def open_fresh(link="", **options):
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.goto(link if link.startswith("http") else address + link)
        return Explorer(page)

    yield open_fresh
    for context in contexts:
        context.close()
    assert not mistakes


@pytest.fixture
def sample(open_page):
    """The Explore page on the sample, drawn to its end."""
    return open_page(permissions=["clipboard-read", "clipboard-write"]).settled(128)
