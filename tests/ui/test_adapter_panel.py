"""The adapter's part of the Model page, from its button to the grid that has it."""

from unittest import mock

import numpy as np
from streamlit.testing.v1 import AppTest

from mrl_explorer.decide.adapter_verdict import AdapterRow, AdapterVerdict, Measured
from mrl_explorer.decide.adapters import Trained
from mrl_explorer.decide.pairs import compare
from mrl_explorer.embed.training import N_STEPS
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.held_out import searched_half
from mrl_explorer.ui import adapter_panel
from tests.ui.apps import has, labelled, wait_for


def page():
    from mrl_explorer.ui import adapter_panel, datasets  # noqa: PLC0415

    adapter_panel.show(datasets.current())


def open_panel():
    return AppTest.from_function(page, default_timeout=120).run()


def finish(app, job):
    wait_for(app.session_state[f"job {job}"])
    app.run()
    assert not app.exception
    return app


def worth(gain):
    """A verdict whose gain is so large for every query."""
    pair = compare(np.full(150, 0.5 + gain), np.full(150, 0.5))
    rows = (
        AdapterRow(64, 0.5, 0.6, 0.7, pair, pair),
        AdapterRow(256, 1.0, 1.0, 0.95, pair, pair),
    )
    return AdapterVerdict(Measured(rows, pair, pair), None, (64,), 10, 150, 150, 0)


def trained(gain):
    components = np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32)
    return Trained(
        Basis("adapter", components, searched_half(300)),
        (64, 256),
        (0, 20),
        np.array([[0.4, 0.0], [0.3, 0.1]]),
        20,
        worth(gain),
        np.arange(50),
        150,
    )


def test_training_ends_in_a_verdict():
    app = open_panel()
    labelled(app.button, "Train an adapter").click().run()
    assert labelled(app.button, "Train an adapter").disabled
    app.session_state["adapter lesson"].enough.set()
    finish(app, "adapter")
    kept = app.session_state["adapters"]["help-centre"]
    assert kept.verdict.n_docs == 150
    said = " ".join(e.value for e in (*app.info, *app.success))
    # The other 58 judged queries teach it.
    assert "relevance from the judgements of 58 queries" in said
    assert "On 150 documents that it has not seen, with 92 queries" in said.replace("\\", "")
    assert has(app.button, "Train again")
    assert has(app.button, "Add to the grid") == kept.verdict.offered


def choose_pairs(app):
    labelled(app.get("segmented_control"), "Learns from").set_value("pairs").run()
    assert any("--dims-per-step" in caption.value for caption in app.caption)


def test_judged_pairs_train_to_a_verdict():
    app = open_panel()
    choose_pairs(app)
    labelled(app.button, "Train an adapter").click().run()
    assert labelled(app.get("segmented_control"), "Learns from").disabled
    lesson = app.session_state["adapter lesson"]
    finish(app, "adapter")
    kept = app.session_state["adapters"]["help-centre"]
    assert kept.verdict.teacher == "pairs"
    assert kept.dims[-1] == 256
    assert lesson.steps == list(kept.steps)
    assert np.array_equal(np.array(lesson.losses), kept.losses)
    said = " ".join(e.value for e in (*app.info, *app.success)).replace("\\", "")
    assert f"judged pairs of {len(kept.taught)} queries with MatryoshkaLoss" in said
    assert has(app.button, "Add to the grid") == kept.verdict.offered
    assert ("So it is not offered" in said) != kept.verdict.offered


def test_pairs_are_stopped_and_keep_the_best_so_far():
    app = open_panel()
    choose_pairs(app)
    labelled(app.button, "Train an adapter").click().run()
    app.session_state["adapter lesson"].enough.set()
    finish(app, "adapter")
    kept = app.session_state["adapters"]["help-centre"]
    assert kept.steps[-1] < N_STEPS
    assert kept.best_step in kept.steps


def test_few_judged_queries_leave_no_choice():
    with mock.patch.object(adapter_panel, "LEAST_QUERIES", 151):
        app = open_panel()
    assert not app.get("segmented_control")
    assert any("takes 151 queries" in c.value and "has 150" in c.value for c in app.caption)


def test_what_is_no_better_is_not_offered():
    app = open_panel()
    app.session_state["adapters"] = {"help-centre": trained(0)}
    app.run()
    assert "No advantage over PCA measured" in app.info[0].value
    assert not has(app.button, "Add to the grid")
    assert not has(app.button, "Make the model folder")


def test_what_is_better_joins_the_grid():
    app = open_panel()
    app.session_state["adapters"] = {"help-centre": trained(0.2)}
    app.run()
    assert "The adapter keeps more than PCA" in app.success[0].value
    labelled(app.button, "Add to the grid").click().run()
    finish(app, "adapter grid")
    evaluation = app.session_state["extended_datasets"]["help-centre"].evaluation
    assert Config(64, "int8", "adapter") in evaluation.rankings
    assert Config(64, "int8", "adapter") in evaluation.held_out.rankings
    assert labelled(app.button, "In the grid").disabled
    # Those that taught it are gone from all that is measured.
    assert evaluation.rankings.n_queries == evaluation.held_out.rankings.n_queries == 100
    assert evaluation.source.notes[-1].startswith("50 queries taught")


def test_cancelling_leaves_nothing():
    app = open_panel()
    labelled(app.button, "Train an adapter").click().run()
    job = app.session_state["job adapter"]
    labelled(app.button, "Cancel").click().run()
    wait_for(job)
    app.run()
    assert "adapters" not in app.session_state
    assert has(app.button, "Train an adapter")


def test_too_few_documents_are_told_before_anything_runs():
    with mock.patch.object(adapter_panel, "LEAST_DOCUMENTS", 301):
        app = open_panel()
    assert "300 documents are too few" in app.info[0].value
    assert not has(app.button, "Train an adapter")
