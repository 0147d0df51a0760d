"""The Model page in a browser: opened, measured, looked at, compared; and the page that teaches."""

import pytest
from playwright.sync_api import expect


def choose(page, name, option):
    """Choose from a list wherever it stands: it closes when the page scrolls under it."""
    box = page.get_by_role("combobox", name=name)
    box.evaluate("box => box.scrollIntoView({block: 'center', behavior: 'instant'})")
    page.evaluate("() => new Promise(done => setTimeout(done, 300))")
    box.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_a_model_is_diagnosed_and_compared(open_page):
    page = open_page("model").page
    expect(page.locator(".mrl-end[data-measured='True']")).to_be_attached()
    expect(page.get_by_text("Yes: trained to be cut")).to_be_visible()
    expect(page.get_by_text("The prefix carries more")).to_be_visible()
    expect(page.get_by_text("of the first 32, 64 and 128 dims is +")).to_be_visible()
    expect(page.get_by_text("minilm-384 is better than wordllama-256 by")).to_be_visible()
    choose(page, "Quantization", "binary")
    expect(page.get_by_text("bytes per vector in binary (log scale)").first).to_be_visible()

    chart = page.locator(".st-key-orders-chart")
    expect(chart).to_contain_text("PCA, held out")
    svg = chart.locator("svg:not([aria-hidden])").first
    ndcg = page.get_by_role("radio", name="nDCG", exact=True)
    ndcg.scroll_into_view_if_needed()
    place = svg.bounding_box()
    ndcg.click()
    expect(chart).to_contain_text("nDCG@10")
    # Nothing jumps when another measure is drawn.
    assert svg.bounding_box() == place
    page.get_by_role("radio", name="energy", exact=True).click()
    expect(chart).to_contain_text("share of squared length")

    # The other model, from the data line: nothing is promised of it.
    choose(page, "Data set", "Help centre (sample), minilm-384")
    expect(page.get_by_text("No: not trained to be cut")).to_be_visible()
    expect(page.get_by_text("Recall@10 of the first 48, 96 and 192 dims")).to_be_visible()
    expect(page.get_by_text("The prefix carries more")).to_have_count(0)


@pytest.mark.parametrize("width", [800, 1400])
@pytest.mark.parametrize(
    ("where", "last"), [("model", "Each row: the most dims"), ("guide", "In brackets the 95%")]
)
def test_nothing_is_cut_off(open_page, where, last, width):
    page = open_page(where, viewport={"width": width, "height": 900}).page
    expect(page.get_by_text(last)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_pictures_are_drawn_and_the_rules_tested(open_page):
    page = open_page("guide").page
    expect(page.locator(".mrl-matrix")).to_have_count(3)
    expect(page.locator(".mrl-codes")).to_be_visible()
    expect(page.locator(".mrl-rule")).to_have_count(4)
    expect(page.locator(".mrl-rule .said").first).to_have_text("✕ fails here")
