"""Two models side by side: chosen, explored, and opened from a copied link."""

import pytest
from playwright.sync_api import expect


def both_settled(view, dim):
    """Wait until numbers, results and chart of both show a dim."""
    expect(view.page.locator(f".mrl-numbers[data-dim='{dim}']")).to_be_visible()
    expect(view.page.locator(f".mrl-results[data-dim='{dim}']")).to_be_visible()
    expect(view.page.locator(".mrl-numbers-beside")).to_contain_text(f"{dim} of 384d int8")
    expect(view.page.locator(".st-key-curves .chart-label")).to_have_count(2)


def test_two_models_side_by_side(open_page):
    view = open_page(permissions=["clipboard-read", "clipboard-write"]).settled(128)
    view.page.get_by_role("combobox", name="Beside").click()
    view.page.get_by_role("option", name="Beside: Help centre (sample), minilm-384").click()
    both_settled(view, 128)
    assert [(column["title"], column["config"]) for column in view.columns()] == [
        ("wordllama-256", "128 of 256d int8"),
        ("minilm-384", "128 of 384d int8"),
    ]
    verdict = view.page.locator(".mrl-verdict")
    expect(verdict).to_contain_text("minilm-384 is better than wordllama-256 by")

    # A curve each, told apart by dash and shape too; a click on the other's takes its dim.
    lines = view.page.locator(".st-key-curves .curves-line")
    expect(lines).to_have_count(2)
    looks = lines.evaluate_all(
        "ls => ls.map(l => [l.getAttribute('stroke'), l.getAttribute('stroke-dasharray')])"
    )
    assert looks[0][0] != looks[1][0]
    assert looks[0][1] != looks[1][1]
    view.slider.focus()
    view.slider.press("ArrowLeft")
    both_settled(view, 96)
    point = view.page.locator(".chart-point[data-dim='64']").last.bounding_box()
    view.page.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    both_settled(view, 64)

    # A document that both show lights up in both.
    shared = view.page.locator(".results-column").first.locator(".card:has(.card-other)").first
    shared.hover()
    expect(view.page.locator(".card.twin")).to_have_count(2)

    view.pin()
    view.n_columns_is(3)
    link = view.copied_link()
    assert "beside=help-centre-minilm-384" in link
    other = open_page(link)
    both_settled(other, 64)
    other.n_columns_is(3)
    assert other.columns() == view.columns()
    assert other.metrics() == view.metrics()
    expect(other.page.locator(".mrl-verdict")).to_have_text(verdict.text_content())


@pytest.mark.parametrize("width", [800, 1400])
def test_nothing_is_cut_off(open_page, width):
    link = "?beside=help-centre-minilm-384&pin=32-binary-native"
    view = open_page(link, viewport={"width": width, "height": 900})
    both_settled(view, 128)
    assert view.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert view.page.locator(".chart-legend").evaluate("legend => legend.scrollHeight") <= 30
