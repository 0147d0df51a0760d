"""Make the sample's embeddings and evaluations anew: `python sample_data/build.py`.

The first screen then needs neither a model nor a sweep, and comparing two models needs no run.
"""

from pathlib import Path

import numpy as np

from mrl_explorer import embed_collection, evaluate, load_model, read_beir, save_evaluation
from mrl_explorer.embed import BUNDLED, Model, Origin
from mrl_explorer.retrieval.evaluation import record_origin

FOLDER = Path(__file__).parent / "help_centre"
SHOWN_FIRST = "wordllama-256"


def main() -> None:
    """Write the files of every bundled model."""
    for name in BUNDLED:
        build(load_model(name))


def build(model: Model) -> None:
    """Write `help_centre/<name of the model>/`: two arrays and an evaluation."""
    collection = embed_collection(read_beir(FOLDER), model)
    target = FOLDER / model.name
    target.mkdir(exist_ok=True)
    for records, name in (
        (collection.documents, "documents.npy"),
        (collection.queries, "queries.npy"),
    ):
        np.save(target / name, records.vectors, allow_pickle=False)
    evaluation = evaluate(
        collection,
        model=model.name,
        trained_dims=model.dims,
        # Lists half as long make a file half as large, and the first screen should lack nothing.
        depth=100 if model.name == SHOWN_FIRST else 50,
    )
    origin = Origin(model.name, model.dims, model.query_prompt, model.document_prompt)
    save_evaluation(record_origin(evaluation, origin), target / "help_centre.evaluation")


if __name__ == "__main__":
    main()
