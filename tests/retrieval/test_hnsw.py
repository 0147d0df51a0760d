"""The real graph: what it indexes, what it finds, and how its building ends."""

import threading
import time

import numpy as np
import pytest
from usearch.index import Index

from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress
from mrl_explorer.retrieval import hnsw
from mrl_explorer.retrieval.candidates import Scorer
from mrl_explorer.retrieval.config import Config, grid
from mrl_explorer.retrieval.hnsw import (
    INDEXED,
    GraphSettings,
    build_graph,
    graph_candidates,
    measure_graph,
    search_graph,
)
from mrl_explorer.retrieval.metrics import Cutoff, recall
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.sweep import sweep
from tests.retrieval.corpora import make_corpus

FULL_DIM = 64


@pytest.fixture(scope="module")
def data():
    documents, queries = make_corpus(
        "gaussian", n_docs=800, n_queries=30, full_dim=FULL_DIM, seed=0
    )
    configs = grid(FULL_DIM, dims=(24, 64), quantizations=INDEXED, bases=("native", "pca"))
    return documents, queries, sweep(documents, queries, configs, depth=50)


@pytest.mark.parametrize("basis", ["native", "pca"])
@pytest.mark.parametrize("name", INDEXED)
def test_a_graph_ranks_by_this_project_s_codes(data, name, basis):
    """Looking at everything, it finds what exact search of the same configuration finds."""
    documents, queries, rankings = data
    config = Config(24, name, basis)
    scorer = Scorer(documents, queries)
    graph = build_graph(scorer.all_codes(config), config, threads=1)
    found = measure_graph(graph, rankings, scorer, ef_search=800, k=10, candidates=40)
    assert found.of_exact == pytest.approx(1.0, abs=0.004)
    exact = recall(rankings, Cutoff(10))[rankings.place(config)].mean()
    # Among documents at one Hamming distance the graph picks others.
    assert found.recall == pytest.approx(exact, abs=0.06 if name == "binary" else 0.004)
    rescored = recall(rankings, Cutoff(10, 4, rescore=True))[rankings.place(config)].mean()
    assert found.rescored == pytest.approx(rescored, abs=0.06 if name == "binary" else 0.004)


def test_the_losses_and_what_is_left_make_one(data):
    documents, queries, rankings = data
    config = Config(24, "int8")
    scorer = Scorer(documents, queries)
    graph = build_graph(scorer.all_codes(config), config, GraphSettings(2, 2), threads=1)
    found = measure_graph(graph, rankings, scorer, ef_search=10, k=10, candidates=10)
    assert found.dims + found.bits + found.graph + found.recall == pytest.approx(1)
    plain = recall(rankings, Cutoff(10)).mean(axis=1)
    assert found.dims == pytest.approx(1 - plain[rankings.place(Config(24))])
    assert found.dims + found.bits == pytest.approx(1 - plain[rankings.place(config)])
    # So thin a graph loses much, and looking further brings some of it back.
    assert found.graph > 0.02
    further = measure_graph(graph, rankings, scorer, ef_search=400, k=10, candidates=10)
    assert further.of_exact > found.of_exact


def test_sizes_are_those_of_the_file_and_of_a_process_that_loads_it(data, tmp_path):
    documents, queries, _ = data
    config = Config(64, "int8")
    graph = build_graph(Scorer(documents, queries).all_codes(config), config)
    graph.index.save(tmp_path / "x")
    assert graph.disk_bytes == (tmp_path / "x").stat().st_size
    # At least the codes, and some of the graph.
    assert graph.disk_bytes > 800 * 64
    assert graph.resident_bytes is None or graph.resident_bytes > 800 * 64


@pytest.mark.parametrize("name", sorted(set(QUANTIZATIONS) - set(INDEXED)))
def test_codes_that_usearch_cannot_index_are_refused(name):
    with pytest.raises(InputError, match=f"no graph over {name} codes"):
        build_graph(np.zeros((3, 8), np.int8), Config(8, name))


@pytest.mark.parametrize(
    "settings", [GraphSettings(1, 10), GraphSettings(129, 10), GraphSettings(16, 0)]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InputError, match="is outside"):
        build_graph(np.zeros((3, 8), np.float32), Config(8), settings)


class StopError(Exception):
    pass


def test_a_build_can_be_cancelled_in_the_middle(monkeypatch):
    monkeypatch.setattr(hnsw, "_REPORT_EVERY", 0)
    codes = np.random.default_rng(0).normal(size=(20_000, 16)).astype(np.float32)
    told: list[Progress] = []

    def stop(progress):
        told.append(progress)
        if progress.done >= 50:
            raise StopError

    with pytest.raises(StopError):
        build_graph(codes, Config(16), on_progress=stop)
    assert told[-1].done < 20_000
    assert told[-1].total == 20_000


def test_two_build_at_once_and_the_rest_goes_on(monkeypatch):
    monkeypatch.setattr(hnsw, "_REPORT_EVERY", 0)
    random = np.random.default_rng(0)
    sizes = (3000, 2500)
    graphs = {}
    reported = threading.Event()

    def build(size):
        codes = random.normal(size=(size, 16)).astype(np.float32)
        graphs[size] = build_graph(codes, Config(16), on_progress=lambda _: reported.set())

    threads = [threading.Thread(target=build, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    assert reported.wait(60)
    # Python runs on while usearch builds: the page answers.
    ticks = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.001)
        ticks += 1
    assert ticks > 5
    assert {size: len(graph.index) for size, graph in graphs.items()} == {3000: 3000, 2500: 2500}


def test_more_results_than_documents_are_all_of_them():
    codes = np.eye(5, dtype=np.float32)
    graph = build_graph(codes, Config(5), threads=1)
    for n_queries in (1, 3):
        rows = search_graph(graph, codes[:n_queries], count=9, ef_search=64)
        assert rows.shape == (n_queries, 5)
        assert sorted(rows[0]) == [0, 1, 2, 3, 4]
        assert rows[0, 0] == 0


def test_a_document_left_out_is_not_returned(data):
    documents, _, _ = data
    scorer = Scorer(documents, documents[:6])
    config = Config(64)
    graph = build_graph(scorer.all_codes(config), config, threads=1)
    own = np.array([0, 1, 2, 3, -1, 5])
    codes = scorer.all_query_codes(config)
    rows = graph_candidates(graph, codes, 10, 200, own)
    assert rows.shape == (6, 10)
    assert not (rows == np.where(own >= 0, own, -2)[:, None]).any()
    assert rows[4, 0] == 4
    np.testing.assert_array_equal(rows[0], graph_candidates(graph, codes, 11, 200, None)[0, 1:])


def test_usearch_s_own_int8_is_another_encoding(data):
    """Why its conversion is not used: it gives up most of the bits that per-vector codes have."""
    documents, queries, rankings = data
    scorer = Scorer(documents, queries)
    config = Config(64, "int8")
    units = scorer.all_codes(Config(64))
    own = Index(ndim=64, metric="cos", dtype="i8")
    own.add(np.arange(len(units)), units)
    found = own.search(scorer.all_query_codes(Config(64)), 10, exact=True).keys
    exact = rankings.ids[rankings.place(Config(64)), :, :10]
    ours = rankings.ids[rankings.place(config), :, :10]

    def shared(lists):
        return np.mean([np.isin(a, b).mean() for a, b in zip(lists, exact, strict=True)])

    assert shared(ours) > shared(found) + 0.02
