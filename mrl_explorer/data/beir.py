"""Files that bring documents and queries: BEIR's layout, and HDF5 as in ann-benchmarks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrl_explorer.data.archive import unpacked
from mrl_explorer.data.collection import Collection, read_only
from mrl_explorer.data.columns import Columns
from mrl_explorer.data.files import reading
from mrl_explorer.data.folders import folder_names, is_folder
from mrl_explorer.data.hdf5 import DOCUMENTS, QUERIES, hdf5_holds_queries
from mrl_explorer.data.judgements import read_judgements
from mrl_explorer.data.readers import read_records
from mrl_explorer.data.splitting import WHOLE, Splitting, split_records
from mrl_explorer.errors import InputError

# Published figures are those of the test split.
_SPLITS = ("test", "dev", "train")


def is_collection(path: Path) -> bool:
    """Tell whether a path holds queries as well as documents.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if is_folder(path):
        # At the top or in one folder within, as `read_beir` looks for it.
        parts = (name.split("/") for name in folder_names(path))
        return any(
            part[-1] in ("corpus.jsonl", "corpus.jsonl.gz") and len(part) <= 2 for part in parts
        )
    return path.name.lower().endswith((".h5", ".hdf5")) and hdf5_holds_queries(path)


def read_collection(
    path: Path, *, splitting: Splitting = WHOLE, judgements: Path | None = None
) -> Collection:
    """Read a file or folder for which `is_collection` holds; judgements as of `read_beir`.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if is_folder(path):
        return read_beir(path, splitting=splitting, judgements=judgements)
    documents = read_records(path, columns=Columns(vector=DOCUMENTS))
    documents = split_records(documents, splitting)
    queries = read_records(path, columns=Columns(vector=QUERIES), what="queries")
    judged = None if judgements is None else read_judgements(judgements, documents, queries)
    return Collection(documents, queries, judged)


def read_beir(
    path: Path, *, splitting: Splitting = WHOLE, judgements: Path | None = None
) -> Collection:
    """Read a BEIR collection.

    Parameters
    ----------
    path : Path
        A folder or ZIP archive with `corpus.jsonl`, `queries.jsonl` and judgements, if any:
        `qrels/test.tsv` (else `dev`, `train`, or the only one there is) or `qrels.tsv`. Each may
        be gzipped, and all may lie in one folder within.
    splitting : Splitting
        How documents are split.
    judgements : Path, optional
        Judgements to take instead of the collection's own, those of another split for example.

    Returns
    -------
    Collection
        With judgements, only the queries that have at least one.

    Raises
    ------
    InputError
        If the folder or archive cannot be read, lacks a file, or a file cannot be read.
    """
    if path.name.lower().endswith(".zip"):
        with unpacked(path) as folder:
            return _read_folder(folder, path.name, splitting, judgements)
    return _read_folder(path, path.name, splitting, judgements)


def write_beir(collection: Collection, folder: Path) -> None:
    """Write a collection of texts as `read_beir` reads it.

    Parameters
    ----------
    collection : Collection
        Texts, and judgements if there are any; vectors are left out.
    folder : Path
        Made when missing.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    documents, queries, judgements = collection.documents, collection.queries, collection.judgements
    for records, file_name in ((documents, "corpus.jsonl"), (queries, "queries.jsonl")):
        with (folder / file_name).open("w", encoding="utf-8") as file:
            for row, identity in enumerate(records.ids):
                columns = (
                    ("title", records.titles),
                    ("text", records.texts),
                    ("segment", records.segments),
                )
                cells = {name: cells[row] for name, cells in columns if cells is not None}
                file.write(json.dumps({"_id": identity, **cells}, ensure_ascii=False) + "\n")
    if judgements is None:
        return
    with (folder / "qrels" / "test.tsv").open("w", encoding="utf-8") as file:
        file.write("query-id\tcorpus-id\tscore\n")
        for query, document, gain in zip(
            judgements.query_rows, judgements.document_rows, judgements.gains, strict=True
        ):
            file.write(f"{queries.ids[query]}\t{documents.ids[document]}\t{gain:g}\n")


def _read_folder(folder: Path, name: str, splitting: Splitting, given: Path | None) -> Collection:
    """Read a collection from a folder; `name` is what the user calls it."""
    root = _root(folder, name=name)
    documents = read_records(_required(root, "corpus.jsonl", name=name), what="documents")
    documents = split_records(documents, splitting)
    queries = read_records(_required(root, "queries.jsonl", name=name), what="queries")
    qrels = given or _qrels(root)
    if qrels is None:
        return Collection(documents, queries)
    judgements = read_judgements(qrels, documents, queries)
    judged, query_rows = np.unique(judgements.query_rows, return_inverse=True)
    return Collection(
        documents,
        queries.select(judged),
        replace(judgements, query_rows=read_only(query_rows.astype(np.int32))),
        n_unjudged=len(queries) - len(judged),
    )


def _root(folder: Path, *, name: str) -> Path:
    """Return the folder that holds the corpus: the given one, or one within it."""
    with reading(folder):
        inner = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    for candidate in (folder, *inner):
        if _existing(candidate, "corpus.jsonl"):
            return candidate
    raise InputError(
        f"{name} holds no corpus.jsonl: give a folder or ZIP archive with corpus.jsonl, "
        "queries.jsonl and qrels/test.tsv."
    )


def _required(root: Path, file_name: str, *, name: str) -> Path:
    """Return a file that a collection cannot do without."""
    path = _existing(root, file_name)
    if path is None:
        raise InputError(f"{name} holds no {file_name}: add it.")
    return path


def _existing(root: Path, file_name: str) -> Path | None:
    """Return the file of this name, plain or gzipped, if it is there."""
    candidates = (root / file_name, root / f"{file_name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _qrels(root: Path) -> Path | None:
    """Return the file of judgements, if there is one."""
    named = (_existing(root / "qrels", f"{split}.tsv") for split in _SPLITS)
    others = (*sorted(root.glob("qrels/*.tsv")), *sorted(root.glob("qrels/*.tsv.gz")))
    return next(filter(None, (*named, _existing(root, "qrels.tsv"), *others)), None)
