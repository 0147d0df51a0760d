"""Data that the reader brings: uploaded, from the server's folder, odd or broken."""

import json

import pytest
from playwright.sync_api import expect

WORDS = ("red", "green", "blue", "cats", "dogs", "rivers", "mountains", "bread", "trains", "songs")
DOCUMENTS = "id,title,text\n" + "".join(
    f"d{row},About {word},A text on {word} and what they are\n" for row, word in enumerate(WORDS)
)
QUERIES = "id,text\nq0,cats and dogs\nq1,fresh bread\nq2,songs\n"


def test_uploaded_texts_from_files_to_a_typed_query(open_page):
    view = open_page("data")
    view.upload("Documents", "my documents.csv", DOCUMENTS)
    expect(view.page.get_by_text("There are no queries: add a file of queries.")).to_be_visible()
    view.upload("Queries", "my queries.csv", QUERIES)
    expect(view.page.get_by_text("10 documents, ids from the file")).to_be_visible()
    expect(view.page.get_by_text("3 queries, ids from the file")).to_be_visible()
    expect(view.page.get_by_text("from my documents.csv")).to_be_visible()
    view.evaluate()
    view.settled(128)
    view.slide("ArrowLeft", 96)
    view.quantize("binary", 96)
    view.type_query("dogs and cats")
    titles = [card[1] for card in view.columns()[0]["cards"][:2]]
    assert set(titles) == {"About cats", "About dogs"}
    view.pin()
    view.slide("ArrowLeft", 64)
    assert [c["config"] for c in view.columns()] == ["256d float32", "64d binary", "96d binary"]
    expect(view.page.get_by_role("button", name="Copy link")).to_be_disabled()
    other = open_page(view.page.url)
    expect(other.page.get_by_text("uploaded in another browser session")).to_be_visible()
    expect(other.page.get_by_text("300 documents")).to_be_visible()


def test_a_second_press_of_evaluate_is_not_possible(open_page):
    view = open_page("data")
    # Enough texts that the run is still going on when the button is looked at.
    rows = "".join(f"{row},{' '.join(WORDS)} {row} {' text' * 40}\n" for row in range(6_000))
    view.upload("Documents", "many.csv", f"id,text\n{rows}")
    expect(view.page.get_by_text("There are no queries")).to_be_visible()
    view.upload("Queries", "queries.csv", QUERIES)
    expect(view.page.get_by_text("6,000 documents")).to_be_visible()
    view.page.get_by_role("button", name="Evaluate").click()
    cancel = view.page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    still_running = view.page.get_by_role("button", name="Evaluate")
    expect(still_running).to_be_disabled(timeout=5_000)
    cancel.click()
    expect(view.page.get_by_text("Cancelled.")).to_be_visible()
    expect(still_running).to_be_enabled()


def test_a_run_on_the_servers_files_opens_by_its_link(open_page, data_folder):
    (data_folder / "documents.csv").write_text(DOCUMENTS)
    (data_folder / "queries.csv").write_text(QUERIES)
    view = open_page("data", permissions=["clipboard-read", "clipboard-write"])
    view.page.get_by_role("radio", name="Files on this server").click()
    view.fill("Documents", str(data_folder / "documents.csv"))
    expect(view.page.get_by_text("There are no queries")).to_be_visible()
    view.fill("Queries", str(data_folder / "queries.csv"))
    expect(view.page.get_by_text("10 documents, ids from the file")).to_be_visible()
    view.evaluate()
    view.settled(128)
    view.quantize("int4", 128)
    view.slide("Home", 32)
    view.pin()
    view.slide("ArrowRight", 48)
    view.type_query("fresh bread and cats")
    link = view.copied_link()
    other = open_page(link).settled(48, "48d int4")
    other.query_is("fresh bread and cats")
    other.n_columns_is(3)
    assert other.columns() == view.columns()
    assert other.metrics() == view.metrics()
    expect(other.page.get_by_text("10 documents")).to_be_visible()


ODD = [
    '<b id=made>bold</b><img src=x onerror="window.made=1"><script>window.made=1</script>',
    "**stars** _lines_ [link](https://example.org) # head",
    "It costs $5 and $10, or $x^2$ and $$y$$",
    ":red[red] :material/home: :smile: -> --",
    "\u202eright to left\u202c مرحبا بالعالم 中文 😀",
    "&lt;i&gt; &amp; ${1+1} {{2+2}} `code` \\n",
]


@pytest.fixture
def odd_view(open_page):
    records = [
        {"id": f"<u>{i}</u>", "title": text, "text": f"cats {text}"} for i, text in enumerate(ODD)
    ]
    view = open_page("data")
    view.upload("Documents", "odd.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    view.upload(
        "Queries",
        "queries.jsonl",
        "".join(json.dumps({"id": r["id"], "text": r["text"]}) + "\n" for r in records),
    )
    expect(view.page.get_by_text("6 documents, ids from the file")).to_be_visible()
    view.evaluate()
    return view.settled(128)


def test_texts_show_literally_whatever_they_hold(odd_view):
    for column in odd_view.columns():
        assert sorted(card[1] for card in column["cards"]) == sorted(ODD)
        assert sorted(card[4] for card in column["cards"]) == sorted(f"cats {text}" for text in ODD)
    made = odd_view.page.locator(
        "#made, .mrl-results :is(b, i, u, a, img, script, code, strong, em, .katex, math, h1)"
    )
    assert made.count() == 0
    assert odd_view.page.evaluate("window.made") is None
    shown = odd_view.page.locator(".results-query").inner_text()
    assert any(f"cats {text}".strip() in shown for text in ODD)
    # An override of the writing direction stays within its own card.
    directions = odd_view.page.locator(".card-rank").evaluate_all(
        "nodes => nodes.map(node => getComputedStyle(node).direction)"
    )
    assert set(directions) == {"ltr"}


def test_odd_queries_show_literally_in_the_choice(odd_view):
    odd_view.page.get_by_role("combobox", name="Query, worst first").click()
    options = odd_view.page.get_by_role("option")
    expect(options).to_have_count(len(ODD))
    texts = options.all_text_contents()
    for text in ODD:
        assert any(option.endswith(f"cats {text}") for option in texts), text
    assert odd_view.page.evaluate("window.made") is None


def test_an_odd_typed_query_shows_literally(sample):
    sample.type_query("<img src=x onerror='window.made=1'> **stars** $x$ :red[red]")
    assert sample.page.evaluate("window.made") is None
    assert sample.page.locator(".results-query :is(img, strong, .katex)").count() == 0


def test_a_bad_file_is_named_and_the_page_stays(open_page):
    view = open_page("data")
    view.upload("Documents", "documents.csv", DOCUMENTS)
    view.upload("Queries", "queries.csv", QUERIES)
    expect(view.page.get_by_text("10 documents")).to_be_visible()
    view.upload("Judgements", "qrels.tsv", "query-id\tcorpus-id\tscore\nq0\td77\t1\n")
    alert = view.page.get_by_role("alert")
    expect(alert).to_contain_text('qrels.tsv, line 2: the id "d77" is not in documents.csv')
    expect(view.page.locator("[data-testid=stFileUploader]")).to_have_count(5)
    expect(view.page.get_by_role("radio", name="Upload files")).to_be_checked()
    view.upload("Judgements", "qrels.tsv", "query-id\tcorpus-id\tscore\nq0\td4\t1\n")
    expect(view.page.get_by_text("1 judgements from qrels.tsv.")).to_be_visible()
    expect(alert).to_have_count(0)


@pytest.mark.parametrize(
    "link", ["?data=nonsense", "?data=session-1", "?data=run-0a1b", "?data=%00"]
)
def test_a_link_that_leads_nowhere_shows_the_sample(open_page, link):
    view = open_page(link).settled(128)
    expect(view.page.get_by_role("alert")).to_contain_text("The sample is shown instead.")
    expect(view.page.get_by_text("300 documents")).to_be_visible()
