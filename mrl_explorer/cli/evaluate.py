"""`evaluate`: rank every configuration and print its figures."""

import argparse
import sys
from pathlib import Path

from mrl_explorer.cli.bar import Bar
from mrl_explorer.cli.output import align, check_target, integers, names, write_json
from mrl_explorer.cli.sending import add_agreement, embed_as_agreed
from mrl_explorer.data import Splitting
from mrl_explorer.data import docstrings as library
from mrl_explorer.decide.summary import Summary, summarise
from mrl_explorer.embed import BUNDLED, DataSource
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.basis import RUN_BASES
from mrl_explorer.retrieval.evaluation import DEFAULT_DEPTH, evaluate, record_origin
from mrl_explorer.retrieval.evaluation_file import save_evaluation
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS, QUANTIZATIONS


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `evaluate` to the commands."""
    command = commands.add_parser(
        "evaluate", help="rank every configuration and print recall, relevance and bytes"
    )
    command.set_defaults(run=_evaluate)
    add = command.add_argument
    add(
        "--corpus",
        required=True,
        metavar="PATH",
        help="documents: a table of texts, PDF, DOCX, HTML or Markdown, a folder or ZIP of these, "
        "vectors; or a BEIR folder or ZIP, or HDF5 file, that brings its queries; or "
        f"{library.NAME}, built from the docstrings of the packages installed here ({library.NAME}"
        f":50000 for another number of passages than {library.DEFAULT_SIZE})",
    )
    add("--queries", metavar="PATH", help="queries: texts or vectors")
    add("--corpus-vectors", metavar="PATH", help="ready vectors of the texts in --corpus")
    add(
        "--queries-vectors",
        metavar="PATH",
        help="ready vectors of the texts in --queries",
    )
    add("--qrels", metavar="PATH", help="judgements: a table, BEIR or TREC")
    add(
        "--passage-size",
        type=int,
        metavar="CHARACTERS",
        help="split documents into passages of at most so many characters; 0 leaves them whole "
        f"(default: {Splitting().size} for PDF, DOCX, HTML and Markdown, 0 for tables)",
    )
    add(
        "--passage-overlap",
        type=int,
        metavar="CHARACTERS",
        help="what a passage repeats of the one before it "
        f"(default: {Splitting().overlap}, or a tenth of a smaller size)",
    )
    add(
        "--model",
        metavar="NAME",
        help=f"what embeds texts: {', '.join(BUNDLED)}, a folder, an id on the hub, or a hosted "
        "model such as openai:text-embedding-3-small or openai:MODEL@https://host/v1; beside ready "
        "vectors, what made them",
    )
    add_agreement(command)
    for kind in ("query", "document"):
        add(
            f"--{kind}-prompt",
            metavar="TEXT",
            help=f"put before each {kind} instead of the model's own prompt; '' for none",
        )
    add(
        "--trained-dims",
        type=integers,
        metavar="64,128",
        help="dims the model was trained to be cut at, where they are not known",
    )
    add("--dims", type=integers, metavar="64,128", help="dims to keep (default: a ladder)")
    add(
        "--quantizations",
        type=names,
        default=DEFAULT_QUANTIZATIONS,
        metavar="float32,int8",
        help=f"among {', '.join(QUANTIZATIONS)} (default: {','.join(DEFAULT_QUANTIZATIONS)})",
    )
    add(
        "--basis",
        type=names,
        default=("native",),
        metavar="native,pca",
        help=f"among {', '.join(RUN_BASES)} (default: native)",
    )
    add("-k", "--k", type=int, default=10, help="results that count (default: 10)")
    add(
        "--depth",
        type=int,
        help=f"places in a list (default: {DEFAULT_DEPTH}, or k where that is more)",
    )
    add(
        "--exclude-self",
        action="store_true",
        help="leave a document used as a query out of its own results",
    )
    add("--json", metavar="FILE", help="write the figures as JSON; - for standard output")
    add("--save", type=Path, metavar="FILE", help="write the evaluation, for the page to open")


def _splitting(size: int | None, overlap: int | None) -> Splitting | None:
    """Give how documents are split; None goes by their kind."""
    if size is None and overlap is None:
        return None
    size = Splitting().size if size is None else size
    return Splitting(size, min(Splitting().overlap, size // 10) if overlap is None else overlap)


def _evaluate(options: argparse.Namespace) -> int:
    cutoff = Cutoff(options.k)
    if cutoff.k < 1:
        raise InputError(f"k = {cutoff.k} leaves no results: choose 1 or more.")
    depth = max(DEFAULT_DEPTH, cutoff.k) if options.depth is None else options.depth
    if depth < cutoff.k:
        raise InputError(
            f"Lists of depth {depth} cannot hold the {cutoff.k} results of k: choose a depth of "
            f"{cutoff.k} or more."
        )
    # Said before the work rather than after it.
    for target in (options.save, options.json):
        check_target(target)
    with Bar() as bar:
        source = DataSource(
            options.corpus,
            options.queries,
            judgements=options.qrels,
            document_vectors=options.corpus_vectors,
            query_vectors=options.queries_vectors,
            splitting=_splitting(options.passage_size, options.passage_overlap),
            model=options.model,
            query_prompt=options.query_prompt,
            document_prompt=options.document_prompt,
            trained_dims=options.trained_dims,
        )
        collection = source.read(bar.show)
        if cutoff.k > len(collection.documents) > 1:
            raise InputError(
                f"k = {cutoff.k} is larger than the corpus of {len(collection.documents)} "
                f"documents: choose k up to {len(collection.documents)}."
            )
        collection, origin = embed_as_agreed(source, collection, options, bar.show)
        evaluation = evaluate(
            collection,
            dims=options.dims,
            quantizations=options.quantizations,
            bases=options.basis,
            depth=depth,
            exclude_self=options.exclude_self,
            model=origin.model,
            trained_dims=origin.trained_dims,
            on_progress=bar.show,
        )
    evaluation = record_origin(evaluation, origin)
    summary = summarise(evaluation, cutoff)
    if options.save is not None:
        save_evaluation(evaluation, options.save)
    if options.json is not None:
        write_json(_figures(summary), options.json)
    notes = "".join(f"Note: {note}\n" for note in evaluation.source.notes)
    if options.json == "-":
        # Standard output holds nothing but the figures then.
        sys.stderr.write(notes)
    else:
        sys.stdout.write(_table(summary) + notes)
    return 0


def _figures(summary: Summary) -> dict[str, object]:
    rankings = summary.evaluation.rankings
    return {
        "n_docs": rankings.n_docs,
        "n_queries": rankings.n_queries,
        "full_dim": rankings.full_dim,
        "k": summary.cutoff.k,
        "depth": rankings.depth,
        "configs": [row.as_dict() for row in summary.rows()],
    }


def _table(summary: Summary) -> str:
    """Lay the figures out for a terminal."""
    evaluation, k = summary.evaluation, summary.cutoff.k
    rankings = evaluation.rankings
    judged = summary.relevance is not None
    heads = ["dim", "quantization", "basis", "bytes", f"recall@{k}", "95% interval"]
    heads += [f"nDCG@{k}", f"MRR@{k}", f"success@{k}"] if judged else []
    held_out = summary.held_out is not None
    heads += ["held out", "native there"] if held_out else []
    lines = [heads]
    for row in summary.rows():
        cells = [str(row.dim), row.quantization, row.basis, str(row.bytes_per_vector)]
        cells += [f"{row.recall:.3f}", f"{row.recall_low:.3f}-{row.recall_high:.3f}"]
        cells += [f"{v:.3f}" for v in (row.ndcg, row.mrr, row.success) if v is not None]
        if held_out:
            figures = row.held_out, row.held_out_native
            cells += ["" if value is None else f"{value:.3f}" for value in figures]
        lines.append(cells)
    body = align(lines, left={1, 2})
    title = (
        f"{rankings.n_docs:,} {evaluation.listed.unit}, {rankings.n_queries:,} queries, "
        f"{rankings.full_dim} dimensions: recall@{k} vs full dimension\n"
    )
    return title + body
