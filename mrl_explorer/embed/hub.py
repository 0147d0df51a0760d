"""Models on the Hugging Face hub, brought to a local folder.

sentence-transformers could do it, but asks the hub file by file and tries each six times: without
a network it takes over a minute to say so (measured: 69 s, sentence-transformers 6.2.0).
"""

# ruff: noqa: PLC0415 - torch takes seconds to import, and the first screen must not wait.

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from mrl_explorer.embed.model_files import OTHER_RUNTIMES
from mrl_explorer.errors import InputError

HUB_SECONDS = 5.0
"""How long the hub may take to answer whether it has a model."""

# Weights in the formats of other runtimes, often several times the size of those needed.
_NEVER = (
    *(f"{folder}/*" for folder in OTHER_RUNTIMES),
    *("*.onnx", "*.h5", "*.msgpack", "*.ot", "*.ckpt", "*.gguf"),
)


def hub_copy(name: str) -> Path | None:
    """Folder of a model's copy on this machine, complete or None; the network is left alone.

    Parameters
    ----------
    name : str
        As for `hub_folder`.

    Raises
    ------
    InputError
        If this can be no id on the hub.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        copy = Path(
            snapshot_download(
                _repository(name),
                cache_dir=_copies(),
                local_files_only=True,
                # A copy made by sentence-transformers has one of the two formats of weights.
                ignore_patterns=[*_NEVER, "*.bin"],
            )
        )
    except HFValidationError as error:
        raise InputError(f"{name} is no possible model id; an id reads owner/model.") from error
    except LocalEntryNotFoundError:
        return None
    return copy if (copy / "modules.json").is_file() else None


def hub_folder(name: str) -> Path:
    """Folder with the files of a model on the hub; downloaded if there is no local copy.

    Parameters
    ----------
    name : str
        `owner/model`; without an owner, that of sentence-transformers.

    Raises
    ------
    InputError
        If the hub has no such model, does not let this user have it, or cannot be reached.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # made on demand there

    if copy := hub_copy(name):
        return copy
    repo = _repository(name)
    try:
        files = HfApi().model_info(repo, timeout=HUB_SECONDS).siblings or []
        duplicates = _duplicate_weights(file.rfilename for file in files)
        return Path(
            snapshot_download(repo, cache_dir=_copies(), ignore_patterns=[*_NEVER, *duplicates])
        )
    except GatedRepoError as error:
        raise InputError(
            f"Model {repo} is only for those who accept its terms: do so at "
            f"https://huggingface.co/{repo}, then run `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"The hub has no model {repo}; check the spelling, or run `hf auth login` if it is a "
            "private one."
        ) from error
    except (httpx.HTTPError, OSError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"Model {repo} is not on this machine and the hub cannot be reached ({reason}); check "
            "the network, or name a bundled model or a folder instead."
        ) from error


def _repository(name: str) -> str:
    return name if "/" in name else f"sentence-transformers/{name}"


def _copies() -> str | None:
    """Where sentence-transformers keeps its copies; None is the hub's own cache."""
    return os.environ.get("SENTENCE_TRANSFORMERS_HOME")


def _duplicate_weights(files: Iterable[str]) -> list[str]:
    """PyTorch weights in folders that hold safetensors, which are read in preference."""
    paths = [PurePosixPath(file) for file in files]
    covered = {path.parent for path in paths if path.suffix == ".safetensors"}
    return [str(path) for path in paths if path.suffix == ".bin" and path.parent in covered]
