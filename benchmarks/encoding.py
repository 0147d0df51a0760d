"""Time of encoding as a multiple of sentence-transformers called directly.

From the project's folder: `python -m benchmarks.encoding` or `python benchmarks/encoding.py`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.slider import invented_texts
from mrl_explorer.embed import BUNDLED, Model, embed, encode, load_model

TARGET_RATIO = 1.1

# Enough for some seconds a round on a laptop.
DEFAULT_TEXTS = {"wordllama-256": 50_000, "minilm-384": 1_000}


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(model: Model, texts: list[str], *, rounds: int) -> None:
    """Time, in turn, the library, the product and the product with its cache; print the ratios."""

    def directly() -> np.ndarray:
        # One call for all texts, at the library's own defaults and at the product's batches.
        return model.encoder.encode_document(texts, show_progress_bar=False)

    def directly_in_large_batches() -> np.ndarray:
        return model.encoder.encode_document(
            texts, batch_size=model.batch_size, show_progress_bar=False
        )

    def product() -> np.ndarray:
        return encode(model, texts, kind="document")

    def with_cache() -> np.ndarray:
        # An empty folder each time, so that everything is encoded and written.
        with tempfile.TemporaryDirectory() as folder:
            return embed(model, texts, kind="document", cache=Path(folder))

    works = {"library": directly, "encode": product, "embed": with_cache}
    if model.batch_size != 32:
        works["library, same batches"] = directly_in_large_batches
    # Held against each other before timing, which warms both up as well.
    np.testing.assert_allclose(product(), directly(), atol=1e-5)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(seconds(work))
    library = median(times["library"])
    print(f"{model.name}: {len(texts)} texts, {len(texts) / library:.0f} a second directly")
    for name in works:
        ratios = np.array(times[name]) / np.array(times["library"])
        low, high = np.percentile(ratios, (25, 75))
        print(f"  {name:22} {median(ratios):5.2f} (half of the rounds {low:.2f} to {high:.2f})")
    best = min(median(times[name]) for name in works if name.startswith("library"))
    for name in ("encode", "embed"):
        ratio = median(times[name]) / best
        verdict = "met" if ratio <= TARGET_RATIO else "missed"
        print(f"  {name}: {ratio:.2f} of the faster way directly, target {TARGET_RATIO}: {verdict}")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=list(BUNDLED), help="one of them (default: both)")
    parser.add_argument("--texts", type=int, help="how many (default: some seconds' work)")
    parser.add_argument("--words", type=int, default=60, help="words of a text, at most")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for name in [options.model] if options.model else BUNDLED:
        n_texts = options.texts or DEFAULT_TEXTS[name]
        texts = invented_texts(np.random.default_rng(0), n_texts, least=5, most=options.words)
        measure(load_model(name), texts, rounds=options.rounds)


if __name__ == "__main__":
    main()
