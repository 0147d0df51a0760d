"""Runs from the Data page, from the button to the Explore page."""

import threading

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from mrl_explorer.embed import cache_dir
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress
from mrl_explorer.ui import run_panel
from tests.ui.apps import (
    DOCUMENTS,
    QRELS,
    columns,
    evaluate,
    follow,
    go,
    has,
    html,
    labelled,
    npy,
    numbers,
    open_app,
    upload,
    upload_texts,
    wait_for,
)


def test_a_whole_run_ends_on_the_explore_page():
    page = open_app("data")
    upload_texts(page, judgements=QRELS)
    evaluate(page, dims="32, 64, 256", quantizations=["float32", "int8", "binary"])
    assert not page.exception
    assert not page.error
    assert "10 documents · 3 queries · wordllama-256, 256 dimensions" in html(page)
    assert page.query_params["data"] == "session-1"
    assert list(numbers(page)) == ["recall@10", "nDCG@10", "MRR@10", "success@10"]
    assert page.select_slider(key="dim").options == ["32", "64", "256"]
    assert page.button_group(key="quantization").options == ["float32", "int8", "binary"]
    assert page.selectbox(key="segment").options == ["All segments", "animals", "arts", "food"]
    page.selectbox(key="query").select("q0").run()
    page.number_input(key="k").set_value(2).run()
    assert set(columns(page)[0][2]) == {"d3", "d4"}
    # Uploads stay in this session: nobody else can open a link to them.
    assert labelled(page.button, "Copy link").disabled
    assert open_app(data="session-1").warning


def test_each_run_of_a_session_can_be_chosen_again():
    page = open_app("data")
    upload_texts(page)
    evaluate(page, dims="32")
    go(page, "data")
    evaluate(page, dims="64")
    chooser = labelled(page.selectbox, "Data set")
    own = [title for title in chooser.options if title.startswith("documents")]
    assert own == ["documents (1)", "documents (2)"]
    chooser.select("session-1").run()
    assert page.query_params["data"] == "session-1"
    assert page.select_slider(key="dim").options == ["32", "256"]
    labelled(page.selectbox, "Data set").select("help-centre").run()
    assert "data" not in page.query_params
    assert "300 documents" in html(page)


def test_the_default_run_covers_every_control():
    page = open_app("data")
    upload_texts(page)
    evaluate(page)
    assert page.select_slider(key="dim").options == ["32", "48", "64", "96", "128", "192", "256"]
    for dim in (32, 256):
        for quantization in page.button_group(key="quantization").options:
            page.select_slider(key="dim").set_value(dim)
            page.button_group(key="quantization").set_value(quantization).run()
            assert not page.exception


def test_a_run_of_chosen_dims_can_be_slid_from_end_to_end():
    page = open_app("data")
    upload_texts(page)
    evaluate(page, dims="32, 64", quantizations=["int8", "binary"])
    assert not page.exception
    for dim in page.select_slider(key="dim").options:
        page.select_slider(key="dim").set_value(int(dim)).run()
        assert not page.exception, dim


def test_documents_serve_as_queries():
    page = open_app("data")
    upload(page, "Documents", "documents.csv", DOCUMENTS)
    upload(page, "Queries", "documents.csv", DOCUMENTS)
    page.run()
    labelled(page.toggle, "Queries are documents").set_value(True).run()
    evaluate(page, dims="64")
    assert not page.exception
    page.selectbox(key="query").select("d3").run()
    assert "d3" not in columns(page)[0][2]
    assert any("That overstates recall" in part for part in html(page).split("<div>"))


def test_dims_that_disagree_are_told_and_the_page_stays():
    page = open_app("data")
    upload(page, "Documents", "documents.npy", npy(np.eye(8, dtype=np.float32)))
    upload(page, "Queries", "queries.npy", npy(np.ones((2, 4), dtype=np.float32)))
    page.run()
    evaluate(page)
    assert not page.exception
    assert [e.value for e in page.error] == [
        "documents.npy has vectors of 8 dimensions and queries.npy of 4: embed both with the same "
        "model."
    ]
    assert len(page.file_uploader) == 5
    assert not labelled(page.button, "Evaluate").disabled


@pytest.mark.parametrize(
    ("dims", "part"),
    [("512", "Dimension 512 is outside 1 to 256"), ("0", "Dimension 0 is outside")],
)
def test_dims_that_the_model_lacks_are_told(dims, part):
    page = open_app("data")
    upload_texts(page)
    evaluate(page, dims=dims)
    (error,) = page.error
    assert part in error.value
    assert has(page.button, "Evaluate")


@pytest.mark.parametrize(
    "name", ["/no/such/folder", "~nobody_such", "no such model", "../..", "\0"]
)
def test_a_model_that_is_not_there_is_told(name):
    page = open_app("data")
    upload_texts(page)
    labelled(page.selectbox, "Embed with").select("another model").run()
    assert labelled(page.button, "Evaluate").disabled
    labelled(page.text_input, "A folder on this server").set_value(name).run()
    evaluate(page)
    assert not page.exception
    (error,) = page.error
    assert "the server's log" not in error.value


def test_vectors_of_another_model_are_not_mixed_with_the_chosen_one():
    # The documents' vectors are as wide as the model's, and made by something else.
    rng = np.random.default_rng(0)
    page = open_app("data")
    upload_texts(page)
    vectors = rng.normal(size=(10, 256)).astype(np.float32)
    upload(page, "Ready vectors of the documents", "d.npy", npy(vectors))
    page.run()
    evaluate(page, dims="64")
    assert [e.value for e in page.error]
    assert "did not make these vectors" in page.error[0].value


class SlowWork:
    """Work that reports, and waits until the test lets it go on."""

    def __init__(self):
        self.started, self.go_on = threading.Event(), threading.Event()
        self.n_runs = 0

    def __call__(self, source, collection, run, connection, on_progress):
        self.n_runs += 1
        on_progress(Progress(3, 10, "embedding documents"))
        self.started.set()
        self.go_on.wait(60)
        on_progress(Progress(4, 10, "embedding documents"))
        raise InputError("It went on to its end.")


@pytest.fixture
def slow(monkeypatch):
    work = SlowWork()
    monkeypatch.setattr(run_panel, "_work", work)
    yield work
    work.go_on.set()


def start_slow(page, slow):
    labelled(page.button, "Evaluate").click().run()
    assert slow.started.wait(60)
    return page.session_state["job evaluate"]


def test_a_run_can_be_cancelled(slow):
    page = open_app("data")
    upload_texts(page)
    job = start_slow(page, slow)
    page.run()
    assert labelled(page.button, "Evaluate").disabled
    (bar,) = page.get("progress")
    assert bar.proto.value == 30
    assert bar.proto.text.startswith("embedding documents: 3 of 10")
    labelled(page.button, "Cancel").click().run()
    # The page does not wait for the work to notice.
    assert not job.finished
    assert not page.exception
    assert [e.value for e in page.info] == ["Cancelled. Embeddings made so far are kept."]
    assert not labelled(page.button, "Evaluate").disabled
    assert not has(page.button, "Cancel")
    slow.go_on.set()
    wait_for(job)
    page.run()
    assert job.cancelled
    assert not page.info
    assert not page.error


def test_while_a_run_goes_on_no_second_one_can_be_started(slow):
    page = open_app("data")
    upload_texts(page)
    start_slow(page, slow)
    # As the page stands after the click, before anything else is touched.
    assert labelled(page.button, "Evaluate").disabled
    assert slow.n_runs == 1


def test_a_run_goes_on_while_the_reader_looks_elsewhere(slow):
    page = open_app("data")
    upload_texts(page)
    job = start_slow(page, slow)
    go(page, "")
    assert numbers(page)["recall@10"][0] == ".718"
    go(page, "data")
    assert has(page.button, "Cancel")
    slow.go_on.set()
    wait_for(job)
    page.run()
    assert [e.value for e in page.error] == ["It went on to its end."]


def test_a_closed_browser_loses_nothing(served, monkeypatch):
    """The job goes on without its page, and the next visit finds what it made."""
    (served / "documents.csv").write_text(DOCUMENTS)
    (served / "queries.csv").write_text("id,text\n1,dogs\n")

    def start():
        page = open_app("data")
        page.button_group(key="where").set_value("Files on this server").run()
        labelled(page.text_input, "Documents").set_value(str(served / "documents.csv"))
        labelled(page.text_input, "Queries").set_value(str(served / "queries.csv"))
        page.run()
        labelled(page.text_input, "Dims").set_value("32")
        labelled(page.button, "Evaluate").click().run()
        return page

    page = start()
    if "job evaluate" in page.session_state:
        wait_for(page.session_state["job evaluate"])
    del page
    (run,) = (cache_dir() / "evaluations").glob("run-*.evaluation")
    assert "10 documents" in html(open_app(data=run.stem))

    def fail(*arguments, **options):
        raise AssertionError("a text was embedded twice")

    monkeypatch.setattr(SentenceTransformer, "encode", fail)
    page = start()
    if page.session_state.get("job evaluate") is not None:
        wait_for(page.session_state["job evaluate"])
        page.run()
    assert not page.error
    assert follow(page).query_params["data"] == run.stem


def test_a_failed_run_can_be_followed_by_a_good_one(slow, monkeypatch):
    page = open_app("data")
    upload_texts(page)
    slow.go_on.set()
    evaluate(page)
    assert [e.value for e in page.error] == ["It went on to its end."]
    monkeypatch.undo()
    evaluate(page, dims="32")
    assert "10 documents" in html(page)


def test_a_cache_that_cannot_be_written_loses_no_run(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MRL_EXPLORER_CACHE", str(tmp_path / "file"))
    (tmp_path / "documents.csv").write_text(DOCUMENTS)
    (tmp_path / "queries.csv").write_text("id,text\n1,dogs\n")
    monkeypatch.setenv("MRL_EXPLORER_DATA", str(tmp_path))
    page = open_app("data")
    page.button_group(key="where").set_value("Files on this server").run()
    labelled(page.text_input, "Documents").set_value(str(tmp_path / "documents.csv"))
    labelled(page.text_input, "Queries").set_value(str(tmp_path / "queries.csv"))
    page.run()
    evaluate(page, dims="32")
    assert not page.exception
    assert page.query_params["data"] == "session-1"
    assert labelled(page.button, "Copy link").disabled
