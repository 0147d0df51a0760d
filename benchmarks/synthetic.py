"""Synthetic vectors of the kind a Matryoshka model gives, and the grid they are ranked on."""

import numpy as np

DIMS = (32, 64, 128, 192, 256, 384, 512, 768)
QUANTIZATIONS = ("float32", "float16", "int8", "int4", "binary")
DEPTH = 100

DOCUMENTS_PER_CLUSTER = 100
DECAY = 0.3
SPREAD = 1.3
_ROWS_AT_ONCE = 10_000


def clustered(
    *, n_docs: int, n_queries: int, full_dim: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw documents and queries around common centres.

    The recipe, with one generator seeded by `seed`: axis j (from 1) has the scale j^-0.3, so that
    early axes carry more, as in a model trained to be cut. One centre for every 100 documents is
    normal with that scale. A document or a query is a centre chosen at random plus 1.3 times
    normal noise with the same scale, divided by its norm. Rows of a cluster are thus scattered
    over the file, as they are in most corpora.

    Returns
    -------
    documents, queries : np.ndarray
        (n_docs, full_dim) and (n_queries, full_dim) float32, each row of norm 1.
    """
    random = np.random.default_rng(seed)
    scale = np.arange(1, full_dim + 1, dtype=np.float32) ** -DECAY
    n_clusters = max(1, n_docs // DOCUMENTS_PER_CLUSTER)
    centres = random.standard_normal((n_clusters, full_dim), np.float32) * scale

    def draw(n_rows: int) -> np.ndarray:
        vectors = np.empty((n_rows, full_dim), np.float32)
        for start in range(0, n_rows, _ROWS_AT_ONCE):
            part = vectors[start : start + _ROWS_AT_ONCE]
            random.standard_normal(dtype=np.float32, out=part)
            part *= SPREAD * scale
            part += centres[random.integers(n_clusters, size=len(part))]
            part /= np.linalg.norm(part, axis=1, keepdims=True)
        return vectors

    return draw(n_docs), draw(n_queries)


def dims_up_to(full_dim: int) -> tuple[int, ...]:
    """List the dims of the grid for vectors of `full_dim`, itself included."""
    return tuple(sorted({full_dim, *(dim for dim in DIMS if dim < full_dim)}))
