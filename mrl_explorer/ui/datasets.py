"""The data set behind the pages: a sample, a run kept on the server, or a run of this session."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

from mrl_explorer.data import Collection, read_beir
from mrl_explorer.data import docstrings as library
from mrl_explorer.embed import DataSource, cache_dir, mark_used, trim_cache
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.evaluation_file import SUFFIX, load_evaluation, save_evaluation
from mrl_explorer.ui.problems import literal
from mrl_explorer.ui.sources import allowed_folders, is_allowed, resolved

SAMPLE = "help-centre"
_SAMPLE_FOLDER = Path(__file__).parents[2] / "sample_data" / "help_centre"
_SAMPLE_MODEL = "wordllama-256"
_SAMPLE_FILE = f"help_centre{SUFFIX}"


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a page shows, and what it takes to search it anew.

    Attributes
    ----------
    key : str
        As in the address bar.
    title : str
        As shown.
    evaluation : Evaluation
        The ranked lists.
    collection : callable or None
        Gives documents and queries with vectors, for queries that are typed; None when there is
        only the evaluation.
    shared : bool
        Whether a copied link opens it in another browser.
    version : str
        Tells one content of the same key from the next.
    """

    key: str
    title: str
    evaluation: Evaluation
    collection: Callable[[], Collection] | None = None
    shared: bool = True
    version: str = ""


def current() -> Dataset:
    """Give the data set of the address bar, or the sample with a word on why not."""
    key = st.session_state.get("data") or st.query_params.get("data", SAMPLE)
    try:
        dataset = find(key)
    except InputError as error:
        sentence = literal(f"{error} The sample is shown instead.")
        st.warning(sentence, icon=":material/warning:")
        dataset = find(SAMPLE)
    st.session_state["data"] = dataset.key
    return dataset


def choose(key: str) -> None:
    """Make a data set the current one."""
    st.session_state["data"] = key


def beside(dataset: Dataset) -> Dataset | None:
    """Give the data set to show beside this one, if the address bar or the reader names one."""
    key = st.session_state.get("beside", st.query_params.get("beside", ""))
    st.session_state["beside"] = key
    if not key:
        return None
    try:
        other = find(key)
    except InputError as error:
        st.warning(literal(f"{error} Nothing is shown beside."), icon=":material/warning:")
        choose_beside(None)
        return None
    return None if other.key == dataset.key else other


def usual_beside(dataset: Dataset) -> str:
    """Give the key of what stands beside a data set unless the reader says otherwise.

    What was chosen last, else the sample's other model beside the sample; "" for nothing.
    """
    chosen: str = st.session_state.get("beside", "")
    if chosen and chosen != dataset.key:
        return chosen
    samples = list(_samples())
    if dataset.key not in samples:
        return ""
    return next((key for key in samples if key != dataset.key), "")


def choose_beside(key: str | None) -> None:
    """Show a data set beside the current one, or none."""
    st.session_state["beside"] = key or ""


def is_current(key: str) -> bool:
    """Tell whether a data set is the one that is shown."""
    return bool(st.session_state.get("data") == key)


def extend(dataset: Dataset, evaluation: Evaluation) -> None:
    """Show more of a data set from now on, in this session: its link leads to what was there."""
    extended: dict[str, Dataset] = st.session_state.setdefault("extended_datasets", {})
    extended[dataset.key] = replace(dataset, evaluation=evaluation, version=os.urandom(8).hex())


def available() -> dict[str, str]:
    """List the data sets to choose from, by key: the sample, this session's, and the server's."""
    own: dict[str, Dataset] = st.session_state.get("own_datasets", {})
    listed = {sample: _sample_title(model) for sample, model in _samples().items()}
    listed |= {key: dataset.title for key, dataset in own.items()}
    runs = _library_runs()
    listed |= {path.stem: _library_title(path.stem, _version(path)) for path in runs}
    if not runs:
        listed[library.NAME] = f"{library.TITLE} (built from this machine's packages)"
    for folder in allowed_folders():
        listed |= {str(path): path.stem for path in sorted(folder.glob(f"*{SUFFIX}"))}
    current_key = st.session_state.get("data")
    if current_key and current_key not in listed:
        listed[current_key] = find(current_key).title
    return listed


def find(key: str) -> Dataset:
    """Find a data set by its key.

    Raises
    ------
    InputError
        If there is none, or this server may not read it.
    """
    for kept in ("extended_datasets", "own_datasets"):
        in_session: dict[str, Dataset] = st.session_state.get(kept, {})
        if key in in_session:
            return in_session[key]
    if model := _samples().get(key):
        return _sample(key, model)
    if key == library.NAME or key.startswith("run-"):
        return _find_run(key)
    if key.startswith("session-"):
        raise InputError("This link leads to data uploaded in another browser session.")
    path = resolved(key)
    if not is_allowed(path):
        raise InputError(
            f"{path.name[:60]} is outside the folders that this server may read: its owner names "
            "them in MRL_EXPLORER_DATA."
        )
    if not path.is_file():
        raise InputError(f"There is no file {path.name} in that folder.")
    return _opened(key, _version(path))


def _find_run(key: str) -> Dataset:
    """Find a run kept on the server; the name of the library documentation is that of its last."""
    if key == library.NAME:
        runs = _library_runs()
        if not runs:
            raise InputError(
                "The library documentation has not been evaluated on this server: do so on the "
                "Data page."
            )
        key = runs[0].stem
    path = _runs_folder() / f"{key}{SUFFIX}"
    if not key.removeprefix("run-").isalnum() or not path.is_file():
        raise InputError("This link leads to a run that this server no longer holds.")
    mark_used(path)
    dataset, paths = _kept_run(key, _version(path))
    if not all(is_allowed(path) for path in paths):
        raise InputError("This link leads to files that this server may no longer read.")
    return dataset


@dataclass(frozen=True, eq=False)
class Done:
    """What a finished run gives.

    Attributes
    ----------
    evaluation : Evaluation
        The ranked lists.
    collection : Collection
        Documents and queries with vectors.
    key : str or None
        Under which it is kept on the server, for any browser.
    """

    evaluation: Evaluation
    collection: Collection
    key: str | None


def keep_on_server(evaluation: Evaluation, source: DataSource) -> str | None:
    """Keep a run on server-side files in the cache, and give its key: its link opens for others.

    None for a run on uploaded files, which nobody else may see, and without a place to keep it.
    Nothing here is the session's, so a job may call it.
    """
    if not source.on_server:
        return None
    recipe = json.dumps(source.as_dict(), sort_keys=True)
    rankings = evaluation.rankings
    # Another run of the same files has a link of its own: the first one's still leads to it.
    identity = f"{recipe} {rankings.configs} {rankings.depth} {evaluation.source.notes}"
    mark = "library" if library.Library.parse(source.documents) else ""
    key = f"run-{mark}{hashlib.sha256(identity.encode()).hexdigest()[:20]}"
    folder = _runs_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{key}.json").write_text(recipe, encoding="utf-8")
        save_evaluation(evaluation, folder / f"{key}{SUFFIX}")
        trim_cache(cache_dir())
    except (OSError, InputError):
        # It still serves its own session.
        return None
    return key


def take_up(done: Done, source: DataSource) -> str:
    """Give the key of a finished run; what the server does not keep, this session does."""
    if done.key is not None:
        st.session_state.get("extended_datasets", {}).pop(done.key, None)
        return done.key
    own: dict[str, Dataset] = st.session_state.setdefault("own_datasets", {})
    key = f"session-{len(own) + 1}"
    own[key] = Dataset(
        key,
        f"{source.title} ({len(own) + 1})",
        done.evaluation,
        collection=lambda: done.collection,
        shared=False,
        version=os.urandom(8).hex(),
    )
    return key


def open_uploaded(evaluation: Evaluation, title: str) -> str:
    """Keep an uploaded evaluation file in this session, and give its key."""
    own: dict[str, Dataset] = st.session_state.setdefault("own_datasets", {})
    key = f"session-{len(own) + 1}"
    own[key] = Dataset(key, title, evaluation, shared=False, version=os.urandom(8).hex())
    return key


def _runs_folder() -> Path:
    return cache_dir() / "evaluations"


def _library_runs() -> list[Path]:
    """List the runs on library documentation that are kept, the newest first."""
    runs = _runs_folder().glob(f"run-library*{SUFFIX}")
    return sorted(runs, key=lambda path: path.stat().st_mtime_ns, reverse=True)


@st.cache_data(show_spinner=False, max_entries=64)
def _library_title(key: str, version: str) -> str:
    recipe = json.loads((_runs_folder() / f"{key}.json").read_text(encoding="utf-8"))
    source = DataSource.from_dict(recipe)
    return f"{source.title}, {source.model}"


def _version(path: Path) -> str:
    """Tell one content of a file from the next."""
    stat = path.stat()
    return f"{stat.st_mtime_ns}-{stat.st_size}"


def _samples() -> dict[str, str]:
    """List the sample's models by key: the folders that hold its evaluation."""
    models = sorted(path.parent.name for path in _SAMPLE_FOLDER.glob(f"*/{_SAMPLE_FILE}"))
    others = (model for model in models if model != _SAMPLE_MODEL)
    return {SAMPLE: _SAMPLE_MODEL} | {f"{SAMPLE}-{model}": model for model in others}


def _sample_title(model: str) -> str:
    return f"Help centre (sample), {model}"


@st.cache_resource(show_spinner=False)
def _sample(key: str, model: str) -> Dataset:
    folder = _SAMPLE_FOLDER / model

    def collection() -> Collection:
        return _with_arrays(
            read_beir(_SAMPLE_FOLDER), folder / "documents.npy", folder / "queries.npy"
        )

    return Dataset(
        key,
        _sample_title(model),
        load_evaluation(folder / _SAMPLE_FILE),
        collection=collection,
        version="1",
    )


def _with_arrays(collection: Collection, documents: Path, queries: Path) -> Collection:
    return replace(
        collection,
        documents=replace(collection.documents, vectors=np.load(documents)),
        queries=replace(collection.queries, vectors=np.load(queries)),
    )


@st.cache_resource(show_spinner="Opening the evaluation", max_entries=8)
def _opened(key: str, version: str) -> Dataset:
    path = Path(key)
    return Dataset(key, path.stem, load_evaluation(path), version=version)


@st.cache_resource(show_spinner="Opening the evaluation", max_entries=8)
def _kept_run(key: str, version: str) -> tuple[Dataset, tuple[Path, ...]]:
    """Open a run, and list the server's files that it was made of."""
    recipe = (_runs_folder() / f"{key}.json").read_text(encoding="utf-8")
    source = DataSource.from_dict(json.loads(recipe))
    dataset = Dataset(
        key,
        source.title,
        load_evaluation(_runs_folder() / f"{key}{SUFFIX}"),
        collection=source.embedded,
        version=version,
    )
    return dataset, tuple(path.resolve() for path in source.paths)
