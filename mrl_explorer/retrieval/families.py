"""Families of configurations that share their scores, and how each scores a tile.

Inner products of prefixes add up, so one running product serves every truncation of a family.
A family encodes a tile of documents once, then ranks chunks of queries against it; chunks run
side by side in threads, and each writes only its own queries' rows.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numkong
import numpy as np
from scipy.linalg.blas import sgemm

from mrl_explorer.retrieval import kernels
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.quantization import Quantization, integer_codes, round_floats
from mrl_explorer.retrieval.rankings import TIE


@dataclass(frozen=True, eq=False)
class Cell:
    """One configuration's place in the sweep, with the best found so far for each query.

    Attributes
    ----------
    dim : int
        Dimensions kept.
    quantization : Quantization
        How components are stored.
    excluded : np.ndarray
        (n_queries,) int64: a document row left out of each query's list; -1 for none.
    depth : int
        Length of the lists.
    keys, counts, thresholds : np.ndarray
        Buffers of `kernels.merge`, one row a query.
    """

    dim: int
    quantization: Quantization
    excluded: np.ndarray
    depth: int
    keys: np.ndarray
    counts: np.ndarray
    thresholds: np.ndarray

    @classmethod
    def empty(
        cls, dim: int, quantization: Quantization, *, excluded: np.ndarray, depth: int
    ) -> "Cell":
        """Start a cell with nothing found."""
        n_queries = len(excluded)
        # Twice the depth halves the buffer at each selection: fewer selections cost more memory.
        return cls(
            dim,
            quantization,
            excluded,
            depth,
            keys=np.zeros((n_queries, 2 * depth), np.uint64),
            counts=np.zeros(n_queries, np.int32),
            thresholds=np.full(n_queries, -np.inf, np.float32),
        )

    def best(self, chunk: slice) -> tuple[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray]:
        """Give a chunk's rows in the order that every selecting kernel takes them."""
        return (
            self.excluded[chunk],
            self.depth,
            self.keys[chunk],
            self.counts[chunk],
            self.thresholds[chunk],
        )

    def finish(self, factors: np.ndarray, ids: np.ndarray, scores: np.ndarray) -> None:
        """Write the lists: best first, ties by lower row.

        Parameters
        ----------
        factors : np.ndarray
            (n_queries,) float32: a score is what the keys hold times this.
        ids, scores : np.ndarray
            (n_queries, depth) int32 and float32; places left over keep what they hold.
        """
        kernels.finish(self.keys, self.counts, factors, self.depth, TIE, ids, scores)


@dataclass(frozen=True, eq=False)
class Tile:
    """A block of vectors in one basis.

    Attributes
    ----------
    vectors : np.ndarray
        (n, out_dim) float32: of unit length before the basis was applied.
    rotations : mapping of int to np.ndarray
        By dim: what turns a prefix within its own dims; empty for most bases.
    """

    vectors: np.ndarray
    rotations: Mapping[int, np.ndarray]
    _turned: dict[int, np.ndarray] = field(default_factory=dict)

    def cut(self, dim: int) -> np.ndarray:
        """Give vectors whose first `dim` columns are the prefix to encode.

        Lengths and inner products of prefixes need none of this: a rotation keeps them.
        """
        if dim not in self.rotations:
            return self.vectors
        if dim not in self._turned:
            self._turned[dim] = self.vectors[:, :dim] @ self.rotations[dim].T
        return self._turned[dim]


@dataclass(frozen=True, eq=False)
class Frame:
    """A basis, made ready for the dims of a sweep.

    Attributes
    ----------
    basis : Basis
        The axes.
    rotations : mapping of int to np.ndarray
        By dim, where the basis turns its prefixes.
    """

    basis: Basis
    rotations: Mapping[int, np.ndarray]

    @classmethod
    def of(cls, basis: Basis, dims: Iterable[int]) -> "Frame":
        """Draw the rotations that these dims need."""
        drawn = {dim: basis.rotation(dim) for dim in set(dims)}
        return cls(basis, {dim: r for dim, r in drawn.items() if r is not None})

    def tile(self, vectors: np.ndarray) -> Tile:
        """Express (n, full_dim) float32 vectors in the basis."""
        return Tile(self.basis.apply(vectors), self.rotations)


class Family(Protocol):
    """Configurations of one basis that are scored together."""

    cells: list[Cell]
    """The configurations, by ascending dim."""

    query_factors: dict[int, np.ndarray]
    """By dim: (n_queries,) float32; a cell's score is what its keys hold times this."""

    def encode(self, tile: Tile) -> Any:  # noqa: ANN401 - each family knows its own codes
        """Encode a tile of documents for every dim."""

    def select(self, codes: Any, first_row: int, chunk: slice) -> None:  # noqa: ANN401
        """Score a chunk of queries against an encoded tile and keep the best."""


@dataclass(frozen=True, eq=False)
class PrefixCodes:
    """A tile for families whose inner products of prefixes add up.

    Attributes
    ----------
    blocks : list of np.ndarray
        By dim: (n, dims added since the last one) float32, what is multiplied with the queries.
    factors : np.ndarray
        (n_dims, n) float32: 1 / norm of each prefix, or ones.
    zeros : list of np.ndarray
        By dim: the columns whose prefix is all zero; most often empty.
    rounded : list of np.ndarray
        By cell of a shorter float: (n, dim) float32, normalised and rounded.
    """

    blocks: list[np.ndarray]
    factors: np.ndarray
    zeros: list[np.ndarray]
    rounded: list[np.ndarray]


class _Memory(threading.local):
    """Arrays that a thread keeps from one chunk to the next."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.integers: Any = None


_memory = _Memory()


def scratch(name: str, shape: tuple[int, int], dtype: type = np.float32) -> np.ndarray:
    """Lend this thread's array of that name; fresh memory for each chunk costs page faults."""
    kept = _memory.arrays.get(name)
    if kept is None or kept.shape != shape or kept.dtype != dtype:
        kept = _memory.arrays[name] = np.empty(shape, dtype)
    return kept


def integer_scratch(shape: tuple[int, int]) -> Any:  # noqa: ANN401 - numkong has no types
    """Lend this thread's int32 tensor for products of integer codes."""
    if _memory.integers is None or _memory.integers.shape != shape:
        _memory.integers = numkong.empty(shape, dtype="int32")
    return _memory.integers


def _norms(vectors: np.ndarray, dims: list[int]) -> np.ndarray:
    """L2 norm of each prefix: (n, full_dim) -> (n_dims, n) float32."""
    norms = np.empty((len(dims), len(vectors)), np.float32)
    kernels.prefix_norms(np.ascontiguousarray(vectors), np.array(dims), norms)
    return norms


def _inverse(norms: np.ndarray) -> np.ndarray:
    """1 / norm, and 1 for zero, where the product is zero whatever the factor."""
    return np.divide(np.float32(1), norms, out=np.ones_like(norms), where=norms > 0)


def _dims(cells: Iterable[Cell]) -> list[int]:
    return sorted({cell.dim for cell in cells})


def _blocks(vectors: np.ndarray, dims: list[int]) -> list[np.ndarray]:
    """Cut (n, full_dim) into contiguous blocks of the dims that each prefix adds."""
    return [
        np.ascontiguousarray(vectors[:, start:stop])
        for start, stop in zip([0, *dims], dims, strict=False)
    ]


def _add_products(documents: np.ndarray, queries: np.ndarray, products: np.ndarray) -> None:
    """Add inner products in place: products += queries @ documents.T, in one pass of BLAS.

    Transposed, C-ordered arrays are the Fortran-ordered ones that BLAS updates without a copy.
    """
    sgemm(1.0, documents.T, queries.T, beta=1.0, c=products.T, trans_a=True, overwrite_c=True)


class PrefixFamily:
    """float32 and shorter floats, and signs of documents against a float query.

    Parameters
    ----------
    cells : list of Cell
        Either all "rounded", or all of one "sign" quantization with a float query.
    queries : Tile
        The unit queries in the basis.
    mean : Tile or None
        One row in the basis: subtracted from documents and queries first.
    """

    def __init__(self, cells: list[Cell], queries: Tile, mean: Tile | None) -> None:
        self.cells = cells
        self.signs = cells[0].quantization.scheme == "sign"
        self.dims = _dims(cells)
        self.mean = None if mean is None else self._whole(mean)
        whole = self._whole(queries)
        self.exact = {
            dim: [c for c in cells if c.dim == dim and c.quantization.mantissa_bits == 23]
            for dim in self.dims
        }
        self.queries = np.ascontiguousarray(whole if self.mean is None else whole - self.mean)
        self.query_blocks = _blocks(self.queries, self.dims)
        self.norms = dict(zip(self.dims, _norms(self.queries, self.dims), strict=True))
        self.query_factors = {dim: _inverse(norms) for dim, norms in self.norms.items()}
        self.shorter = [cell for cell in cells if cell.quantization.mantissa_bits < 23]
        self.rounded = [
            round_floats(
                queries.cut(cell.dim)[:, : cell.dim] * self.query_factors[cell.dim][:, None],
                mantissa_bits=cell.quantization.mantissa_bits,
            )
            for cell in self.shorter
        ]

    def encode(self, tile: Tile) -> PrefixCodes:
        """Cut the tile into blocks, and round its prefixes where cells are shorter floats."""
        whole = self._whole(tile)
        vectors = whole if self.mean is None else whole - self.mean
        norms = _norms(vectors, self.dims)
        zeros = [np.flatnonzero(row == 0) for row in norms]
        if self.signs:
            signs = np.where(vectors > 0, np.float32(1), np.float32(-1))
            return PrefixCodes(_blocks(signs, self.dims), np.ones_like(norms), zeros, [])
        vectors, factors = np.ascontiguousarray(vectors), _inverse(norms)
        rounded = []
        for cell in self.shorter:
            rounded.append(np.empty((len(vectors), cell.dim), np.float32))
            kernels.round_prefixes(
                np.ascontiguousarray(tile.cut(cell.dim)),
                factors[self.dims.index(cell.dim)],
                cell.quantization.mantissa_bits,
                rounded[-1],
            )
        return PrefixCodes(_blocks(vectors, self.dims), factors, zeros, rounded)

    def _whole(self, tile: Tile) -> np.ndarray:
        """Give what all dims are cut from: signs of turned prefixes have one dim a family."""
        return tile.cut(self.dims[-1]) if self.signs else tile.vectors

    def select(self, codes: PrefixCodes, first_row: int, chunk: slice) -> None:
        """Add block after block to the products, and keep the best at each dim."""
        n_queries = len(self.queries[chunk])
        products = scratch("products", (n_queries, codes.factors.shape[1]))
        products[:] = 0
        for place, dim in enumerate(self.dims):
            _add_products(codes.blocks[place], self.query_blocks[place][chunk], products)
            factors, zeros = codes.factors[place], codes.zeros[place]
            sums = products[:, zeros]
            products[:, zeros] = kernels.LOWEST
            floors = np.full(n_queries, -np.inf, np.float32)
            for cell in self.exact[dim]:
                kernels.select_products(products, factors, first_row, *cell.best(chunk))
                floors = cell.thresholds[chunk]
            for cell, documents, rounded in zip(
                self.shorter, codes.rounded, self.rounded, strict=True
            ):
                if cell.dim == dim:
                    kernels.select_rounded(
                        products,
                        factors,
                        floors,
                        documents,
                        rounded[chunk],
                        1 / self.query_factors[dim][chunk],
                        rounding_margin(cell.quantization.mantissa_bits, dim),
                        first_row,
                        *cell.best(chunk),
                    )
            products[:, zeros] = sums


def rounding_margin(mantissa_bits: int, dim: int) -> np.float32:
    """Bound how far rounding both unit vectors can move their inner product.

    A component moves by at most half a step: 2^-(bits + 1) of itself, or 2^-25 below float16's
    normal range; by Cauchy-Schwarz an inner product of unit vectors then moves by at most
    2e + e^2, where e bounds the norm of one vector's error. 2e-6 covers float32 summation.
    """
    error = 2.0 ** -(mantissa_bits + 1) + 2.0**-25 * np.sqrt(dim)
    return np.float32(2 * error + error**2 + 2e-6)


class IntegerFamily:
    """Integer codes scaled per vector, against integer or float queries.

    The scale follows from the prefix, so each dim has codes of its own.

    Parameters
    ----------
    cells : list of Cell
        All of one "integer" quantization.
    queries : Tile
        The unit queries in the basis.
    """

    def __init__(self, cells: list[Cell], queries: Tile) -> None:
        self.cells = cells
        self.levels = cells[0].quantization.levels
        self.float_query = cells[0].quantization.float_query
        self.queries = {}
        self.query_factors = {}
        for dim in _dims(cells):
            prefix = np.ascontiguousarray(queries.cut(dim)[:, :dim])
            code = prefix if self.float_query else integer_codes(prefix, levels=self.levels)
            norms = np.linalg.norm(code.astype(np.float32), axis=1)
            self.queries[dim] = code
            self.query_factors[dim] = _inverse(norms)

    def encode(self, tile: Tile) -> list[tuple[Any, np.ndarray, np.ndarray]]:
        """Give by cell: packed codes, 1 / norm of each, and the rows that are all zero."""
        encoded = []
        for cell in self.cells:
            codes = np.empty((len(tile.vectors), cell.dim), np.int8)
            factors = np.empty(len(codes), np.float32)
            kernels.encode_integers(tile.cut(cell.dim), cell.dim, self.levels, codes, factors)
            zeros = np.flatnonzero(factors == 0)
            factors[zeros] = 1
            packed = codes.astype(np.float32) if self.float_query else numkong.dots_pack(codes)
            encoded.append((packed, factors, zeros))
        return encoded

    def select(
        self, codes: list[tuple[Any, np.ndarray, np.ndarray]], first_row: int, chunk: slice
    ) -> None:
        """Multiply the codes of each dim, and keep the best."""
        for cell, (packed, factors, zeros) in zip(self.cells, codes, strict=True):
            queries = self.queries[cell.dim][chunk]
            if self.float_query:
                products = queries @ packed.T
            else:
                out = integer_scratch((len(queries), len(factors)))
                products = np.asarray(numkong.dots_packed(queries, packed, out=out))
            products[:, zeros] = kernels.LOWEST
            kernels.select_products(products, factors, first_row, *cell.best(chunk))


class HammingFamily:
    """Sign bits of documents and queries, ranked by Hamming distance.

    Parameters
    ----------
    cells : list of Cell
        All of one "sign" quantization without a float query.
    queries : Tile
        The queries in the basis.
    """

    def __init__(self, cells: list[Cell], queries: Tile) -> None:
        self.cells = cells
        self.dims = [cell.dim for cell in cells]
        whole = queries.cut(self.dims[-1])
        n_queries = len(whole)
        self.n_words = (whole.shape[1] + 63) // 64
        self.queries = np.empty((n_queries, self.n_words), np.uint64)
        kernels.pack_signs(np.ascontiguousarray(whole), self.queries, False)
        self.query_factors = {dim: np.ones(n_queries, np.float32) for dim in self.dims}

    def encode(self, tile: Tile) -> tuple[np.ndarray, list[np.ndarray]]:
        """Give sign bits by word, and for each dim the rows whose prefix is all zero."""
        whole = tile.cut(self.dims[-1])
        words = np.empty((self.n_words, len(whole)), np.uint64)
        kernels.pack_signs(whole, words, True)
        return words, [np.flatnonzero(row == 0) for row in _norms(whole, self.dims)]

    def select(
        self, codes: tuple[np.ndarray, list[np.ndarray]], first_row: int, chunk: slice
    ) -> None:
        """Count differing bits word after word, and keep the nearest at each dim."""
        words, zeros = codes
        queries = self.queries[chunk]
        shape = (len(queries), words.shape[1])
        distances, nearness = (
            scratch("products", shape, np.int32),
            scratch("block", shape, np.int32),
        )
        distances[:] = 0
        ones = np.ones(words.shape[1], np.float32)
        done = 0
        for place, cell in enumerate(self.cells):
            whole, bits = divmod(cell.dim, 64)
            last_mask = np.uint64((1 << bits) - 1)
            kernels.add_hamming(queries, words, done, whole - done, last_mask, distances, nearness)
            nearness[:, zeros[place]] = kernels.LOWEST
            kernels.select_products(nearness, ones, first_row, *cell.best(chunk))
            done = whole


def families(
    cells: list[Cell], queries: np.ndarray, mean: np.ndarray, frame: Frame
) -> list[Family]:
    """Group the cells of one basis into families.

    Parameters
    ----------
    cells : list of Cell
        In any order, all of the frame's basis.
    queries : np.ndarray
        (n_queries, full_dim) float32, unit length, in the model's own basis.
    mean : np.ndarray
        (full_dim,) float64: mean of the unit documents, in the model's own basis.
    """
    own = frame.tile(queries)
    own_mean = frame.tile(mean.astype(np.float32)[None])
    makers: dict[str, Callable[[list[Cell]], Family]] = {
        "rounded": partial(PrefixFamily, queries=own, mean=None),
        "integer": partial(IntegerFamily, queries=own),
        "sign": partial(HammingFamily, queries=own),
        "sign-floatq": partial(PrefixFamily, queries=own, mean=None),
        "sign-centred-floatq": partial(PrefixFamily, queries=own, mean=own_mean),
    }

    grouped: dict[tuple[str, str, int], list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell.dim):
        entry = cell.quantization
        if entry.scheme == "sign":
            kind = "sign" + "-centred" * entry.centred + "-floatq" * entry.float_query
        else:
            kind = entry.scheme
        # Floats of every length share one running product; the others need their own codes.
        share = "" if kind == "rounded" else entry.name
        # Where each dim is turned in its own way, its signs are those of no other's prefix.
        turned = cell.dim if kind.startswith("sign") and cell.dim in frame.rotations else 0
        grouped.setdefault((kind, share, turned), []).append(cell)
    return [makers[kind](group) for (kind, _, _), group in grouped.items()]
