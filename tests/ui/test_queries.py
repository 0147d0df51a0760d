from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.data.collection import Collection, make_records
from mrl_explorer.decide.summary import summarise
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import save_evaluation
from mrl_explorer.retrieval.metrics import Cutoff, recall
from mrl_explorer.ui.query_panel import matching
from tests.ui.apps import columns, open_app, shown_results


def listed(app):
    """Give (recall, text) of each query that is offered, in order."""
    return [tuple(option.split("  ", 1)) for option in app.selectbox(key="query").options]


def test_queries_are_offered_worst_first(sample):
    app = open_app(dim="48", quantization="binary")
    shares = recall(sample.rankings, Cutoff(10))[sample.rankings.place(Config(48, "binary"))]
    order = sorted(range(150), key=lambda row: shares[row])[:50]
    expected = [(f"{shares[row]:.3f}"[1:], sample.queries.texts[row]) for row in order]
    assert listed(app) == expected
    assert app.selectbox(key="query").value == sample.queries.ids[order[0]]
    assert shown_results(app)["query"] == sample.queries.texts[order[0]]


def test_the_results_are_those_of_the_picked_query(sample):
    app = open_app(dim="32", quantization="int4")
    picked = app.selectbox(key="query").options[7].split("  ", 1)[1]
    row = sample.queries.texts.index(picked)
    app.selectbox(key="query").select(sample.queries.ids[row]).run()
    assert shown_results(app)["query"] == picked
    assert app.query_params["q"] == sample.queries.ids[row]
    place = sample.rankings.place(Config(32, "int4"))
    ids = [sample.listed.ids[sample.listed.place(d)] for d in sample.rankings.ids[place, row, :10]]
    assert columns(app)[1][2] == ids


def test_what_is_picked_stays_while_the_order_changes():
    app = open_app(dim="32", quantization="binary")
    picked = app.selectbox(key="query").value
    for dim, quantization in ((256, "float32"), (64, "int8"), (192, "binary")):
        app.select_slider(key="dim").set_value(dim)
        app.button_group(key="quantization").set_value(quantization).run()
        assert app.selectbox(key="query").value == picked
        assert app.query_params["q"] == picked


def test_a_segment_narrows_the_queries_down(sample):
    app = open_app()
    assert app.selectbox(key="segment").options == [
        "All segments",
        *sorted(set(sample.queries.segments)),
    ]
    app.selectbox(key="segment").select("keyword").run()
    keyword = {
        text
        for text, segment in zip(sample.queries.texts, sample.queries.segments, strict=True)
        if segment == "keyword"
    }
    assert {text for _, text in listed(app)} == keyword
    assert shown_results(app)["query"] in keyword
    shares = [share for share, _ in listed(app)]
    assert shares == sorted(shares)


def test_words_narrow_the_queries_down_whatever_their_case():
    app = open_app()
    app.text_input(key="find").set_value("ROSTER").run()
    assert listed(app)
    assert all("roster" in text.lower() for _, text in listed(app))
    app.text_input(key="find").set_value("publish roster").run()
    assert all("roster" in t.lower() and "publish" in t.lower() for _, t in listed(app))
    app.text_input(key="find").set_value("").run()
    assert len(listed(app)) == 50


def test_a_query_can_be_found_by_its_id():
    app = open_app()
    app.text_input(key="find").set_value("q-042").run()
    assert app.selectbox(key="query").value == "q-042"
    assert len(listed(app)) == 1


def test_no_match_says_so_and_comes_back():
    app = open_app()
    before = app.selectbox(key="query").value
    app.text_input(key="find").set_value("zebra crossing").run()
    assert not app.exception
    assert app.selectbox(key="no query").disabled
    assert [i.value for i in app.info] == [
        "No query of this run holds these words in this segment."
    ]
    assert shown_results(app) is None
    assert app.metric
    app.text_input(key="find").set_value("").run()
    assert app.selectbox(key="query").value == before
    assert not app.info


def test_segment_and_words_hold_together(sample):
    summary = summarise(sample, Cutoff(10))
    rows = matching(summary, segment="keyword", words="api")
    assert rows.dtype == np.int64
    assert all(sample.queries.segments[row] == "keyword" for row in rows)
    assert all("api" in sample.queries.texts[row].lower() for row in rows)
    assert set(rows) < set(matching(summary, segment=None, words="api"))
    assert len(matching(summary, segment=None, words="  ")) == 150


@pytest.fixture
def twins(served):
    """Two queries of the same words, whose results differ."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(6, 4)).astype(np.float32)
    documents = make_records(name="documents.npy", vectors=vectors)
    queries = make_records(name="queries.csv", texts=["same", "same"], ids=["a", "b"])
    queries = replace(queries, vectors=np.stack([vectors[0], -vectors[0]]))
    evaluation = evaluate(Collection(documents, queries), bases=("native",))
    save_evaluation(evaluation, served / "twins.evaluation")
    return str(served / "twins.evaluation")


def test_queries_of_the_same_words_can_be_told_apart(twins):
    app = open_app(data=twins, dim="4", quantization="float32")
    options = app.selectbox(key="query").options
    assert len(set(options)) == 2
    first = columns(app)[0][2]
    app.selectbox(key="query").select("b").run()
    assert app.selectbox(key="query").value == "b"
    assert columns(app)[0][2] != first
