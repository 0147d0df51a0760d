"""How it works: pictures of the reader's own data, and the rules of thumb tested on them."""

import re
import shutil

import numpy as np

from tests.ui.apps import SAMPLE, evaluate, go, html, open_app, upload_texts
from tests.ui.test_model_page import MINILM, finish, said


def rules(app):
    """Give the verdicts of each rule, by its saying."""
    cards = re.findall(r'mrl-rule"><h4>“(.*?)”</h4>(.*?)</div>', html(app), re.DOTALL)
    return {
        saying: re.findall(r'class="said \w+">. ([\w ]+)</span>', body) for saying, body in cards
    }


def test_the_pictures_are_those_of_the_sample():
    page = finish(open_app("guide"), "pictures")
    assert not page.exception
    shown = html(page)
    assert "first 64 dims" in shown
    assert shown.count("mrl-matrix") >= 3
    assert "<b>all 256 dims</b>: the truth" in shown
    assert "nearest other kept for" in shown
    vectors = np.load(SAMPLE.parent / "documents.npy")
    assert vectors.shape[1] == 256
    for name in ("float32", "float16", "int8", "int4", "binary"):
        assert f"<td><b>{name}</b></td>" in shown
    assert "300 documents" in shown
    assert "100 candidates" in shown


def test_the_rules_are_tested_on_what_is_shown():
    page = finish(open_app("guide"), "pictures")
    found = rules(page)
    assert found["512 dims keep 95%"] == ["fails here", "cannot tell"]
    assert found["Never truncate a standard model"] == ["not asked"]
    assert "this model has 256 dims. 128 of them are tested instead." in html(page)
    page = open_app("guide", data=MINILM)
    found = rules(page)
    assert found["Never truncate a standard model"][0] == "holds here"
    assert len(found["256 is enough for a first pass"]) == 2
    assert "This one was not trained so" in said(page)


def test_an_evaluation_without_vectors_still_has_funnel_and_rules(served):
    shutil.copy(SAMPLE, served / "one.evaluation")
    page = open_app("guide", data=str(served / "one.evaluation"))
    assert not page.exception
    assert any("an evaluation without its vectors" in element.value for element in page.info)
    assert len(rules(page)) == 4
    assert "100 candidates" in html(page)
    assert 'mrl-codes"' not in html(page)


def test_ten_short_texts_are_drawn_and_shown_literally():
    documents = "id,text\n" + "".join(
        f"d{row},<b>bold</b> $5 text {'word ' * row}\n" for row in range(10)
    )
    page = open_app("data")
    upload_texts(page, documents=documents)
    evaluate(page)
    go(page, "guide")
    finish(page, "pictures")
    assert not page.exception
    assert not page.error
    assert "&lt;b&gt;bold&lt;/b&gt; $5 text" in html(page)
    assert "<b>bold</b>" not in html(page)
    assert len(rules(page)) == 4
