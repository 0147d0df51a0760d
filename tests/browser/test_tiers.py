"""Tiers, from the question to a funnel and to a graph that is built or cancelled."""

import numpy as np
import pytest
from playwright.sync_api import expect

RANDOM = np.random.default_rng(8)


@pytest.fixture
def tiers(open_page):
    page = open_page("tiers").page
    expect(page.locator(".mrl-chain").first).to_be_visible()
    return page


def chain(page):
    return page.locator(".mrl-chain").first.get_attribute("aria-label")


def open_section(page, name):
    page.get_by_role("radio", name=name, exact=True).click()


def test_another_target_plans_another_funnel(tiers):
    before = chain(tiers)
    assert "256d" in before
    chart = tiers.locator(".js-plotly-plot").first
    expect(chart).to_contain_text("asked for .990")
    target = tiers.get_by_role("slider").first
    target.focus()
    target.press("Home")
    expect(chart).to_contain_text("asked for .800")
    expect(tiers.locator(".mrl-chain").first).not_to_have_attribute("aria-label", before)
    assert "keep=.800" in tiers.url


def test_a_chain_of_ones_own_stands_beside(tiers):
    tiers.get_by_text("Try a chain of your own").click()
    field = tiers.get_by_role("textbox", name="Stages: dim-quantization-basis")
    field.fill("64-binary:80, 256-float32:10")
    field.press("Enter")
    own = "64d binary, 80 → 256d float32, 10"
    expect(tiers.locator(f".mrl-chain[aria-label='{own}']")).to_be_visible()


def test_the_chain_that_stands_there_is_the_one_that_is_timed(tiers):
    chosen = chain(tiers)
    # usearch does not index such codes: they are searched all the same.
    assert " int4 " in chosen.split("→")[0]
    tiers.get_by_role("button", name="Measure on this machine").click()
    expect(tiers.get_by_text("Times were measured at 300 documents")).to_be_visible()
    expect(tiers.get_by_test_id("stDataFrame").last).to_contain_text(chosen)


def test_a_graph_is_built_and_its_effort_chosen(tiers):
    open_section(tiers, "The real index")
    tiers.get_by_role("button", name="Build and measure", exact=True).click()
    expect(tiers.get_by_role("button", name="Build and measure again")).to_be_visible()
    expect(tiers.get_by_text("recall@10 of exact search")).to_be_visible()
    expect(tiers.get_by_test_id("stMetric")).to_have_count(4)
    expect(tiers.locator(".js-plotly-plot")).to_be_visible()
    effort = tiers.get_by_role("slider").last
    expect(effort).to_have_attribute("aria-valuetext", "64")
    effort.focus()
    effort.press("Home")
    expect(effort).to_have_attribute("aria-valuetext", "16")
    expect(tiers.get_by_test_id("stMetric")).to_have_count(4)


def test_a_build_can_be_cancelled_and_the_page_stays_usable(open_page, data_folder):
    np.save(data_folder / "graph_documents.npy", RANDOM.normal(size=(12_000, 64)).astype("f4"))
    np.save(data_folder / "graph_queries.npy", RANDOM.normal(size=(20, 64)).astype("f4"))
    view = open_page("data")
    view.page.get_by_role("radio", name="Files on this server").click()
    view.fill("Documents", str(data_folder / "graph_documents.npy"))
    expect(view.page.get_by_text("There are no queries")).to_be_visible()
    view.fill("Queries", str(data_folder / "graph_queries.npy"))
    expect(view.page.get_by_text("12,000 documents")).to_be_visible()
    view.evaluate()
    page = view.page
    page.get_by_role("link", name="Tiers").click()
    open_section(page, "The real index")
    for name, value in (("M", "128"), ("ef_construction", "4096")):
        field = page.get_by_role("spinbutton", name=name, exact=True)
        field.fill(value)
        field.press("Enter")
    # With so many links and candidates a build takes long.
    page.get_by_role("button", name="Build and measure", exact=True).click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(page.get_by_text("building the graph of 64d int8")).to_be_visible()
    # Nothing waits for the build.
    open_section(page, "Plan a funnel")
    expect(page.locator(".mrl-chain, [data-testid=stAlert]").first).to_be_visible()
    open_section(page, "The real index")
    cancel.click()
    expect(page.get_by_text("Cancelled: the graph built so far is gone.")).to_be_visible()
    expect(page.get_by_role("button", name="Build and measure", exact=True)).to_be_enabled()


def test_k_is_the_same_on_every_page(open_page):
    page = open_page("?k=5").settled(128).page
    k = page.get_by_role("spinbutton", name="k", exact=True)
    for name, drawn in (
        ("Tiers", ".mrl-chain"),
        ("Decide", ".mrl-end"),
        ("Explore", ".mrl-results"),
    ):
        page.get_by_role("link", name=name).click()
        page.locator(drawn).first.wait_for(state="attached")
        expect(k).to_have_value("5")
        assert "k=5" in page.url
