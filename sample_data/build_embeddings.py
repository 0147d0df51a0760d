"""Embed the help centre sample with the bundled model: `python sample_data/build_embeddings.py`."""

from pathlib import Path

import numpy as np

from mrl_explorer.data import passages, read_beir
from mrl_explorer.embed import embed, load_model

MODEL = "wordllama-256"
FOLDER = Path(__file__).parent / "help_centre"


def main() -> None:
    """Write documents.npy and queries.npy, float32, row for row those of the JSONL files."""
    collection = read_beir(FOLDER)
    model = load_model(MODEL)
    target = FOLDER / MODEL
    target.mkdir(exist_ok=True)
    documents = embed(model, passages(collection.documents), kind="document", cache=None)
    queries = embed(model, passages(collection.queries), kind="query", cache=None)
    np.save(target / "documents.npy", documents)
    np.save(target / "queries.npy", queries)


if __name__ == "__main__":
    main()
