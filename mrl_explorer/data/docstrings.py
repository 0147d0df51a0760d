"""A large real collection from what is on the machine: the docstrings of its installed packages.

Sources are parsed and never imported. The first sentence of a docstring is held out as the query,
and what follows it is the passage: a search with a known answer, written by people.
"""

import ast
import hashlib
import random
import re
import shutil
import uuid
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, distributions
from pathlib import Path

import numpy as np

from mrl_explorer.data.beir import read_beir, write_beir
from mrl_explorer.data.collection import Collection, Judgements, make_records, read_only
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent

NAME = "library-documentation"
"""What the collection is called where a path of documents could stand."""

TITLE = "Library documentation"
_QUERIES_TITLE = "the first sentences of library documentation"
_JUDGEMENTS_TITLE = "the docstrings themselves"
DEFAULT_SIZE = 20_000
MAX_SIZE = 500_000
MAX_QUERIES = 1_000

_FORMAT = "mrl-explorer library documentation 1"
_SEED = 0
_MIN_WORDS, _MAX_WORDS = 40, 250
_QUERY_WORDS = range(4, 41)
_MAX_BYTES = 250_000
"""Larger sources are generated as a rule, and parsing one would hold up every page for long."""

_REPORT_EVERY = 20
_FILLED_IN = re.compile(r"'[^'\s]*'|\"[^\"\s]*\"|\d+")
# Tests, and copies of other packages.
_SKIPPED = re.compile(r"(^|/)(tests?|testing|_?vendor(ed)?|_?externals?|third_party)/|conftest\.py")


@dataclass(frozen=True, slots=True)
class Docstring:
    """One docstring, cut into what is searched for and what is to be found.

    Attributes
    ----------
    name : str
        Dotted, as one would import it.
    kind : str
        "module", "class", "function" or "method".
    sentence : str
        The first sentence, in one line.
    passage : str
        What follows, without markup; empty when it is too short to search in.
    """

    name: str
    kind: str
    sentence: str
    passage: str


@dataclass(frozen=True, slots=True)
class Library:
    """Which library documentation: how much of it, and of which installed packages.

    Attributes
    ----------
    size : int
        Passages wanted; there may be fewer.
    key : str
        Identifies the packages; empty for those that are installed now.
    """

    size: int = DEFAULT_SIZE
    key: str = ""

    def __str__(self) -> str:
        return f"{NAME}:{self.size}" + (f":{self.key}" if self.key else "")

    @classmethod
    def parse(cls, text: str) -> "Library | None":
        """Read 'library-documentation', with ':size' and ':key' if wanted; None for another text.

        Raises
        ------
        InputError
            If the size is none.
        """
        name, *rest = text.split(":")
        if name != NAME:
            return None
        size, key, *more = [*rest, "", ""] if rest else [str(DEFAULT_SIZE), ""]
        sizes = re.fullmatch("[0-9]{1,6}", size) and 2 <= int(size) <= MAX_SIZE
        # The key becomes part of a path.
        if not sizes or not re.fullmatch("[0-9a-f]*", key) or any(more):
            raise InputError(
                f"{text[:60]}: write {NAME}, or {NAME}:50000 for another number of passages, from "
                f"2 to {MAX_SIZE:,}."
            )
        return cls(int(size), key)

    def pinned(self) -> "Library":
        """Name the packages that are installed now, so that it stays the same collection."""
        return self if self.key else Library(self.size, installed_key())

    def folder(self, cache: Path) -> Path:
        """Give where it is kept in a folder for such collections."""
        return cache / f"{self.key}-{self.size}"


def is_built(library: Library, *, cache: Path) -> bool:
    """Tell whether a pinned collection is kept in a folder of such collections."""
    return (library.folder(cache) / "corpus.jsonl").is_file()


def read_library(library: Library, *, cache: Path, on_progress: OnProgress = silent) -> Collection:
    """Read the library documentation, building it when it is not there yet.

    Parameters
    ----------
    library : Library
        Which.
    cache : Path
        Folder for such collections.
    on_progress : callable
        Told as sources are read; what it raises stops the work.

    Raises
    ------
    InputError
        If the packages installed now are no longer those, or hold no documentation.
    """
    library = library.pinned()
    folder = library.folder(cache)
    if not is_built(library, cache=cache):
        if library.key != installed_key():
            raise InputError(
                "The packages installed on this machine have changed since this library "
                "documentation was built from them: build it anew on the Data page."
            )
        collection = build_library(library.size, on_progress=on_progress)
        # Whole or not at all, whoever else builds the same.
        unfinished = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}")
        try:
            write_beir(collection, unfinished)
            unfinished.replace(folder)
        except OSError:
            # Without room to keep it, or kept by another run just now: it serves all the same.
            shutil.rmtree(unfinished, ignore_errors=True)
            return collection
    return _named(read_beir(folder))


def _named(collection: Collection) -> Collection:
    """Call its parts what they are, and not what their files in the cache are called."""
    judgements = collection.judgements
    return Collection(
        replace(collection.documents, name=TITLE),
        replace(collection.queries, name=_QUERIES_TITLE),
        judgements and replace(judgements, name=_JUDGEMENTS_TITLE),
    )


def installed_key() -> str:
    """Identify what is installed: SHA-256, shortened, of what the packages say of their files."""
    digest = hashlib.sha256(f"{_FORMAT} {_SEED}".encode())
    for name, distribution in _installed().items():
        # It lists every file with its hash. Where there is none, the version has to do.
        record = distribution.read_text("RECORD") or distribution.version
        digest.update(hashlib.sha256(f"{name} {record}".encode()).digest())
    return digest.hexdigest()[:16]


def build_library(
    size: int = DEFAULT_SIZE,
    *,
    n_queries: int = MAX_QUERIES,
    on_progress: OnProgress = silent,
) -> Collection:
    """Build the collection from the packages that are installed now.

    Parameters
    ----------
    size : int
        Passages wanted. Sources are read in a random, seeded order until there are enough.
    n_queries : int
        Queries wanted: a random, seeded choice among passages whose first sentence is no other's.
    on_progress : callable
        Told as sources are read.

    Returns
    -------
    Collection
        Each query is judged against its own passage alone. Segments say what is documented.

    Raises
    ------
    InputError
        If fewer than two passages are found.
    """
    found: dict[str, Docstring] = {}
    passages: set[str] = set()
    sentences: Counter[str] = Counter()
    what = "reading the documentation of installed packages"
    on_progress(Progress(0, size, what))
    sources = list(_sources())
    random.Random(_SEED).shuffle(sources)  # noqa: S311 - a sample, no secret
    for n_read, (module, path) in enumerate(sources):
        if n_read % _REPORT_EVERY == 0:
            on_progress(Progress(len(found), size, what))
        for docstring in docstrings(path, module=module):
            sentences[docstring.sentence.casefold()] += 1
            if docstring.passage and docstring.name not in found:
                # Generated sources repeat a passage with another name or number in it.
                pattern = _FILLED_IN.sub("", docstring.passage.casefold())
                if pattern not in passages:
                    passages.add(pattern)
                    found[docstring.name] = docstring
        if len(found) >= size:
            break
    chosen = sorted(found.values(), key=lambda docstring: docstring.name)[:size]
    return _collection(chosen, sentences, n_queries=n_queries)


def docstrings(path: Path, *, module: str) -> Iterator[Docstring]:
    """Read the docstrings of a source file; a file that is no Python has none.

    Parameters
    ----------
    path : Path
        The file.
    module : str
        Its dotted name.
    """
    try:
        source = path.read_bytes()
        if b'"""' not in source and b"'''" not in source:
            # None of several lines, and parsing is what takes long.
            return
        with warnings.catch_warnings():
            # Old sources hold escapes that are none; that is not for us to say.
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for name, kind, node in _documented(tree, module):
        text = ast.get_docstring(node)
        if text and (cut := split(text)) is not None:
            yield Docstring(name, kind, *cut)


_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _documented(tree: ast.Module, module: str) -> Iterator[tuple[str, str, _Documented]]:
    """Walk what can have a docstring and be named from outside: not what a function holds."""
    yield module, "module", tree
    inside: list[tuple[str, ast.Module | ast.ClassDef]] = [(module, tree)]
    while inside:
        prefix, parent = inside.pop()
        for node in parent.body:
            if isinstance(node, ast.ClassDef):
                yield f"{prefix}.{node.name}", "class", node
                inside.append((f"{prefix}.{node.name}", node))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                kind = "method" if isinstance(parent, ast.ClassDef) else "function"
                yield f"{prefix}.{node.name}", kind, node


# A sentence ends where a capital, a digit or a quote follows the full stop, and not after a short
# word that is written with one.
_SENTENCE = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\bcf)(?<!\bvs)(?<!\betc)(?<!\bal)(?<!\b[A-Z])"
    r"[.!?](?=\s+[^a-z\s]|\s*$)"
)


def split(text: str) -> tuple[str, str] | None:
    """Cut a docstring into its first sentence and the passage after it.

    Returns
    -------
    sentence, passage : str
        The passage is empty when it is shorter than 40 words, and ends after 250. None when the
        first paragraph is no sentence of 4 to 40 words.
    """
    first, _, rest = plain(text).partition("\n\n")
    first = " ".join(first.split())
    end = _SENTENCE.search(first)
    sentence = first[: end.start()] if end else first
    if len(sentence.split()) not in _QUERY_WORDS or not _is_prose(sentence):
        return None
    more = first[end.end() :] if end else ""
    words = " ".join([more, rest]).split()
    if len(words) < _MIN_WORDS:
        return sentence, ""
    return sentence, " ".join(words[:_MAX_WORDS])


def _is_prose(text: str) -> bool:
    """Tell a sentence from a signature, a parameter or a line of code: letters and blanks."""
    if "@" in text:
        # A line on the author.
        return False
    others = len(_NO_LETTER.findall(text))
    return others <= 0.15 * len(text) and text[0].isalpha() and not _PARAMETER.match(text)


_NO_LETTER = re.compile(r"[^\w\s]|[\d_]")
_PARAMETER = re.compile(r"\S*_\S* |\w+ ?(?:\([^)]*\))?:")


# What reStructuredText, Markdown and doctest add to a text, in the order it is taken away.
_MARKUP = tuple(
    (re.compile(pattern, re.MULTILINE | re.IGNORECASE), replacement)
    for pattern, replacement in (
        # Directives on who changed what when, and on what is elsewhere, say nothing of the thing
        # itself and go with their options; of the others the text stays.
        (
            r"^[ \t]*\.\. (?:version\w+|deprecated|index|_|\[|rubric|seealso|autosummary|plot"
            r"|(?:current)?module|auto\w+|contents|toctree|image|figure|include|testsetup|only|raw)"
            r".*\n?(?:^[ \t]*:[\w-]+:.*\n?)*",
            "",
        ),
        (r"^[ \t]*\.\. [\w-]+ ?::[ \t]*", ""),
        (r"^[ \t]*:[\w-]+:[ \t]*$", ""),
        # Prompts, fences, quotes, rules, headings.
        (r"^[ \t]*(?:>>>|\.\.\.)(?: |$)", ""),
        (r"^[ \t]*(?:```|~~~).*$", ""),
        (r"^[ \t]*>(?!>) ?(?:\[!\w+\])?", ""),
        (r"^[ \t]*([-=~^#*+_])\1{2,}[ \t]*$", ""),
        (r"^[ \t]*#{1,6}[ \t]+", ""),
        # Fields: ":param int size: how many" becomes "size: how many".
        (
            r"^[ \t]*[@:](?:param|parameter|arg|argument|keyword|kwarg)"
            r"(?: +[\w.\[\], |]+?)? +(\*{0,2}\w+)[ \t]*:",
            r"\1:",
        ),
        (r"^[ \t]*[@:]r?type\b[^:\n]*:.*$", ""),
        (r"^[ \t]*[@:](return|raise|yield)s?\b([^:\n]*):", r"\1s\2:"),
        # Roles, links, code, emphasis, places to be filled in.
        (r":[\w:+-]+:`[~!]?([^`<]*?)(?:\s*<[^`>]*>)?`", r"\1"),
        (r"`([^`<]+?)\s*<[^`>]*>`_{1,2}", r"\1"),
        (r"\[([^\]\n]+)\](?:\([^)\s]+\)|\[[^\]\s]*\])", r"\1"),
        (r"`{1,3}([^`]*)`{1,3}_?", r"\1"),
        (r"\*\*([^*\n]+)\*\*", r"\1"),
        (r"%\(\w+\)s", ""),
        (r"::[ \t]*$", ":"),
    )
)


def plain(text: str) -> str:
    """Take markup, directives, doctest prompts and rules out of a docstring."""
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return re.sub(r"\n\s*\n", "\n\n", text).strip()


def _installed() -> dict[str, Distribution]:
    """List the installed packages by name, in order; of two of a name the first is imported."""
    found: dict[str, Distribution] = {}
    for distribution in distributions():
        # Left over from a broken installation, one may have no name.
        name = distribution.metadata["Name"] if distribution.metadata else None
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution)
    return dict(sorted(found.items()))


def _sources() -> Iterator[tuple[str, Path]]:
    """List module names and files of the installed packages, tests left out."""
    for distribution in _installed().values():
        for file in distribution.files or ():
            place = file.as_posix()
            if file.suffix != ".py" or place.startswith("..") or _SKIPPED.search(place):
                continue
            path = Path(str(distribution.locate_file(file)))
            try:
                if not 0 < path.stat().st_size <= _MAX_BYTES:
                    continue
            except OSError:
                continue
            parts = file.with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _collection(chosen: list[Docstring], sentences: Counter[str], *, n_queries: int) -> Collection:
    if len(chosen) < 2:
        raise InputError(
            "The packages installed on this machine hold next to no documentation: install some, "
            "or bring documents of your own."
        )
    # A sentence that opens several docstrings has several right answers, and only one is judged.
    clear = [row for row, d in enumerate(chosen) if sentences[d.sentence.casefold()] == 1]
    if not clear:
        raise InputError(
            "The packages installed on this machine hold no sentence of documentation of its own: "
            "install some, or bring documents of your own."
        )
    rows = sorted(random.Random(_SEED).sample(clear, min(n_queries, len(clear))))  # noqa: S311
    documents = make_records(
        name=TITLE,
        ids=[d.name for d in chosen],
        titles=[d.name for d in chosen],
        texts=[d.passage for d in chosen],
    )
    queries = make_records(
        name=_QUERIES_TITLE,
        ids=[chosen[row].name for row in rows],
        texts=[chosen[row].sentence for row in rows],
        segments=[chosen[row].kind for row in rows],
        what="queries",
    )
    judgements = Judgements(
        name=_JUDGEMENTS_TITLE,
        query_rows=read_only(np.arange(len(rows), dtype=np.int32)),
        document_rows=read_only(np.array(rows, dtype=np.int32)),
        gains=read_only(np.ones(len(rows), dtype=np.float32)),
    )
    return Collection(documents, queries, judgements)
