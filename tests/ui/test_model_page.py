"""The Model page: what is said of the model, what is measured, and two models side by side."""

import shutil
import threading

import numpy as np
import pytest

from mrl_explorer.progress import Progress
from mrl_explorer.ui import matryoshka_panel
from tests.ui.apps import SAMPLE, evaluate, go, has, html, labelled, open_app, upload, wait_for
from tests.ui.apps import npy as saved

MINILM = "help-centre-minilm-384"


def finish(app, name="orders"):
    """Stay until the measurement, which may have begun by itself, has ended, and draw it."""
    if (job := app.session_state.get(f"job {name}")) is not None:
        wait_for(job)
        app.run()
        app.run()
    return app


def said(app):
    return " ".join(element.value for element in app.caption)


def test_the_sample_s_matryoshka_model_is_told_and_measured_by_itself():
    page = finish(open_app("model"))
    assert not page.exception
    shown = html(page)
    assert "wordllama-256: the registry says so. It was trained at 64, 128 and 256 dims." in shown
    assert "Yes: trained to be cut" in shown
    assert "The prefix carries more" in shown
    assert "no subset does as well" in shown
    figures = {m.label: m for m in page.metric}
    assert figures["prefix advantage"].value.startswith("+.")
    assert figures["energy in 64 dims"].delta == "even: 25.0%"
    table = page.dataframe[0].value
    assert list(table["dims"]) == [32, 64, 128]
    assert {"random", "suffix", "PCA", "PCA held out", "nDCG random", "energy"} <= set(table)
    assert "300 documents, 150 queries" in said(page)
    assert not has(page.button, "Measure")


def test_the_standard_model_is_said_to_be_none_and_shows_no_advantage():
    page = finish(open_app("model", data=MINILM))
    shown = html(page)
    assert "No: not trained to be cut" in shown
    assert "The prefix carries more" not in shown
    # Its own word stands, so nothing is said of what the measurement cannot tell.
    assert "no statement about its training" not in shown


def test_every_chart_can_be_looked_at_and_the_measurement_is_kept():
    page = finish(open_app("model"))
    for measure in ("nDCG", "energy", "recall"):
        page.button_group(key="orders measure").set_value(measure).run()
        assert not page.exception
    go(page, "decide")
    go(page, "model")
    assert "The prefix carries more" in html(page)
    assert page.session_state.get("job orders") is None


def test_both_sample_models_stand_side_by_side():
    page = finish(open_app("model"))
    assert labelled(page.selectbox, "Beside").value == MINILM
    assert "At full dimension: minilm-384 is better than wordllama-256 by" in html(page)
    table = page.dataframe[1].value
    assert list(table["wordllama-256: dims"])[-1] == 256
    assert list(table["minilm-384: dims"])[-1] == 384
    assert list(table["finds better results"])[-1] == "minilm-384"
    labelled(page.selectbox, "Quantization").set_value("binary").run()
    assert not page.exception
    assert list(page.dataframe[1].value["bytes"])[-1] == 48
    labelled(page.selectbox, "Beside").set_value("").run()
    assert len(page.dataframe) == 1
    assert "Choose a run of another model" in said(page)


def test_an_evaluation_without_vectors_says_so_and_still_compares(served):
    shutil.copy(SAMPLE, served / "one.evaluation")
    page = open_app("model", data=str(served / "one.evaluation"))
    assert not page.exception
    assert any("an evaluation without its vectors" in element.value for element in page.info)
    assert "Yes: trained to be cut" in html(page)
    assert not has(page.button, "Measure")
    labelled(page.selectbox, "Beside").set_value(MINILM).run()
    assert not page.exception
    assert "finds better results" in page.dataframe[0].value


def test_vectors_that_nobody_named_a_model_for_are_unknown_and_too_few_are_told(sample_vectors):
    documents, queries = sample_vectors
    page = open_app("data")
    upload(page, "Documents", "documents.npy", saved(documents[:12]))
    upload(page, "Queries", "queries.npy", saved(queries[:6]))
    page.run()
    evaluate(page)
    go(page, "model")
    finish(page)
    assert not page.exception
    assert "Unknown: nothing says how it was trained" in html(page)
    (error,) = page.error
    assert "12 documents are too few to tell one order of the dims from another" in error.value
    # It does not start again by itself.
    page.run()
    assert page.session_state.get("job orders") is None
    assert not labelled(page.button, "Measure").disabled


def test_twenty_documents_without_judgements_are_measured(sample_vectors):
    documents, queries = sample_vectors
    page = open_app("data")
    upload(page, "Documents", "documents.npy", saved(documents[:20]))
    upload(page, "Queries", "queries.npy", saved(queries[:6]))
    page.run()
    evaluate(page)
    go(page, "model")
    finish(page)
    assert not page.exception
    assert not page.error
    assert "Lists of 2 are compared" in said(page)
    assert "nDCG random" not in page.dataframe[0].value


@pytest.fixture
def sample_vectors():
    folder = SAMPLE.parent
    return np.load(folder / "documents.npy"), np.load(folder / "queries.npy")


class Slow:
    """A measurement that reports, and waits until the test lets it go on."""

    def __init__(self):
        self.started, self.go_on = threading.Semaphore(0), threading.Event()

    def __call__(self, collection, *, on_progress, **more):
        on_progress(Progress(3, 23, "comparing orders of the dims"))
        self.started.release()
        self.go_on.wait(60)
        on_progress(Progress(4, 23, "comparing orders of the dims"))
        raise AssertionError("it was not cancelled")


def test_a_measurement_is_cancelled_and_can_be_started_again(monkeypatch):
    slow = Slow()
    monkeypatch.setattr(matryoshka_panel, "measure_orders", slow)
    page = open_app("model")
    assert slow.started.acquire(timeout=60)
    page.run()
    assert labelled(page.button, "Measure").disabled
    job = page.session_state["job orders"]
    labelled(page.button, "Cancel").click().run()
    slow.go_on.set()
    wait_for(job)
    page.run()
    page.run()
    assert not page.exception
    assert job.cancelled
    monkeypatch.undo()
    labelled(page.button, "Measure").click().run()
    finish(page)
    assert "The prefix carries more" in html(page)
