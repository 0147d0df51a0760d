"""Which columns of a file hold what, found by their usual names."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mrl_explorer.data.wording import listed, quoted
from mrl_explorer.errors import InputError

# In order of preference; compared in lower case. The plurals are what arrays in NPZ are called.
_TEXT_NAMES = (
    *("text", "texts", "body", "content", "contents", "passage", "document", "chunk"),
    *("question", "query", "sentence", "description", "abstract", "summary", "answer"),
)
_TITLE_NAMES = ("title", "titles", "headline", "subject")
_ID_NAMES = (
    *("_id", "id", "ids", "doc_id", "docid", "document_id", "corpus_id", "corpus-id", "docno"),
    *("qid", "query_id", "query-id", "queryid", "question_id", "pid", "passage_id", "chunk_id"),
    *("uid", "uuid", "key"),
)
_SEGMENT_NAMES = (
    *("segment", "segments", "metadata.segment", "category", "categories", "type"),
    *("topic", "group", "language", "lang"),
)
_VECTOR_NAMES = ("vectors", "embeddings", "vector", "embedding", "emb")


@dataclass(frozen=True, slots=True)
class Columns:
    """Names in the file of the columns that hold what the product needs.

    Attributes
    ----------
    text, title, id, segment : str or None
        None when the file has none, or none is wanted.
    vector : str or None
        The column (Parquet) or array (NPZ) of ready vectors. To a reader None means "the one
        there is"; in `Records` it means that there is none.
    """

    text: str | None = None
    title: str | None = None
    id: str | None = None
    segment: str | None = None
    vector: str | None = None

    @property
    def of_text(self) -> tuple[str, ...]:
        """The columns read as text, each once."""
        names = (self.text, self.title, self.id, self.segment)
        return tuple(dict.fromkeys(name for name in names if name is not None))


def detect_columns(names: Sequence[str]) -> Columns:
    """Find the columns with usual names.

    A file's only column is its text, whatever its name (unless it is that of an id), and titles
    without a text are texts.

    Parameters
    ----------
    names : sequence of str
        The columns of a file, as `list_columns` gives them.

    Returns
    -------
    Columns
        What was found; `text` is None when no name is a usual one and the user has to choose.
    """
    text = first_usual(_TEXT_NAMES, names)
    title = first_usual(_TITLE_NAMES, names)
    identity = first_usual(_ID_NAMES, names)
    if text is None:
        text, title = title, None
    if text is None and len(names) == 1 and identity is None:
        text = names[0]
    segment = first_usual(_SEGMENT_NAMES, [name for name in names if name != text])
    return Columns(text=text, title=title, id=identity, segment=segment)


def check_columns(wanted: Sequence[str], *, found: Sequence[str], name: str) -> None:
    """Check that the chosen columns exist and are told apart by their names.

    Parameters
    ----------
    wanted : sequence of str
        The columns to read.
    found : sequence of str
        The columns of the file.
    name : str
        The file as the user knows it.

    Raises
    ------
    InputError
        If a wanted column is missing, or a column's name occurs twice.
    """
    twice = next((column for column, count in Counter(found).items() if count > 1), None)
    if twice is not None:
        raise InputError(
            f"{name} has two columns named {quoted(twice)}: rename or remove one of them."
        )
    missing = next((column for column in wanted if column not in found), None)
    if missing is not None:
        raise InputError(
            f"{name} has no column {quoted(missing)}: choose among those found ({listed(found)})."
        )


def is_vector_name(name: str) -> bool:
    """Tell whether a column's name is a usual one for vectors."""
    return name.lower() in _VECTOR_NAMES


def choose_vector_column(candidates: Sequence[str], *, chosen: str | None, name: str) -> str | None:
    """Choose the column or array of ready vectors.

    Parameters
    ----------
    candidates : sequence of str
        The columns that can hold vectors.
    chosen : str or None
        The user's choice, if there was one.
    name : str
        The file as the user knows it.

    Returns
    -------
    str or None
        The chosen one, else the only one, else the only one with a usual name; None when there
        are no candidates.

    Raises
    ------
    InputError
        If the chosen one is not a candidate or there are several equally good ones.
    """
    if chosen is not None:
        if chosen not in candidates:
            raise InputError(
                f"{name} has no vectors in {quoted(chosen)}: choose among those found "
                f"({listed(candidates)})."
            )
        return chosen
    usual = [candidate for candidate in candidates if is_vector_name(candidate)]
    best = usual if len(usual) == 1 else candidates
    if len(best) <= 1:
        return next(iter(best), None)
    raise InputError(
        f"{name} may hold vectors in more than one place ({listed(candidates)}): choose one, or "
        'name it "vectors".'
    )


def first_usual(usual: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the name that comes first among the usual ones."""
    by_lower = {name.lower(): name for name in reversed(names)}
    return next((by_lower[name] for name in usual if name in by_lower), None)
