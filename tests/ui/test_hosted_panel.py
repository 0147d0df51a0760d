"""Hosted models on the Data page: key, price, agreement, and typed queries afterwards."""

import logging
import os
import subprocess
import sys

import numpy as np
import pytest

from mrl_explorer.embed import REGISTRY
from mrl_explorer.errors import InputError
from mrl_explorer.ui.hosted_panel import has_key
from tests.embed.servers import refuse, serve
from tests.ui.apps import (
    DOCUMENTS,
    QUERIES,
    ROOT,
    evaluate,
    fill,
    go,
    has,
    html,
    labelled,
    npy,
    open_app,
    shown_results,
    upload,
    upload_texts,
    wait_for,
)

KEY = "sk-canary-77aa"
OWN = "a server of your own (OpenAI-compatible)"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MRL_EXPLORER_ALLOW_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def served(monkeypatch):
    with serve() as (url, provider):
        monkeypatch.setenv("MRL_EXPLORER_ALLOW_ENDPOINTS", url)
        yield url, provider


@pytest.fixture
def page():
    page = open_app("data")
    upload_texts(page)
    return page


def choose(page, name):
    labelled(page.selectbox, "Embed with").select(name).run()


def choose_own(page, url, *, key=""):
    choose(page, OWN)
    fill(page, "Its address", url)
    fill(page, "Its model", "own-model")
    if key:
        fill(page, "Key for", key)


def texts(page):
    return [text.value for text in page.text]


def shown(page):
    """All that the page shows, but for the fields that the reader fills in."""
    kinds = (page.text, page.caption, page.error, page.info, page.warning, page.markdown)
    return "\n".join([str(e.value) for kind in kinds for e in kind]) + html(page)


def closed(page):
    return labelled(page.button, "Evaluate").disabled


def test_nothing_is_sent_before_a_key_and_an_agreement(page):
    choose(page, "openai:text-embedding-3-small")
    assert not page.exception
    assert "13 texts, about " in "".join(texts(page))
    assert "are sent to api.openai.com for less than $0.01." in "".join(texts(page))
    assert labelled(page.number_input, r"\$ per million").value == 0.02
    assert closed(page)
    waiting = "Evaluate waits for a key and your agreement to send the texts."
    assert waiting in [c.value for c in page.caption]
    labelled(page.checkbox, "Send them to").check().run()
    assert closed(page)
    assert "Evaluate waits for a key." in [c.value for c in page.caption]
    fill(page, "Key for api.openai.com", KEY)
    assert not closed(page)
    # Another price is agreed to anew.
    labelled(page.number_input, r"\$ per million").set_value(500.0).run()
    assert "for about $0." in "".join(texts(page))
    assert closed(page)


def test_a_missing_client_library_is_named_before_anything_is_asked(page, monkeypatch):
    monkeypatch.setitem(sys.modules, "cohere", None)
    choose(page, "cohere:embed-v4.0")
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("Cohere is asked by its own client library, which is not install")
    assert "`pip install -r requirements-providers.txt`" in error.value.replace("\\", "")
    assert not has(page.text_input, "Key for")
    assert not has(page.checkbox, "Send them to")
    assert not has(page.button, "Evaluate")
    monkeypatch.delitem(sys.modules, "cohere")
    page.run()
    assert not page.error
    assert has(page.text_input, "Key for api.cohere.com")


def test_a_typed_query_asks_for_no_key_that_it_cannot_use(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.genai", None)
    with pytest.raises(InputError, match="Gemini API is asked by its own client library"):
        has_key("google:gemini-embedding-001")


def test_the_keys_of_the_server_are_found_and_not_shown(page, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    choose(page, "openai:text-embedding-3-small")
    assert "OPENAI_API_KEY" in labelled(page.text_input, "Key for").help
    labelled(page.checkbox, "Send them to").check().run()
    assert not closed(page)
    assert KEY not in shown(page)


def test_a_run_a_typed_query_and_the_key_nowhere(page, served, tmp_path, caplog):
    url, provider = served
    caplog.set_level(logging.DEBUG)
    choose_own(page, url, key=KEY)
    assert "a price that is not known here" in "".join(texts(page))
    labelled(page.checkbox, "Send them to").check().run()
    evaluate(page, dims="4", quantizations=["float32"])
    assert not page.error
    assert not page.exception
    assert "10 documents" in html(page)
    sent = provider.n_texts
    fill(page, "Or type your own", "cats")
    assert not page.error
    assert shown_results(page) is not None
    assert provider.n_texts == sent + 2
    assert provider.requests[-1]["headers"]["authorization"] == f"Bearer {KEY}"
    assert any("1 text, about 1 token, is sent to 127" in c.value for c in page.caption)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not any(KEY.encode() in content for content in written)
    assert KEY not in shown(page) + repr(page.query_params) + caplog.text
    key = page.query_params["data"]
    assert KEY not in repr(page.session_state["own_datasets"][key].evaluation.source)
    go(page, "data")
    upload_texts(page)
    assert "All 13 texts are in the cache" in "".join(texts(page))
    assert not has(page.checkbox, "Send them to")


def test_a_key_in_the_secrets_of_streamlit_is_found(tmp_path):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/secrets.toml").write_text(f'OPENAI_API_KEY = "{KEY}"')
    code = (
        "from mrl_explorer.embed import key_variable, parse_hosted\n"
        "from mrl_explorer.ui.hosted_panel import typed_connection\n"
        "name = 'openai:text-embedding-3-small'\n"
        "connection = typed_connection(name)\n"
        "print(connection.key, key_variable(parse_hosted(name)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["None", "OPENAI_API_KEY"]
    assert KEY not in done.stdout + done.stderr


def test_ready_vectors_are_searched_by_a_hosted_model_with_a_key_typed_there(monkeypatch, served):
    url, provider = served
    rng = np.random.default_rng(0)
    page = open_app("data")
    upload(page, "Documents", "documents.csv", DOCUMENTS)
    upload(page, "Queries", "queries.csv", QUERIES)
    for label, n in (("Ready vectors of the documents", 10), ("Ready vectors of the queries", 3)):
        upload(page, label, f"{n}.npy", npy(rng.normal(size=(n, 1536)).astype(np.float32)))
    page.run()
    labelled(page.selectbox, "Which model made").select("openai:text-embedding-3-small").run()
    evaluate(page, quantizations=["float32"])
    fill(page, "Or type your own", "cats")
    assert any("wants a key" in info.value for info in page.info)
    # From here on that model is at the server of this test.
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    page.run()
    fill(page, "Key for", KEY)
    assert provider.requests[-1]["headers"]["authorization"] == f"Bearer {KEY}"
    assert any("a vector of 8 dims where 1,536 were expected" in e.value for e in page.error)
    assert KEY not in shown(page)


def test_a_refusal_is_one_sentence_and_the_page_stays(page, served):
    url, provider = served
    choose_own(page, url, key=KEY)
    labelled(page.checkbox, "Send them to").check().run()
    provider.script.append(refuse(401, f"Incorrect API key provided: {KEY}"))
    evaluate(page, quantizations=["float32"])
    (error,) = [e.value for e in page.error]
    assert "refuses the key (401)" in error
    assert KEY not in error
    assert has(page.selectbox, "Embed with")


def test_the_servers_own_network_stays_closed(page, served, monkeypatch):
    url, provider = served
    monkeypatch.delenv("MRL_EXPLORER_ALLOW_ENDPOINTS")
    choose_own(page, url.replace("http:", "https:"))
    labelled(page.checkbox, "Send them to").check().run()
    evaluate(page, quantizations=["float32"])
    assert any("is in the server's own network" in e.value for e in page.error)
    assert provider.requests == []


def test_an_address_that_is_none_is_told(page):
    choose(page, OWN)
    fill(page, "Its address", f"https://user:{KEY}@host/v1")
    fill(page, "Its model", "m")
    assert any("a user, a password or parameters" in e.value for e in page.error)
    assert KEY not in shown(page)


def test_the_dims_check_is_run_and_shown(page, served):
    url, provider = served
    choose_own(page, url)
    button = labelled(page.button, "Does one download serve")
    assert button.disabled
    labelled(page.text_input, "Trained dims").set_value("2, 4, 8").run()
    labelled(page.button, "Does one download serve").click().run()
    if "job dims check" in page.session_state:
        wait_for(page.session_state["job dims check"])
        page.run()
    page.run()
    assert any("One download at 8 dims serves 2, 4" in text for text in texts(page))
    assert provider.n_texts == 1 + 3 * 10


def test_hosted_models_are_in_the_list_and_vertex_ones_are_not(page):
    options = labelled(page.selectbox, "Embed with").options
    assert "openai:text-embedding-3-small" in options
    assert "google:text-embedding-005" not in options
    assert set(options) - {OWN, "another model"} == {n for n, e in REGISTRY.items() if e.loads}
