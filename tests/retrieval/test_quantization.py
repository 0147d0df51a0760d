import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.quantization import (
    DEFAULT_QUANTIZATIONS,
    QUANTIZATIONS,
    encode,
    integer_codes,
    quantization,
    round_floats,
)

from . import naive

FLOATS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
    elements=st.floats(-1, 1, width=32),
)


def as_bits(values):
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def bfloat16(values):
    """Torch's own rounding."""
    return torch.from_numpy(np.ascontiguousarray(values)).bfloat16().float().numpy()


def test_the_quantizations_are_those_of_the_design():
    assert {name: entry.bits for name, entry in QUANTIZATIONS.items()} == naive.BITS
    assert {n for n, entry in QUANTIZATIONS.items() if entry.float_query} == naive.FLOAT_QUERY
    assert set(DEFAULT_QUANTIZATIONS) == {"float32", "float16", "int8", "int4", "binary"}
    assert all(entry.help.endswith(".") for entry in QUANTIZATIONS.values())


@pytest.mark.parametrize("name", QUANTIZATIONS)
def test_bytes_per_vector_round_up(name):
    for dim in (1, 2, 3, 7, 8, 9, 100, 255, 256, 768, 4096):
        got = quantization(name).bytes_per_vector(dim)
        assert got == math.ceil(dim * naive.BITS[name] / 8)
        assert isinstance(got, int)


def test_an_unknown_quantization_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"Unknown quantization 'int2'.*float32, float16"):
        quantization("int2")


@given(FLOATS)
def test_float16_is_numpys(values):
    expected = values.astype(np.float16).astype(np.float32)
    assert np.array_equal(as_bits(round_floats(values, mantissa_bits=10)), as_bits(expected))


@given(FLOATS)
def test_bfloat16_is_torchs(values):
    got = round_floats(values, mantissa_bits=7)
    assert np.array_equal(as_bits(got), as_bits(bfloat16(values)))


def test_float32_stays_as_it_is():
    values = np.array([[0.1, -0.3]], np.float32)
    assert round_floats(values, mantissa_bits=23) is values


def test_bfloat16_takes_a_slice_of_an_array():
    values = np.random.default_rng(0).normal(size=(5, 9)).astype(np.float32)
    got = round_floats(values[:, :4], mantissa_bits=7)
    assert np.array_equal(got, bfloat16(values[:, :4]))


@pytest.mark.parametrize("levels", [127, 7])
@given(values=FLOATS)
def test_integer_codes_are_the_designs(levels, values):
    codes = integer_codes(values, levels=levels)
    assert codes.dtype == np.int8
    largest = np.abs(values.astype(np.float64)).max(axis=1, keepdims=True)
    exact = levels * values / np.where(largest == 0, 1, largest)
    # rint, except that float32 may fall on the other side of a half.
    assert (np.abs(codes - exact) <= 0.5 + levels * 2e-7).all()
    nonzero = largest[:, 0] > 0
    assert (np.abs(codes).max(axis=1)[nonzero] == levels).all()
    assert not codes[~nonzero].any()


def test_integer_codes_by_hand():
    vectors = np.array([[1, -0.5, 0.25, 0], [0, 0, 0, 0], [-2, 1.9, 0.01, 2]], np.float32)
    # 63.5 and 31.75; ties go to the even neighbour.
    assert integer_codes(vectors, levels=127).tolist() == [
        [127, -64, 32, 0],
        [0, 0, 0, 0],
        [-127, 121, 1, 127],
    ]
    assert integer_codes(vectors, levels=7).tolist() == [
        [7, -4, 2, 0],
        [0, 0, 0, 0],
        [-7, 7, 0, 7],
    ]


@pytest.mark.parametrize("name", [n for n, q in QUANTIZATIONS.items() if q.scheme == "sign"])
def test_signs_pack_with_the_first_component_in_the_highest_bit(name):
    vectors = np.array([[0.1, 0, -0.1, 1e-30, -0.0, 2, 3, 4, 5]], np.float32)
    assert encode(quantization(name), vectors).tolist() == [[0b10010111, 0b10000000]]


@pytest.mark.parametrize("name", QUANTIZATIONS)
def test_codes_take_the_stored_form(name):
    entry = quantization(name)
    vectors = np.random.default_rng(1).normal(size=(3, 11)).astype(np.float32)
    codes = encode(entry, vectors)
    if entry.scheme == "rounded":
        expected = vectors if name == "float32" else naive.shorter_float(vectors, quantization=name)
        assert codes.dtype == np.float32
        assert np.array_equal(codes, expected)
    elif entry.scheme == "integer":
        assert np.array_equal(codes, naive.integer_codes(vectors, naive.LEVELS[name]))
    else:
        assert codes.nbytes == 3 * entry.bytes_per_vector(11)
        assert np.array_equal(np.unpackbits(codes, axis=1, count=11), vectors > 0)


def test_scores_of_the_stored_codes_are_the_references():
    """The plain `encode` and the tests' own reference agree on what an int8 score is."""
    random = np.random.default_rng(2)
    documents, queries = (random.normal(size=(n, 24)).astype(np.float32) for n in (50, 3))
    codes, query_codes = (
        encode(quantization("int8"), naive.unit(x).astype(np.float32)).astype(float)
        for x in (documents, queries)
    )
    products = query_codes @ codes.T
    norms = np.outer(np.linalg.norm(query_codes, axis=1), np.linalg.norm(codes, axis=1))
    expected = naive.score(documents, queries, dim=24, quantization="int8")
    np.testing.assert_allclose(products / norms, expected.values, atol=1e-6)
