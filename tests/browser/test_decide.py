"""Decide, from a constraint to the configuration on the Explore page."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.explorer import Explorer

POINTS = ".st-key-frontier .chart-point"


class Decide(Explorer):
    """One browser window on the Decide page."""

    def answers(self, question):
        """Wait until all of the page answers a question, named as the page names it."""
        expect(
            self.page.locator(f".mrl-end[data-question^='{question} ']"), f"waited for {question}"
        ).to_be_attached()
        return self

    @property
    def question(self):
        """What all of the page answers, in full."""
        return self.page.locator(".mrl-end[data-question]").get_attribute("data-question")

    def asks(self, change):
        """Change the question, and wait until all of the page answers the new one."""
        before = self.question
        change()
        end = self.page.locator(".mrl-end[data-question]")
        expect(end).not_to_have_attribute("data-question", before)
        return self

    def fills(self, label, number):
        field = self.page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(number)
        return self.asks(lambda: field.press("Enter"))

    def choose(self, label, name):
        """Choose by keyboard: a list closes when what it stands on scrolls."""
        field = self.page.get_by_role("combobox", name=label)
        field.click()
        field.fill(name)
        expect(self.page.get_by_role("option", name=name, exact=True)).to_be_visible()
        return self.asks(lambda: field.press("Enter"))

    @property
    def title(self):
        return self.page.locator(".mrl-choice h2").inner_text()

    @property
    def sentence(self):
        return self.page.locator(".mrl-choice p").last.inner_text()

    def label(self):
        return self.page.locator(".st-key-frontier .chart-label").inner_text()

    def point(self, text):
        """The point of the chart that says so when it is pointed at."""
        return self.page.locator(f"{POINTS}[data-text^='{text}']")


@pytest.fixture
def decide(open_page):
    view = open_page("decide")
    return Decide(view.page).answers("0.95 low k=10 1e+07 plain")


def test_a_constraint_changes_the_answer_and_the_chart(decide):
    assert decide.title == "Ship 256d int8"
    assert "95% interval" in decide.sentence
    assert decide.label() == "256d int8: .995"
    points = decide.page.locator(POINTS)
    before = points.first.element_handle()
    target = decide.page.get_by_role("slider").first
    target.focus()
    target.press("Home")
    decide.answers("0.7 low k=10 1e+07 plain")
    assert decide.title != "Ship 256d int8"
    config = decide.title.removeprefix("Ship ")
    assert decide.label().startswith(f"{config}: ")
    recall = re.search(r"vs full dimension (\S+),", decide.sentence)[1]
    assert decide.label() == f"{config}: {recall}"
    # The points are the same ones, not drawn anew.
    assert before.evaluate("point => point.isConnected")
    assert "target=.700" in decide.page.url


def test_the_link_brings_the_question_back(decide, open_page):
    decide.page.get_by_role("radio", name="mean").click()
    decide.answers("0.95 mean k=10 1e+07 plain")
    decide.page.get_by_text("Rescoring allowed", exact=True).click()
    decide.answers("0.95 mean k=10 1e+07 rescore")
    other = Decide(open_page(decide.page.url).page).answers("0.95 mean k=10 1e+07 rescore")
    assert other.title == decide.title
    assert "rescored from" in other.title


def test_the_copied_link_opens_the_whole_question(open_page):
    """All that can be set is set by hand; the link then asks the same in a browser new to it."""
    view = open_page("decide", permissions=["clipboard-read", "clipboard-write"])
    decide = Decide(view.page).answers("0.95 low k=10 1e+07 plain")
    decide.asks(decide.page.get_by_text("Rescoring allowed", exact=True).click)
    decide.asks(decide.page.get_by_role("radio", name="mean").click)
    decide.fills("k", "5").choose("Engine", "faiss HNSW")
    decide.page.get_by_role("button", name="Engine settings").click()
    decide.fills("M", "64")
    decide.page.keyboard.press("Escape")
    decide.page.get_by_role("button", name="Limits").click()
    decide.choose("Bytes per vector, at most", "128")
    decide.fills("RAM in GB, at most", "60.5").fills("US dollars a month, at most", "200")
    for label, names in (
        ("Dims", ("64", "128")),
        ("Quantizations", ("int8",)),
        ("Bases", ("pca",)),
    ):
        for name in names:
            decide.choose(f"{label} that may be used", name)
            decide.page.get_by_role("listbox").press("Escape")
    decide.page.keyboard.press("Escape")
    decide.page.get_by_role("button", name="Prices and replicas").click()
    decide.fills("Replicas", "3").fills("US dollars per GB of RAM and month", "1.25")
    decide.fills("US dollars per GB of disk and month", "0.5")
    decide.page.keyboard.press("Escape")
    link = decide.copied_link()
    other = Decide(open_page(link).page).answers("0.95 mean k=5 1e+07 rescore")
    assert other.question == decide.question
    assert (other.title, other.sentence) == (decide.title, decide.sentence)
    assert "pca" in other.title
    assert "in 3 replicas" in other.sentence
    expect(other.page.get_by_text("with M = 64.")).to_be_visible()


def test_a_click_on_the_frontier_opens_that_configuration_in_explore(decide):
    decide.point("96d int4,").hover()
    expect(decide.page.locator(".st-key-frontier .chart-tooltip")).to_contain_text(
        "96d int4, 48 bytes: recall@10"
    )
    decide.point("96d int4,").click()
    view = Explorer(decide.page).settled(96, "96d int4")
    expect(view.page.get_by_role("radio", name="int4", exact=True)).to_be_checked()
    # And back: the question is still there.
    view.page.get_by_role("link", name="Decide").click()
    decide.answers("0.95 low k=10 1e+07 plain")


def test_a_worst_query_opens_with_its_results(decide):
    row = decide.page.locator(".query-list button").first
    text = row.locator("span").inner_text()
    row.click()
    view = Explorer(decide.page).settled(256, "256d int8")
    view.query_is(text.removesuffix(" …"))


def test_the_evidence_changes_alone(decide):
    title = decide.page.locator(".mrl-choice h2").element_handle()
    for name in ("Can the queries tell?", "Same bytes", "Every cell", "Table", "What others lost"):
        decide.page.get_by_role("radio", name=name, exact=True).click()
        expect(decide.page.locator(f".mrl-end[data-question$='{name}']")).to_be_attached()
    decide.page.locator(".st-key-published .chart-point").first.wait_for()
    assert title.evaluate("title => title.isConnected")
    decide.page.locator(".st-key-published .chart-point").first.click()
    Explorer(decide.page).settled(32, "32d int8")
