"""The command line: the same evaluation without a browser."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mrl_explorer.data import Splitting
from mrl_explorer.decide.summary import Summary, summarise
from mrl_explorer.embed import BUNDLED, REGISTRY, DataSource
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress
from mrl_explorer.retrieval.basis import RUN_BASES
from mrl_explorer.retrieval.evaluation import DEFAULT_DEPTH, evaluate, record_origin
from mrl_explorer.retrieval.evaluation_file import save_evaluation
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS, QUANTIZATIONS
from mrl_explorer.tiers_command import add_tiers

EXIT_INPUT_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status.

    0 is success; 2 means that the input has to be put right, which one sentence on standard error
    explains.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_INPUT_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. What was embedded so far is kept for the next run.\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mrl_explorer", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
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
        "vectors; or a BEIR folder or ZIP, or HDF5 file, that brings its queries",
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
        help=f"what embeds texts: {', '.join(BUNDLED)}, a folder, or an id on the hub; beside "
        "ready vectors, what made them",
    )
    for kind in ("query", "document"):
        add(
            f"--{kind}-prompt",
            metavar="TEXT",
            help=f"put before each {kind} instead of the model's own prompt; '' for none",
        )
    add(
        "--trained-dims",
        type=_integers,
        metavar="64,128",
        help="dims the model was trained to be cut at, where they are not known",
    )
    add("--dims", type=_integers, metavar="64,128", help="dims to keep (default: a ladder)")
    add(
        "--quantizations",
        type=_names,
        default=DEFAULT_QUANTIZATIONS,
        metavar="float32,int8",
        help=f"among {', '.join(QUANTIZATIONS)} (default: {','.join(DEFAULT_QUANTIZATIONS)})",
    )
    add(
        "--basis",
        type=_names,
        default=("native",),
        metavar="native,pca",
        help=f"among {', '.join(RUN_BASES)} (default: native)",
    )
    add("-k", "--k", type=int, default=10, help="results that count (default: 10)")
    add(
        "--depth",
        type=int,
        default=DEFAULT_DEPTH,
        help=f"places in a list (default: {DEFAULT_DEPTH})",
    )
    add(
        "--exclude-self",
        action="store_true",
        help="leave a document used as a query out of its own results",
    )
    add("--json", metavar="FILE", help="write the figures as JSON; - for standard output")
    add("--save", type=Path, metavar="FILE", help="write the evaluation, for the page to open")

    command = commands.add_parser("models", help="list the known embedding models")
    command.set_defaults(run=_models)
    command.add_argument("word", nargs="?", default="", help="only those with this in a cell")
    add_tiers(commands)
    return parser


def _integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no list of whole numbers: write for example 64,128"
        ) from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


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
    if options.depth < 1:
        raise InputError(f"A depth of {options.depth} leaves no results: choose 1 or more.")
    # Said before the work rather than after it.
    for target in (options.save, options.json):
        if target not in (None, "-") and not Path(target).absolute().parent.is_dir():
            raise InputError(
                f"{target} cannot be written (its folder does not exist): make the folder first."
            )
    with _Bar() as bar:
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
        collection = source.read()
        if cutoff.k > len(collection.documents) > 1:
            raise InputError(
                f"k = {cutoff.k} is larger than the corpus of {len(collection.documents)} "
                f"documents: choose k up to {len(collection.documents)}."
            )
        collection, origin = source.embed(collection, bar.show)
        evaluation = evaluate(
            collection,
            dims=options.dims,
            quantizations=options.quantizations,
            bases=options.basis,
            depth=max(options.depth, cutoff.k),
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
        _write_json(summary, options.json)
    if options.json != "-":
        sys.stdout.write(_table(summary))
    return 0


class _Bar:
    """A progress bar on standard error, one for each kind of work in turn."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, progress: Progress) -> None:
        if self._bar is None or self._bar.desc != f"{progress.what}: ":
            self.__exit__()
            self._bar = tqdm(total=progress.total, desc=progress.what, leave=False, delay=0.5)
        self._bar.update(progress.done - self._bar.n)


def _write_json(summary: Summary, target: str) -> None:
    rankings = summary.evaluation.rankings
    text = json.dumps(
        {
            "n_docs": rankings.n_docs,
            "n_queries": rankings.n_queries,
            "full_dim": rankings.full_dim,
            "k": summary.cutoff.k,
            "depth": rankings.depth,
            "configs": [row.as_dict() for row in summary.rows()],
        },
        indent=1,
    )
    if target == "-":
        sys.stdout.write(text + "\n")
        return
    try:
        Path(target).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{target} cannot be written ({error.strerror}): choose a folder you may write to."
        ) from error


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
    body = _columns(lines, left={1, 2})
    title = (
        f"{rankings.n_docs:,} documents, {rankings.n_queries:,} queries, {rankings.full_dim} "
        f"dimensions: recall@{k} vs full dimension\n"
    )
    notes = "".join(f"Note: {note}\n" for note in evaluation.source.notes)
    return title + body + notes


def _models(options: argparse.Namespace) -> int:
    """List the registry, a model a line."""
    heads = ("model", "access", "full dim", "Matryoshka", "dims", "max tokens", "prompts")
    lines = []
    for entry in REGISTRY.values():
        row = entry.as_dict()
        cells = ["-" if row[head] in (None, "") else str(row[head]) for head in heads]
        if any(options.word.lower() in cell.lower() for cell in cells):
            lines.append(cells)
    if not lines:
        raise InputError(f"No known model has '{options.word}' in it: `models` lists them all.")
    sys.stdout.write(_columns([heads, *lines], left={0, 1, 3, 4, 6}))
    return 0


def _columns(lines: Sequence[Sequence[str]], *, left: set[int]) -> str:
    """Align cells in columns, those of `left` to the left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        + "\n"
        for line in lines
    )
