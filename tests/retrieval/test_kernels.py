"""Each compiled loop by itself, against numpy's plain form of the same."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mrl_explorer.retrieval import kernels

SCORES = st.floats(-1e9, 1e9, width=32)


def as_bits(values):
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def buffers(n_queries, depth):
    return (
        np.zeros((n_queries, 2 * depth), np.uint64),
        np.zeros(n_queries, np.int32),
        np.full(n_queries, -np.inf, np.float32),
    )


def lists(keys, counts, depth, *, factors=None, tolerance=0.0):
    n_queries = len(counts)
    ids = np.full((n_queries, depth), -1, np.int32)
    scores = np.full((n_queries, depth), -np.inf, np.float32)
    factors = np.ones(n_queries, np.float32) if factors is None else factors
    kernels.finish(keys, counts, factors, depth, tolerance, ids, scores)
    return ids, scores


def best_rows(scores, depth, *, excluded=-1):
    """Rows by falling score, then by row."""
    order = np.lexsort((np.arange(len(scores)), -scores))
    return order[order != excluded][:depth]


# --- keys ---------------------------------------------------------------------------------------


@given(SCORES, st.integers(0, 2**31 - 1))
def test_a_key_holds_its_score_and_row(score, row):
    key = np.uint64(kernels.make_key(score, row))
    assert kernels.key_score(key) == np.float32(score)
    assert kernels.key_row(key) == row


@given(SCORES, SCORES, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_keys_rank_by_score_then_by_lower_row(score, other, row, other_row):
    first, second = (kernels.make_key(s, r) for s, r in ((score, row), (other, other_row)))
    if score != other:
        assert (first > second) == (score > other)
    elif np.signbit(score) == np.signbit(other) and row != other_row:
        assert (first > second) == (row < other_row)


def test_infinities_have_keys_too():
    least, most = (kernels.make_key(np.float32(s), 0) for s in (-np.inf, np.inf))
    assert least < kernels.make_key(np.float32(-3e38), 0)
    assert most > kernels.make_key(np.float32(3e38), 0)
    assert kernels.key_score(np.uint64(least)) == -np.inf


# --- selection ----------------------------------------------------------------------------------


@settings(max_examples=300)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.data())
def test_keep_largest_puts_the_largest_first_and_the_least_of_them_last(values, data):
    count = data.draw(st.integers(1, len(values)))
    depth = data.draw(st.integers(1, count))
    keys = np.array(values, np.uint64)
    kernels.keep_largest(keys, count, depth)
    expected = sorted(values[:count], reverse=True)[:depth]
    assert sorted(keys[:depth].tolist(), reverse=True) == expected
    assert keys[depth - 1] == expected[-1]
    assert sorted(keys[:count].tolist()) == sorted(values[:count])
    assert keys[count:].tolist() == values[count:]


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 100])
@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_find_over_lists_the_places_above_the_bar(n, dtype):
    random = np.random.default_rng(n)
    products = random.integers(-5, 6, size=n).astype(dtype)
    factors = random.choice(np.array([0.5, 1, 2], np.float32), size=n)
    for bar in (-np.inf, -10.0, -1.0, 0.0, 4.0, 10.0):
        found, found_scores = np.full(n, -7, np.int32), np.zeros(n, np.float32)
        n_found = kernels.find_over(products, factors, np.float32(bar), found, found_scores)
        expected = np.flatnonzero(products * factors > bar)
        assert found[:n_found].tolist() == expected.tolist()
        assert found_scores[:n_found].tolist() == (products * factors)[expected].tolist()


@settings(max_examples=200)
@given(
    products=hnp.arrays(np.int32, st.integers(1, 300), elements=st.integers(-20, 20)),
    depth=st.integers(1, 30),
)
def test_at_least_so_many_lie_above_the_first_bar(products, depth):
    factors = np.ones(len(products), np.float32)
    maxima = np.empty(2 * depth, np.float32)
    bar = kernels.first_bar(products, factors, depth, maxima)
    if len(products) < 4 * depth:
        assert bar == -np.inf
    else:
        assert np.isfinite(bar)
        assert (products > bar).sum() >= depth


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_selecting_over_tiles_keeps_the_best_of_all(data):
    depth = data.draw(st.integers(1, 8))
    sizes = data.draw(st.lists(st.integers(1, 80), min_size=1, max_size=5))
    n_docs, n_queries = sum(sizes), 3
    products = data.draw(
        hnp.arrays(np.int32, (n_queries, n_docs), elements=st.integers(-30, 30), fill=st.nothing())
    )
    random = np.random.default_rng(n_docs)
    factors = random.choice(np.array([0.5, 1, 2], np.float32), size=n_docs)
    excluded = np.array(
        data.draw(st.lists(st.integers(-1, n_docs - 1), min_size=n_queries, max_size=n_queries))
    )
    keys, counts, thresholds = buffers(n_queries, depth)
    start = 0
    for size in sizes:
        tile = slice(start, start + size)
        kernels.select_products(
            np.ascontiguousarray(products[:, tile]),
            factors[tile],
            start,
            excluded,
            depth,
            keys,
            counts,
            thresholds,
        )
        start += size
    ids, scores = lists(keys, counts, depth)
    for query in range(n_queries):
        expected = products[query] * factors
        rows = best_rows(expected, depth, excluded=excluded[query])
        assert ids[query, : len(rows)].tolist() == rows.tolist()
        assert scores[query, : len(rows)].tolist() == expected[rows].tolist()
        assert (ids[query, len(rows) :] == -1).all()


def test_merge_raises_the_bar_only_when_it_selects():
    keys, counts, thresholds = buffers(1, 2)
    pool = np.empty(20, np.uint64)

    def merge(scores, first_row):
        n = len(scores)
        kernels.merge(
            np.arange(n, dtype=np.int32),
            np.array(scores, np.float32),
            n,
            first_row,
            -1,
            0,
            2,
            keys,
            counts,
            thresholds,
            pool,
        )

    merge([1, 3, 2], 0)
    assert counts[0] == 3
    assert thresholds[0] == -np.inf
    merge([5, 0], 3)
    assert counts[0] == 2
    assert thresholds[0] == 3
    ids, scores = lists(keys, counts, 2)
    assert ids.tolist() == [[3, 1]]
    assert scores.tolist() == [[5, 3]]


def test_merge_leaves_the_excluded_row_out_in_both_branches():
    for first in ([1.0, 9.0], [1.0, 9.0, 8.0, 7.0, 6.0]):
        keys, counts, thresholds = buffers(1, 2)
        kernels.merge(
            np.arange(len(first), dtype=np.int32),
            np.array(first, np.float32),
            len(first),
            10,
            11,
            0,
            2,
            keys,
            counts,
            thresholds,
            np.empty(20, np.uint64),
        )
        ids, _ = lists(keys, counts, 2)
        assert 11 not in ids
        assert ids[0, 0] == (10 if len(first) == 2 else 12)


def finished(scores, *, tolerance, depth=None):
    """Lists of a query whose documents 0, 1, ... have these scores."""
    depth = depth or len(scores)
    keys = np.zeros((1, 2 * len(scores)), np.uint64)
    for row, score in enumerate(scores):
        keys[0, row] = kernels.make_key(np.float32(score), row)
    counts = np.array([len(scores)], np.int32)
    ids, scores = lists(keys, counts, depth, tolerance=tolerance)
    return ids[0].tolist(), scores[0].tolist()


def test_ties_within_the_tolerance_go_to_the_lower_row():
    ids, scores = finished([0.5, 0.25, 0.5000004, 0.9], tolerance=1e-6)
    assert ids == [3, 0, 2, 1]
    assert scores == [np.float32(s) for s in (0.9, 0.5, 0.5000004, 0.25)]


def test_a_crowd_of_neighbours_is_no_tie():
    """Each within the tolerance of the next, and the last far from the first."""
    crowd = 0.5 + 6e-7 * np.arange(50)
    ids, scores = finished(crowd, tolerance=1e-6)
    assert max(np.diff(scores)) <= 1e-6
    assert ids[0] >= 48
    assert ids[-1] <= 1


def test_a_list_is_cut_at_its_depth_before_it_is_sorted():
    assert finished([1, 5, 3, 4, 2], tolerance=0.0, depth=3)[0] == [1, 3, 2]


def test_a_short_list_leaves_the_rest_alone():
    keys, counts, _ = buffers(1, 4)
    keys[0, 0], counts[0] = kernels.make_key(np.float32(0.5), 7), 1
    ids, scores = lists(keys, counts, 4, factors=np.array([2], np.float32))
    assert ids.tolist() == [[7, -1, -1, -1]]
    assert scores.tolist() == [[1.0, -np.inf, -np.inf, -np.inf]]


# --- rounding and codes -------------------------------------------------------------------------

# Everything that a component of a unit vector can be, and the edges that rounding trips over.
EDGES = np.array(
    [
        *(0, 1, -1, 0.1, 1 / 3, 1e-30, 1.5e-45),
        *(2.0**-14, 2.0**-15, 2.0**-24, 2.0**-25, 2.0**-26, 3 * 2.0**-26),
        *(1 + 2.0**-11, 1 + 3 * 2.0**-11, 0.5 + 2.0**-9, 0.5 + 3 * 2.0**-9),
    ],
    np.float32,
)
UNIT_FLOATS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 40)),
    elements=st.one_of(
        st.floats(-1, 1, width=32),
        st.floats(-(2.0**-14), 2.0**-14, width=32),
        st.sampled_from(EDGES.tolist()),
    ),
)


def rounded(values, mantissa_bits):
    result = np.empty(values.shape, np.float32)
    kernels.round_prefixes(values, np.ones(len(values), np.float32), mantissa_bits, result)
    return result


def expected_rounding(values, mantissa_bits):
    if mantissa_bits == 10:
        return values.astype(np.float16).astype(np.float32)
    return torch.from_numpy(values.copy()).bfloat16().float().numpy()


@pytest.mark.parametrize("mantissa_bits", [10, 7])
@settings(max_examples=300)
@given(values=UNIT_FLOATS)
def test_rounding_is_that_of_numpy_and_torch(mantissa_bits, values):
    expected = expected_rounding(values, mantissa_bits)
    # Equal as numbers: -0 and 0 are the same component.
    assert np.array_equal(rounded(values, mantissa_bits), expected)


@pytest.mark.parametrize("mantissa_bits", [10, 7])
def test_rounding_of_every_float16_neighbour(mantissa_bits):
    """All float16 values up to 1, the middles between them, and a bit beside each."""
    every = np.arange(0x3C01, dtype=np.uint16).view(np.float16).astype(np.float32)
    middles = (every[:-1] + every[1:]) / 2
    around = [np.nextafter(middles, np.float32(x)) for x in (0, 1)]
    values = np.concatenate([every, middles, *around])[None]
    for signed in (values, -values):
        expected = expected_rounding(signed, mantissa_bits)
        assert np.array_equal(rounded(signed, mantissa_bits), expected)


@pytest.mark.parametrize("mantissa_bits", [10, 7])
def test_rounding_multiplies_and_truncates_first(mantissa_bits):
    values = np.random.default_rng(3).normal(size=(4, 20)).astype(np.float32)
    factors = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    result = np.empty((4, 13), np.float32)
    kernels.round_prefixes(values, factors, mantissa_bits, result)
    expected = expected_rounding(values[:, :13] * factors[:, None], mantissa_bits)
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("levels", [127, 7])
@settings(max_examples=200)
@given(values=UNIT_FLOATS, data=st.data())
def test_integer_codes_are_rint_of_the_scaled(levels, values, data):
    dim = data.draw(st.integers(1, values.shape[1]))
    codes = np.empty((len(values), dim), np.int8)
    factors = np.empty(len(values), np.float32)
    kernels.encode_integers(values, dim, levels, codes, factors)
    prefix = values[:, :dim]
    largest = np.abs(prefix).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    assert np.array_equal(codes, np.rint(np.float32(levels) * prefix / largest).astype(np.int8))
    norms = np.linalg.norm(codes.astype(np.float64), axis=1)
    np.testing.assert_allclose(factors[norms > 0], 1 / norms[norms > 0], rtol=1e-6)
    assert (factors[norms == 0] == 0).all()


@pytest.mark.parametrize("full_dim", [1, 8, 63, 64, 65, 100, 128, 200])
def test_packing_is_that_of_numpy(full_dim):
    random = np.random.default_rng(full_dim)
    vectors = random.normal(size=(9, full_dim)).astype(np.float32)
    vectors[0, ::3] = 0
    vectors[1, ::2] = -0.0
    n_words = -(-full_dim // 64)
    by_row, by_word = np.empty((9, n_words), np.uint64), np.empty((n_words, 9), np.uint64)
    kernels.pack_signs(vectors, by_row, False)
    kernels.pack_signs(vectors, by_word, True)
    assert np.array_equal(by_row, by_word.T)
    bits = np.unpackbits(by_row.view(np.uint8), axis=1, bitorder="little")
    assert np.array_equal(bits[:, :full_dim], vectors > 0)
    assert not bits[:, full_dim:].any()


@settings(max_examples=100, deadline=None)
@given(full_dim=st.integers(1, 300), data=st.data())
def test_hamming_distances_of_every_prefix(full_dim, data):
    dims = sorted(data.draw(st.sets(st.integers(1, full_dim), min_size=1, max_size=6)))
    random = np.random.default_rng(full_dim)
    queries, documents = (random.normal(size=(n, full_dim)).astype(np.float32) for n in (3, 17))
    n_words = -(-full_dim // 64)
    query_words, document_words = (
        np.empty((3, n_words), np.uint64),
        np.empty((n_words, 17), np.uint64),
    )
    kernels.pack_signs(queries, query_words, False)
    kernels.pack_signs(documents, document_words, True)
    distances, nearness = np.zeros((3, 17), np.int32), np.empty((3, 17), np.int32)
    done = 0
    for dim in dims:
        whole, bits = divmod(dim, 64)
        mask = np.uint64((1 << bits) - 1)
        kernels.add_hamming(
            query_words, document_words, done, whole - done, mask, distances, nearness
        )
        done = whole
        signs = (queries[:, None, :dim] > 0) != (documents[None, :, :dim] > 0)
        assert np.array_equal(-nearness, signs.sum(axis=2))


@settings(max_examples=100)
@given(values=UNIT_FLOATS, data=st.data())
def test_prefix_norms(values, data):
    width = values.shape[1]
    dims = np.array(sorted(data.draw(st.sets(st.integers(1, width), min_size=1))))
    norms = np.empty((len(dims), len(values)), np.float32)
    kernels.prefix_norms(values, dims, norms)
    expected = [np.linalg.norm(values[:, :dim].astype(np.float64), axis=1) for dim in dims]
    # Squares below float32's least are 0, so prefixes below 1e-19 are inexact.
    np.testing.assert_allclose(norms, expected, rtol=1e-5, atol=1e-19)


def test_inner_product():
    a, b = np.random.default_rng(0).normal(size=(2, 300)).astype(np.float32)
    assert kernels.inner_product(a, b) == pytest.approx(float(a.astype(float) @ b), abs=1e-4)


def test_score_listed_stops_where_a_list_ends():
    documents = np.array([[2, 0], [0, 3], [1, 1]], np.float32)
    queries = np.array([[1, 0], [0, 1]], np.float32)
    ids = np.array([[[0, 2, -1], [1, -1, -1]], [[2, 1, 0], [0, -1, -1]]], np.int32)
    full_scores = np.full(ids.shape, -np.inf, np.float32)
    kernels.score_listed(
        documents,
        queries,
        0,
        ids,
        full_scores,
        np.full(3, -1, np.int32),
        np.empty(3, np.float32),
    )
    half = np.sqrt(0.5)
    low = -np.inf
    expected = [[[1, half, low], [1, low, low]], [[half, 0, 1], [0, low, low]]]
    np.testing.assert_allclose(full_scores, expected, rtol=1e-6)
