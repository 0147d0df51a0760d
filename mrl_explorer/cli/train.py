"""`train`: train a head or a whole model on pairs with MatryoshkaLoss; save it if it is better."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mrl_explorer.cli.bar import Bar
from mrl_explorer.cli.output import align, check_target, integers, loss_line
from mrl_explorer.cli.recommend import EXIT_NOTHING_HOLDS
from mrl_explorer.data import Collection, passages, read_pairs
from mrl_explorer.decide.training import (
    PairSplit,
    TrainingVerdict,
    judge_training,
    split_pairs,
    train_student,
)
from mrl_explorer.embed import (
    DataSource,
    Model,
    embed_collection,
    encode,
    is_hosted,
    load_model,
    save_adapted,
)
from mrl_explorer.embed.training import Head, PairCheck, Student, WholeModel
from mrl_explorer.errors import InputError
from mrl_explorer.report.adapters import pair_text
from mrl_explorer.retrieval.basis import fit_basis
from mrl_explorer.retrieval.config import default_dims


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `train` to the commands."""
    command = commands.add_parser(
        "train",
        help="train a head, or the whole model, on (query, document) pairs with MatryoshkaLoss",
    )
    command.set_defaults(run=_train)
    add = command.add_argument
    add("--model", required=True, metavar="NAME", help="as for evaluate")
    add("--pairs", type=Path, metavar="FILE", help="a table with columns 'query' and 'document'")
    add("--corpus", metavar="PATH", help="as for evaluate, instead of --pairs")
    add("--queries", metavar="PATH", help="as for evaluate")
    add("--qrels", metavar="PATH", help="as for evaluate: relevant documents make the pairs")
    add(
        "--whole-model",
        action="store_true",
        help="train all weights, which takes a GPU for most models (default: a linear head on the "
        "frozen model)",
    )
    add("--dims", type=integers, metavar="64,128", help="dims of the loss (default: a ladder)")
    add("--weights", type=_numbers, metavar="1,1", help="of the loss at each dim (default: alike)")
    add(
        "--dims-per-step",
        type=int,
        default=-1,
        metavar="N",
        help="dims drawn for each step (default: all)",
    )
    add("--batch-size", type=int, default=64, metavar="PAIRS", help="pairs a step (default: 64)")
    add("--steps", type=int, default=400, metavar="N", help="steps at most (default: 400)")
    add("-k", "--k", type=int, default=10, help="results that count (default: 10)")
    add("--save-model", type=Path, metavar="FOLDER", help="write the model here if it is better")


def _numbers(text: str) -> tuple[float, ...]:
    """Read '1,0.5'."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no list of numbers: write for example 1,0.5"
        ) from None


def _train(options: argparse.Namespace) -> int:
    """Train until it gains no more, or Ctrl-C; judge the best so far against the model before."""
    _check(options)
    collection = _collection(options)
    split = split_pairs(collection)
    if is_hosted(options.model):
        raise InputError(
            f"{options.model} is behind its provider's API, where it cannot be trained: choose a "
            "model whose files are here, or make an adapter with `adapt`."
        )
    model = load_model(options.model)
    dims = _dims(options, model)
    with Bar() as bar:
        embedded = embed_collection(collection, model, on_progress=bar.show)
        documents, queries = embedded.documents.vectors, embedded.queries.vectors
        assert documents is not None  # noqa: S101 - just embedded
        assert queries is not None  # noqa: S101 - just embedded
        before = documents[split.documents], queries[split.queries]
        compared = {"before": before}
        student: Student
        if options.whole_model:
            student = WholeModel(
                model, passages(collection.queries), passages(collection.documents)
            )
        else:
            others = np.setdiff1d(np.arange(len(documents)), split.documents)
            start = fit_basis("pca", documents[others], on_progress=bar.show).components
            assert start is not None  # noqa: S101 - principal axes have components
            compared["PCA"] = _turned(before, start)
            student = Head(start, queries, documents)

        def tell(check: PairCheck) -> None:
            bar.write(loss_line(check.step, check.dims, check.losses))

        best_step, stopped = train_student(
            student,
            split,
            dims=dims,
            weights=options.weights,
            n_dims_per_step=options.dims_per_step,
            batch_size=options.batch_size,
            n_steps=options.steps,
            on_check=tell,
            on_progress=bar.show,
        )
        if isinstance(student, Head):
            compared["trained"] = _turned(before, student.components)
        else:
            compared["trained"] = _encoded(model, collection, split, bar)
        verdict = judge_training(split, compared, dims=dims, k=options.k, on_progress=bar.show)
    ended = "stopped; the best so far" if stopped else "the best"
    sys.stdout.write(f"Trained: {ended} is from step {best_step}.\n{_figures(verdict)}")
    if not verdict.better:
        return EXIT_NOTHING_HOLDS
    if options.save_model is not None:
        _save(model, student, options.save_model, dims=dims)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot work before any work is done."""
    if (options.pairs is None) == (options.corpus is None):
        raise InputError("Give either --pairs, or --corpus with its queries and judgements.")
    for name in ("k", "steps", "batch_size"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} must be 1 or more.")
    check_target(options.save_model)


def _collection(options: argparse.Namespace) -> Collection:
    if options.pairs is not None:
        return read_pairs(options.pairs)
    return DataSource(options.corpus, options.queries, judgements=options.qrels).read()


def _dims(options: argparse.Namespace, model: Model) -> tuple[int, ...]:
    """Give the dims of the loss, checked against the model and the weights."""
    dims = options.dims or default_dims(model.full_dim, trained=model.dims)
    wrong = next((dim for dim in dims if not 1 <= dim <= model.full_dim), None)
    if wrong is not None:
        raise InputError(
            f"Dimension {wrong} is outside 1 to {model.full_dim}, the dimensions of {model.name}: "
            "choose one of those."
        )
    if options.weights is not None and len(options.weights) != len(dims):
        raise InputError(
            f"There are {len(options.weights)} weights for {len(dims)} dims "
            f"({', '.join(map(str, dims))}): give one for each."
        )
    return tuple(dims)


def _turned(
    vectors: tuple[np.ndarray, np.ndarray], components: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    documents, queries = vectors
    return documents @ components.T, queries @ components.T


def _encoded(
    model: Model, collection: Collection, split: PairSplit, bar: Bar
) -> tuple[np.ndarray, np.ndarray]:
    """Encode what judges with the model as it is by now; nothing is cached."""

    def texts(records: Sequence[str], rows: np.ndarray) -> list[str]:
        return [records[row] for row in rows]

    documents = texts(passages(collection.documents), split.documents)
    queries = texts(passages(collection.queries), split.queries)
    return (
        encode(model, documents, kind="document", on_progress=bar.show),
        encode(model, queries, kind="query", on_progress=bar.show),
    )


def _save(model: Model, student: Student, folder: Path, *, dims: tuple[int, ...]) -> None:
    if isinstance(student, Head):
        save_adapted(model, student.components, folder, dims=dims)
        return
    try:
        model.local_encoder.save(str(folder))
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}): choose a folder you may write to."
        ) from error


def _figures(verdict: TrainingVerdict) -> str:
    """Lay the verdict out for a terminal."""
    names = list(verdict.rows[0].ndcg)
    lines = [["dim", *names]]
    lines += [[str(r.dim), *(f"{r.ndcg[name]:.3f}" for name in names)] for r in verdict.rows]
    gains = ", ".join(f"{pair_text(gain)} against {name}" for name, gain in verdict.gains.items())
    title = (
        f"nDCG@{verdict.k} on {verdict.n_docs:,} documents and {verdict.n_queries:,} queries that "
        f"it has not seen, averaged over the dims: {gains}.\n"
    )
    end = "" if verdict.better else "It is no better beyond the interval, so it is not saved.\n"
    return title + end + align(lines, left=set())
