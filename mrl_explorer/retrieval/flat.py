"""Flat search: all codes of a configuration scored, in no more bytes than are claimed for them.

One search for all codes makes their times comparable: what differs is the bytes read and the
arithmetic. No library here does that. usearch's exact search writes and sorts every distance, which
takes 80 ns a document whatever its code; numkong pads int4 rows of 64 dims from 32 bytes to 136 and
takes no float query; faiss has other encodings.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from mrl_explorer.progress import OnProgress, silent
from mrl_explorer.retrieval import flat_kernels, kernels
from mrl_explorer.retrieval.candidates import Scorer
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.families import Cell
from mrl_explorer.retrieval.quantization import Quantization, quantization
from mrl_explorer.retrieval.sweep import n_threads

QUERIES_AT_ONCE = 64

_TILE_BYTES = 1 << 18
"""Of codes that several queries are scored against in turn: they stay in a core's own cache."""

_TILE_ROWS = 1 << 14
"""Documents that one query is scored against before the best are kept: their scores stay there."""

_SIGNS = np.float32(2) * np.unpackbits(np.arange(256, dtype=np.uint8)[None], axis=0) - np.float32(1)
"""(8, 256): by place and value of a byte, the sign that a bit stands for."""


@dataclass(frozen=True, eq=False)
class StoredCodes:
    """Codes of all documents as a system keeps them in memory.

    Attributes
    ----------
    codes : np.ndarray
        (n_docs, ...): of each document `Config.bytes_per_vector` bytes.
    zeros : np.ndarray
        (n,) rows, ascending, whose prefix is all zero: below every other.
    """

    codes: np.ndarray
    zeros: np.ndarray


@dataclass(frozen=True, slots=True)
class _Form:
    """How codes are stored, and what multiplies them.

    Attributes
    ----------
    store : callable
        (n_docs, ...) codes as `encode` gives them -> as they are stored.
    prepare : callable
        (n_queries, ...) codes, or float32 where the query stays float -> what the kernel takes.
    products : callable
        Of `flat_kernels`.
    """

    store: Callable[[np.ndarray], np.ndarray]
    prepare: Callable[[np.ndarray], np.ndarray]
    products: Any


def store_codes(config: Config, scorer: Scorer, *, on_progress: OnProgress = silent) -> StoredCodes:
    """Encode all documents, and pack the codes to the bytes that are claimed for them."""
    codes, zeros = scorer.encoded(config, on_progress=on_progress)
    form = _form_of(quantization(config.quantization))
    return StoredCodes(np.ascontiguousarray(form.store(codes)), zeros)


class FlatSearch:
    """Exact search by one configuration: best first, ties by the lower row.

    Parameters
    ----------
    config : Config
        What is searched by; a float query may share its codes with one that is encoded.
    stored : StoredCodes
        See `store_codes`.
    """

    def __init__(self, config: Config, stored: StoredCodes) -> None:
        self._stored = stored
        self._dim = config.dim
        self._quantization = quantization(config.quantization)
        self._form = _form_of(self._quantization)

    def search(
        self, queries: np.ndarray, count: int, *, threads: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Search all documents.

        Parameters
        ----------
        queries : np.ndarray
            (n_queries, ...) as `Scorer.all_query_codes` gives them.
        count : int
            Results per query; all documents where that is more.
        threads : int
            0 for all: queries are split among them.

        Returns
        -------
        rows, scores : np.ndarray
            (n_queries, count) int32 and float32, higher is better.
        """
        threads = threads or n_threads()
        size = max(1, min(QUERIES_AT_ONCE, -(-len(queries) // threads)))
        chunks = [queries[start : start + size] for start in range(0, len(queries), size)]
        if threads == 1 or len(chunks) == 1:
            found = [self._best(self._stored, chunk, count) for chunk in chunks]
        else:
            with ThreadPoolExecutor(threads) as pool:
                found = list(pool.map(lambda one: self._best(self._stored, one, count), chunks))
        rows, scores = zip(*found, strict=True)
        return np.concatenate(rows), np.concatenate(scores)

    def among(self, rows: np.ndarray, query: np.ndarray, count: int) -> np.ndarray:
        """Search some documents for one query: (n,) rows and its code -> (at most count,) rows."""
        # In their order in memory, so that a tie goes to the lower row as it does among all.
        rows = np.sort(rows)
        zeros = self._stored.zeros
        if len(zeros):
            zeros = np.flatnonzero(np.isin(rows, zeros))
        handed = StoredCodes(self._stored.codes[rows], zeros)
        places, _ = self._best(handed, query[None], count)
        return rows[places[0]]

    def _best(
        self, stored: StoredCodes, queries: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Score a chunk of queries against tile after tile: (n_queries, count) places, scores."""
        codes, zeros = stored.codes, stored.zeros
        n_docs, n_queries, count = len(codes), len(queries), min(count, len(codes))
        prepared = np.ascontiguousarray(self._form.prepare(queries))
        cell = Cell.empty(
            self._dim, self._quantization, excluded=np.full(n_queries, -1), depth=count
        )
        size = _TILE_ROWS
        if n_queries > 1:
            size = min(size, max(1, _TILE_BYTES // (codes.itemsize * codes.shape[1])))
        products = np.empty((n_queries, min(size, n_docs)), np.float32)
        factors = np.ones(products.shape[1], np.float32)
        for start in range(0, n_docs, size):
            tile = codes[start : start + size]
            scored, own = products[:, : len(tile)], factors[: len(tile)]
            self._form.products(tile, prepared, scored, own)
            first, last = np.searchsorted(zeros, (start, start + len(tile)))
            scored[:, zeros[first:last] - start] = kernels.LOWEST
            kernels.select_products(scored, own, start, *cell.best(slice(None)))
        places = np.empty((n_queries, count), np.int32)
        scores = np.empty((n_queries, count), np.float32)
        cell.finish(self._query_factors(queries), places, scores)
        return places, scores

    def _query_factors(self, queries: np.ndarray) -> np.ndarray:
        """Give what makes a cosine of a product with an integer code, and 1 for other queries."""
        factors = np.ones(len(queries), np.float32)
        if self._quantization.scheme != "integer":
            return factors
        norms = np.linalg.norm(queries.astype(np.float32), axis=1)
        return np.divide(np.float32(1), norms, out=factors, where=norms > 0)


def _as_is(codes: np.ndarray) -> np.ndarray:
    return codes


def _float16_bits(codes: np.ndarray) -> np.ndarray:
    return codes.astype(np.float16).view(np.uint16)


def _bfloat16_bits(codes: np.ndarray) -> np.ndarray:
    return (codes.view(np.uint32) >> np.uint32(16)).astype(np.uint16)


def _as_float32(codes: np.ndarray) -> np.ndarray:
    return codes.astype(np.float32, copy=False)


def _filled(components: np.ndarray, multiple: int, value: int) -> np.ndarray:
    """Add columns of a value until their number is a multiple."""
    missing = -components.shape[1] % multiple
    if not missing:
        return components
    return np.pad(components, ((0, 0), (0, missing)), constant_values=value)


def _pack_nibbles(codes: np.ndarray) -> np.ndarray:
    """Pack two components a byte, each plus 8, the first in the low half; 0 fills an odd place."""
    shifted = _filled((codes + np.int8(8)).view(np.uint8), 2, 8)
    return shifted[:, ::2] | (shifted[:, 1::2] << np.uint8(4))


def _split_nibbles(queries: np.ndarray) -> np.ndarray:
    """Part what meets low and high halves: (n, dim) -> (n, 2, ceil(dim / 2)) float32."""
    numbers = _filled(_as_float32(queries), 2, 0)
    return numbers.reshape(len(numbers), -1, 2).transpose(0, 2, 1)


def _sign_tables(queries: np.ndarray) -> np.ndarray:
    """Sum up the query for each byte of signs: (n, dim) -> (n, ceil(dim / 8), 256) float32."""
    numbers = _filled(queries, 8, 0)
    return (numbers.reshape(-1, 8) @ _SIGNS).reshape(len(numbers), -1, 256)


_FLOATS = {
    23: _Form(_as_is, _as_is, flat_kernels.float32_products),
    10: _Form(_float16_bits, _as_is, flat_kernels.float16_products),
    7: _Form(_bfloat16_bits, _as_is, flat_kernels.bfloat16_products),
}
_INTEGERS = {
    8: _Form(_as_is, _as_float32, flat_kernels.int8_products),
    4: _Form(_pack_nibbles, _split_nibbles, flat_kernels.int4_products),
}
_ENCODED_SIGNS = _Form(_as_is, _as_is, flat_kernels.hamming_products)
_FLOAT_QUERY_SIGNS = _Form(_as_is, _sign_tables, flat_kernels.sign_products)


def _form_of(entry: Quantization) -> _Form:
    if entry.scheme == "rounded":
        return _FLOATS[entry.mantissa_bits]
    if entry.scheme == "integer":
        return _INTEGERS[entry.bits]
    return _FLOAT_QUERY_SIGNS if entry.float_query else _ENCODED_SIGNS
