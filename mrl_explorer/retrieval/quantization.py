"""How a component is stored: every encoding, defined once.

A quantization is applied to a vector that is already in its basis, truncated and L2-normalised.
The sweep scores all of them at once; `encode` and `score` here are the plain recipe, for code
that wants the stored numbers themselves and for tests to hold the sweep against.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mrl_explorer.errors import InputError

Scheme = Literal["rounded", "integer", "sign"]


@dataclass(frozen=True, slots=True)
class Quantization:
    """One way to store a component.

    Attributes
    ----------
    name : str
        The name on the command line, in files and on the page.
    bits : int
        Bits per component of a stored document vector.
    scheme : {"rounded", "integer", "sign"}
        Rounded to a shorter float, scaled to integers per vector, or reduced to its sign.
    help : str
        One sentence for the reader of the page.
    levels : int
        For "integer": the largest code; a component becomes rint(levels * x / max abs x).
    mantissa_bits : int
        For "rounded": explicit mantissa bits of the float stored (23, 10 or 7).
    float_query : bool
        The query stays float32 and only documents are encoded.
    centred : bool
        The documents' mean is subtracted first, from documents and queries.
    """

    name: str
    bits: int
    scheme: Scheme
    help: str
    levels: int = 0
    mantissa_bits: int = 23
    float_query: bool = False
    centred: bool = False

    def bytes_per_vector(self, dim: int) -> int:
        """Bytes of one stored code: ceil(dim x bits / 8)."""
        return math.ceil(dim * self.bits / 8)


_ALL = (
    Quantization("float32", 32, "rounded", "Four bytes a component, as the model gives it."),
    Quantization(
        "float16",
        16,
        "rounded",
        "Two bytes a component, 10 bits of mantissa.",
        mantissa_bits=10,
    ),
    Quantization(
        "bfloat16",
        16,
        "rounded",
        "Two bytes a component, 7 bits of mantissa.",
        mantissa_bits=7,
    ),
    Quantization(
        "int8",
        8,
        "integer",
        "One byte a component, scaled by each vector's largest component.",
        levels=127,
    ),
    Quantization(
        "int4",
        4,
        "integer",
        "Half a byte a component, scaled by each vector's largest component.",
        levels=7,
    ),
    Quantization(
        "int4-floatq",
        4,
        "integer",
        "int4 documents, float32 query.",
        levels=7,
        float_query=True,
    ),
    Quantization("binary", 1, "sign", "One bit a component: its sign. Ranked by Hamming distance."),
    Quantization(
        "binary-floatq",
        1,
        "sign",
        "One bit a component for documents, float32 query.",
        float_query=True,
    ),
    Quantization(
        "binary-centred-floatq",
        1,
        "sign",
        "As binary-floatq, after the documents' mean is subtracted.",
        float_query=True,
        centred=True,
    ),
)

QUANTIZATIONS: dict[str, Quantization] = {entry.name: entry for entry in _ALL}
"""Every quantization by name, in the order in which they are shown: most bits first."""

DEFAULT_QUANTIZATIONS = ("float32", "float16", "int8", "int4", "binary")
"""What an evaluation covers unless it is asked for others."""


def quantization(name: str) -> Quantization:
    """Look a quantization up by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    try:
        return QUANTIZATIONS[name]
    except KeyError:
        known = ", ".join(QUANTIZATIONS)
        raise InputError(f"Unknown quantization '{name}': choose among {known}.") from None


def round_floats(vectors: np.ndarray, *, mantissa_bits: int) -> np.ndarray:
    """Round float32 to a shorter float, to nearest even, and give it back as float32.

    Parameters
    ----------
    vectors : np.ndarray
        Any shape, float32.
    mantissa_bits : int
        23 (float32, nothing to do), 10 (float16) or 7 (bfloat16).
    """
    if mantissa_bits == 23:
        return vectors
    if mantissa_bits == 10:
        return vectors.astype(np.float16).astype(np.float32)
    bits = np.ascontiguousarray(vectors, dtype=np.float32).view(np.uint32)
    # bfloat16 is the upper half of a float32: adding just under half of the lower half, plus
    # one when the last kept bit is odd, carries into the kept bits exactly when it should.
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(
        0xFFFF0000
    )
    return rounded.view(np.float32)


def integer_codes(vectors: np.ndarray, *, levels: int) -> np.ndarray:
    """Scale each vector by its own largest component to integers in [-levels, levels].

    Parameters
    ----------
    vectors : np.ndarray
        (n, dim) float32. An all-zero row gets all-zero codes.

    Returns
    -------
    np.ndarray
        (n, dim) int8.
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    # A zero vector has no largest component to scale by; any divisor gives its zero codes.
    largest[largest == 0] = 1
    return np.rint(levels * vectors / largest).astype(np.int8)


def encode(quantization: Quantization, vectors: np.ndarray) -> np.ndarray:
    """Give the stored codes of truncated, L2-normalised vectors, one row a vector.

    Parameters
    ----------
    vectors : np.ndarray
        (n, dim) float32; for a centred quantization, already centred.

    Returns
    -------
    np.ndarray
        "rounded": (n, dim) float32 with the rounded values; "integer": (n, dim) int8;
        "sign": (n, ceil(dim / 8)) uint8, the bits of x > 0, first component in the highest bit.
    """
    if quantization.scheme == "rounded":
        return round_floats(vectors, mantissa_bits=quantization.mantissa_bits)
    if quantization.scheme == "integer":
        return integer_codes(vectors, levels=quantization.levels)
    return np.packbits(vectors > 0, axis=1)
