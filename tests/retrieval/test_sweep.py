"""The sweep against the plain recipe: every cell, on corpora made to be hard."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from mrl_explorer.retrieval import families as families_module
from mrl_explorer.retrieval import kernels
from mrl_explorer.retrieval import sweep as sweep_module
from mrl_explorer.retrieval.basis import RUN_BASES, Basis, fit_bases, fit_basis, random_rotation
from mrl_explorer.retrieval.config import Config, baseline, grid
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.sweep import sweep

from . import naive
from .checks import check_list
from .corpora import KINDS, make_corpus

EVERYTHING = {"quantizations": tuple(QUANTIZATIONS), "bases": RUN_BASES}


def check_rankings(rankings, documents, queries, *, depth, excluded=None, given=()):
    """Hold every list of every configuration against the plain recipe."""
    n_docs, full_dim = documents.shape
    # Which axes span a shared eigenvalue is anybody's choice, and so is what is drawn at random:
    # test_basis.py proves that these are principal axes, rotations and an order, and here all else
    # follows from them.
    names = {config.basis for config in rankings.configs} - {basis.name for basis in given}
    axes = {basis.name: basis.components for basis in (*fit_bases(names, documents), *given)}
    full = naive.unit(queries) @ naive.unit(documents).T
    assert rankings.n_docs == n_docs
    assert rankings.full_dim == full_dim
    assert rankings.ids.shape == (len(rankings.configs), len(queries), min(depth, n_docs))
    for config in rankings.configs:
        place = rankings.place(config)
        expected = naive.score(
            documents,
            queries,
            dim=config.dim,
            quantization=config.quantization,
            axes=axes[config.basis],
            turn=random_rotation(config.dim) if config.basis == "pca-rotated" else None,
        )
        for query in range(len(queries)):
            left_out = -1 if excluded is None else excluded[query]
            check_list(
                rankings.ids[place, query],
                rankings.scores[place, query],
                expected.values[query],
                expected.slack[query],
                expected.lost[query],
                left_out=left_out,
                where=f"{config}, query {query}",
            )
            ids = rankings.ids[place, query]
            listed = rankings.full_scores[place, query]
            np.testing.assert_allclose(listed[ids >= 0], full[query, ids[ids >= 0]], atol=1e-6)
            assert (listed[ids < 0] == -np.inf).all()


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_cell_equals_the_plain_recipe(data):
    kind = data.draw(st.sampled_from(KINDS), "kind")
    n_docs = data.draw(st.one_of(st.integers(2, 12), st.integers(13, 400)), "n_docs")
    n_queries = data.draw(st.integers(1, 6), "n_queries")
    full_dim = data.draw(st.one_of(st.integers(2, 20), st.integers(21, 140)), "full_dim")
    dims = data.draw(st.sets(st.integers(1, full_dim), max_size=4), "dims")
    depth = data.draw(st.one_of(st.integers(1, 12), st.just(n_docs + 3)), "depth")
    seed = data.draw(st.integers(0, 2**32 - 1), "seed")
    documents_at_once = data.draw(st.sampled_from([7, 64, 150, 2048]), "documents_at_once")
    queries_at_once = data.draw(st.sampled_from([1, 2, 128]), "queries_at_once")
    documents, queries = make_corpus(
        kind, n_docs=n_docs, n_queries=n_queries, full_dim=full_dim, seed=seed
    )
    excluded = None
    if data.draw(st.booleans(), "exclude"):
        excluded = np.array(
            data.draw(st.lists(st.integers(-1, n_docs - 1), min_size=n_queries, max_size=n_queries))
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_module, "DOCUMENTS_AT_ONCE", documents_at_once)
        patch.setattr(sweep_module, "QUERIES_AT_ONCE", queries_at_once)
        configs = grid(full_dim, dims=dims, **EVERYTHING)
        rankings = sweep(documents, queries, configs, depth=depth, excluded=excluded)
    assert rankings.configs == configs
    check_rankings(rankings, documents, queries, depth=depth, excluded=excluded)


# --- one thing at a time ------------------------------------------------------------------------


def gaussian(n_docs, n_queries, full_dim, *, seed=0):
    return make_corpus("gaussian", n_docs=n_docs, n_queries=n_queries, full_dim=full_dim, seed=seed)


def place_of(rankings, *config):
    return rankings.place(Config(*config))


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_the_slack_of_the_check_is_small(quantization):
    """Else the check above could not fail."""
    documents, queries = gaussian(300, 4, 40)
    for axes in (None, fit_basis("pca", documents).components):
        scores = naive.score(documents, queries, dim=24, quantization=quantization, axes=axes)
        assert not scores.lost.any()
        assert np.median(scores.slack) < 1e-5 * max(1, np.abs(scores.values).max())


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_pca_cells_equal_a_recipe_with_axes_of_its_own(quantization):
    """From documents to scores without a line of the product in the expected values."""
    random = np.random.default_rng(4)
    scales = 0.8 ** np.arange(20)
    documents = (random.normal(size=(500, 20)) * scales + 0.2).astype(np.float32)
    queries = (random.normal(size=(8, 20)) * scales + 0.2).astype(np.float32)
    rankings = sweep(documents, queries, [Config(12, quantization, "pca")], depth=500)
    place = place_of(rankings, 12, quantization, "pca")
    expected = naive.score(
        documents,
        queries,
        dim=12,
        quantization=quantization,
        axes=naive.principal_axes(documents),
    ).values
    got = np.empty_like(expected)
    np.put_along_axis(got, rankings.ids[place].astype(int), rankings.scores[place], axis=1)
    # Integer codes at a rounding boundary, and signs of components near 0, may flip: few.
    off = np.abs(got - expected) > 2e-5
    assert off.mean() < 0.02
    assert np.abs(got - expected).max() < (1.5 if quantization.startswith("binary") else 0.05)


def test_the_baseline_is_faiss_on_a_larger_corpus():
    documents, queries = gaussian(20_000, 150, 48)
    rankings = sweep(documents, queries, [], depth=100)
    units, unit_queries = (naive.unit(v).astype(np.float32) for v in (documents, queries))
    scores, ids = faiss.knn(unit_queries, units, 100, metric=faiss.METRIC_INNER_PRODUCT)
    np.testing.assert_allclose(rankings.scores[0], scores, atol=2e-6)
    np.testing.assert_allclose(rankings.full_scores[0], scores, atol=2e-6)
    swapped = rankings.ids[0] != ids
    assert swapped.mean() < 0.01
    gaps = np.abs(np.diff(scores, axis=1))
    near = np.minimum(
        np.pad(gaps, ((0, 0), (1, 0)), constant_values=1),
        np.pad(gaps, ((0, 0), (0, 1)), constant_values=1e-9),
    )
    assert (near[swapped] < 3e-6).all()


def test_pca_at_full_dim_is_the_baseline():
    documents, queries = gaussian(300, 20, 32)
    configs = [Config(32, "float32", "pca"), Config(32, "int8", "pca"), Config(16)]
    rankings = sweep(documents, queries, configs, depth=30)
    rotated = place_of(rankings, 32, "float32", "pca")
    assert np.array_equal(rankings.ids[rotated], rankings.ids[0])
    assert np.array_equal(rankings.scores[rotated], rankings.scores[0])
    assert np.array_equal(rankings.full_scores[rotated], rankings.full_scores[0])


@pytest.mark.parametrize("name", ["pca-rotated", "random"])
def test_every_rotation_at_full_dim_is_the_baseline(name):
    documents, queries = gaussian(300, 20, 32)
    rankings = sweep(documents, queries, [Config(32, "float32", name), Config(16)], depth=30)
    rotated = place_of(rankings, 32, "float32", name)
    assert np.array_equal(rankings.ids[rotated], rankings.ids[0])
    assert np.array_equal(rankings.scores[rotated], rankings.scores[0])


def test_turning_a_prefix_keeps_its_floats_and_changes_its_signs():
    documents, queries = gaussian(500, 20, 32)
    configs = [Config(12, q, b) for q in ("float32", "binary") for b in ("pca", "pca-rotated")]
    rankings = sweep(documents, queries, configs, depth=50)
    lists = {config: rankings.ids[rankings.place(config)] for config in configs}
    assert np.array_equal(lists[configs[0]], lists[configs[1]])
    assert (lists[configs[2]] != lists[configs[3]]).mean() > 0.5


def test_a_random_order_is_the_native_basis_of_shuffled_columns():
    documents, queries = gaussian(200, 5, 24)
    order = fit_basis("random", documents).components.argmax(axis=1)
    shuffled = [np.ascontiguousarray(vectors[:, order]) for vectors in (documents, queries)]
    for quantization in ("float32", "int8", "binary"):
        random = sweep(documents, queries, [Config(10, quantization, "random")], depth=20)
        native = sweep(*shuffled, [Config(10, quantization)], depth=20)
        assert np.array_equal(random.ids[1], native.ids[1]), quantization


@pytest.mark.parametrize("kind", ["gaussian", "decaying", "zero prefixes"])
def test_a_given_map_is_used_and_need_not_be_a_rotation(kind):
    documents, queries = make_corpus(kind, n_docs=150, n_queries=4, full_dim=30, seed=2)
    components = np.random.default_rng(1).normal(size=(20, 30)).astype(np.float32)
    adapter = Basis("adapter", components)
    configs = [Config(d, q, "adapter") for d in (3, 20) for q in QUANTIZATIONS]
    rankings = sweep(documents, queries, configs, bases=[adapter], depth=25)
    check_rankings(rankings, documents, queries, depth=25, given=[adapter])


def test_a_given_square_map_is_not_taken_for_the_baseline():
    documents, queries = gaussian(150, 10, 16)
    stretched = Basis("adapter", np.diag(np.arange(1, 17)).astype(np.float32))
    rankings = sweep(documents, queries, [Config(16, "float32", "adapter")], bases=[stretched])
    check_rankings(rankings, documents, queries, depth=100, given=[stretched])
    assert not np.array_equal(rankings.ids[1], rankings.ids[0])


def test_a_given_basis_is_not_fitted_again():
    """As when a run goes on, or one more query is searched."""
    documents, queries = gaussian(150, 10, 16)
    other = fit_basis("pca", gaussian(150, 1, 16, seed=3)[0])
    reports = []
    config = Config(6, "int8", "pca")
    rankings = sweep(documents, queries, [config], bases=[other], on_progress=reports.append)
    own = sweep(other.apply(documents), other.apply(queries), [Config(6, "int8")])
    assert np.array_equal(rankings.ids[1], own.ids[1])
    assert "fitting PCA" not in {report.what for report in reports}


def test_a_map_that_gives_too_little_or_is_missing_is_a_programming_error():
    documents, queries = gaussian(20, 2, 8)
    narrow = Basis("adapter", np.eye(4, 8, dtype=np.float32))
    with pytest.raises(ValueError, match="fewer dimensions"):
        sweep(documents, queries, [Config(5, "int8", "adapter")], bases=[narrow])
    with pytest.raises(ValueError, match="'adapter' cannot be fitted"):
        sweep(documents, queries, [Config(4, "int8", "adapter")])


def test_a_rotation_changes_no_inner_product():
    """So that copying the baseline's lists, as above, is right."""
    documents, queries = gaussian(300, 20, 32)
    basis = fit_basis("pca", documents)
    rotated = sweep(basis.apply(documents), basis.apply(queries), [], depth=30)
    assert np.array_equal(rotated.ids, sweep(documents, queries, [], depth=30).ids)


@pytest.mark.parametrize("full_dim", [3072, 4096])
def test_wide_vectors(full_dim):
    documents, queries = gaussian(60, 3, full_dim)
    configs = grid(full_dim, dims=[1, 100, 2048, full_dim], quantizations=tuple(QUANTIZATIONS))
    rankings = sweep(documents, queries, configs, depth=10)
    check_rankings(rankings, documents, queries, depth=10)


def test_wide_pca_with_few_documents():
    documents, queries = gaussian(12, 2, 1024)
    configs = grid(1024, dims=[8, 512, 1024], **EVERYTHING)
    rankings = sweep(documents, queries, configs, depth=5)
    check_rankings(rankings, documents, queries, depth=5)


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_a_zero_prefix_is_last_and_back_when_it_ends(quantization):
    """A document and a query whose first dims are 0, among documents that score below 0."""
    documents, queries = gaussian(40, 3, 24)
    documents[:, :8] = -np.abs(queries[0, :8])
    documents[7, :8] = 0
    queries[2, :8] = 0
    configs = [Config(d, quantization) for d in (4, 8, 9, 24)]
    rankings = sweep(documents, queries, configs, depth=40)
    check_rankings(rankings, documents, queries, depth=40)
    for dim in (4, 8):
        lists = rankings.ids[place_of(rankings, dim, quantization)]
        # Subtracting the mean leaves no prefix zero.
        if quantization != "binary-centred-floatq":
            assert (lists[:, -1] == 7).all()
    assert not np.isnan(rankings.scores).any()


def test_the_excluded_document_makes_room_for_the_next():
    documents, _ = gaussian(50, 1, 8)
    queries = documents[:10]
    plain = sweep(documents, queries, [Config(4, "int8")], depth=5)
    without = sweep(documents, queries, [Config(4, "int8")], depth=4, excluded=np.arange(10))
    assert (plain.ids[0, :, 0] == np.arange(10)).all()
    assert np.array_equal(without.ids[0], plain.ids[0, :, 1:])
    assert not (without.ids == np.arange(10)[None, :, None]).any()


def test_a_corpus_of_what_is_left_out():
    documents, _ = gaussian(2, 1, 4)
    rankings = sweep(documents, documents, [Config(2, "binary")], excluded=np.array([0, 1]))
    assert rankings.ids.tolist() == [[[1, -1], [0, -1]]] * 2
    assert (rankings.scores[:, :, 1] == -np.inf).all()


def test_depth_is_cut_to_the_corpus():
    documents, queries = gaussian(6, 2, 4)
    rankings = sweep(documents, queries, [], depth=100)
    assert rankings.depth == 6
    assert sorted(rankings.ids[0, 0].tolist()) == list(range(6))


def test_the_baseline_comes_first_and_nothing_twice():
    documents, queries = gaussian(6, 2, 4)
    configs = [Config(2, "int8"), Config(2, "int8"), Config(4), Config(3, "binary", "pca")]
    rankings = sweep(documents, queries, configs)
    assert rankings.configs == (
        baseline(4),
        Config(2, "int8"),
        Config(3, "binary", "pca"),
    )


def test_cells_do_not_depend_on_their_company():
    documents, queries = gaussian(3000, 5, 40)
    configs = grid(40, dims=[3, 17, 33], **EVERYTHING)
    together = sweep(documents, queries, configs[::-1], depth=20)
    for config in configs[1:]:
        alone = sweep(documents, queries, [config], depth=20)
        assert np.array_equal(
            alone.ids[alone.place(config)], together.ids[together.place(config)]
        ), config


def test_tiles_and_chunks_change_nothing(monkeypatch):
    documents, queries = gaussian(1000, 30, 20)
    configs = grid(20, dims=[5, 20], **EVERYTHING)
    whole = sweep(documents, queries, configs, depth=15)
    monkeypatch.setattr(sweep_module, "DOCUMENTS_AT_ONCE", 90)
    monkeypatch.setattr(sweep_module, "QUERIES_AT_ONCE", 7)
    in_parts = sweep(documents, queries, configs, depth=15)
    assert np.array_equal(whole.ids, in_parts.ids)
    np.testing.assert_allclose(whole.scores, in_parts.scores, atol=2e-6)


class LateThreads(ThreadPoolExecutor):
    """Threads held up, every other time, between taking a task and starting it, as any may be."""

    late = itertools.cycle([True, False])

    def submit(self, task, /, *arguments):
        # Encoding takes the rows alone, and being late with it would hold up all.
        delay = 0.01 if len(arguments) > 1 and next(self.late) else 0

        def start():
            time.sleep(delay)
            return task(*arguments)

        return super().submit(start)


def test_tiles_come_to_the_queries_in_order_whatever_thread_is_late(monkeypatch):
    """Of equals the first seen stays, and that must be the lower row."""
    documents, queries = gaussian(600, 6, 6)
    monkeypatch.setattr(sweep_module, "DOCUMENTS_AT_ONCE", 30)
    monkeypatch.setattr(sweep_module, "n_threads", lambda: 4)
    monkeypatch.setattr(sweep_module, "ThreadPoolExecutor", LateThreads)
    seen = []
    whole = families_module.HammingFamily.select

    def watched(family, codes, first_row, chunk):
        seen.append(first_row)
        whole(family, codes, first_row, chunk)

    monkeypatch.setattr(families_module.HammingFamily, "select", watched)
    rankings = sweep(documents, queries, [Config(4, "binary")], depth=12)
    assert seen == list(range(0, 600, 30))
    distances = -naive.score(documents, queries, dim=4, quantization="binary").values
    expected = np.argsort(distances, axis=1, kind="stable")[:, :12]
    assert np.array_equal(rankings.ids[1], expected)


def test_documents_may_be_mapped_from_a_file(tmp_path):
    documents, queries = gaussian(100, 3, 16)
    np.save(tmp_path / "documents.npy", documents)
    mapped = np.load(tmp_path / "documents.npy", mmap_mode="r")
    configs = grid(16, dims=[5], **EVERYTHING)
    assert np.array_equal(
        sweep(mapped, queries, configs).ids, sweep(documents, queries, configs).ids
    )


def test_the_vectors_are_left_as_they_are():
    documents, queries = gaussian(100, 3, 16)
    documents.flags.writeable = queries.flags.writeable = False
    before = documents.copy()
    sweep(documents, queries, grid(16, dims=[5], **EVERYTHING))
    assert np.array_equal(documents, before)


def test_progress_counts_documents_in_every_basis(monkeypatch):
    monkeypatch.setattr(sweep_module, "DOCUMENTS_AT_ONCE", 40)
    documents, queries = gaussian(100, 3, 8)
    reports = []
    configs = [Config(8), Config(4, "int8"), Config(4, "int8", "pca")]
    sweep(documents, queries, configs, on_progress=reports.append)
    ranking = [report for report in reports if report.what == "ranking 3 configurations"]
    # A tile that takes long is reported on more than once.
    told = dict.fromkeys(report.done for report in ranking if report.done)
    assert list(told) == [40, 80, 100, 140, 180, 200]
    assert {report.total for report in ranking} == {200}
    assert [report.what for report in reports if report not in ranking] == ["fitting PCA"]


def test_progress_stops_the_sweep():
    class StopError(Exception):
        pass

    def stop(progress):
        raise StopError

    documents, queries = gaussian(100, 3, 8)
    before = threadpool_info()
    with pytest.raises(StopError):
        sweep(documents, queries, [], on_progress=stop)
    assert threadpool_info() == before
    assert sweep(documents, queries, []).n_docs == 100


def test_a_sweep_is_stopped_in_the_middle_of_a_slow_tile(monkeypatch):
    class StopError(Exception):
        pass

    n_selected = 0
    select = families_module.PrefixFamily.select

    def slowly(self, *arguments):
        nonlocal n_selected
        n_selected += 1
        time.sleep(0.02)
        select(self, *arguments)

    def stop(progress):
        assert progress.done == 0
        raise StopError

    monkeypatch.setattr(families_module.PrefixFamily, "select", slowly)
    monkeypatch.setattr(sweep_module, "QUERIES_AT_ONCE", 1)
    monkeypatch.setattr(sweep_module, "SECONDS_UNTOLD", 0.01)
    documents, queries = gaussian(100, 1000, 8)
    with pytest.raises(StopError):
        sweep(documents, queries, [], on_progress=stop)
    assert n_selected < 500


def test_shapes_that_disagree_are_a_programming_error():
    documents, queries = gaussian(10, 2, 8)
    for configs, own in (([Config(9)], queries), ([Config(0)], queries), ([], queries[:, :7])):
        with pytest.raises(ValueError, match="disagree"):
            sweep(documents, own, configs)


def test_sweeps_side_by_side_give_the_limit_on_threads_back():
    before = threadpool_info()
    documents, queries = gaussian(2000, 40, 32)
    alone = sweep(documents, queries, [Config(16, "int8")], depth=10)
    results = []
    threads = [
        threading.Thread(
            target=lambda: results.append(sweep(documents, queries, [Config(16, "int8")], depth=10))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(result.ids, alone.ids) for result in results)
    assert threadpool_info() == before


def test_threads_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.delattr(sweep_module.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(sweep_module.os, "cpu_count", lambda: 3)
    assert sweep_module.n_threads() == 3
    monkeypatch.setattr(sweep_module.os, "cpu_count", lambda: None)
    assert sweep_module.n_threads() == 1


@pytest.fixture
def interpreted(monkeypatch):
    """The kernels as plain Python: what is compiled is what is written."""
    for name, value in list(vars(kernels).items()):
        if hasattr(value, "py_func"):
            monkeypatch.setattr(kernels, name, value.py_func)
    monkeypatch.setattr(kernels, "float_bits", lambda value: np.float32(value).view(np.uint32))
    monkeypatch.setattr(kernels, "bits_float", lambda value: np.uint32(value).view(np.float32))
    monkeypatch.setattr(kernels, "popcount", lambda word: int(word).bit_count())


@pytest.mark.parametrize("kind", ["gaussian", "duplicates", "zero prefixes"])
def test_the_kernels_do_what_they_say_when_not_compiled(kind, monkeypatch, request):
    documents, queries = make_corpus(kind, n_docs=90, n_queries=3, full_dim=70, seed=1)
    configs = grid(70, dims=[3, 64, 69], **EVERYTHING)
    monkeypatch.setattr(sweep_module, "DOCUMENTS_AT_ONCE", 40)
    excluded = np.array([3, -1, 80])
    compiled = sweep(documents, queries, configs, depth=7, excluded=excluded)
    request.getfixturevalue("interpreted")
    plain = sweep(documents, queries, configs, depth=7, excluded=excluded)
    check_rankings(plain, documents, queries, depth=7, excluded=excluded)
    np.testing.assert_allclose(plain.scores, compiled.scores, rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(plain.full_scores, compiled.full_scores, atol=2e-6)
    assert (plain.ids == compiled.ids).mean() > 0.99
