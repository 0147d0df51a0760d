"""Make the sample's embeddings and its evaluation anew: `python sample_data/build.py`.

The first screen then needs neither a model nor a sweep.
"""

from pathlib import Path

import numpy as np

from mrl_explorer import embed_collection, evaluate, load_model, read_beir, save_evaluation

MODEL = "wordllama-256"
FOLDER = Path(__file__).parent / "help_centre"


def main() -> None:
    """Write `help_centre/wordllama-256/`: two arrays and an evaluation."""
    model = load_model(MODEL)
    collection = embed_collection(read_beir(FOLDER), model)
    target = FOLDER / MODEL
    target.mkdir(exist_ok=True)
    for records, name in (
        (collection.documents, "documents.npy"),
        (collection.queries, "queries.npy"),
    ):
        np.save(target / name, records.vectors, allow_pickle=False)
    evaluation = evaluate(collection, model=MODEL, trained_dims=model.dims)
    save_evaluation(evaluation, target / "help_centre.evaluation")


if __name__ == "__main__":
    main()
