"""Two browsers at once: neither waits for the other's page, nor does one stop the other's work."""

from playwright.sync_api import expect

from tests.browser.test_own_data import DOCUMENTS, QUERIES, WORDS


def started(open_page, *, n_documents, name):
    """A browser that has started a run of its own."""
    view = open_page("data")
    rows = "".join(f"{row},{' '.join(WORDS)} {row} {' text' * 60}\n" for row in range(n_documents))
    view.upload("Documents", name, f"id,text\n{rows}")
    expect(view.page.get_by_text("There are no queries")).to_be_visible()
    view.upload("Queries", "queries.csv", QUERIES)
    expect(view.page.get_by_text(f"{n_documents:,} documents")).to_be_visible()
    view.page.get_by_role("button", name="Evaluate").click()
    return view, view.page.get_by_role("button", name="Cancel")


def test_one_browser_slides_while_another_s_work_goes_on(open_page):
    worker, cancel = started(open_page, n_documents=40_000, name="many.csv")
    expect(cancel).to_be_visible()
    # Opened, slid and searched to the end while the other works.
    view = open_page().settled(128)
    before = view.metrics()
    view.slide("ArrowLeft", 96)
    view.slide("ArrowLeft", 64)
    assert view.metrics() != before
    view.quantize("binary", 64)
    view.type_query("cancel my plan")
    expect(cancel).to_be_visible()

    # It has work of its own, which the other's Cancel leaves alone.
    view.open_data()
    view.upload("Documents", "few.csv", DOCUMENTS)
    expect(view.page.get_by_text("There are no queries")).to_be_visible()
    view.upload("Queries", "queries.csv", QUERIES)
    expect(view.page.get_by_text("10 documents, ids from the file")).to_be_visible()
    view.page.get_by_role("button", name="Evaluate").click()
    cancel.click()
    expect(worker.page.get_by_text("Cancelled. Embeddings made so far are kept.")).to_be_visible()
    expect(worker.page.get_by_role("button", name="Evaluate")).to_be_enabled()
    expect(view.numbers).to_be_visible()
    view.settled(128)
