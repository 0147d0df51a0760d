"""Whether a model is the one that made ready vectors."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mrl_explorer.embed.encoding import encode
from mrl_explorer.embed.models import Kind, Model
from mrl_explorer.errors import InputError

MIN_COSINE = 0.999
"""Least cosine between a stored vector and its text encoded again by the same model.

Other hardware, batches or half precision keep it above; another model or prompt does not."""

_SAMPLES = 3


def same_model(
    model: Model, texts: Sequence[str], vectors: npt.NDArray[np.floating], *, kind: Kind
) -> float:
    """Encode three of the texts again and compare.

    Parameters
    ----------
    texts : sequence of str
        At least one; the first, the last and the middle one are taken.
    vectors : (n_texts, full_dim) array
        Ready vectors, row for row those of `texts`; their lengths do not matter.

    Returns
    -------
    float
        The least cosine. A vector of zeros counts as 0.
    """
    if len(texts) != len(vectors) or not texts:
        raise ValueError(f"expected a vector for each text, got {len(vectors)} for {len(texts)}")
    rows = np.unique(np.linspace(0, len(texts) - 1, _SAMPLES).astype(int))
    again = encode(model, [texts[row] for row in rows], kind=kind).astype(np.float64)
    stored = vectors[rows].astype(np.float64)
    lengths = np.linalg.norm(again, axis=1) * np.linalg.norm(stored, axis=1)
    products = (again * stored).sum(axis=1)
    return float(np.divide(products, lengths, out=np.zeros_like(lengths), where=lengths > 0).min())


def check_same_model(
    model: Model, texts: Sequence[str], vectors: npt.NDArray[np.floating], *, kind: Kind
) -> None:
    """Refuse a model that did not make the vectors; parameters as for `same_model`.

    Raises
    ------
    InputError
        If the dimensions differ, or the cosine is below `MIN_COSINE`.
    """
    if vectors.shape[1] != model.full_dim:
        raise InputError(
            f"The vectors have {vectors.shape[1]} dimensions and those of {model.name} "
            f"{model.full_dim}; name the model that made the vectors."
        )
    cosine = same_model(model, texts, vectors, kind=kind)
    if cosine < MIN_COSINE:
        raise InputError(
            f"{model.name} did not make these vectors: texts encoded again have a cosine of only "
            f"{cosine:.3f} with them ({MIN_COSINE} expected); name the model that made them, and "
            "check that texts and vectors are in the same order."
        )
