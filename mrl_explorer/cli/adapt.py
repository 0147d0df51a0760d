"""`adapt`: train a linear map that is made to be cut, and give it out if it is worth having."""

import argparse
import sys

from mrl_explorer.cli.adapters import (
    add_ways_out,
    check_same_data,
    check_ways_out,
    figures,
    hand_out,
    held_out_rows,
)
from mrl_explorer.cli.bar import Bar
from mrl_explorer.cli.output import integers, loss_line
from mrl_explorer.cli.recommend import EXIT_NOTHING_HOLDS
from mrl_explorer.cli.sending import add_agreement, embed_as_agreed
from mrl_explorer.decide.adapters import LEAST_JUDGED, train_and_judge
from mrl_explorer.embed import DataSource, Told, is_hosted, load_model
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.adapter import Checkpoint
from mrl_explorer.retrieval.config import default_dims
from mrl_explorer.retrieval.evaluation import Source, vectors_of


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
    add_ways_out(
        command,
        joins="write that evaluation here with the adapter in its grid, without the queries that "
        "taught it",
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
    evaluation = check_ways_out(options)
    made = Source("", "") if evaluation is None else evaluation.source
    with Bar() as bar:
        source = DataSource(
            options.corpus,
            options.queries,
            judgements=options.qrels,
            document_vectors=options.corpus_vectors,
            query_vectors=options.queries_vectors,
            model=options.model,
            query_prompt=made.query_prompt,
            document_prompt=made.document_prompt,
        )
        collection, origin = embed_as_agreed(source, source.read(bar.show), options, bar.show)
        if evaluation is not None:
            check_same_data(evaluation, collection)
        full_dim = vectors_of(collection.documents).shape[1]
        dims = options.dims or default_dims(full_dim, trained=origin.trained_dims)

        def tell(checkpoint: Checkpoint) -> bool:
            bar.write(loss_line(checkpoint.step, checkpoint.dims, checkpoint.losses))
            return True

        trained = train_and_judge(
            collection,
            dims=dims,
            k=options.k,
            exclude_self=made.exclude_self,
            unseen=held_out_rows(evaluation),
            goes_on=tell,
            on_progress=bar.show,
        )
    sys.stdout.write(figures(trained))
    if not trained.verdict.offered:
        return EXIT_NOTHING_HOLDS
    model = None
    if options.save_model is not None:
        model = load_model(options.model, Told(origin.query_prompt, origin.document_prompt))
    with Bar() as bar:
        hand_out(
            trained,
            collection,
            options,
            evaluation=evaluation,
            model=model,
            on_progress=bar.show,
        )
    return 0
