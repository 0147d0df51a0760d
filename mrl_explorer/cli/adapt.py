"""`adapt`: train a linear map that is made to be cut, and save it if it is worth having."""

import argparse
import sys
from pathlib import Path

from mrl_explorer.cli.bar import Bar
from mrl_explorer.cli.output import align, check_target, integers, loss_line
from mrl_explorer.cli.recommend import EXIT_NOTHING_HOLDS
from mrl_explorer.cli.sending import add_agreement, embed_as_agreed
from mrl_explorer.decide.adapters import LEAST_JUDGED, Trained, train_and_judge
from mrl_explorer.embed import DataSource, Told, adapter_npz, is_hosted, load_model, save_adapted
from mrl_explorer.errors import InputError
from mrl_explorer.report.adapters import (
    best_sentence,
    taught_sentence,
    verdict_rows,
    verdict_sentences,
    verdict_title,
)
from mrl_explorer.retrieval.adapter import Checkpoint
from mrl_explorer.retrieval.config import default_dims
from mrl_explorer.retrieval.evaluation import vectors_of


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `adapt` to the commands."""
    command = commands.add_parser(
        "adapt",
        help="train a linear map whose first dims keep the neighbours of all dims, and relevance",
    )
    command.set_defaults(run=_adapt)
    add = command.add_argument
    add("--corpus", required=True, metavar="PATH", help="as for evaluate")
    add("--queries", metavar="PATH", help="as for evaluate; they judge it")
    add("--corpus-vectors", metavar="PATH", help="as for evaluate")
    add("--queries-vectors", metavar="PATH", help="as for evaluate")
    add(
        "--qrels",
        metavar="PATH",
        help=f"as for evaluate; with {LEAST_JUDGED} judged queries, half teach relevance and "
        "the others judge",
    )
    add("--model", metavar="NAME", help="as for evaluate")
    add("--dims", type=integers, metavar="64,128", help="dims to be cut at (default: a ladder)")
    add("-k", "--k", type=int, default=10, help="results that count (default: 10)")
    add("--save", type=Path, metavar="FILE", help="write the matrix and a recipe as NPZ")
    add(
        "--save-model",
        type=Path,
        metavar="FOLDER",
        help="write the model with the map behind it, for SentenceTransformer to load",
    )
    add_agreement(command)


def _adapt(options: argparse.Namespace) -> int:
    """Train until it gains no more, or Ctrl-C; judge the best so far."""
    if options.k < 1:
        raise InputError(f"k = {options.k} leaves no results: choose 1 or more.")
    if options.save_model is not None and options.model is None:
        raise InputError("--save-model needs --model: name the model that makes the vectors.")
    if options.save_model is not None and is_hosted(options.model):
        raise InputError(
            f"--save-model cannot save {options.model}, which is behind its provider's API: --save "
            "writes the matrix, which goes behind the vectors that the API returns."
        )
    for target in (options.save, options.save_model):
        check_target(target)
    with Bar() as bar:
        source = DataSource(
            options.corpus,
            options.queries,
            judgements=options.qrels,
            document_vectors=options.corpus_vectors,
            query_vectors=options.queries_vectors,
            model=options.model,
        )
        collection, origin = embed_as_agreed(source, source.read(bar.show), options, bar.show)
        full_dim = vectors_of(collection.documents).shape[1]
        dims = options.dims or default_dims(full_dim, trained=origin.trained_dims)

        def tell(checkpoint: Checkpoint) -> bool:
            bar.write(loss_line(checkpoint.step, checkpoint.dims, checkpoint.losses))
            return True

        trained = train_and_judge(
            collection, dims=dims, k=options.k, goes_on=tell, on_progress=bar.show
        )
    sys.stdout.write(_figures(trained))
    if not trained.verdict.offered:
        return EXIT_NOTHING_HOLDS
    named = trained.dims[:-1]
    if options.save is not None:
        try:
            options.save.write_bytes(adapter_npz(trained.components, dims=named))
        except OSError as error:
            raise InputError(
                f"{options.save} cannot be written ({error.strerror}): choose a folder you may "
                "write to."
            ) from error
    if options.save_model is not None:
        model = load_model(options.model, Told(origin.query_prompt, origin.document_prompt))
        save_adapted(model, trained.components, options.save_model, dims=named)
    return 0


def _figures(trained: Trained) -> str:
    """Lay the verdict out for a terminal."""
    verdict = trained.verdict
    rows = verdict_rows(verdict)
    lines = [list(rows[0])]
    lines += [[f"{v:.3f}" if isinstance(v, float) else str(v) for v in r.values()] for r in rows]
    sentences = (*verdict_sentences(verdict), taught_sentence(trained), best_sentence(trained))
    said = "".join(f"{sentence}\n" for sentence in sentences)
    return f"{verdict_title(verdict)}\n{said}{align(lines, left=set())}"
