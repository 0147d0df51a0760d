"""What a reader sees and does on the pages, in terms of the browser."""

from pathlib import Path

from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data/help_centre/wordllama-256/help_centre.evaluation"

_CARDS = """columns => columns.map(column => ({
  title: column.querySelector(".results-title").textContent,
  config: column.querySelector(".results-config").textContent,
  note: column.querySelector(".results-note").textContent,
  cards: [...column.querySelectorAll(".card")].map(card => [
    "rank", "title", "badge", "score", "text"
  ].map(part => card.querySelector(`.card-${part}`).textContent)),
}))"""
_POINTS = """paths => paths.map(path => {
    const box = path.getBoundingClientRect();
    const colour = path.getAttribute("fill");
    return {x: box.x + box.width / 2, y: box.y + box.height / 2, colour};
  })"""


class Explorer:
    """One browser window."""

    def __init__(self, page):
        self.page = page
        self.slider = page.get_by_role("slider", name="Dimension")
        self.cards = page.locator(".mrl-results .card")
        self.numbers = page.locator(".mrl-numbers")

    def settled(self, dim, config=None):
        """Wait until numbers, results and chart all show a dim."""
        # Once each: what is drawn anew stands beside what it replaces until the run is over.
        for name in ("numbers", "results"):
            shown = self.page.locator(f".mrl-{name}[data-dim='{dim}']")
            expect(shown).to_have_count(1)
            expect(shown).to_be_visible()
        expect(self.page.get_by_test_id("stMetric").first).to_be_visible()
        label = f"{config or f'{dim}d'}"
        expect(
            self.page.locator(".st-key-curves .chart-label").filter(has_text=label).last
        ).to_be_visible()
        return self

    def slide(self, key, dim):
        self.slider.focus()
        self.slider.press(key)
        return self.settled(dim)

    def quantize(self, name, dim):
        self.page.get_by_role("radio", name=name, exact=True).click()
        return self.settled(dim, f"{dim}d {name}")

    def type_query(self, text):
        field = self.page.get_by_role("textbox", name="Or type your own")
        field.fill(text)
        field.press("Enter")
        self.query_is(text)

    def query_is(self, text):
        expect(self.page.locator(".results-query")).to_contain_text(text)

    def pin(self):
        self.page.get_by_role("button", name="Pin", exact=True).click()
        expect(self.page.get_by_role("button", name="Unpin")).to_be_visible()

    def columns(self):
        """Give each column of results: title, config, note and cards."""
        return self.page.locator(".results-column").evaluate_all(_CARDS)

    def n_columns_is(self, n):
        expect(self.page.locator(".results-column")).to_have_count(n)

    def points(self):
        """Give the centres of the chart's points, curve after curve, as they stand on screen."""
        return self.page.locator(".st-key-curves .chart-point").evaluate_all(_POINTS)

    def metrics(self):
        # The browser fetches the code of a metric only when it draws the first one.
        found = self.page.locator("[data-testid=stMetric]")
        found.first.wait_for()
        return found.all_inner_texts()

    def copied_link(self):
        self.page.get_by_role("button", name="Copy link").click()
        expect(self.page.get_by_text("Copied", exact=True)).to_be_visible()
        return self.page.evaluate("navigator.clipboard.readText()")

    def box(self, selector):
        return self.page.locator(selector).first.bounding_box()

    # The Data page.

    def open_data(self):
        self.page.get_by_role("link", name="Data").click()
        expect(self.page.get_by_role("heading", name="Your data")).to_be_visible()

    def upload(self, field, name, content):
        region = self.page.get_by_role("region", name=field)
        region.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
        )
        expect(region.get_by_role("button", name=f"Remove {name}")).to_be_visible()

    def fill(self, label, text):
        field = self.page.get_by_role("textbox", name=label)
        field.fill(text)
        field.press("Enter")

    def evaluate(self):
        self.page.get_by_role("button", name="Evaluate").click()
        expect(self.numbers).to_be_visible()
        expect(self.cards.first).to_be_visible()
