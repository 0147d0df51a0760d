"""What an evaluation is to be made on: files, columns and a model, as one value."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mrl_explorer.data import (
    WHOLE,
    Collection,
    Columns,
    Records,
    Splitting,
    default_splitting,
    is_collection,
    read_collection,
    read_judgements,
    read_records,
    split_records,
    with_vectors,
)
from mrl_explorer.data.docstrings import Library, read_library
from mrl_explorer.embed.cache import cache_dir
from mrl_explorer.embed.collections import embed_collection, needs_model
from mrl_explorer.embed.connections import Connection
from mrl_explorer.embed.description import Told, describe_model
from mrl_explorer.embed.hosted_names import is_hosted
from mrl_explorer.embed.lengths import length_notes
from mrl_explorer.embed.models import load_model
from mrl_explorer.embed.storage import LIBRARY
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, silent


@dataclass(frozen=True, slots=True)
class Origin:
    """How the vectors of a collection came about, as far as it is known.

    Attributes
    ----------
    model : str or None
        The model that made them.
    trained_dims : tuple of int
        Dims it was trained to be cut at; empty when not known.
    query_prompt, document_prompt : str or None
        What was put before each query and document; None when they came ready.
    notes : tuple of str
        Whole sentences on what a reader of the numbers should know.
    """

    model: str | None = None
    trained_dims: tuple[int, ...] = ()
    query_prompt: str | None = None
    document_prompt: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataSource:
    """Files, columns and a model.

    Attributes
    ----------
    documents, queries, judgements : str or None
        Paths. Documents may be a BEIR folder or ZIP that holds all three, an HDF5 file that holds
        queries as well, or name the library documentation as `Library` does.
    document_vectors, query_vectors : str or None
        Paths of ready vectors of the texts.
    document_columns, query_columns : Columns or None
        Chosen columns; None detects them.
    splitting : Splitting or None
        How documents are split into passages; None goes by their kind.
    model : str or None
        What embeds texts, or made the vectors.
    query_prompt, document_prompt : str or None
        Text before each query or document, instead of the model's.
    trained_dims : tuple of int or None
        Dims the model was trained to be cut at, instead of those that are known.
    on_server : bool
        Whether the paths are the server's own, and so mean something to another browser.
    title : str
        As shown.
    """

    documents: str
    queries: str | None = None
    judgements: str | None = None
    document_vectors: str | None = None
    query_vectors: str | None = None
    document_columns: Columns | None = None
    query_columns: Columns | None = None
    splitting: Splitting | None = None
    model: str | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    trained_dims: tuple[int, ...] | None = None
    on_server: bool = False
    title: str = "My data"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are named."""
        named = (
            None if Library.parse(self.documents) else self.documents,
            self.queries,
            self.judgements,
            self.document_vectors,
            self.query_vectors,
        )
        return tuple(Path(path) for path in named if path)

    def as_dict(self) -> dict[str, object]:
        """Give plain values, as `from_dict` takes them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> "DataSource":
        """Undo `as_dict`."""
        for name in ("document_columns", "query_columns"):
            if isinstance(columns := values.get(name), dict):
                values[name] = Columns(**columns)
        if isinstance(splitting := values.get("splitting"), dict):
            values["splitting"] = Splitting(**splitting)
        if isinstance(dims := values.get("trained_dims"), list):
            values["trained_dims"] = tuple(dims)
        return cls(**values)  # type: ignore[arg-type]

    def read(self, on_progress: OnProgress = silent) -> Collection:
        """Read the files; told of is what takes long, building the library documentation.

        Raises
        ------
        InputError
            If one of them cannot be read, or there are no queries.
        """
        path = Path(self.documents)
        given = Path(self.judgements) if self.judgements else None
        splitting = self.splitting or WHOLE
        if library := Library.parse(self.documents):
            collection = read_library(library, cache=cache_dir() / LIBRARY, on_progress=on_progress)
        elif not is_collection(path):
            documents = read_records(path, columns=self.document_columns)
            documents = split_records(documents, self._document_splitting(path))
            collection = Collection(documents, self._queries())
        elif self.queries:
            documents = read_collection(path, splitting=splitting).documents
            collection = Collection(documents, self._queries())
        else:
            # The judgements tell which of a collection's queries are meant.
            collection = read_collection(path, splitting=splitting, judgements=given)
            given = None
        documents = _joined(collection.documents, self.document_vectors)
        queries = _joined(collection.queries, self.query_vectors)
        judgements = collection.judgements
        if given is not None:
            judgements = read_judgements(given, documents, queries)
        return replace(collection, documents=documents, queries=queries, judgements=judgements)

    def embedded(self, on_progress: OnProgress = silent) -> Collection:
        """Read the files and embed what has no vectors; what was embedded before is cached."""
        return self.embed(self.read(on_progress), on_progress)[0]

    def embed(
        self,
        collection: Collection,
        on_progress: OnProgress = silent,
        connection: Connection | None = None,
    ) -> tuple[Collection, Origin]:
        """Give a collection that was read from these files its vectors, and tell how.

        A hosted model is reached as `connection` says; without one that was confirmed, it may be
        used as far as the cache goes.

        Raises
        ------
        InputError
            If the model cannot be loaded or did not make the vectors beside the texts. Without a
            model, texts stay texts.
        """
        told = Told(self.query_prompt, self.document_prompt, self.trained_dims)
        if self.model is None:
            return collection, Origin(trained_dims=self.trained_dims or ())
        if not needs_model(collection):
            # What the registry knows needs no download; a name that it does not know may be wrong.
            known = describe_model(self.model, told)
            if known.entry is None and not is_hosted(self.model):
                load_model(self.model, told)
            return collection, Origin(self.model, known.matryoshka.dims)
        model = load_model(self.model, told, connection)
        return embed_collection(collection, model, on_progress=on_progress), Origin(
            self.model,
            model.dims,
            model.query_prompt,
            model.document_prompt,
            tuple(length_notes(model, collection)),
        )

    def _document_splitting(self, path: Path) -> Splitting:
        # Ready vectors are those of whole documents.
        by_kind = WHOLE if self.document_vectors else default_splitting(path)
        return self.splitting or by_kind

    def _queries(self) -> Records:
        if not self.queries:
            raise InputError("There are no queries: add a file of queries.")
        return read_records(Path(self.queries), columns=self.query_columns, what="queries")


def _joined(records: Records, vectors: str | None) -> Records:
    return with_vectors(records, Path(vectors)) if vectors else records
