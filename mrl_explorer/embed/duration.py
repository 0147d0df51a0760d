"""How long embedding will take, told from the model's files before anything is loaded.

A rough figure, right within a factor of two or three: what decides is the size of the model, the
tokens it reads and how fast this machine multiplies.
"""

import time
from functools import cache
from pathlib import Path

import numpy as np

from mrl_explorer.data import Collection
from mrl_explorer.embed.collections import needs_model
from mrl_explorer.embed.description import entry_of, model_folder
from mrl_explorer.embed.model_files import read_json
from mrl_explorer.embed.models import bundled_folder
from mrl_explorer.embed.registry import StaticFiles

_BYTES_A_TOKEN = 4
_USUAL_TOKENS = 512
# Measured on two cores: a static model reads 3.8 MB of text a second, whatever its size, since
# finding its tokens is most of the work; a transformer of 384 dims and 6 layers reaches .55 of the
# multiplications a second of one large product.
_STATIC_BYTES_A_SECOND = 3.8e6
_REACHED = 0.55


def embedding_seconds(name: str, collection: Collection) -> float | None:
    """Estimate how long a model takes for the texts of a collection that have no vectors.

    Parameters
    ----------
    name : str
        As for `load_model`.
    collection : Collection
        Documents and queries.

    Returns
    -------
    float or None
        Seconds, with nothing cached; None where the model's files are not on this machine or do not
        say how large it is.

    Raises
    ------
    InputError
        If the package of a bundled model is not installed, or a file of the model is damaged.
    """
    if not needs_model(collection):
        return 0.0
    entry = entry_of(name)
    if entry is not None and isinstance(entry.place, StaticFiles):
        return _text_bytes(collection, limit=None) / _STATIC_BYTES_A_SECOND
    bundled = bundled_folder(entry) if entry is not None else None
    folder = bundled or model_folder(name, entry)
    if folder is None:
        return None
    if _is_static(folder):
        return _text_bytes(collection, limit=None) / _STATIC_BYTES_A_SECOND
    operations = operations_a_token(folder)
    if operations is None:
        return None
    limit = _max_tokens(folder) * _BYTES_A_TOKEN
    tokens = _text_bytes(collection, limit=limit) / _BYTES_A_TOKEN
    return tokens * operations / (_REACHED * operations_a_second())


def operations_a_token(folder: Path) -> float | None:
    """Count the floating-point operations of a transformer for one token; None if it cannot tell.

    Twice the weights of its layers: four square matrices of attention and two of the feed-forward
    part (Kaplan et al., Scaling laws for neural language models, 2020, section 2.1). Attention
    itself is left out: it is small beside them up to a few hundred tokens.
    """
    config = read_json(folder / "config.json")
    named = (config.get(key) for key in ("num_hidden_layers", "hidden_size", "intermediate_size"))
    sizes = [size for size in named if isinstance(size, int) and size > 0]
    if len(sizes) < 3:
        return None
    layers, hidden, inner = sizes
    return 2.0 * layers * (4 * hidden**2 + 2 * hidden * inner)


@cache
def operations_a_second() -> float:
    """Measure once how fast this machine multiplies float32 matrices, in operations a second."""
    random = np.random.default_rng(0)
    left = random.standard_normal((256, 768), dtype=np.float32)
    right = random.standard_normal((768, 2048), dtype=np.float32)
    fastest = min(_seconds(left, right) for _ in range(5))
    return 2.0 * left.size * right.shape[1] / fastest


def _seconds(left: np.ndarray, right: np.ndarray) -> float:
    start = time.perf_counter()
    left @ right
    return time.perf_counter() - start


def _text_bytes(collection: Collection, *, limit: int | None) -> float:
    """Sum what is embedded, each text up to a limit."""
    total = 0.0
    for records in (collection.documents, collection.queries):
        if records.vectors is not None or records.texts is None:
            continue
        sizes = records.texts.sizes()
        if records.titles is not None:
            sizes = sizes + records.titles.sizes()
        total += float((sizes if limit is None else np.minimum(sizes, limit)).sum())
    return total


def _max_tokens(folder: Path) -> int:
    """Read how many tokens of a text a model takes."""
    stated = read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    return stated if isinstance(stated, int) and stated > 0 else _USUAL_TOKENS


def _is_static(folder: Path) -> bool:
    try:
        modules = (folder / "modules.json").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return "StaticEmbedding" in modules
