"""The axes that are cut: the model's own, principal ones, a random order, a trained map."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mrl_explorer.progress import OnProgress, Progress, silent

BASES = {
    "native": "The model's own order of dimensions: a cut keeps its first ones.",
    "pca": "Principal axes of your documents: a cut keeps the directions in which they vary most.",
    "pca-rotated": "Principal axes, cut, then turned at random within the kept dims, which spreads "
    "the variance evenly: it can help binary and int4 from about 256 dims, and hurts at few.",
    "random": "The model's dimensions in a random order: the control that any better order beats.",
    "adapter": "A linear map of the model's vectors, trained so that the first dims keep the "
    "neighbours of all dims, or find what is judged relevant.",
}
"""Every basis by name, with one sentence for the reader of the page."""

PRINCIPAL_BASES = ("pca", "pca-rotated")
"""Made of the principal axes of the documents."""

FITTED_BASES = (*PRINCIPAL_BASES, "adapter")
"""Fitted on documents: measured on the same documents they flatter themselves."""

ROTATIONS = (*PRINCIPAL_BASES, "random")
"""Orthonormal: nothing is lost at full dimension."""

RUN_BASES = ("native", *ROTATIONS)
"""What a run makes by itself; any other basis has to be given."""

DEFAULT_BASES = ("native", "pca")
"""What an evaluation covers unless it is asked for others."""

ROWS_AT_ONCE = 8192
# Any seeds would do: the same for everyone, so that a run can be repeated.
_ORDER_SEED = 20_25
_ROTATION_SEED = 20_26


@dataclass(frozen=True, eq=False)
class Basis:
    """A basis, ready to apply to any vector of the same model.

    Attributes
    ----------
    name : str
        Name of an entry of `BASES`.
    components : np.ndarray or None
        (out_dim, full_dim) float32, one axis a row: orthonormal for `ROTATIONS`, any linear map
        for an adapter. None leaves vectors as they are.
    unseen : np.ndarray or None
        (n,) document rows, ascending, that a trained basis did not see; None when that is not
        known, or all were seen.
    """

    name: str
    components: np.ndarray | None = None
    unseen: np.ndarray | None = None

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Express (n, full_dim) float32 vectors in this basis: (n, out_dim)."""
        return vectors if self.components is None else vectors @ self.components.T

    def out_dim(self, full_dim: int) -> int:
        """Give the most dims that a cut can keep."""
        return full_dim if self.components is None else len(self.components)

    def rotation(self, dim: int) -> np.ndarray | None:
        """Give what turns a prefix within its own dims: (dim, dim) float32; None for nothing."""
        return random_rotation(dim) if self.name == "pca-rotated" else None


def random_rotation(dim: int) -> np.ndarray:
    """Draw the rotation of a prefix: always the same for the same dim.

    The Q of a normal matrix's QR, with the signs that make it uniform over all orthogonal
    matrices (Mezzadri 2007, arXiv:math-ph/0609050).

    Returns
    -------
    np.ndarray
        (dim, dim) float32, orthonormal.
    """
    normal = np.random.default_rng([_ROTATION_SEED, dim]).standard_normal((dim, dim))
    q, r = np.linalg.qr(normal)
    return np.ascontiguousarray(q * np.sign(np.diag(r)), dtype=np.float32)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """L2-normalise rows: (n, dim) any float -> (n, dim) float32; a zero row stays zero."""
    vectors = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)


def document_mean(documents: np.ndarray) -> np.ndarray:
    """Average the unit documents, streaming: (n_docs, full_dim) -> (full_dim,) float64."""
    total = np.zeros(documents.shape[1])
    for start in range(0, len(documents), ROWS_AT_ONCE):
        total += unit_rows(documents[start : start + ROWS_AT_ONCE]).sum(axis=0, dtype=np.float64)
    return total / len(documents)


def fit_basis(name: str, documents: np.ndarray, *, on_progress: OnProgress = silent) -> Basis:
    """Make one basis: see `fit_bases`."""
    return fit_bases([name], documents, on_progress=on_progress)[0]


def fit_bases(
    names: Iterable[str], documents: np.ndarray, *, on_progress: OnProgress = silent
) -> tuple[Basis, ...]:
    """Make bases for documents; those that need principal axes share one streaming pass.

    Parameters
    ----------
    names : iterable of str
        Names among `RUN_BASES`.
    documents : np.ndarray
        (n_docs, full_dim) float, of any norm.

    Raises
    ------
    ValueError
        If a name is none of them.
    """
    names = tuple(names)
    unknown = next((name for name in names if name not in RUN_BASES), None)
    if unknown is not None:
        raise ValueError(f"basis {unknown!r} cannot be fitted on documents")
    components: dict[str, np.ndarray] = {}
    if "random" in names:
        full_dim = documents.shape[1]
        order = np.random.default_rng(_ORDER_SEED).permutation(full_dim)
        components["random"] = np.eye(full_dim, dtype=np.float32)[order]
    if any(name in PRINCIPAL_BASES for name in names):
        axes = _principal_axes(documents, on_progress)
        components |= dict.fromkeys(PRINCIPAL_BASES, axes)
    return tuple(Basis(name, components.get(name)) for name in names)


def _principal_axes(documents: np.ndarray, on_progress: OnProgress) -> np.ndarray:
    """Give the eigenvectors of the centred covariance of the unit documents, most variance first.

    They are applied without subtracting the mean: a rotation keeps every inner product, so at
    full dimension each list equals the baseline's, which centring would change. With fewer
    documents than dims the covariance has a null space, and its eigenvectors complete the basis.
    """
    n_docs, full_dim = documents.shape
    mean = document_mean(documents).astype(np.float32)
    covariance = np.zeros((full_dim, full_dim))
    for start in range(0, n_docs, ROWS_AT_ONCE):
        centred = unit_rows(documents[start : start + ROWS_AT_ONCE]) - mean
        covariance += centred.T @ centred
        on_progress(Progress(min(start + ROWS_AT_ONCE, n_docs), n_docs, "fitting PCA"))
    _, vectors = np.linalg.eigh(covariance)
    components = vectors.T[::-1]
    # An eigenvector's sign is arbitrary, and binary codes depend on it: make each axis's largest
    # entry positive, so that the same documents always give the same codes.
    largest = components[np.arange(full_dim), np.abs(components).argmax(axis=1)]
    signed = components * np.where(largest < 0, -1.0, 1.0)[:, None]
    return np.ascontiguousarray(signed, dtype=np.float32)
