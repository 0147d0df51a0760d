"""Compiled inner products over codes as they are stored: one pass over them for a query.

Every kernel multiplies a chunk of queries with a tile of documents, and writes

    products (n_queries, n_docs) float32, and factors (n_docs,) float32,

so that product * factor ranks the documents. Factors are written by those kernels alone whose
codes have a length to divide by; to others they are handed as ones. That length is worked out from
the codes in the same pass and not stored, so that a vector takes no more than its code's bytes.
"""

import numba as nb
import numpy as np
from numba.extending import intrinsic

from mrl_explorer.retrieval.kernels import bits_float, compiled, compiled_sum, inner_product

HALF_SCALE = np.float32(2.0**112)
"""What a float16's bits, moved to a float32's places, lack: the exponents' biases differ."""


# Put into the caller before either is compiled: a sum that the caller does not use costs nothing.
inlined_sum = nb.njit(inline="always")


@intrinsic
def popcount_byte(typing_context, byte):  # type: ignore[no-untyped-def]
    """Count the ones in a uint8: as bytes a loop over them vectorizes."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return nb.types.uint8(nb.types.uint8), generate


@compiled
def inverse_norm(squares):
    """1 / norm, and 1 for nothing, where the product is zero whatever the factor."""
    return np.float32(1) / np.sqrt(squares) if squares > 0 else np.float32(1)


@compiled_sum
def float32_products(codes, queries, products, factors):
    """Multiply (n_docs, dim) float32 with (n_queries, dim) float32."""
    for query in range(queries.shape[0]):
        for row in range(np.uintp(0), np.uintp(codes.shape[0])):
            products[query, row] = inner_product(codes[row], queries[query])


@compiled_sum
def float16_products(codes, queries, products, factors):
    """Multiply (n_docs, dim) uint16, the bits of float16, with (n_queries, dim) float32."""
    for query in range(queries.shape[0]):
        numbers = queries[query]
        for row in range(np.uintp(0), np.uintp(codes.shape[0])):
            code = codes[row]
            total = np.float32(0)
            for j in range(np.uintp(0), np.uintp(code.shape[0])):
                bits = nb.uint32(code[j])
                sign = (bits & nb.uint32(0x8000)) << nb.uint32(16)
                rest = (bits & nb.uint32(0x7FFF)) << nb.uint32(13)
                total += numbers[j] * bits_float(nb.uint32(sign | rest))
            products[query, row] = total * HALF_SCALE


@compiled_sum
def bfloat16_products(codes, queries, products, factors):
    """Multiply (n_docs, dim) uint16, the bits of bfloat16, with (n_queries, dim) float32."""
    for query in range(queries.shape[0]):
        numbers = queries[query]
        for row in range(np.uintp(0), np.uintp(codes.shape[0])):
            code = codes[row]
            total = np.float32(0)
            for j in range(np.uintp(0), np.uintp(code.shape[0])):
                total += numbers[j] * bits_float(nb.uint32(nb.uint32(code[j]) << nb.uint32(16)))
            products[query, row] = total


@inlined_sum
def byte_sums(code, numbers):
    """Give the product with the query's numbers, and the sum of squares, of an int8 code."""
    product, squares = np.float32(0), np.float32(0)
    for j in range(np.uintp(0), np.uintp(code.shape[0])):
        value = np.float32(code[j])
        product += value * numbers[j]
        squares += value * value
    return product, squares


@compiled_sum
def int8_products(codes, queries, products, factors):
    """Multiply (n_docs, dim) int8 with (n_queries, dim) float32."""
    for row in range(np.uintp(0), np.uintp(codes.shape[0])):
        products[0, row], squares = byte_sums(codes[row], queries[0])
        factors[row] = inverse_norm(squares)
    for query in range(1, queries.shape[0]):
        for row in range(np.uintp(0), np.uintp(codes.shape[0])):
            products[query, row], _ = byte_sums(codes[row], queries[query])


@inlined_sum
def nibble_sums(code, numbers):
    """Give the product with the query's numbers, and the sum of squares, of an int4 code.

    Parameters
    ----------
    code
        (bytes,) uint8: of two components, each stored as itself plus 8, the first in the low half.
    numbers
        (2, bytes) float32: the query's components that meet the low halves, and the high ones.
    """
    lows, highs = numbers[0], numbers[1]
    product, squares = np.float32(0), np.float32(0)
    for j in range(np.uintp(0), np.uintp(code.shape[0])):
        low = np.float32(nb.int32(code[j] & nb.uint8(15))) - np.float32(8)
        high = np.float32(nb.int32(code[j] >> nb.uint8(4))) - np.float32(8)
        product += low * lows[j] + high * highs[j]
        squares += low * low + high * high
    return product, squares


@compiled_sum
def int4_products(codes, queries, products, factors):
    """Multiply (n_docs, bytes) uint8 with (n_queries, 2, bytes) float32: see `nibble_sums`."""
    for row in range(np.uintp(0), np.uintp(codes.shape[0])):
        products[0, row], squares = nibble_sums(codes[row], queries[0])
        factors[row] = inverse_norm(squares)
    for query in range(1, queries.shape[0]):
        for row in range(np.uintp(0), np.uintp(codes.shape[0])):
            products[query, row], _ = nibble_sums(codes[row], queries[query])


@compiled_sum
def hamming_products(codes, queries, products, factors):
    """Count differing bits, negated: (n_docs, bytes) and (n_queries, bytes) uint8."""
    for query in range(queries.shape[0]):
        bits = queries[query]
        for row in range(np.uintp(0), np.uintp(codes.shape[0])):
            code = codes[row]
            differing = nb.int32(0)
            for j in range(np.uintp(0), np.uintp(code.shape[0])):
                differing += nb.int32(popcount_byte(code[j] ^ bits[j]))
            products[query, row] = -np.float32(differing)


# Sums in order here: reordered, the look-ups become vector gathers, which take twice as long.
@compiled
def sign_products(codes, queries, products, factors):
    """Look up what each byte of signs adds.

    Parameters
    ----------
    codes, queries
        (n_docs, bytes) uint8 and (n_queries, bytes, 256) float32: by place and value of a byte,
        the query's components with those signs, summed.
    """
    for query in range(queries.shape[0]):
        table = queries[query]
        for row in range(np.uintp(0), np.uintp(codes.shape[0])):
            code = codes[row]
            total = np.float32(0)
            for j in range(np.uintp(0), np.uintp(code.shape[0])):
                total += table[j, code[j]]
            products[query, row] = total
