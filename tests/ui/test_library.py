"""The library documentation, from the packages of the machine to a link; and the samples."""

import shutil

import pytest

from mrl_explorer.ui import datasets
from tests.data.packages import install, source, use_only
from tests.ui.apps import (
    SAMPLE,
    columns,
    evaluate,
    follow,
    has,
    html,
    labelled,
    open_app,
    wait_for,
)

SUBJECTS = [f"tool{letter}" for letter in "abcdefghijklmnop"]


@pytest.fixture(autouse=True)
def site(tmp_path, monkeypatch):
    """All packages of this machine."""
    folder = tmp_path / "site"
    install(folder, "tools", {"tools/hand.py": source(*SUBJECTS)})
    use_only(folder, monkeypatch)
    return folder


def build(page):
    page.button_group(key="where").set_value("Library documentation").run()
    labelled(page.button, "Build").click().run()
    if page.session_state.get("job library") is not None:
        wait_for(page.session_state["job library"])
        page.run()
    assert not page.exception
    assert not page.error
    return page


def test_from_the_menu_to_a_link_that_opens_anywhere():
    page = open_app()
    chooser = labelled(page.selectbox, "Data set")
    assert "Library documentation (built from this machine's packages)" in chooser.options
    chooser.select("library-documentation").run()
    follow(page).run()
    assert not page.exception
    assert page.button_group(key="where").value == "Library documentation"
    build(page)
    assert not has(page.button, "Build")
    assert any("16 documents" in element.value for element in page.markdown)
    evaluate(page, dims="64", quantizations=["float32", "int8"])
    assert not page.exception
    key = page.query_params["data"]
    assert key.startswith("run-library")
    assert "16 documents · 16 queries · wordllama-256" in html(page)
    chooser = labelled(page.selectbox, "Data set")
    assert "Library documentation, wordllama-256" in chooser.options
    # Closed for uploads only.
    assert not has(page.button, "Copy link")

    for link in (key, "library-documentation"):
        other = open_app(data=link)
        assert not other.warning
        assert "16 documents · 16 queries" in html(other)
        labelled(other.text_input, "Or type your own").set_value("what toolc does").run()
        assert not other.exception
        assert columns(other)[0][2][0] == "tools.hand.toolc"


def test_it_is_built_once_for_everyone():
    build(open_app("data"))
    other = open_app("data")
    other.button_group(key="where").set_value("Library documentation").run()
    assert not has(other.button, "Build")
    assert has(other.button, "Evaluate")


def test_a_link_to_what_was_never_evaluated_says_so():
    page = open_app(data="library-documentation")
    (warning,) = page.warning
    assert "has not been evaluated on this server" in warning.value
    assert "300 documents" in html(page)


def test_a_changed_machine_is_no_longer_the_run_s_corpus(site, tmp_path):
    page = build(open_app("data"))
    evaluate(page, dims="64")
    key = page.query_params["data"]
    install(site, "tools", {"tools/hand.py": source("another", "thing")})
    shutil.rmtree(tmp_path / "cache" / "library")
    other = open_app(data=key)
    # What was evaluated is there; what is installed now is not mixed into it.
    assert "16 documents" in html(other)
    labelled(other.text_input, "Or type your own").set_value("what toolc does").run()
    (error,) = other.error
    assert "have changed since" in error.value


def test_the_sample_comes_with_each_of_its_models(tmp_path, monkeypatch):
    folder = tmp_path / "help_centre"
    shutil.copytree(SAMPLE.parents[1], folder)
    for other in folder.glob("*/help_centre.evaluation"):
        if other.parent.name != "wordllama-256":
            shutil.rmtree(other.parent)
    shutil.copytree(folder / "wordllama-256", folder / "another-512")
    monkeypatch.setattr(datasets, "_SAMPLE_FOLDER", folder)
    page = open_app(data="help-centre-another-512")
    assert not page.warning
    chooser = labelled(page.selectbox, "Data set")
    assert chooser.options[:2] == [
        "Help centre (sample), wordllama-256",
        "Help centre (sample), another-512",
    ]
    assert chooser.value == "help-centre-another-512"
    assert page.query_params["data"] == "help-centre-another-512"
    chooser.select("help-centre").run()
    assert "data" not in page.query_params
