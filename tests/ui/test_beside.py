"""A second evaluation beside the first on the Explore page."""

import numpy as np
import pytest

from mrl_explorer.data import Collection, make_records
from mrl_explorer.decide.beside import differences, match
from mrl_explorer.decide.summary import summarise
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import load_evaluation, save_evaluation
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.ui import explore_page
from tests.ui.apps import (
    ROOT,
    columns,
    curves,
    html,
    labelled,
    open_app,
    shown_results,
)

MINILM = ROOT / "sample_data/help_centre/minilm-384/help_centre.evaluation"


@pytest.fixture(scope="session")
def minilm():
    return load_evaluation(MINILM)


@pytest.fixture
def beside():
    """The other bundled model's evaluation of the sample."""
    return "help-centre-minilm-384"


def made(path, *, documents, queries, seed=1):
    """Save an evaluation of these texts, its vectors at random."""
    rng = np.random.default_rng(seed)

    def records(name, texts):
        return make_records(
            name=name,
            texts=texts,
            ids=[f"{name}{row}" for row in range(len(texts))],
            vectors=rng.normal(size=(len(texts), 8)).astype(np.float32),
        )

    collection = Collection(records("d", documents), records("q", queries))
    save_evaluation(evaluate(collection, dims=(4, 8), quantizations=("float32", "int8")), path)
    return str(path)


def figures(app):
    """Give the value of each figure on the page: those of the first, then of the second."""
    return [(metric.label, metric.value) for metric in app.metric]


def choice(app):
    """Give the choice of what stands beside."""
    return labelled(app.selectbox, "Beside")


def test_nothing_stands_beside_at_first(beside):
    app = open_app()
    assert choice(app).options == ["Nothing beside", "Beside: Help centre (sample), minilm-384"]
    assert choice(app).value == ""
    assert 'class="mrl-verdict"' not in html(app)
    assert [title for title, *_ in columns(app)] == ["Full dimension", "This configuration"]


def test_a_choice_shows_both_and_is_in_the_address(beside, sample, minilm):
    app = open_app(dim="64")
    choice(app).select(beside).run()
    assert not app.exception
    assert app.query_params["beside"] == beside
    config = Config(64, "int8")
    expected = []
    for evaluation in (sample, minilm):
        row = summarise(evaluation, Cutoff(10)).row(config)
        for name in ("recall", "ndcg", "mrr", "success"):
            expected.append(share_text(getattr(row, name)))
    assert [value for _, value in figures(app)] == expected
    assert "<b>wordllama-256</b> 64 of 256d int8, against its own full dimension" in html(app)
    assert "<b>minilm-384</b> 64 of 384d int8, against its own full dimension" in html(app)
    assert "150 queries · wordllama-256, 256 dimensions<br>300 documents" in html(app)
    assert "150 queries · minilm-384, 384 dimensions" in html(app)
    choice(app).select("").run()
    assert "beside" not in app.query_params
    assert len(app.metric) == 4


def test_a_link_opens_both_with_their_paired_verdict(beside, sample, minilm):
    app = open_app(beside=beside, dim="64")
    assert not app.exception
    shared, config = match(sample, minilm), Config(64, "int8")
    one, two = (summarise(evaluation, Cutoff(10)) for evaluation in (sample, minilm))
    pair = differences(one, config, two, config, shared).ndcg
    assert pair.verdict == "second better"
    figures = [f"{-value:.3f}"[1:] for value in (pair.difference, pair.high, pair.low)]
    assert (
        "<b>minilm-384 is better than wordllama-256 by {} [{}, {}] nDCG@10 on these 150 "
        "queries.</b>".format(*figures)
    ) in html(app)
    assert "Each recall@10 is against its own full dimension, which is not the same truth" in html(
        app
    )
    app.select_slider(key="dim").set_value(128).run()
    assert "<b>minilm-384</b> 128 of 384d int8" in html(app)
    assert app.query_params["beside"] == beside


def test_the_memory_of_both_is_on_one_scale(beside):
    text = html(open_app(beside=beside, dim="128"))
    assert "<b>wordllama-256</b> 128 bytes a vector (8.0× smaller)" in text
    assert "<b>minilm-384</b> 128 bytes a vector (12× smaller)" in text
    assert text.count('class="mrl-bar"') == 8


def test_the_same_query_stands_in_both_with_what_each_lost(beside, sample, minilm):
    app = open_app(beside=beside, q="q-010", dim="32")
    data = shown_results(app)["columns"]
    assert [(column["title"], column["config"]) for column in data] == [
        ("wordllama-256", "32 of 256d int8"),
        ("minilm-384", "32 of 384d int8"),
    ]
    for column, evaluation in zip(data, (sample, minilm), strict=True):
        row = evaluation.queries.ids.index("q-010")
        place = evaluation.rankings.place(Config(32, "int8"))
        truth = evaluation.rankings.place(evaluation.rankings.baseline)
        listed, true = (
            [
                evaluation.listed.ids[evaluation.listed.place(document)]
                for document in evaluation.rankings.ids[at, row, :10]
            ]
            for at in (place, truth)
        )
        assert [card["id"] for card in column["cards"]] == listed
        assert [card["id"] for card in column["lost"]] == [d for d in true if d not in listed]
        assert column["lost"]
    first, second = ({c["id"]: c for c in column["cards"]} for column in data)
    both = first.keys() & second.keys()
    assert both
    for identity in both:
        assert first[identity]["row"] == second[identity]["row"]
        assert first[identity]["other"] == second[identity]["rank"]
        assert second[identity]["other"] == first[identity]["rank"]
    known = first.keys() | {card["id"] for card in data[0]["lost"]}
    assert second.keys() - known
    assert all(second[identity]["row"] < 0 for identity in second.keys() - known)


def test_a_pin_is_a_third_column_of_the_first(beside):
    app = open_app(beside=beside)
    labelled(app.button, "Pin").click().run()
    app.select_slider(key="dim").set_value(64).run()
    assert [(title, config) for title, config, _ in columns(app)] == [
        ("wordllama-256", "64 of 256d int8"),
        ("minilm-384", "64 of 384d int8"),
        ("Pinned, wordllama-256", "128 of 256d int8"),
    ]
    assert "the full-dimension lists give way" in shown_results(app)["note"]


def test_curves_are_of_ndcg_on_one_scale_or_of_recall(beside):
    app = open_app(beside=beside, dim="64", quantization="int4")
    drawn = curves(app)
    assert drawn["measure"] == "nDCG@10"
    assert [curve["name"] for curve in drawn["curves"]] == [
        "wordllama-256, int4",
        "minilm-384, int4",
    ]
    assert [mark["kind"] for mark in drawn["marks"]] == ["chosen", "beside"]
    app.button_group(key="measure").set_value("recall").run()
    drawn = curves(app)
    assert (drawn["measure"], drawn["axis"]) == ("recall@10", "vs own full dim")
    values = [value for label, value in figures(app) if label == "recall@10"]
    assert [share_text(mark["value"]) for mark in drawn["marks"]] == values
    assert open_app(beside=beside, measure="recall").button_group(key="measure").value == "recall"


def test_a_click_on_either_curve_takes_the_nearest_dim(sample, monkeypatch):
    state = {"curve": {"point": [384, "minilm-384, int4"]}}
    monkeypatch.setattr(explore_page.st, "session_state", state)
    explore_page._take_point(sample.rankings, "native", "int4")
    assert state["dim"] == 256
    assert "quantization" not in state


def test_shorter_lists_are_read_as_far_as_they_go_and_it_says_so(beside):
    app = open_app(beside=beside, dim="64", rescore="true", oversample="8")
    assert not app.exception
    assert "64 of 256d int8, rescored from 80 candidates, against" in html(app)
    assert (
        "64 of 384d int8, rescored from 50 candidates, against its own full dimension "
        "(its lists do not hold 80 candidates)"
    ) in html(app)


def test_lists_too_short_for_k_leave_the_first_alone_and_say_so(beside):
    app = open_app(beside=beside, k="60")
    assert not app.exception
    (error,) = app.error
    assert error.value.startswith("minilm-384 cannot be shown beside: 60 candidates are more than")
    assert [title for title, *_ in columns(app)] == ["Full dimension", "This configuration"]
    app.number_input(key="k").set_value(10).run()
    assert not app.error
    assert [title for title, *_ in columns(app)] == ["wordllama-256", "minilm-384"]


def test_the_nearest_configuration_stands_beside_and_it_says_so(served):
    other = made(
        served / "other.evaluation",
        documents=[f"text {row}" for row in range(20)],
        queries=["a first question", "a second question"],
    )
    app = open_app(beside=other, quantization="binary", dim="64")
    assert not app.exception
    assert "<b>other</b> 8 of 8d float32, against its own full dimension" in html(app)
    assert "(nearest to 64d binary in its run)" in html(app)
    assert "They share no query, so nothing here says which finds better results." in html(app)
    second = shown_results(app)["columns"][1]
    assert second["empty"] == "This evaluation has no such query, by id or by text."
    assert not second["cards"]
    # Without common judgements there is nothing but recall to draw.
    assert curves(app)["measure"] == "recall@10"


def test_queries_are_matched_by_their_text_where_the_ids_differ(served, sample):
    texts = [sample.queries.texts[5], sample.queries.texts[2]]
    other = made(
        served / "other.evaluation",
        documents=[f"text {row}" for row in range(20)],
        queries=texts,
    )
    app = open_app(beside=other, q=sample.queries.ids[2])
    assert len(shown_results(app)["columns"][1]["cards"]) == 10
    app.selectbox(key="query").select(sample.queries.ids[5]).run()
    assert len(shown_results(app)["columns"][1]["cards"]) == 10
    assert "only judgements on both sides can say" in html(app)
    assert "on 2 queries" in html(app) or "2 queries cannot tell" in html(app)


def test_a_typed_query_is_searched_in_both(beside):
    app = open_app(beside=beside, typed="offline photos")
    assert not app.exception
    first, second = columns(app)
    assert (first[0], second[0]) == ("wordllama-256", "minilm-384")
    assert len(first[2]) == len(second[2]) == 10
    assert first[2] != second[2]


def test_a_typed_query_leaves_a_column_empty_that_cannot_search_it_and_says_so(served):
    texts = [f"text {row}" for row in range(20)]
    other = made(served / "other.evaluation", documents=texts, queries=["a question"])
    first, second = shown_results(open_app(beside=other, typed="offline photos"))["columns"]
    assert len(first["cards"]) == 10
    assert second["empty"].startswith("A typed query cannot be searched here")


def test_ties_of_binary_codes_are_told_of_each(beside):
    note = shown_results(open_app(beside=beside, dim="32", quantization="binary"))["note"]
    assert "wordllama-256: " in note
    assert "share the Hamming distance of place 10" in note


def test_choosing_what_stands_beside_as_the_data_set_lets_the_two_change_places(beside):
    app = open_app(beside=beside)
    labelled(app.selectbox, "Data set").select(beside).run()
    assert not app.exception
    assert app.query_params["data"] == beside
    assert app.query_params["beside"] == "help-centre"
    assert [title for title, *_ in columns(app)] == ["minilm-384", "wordllama-256"]


@pytest.mark.parametrize("key", ["nonsense", "session-1", "/etc/passwd", "run-0123", "a" * 5000])
def test_a_link_to_nothing_shows_the_first_alone_and_says_why(key):
    app = open_app(beside=key)
    assert not app.exception
    (warning,) = app.warning
    assert warning.value.endswith("Nothing is shown beside.")
    assert "beside" not in app.query_params
    assert len(columns(app)) == 2
    app.select_slider(key="dim").set_value(64).run()
    assert not app.warning


def test_a_data_set_does_not_stand_beside_itself():
    app = open_app(beside="help-centre")
    assert not app.exception
    assert not app.warning
    assert "beside" not in app.query_params
    assert len(app.metric) == 4


def test_names_are_shown_as_they_are(served):
    path = made(
        served / "<b>big $x$ & more.evaluation",
        documents=[f"text {row}" for row in range(20)],
        queries=["a question"],
    )
    text = html(open_app(beside=path))
    assert "&lt;b&gt;big $x$ &amp; more" in text
    assert "<b>big " not in text
