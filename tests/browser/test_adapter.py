"""An adapter in a browser: trained, cancelled, judged, and in the grid of the other pages."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from tests.decide.test_adapters import judged_topics


def open_model_page(page):
    page.get_by_role("link", name="Model").click()
    # Until the page has measured, a second button cancels that.
    expect(page.locator(".mrl-end[data-measured='True']")).to_be_attached()


def test_the_sample_is_trained_to_a_verdict(open_page):
    page = open_page("").page
    open_model_page(page)
    page.get_by_role("button", name="Train an adapter").click()
    expect(page.get_by_text("Step 0 is the start, PCA.")).to_be_visible()
    expect(page.get_by_text("On 150 documents that it has not seen")).to_be_visible()
    expect(page.get_by_text("relevance from the judgements of 58 queries")).to_be_visible()
    expect(page.get_by_role("button", name="Train again")).to_be_enabled()
    expect(page.get_by_text("recall@10 vs full dimension on the 150 documents")).to_be_visible()


@pytest.fixture
def misleading(data_folder):
    """Four clusters that PCA puts first, and neighbours told by three axes that vary less."""
    random = np.random.default_rng(0)
    for name, n_rows in (("documents", 3000), ("queries", 150)):
        vectors = 0.02 * random.normal(size=(n_rows, 24))
        vectors[:, :3] += 0.5 * random.normal(size=(n_rows, 3))
        vectors[:, 3:7] += 2 * np.eye(4)[random.integers(4, size=n_rows)]
        np.save(data_folder / f"{name}.npy", vectors[:, ::-1].astype(np.float32))
    return data_folder


def test_a_training_is_cancelled_and_one_that_helps_joins_the_grid(open_page, misleading):
    view = open_page("data")
    page = view.page
    page.get_by_role("radio", name="Files on this server").click()
    view.fill("Documents", str(misleading / "documents.npy"))
    view.fill("Queries", str(misleading / "queries.npy"))
    expect(page.get_by_text("3,000 documents")).to_be_visible()
    view.fill("Dims", "3, 6, 12, 24")
    page.get_by_role("button", name="Evaluate").click()
    expect(view.numbers).to_be_visible()

    open_model_page(page)
    train = page.get_by_role("button", name="Train an adapter")
    train.click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled: what was trained is gone.")).to_be_visible()
    expect(train).to_be_enabled()
    train.click()
    expect(page.get_by_text("The adapter keeps more than PCA")).to_be_visible()
    expect(page.get_by_text("there are no judgements to learn relevance from")).to_be_visible()
    expect(page.get_by_role("button", name="Matrix (NPZ)")).to_be_visible()
    page.get_by_role("button", name="Add to the grid").click()
    expect(page.get_by_role("button", name="In the grid")).to_be_disabled()

    page.get_by_role("link", name="Explore").click()
    page.get_by_role("radio", name="adapter", exact=True).click()
    expect(view.numbers).to_contain_text("adapter")
    expect(page.get_by_test_id("stMetric").filter(has_text="held out")).to_contain_text(" to ")
    page.get_by_role("link", name="Decide").click()
    expect(page.get_by_role("heading", name="Ship")).to_be_visible()
    page.get_by_role("radio", name="Table", exact=True).click()
    expect(page.get_by_test_id("stDataFrame").first).to_be_attached()
    page.get_by_role("link", name="Tiers").click()
    expect(page.get_by_text("6d int4 adapter").first).to_be_visible()


@pytest.fixture
def judged(data_folder):
    """Topics that are neither first in the model nor in the variance, and judgements by topic."""
    collection = judged_topics()
    for name, records in (("documents", collection.documents), ("queries", collection.queries)):
        columns = {"id": list(records.ids), "vector": list(records.vectors)}
        pq.write_table(pa.table(columns), data_folder / f"topic-{name}.parquet")
    pairs = collection.judgements
    rows = zip(pairs.query_rows, pairs.document_rows, strict=True)
    lines = "".join(f"{query}\t{document}\t1\n" for query, document in rows)
    (data_folder / "topics.tsv").write_text(f"query-id\tcorpus-id\tscore\n{lines}")
    return data_folder


def test_judged_pairs_teach_one_that_joins_the_grid(open_page, judged):
    view = open_page("data")
    page = view.page
    page.get_by_role("radio", name="Files on this server").click()
    view.fill("Documents", str(judged / "topic-documents.parquet"))
    view.fill("Queries", str(judged / "topic-queries.parquet"))
    view.fill("Judgements", str(judged / "topics.tsv"))
    expect(page.get_by_text("800 documents")).to_be_visible()
    view.fill("Dims", "8, 16, 64")
    page.get_by_role("button", name="Evaluate").click()
    expect(view.numbers).to_be_visible()

    open_model_page(page)
    page.get_by_role("radio", name="Judged pairs").click()
    expect(page.get_by_text("All dims weigh alike here.")).to_be_visible()
    page.get_by_role("button", name="Train an adapter").click()
    expect(page.get_by_text("How hard it is to tell a query's relevant document")).to_be_visible()
    expect(page.get_by_text("judged pairs of 120 queries with MatryoshkaLoss")).to_be_visible()
    expect(page.get_by_text("nDCG@10 by your judgements on the 400 documents")).to_be_visible()
    expect(page.get_by_role("button", name="Matrix (NPZ)")).to_be_visible()
    page.get_by_role("button", name="Add to the grid").click()
    expect(page.get_by_role("button", name="In the grid")).to_be_disabled()
    expect(page.get_by_text("800 documents · 120 queries")).to_be_visible()

    page.get_by_role("link", name="Explore").click()
    page.get_by_role("radio", name="adapter", exact=True).click()
    expect(view.numbers).to_contain_text("adapter")
    page.get_by_role("button", name="About this data").click()
    expect(page.get_by_text("120 queries taught what is relevant in a training")).to_be_visible()
