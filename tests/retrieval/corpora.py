"""Random corpora with the things in them that make ranking hard."""

import numpy as np

KINDS = (
    "gaussian",
    "clustered",
    "duplicates",
    "scaled duplicates",
    "few codes",
    "off centre",
    "zero prefixes",
    "decaying",
)


def make_corpus(
    kind: str, *, n_docs: int, n_queries: int, full_dim: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Documents and queries, float32, finite, no all-zero row, of many norms."""
    random = np.random.default_rng(seed)
    documents = random.normal(size=(n_docs, full_dim))
    queries = random.normal(size=(n_queries, full_dim))
    if kind == "clustered":
        centres = random.normal(size=(3, full_dim))
        documents = 0.05 * documents + centres[random.integers(3, size=n_docs)]
        queries = 0.05 * queries + centres[random.integers(3, size=n_queries)]
    if kind in ("duplicates", "scaled duplicates"):
        documents = documents[random.integers(max(1, n_docs // 3), size=n_docs)]
        queries[::2] = documents[random.integers(n_docs, size=len(queries[::2]))]
    if kind == "few codes":
        # Signs depend on two components alone: four codes for all documents.
        documents = np.abs(documents) * np.sign(documents[:, :1])
        documents[:, full_dim // 2 :] *= np.sign(random.normal(size=(n_docs, 1)))
    if kind == "off centre":
        offset = 4 * np.abs(random.normal(size=full_dim))
        documents, queries = documents + offset, queries + offset
    if kind == "decaying":
        scale = 0.7 ** np.arange(full_dim)
        documents, queries = documents * scale, queries * scale
    if kind == "zero prefixes":
        for vectors in (documents, queries):
            lengths = random.integers(full_dim, size=len(vectors))
            for vector, length in zip(vectors[::2], lengths, strict=False):
                vector[:length] = 0
    documents *= random.uniform(0.2, 5, size=(n_docs, 1))
    queries *= random.uniform(0.2, 5, size=(n_queries, 1))
    if kind == "duplicates":
        documents[:] = documents[random.integers(max(1, n_docs // 3), size=n_docs)]
    return documents.astype(np.float32), queries.astype(np.float32)
