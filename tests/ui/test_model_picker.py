"""Choosing a model on the Data page, and what is known of it."""

import numpy as np
import pytest

from mrl_explorer.embed import REGISTRY
from mrl_explorer.ui.model_picker import matches
from tests.embed.conftest import save_tiny
from tests.ui.apps import (
    evaluate,
    fill,
    has,
    html,
    labelled,
    npy,
    open_app,
    upload,
    upload_texts,
)

OTHER = "another model"
BY_NAME = "A folder on this server"


@pytest.fixture
def page():
    page = open_app("data")
    upload_texts(page)
    return page


def choose(page, name):
    labelled(page.selectbox, "Embed with").select(name).run()


def captions(page):
    return [caption.value for caption in page.caption]


def table(page):
    (found,) = [t.value for t in page.dataframe if "Matryoshka" in t.value]
    return found


def prompts(page):
    return [area.value for area in page.text_area]


def test_the_bundled_models_come_first_and_all_are_in_the_table(page):
    assert not page.exception
    options = labelled(page.selectbox, "Embed with").options
    assert options[:2] == ["wordllama-256", "minilm-384"]
    assert options[-1] == OTHER
    assert list(table(page)["model"]) == list(REGISTRY)


def test_the_table_is_searched_word_by_word(page):
    labelled(page.text_input, "Search").set_value("NOMIC 768").run()
    assert list(table(page)["model"]) == [
        "nomic-ai/nomic-embed-text-v1.5",
        "nomic-ai/nomic-embed-text-v2-moe",
    ]
    labelled(page.text_input, "Search").set_value("no such model").run()
    assert any("No known model has these words" in info.value for info in page.info)
    labelled(page.text_input, "Search").set_value("").run()
    labelled(page.toggle, "Matryoshka only").set_value(True).run()
    assert set(table(page)["Matryoshka"]) == {"yes"}


def test_every_entry_is_found_by_its_name():
    for name, entry in REGISTRY.items():
        assert matches(entry, name)
        assert not matches(entry, f"{name} nonsense")


def test_what_is_known_of_the_chosen_model_is_said(page):
    assert any(
        c.startswith("256 dims · Matryoshka, trained at 64, 128, 256") for c in captions(page)
    )
    choose(page, "minilm-384")
    (line,) = [c for c in captions(page) if c.startswith("384 dims")]
    assert line == (
        "384 dims · not trained as Matryoshka · reads 256 tokens of a text · licence: Apache-2.0 "
        "(all-MiniLM-L6-v2), packaged under MIT"
    )
    choose(page, "nomic-ai/nomic-embed-text-v1.5")
    assert prompts(page) == ["search_query: ", "search_document: "]
    assert labelled(page.text_input, "Trained dims").value == "64, 128, 256, 512, 768"
    assert any("MRL_EXPLORER_ALLOW_REMOTE_CODE" in c for c in captions(page))


def test_a_prompt_of_several_lines_is_kept_whole(page):
    choose(page, "Qwen/Qwen3-Embedding-0.6B")
    assert prompts(page)[0].endswith("the query\nQuery:")
    assert any("any from 32" in c for c in captions(page))


def test_an_unknown_model_is_asked_for_with_what_its_files_say(page, tmp_path):
    folder = save_tiny(tmp_path / "mine", prompts={"query": "ask ", "document": "read "})
    (folder / "README.md").write_text("matryoshka_dims=[2, 4]")
    choose(page, OTHER)
    assert not page.text_area
    fill(page, BY_NAME, str(folder))
    assert prompts(page) == ["ask ", "read "]
    assert labelled(page.text_input, "Trained dims").value == "2, 4"
    assert any("not among the known ones" in c for c in captions(page))
    assert any(
        "Matryoshka, trained at 2, 4 (its files name the dims of its training)" in c
        for c in captions(page)
    )


def test_unknown_is_not_shown_as_no(page, tmp_path):
    choose(page, OTHER)
    fill(page, BY_NAME, str(save_tiny(tmp_path / "mine")))
    assert any("Matryoshka or not: unknown" in c for c in captions(page))
    assert not any("not trained as Matryoshka" in c for c in captions(page))


def test_prompts_and_dims_of_the_reader_reach_the_run(page, tmp_path):
    folder = save_tiny(tmp_path / "mine", prompts={"query": "ask ", "document": "read "})
    choose(page, OTHER)
    fill(page, BY_NAME, str(folder))
    page.text_area[0].set_value("green ")
    page.text_area[1].set_value("red ")
    labelled(page.text_input, "Trained dims").set_value("3").run()
    evaluate(page, quantizations=["float32"])
    assert not page.error
    key = page.query_params["data"]
    source = page.session_state["own_datasets"][key].evaluation.source
    assert (source.query_prompt, source.document_prompt) == ("green ", "red ")
    assert source.trained_dims == (3,)
    assert "3" in page.select_slider(key="dim").options


def test_wrong_dims_are_told_and_the_page_stays(page):
    labelled(page.text_input, "Trained dims").set_value("64, many").run()
    assert "'many' is no whole number" in page.error[0].value
    assert has(page.selectbox, "Embed with")


def test_a_hosted_model_that_cannot_be_used_says_what_to_do(page):
    choose(page, OTHER)
    fill(page, BY_NAME, "google:text-embedding-005")
    (warning,) = [w.value for w in page.warning if "google" in w.value]
    assert "make vectors there and load them as ready vectors" in warning


def test_ready_vectors_may_be_said_to_come_from_a_hosted_model():
    page = open_app("data")
    rng = np.random.default_rng(0)
    for label, name, n in (("Documents", "d.npy", 20), ("Queries", "q.npy", 3)):
        upload(page, label, name, npy(rng.normal(size=(n, 1536)).astype(np.float32)))
    page.run()
    maker = labelled(page.selectbox, "Which model made these vectors?")
    assert "openai:text-embedding-3-small" in maker.options
    assert "minilm-384" not in maker.options
    maker.select("openai:text-embedding-3-small").run()
    evaluate(page, quantizations=["float32"])
    assert not page.error
    assert "openai:text-embedding-3-small, 1,536 dimensions" in html(page)
    key = page.query_params["data"]
    source = page.session_state["own_datasets"][key].evaluation.source
    assert source.trained_dims == (512, 1536)
    assert source.query_prompt is None


def test_texts_longer_than_the_chosen_model_reads_are_counted(page):
    upload(page, "Documents", "long.csv", "id,text\n1,short\n2," + "word " * 300 + "\n")
    page.run()
    choose(page, "minilm-384")
    limit = REGISTRY["minilm-384"].max_tokens
    start = f"Longer than the {limit} tokens that this model reads: about 1 of the 2 documents ("
    assert any(warning.value.startswith(start) for warning in page.warning)
    upload(page, "Documents", "long.csv", "id,text\n1,short\n2,word\n")
    page.run()
    assert not any("this model reads" in warning.value for warning in page.warning)
