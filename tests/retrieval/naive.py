"""The plain recipe of the design, in float64: what the sweep is held against.

Basis, truncate, L2-normalise, encode, score; each written from the design's table and from
nothing else in the product.

A score in float64 and one in float32 differ by rounding alone, except where a component lies so
close to a rounding boundary (of an integer code, of a shorter float, of a sign) that float32's
own error decides the code. Every component therefore carries the error that float32 may have made
in it, and every code the distance between the codes at both ends of that error: nothing for
almost all, one step at a boundary. A score's `slack` follows from those.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

EPS = 4e-7
"""Relative error of a few float32 operations on end (one rounds by up to 6e-8)."""

ZERO_PREFIX = -1e4
"""Below every score that vectors with a direction can have."""

LEVELS = {"int8": 127, "int4": 7, "int4-floatq": 7}
MANTISSA_BITS = {"float16": 10, "bfloat16": 7}
FLOAT_QUERY = {"int4-floatq", "binary-floatq", "binary-centred-floatq"}
BITS = {
    "float32": 32,
    "float16": 16,
    "bfloat16": 16,
    "int8": 8,
    "int4": 4,
    "int4-floatq": 4,
    "binary": 1,
    "binary-floatq": 1,
    "binary-centred-floatq": 1,
}


@dataclass(frozen=True)
class Vectors:
    """Vectors or codes, and how far float32 may be from each component."""

    values: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Scores:
    """What every document scores for every query: (n_queries, n_docs) each.

    `lost` marks pairs of which nothing can be said: the prefix is rounding noise of a rotation.
    """

    values: np.ndarray
    slack: np.ndarray
    lost: np.ndarray


def unit(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, np.float64)
    norms = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return vectors / np.where(norms == 0, 1, norms)


def covariance(documents: np.ndarray) -> np.ndarray:
    return np.cov(unit(documents), rowvar=False, bias=True)


def principal_axes(documents: np.ndarray) -> np.ndarray:
    """One axis a row, most variance first, the largest entry of each positive."""
    _, columns = np.linalg.eigh(covariance(documents))
    axes = columns.T[::-1]
    return np.array([axis if axis[np.abs(axis).argmax()] > 0 else -axis for axis in axes])


def score(
    documents: np.ndarray,
    queries: np.ndarray,
    *,
    dim: int,
    quantization: str,
    axes: np.ndarray | None = None,
    turn: np.ndarray | None = None,
) -> Scores:
    """Score all documents for all queries.

    `axes` (one a row) is None for the native basis; `turn`, (dim, dim), turns what is kept.
    """
    rotated_documents, rotated_queries = (
        _turned(_rotated(vectors, axes), dim, turn) for vectors in (documents, queries)
    )
    if quantization == "binary-centred-floatq":
        mean = rotated_documents.values.mean(axis=0)
        rotated_documents, rotated_queries = (
            Vectors(rotated.values - mean, rotated.error + EPS / 2)
            for rotated in (rotated_documents, rotated_queries)
        )
    document_prefixes, lost_documents = _prefixes(rotated_documents, dim)
    query_prefixes, lost_queries = _prefixes(rotated_queries, dim)

    encode = _encoder(quantization)
    d = encode(document_prefixes)
    q = query_prefixes if quantization in FLOAT_QUERY else encode(query_prefixes)

    values = q.values @ d.values.T
    sizes = np.abs(q.values) @ np.abs(d.values).T
    slack = np.abs(q.values) @ d.error.T + q.error @ (np.abs(d.values) + d.error).T
    if quantization == "binary":
        # Codes of +1 and -1 that disagree in h places have the product dim - 2 h.
        values, slack = (values - dim) / 2, slack / 2
    else:
        slack = slack + EPS * sizes
    values[:, ~rotated_documents.values[:, :dim].any(axis=1)] = -np.inf
    return Scores(values, slack, lost_documents[None, :] | lost_queries[:, None])


def _rotated(vectors: np.ndarray, axes: np.ndarray | None) -> Vectors:
    units = unit(vectors)
    if axes is None:
        return Vectors(units, EPS * np.abs(units))
    axes = np.asarray(axes, np.float64)
    # A sum of many products is off by a part of the products' sizes, however small it comes out.
    return Vectors(units @ axes.T, EPS * (np.abs(units) @ np.abs(axes).T))


def _turned(vectors: Vectors, dim: int, turn: np.ndarray | None) -> Vectors:
    if turn is None:
        return vectors
    turn = np.asarray(turn, np.float64)
    values, error = vectors.values[:, :dim], vectors.error[:, :dim]
    own_error = EPS * (np.abs(values) @ np.abs(turn).T)
    return Vectors(values @ turn.T, error @ np.abs(turn).T + own_error)


def _prefixes(vectors: Vectors, dim: int) -> tuple[Vectors, np.ndarray]:
    """Truncate and L2-normalise; also tell which prefixes are lost in noise."""
    values, error = vectors.values[:, :dim], vectors.error[:, :dim]
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    error_norms = np.linalg.norm(error, axis=1, keepdims=True)
    divisor = np.where(norms == 0, 1, norms)
    units = values / divisor
    relative = error_norms / divisor + EPS
    lost = (norms <= 20 * error_norms) & (error_norms > 0)
    return Vectors(units, error / divisor + np.abs(units) * relative), lost[:, 0]


def _encoder(quantization: str) -> Callable[[Vectors], Vectors]:
    if quantization == "float32":
        return lambda vectors: vectors
    if quantization in MANTISSA_BITS:
        return lambda vectors: _between(
            lambda x: shorter_float(x, quantization=quantization), vectors
        )
    if quantization in LEVELS:
        return lambda vectors: _integers(vectors, LEVELS[quantization])
    return lambda vectors: _between(lambda x: np.where(x > 0, 1.0, -1.0), vectors)


def _between(rounding: Callable[[np.ndarray], np.ndarray], vectors: Vectors) -> Vectors:
    """Round, and measure how far apart the codes at both ends of the error are."""
    values = rounding(vectors.values)
    low = rounding(vectors.values - vectors.error)
    high = rounding(vectors.values + vectors.error)
    return Vectors(values, np.maximum(high - values, values - low))


def shorter_float(values: np.ndarray, *, quantization: str) -> np.ndarray:
    """Round to the nearest float of so many mantissa bits, ties to even."""
    _, exponent = np.frexp(values)
    least = -24 if quantization == "float16" else -133
    step = np.exp2(np.maximum(exponent - 1.0 - MANTISSA_BITS[quantization], least))
    return np.rint(values / step) * step


def integer_codes(values: np.ndarray, levels: int) -> np.ndarray:
    largest = np.abs(values).max(axis=1, keepdims=True)
    return np.rint(levels * values / np.where(largest == 0, 1, largest))


def _integers(vectors: Vectors, levels: int) -> Vectors:
    largest = np.abs(vectors.values).max(axis=1, keepdims=True)
    divisor = np.where(largest == 0, 1, largest)
    # x / max: the error of the largest component is that of every quotient too.
    at_largest = np.abs(vectors.values).argmax(axis=1)[:, None]
    top_error = np.take_along_axis(vectors.error, at_largest, axis=1)
    quotients = levels * vectors.values / divisor
    error = (levels * vectors.error + np.abs(quotients) * (top_error + EPS * divisor)) / divisor
    np.put_along_axis(error, at_largest, 0.0, axis=1)  # the largest is +-levels, whatever it is
    codes = _between(np.rint, Vectors(quotients, error))
    norms = np.linalg.norm(codes.values, axis=1, keepdims=True)
    norms = np.where(norms == 0, 1, norms)
    off = np.linalg.norm(codes.error, axis=1, keepdims=True)
    units = codes.values / norms
    return Vectors(units, (codes.error + np.abs(units) * off) / np.maximum(norms - off, 0.5))
