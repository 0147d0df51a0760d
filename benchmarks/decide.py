"""Every control of the Decide page, beside a slider on an empty Streamlit page.

From the project's folder: `python -m benchmarks.decide`. It needs Chromium. The evaluation has
100 configurations: 10 dims in 5 quantizations and 2 bases.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import numpy as np
from playwright.sync_api import Locator, Page, sync_playwright

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import ROOT
from benchmarks.slider import (
    BARE_SHOWS,
    BARE_STOPS,
    CHROMIUM_FLAGS,
    PAUSE_MS,
    bare_server,
    invented_texts,
    opened,
    server,
)
from benchmarks.synthetic import DEPTH, QUANTIZATIONS, clustered

DIMS = (32, 48, 64, 96, 128, 192, 256, 384, 512)
_NEAR, _JUDGED = 30, 6
"""Of the nearest documents of a query, so many are relevant, drawn at random."""

TARGET_MS = 100
"""Beyond the empty page's round trip, at most, for each control's median."""

# From the key's arrival to the frame after the one in which the places no longer show the old
# question: the verdict, and what stands last on the page.
_MEASURE = """
(places) => {
  const shown = () => places.map((place) => document.querySelector(place)?.dataset.question);
  const before = shown();
  window.painted = new Promise((resolve, reject) => {
    document.addEventListener("keydown", () => {
      const start = performance.now();
      const look = () => {
        const now = shown();
        if (now.every((one, i) => one !== undefined && one !== before[i])) {
          requestAnimationFrame(() => resolve(performance.now() - start));
        } else if (performance.now() - start > 20000) {
          reject(new Error(`still shows ${now.join(", ")}`));
        } else {
          requestAnimationFrame(look);
        }
      };
      requestAnimationFrame(look);
    }, { capture: true, once: true });
  });
  window.painted.catch(() => {});
}
"""
_VERDICT, _END = ".mrl-choice[data-question]", ".mrl-end"


@dataclass(frozen=True)
class Control:
    """A control, how to find it, and the key that changes it.

    Attributes
    ----------
    name : str
        As printed.
    find : callable
        Gives the element for the n-th press, ready for the key.
    key : callable
        Gives the key for the n-th press.
    places : tuple of str
        What must change.
    """

    name: str
    find: Callable[[Page, int], Locator]
    key: Callable[[int], str]
    places: tuple[str, ...] = (_VERDICT, _END)


def _back_and_forth(press: int) -> str:
    return "ArrowLeft" if press // 4 % 2 else "ArrowRight"


def _radio(*names: str) -> Callable[[Page, int], Locator]:
    return lambda page, press: page.get_by_role("radio", name=names[press % len(names)], exact=True)


def _entry(popover: str | None, label: str, *names: str) -> Callable[[Page, int], Locator]:
    """Give the field of a list, with an entry marked that Enter will choose."""

    def find(page: Page, press: int) -> Locator:
        field = _field(popover, "combobox", label)(page, press)
        field.click()
        field.fill(names[press % len(names)])
        page.get_by_role("option", name=names[press % len(names)], exact=True).wait_for()
        return field

    return find


def _tag(popover: str, label: str, name: str) -> Callable[[Page, int], Locator]:
    """Give the field of a list of several, where `_tag_key` adds an entry and takes it out."""
    entry, field = _entry(popover, label, name), _field(popover, "combobox", label)
    return lambda page, press: (field if press % 2 else entry)(page, press)


def _tag_key(press: int) -> str:
    return "Backspace" if press % 2 else "Enter"


def _number(popover: str | None, label: str, *values: str) -> Callable[[Page, int], Locator]:
    """Give a field for a number with a value typed in, which Enter will take."""

    def find(page: Page, press: int) -> Locator:
        field = _field(popover, "spinbutton", label)(page, press)
        field.fill(values[press % len(values)])
        return field

    return find


def _field(popover: str | None, role: Any, label: str) -> Callable[[Page, int], Locator]:
    def find(page: Page, _: int) -> Locator:
        field = page.get_by_role(role, name=label).first
        if popover is not None and not field.is_visible():
            page.get_by_role("button", name=popover).click()
        field.wait_for()
        return field

    return find


def _enter(_: int) -> str:
    return "Enter"


_SEVERAL_K = ("9", "8", "7", "6", "5", "4", "3", "2", "11", "10", "12")
LIMITS, PRICES = "Limits", "Prices and replicas"
CONTROLS = (
    Control("target", lambda page, _: page.get_by_role("slider").nth(0), _back_and_forth),
    Control("vectors", lambda page, _: page.get_by_role("slider").nth(1), _back_and_forth),
    Control("asked of the", _radio("mean", "lower end"), lambda _: "Space"),
    Control(
        "rescoring allowed",
        lambda page, _: page.locator(".st-key-may_rescore input"),
        lambda _: "Space",
    ),
    Control("what must hold", _radio("nDCG kept", "recall"), lambda _: "Space"),
    Control("k", _number(None, "k", *_SEVERAL_K), _enter),
    Control("engine", _entry(None, "Engine", "Qdrant", "Milvus", "hnswlib", "any"), _enter),
    Control("bytes, at most", _entry(LIMITS, "Bytes per vector", "96", "192", "any"), _enter),
    Control("RAM, at most", _number(LIMITS, "RAM in GB", "5", "20", "8"), _enter),
    Control("cost, at most", _number(LIMITS, "US dollars a month", "20", "100", "50"), _enter),
    Control("dims", _tag(LIMITS, "Dims that may", "512"), _tag_key),
    Control("quantizations", _tag(LIMITS, "Quantizations that may", "int8"), _tag_key),
    Control("bases", _tag(LIMITS, "Bases that may", "native"), _tag_key),
    Control("replicas", _number(PRICES, "Replicas", "2", "3", "1"), _enter),
    Control("price of RAM", _number(PRICES, "GB of RAM", "2", "5", "3.8"), _enter),
    Control("price of disk", _number(PRICES, "GB of disk", "0.1", "0.2", "0.08"), _enter),
    Control(
        "evidence",
        _radio(
            "Same bytes",
            "Every cell",
            "Table",
            "What others lost",
            "Can the queries tell?",
            "Where it hurts",
        ),
        lambda _: "Space",
        (_END,),
    ),
)


def press(page: Page, control: Control, number: int) -> float:
    """Change a control, and give the milliseconds until the page shows it."""
    page.bring_to_front()
    element = control.find(page, number)
    element.focus()
    page.wait_for_timeout(PAUSE_MS)
    page.evaluate(_MEASURE, list(control.places))
    page.keyboard.press(control.key(number))
    return float(page.evaluate("window.painted"))


@contextmanager
def product_server(*, n_docs: int, n_queries: int, full_dim: int) -> Iterator[str]:
    """Serve the product, and give the address of its page on an evaluation of this size."""
    from mrl_explorer import evaluate, save_evaluation  # noqa: PLC0415
    from mrl_explorer.data import Collection, Judgements, make_records  # noqa: PLC0415

    documents, queries = clustered(n_docs=n_docs, n_queries=n_queries, full_dim=full_dim)
    random = np.random.default_rng(1)
    texts = [
        invented_texts(random, n, least=least, most=most)
        for n, least, most in ((n_docs, 20, 60), (n_queries, 4, 10))
    ]
    near = np.argpartition(-(queries @ documents.T), _NEAR, axis=1)[:, :_NEAR]
    judged = random.permuted(near, axis=1)[:, :_JUDGED]
    judgements = Judgements(
        "judgements",
        np.repeat(np.arange(n_queries, dtype=np.int32), _JUDGED),
        judged.ravel().astype(np.int32),
        np.ones(judged.size, np.float32),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "benchmark.evaluation"
        start = time.perf_counter()
        evaluation = evaluate(
            Collection(
                make_records(name="documents", texts=texts[0], vectors=documents),
                make_records(name="queries", texts=texts[1], vectors=queries, what="queries"),
                judgements=judgements,
            ),
            dims=[*(dim for dim in DIMS if dim < full_dim), full_dim],
            quantizations=QUANTIZATIONS,
            bases=("native", "pca"),
            depth=DEPTH,
        )
        save_evaluation(evaluation, path)
        print(
            f"{len(evaluation.rankings.configs)} configurations of {n_docs} documents and "
            f"{n_queries} queries in {time.perf_counter() - start:.0f} s",
            flush=True,
        )
        environment = {**os.environ, "MRL_EXPLORER_DATA": str(path.parent)}
        with server(ROOT / "streamlit_app.py", folder=ROOT, environment=environment) as url:
            yield f"{url}/decide?data={quote(str(path), safe='')}"


def main() -> None:
    """Measure the empty page and every control in one browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--dim", type=int, default=768, help="dimensions of the vectors")
    parser.add_argument("--presses", type=int, default=16, help="on each control")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="path of the browser")
    options = parser.parse_args()
    with ExitStack() as stack:
        bare_url = stack.enter_context(bare_server())
        url = stack.enter_context(
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
        page = context.new_page()
        met = True
        for control in CONTROLS:
            # Each from the page as it opens, whatever the others left behind.
            page.goto(url)
            page.wait_for_selector(_END, state="attached", timeout=120_000)
            page.wait_for_timeout(2000)
            first = press(page, control, 0)
            times, empty = [], []
            for number in range(1, options.presses + 1):
                empty.append(bare.press())
                times.append(press(page, control, number))
            beyond = median(times) - median(empty)
            met &= beyond <= TARGET_MS
            print(
                f"{control.name:18} median {median(times):4.0f} ms, empty page "
                f"{median(empty):4.0f} ms, {beyond:+4.0f} ms (first use {first:.0f} ms)"
                f"{'' if beyond <= TARGET_MS else '  MISSED'}",
                flush=True,
            )
        print(f"target at most {TARGET_MS} ms beyond the empty page: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
