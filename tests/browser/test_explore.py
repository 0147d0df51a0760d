"""The sample, explored: every part follows, and a link brings all of it back."""

import shutil

from playwright.sync_api import expect

from tests.browser.explorer import SAMPLE

DIMS = (32, 48, 64, 96, 128, 192, 256)


def test_arrow_keys_move_numbers_results_and_chart_together(sample):
    before = sample.metrics()
    sample.slide("ArrowLeft", 96)
    assert sample.metrics() != before
    assert "96d int8" in sample.numbers.inner_text()
    assert sample.columns()[1]["config"] == "96d int8"
    assert "dim=96" in sample.page.url
    sample.slide("ArrowRight", 128)
    assert sample.metrics() == before
    sample.slide("End", 256)
    sample.slide("Home", 32)


def test_quick_presses_end_at_the_last_one(sample):
    sample.slider.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        sample.slider.press(key)
    sample.settled(32)
    assert sample.columns()[1]["config"] == "32d int8"
    assert sample.metrics()[0].split()[1] in sample.page.locator(".st-key-curves").inner_text()


def test_a_copied_link_opens_the_same_view_in_another_browser(sample, open_page):
    sample.quantize("int4", 128)
    sample.slide("ArrowLeft", 96)
    sample.pin()
    sample.slide("ArrowLeft", 64)
    sample.page.get_by_role("radio", name="pca").click()
    sample.settled(64, "64d int4 pca")
    sample.type_query("can't log in & my password? <b>50%</b> été")
    link = sample.copied_link()
    other = open_page(link)
    other.settled(64, "64d int4 pca")
    other.query_is("can't log in & my password? <b>50%</b> été")
    other.n_columns_is(3)
    assert other.columns() == sample.columns()
    assert [column["config"] for column in other.columns()] == [
        "256d float32",
        "64d int4 pca",
        "96d int4",
    ]
    assert other.metrics() == sample.metrics()


def test_a_copied_link_holds_the_picked_query(sample, open_page):
    sample.fill("Find a query", "roster")
    expect(sample.page.locator(".results-query")).to_contain_text("roster")
    query = sample.page.locator(".results-query").inner_text()
    other = open_page(sample.copied_link())
    other.query_is(query)
    assert other.columns() == sample.columns()


def test_a_copied_link_holds_k_rescoring_and_oversampling(sample, open_page):
    sample.page.get_by_text("Rescore", exact=True).click()
    expect(sample.numbers).to_contain_text("rescored from 40 candidates")
    sample.page.get_by_role("combobox", name="Oversampling").click()
    sample.page.get_by_role("option", name="3", exact=True).click()
    expect(sample.numbers).to_contain_text("rescored from 30 candidates")
    sample.page.get_by_role("spinbutton", name="k").fill("5")
    sample.page.keyboard.press("Enter")
    expect(sample.numbers).to_contain_text("rescored from 15 candidates")
    expect(sample.page.get_by_test_id("stMetric").first).to_contain_text("recall@5")
    metrics = sample.metrics()
    other = open_page(sample.copied_link())
    other.settled(128)
    expect(other.numbers).to_contain_text("rescored from 15 candidates")
    assert other.metrics() == metrics


def test_sliding_leaves_the_history_as_it_is_and_back_shows_what_the_address_says(sample):
    before = sample.page.evaluate("history.length")
    sample.slide("ArrowLeft", 96)
    sample.slide("ArrowLeft", 64)
    assert sample.page.evaluate("history.length") == before
    sample.pin()
    sample.slide("ArrowLeft", 48)
    sample.page.go_back()
    sample.settled(64, "64d int8")
    assert "dim=64" in sample.page.url
    assert sample.columns()[1]["config"] == "64d int8"


def test_pin_and_unpin(sample):
    sample.pin()
    sample.n_columns_is(3)
    sample.slide("ArrowLeft", 96)
    assert [c["config"] for c in sample.columns()] == ["256d float32", "96d int8", "128d int8"]
    assert "pin=128-int8-native" in sample.page.url
    sample.page.get_by_role("button", name="Unpin").click()
    sample.n_columns_is(2)
    expect(sample.page).not_to_have_url("pin=")


def test_a_click_on_a_point_selects_it(sample):
    points = sample.points()
    assert len(points) == 5 * len(DIMS)
    binary = points[4 * len(DIMS) :]
    assert len({point["colour"] for point in binary}) == 1
    sample.page.mouse.click(binary[2]["x"], binary[2]["y"])
    sample.settled(64, "64d binary")
    expect(sample.page.get_by_role("radio", name="binary", exact=True)).to_be_checked()
    assert "64d binary" in sample.numbers.inner_text()
    assert "dim=64" in sample.page.url
    assert "quantization=binary" in sample.page.url
    int4 = sample.points()[3 * len(DIMS) :]
    sample.page.mouse.click(int4[6]["x"], int4[6]["y"])
    sample.settled(256, "256d int4")


def test_a_point_can_be_selected_again_after_the_slider_has_moved(sample):
    point = sample.points()[4 * len(DIMS) + 2]
    sample.page.mouse.click(point["x"], point["y"])
    sample.settled(64, "64d binary")
    sample.slide("ArrowRight", 96)
    point = sample.points()[4 * len(DIMS) + 2]
    sample.page.mouse.click(point["x"], point["y"])
    expect(sample.page.locator(".mrl-numbers[data-dim='64']")).to_be_visible(timeout=10_000)


def test_a_point_tells_its_figures_when_hovered(sample):
    sample.quantize("binary", 128)
    _, recall, low, _, high = sample.metrics()[0].split()
    # Of the curves only this one lies apart from the others.
    point = sample.points()[4 * len(DIMS) + 4]
    sample.page.mouse.move(point["x"], point["y"])
    tooltip = f"binary at 128 dims: recall@10 {recall}, 95% {low} to {high}"
    expect(sample.page.get_by_text(tooltip)).to_be_visible()


def test_marks_have_a_colour_each(sample):
    sample.quantize("binary", 128)
    colours = sample.cards.evaluate_all(
        """cards => cards.map(card => [
            card.className.match(/mark-(\\w+)/)[1],
            getComputedStyle(card.querySelector(".card-badge")).color])"""
    )
    by_mark = {mark: colour for mark, colour in colours if mark in ("lost", "new", "up", "down")}
    assert len(by_mark) >= 3
    assert len(set(by_mark.values())) == len(by_mark)


def test_a_moved_slider_leaves_an_opened_card_open(sample):
    card = sample.cards.first
    card.click()
    expect(card).to_have_attribute("aria-expanded", "true")
    row = card.get_attribute("data-row")
    sample.slide("ArrowLeft", 96)
    same = sample.page.locator(f".results-column:first-child .card[data-row='{row}']")
    expect(same).to_have_attribute("aria-expanded", "true")


def test_the_keyboard_walks_along_the_cards_and_opens_them(sample):
    cards = sample.page.locator(".results-column").nth(1).locator(".card")
    cards.nth(0).focus()
    for key, place in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("ArrowUp", 0)):
        sample.page.keyboard.press(key)
        expect(cards.nth(place)).to_be_focused()
    sample.page.keyboard.press("ArrowUp")
    expect(cards.nth(0)).to_be_focused()
    closed = cards.nth(0).bounding_box()["height"]
    sample.page.keyboard.press("Enter")
    expect(cards.nth(0)).to_have_attribute("aria-expanded", "true")
    assert cards.nth(0).bounding_box()["height"] > closed
    expect(cards.nth(0).locator(".card-meta")).to_be_visible()
    sample.page.keyboard.press("Enter")
    expect(cards.nth(0)).to_have_attribute("aria-expanded", "false")
    sample.page.keyboard.press("Space")
    expect(cards.nth(0)).to_have_attribute("aria-expanded", "true")


def test_a_list_is_one_stop_of_the_tab_key(sample):
    stops = sample.cards.evaluate_all("cards => cards.map(card => card.tabIndex)")
    assert stops.count(0) == 2
    lists = sample.page.locator(".results-column")
    lists.nth(0).locator(".card").nth(0).focus()
    sample.page.keyboard.press("ArrowDown")
    sample.page.keyboard.press("Tab")
    expect(lists.nth(1).locator(".card").nth(0)).to_be_focused()


def test_the_same_document_is_outlined_in_every_column(sample):
    row = sample.cards.first.get_attribute("data-row")
    sample.cards.first.hover()
    same = sample.page.locator(f".card[data-row='{row}']")
    outlined = sample.page.locator(".card.twin")
    expect(outlined).to_have_count(same.count())
    assert same.count() == 2
    assert set(outlined.evaluate_all("cards => cards.map(card => card.dataset.row)")) == {row}


def test_a_dimension_is_added_and_the_lists_are_ranked_deeper(sample, open_page):
    page = sample.page
    page.get_by_role("radio", name="pca").click()
    page.get_by_role("button", name="Extend").click()
    field = page.get_by_role("spinbutton", name="Add a dimension")
    field.fill("100")
    field.press("Enter")
    page.get_by_role("button", name="Rank it").click()
    sample.settled(100, "100d int8 pca")
    page.keyboard.press("Escape")
    sample.slide("ArrowLeft", 96)
    sample.slide("ArrowRight", 100)
    page.get_by_role("button", name="Extend").click()
    field = page.get_by_role("spinbutton", name="Places in each list")
    field.fill("300")
    field.press("Enter")
    page.get_by_role("button", name="Rank again").click()
    expect(page.get_by_text("These lists hold all 300 documents.")).to_be_visible()
    sample.settled(100, "100d int8 pca")
    # Elsewhere the run is as it was.
    other = open_page(page.url)
    other.settled(96, "96d int8 pca")
    expect(other.page.get_by_text("This run has no 100 dimensions: 96 is shown.")).to_be_visible()


def test_another_data_set_starts_with_a_view_of_its_own(sample, data_folder):
    shutil.copy(SAMPLE, data_folder / "other.evaluation")
    sample.page.reload()
    sample.settled(128)
    sample.quantize("binary", 128)
    sample.slide("Home", 32)
    sample.page.get_by_role("combobox", name="Data set").click()
    sample.page.get_by_role("option", name="other").click()
    sample.settled(128, "128d int8")
    expect(sample.page.get_by_role("radio", name="int8", exact=True)).to_be_checked()
    assert "dim=" not in sample.page.url
    assert "other.evaluation" in sample.page.url
    sample.page.reload()
    sample.settled(128, "128d int8")
    assert "other.evaluation" in sample.page.url
