"""What is known of a model without loading it: the registry, its own files, and what you said."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mrl_explorer.embed.hosted_names import hosted_entry, is_hosted, parse_hosted
from mrl_explorer.embed.hub import hub_copy
from mrl_explorer.embed.known_models import find_entry
from mrl_explorer.embed.model_files import (
    Matryoshka,
    detect_matryoshka,
    licence,
    read_json,
    stated_prompts,
)
from mrl_explorer.embed.registry import VERDICTS, ModelEntry
from mrl_explorer.errors import InputError

Stated = Literal["you", "its own files", "the registry", "nobody"]
"""Who says what stands before a text."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the user says about a model; None leaves it to its files and the registry.

    Attributes
    ----------
    query_prompt, document_prompt : str or None
        Text before each query or document; "" is none at all.
    dims : tuple of int or None
        Dims it was trained to be cut at.
    """

    query_prompt: str | None = None
    document_prompt: str | None = None
    dims: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """Text that goes before each text of a kind.

    Attributes
    ----------
    text : str
        "" for none.
    stated_by : str
        As in `Stated`.
    """

    text: str
    stated_by: Stated


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a model.

    Attributes
    ----------
    entry : ModelEntry or None
        Its entry in the registry.
    query_prompt, document_prompt : Prompt
        What would be put before texts.
    matryoshka : Matryoshka
        Whether it was trained to be cut.
    licence : str or None
        As its publisher states it.
    """

    entry: ModelEntry | None
    query_prompt: Prompt
    document_prompt: Prompt
    matryoshka: Matryoshka
    licence: str | None


def describe_model(name: str, told: Told | None = None) -> Description:
    """Tell what is known of a model, without loading it and without the network.

    Raises
    ------
    InputError
        If a file of the model is damaged.
    """
    entry = entry_of(name)
    folder = model_folder(name, entry)
    own = ("", "")
    if folder is not None:
        config = read_json(folder / "config_sentence_transformers.json")
        own = stated_prompts(config.get("prompts") or {})
    return describe(entry, folder=folder, own_prompts=own, told=told)


def stated_matryoshka(model: str | None, trained_dims: tuple[int, ...] = ()) -> Matryoshka:
    """Tell what is said of the model of a run: by the registry, its own files, or the run.

    Parameters
    ----------
    model : str or None
        Its name; None when nobody said which it is.
    trained_dims : tuple of int
        Dims of its training as the run has them; they speak where nothing else does.
    """
    found = Matryoshka("unknown", "nobody said which model made these vectors")
    if model is not None:
        try:
            found = describe_model(model).matryoshka
        except InputError:
            found = Matryoshka("unknown", "a file of it on this machine is damaged")
    if found.verdict == "unknown" and trained_dims:
        return Matryoshka(
            "yes", "whoever made this run named the dims of its training", trained_dims
        )
    return found


def entry_of(name: str) -> ModelEntry | None:
    """Find the registry's entry of a model by its name, or of a folder called owner/model."""
    if (hosted := parse_hosted(name)) is not None:
        return hosted_entry(hosted)
    entry = find_entry(name)
    if entry is not None and entry.access == "bundled":
        return entry
    folder = local_folder(name)
    if folder is None:
        return entry
    entry = find_entry("/".join(folder.resolve().parts[-2:]))
    return entry if entry is not None and entry.access == "hub" else None


def describe(
    entry: ModelEntry | None,
    *,
    folder: Path | None,
    own_prompts: tuple[str, str] = ("", ""),
    full_dim: int | None = None,
    told: Told | None = None,
) -> Description:
    """Settle who decides what: you, then the model's own files, then the registry.

    Its own files come before the registry for prompts, since they belong to this very version of
    the model; an empty prompt in them says nothing, since saving a model writes empty ones. For
    whether it is Matryoshka the registry comes first, since files can only be silent.
    """
    told = told or Told()

    def prompt(said: str | None, own: str, known: str | None) -> Prompt:
        if said is not None:
            return Prompt(said, "you")
        if own:
            return Prompt(own, "its own files")
        return Prompt("", "nobody") if known is None else Prompt(known, "the registry")

    return Description(
        entry,
        prompt(told.query_prompt, own_prompts[0], None if entry is None else entry.query_prompt),
        prompt(
            told.document_prompt, own_prompts[1], None if entry is None else entry.document_prompt
        ),
        _matryoshka(entry, folder=folder, full_dim=full_dim, told=told),
        (entry and entry.licence) or (licence(folder) if folder else None),
    )


def _matryoshka(
    entry: ModelEntry | None, *, folder: Path | None, full_dim: int | None, told: Told
) -> Matryoshka:
    if told.dims is not None:
        if full_dim is not None and (wrong := [d for d in told.dims if not 1 <= d <= full_dim]):
            raise InputError(
                f"Trained dim {wrong[0]} is outside 1 to {full_dim}, the dims of this model: name "
                f"dims up to {full_dim}."
            )
        return Matryoshka("yes", "you named the dims of its training", tuple(sorted(told.dims)))
    found = (
        detect_matryoshka(folder, full_dim=full_dim)
        if folder
        else Matryoshka("unknown", "its files are not on this machine")
    )
    if entry is None or entry.matryoshka is None:
        return found
    dims = (entry.dims or found.dims) if entry.matryoshka else ()
    return Matryoshka(VERDICTS[entry.matryoshka], "the registry says so", dims)


def model_folder(name: str, entry: ModelEntry | None) -> Path | None:
    """Give the folder of a model's files on this machine; None without one, or when bundled."""
    if is_hosted(name) or (entry is not None and entry.access != "hub"):
        return None
    folder = local_folder(name)
    if folder is not None or is_path(name):
        return folder
    try:
        return hub_copy(entry.name if entry else name)
    except InputError:
        # Loading it is what explains the problem.
        return None


def local_folder(name: str) -> Path | None:
    """Give the folder of this machine that a name means; None if it means none."""
    folder = Path(os.path.expanduser(name))  # Path.expanduser raises for an unknown ~user
    try:
        return folder if name and folder.is_dir() else None
    except ValueError:  # a name with a zero byte
        return None


def is_path(name: str) -> bool:
    """Whether a name that is no folder was meant as one: hub ids have one slash at most."""
    path = Path(name)
    return name.startswith((".", "~", "/")) or len(path.parts) > 2 or "\\" in name or path.exists()
