"""Flat search against the plain recipe: every quantization, in as many bytes as are claimed."""

import faiss
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrl_explorer.retrieval import flat, flat_kernels
from mrl_explorer.retrieval.basis import RUN_BASES, fit_bases, random_rotation
from mrl_explorer.retrieval.candidates import Scorer
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.flat import FlatSearch, store_codes
from mrl_explorer.retrieval.quantization import QUANTIZATIONS

from . import naive
from .checks import check_list
from .corpora import KINDS, make_corpus


def flat_search(documents, queries, config):
    scorer = Scorer(documents, queries)
    return FlatSearch(config, store_codes(config, scorer)), scorer.all_query_codes(config)


def expected_scores(documents, queries, config):
    (basis,) = fit_bases([config.basis], documents)
    return naive.score(
        documents,
        queries,
        dim=config.dim,
        quantization=config.quantization,
        axes=basis.components,
        turn=random_rotation(config.dim) if config.basis == "pca-rotated" else None,
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_search_equals_the_plain_recipe(data):
    kind = data.draw(st.sampled_from(KINDS), "kind")
    n_docs = data.draw(st.one_of(st.integers(1, 12), st.integers(13, 300)), "n_docs")
    n_queries = data.draw(st.integers(1, 5), "n_queries")
    full_dim = data.draw(st.one_of(st.integers(1, 20), st.integers(21, 140)), "full_dim")
    config = Config(
        data.draw(st.one_of(st.just(full_dim), st.integers(1, full_dim)), "dim"),
        data.draw(st.sampled_from(list(QUANTIZATIONS)), "quantization"),
        data.draw(st.sampled_from(RUN_BASES), "basis"),
    )
    count = data.draw(st.one_of(st.integers(1, 12), st.just(n_docs), st.just(n_docs + 3)), "count")
    seed = data.draw(st.integers(0, 2**32 - 1), "seed")
    documents, queries = make_corpus(
        kind, n_docs=n_docs, n_queries=n_queries, full_dim=full_dim, seed=seed
    )
    expected = expected_scores(documents, queries, config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat, "_TILE_ROWS", data.draw(st.sampled_from([5, 64, 1024]), "rows"))
        patch.setattr(flat, "_TILE_BYTES", data.draw(st.sampled_from([1, 300, 9999]), "bytes"))
        patch.setattr(flat, "QUERIES_AT_ONCE", data.draw(st.sampled_from([1, 2, 64]), "queries"))
        search, codes = flat_search(documents, queries, config)
        rows, scores = search.search(codes, count, threads=data.draw(st.integers(0, 3), "threads"))
        some = np.array(data.draw(st.permutations(range(n_docs)), "some"))[: max(1, n_docs // 2)]
        handed_on = [search.among(some, code, count) for code in codes]
        every, every_score = search.search(codes, n_docs)
    assert rows.shape == scores.shape == (n_queries, min(count, n_docs))
    for query in range(n_queries):
        values, slack, lost = (
            part[query] for part in (expected.values, expected.slack, expected.lost)
        )
        where = f"{config}, query {query}"
        check_list(rows[query], scores[query], values, slack, lost, left_out=-1, where=where)
        # Among some documents: the best of these, by the same scores.
        by_row = np.empty(n_docs, np.float32)
        by_row[every[query]] = every_score[query]
        among, some = handed_on[query], np.sort(some)
        assert np.isin(among, some).all()
        assert len(among) == min(count, len(some))
        check_list(
            np.searchsorted(some, among),
            by_row[among],
            values[some],
            slack[some],
            lost[some],
            left_out=-1,
            where=f"{where}, among some",
        )


@pytest.mark.parametrize("dim", [1, 7, 8, 9, 33, 64])
@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_codes_take_the_bytes_that_are_claimed(quantization, dim):
    documents, queries = make_corpus("gaussian", n_docs=50, n_queries=1, full_dim=64, seed=0)
    config = Config(dim, quantization)
    stored = store_codes(config, Scorer(documents, queries))
    assert stored.codes.nbytes == 50 * config.bytes_per_vector
    assert stored.codes.base is None or stored.codes.base.nbytes == stored.codes.nbytes


def test_two_components_share_a_byte():
    documents = np.array([[-7, 7, 0], [1, 2, -3.5]], np.float32)
    stored = store_codes(Config(3, "int4"), Scorer(documents, documents))
    # Plus 8, the first in the low half, 0 after the last: (1, 15), (8, 8); (10, 12), (1, 8).
    assert stored.codes.tolist() == [[0xF1, 0x88], [0xCA, 0x81]]
    search = FlatSearch(Config(3, "int4"), stored)
    rows, scores = search.search(np.array([[1, 0, 2]], np.int8), 2)
    # (-7) / (sqrt(5) sqrt(98)) and (2 - 14) / (sqrt(5) sqrt(4 + 16 + 49)).
    assert rows.tolist() == [[0, 1]]
    np.testing.assert_allclose(scores, [[-7 / 490**0.5, -12 / 345**0.5]], rtol=1e-6)


@pytest.mark.parametrize("bits", [np.float16, "bfloat16"])
def test_every_short_float_up_to_one_is_read_as_it_is(bits):
    numbers = np.arange(0x3C01 if bits is np.float16 else 0x3F81, dtype=np.uint16)
    numbers = np.concatenate([numbers, numbers | np.uint16(0x8000)])[:, None]
    if bits is np.float16:
        kernel, expected = flat_kernels.float16_products, numbers.view(np.float16)
    else:
        kernel = flat_kernels.bfloat16_products
        expected = (numbers.astype(np.uint32) << np.uint32(16)).view(np.float32)
    products = np.empty((1, len(numbers)), np.float32)
    kernel(numbers, np.ones((1, 1), np.float32), products, np.ones(len(numbers), np.float32))
    assert np.array_equal(products[0], expected[:, 0].astype(np.float32))


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_ties_go_to_the_lower_row(quantization):
    """Everything ties: more documents than a tile holds, all of them the same but for length."""
    one = np.random.default_rng(1).normal(size=24)
    documents = (one * np.exp2(np.arange(90) % 5)[:, None]).astype(np.float32)
    search, codes = flat_search(documents, documents[:3], Config(17, quantization))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat, "_TILE_ROWS", 16)
        for count in (1, 20, 90):
            rows, _ = search.search(codes, count)
            assert rows.tolist() == [list(range(count))] * 3
            shuffled = np.random.default_rng(2).permutation(90)
            assert search.among(shuffled, codes[0], count).tolist() == list(range(count))


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_a_zero_prefix_comes_after_all_that_points_away_from_the_query(quantization):
    documents = np.full((12, 6), -1, np.float32)
    documents[[1, 4, 9], :5] = 0
    # The mean that is subtracted first is nothing here, so that these prefixes stay zero.
    documents = np.concatenate([documents, -documents])
    zeros = [1, 4, 9, 13, 16, 21]
    search, codes = flat_search(documents, np.ones((2, 6), np.float32), Config(5, quantization))
    others = np.setdiff1d(np.arange(24), zeros)
    toward, away = others[others >= 12].tolist(), others[others < 12].tolist()
    rows, _ = search.search(codes, 24)
    assert rows.tolist() == [[*toward, *away, *zeros]] * 2
    assert search.among(np.array([16, 0, 9, 20]), codes[0], 4).tolist() == [20, 0, 9, 16]


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_all_threads_find_what_one_finds(quantization):
    documents, queries = make_corpus("clustered", n_docs=3000, n_queries=150, full_dim=40, seed=3)
    search, codes = flat_search(documents, queries, Config(33, quantization))
    alone = [search.search(code[None], 25)[0][0].tolist() for code in codes]
    for threads in (1, 2, 0):
        assert search.search(codes, 25, threads=threads)[0].tolist() == alone


def test_float32_over_many_tiles_is_faiss():
    documents, queries = make_corpus("gaussian", n_docs=40_000, n_queries=70, full_dim=24, seed=4)
    search, codes = flat_search(documents, queries, Config(24))
    units, unit_queries = (naive.unit(v).astype(np.float32) for v in (documents, queries))
    expected, _ = faiss.knn(unit_queries, units, 50, metric=faiss.METRIC_INNER_PRODUCT)
    for threads in (1, 2):
        rows, scores = search.search(codes, 50, threads=threads)
        np.testing.assert_allclose(scores, expected, atol=2e-6)
        own = np.einsum("qd,qnd->qn", unit_queries, units[rows])
        np.testing.assert_allclose(own, scores, atol=2e-6)
