"""The axes that are cut: the model's own, or the directions in which the documents vary most."""

from dataclasses import dataclass

import numpy as np

from mrl_explorer.progress import OnProgress, Progress, silent

BASES = {
    "native": "The model's own order of dimensions: a cut keeps its first ones.",
    "pca": "Principal axes of your documents: a cut keeps the directions in which they vary most.",
}
"""Every basis by name, with one sentence for the reader of the page."""

ROWS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class Basis:
    """A basis, ready to apply to any vector of the same model.

    Attributes
    ----------
    name : str
        Name of an entry of `BASES`.
    components : np.ndarray or None
        (full_dim, full_dim) float32, one orthonormal axis a row; None leaves vectors as they are.
    """

    name: str
    components: np.ndarray | None = None

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Express (n, full_dim) float32 vectors in this basis; the shape stays."""
        return vectors if self.components is None else vectors @ self.components.T


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
    """Fit a basis on documents, in one streaming pass.

    `pca` takes the eigenvectors of the centred covariance of the unit documents, most variance
    first. They are applied without subtracting the mean: a rotation keeps every inner product,
    so at full dimension each list equals the baseline's, which centring would change. With
    fewer documents than dims the covariance has a null space, and its eigenvectors complete the
    basis.

    Parameters
    ----------
    documents : np.ndarray
        (n_docs, full_dim) float, of any norm.

    Raises
    ------
    ValueError
        If `name` is no entry of `BASES`.
    """
    if name not in BASES:
        raise ValueError(f"unknown basis {name!r}")
    if name == "native":
        return Basis(name)
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
    return Basis(name, np.ascontiguousarray(signed, dtype=np.float32))
