"""A move of the Explore page's dimension slider, beside the same on an empty Streamlit page.

From the project's folder: `python -m benchmarks.slider` or `python benchmarks/slider.py`. It needs
Chromium.
"""

import argparse
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import quote

import numpy as np
from playwright.sync_api import BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import ROOT
from benchmarks.synthetic import DEPTH, QUANTIZATIONS, clustered, dims_up_to

# What each page shows as its value, in every place that must show it before a move counts as
# painted. Expressions of the page's own JavaScript; a place that is not there gives undefined.
PRODUCT_SHOWS = """
[
  document.querySelector(".mrl-numbers")?.dataset.dim,
  document.querySelector(".mrl-results")?.dataset.dim,
  // The label of the chosen point: "256d int8: .873".
  [...document.querySelectorAll(".st-key-curves .chart-label")]
    .map((text) => text.textContent.match(/^([0-9]+)d /)?.[1])
    .find((dim) => dim !== undefined),
]
"""
BARE_SHOWS = """
[document.querySelector("[data-testid=stText]")?.textContent.trim()]
"""

BARE_PAGE = """
import streamlit as st

value = st.slider("Dimension", 0, 100, 50)
st.text(value)
"""
BARE_STOPS = tuple(map(str, range(101)))

TARGET_RATIO = 1.6
WARM_UP = 3
PAUSE_MS = 400
"""Between presses, so that what the last one left behind (garbage, late paints) is done with."""

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# From the key's arrival to the frame after the one in which every place shows the new value: when
# the next frame begins, that one has been painted.
_MEASURE = """
([expected, limit]) => {
  const shown = () => SHOWS;
  window.painted = new Promise((resolve, reject) => {
    document.addEventListener("keydown", () => {
      const start = performance.now();
      const look = () => {
        const values = shown();
        if (values.every((value) => value === expected)) {
          requestAnimationFrame(() => resolve(performance.now() - start));
        } else if (performance.now() - start > limit) {
          reject(new Error(`waited for ${expected}, the page shows ${values.join(", ")}`));
        } else {
          requestAnimationFrame(look);
        }
      };
      requestAnimationFrame(look);
    }, { capture: true, once: true });
  });
  // Rejected before anyone waits for it, it would be reported as an error of the page.
  window.painted.catch(() => {});
}
"""
_LIMIT_MS = 20_000


@dataclass
class Slider:
    """A page with a slider, and the times of its moves.

    Attributes
    ----------
    page : Page
        Open in the browser.
    shows : str
        JavaScript that gives what the page shows, place by place.
    stops : sequence of str
        The slider's stops in order, as the page shows them.
    first, later : list of float
        Milliseconds of moves to stops not seen before, and to those seen.
    """

    page: Page
    shows: str
    stops: Sequence[str]
    first: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _step: int = 1

    def wait(self) -> None:
        """Wait until every place shows one and the same stop."""
        try:
            self.page.wait_for_function(
                f"(stops) => {{ const values = {self.shows.strip()};"
                " return stops.includes(values[0]) && values.every((v) => v === values[0]); }",
                arg=list(self.stops),
                timeout=60_000,
            )
        except PlaywrightError:
            print(
                f"{self.page.url} shows {self.page.evaluate(self.shows)}, and not one stop of "
                f"{', '.join(self.stops)}. The page at the time:\n"
                f"{self.page.inner_text('body')[:2000]}"
            )
            raise

    def press(self) -> float:
        """Move by one stop, back and forth between the ends, and give the milliseconds."""
        here = self.stops.index(self.page.evaluate(self.shows)[0])
        if not 0 <= here + self._step < len(self.stops):
            self._step = -self._step
        target = self.stops[here + self._step]
        self._seen.add(self.stops[here])
        self.page.bring_to_front()
        self.page.get_by_role("slider", name="Dimension").focus()
        self.page.wait_for_timeout(PAUSE_MS)
        self.page.evaluate(_MEASURE.replace("SHOWS", self.shows.strip()), [target, _LIMIT_MS])
        self.page.keyboard.press("ArrowRight" if self._step > 0 else "ArrowLeft")
        try:
            elapsed = float(self.page.evaluate("window.painted"))
        except PlaywrightError:
            print(f"The page at the time:\n{self.page.inner_text('body')[:2000]}")
            raise
        (self.later if target in self._seen else self.first).append(elapsed)
        self._seen.add(target)
        return elapsed

    @property
    def times(self) -> list[float]:
        """Milliseconds of all moves."""
        return self.first + self.later

    def forget_times(self) -> None:
        """Start measuring anew."""
        self.first.clear()
        self.later.clear()


@contextmanager
def server(script: Path, *options: str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Serve a Streamlit script from `folder`, whose configuration applies; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command += ["--server.headless", "true", "--browser.gatherUsageStats", "false", *options]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            for _ in range(120):
                if process.poll() is not None or _healthy(port):
                    break
                time.sleep(0.5)
            if not _healthy(port):
                log.seek(0)
                sys.exit(f"{script.name} is not served:\n{log.read().decode(errors='replace')}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def bare_server() -> Iterator[str]:
    """Serve the empty page at Streamlit's default settings, whatever this user has set."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(BARE_PAGE, encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}
        environment["HOME"] = folder
        with server(script, folder=Path(folder), environment=environment) as url:
            yield url


@contextmanager
def product_server(*, n_docs: int, n_queries: int, full_dim: int) -> Iterator[str]:
    """Serve the product, and give the address of its page on an evaluation of this size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "benchmark.evaluation"
        start = time.perf_counter()
        save_synthetic_evaluation(path, n_docs=n_docs, n_queries=n_queries, full_dim=full_dim)
        print(
            f"evaluation of {n_docs} x {full_dim} documents and {n_queries} queries made in "
            f"{time.perf_counter() - start:.0f} s, {path.stat().st_size / 1e6:.0f} MB",
            flush=True,
        )
        environment = {**os.environ, "MRL_EXPLORER_DATA": str(path.parent)}
        with server(ROOT / "streamlit_app.py", folder=ROOT, environment=environment) as url:
            yield f"{url}/?data={quote(str(path), safe='')}"


def save_synthetic_evaluation(path: Path, *, n_docs: int, n_queries: int, full_dim: int) -> None:
    """Evaluate synthetic vectors with invented texts, and save the result."""
    # Only this part needs the library: pages at an address given by hand are measured without.
    from mrl_explorer import evaluate, save_evaluation  # noqa: PLC0415
    from mrl_explorer.data import Collection, make_records  # noqa: PLC0415

    documents, queries = clustered(n_docs=n_docs, n_queries=n_queries, full_dim=full_dim)
    random = np.random.default_rng(1)
    collection = Collection(
        make_records(
            name="documents.jsonl",
            texts=invented_texts(random, n_docs, least=20, most=60),
            vectors=documents,
        ),
        make_records(
            name="queries.jsonl",
            texts=invented_texts(random, n_queries, least=4, most=10),
            vectors=queries,
            what="queries",
        ),
    )
    evaluation = evaluate(
        collection,
        dims=dims_up_to(full_dim),
        quantizations=QUANTIZATIONS,
        bases=("native",),
        depth=DEPTH,
    )
    save_evaluation(evaluation, path)


def invented_texts(random: np.random.Generator, n: int, *, least: int, most: int) -> list[str]:
    """Invent texts of `least` to `most` words each."""
    beginnings = ["re", "un", "con", "in", "de", "pro", "per", "sub", "trans", "inter"]
    stems = [
        "port",
        "form",
        "struct",
        "tract",
        "vers",
        "spect",
        "dict",
        "scrib",
        "duct",
        "mit",
        "ject",
        "cept",
    ]
    endings = ["s", "ed", "ing", "er", "ion", "able", "ive", "or", "al", "ment"]
    words = np.array([a + b + c for a in beginnings for b in stems for c in endings])
    lengths = random.integers(least, most + 1, size=n)
    drawn = words[random.integers(len(words), size=lengths.sum())]
    return [" ".join(part) for part in np.split(drawn, np.cumsum(lengths)[:-1])]


def opened(context: BrowserContext, url: str, shows: str, stops: Sequence[str]) -> Slider:
    """Open a page and warm it up."""
    page = context.new_page()
    page.goto(url)
    slider = Slider(page, shows, stops)
    slider.wait()
    for _ in range(WARM_UP):
        slider.press()
    slider.forget_times()
    return slider


def report(bare: Slider, product: Slider | None) -> None:
    """Print medians and their ratio."""
    print(f"\nempty page: median {_spread(bare.times)}")
    if product is None:
        return
    print(f"product:    median {_spread(product.times)}")
    if product.first:
        print(f"  of these, the first visit of a stop: median {_spread(product.first)}")
    ratio = median(product.times) / median(bare.times)
    verdict = "met" if ratio <= TARGET_RATIO else "missed"
    print(f"ratio of the medians: {ratio:.2f}, target at most {TARGET_RATIO}: {verdict}")


def _spread(times: Sequence[float]) -> str:
    low, high = np.percentile(times, (25, 75))
    return f"{median(times):.0f} ms (half of {len(times)} within {low:.0f} to {high:.0f})"


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--dim", type=int, default=768, help="dimensions of the vectors")
    parser.add_argument("--presses", type=int, default=20, help="on each page")
    parser.add_argument("--url", help="a page that is already served, instead of a synthetic one")
    parser.add_argument("--stops", help="its dims, as 32,64,128; by default those of --dim")
    parser.add_argument("--bare-only", action="store_true", help="measure the empty page alone")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="path of the browser")
    return parser.parse_args()


def main() -> None:
    """Measure both pages in one browser, in turn."""
    options = parse()
    stops = options.stops.split(",") if options.stops else map(str, dims_up_to(options.dim))
    with ExitStack() as stack:
        bare_url = stack.enter_context(bare_server())
        product_url = options.url
        if product_url is None and not options.bare_only:
            product_url = stack.enter_context(
                product_server(
                    n_docs=options.documents, n_queries=options.queries, full_dim=options.dim
                )
            )
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=options.chromium, args=list(CHROMIUM_FLAGS)
        )
        stack.callback(browser.close)
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        bare = opened(context, bare_url, BARE_SHOWS, BARE_STOPS)
        product = None
        if not options.bare_only:
            product = opened(context, product_url, PRODUCT_SHOWS, tuple(stops))
        for number in range(1, options.presses + 1):
            line = f"press {number:>2}: empty page {bare.press():4.0f} ms"
            if product is not None:
                line += f", product {product.press():4.0f} ms"
            print(line, flush=True)
        report(bare, product)


if __name__ == "__main__":
    main()
