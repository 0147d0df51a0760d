"""More of the run that is shown, from its button to the page that has it."""

import threading

import numpy as np
import pytest

from mrl_explorer.data.collection import Collection
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress
from mrl_explorer.retrieval.evaluation_file import save_evaluation
from mrl_explorer.ui import extend_panel
from tests.ui.apps import (
    QRELS,
    columns,
    curves,
    evaluate,
    go,
    has,
    html,
    labelled,
    numbers,
    open_app,
    upload_texts,
    wait_for,
)


def stops(app):
    return [int(option) for option in app.select_slider(key="dim").options]


def start(app, button):
    labelled(app.button, button).click().run()
    assert not app.exception
    return app.session_state["job extend"]


def finish(app, button):
    """Press a button, and stay until the page has what it was pressed for."""
    wait_for(start(app, button))
    app.run()
    assert not app.exception
    assert "job extend" not in app.session_state
    return app


def add(app, dim):
    app.number_input(key="new dim").set_value(dim).run()
    return finish(app, "Rank it")


def test_an_added_dim_is_shown_and_the_view_stays():
    app = open_app(dim="64", quantization="int4", basis="pca", k="5", rescore="true", q="q-010")
    before = numbers(app)
    add(app, 100)
    assert stops(app) == [32, 48, 64, 96, 100, 128, 192, 256]
    assert app.select_slider(key="dim").value == 100
    assert "<b>100d int4 pca</b>, rescored from 20 candidates" in html(app)
    assert app.selectbox(key="query").value == "q-010"
    assert curves(app)["marks"][-1]["dim"] == 100
    assert list(numbers(app)) == list(before)
    # What was there before is as it was.
    app.select_slider(key="dim").set_value(64).run()
    assert numbers(app) == before
    for quantization in app.button_group(key="quantization").options:
        for basis in app.button_group(key="basis").options:
            app.select_slider(key="dim").set_value(100)
            app.button_group(key="quantization").set_value(quantization)
            app.button_group(key="basis").set_value(basis).run()
            assert 'data-dim="100"' in html(app)
            assert not app.info


def test_what_is_added_stays_in_this_session():
    app = add(open_app(), 7)
    go(app, "data")
    go(app, "")
    assert 7 in stops(app)
    assert "data" not in app.query_params
    other = open_app(dim="7")
    assert 7 not in stops(other)
    assert other.info[0].value == "This run has no 7 dimensions: 32 is shown."


def test_a_dim_that_is_there_or_not_chosen_cannot_be_added():
    app = open_app()
    assert labelled(app.button, "Rank it").disabled
    app.number_input(key="new dim").set_value(64).run()
    assert labelled(app.button, "Rank it").disabled
    app.number_input(key="new dim").set_value(65).run()
    assert not labelled(app.button, "Rank it").disabled
    assert (app.number_input(key="new dim").min, app.number_input(key="new dim").max) == (1, 256)


def test_deeper_lists_allow_more_candidates():
    app = open_app(dim="64", k="20", rescore="true", oversample="5")
    assert app.selectbox(key="oversample").options[-1] == "5"
    depth = labelled(app.number_input, "Places in each list")
    # Eight times 20 is next, and there are 300 documents.
    assert (depth.min, depth.max, depth.value) == (101, 300, 160)
    depth.set_value(140).run()
    before = numbers(app)
    finish(app, "Rank again")
    assert "ranked 140 deep" in html(app)
    assert numbers(app) == before
    assert app.selectbox(key="oversample").value == 5
    assert app.number_input(key="k").max == 140
    depth = labelled(app.number_input, "Places in each list")
    assert depth.value == 160
    depth.set_value(300).run()
    finish(app, "Rank again")
    assert not has(app.number_input, "Places in each list")
    assert any("These lists hold all 300 documents" in caption.value for caption in app.caption)


def test_a_typed_query_finds_the_added_dim():
    app = add(open_app(), 100)
    app.text_input(key="typed").set_value("my password").run()
    assert not app.exception
    assert [name for _, name, _ in columns(app)] == ["256d float32", "100d int8"]


def test_a_run_of_uploads_can_be_added_to():
    app = open_app("data")
    upload_texts(app, judgements=QRELS)
    evaluate(app, dims="32, 64", quantizations=["float32", "binary"])
    add(app, 48)
    assert stops(app) == [32, 48, 64, 256]
    assert app.query_params["data"] == "session-1"
    assert not has(app.number_input, "Places in each list")  # all ten documents are listed
    # It is the run that was added to that the menu leads back to.
    labelled(app.selectbox, "Data set").select("help-centre").run()
    assert 48 in stops(app)
    assert 100 not in stops(app)
    labelled(app.selectbox, "Data set").select("session-1").run()
    assert stops(app) == [32, 48, 64, 256]


def test_an_evaluation_file_alone_cannot_be_added_to(served, sample):
    path = served / "run.evaluation"
    save_evaluation(sample, path)
    app = open_app(data=str(path))
    assert not has(app.button, "Rank it")
    assert not has(app.button, "Rank again")


class SlowWork:
    """Work that reports, and waits until the test lets it go on."""

    def __init__(self):
        self.started, self.go_on = threading.Event(), threading.Event()

    def __call__(self, evaluation, collection, *, on_progress, **options):
        assert isinstance(collection, Collection)
        on_progress(Progress(3, 10, "ranking 5 configurations"))
        self.started.set()
        self.go_on.wait(60)
        on_progress(Progress(4, 10, "ranking 5 configurations"))
        raise InputError("It went on to its end.")


@pytest.fixture
def slow(monkeypatch):
    work = SlowWork()
    monkeypatch.setattr(extend_panel, "extend", work)
    yield work
    work.go_on.set()


def start_slow(app, slow):
    app.number_input(key="new dim").set_value(100).run()
    job = start(app, "Rank it")
    assert slow.started.wait(60)
    return job


def test_it_can_be_cancelled_and_changes_nothing(slow):
    app = open_app(dim="64")
    job = start_slow(app, slow)
    app.run()
    (bar,) = app.get("progress")
    assert bar.proto.value == 30
    assert bar.proto.text.startswith("ranking 5 configurations")
    assert labelled(app.button, "Rank it").disabled
    assert labelled(app.button, "Rank again").disabled
    # The page can be used meanwhile.
    app.select_slider(key="dim").set_value(96).run()
    assert "<b>96d int8</b>" in html(app)
    labelled(app.button, "Cancel").click().run()
    assert not job.finished
    assert [e.value for e in app.info] == ["Cancelled: nothing was changed."]
    slow.go_on.set()
    wait_for(job)
    app.run()
    assert 100 not in stops(app)
    assert app.select_slider(key="dim").value == 96
    assert not has(app.button, "Cancel")
    assert not labelled(app.button, "Rank it").disabled


def test_a_failure_is_told_once_and_changes_nothing(slow):
    app = open_app()
    job = start_slow(app, slow)
    slow.go_on.set()
    wait_for(job)
    app.run()
    assert [e.value for e in app.error] == ["It went on to its end."]
    assert 100 not in stops(app)
    app.run()
    assert not app.error


def test_it_goes_on_while_the_reader_looks_at_other_data(served, sample, monkeypatch):
    save_evaluation(sample, served / "other.evaluation")
    go_on = threading.Event()
    whole = extend_panel.extend

    def wait_first(*arguments, **options):
        go_on.wait(60)
        return whole(*arguments, **options)

    monkeypatch.setattr(extend_panel, "extend", wait_first)
    app = open_app()
    app.number_input(key="new dim").set_value(100).run()
    job = start(app, "Rank it")
    other = next(o for o in labelled(app.selectbox, "Data set").options if o == "other")
    labelled(app.selectbox, "Data set").set_value(str(served / f"{other}.evaluation")).run()
    go_on.set()
    wait_for(job)
    app.run()
    assert not app.exception
    assert 100 not in stops(app)
    assert app.select_slider(key="dim").value == 128
    labelled(app.selectbox, "Data set").set_value("help-centre").run()
    assert 100 in stops(app)
    assert app.select_slider(key="dim").value == 128


def test_the_axes_do_not_change(sample):
    app = add(open_app(basis="pca"), 100)
    extended = app.session_state["extended_datasets"]["help-centre"].evaluation
    assert extended.bases is not sample.bases
    assert np.array_equal(extended.bases[0].components, sample.bases[0].components)
