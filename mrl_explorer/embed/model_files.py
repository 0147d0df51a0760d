"""What the files of a model say about it, without loading it."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mrl_explorer.errors import InputError

# As sentence-transformers writes the parameters of MatryoshkaLoss into a model card, as call or as
# JSON, and as config.json of models made for vLLM has them.
_DIMS = re.compile(r"matryoshka_dim(?:ension)?s[\"']?\s*[:=]\s*[\[(]([\d,\s]+)[\])]")
# As sentence-transformers tags the card of a model that it trained with either loss.
_LOSS = re.compile(r"\bloss:(Matryoshka(?:2d)?Loss)\b")
_SAID = re.compile(r"\bmatryoshka\b|\bMRL\b", re.IGNORECASE)
# Every card that sentence-transformers writes recommends this reading, whatever the model.
_RECOMMENDED = re.compile(r"^.*huggingface\.co/blog/matryoshka.*$", re.MULTILINE)
_LICENCE = re.compile(r"^license(_name)?:[ \t]*(\S.*?)\s*$", re.MULTILINE)
_CONFIGS = ("config.json", "config_sentence_transformers.json", "README.md")

# Copies of the weights for other runtimes, which are not read here.
OTHER_RUNTIMES = ("onnx", "openvino", "coreml")


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object; empty when there is no such file.

    Raises
    ------
    InputError
        If the file holds anything else.
    """
    if not file.is_file():
        return {}
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{file} is not JSON ({error}); download the model again.") from error
    if not isinstance(value, dict):
        raise InputError(f"{file} does not hold a JSON object; download the model again.")
    return value


def identifying_files(folder: Path) -> list[Path]:
    """Files of a model's folder that can change its vectors: all but notes and other runtimes'."""

    def counts(file: Path) -> bool:
        parts = file.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        return not (hidden or parts[0] in OTHER_RUNTIMES or file.suffix == ".md")

    return [file for file in folder.rglob("*") if file.is_file() and counts(file)]


def digest_files(files: Iterable[Path], *, root: Path) -> str:
    """SHA-256 in hex of files and of their places below `root`, whatever their order."""
    digest = hashlib.sha256()
    for place, file in sorted((file.relative_to(root).as_posix(), file) for file in files):
        with file.open("rb") as content:
            digest.update(hashlib.sha256(place.encode()).digest())
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


Verdict = Literal["yes", "likely", "no", "unknown"]
"""Whether a model was trained to be cut. Only the registry says "no": files that say nothing are no
evidence."""


@dataclass(frozen=True, slots=True)
class Matryoshka:
    """Whether a model was trained to be cut, and how that is known.

    Attributes
    ----------
    verdict : str
        As in `Verdict`.
    reason : str
        What says so, as a sentence without its full stop.
    dims : tuple of int
        Dims it was trained at, ascending; empty where nothing names them.
    """

    verdict: Verdict
    reason: str
    dims: tuple[int, ...] = ()


def detect_matryoshka(folder: Path, *, full_dim: int | None = None) -> Matryoshka:
    """Read from a model's own files whether it was trained to be cut.

    The signs are those that vLLM and sentence-transformers write or read: `matryoshka_dimensions`
    and `is_matryoshka` in config.json, the tag of the loss and the loss's parameters in the card.

    Parameters
    ----------
    folder : Path
        Of the model.
    full_dim : int, optional
        Dims above it are left out.
    """
    dims = _named_dims(folder, full_dim=full_dim)
    config = read_json(folder / "config.json")
    card = _text(folder / "README.md")
    for name in ("matryoshka_dimensions", "is_matryoshka"):
        if config.get(name):
            return Matryoshka("yes", f"its config.json has {name}", dims)
    if loss := _LOSS.search(_head(card)):
        return Matryoshka("yes", f"its card says that it was trained with {loss[1]}", dims)
    if dims:
        return Matryoshka("yes", "its files name the dims of its training", dims)
    if cut := read_json(folder / "config_sentence_transformers.json").get("truncate_dim"):
        return Matryoshka("likely", f"its files cut vectors to {cut} dims by default")
    if said := _SAID.search(_RECOMMENDED.sub("", card)):
        return Matryoshka("likely", f'its card speaks of "{said[0]}"')
    return Matryoshka("unknown", "its files say nothing of it, which is no sign that it was not")


def _named_dims(folder: Path, *, full_dim: int | None) -> tuple[int, ...]:
    """Dims that the configuration or the card names, ascending; () if neither does."""
    for name in _CONFIGS:
        if found := _DIMS.search(_text(folder / name)):
            dims = {int(dim) for dim in re.findall(r"\d+", found[1])}
            return tuple(sorted(d for d in dims if d > 0 and (full_dim is None or d <= full_dim)))
    return ()


def stated_prompts(prompts: Mapping[str, str | None]) -> tuple[str, str]:
    """Give the prompts for queries and for documents among a model's own, by their usual names.

    An empty one says nothing: sentence-transformers writes "query" and "document" into every model
    that it saves. Its `default_prompt_name` is for texts that are neither.
    """

    def first(*names: str) -> str:
        return next((prompt for name in names if (prompt := prompts.get(name))), "")

    return first("query"), first("document", "passage", "corpus")


def licence(folder: Path) -> str | None:
    """Licence in the metadata at the head of the model card, or None."""
    head = _head(_text(folder / "README.md"))
    # "license: other" goes with the real one in "license_name".
    stated = {bool(suffix): text for suffix, text in _LICENCE.findall(head)}
    return stated.get(True) or stated.get(False)


def _head(card: str) -> str:
    """Metadata at the head of a model card."""
    return card.partition("\n---")[0] if card.startswith("---") else ""


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
