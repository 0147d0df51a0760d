"""What `adapt` and `train` share: the verdict in text, and the ways out of what is worth having."""

import argparse
from pathlib import Path

import numpy as np

from mrl_explorer.cli.output import align, check_target
from mrl_explorer.data import Collection
from mrl_explorer.decide.adapters import Trained, join_grid
from mrl_explorer.embed import Model, adapter_npz, save_adapted
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress
from mrl_explorer.report.adapters import (
    best_sentence,
    taught_sentence,
    verdict_rows,
    verdict_sentences,
    verdict_title,
)
from mrl_explorer.retrieval.candidates import scorer_of
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.evaluation_file import load_evaluation, save_evaluation


def add_ways_out(command: argparse.ArgumentParser, *, joins: str) -> None:
    """Add the options that say where what is worth having goes; `joins` is the help of --output."""
    add = command.add_argument
    add("--save", type=Path, metavar="FILE", help="write the matrix and a recipe as NPZ")
    add(
        "--save-model",
        type=Path,
        metavar="FOLDER",
        help="write the model, the map behind it, for SentenceTransformer to load",
    )
    add(
        "--evaluation",
        type=Path,
        metavar="FILE",
        help="of the same data and model, as `evaluate --save` wrote it: it stays as it is, and "
        "the half of the documents that it holds out judges",
    )
    add("--output", type=Path, metavar="FILE", help=joins)


def check_ways_out(options: argparse.Namespace) -> Evaluation | None:
    """Refuse what cannot be written before any work is done; open the evaluation that is named.

    Raises
    ------
    InputError
        If a folder is missing, the evaluation is given without its output or the reverse, cannot be
        read, or is of another model.
    """
    for target in (options.save, options.save_model, options.output):
        check_target(target)
    if (options.evaluation is None) != (options.output is None):
        raise InputError(
            "--evaluation and --output go together: what is to be joined, and the file to write."
        )
    if options.evaluation is None:
        return None
    evaluation = load_evaluation(options.evaluation)
    made_by = evaluation.source.model
    if None not in (made_by, options.model) and made_by != options.model:
        raise InputError(
            f"{options.evaluation.name} is an evaluation of {made_by} and not of {options.model}: "
            "name the model that it was made with."
        )
    return evaluation


def held_out_rows(evaluation: Evaluation | None) -> np.ndarray | None:
    """Give the document rows that an evaluation holds out; None where there is no such half."""
    return None if evaluation is None or evaluation.held_out is None else evaluation.held_out.rows


def check_same_data(evaluation: Evaluation, collection: Collection) -> None:
    """Refuse an evaluation of other documents, queries or vectors.

    Raises
    ------
    InputError
        If it is of others, as far as can be told.
    """
    scorer_of(evaluation, collection)
    listed, documents = evaluation.listed, collection.documents
    for identity, row in zip(listed.ids, listed.rows, strict=True):
        if documents.ids[row] != identity:
            raise InputError(
                f"Document {row} of {documents.name} is {documents.ids[row]}, and {identity} in "
                "the evaluation: give the data that it was made from."
            )


def hand_out(
    trained: Trained,
    collection: Collection,
    options: argparse.Namespace,
    *,
    evaluation: Evaluation | None,
    model: Model | None,
    on_progress: OnProgress,
) -> None:
    """Write an adapter to every place that the options name; `model` only where it is saved.

    Raises
    ------
    InputError
        If a place cannot be written.
    """
    if options.save is not None:
        try:
            options.save.write_bytes(adapter_npz(trained.components, dims=trained.cuts))
        except OSError as error:
            raise InputError(
                f"{options.save} cannot be written ({error.strerror}): choose a folder you may "
                "write to."
            ) from error
    if options.save_model is not None and model is not None:
        save_adapted(model, trained.components, options.save_model, dims=trained.cuts)
    if evaluation is not None:
        joined = join_grid(evaluation, collection, trained, on_progress=on_progress)
        save_evaluation(joined, options.output)


def figures(trained: Trained) -> str:
    """Lay the verdict out for a terminal."""
    verdict = trained.verdict
    rows = verdict_rows(verdict)
    lines = [list(rows[0])]
    lines += [[f"{v:.3f}" if isinstance(v, float) else str(v) for v in r.values()] for r in rows]
    sentences = (*verdict_sentences(verdict), taught_sentence(trained), best_sentence(trained))
    said = "".join(f"{sentence}\n" for sentence in sentences)
    return f"{verdict_title(verdict)}\n{said}{align(lines, left=set())}"
