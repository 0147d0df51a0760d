"""What the files of a model say about it, without loading it."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mrl_explorer.errors import InputError

# As sentence-transformers writes the parameters of MatryoshkaLoss into a model card, as call or as
# JSON, and as config.json of models made for vLLM has them.
_DIMS = re.compile(r"matryoshka_dim(?:ension)?s[\"']?\s*[:=]\s*[\[(]([\d,\s]+)[\])]")
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
        hidden = any(part.startswith(".") for part in parts)
        return not (hidden or parts[0] in OTHER_RUNTIMES or file.suffix == ".md")

    return [file for file in folder.rglob("*") if file.is_file() and counts(file)]


def fingerprint(files: Iterable[Path], *, root: Path) -> str:
    """SHA-256 in hex of files and of their places below `root`, whatever their order."""
    digest = hashlib.sha256()
    for place, file in sorted((file.relative_to(root).as_posix(), file) for file in files):
        with file.open("rb") as content:
            digest.update(hashlib.sha256(place.encode()).digest())
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def trained_dims(folder: Path, *, full_dim: int) -> tuple[int, ...]:
    """Matryoshka dims that the configuration or the model card names, ascending; () if neither."""
    for name in _CONFIGS:
        if found := _DIMS.search(_text(folder / name)):
            dims = {int(dim) for dim in re.findall(r"\d+", found[1])}
            return tuple(sorted(dim for dim in dims if 0 < dim <= full_dim))
    return ()


def licence(folder: Path) -> str | None:
    """Licence in the metadata at the head of the model card, or None."""
    head = _text(folder / "README.md").partition("\n---")[0]
    # "license: other" goes with the real one in "license_name".
    stated = {bool(suffix): text for suffix, text in _LICENCE.findall(head)}
    return stated.get(True) or stated.get(False)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
