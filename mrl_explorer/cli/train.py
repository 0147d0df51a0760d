"""`train`: a head, or a whole model, on pairs with MatryoshkaLoss; given out if it is better."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrl_explorer.cli.adapters import (
    add_ways_out,
    check_same_data,
    check_ways_out,
    figures,
    hand_out,
    held_out_rows,
)
from mrl_explorer.cli.bar import Bar
from mrl_explorer.cli.output import align, integers, loss_line
from mrl_explorer.cli.recommend import EXIT_NOTHING_HOLDS
from mrl_explorer.data import Collection, passages, read_pairs
from mrl_explorer.decide.adapters import leave_out
from mrl_explorer.decide.training import (
    PairSplit,
    TrainingVerdict,
    judge_training,
    split_pairs,
    train_head,
    train_student,
)
from mrl_explorer.embed import (
    DataSource,
    Model,
    Origin,
    Told,
    embed_collection,
    encode,
    is_hosted,
    load_model,
    save_trained,
)
from mrl_explorer.embed.training import (
    MODEL_RATE,
    N_STEPS,
    STATIC_SHARE,
    PairCheck,
    TrainingSettings,
    WholeModel,
)
from mrl_explorer.errors import InputError
from mrl_explorer.report.adapters import pair_text
from mrl_explorer.retrieval.basis import RUN_BASES
from mrl_explorer.retrieval.config import default_dims
from mrl_explorer.retrieval.evaluation import (
    Evaluation,
    Source,
    evaluate,
    record_origin,
    vectors_of,
)
from mrl_explorer.retrieval.evaluation_file import save_evaluation


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
        "frozen model, which is an adapter)",
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
    add(
        "--steps",
        type=int,
        default=N_STEPS,
        metavar="N",
        help=f"steps at most (default: {N_STEPS})",
    )
    add(
        "--learning-rate",
        type=float,
        metavar="RATE",
        help=f"of --whole-model (default: {MODEL_RATE:g}, or {STATIC_SHARE} of the size of the "
        "entries of a static model)",
    )
    add("-k", "--k", type=int, default=10, help="results that count (default: 10)")
    add_ways_out(
        command,
        joins="write that evaluation here without the queries that taught, and with the head in "
        "its grid, as the basis adapter; with --whole-model and --save-model, what the trained "
        "model makes of the same data in the same configurations, to be opened beside that one",
    )


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
    evaluation = check_ways_out(options)
    made = Source("", "") if evaluation is None else evaluation.source
    collection = _collection(options)
    # Too few pairs are told before anything is loaded.
    split = split_pairs(
        collection, unseen=held_out_rows(evaluation), exclude_self=made.exclude_self
    )
    if is_hosted(options.model):
        raise InputError(
            f"{options.model} is behind its provider's API, where it cannot be trained: choose a "
            "model whose files are here, or make an adapter with `adapt`."
        )
    model = load_model(options.model, Told(made.query_prompt, made.document_prompt))
    settings = TrainingSettings(
        _dims(options, model),
        options.weights,
        options.dims_per_step,
        options.batch_size,
        options.steps,
    )
    with Bar() as bar:
        collection = embed_collection(collection, model, on_progress=bar.show)
    if evaluation is not None:
        check_same_data(evaluation, collection)
    if options.whole_model:
        return _train_whole(options, model, collection, split, evaluation, settings)
    return _train_head(options, model, collection, evaluation, settings)


def _train_head(
    options: argparse.Namespace,
    model: Model,
    collection: Collection,
    evaluation: Evaluation | None,
    settings: TrainingSettings,
) -> int:
    with Bar() as bar:
        trained = train_head(
            collection,
            settings,
            k=options.k,
            exclude_self=evaluation is not None and evaluation.source.exclude_self,
            unseen=held_out_rows(evaluation),
            goes_on=_teller(bar),
            on_progress=bar.show,
        )
    sys.stdout.write(figures(trained))
    if not trained.verdict.offered:
        return EXIT_NOTHING_HOLDS
    with Bar() as bar:
        hand_out(
            trained, collection, options, evaluation=evaluation, model=model, on_progress=bar.show
        )
    return 0


def _train_whole(
    options: argparse.Namespace,
    model: Model,
    collection: Collection,
    split: PairSplit,
    evaluation: Evaluation | None,
    settings: TrainingSettings,
) -> int:
    with Bar() as bar:
        best_step, stopped = train_student(
            WholeModel(
                model,
                passages(collection.queries),
                passages(collection.documents),
                options.learning_rate,
            ),
            split,
            settings,
            goes_on=_teller(bar),
            on_progress=bar.show,
        )
        before = (
            vectors_of(collection.documents)[split.documents],
            vectors_of(collection.queries)[split.queries],
        )
        compared = {"before": before, "trained": _encoded(model, collection, split, bar)}
        verdict = judge_training(
            split, compared, dims=settings.dims, k=options.k, on_progress=bar.show
        )
    ended = "stopped; the best so far" if stopped else "the best"
    sys.stdout.write(f"Trained: {ended} is from step {best_step}.\n{_figures(verdict)}")
    if not verdict.better:
        return EXIT_NOTHING_HOLDS
    if options.save_model is not None:
        save_trained(model, options.save_model, dims=tuple(sorted(settings.dims)))
    if evaluation is not None:
        with Bar() as bar:
            again = _evaluated(options.save_model, collection, split, evaluation, bar)
        save_evaluation(again, options.output)
    return 0


def _evaluated(
    folder: Path, collection: Collection, split: PairSplit, evaluation: Evaluation, bar: Bar
) -> Evaluation:
    """Evaluate a model that was trained and saved, in the configurations of another's evaluation.

    Without the queries that taught it; the documents that did stay, and a note says so.
    """
    told = Told(evaluation.source.query_prompt, evaluation.source.document_prompt)
    trained = load_model(str(folder), told)
    texts = replace(
        collection,
        documents=replace(collection.documents, vectors=None),
        queries=replace(collection.queries, vectors=None),
    )
    rankings = evaluation.rankings
    configs = [config for config in rankings.configs if config.basis in RUN_BASES]
    again = evaluate(
        embed_collection(texts, trained, on_progress=bar.show),
        dims=sorted({config.dim for config in configs}),
        quantizations=list(dict.fromkeys(config.quantization for config in configs)),
        bases=list(dict.fromkeys(config.basis for config in configs)),
        depth=rankings.depth,
        exclude_self=evaluation.source.exclude_self,
        model=str(folder),
        trained_dims=trained.dims,
        on_progress=bar.show,
    )
    n_seen = len(np.unique([*split.training.documents, *split.stopping.documents]))
    origin = Origin(
        str(folder),
        trained.dims,
        trained.query_prompt,
        trained.document_prompt,
        (
            f"This model was trained on pairs with {n_seen:,} of these documents, which may "
            "flatter its relevance.",
        ),
    )
    return leave_out(record_origin(again, origin), collection, split.taught)


def _teller(bar: Bar) -> Callable[[PairCheck], bool]:
    def tell(check: PairCheck) -> bool:
        bar.write(loss_line(check.step, check.dims, check.losses))
        return True

    return tell


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot work before any work is done."""
    if (options.pairs is None) == (options.corpus is None):
        raise InputError("Give either --pairs, or --corpus with its queries and judgements.")
    for name in ("k", "steps", "batch_size"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} must be 1 or more.")
    if options.pairs is not None and options.evaluation is not None:
        raise InputError(
            "--evaluation needs --corpus: the documents of a table of pairs are not those of an "
            "evaluation."
        )
    if options.learning_rate is not None and not options.learning_rate > 0:
        raise InputError(f"--learning-rate {options.learning_rate:g} learns nothing: choose more.")
    if not options.whole_model:
        if options.learning_rate is not None:
            raise InputError("--learning-rate is for --whole-model: a head has its own.")
        return
    if options.save is not None:
        raise InputError(
            "--save writes the matrix of a head, and --whole-model trains none: use --save-model."
        )
    if options.output is not None and options.save_model is None:
        raise InputError(
            "--output with --whole-model needs --save-model: the evaluation names the model by "
            "its folder."
        )


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
