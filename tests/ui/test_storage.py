"""The panel that shows the cache and empties it."""

import pytest

from mrl_explorer.embed import cache_dir
from tests.ui.apps import evaluate, labelled, open_app, upload_texts


@pytest.fixture
def opened():
    """The Data page after a run, with the panel open."""
    page = open_app("data")
    page.session_state["storage"] = True
    return page


def texts(page):
    return [element.value for element in page.text]


def entries(kind):
    folder = cache_dir() / kind
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_an_empty_cache_has_nothing_to_empty(opened):
    opened.run()
    assert not opened.exception
    assert "0 B: embeddings of texts: vectors only" in texts(opened)
    assert labelled(opened.button, "Empty it").disabled


def test_what_a_run_keeps_is_shown_and_emptied(opened):
    upload_texts(opened)
    evaluate(opened, dims="64")
    (documents, queries) = entries("embeddings")
    n_bytes = documents.stat().st_size + queries.stat().st_size
    page = open_app("data")
    page.session_state["storage"] = True
    page.run()
    assert f"{n_bytes / 1000:.3g} kB: embeddings of texts: vectors only" in texts(page)
    (bar,) = page.get("progress")
    assert bar.proto.text == f"{n_bytes / 1000:.3g} kB of 10 GB on this server"
    labelled(page.button, "Empty it").click().run()
    assert not page.exception
    assert [element.value for element in page.success] == [f"{n_bytes / 1000:.3g} kB deleted."]
    assert entries("embeddings") == []
    assert labelled(page.button, "Empty it").disabled


def test_a_run_on_uploaded_texts_leaves_none_of_them_on_the_server(opened):
    upload_texts(opened)
    evaluate(opened, dims="64")
    assert entries("evaluations") == []
    kept = [path for path in cache_dir().rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        content = path.read_bytes()
        assert b"dogs" not in content
        assert b"rivers" not in content


def test_a_limit_that_is_no_number_is_said(opened, monkeypatch):
    monkeypatch.setenv("MRL_EXPLORER_CACHE_GB", "much")
    opened.run()
    assert not opened.exception
    (error,) = opened.error
    assert "MRL\\_EXPLORER" in error.value or "MRL_EXPLORER_CACHE_GB" in error.value
