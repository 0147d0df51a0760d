import shutil

import pytest

from mrl_explorer.errors import InputError
from mrl_explorer.ui.sources import allowed_folders, server_path
from tests.ui.apps import (
    DOCUMENTS,
    QUERIES,
    SAMPLE,
    columns,
    evaluate,
    fill,
    go,
    has,
    html,
    labelled,
    numbers,
    open_app,
)

FIELDS = ("Documents", "Queries", "Judgements (optional)")


def server_page():
    app = open_app("data")
    app.button_group(key="where").set_value("Files on this server").run()
    return app


@pytest.fixture
def texts(served):
    (served / "documents.csv").write_text(DOCUMENTS)
    (served / "queries.csv").write_text(QUERIES)
    return served


def test_only_named_folders_are_allowed(monkeypatch, tmp_path):
    monkeypatch.setenv("MRL_EXPLORER_DATA", f"{tmp_path}/a:{tmp_path}/b/../c:")
    assert allowed_folders() == [tmp_path / "a", tmp_path / "c"]


def test_without_a_named_folder_no_path_is_read(tmp_path):
    with pytest.raises(InputError, match="its owner names folders in MRL_EXPLORER_DATA"):
        server_path(str(tmp_path))


@pytest.mark.parametrize("text", ["documents.csv", "sub/../documents.csv", ""])
def test_paths_inside_are_read(texts, text):
    (texts / "sub").mkdir()
    assert server_path(f" {texts}/{text} ") in (texts / "documents.csv", texts)


def test_a_folder_whose_name_only_starts_like_an_allowed_one_is_outside(texts):
    beside = texts.with_name(f"{texts.name}-private")
    beside.mkdir()
    with pytest.raises(InputError, match="outside the folders"):
        server_path(str(beside))


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "/", "..", "{folder}/../secret", "{folder}/link", "relative.csv", "~/x"),
        *("~nobody_such/x", "{folder}/\0", "\0"),
    ],
)
def test_paths_outside_are_refused_in_words(texts, tmp_path, path):
    (tmp_path / "secret").write_text("secret")
    (texts / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError):
        server_path(path.format(folder=texts))


@pytest.mark.parametrize("name", ["none.csv", "n" * 300])
def test_what_is_not_there_is_named(texts, name):
    with pytest.raises(InputError, match=f"There is nothing at {texts}"):
        server_path(f"{texts}/{name}")


def test_the_page_names_the_folders(texts):
    page = server_page()
    assert not page.exception
    assert any(str(texts) in c.value for c in page.caption)
    assert not page.file_uploader


def test_without_folders_the_page_says_how_to_name_them():
    page = server_page()
    assert any("MRL_EXPLORER_DATA" in c.value for c in page.caption)
    fill(page, "Documents", "/etc/passwd")
    (error,) = page.error
    assert "This server reads no paths" in error.value


@pytest.mark.parametrize("path", ["/etc/passwd", "{folder}/none.csv"])
@pytest.mark.parametrize("label", FIELDS)
def test_a_wrong_path_is_named_and_the_fields_stay(texts, label, path):
    page = server_page()
    fill(page, "Documents", str(texts / "documents.csv"))
    fill(page, "Queries", str(texts / "queries.csv"))
    fill(page, label, path.format(folder=texts))
    assert not page.exception
    (error,) = page.error
    assert path.format(folder=texts) in error.value
    assert all(has(page.text_input, field) for field in FIELDS)


def test_a_run_on_server_files_opens_by_its_link(texts):
    page = server_page()
    fill(page, "Documents", str(texts / "documents.csv"))
    fill(page, "Queries", str(texts / "queries.csv"))
    evaluate(page, dims="32, 64")
    assert not page.exception
    assert not page.error
    key = page.query_params["data"]
    assert key.startswith("run-")
    assert not any(b.label == "Copy link" for b in page.button)
    other = open_app(data=key)
    assert not other.warning
    assert numbers(other) == numbers(page)
    assert columns(other) == columns(page)
    assert "10 documents · 3 queries · wordllama-256" in html(other)
    fill(other, "Or type your own", "dogs and cats")
    assert not other.error
    assert columns(other)[0][2][:2] in (["d3", "d4"], ["d4", "d3"])


def test_runs_of_other_settings_on_the_same_files_have_links_of_their_own(texts):
    page = server_page()
    fill(page, "Documents", str(texts / "documents.csv"))
    fill(page, "Queries", str(texts / "queries.csv"))
    evaluate(page, dims="32, 64", quantizations=["float32", "int8"])
    first = page.query_params["data"]
    shown = columns(page)
    go(page, "data")
    evaluate(page, dims="16", quantizations=["float32", "binary"])
    assert page.query_params["data"] != first
    # Whoever was given the first link still sees what was copied.
    assert columns(open_app(data=first)) == shown


def test_a_link_to_a_run_is_of_no_use_once_its_files_may_not_be_read(texts, monkeypatch):
    page = server_page()
    fill(page, "Documents", str(texts / "documents.csv"))
    fill(page, "Queries", str(texts / "queries.csv"))
    evaluate(page, dims="32")
    key = page.query_params["data"]
    monkeypatch.delenv("MRL_EXPLORER_DATA")
    other = open_app(data=key)
    (warning,) = other.warning
    assert warning.value.endswith("The sample is shown instead.")


def test_a_run_whose_files_are_gone_still_shows_its_lists(texts):
    page = server_page()
    fill(page, "Documents", str(texts / "documents.csv"))
    fill(page, "Queries", str(texts / "queries.csv"))
    evaluate(page, dims="32")
    key = page.query_params["data"]
    (texts / "documents.csv").unlink()
    other = open_app(data=key)
    assert not other.exception
    assert columns(other) == columns(page)
    fill(other, "Or type your own", "a query nobody typed before")
    assert not other.exception
    (error,) = other.error
    assert "documents.csv does not exist" in error.value


@pytest.mark.parametrize("name", ["other.evaluation", "odd ünder [names].evaluation"])
def test_evaluations_of_the_folder_can_be_chosen(served, name):
    shutil.copy(SAMPLE, served / name)
    app = open_app()
    labelled(app.selectbox, "Data set").select(str(served / name)).run()
    assert not app.exception
    assert app.query_params["data"] == str(served / name)
    assert numbers(app)["recall@10"][0] == ".718"
    other = open_app(data=str(served / name))
    assert not other.warning
    assert columns(other) == columns(app)


def test_another_data_set_starts_with_a_view_of_its_own(served):
    shutil.copy(SAMPLE, served / "other.evaluation")
    app = open_app(q="q-042", pin="32-binary-native")
    app.select_slider(key="dim").set_value(32).run()
    labelled(app.selectbox, "Data set").select(str(served / "other.evaluation")).run()
    assert not app.exception
    assert app.select_slider(key="dim").value == 128
    assert len(columns(app)) == 2
    assert app.selectbox(key="query").value == "q-035"


def test_a_file_that_changed_is_read_again(served):
    path = served / "other.evaluation"
    shutil.copy(SAMPLE, path)
    assert "300 documents" in html(open_app(data=str(path)))
    path.write_bytes(b"no longer")
    app = open_app(data=str(path))
    assert "other.evaluation" in app.warning[0].value


def test_a_folder_on_the_server_is_read_anew_when_a_file_in_it_changes(texts):
    (texts / "docs" / "inner").mkdir(parents=True)
    (texts / "docs" / "a.md").write_text("# One\n\nfirst text on cats")
    (texts / "docs" / "inner" / "b.txt").write_text("second text on dogs")
    page = server_page()
    fill(page, "Documents", str(texts / "docs"))
    fill(page, "Queries", str(texts / "queries.csv"))
    assert not page.error
    assert list(page.dataframe[0].value["id"]) == ["a.md", "inner/b.txt"]
    (texts / "docs" / "inner" / "b.txt").write_text("another text on bread")
    page.run()
    assert list(page.dataframe[0].value["text"])[1] == "another text on bread"
    evaluate(page, dims="32")
    assert not page.exception
    assert not page.error
    other = open_app(data=page.query_params["data"])
    assert not other.warning
    assert columns(other) == columns(page)
