"""What was trained, to take away: a sentence-transformers model, or a matrix with a recipe."""

# ruff: noqa: PLC0415 - torch takes seconds to import, and the first screen must not wait.

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mrl_explorer.embed.models import Model
from mrl_explorer.errors import InputError

if TYPE_CHECKING:
    import torch

RECIPE = """\
import numpy as np
components = np.load("adapter.npz")["components"]
def adapt(vectors, dim):
    cut = np.asarray(vectors, np.float32) @ components[:dim].T
    return cut / np.linalg.norm(cut, axis=-1, keepdims=True)
"""
"""What to do with the matrix when a query comes: documents and queries alike."""


def save_adapted(
    model: Model, components: np.ndarray, folder: Path, *, dims: tuple[int, ...]
) -> None:
    """Write a model with a linear map behind it, which `SentenceTransformer(folder)` loads.

    The model's own modules come first, as they are, with its prompts. Its vectors are the mapped
    ones at unit length; cut them with `truncate_dim` and `normalize_embeddings=True`.

    Parameters
    ----------
    model : Model
        As from `load_model`.
    components : np.ndarray
        (out_dim, full_dim) float32, one axis a row.
    folder : Path
        Made when it is not there.
    dims : tuple of int
        Dims that the map was trained to be cut at; they stand in the model's card.

    Raises
    ------
    InputError
        If the map is of another dimension, the model is behind an API, or the folder cannot be
        written.
    """
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense, LayerNorm, Normalize

    encoder = model.local_encoder
    out_dim, full_dim = components.shape
    if full_dim != model.full_dim:
        raise InputError(
            f"The adapter is for vectors of {full_dim} dimensions and {model.name} makes vectors "
            f"of {model.full_dim}: take the model that made the vectors it was trained on."
        )
    dense = Dense(
        full_dim,
        out_dim,
        bias=False,
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(np.array(components, np.float32)),
    )
    layer_norm = [LayerNorm(full_dim)] if model.layer_norm else []
    _save(
        model,
        [*encoder, *layer_norm, dense, Normalize()],
        folder,
        f"# {model.name} with an adapter\n\nThe vectors of {model.name} behind a linear map that "
        "was trained to be cut.",
        dims=dims,
    )


def save_trained(model: Model, folder: Path, *, dims: tuple[int, ...]) -> None:
    """Write a model whose own weights were trained, which `SentenceTransformer(folder)` loads.

    Parameters
    ----------
    model : Model
        As from `load_model`, trained since.
    folder, dims
        As for `save_adapted`.

    Raises
    ------
    InputError
        If the model is behind an API, or the folder cannot be written.
    """
    from sentence_transformers.sentence_transformer.modules import LayerNorm

    layer_norm = [LayerNorm(model.full_dim)] if model.layer_norm else []
    _save(
        model,
        [*model.local_encoder, *layer_norm],
        folder,
        f"# {model.name}, trained further\n\nAll weights of {model.name} were trained with "
        "MatryoshkaLoss.",
        dims=dims,
    )


def _save(
    model: Model,
    modules: "list[torch.nn.Module]",
    folder: Path,
    what: str,
    *,
    dims: tuple[int, ...],
) -> None:
    """Write modules with the prompts of a model, and a card that names the dims."""
    from sentence_transformers import SentenceTransformer

    saved = SentenceTransformer(
        modules=modules,
        prompts={"query": model.query_prompt, "document": model.document_prompt},
        # The modules are the loaded model's own, which has to stay where it is.
        device=str(model.local_encoder.device),
    )
    try:
        saved.save(str(folder), create_model_card=False)
        (folder / "README.md").write_text(_card(model, what, dims), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}): choose a folder you may write to."
        ) from error


def adapted_zip(model: Model, components: np.ndarray, *, dims: tuple[int, ...]) -> bytes:
    """Give the folder that `save_adapted` writes as a ZIP archive."""
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "adapted"
        save_adapted(model, components, folder, dims=dims)
        # Weights hardly get smaller.
        with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder.parent))
    return content.getvalue()


def adapter_npz(components: np.ndarray, *, dims: tuple[int, ...]) -> bytes:
    """Give the matrix as NPZ: `components`, the `dims` it was trained for, and the `recipe`."""
    content = io.BytesIO()
    np.savez(
        content,
        components=np.array(components, np.float32),
        dims=np.array(dims, np.int64),
        recipe=np.array(RECIPE),
    )
    return content.getvalue()


def _card(model: Model, what: str, dims: tuple[int, ...]) -> str:
    named = ", ".join(map(str, dims))
    licence = f"license: {model.licence}\n" if model.licence else ""
    return f"""---
{licence}library_name: sentence-transformers
---
{what}

matryoshka_dims: [{named}]

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("this folder", truncate_dim={dims[0]})
vectors = model.encode_query(["a query"], normalize_embeddings=True)
```
"""
