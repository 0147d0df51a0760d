"""Searches that run stage after stage, and how they are timed."""

import numpy as np
import pytest

from mrl_explorer.retrieval.candidates import Scorer, gather_candidates, rank_directly
from mrl_explorer.retrieval.chains import parse_chain
from mrl_explorer.retrieval.config import Config, grid
from mrl_explorer.retrieval.hnsw import build_graph
from mrl_explorer.retrieval.latency import measure_latency
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.staged import StagedSearch
from mrl_explorer.retrieval.sweep import sweep
from tests.retrieval.corpora import make_corpus

CHAINS = [
    "16-float32:5",
    "8-int8:20,16-float32:5",
    "8-float16:20,16-int8:10,16-float32:5",
    "16-bfloat16:20,16-int4-floatq:5",
    "8-int8-pca:20,16-binary-floatq:10,8-float32-pca:5",
    "8-float32:30,12-binary-centred-floatq:20,12-int4:10,16-float32:5",
    "16-binary:30",
    "9-int4:20,9-int4-floatq:10,16-float32:5",
    "9-int4-floatq-pca:20,16-int8:5",
    "9-binary:40,9-binary-floatq:20,16-float16:5",
    "16-binary-floatq-pca:20,16-float32:5",
    "9-binary-centred-floatq:20,9-int4:5",
]


@pytest.fixture(scope="module")
def data():
    documents, queries = make_corpus("gaussian", n_docs=120, n_queries=9, full_dim=16, seed=0)
    configs = grid(
        16,
        dims=(8, 9, 16),
        quantizations=QUANTIZATIONS,
        bases=("native", "pca"),
    )
    return documents, queries, sweep(documents, queries, configs, depth=40)


@pytest.mark.parametrize("text", CHAINS)
def test_a_real_staged_search_returns_what_the_lists_say(data, text):
    documents, queries, rankings = data
    one = parse_chain(text)
    later = [stage.config for stage in one.stages[1:]]
    candidates = rank_directly(gather_candidates(rankings), later, Scorer(documents, queries))
    expected, decided = candidates.results(one)
    assert decided.all()
    search = StagedSearch(one, Scorer(documents, queries))
    for query in range(len(queries)):
        rows, seconds = search.search(query)
        np.testing.assert_array_equal(rows, expected[query])
        assert len(seconds) == len(one.stages)


def test_a_graph_stands_in_for_the_first_stage(data):
    documents, queries, _ = data
    scorer = Scorer(documents, queries)
    one = parse_chain("8-int8:20,16-float32:5")
    graph = build_graph(scorer.all_codes(Config(8, "int8")), Config(8, "int8"), threads=1)
    flat = StagedSearch(one, scorer)
    indexed = flat.through(graph, ef_search=120)
    for query in range(len(queries)):
        np.testing.assert_array_equal(indexed.search(query)[0], flat.search(query)[0])
    assert indexed.search_all(threads=0) > 0
    assert flat.search_all(threads=1) > 0


class Timed:
    """A search that takes as long as it says, by a clock of its own."""

    def __init__(self, clock, seconds, batch):
        self.clock, self.seconds, self.batch = clock, seconds, batch
        self.n_queries, self.n_searches = len(seconds), 0

    def search(self, query):
        self.n_searches += 1
        self.clock.now += self.seconds[query]
        return np.zeros(1), [self.seconds[query] / 4, 3 * self.seconds[query] / 4]

    def search_all(self, *, threads):
        return self.batch


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_figures_of_known_times():
    clock = Clock()
    slow = Timed(clock, [float(n) for n in range(1, 102)], batch=2.0)
    fast = Timed(clock, [n / 4 for n in range(1, 102)], batch=0.5)
    told = []
    got = measure_latency(
        {"slow": slow, "fast": fast},
        compared_with="slow",
        rounds=3,
        clock=clock,
        on_progress=told.append,
    )
    assert got["slow"].p50 == pytest.approx(51)
    assert got["slow"].p95 == pytest.approx(96)
    assert got["slow"].p99 == pytest.approx(100)
    assert (got["slow"].ratio, got["slow"].ratio_low, got["slow"].ratio_high) == (1, 1, 1)
    assert got["fast"].ratio == pytest.approx(0.25)
    assert got["fast"].per_second == pytest.approx(101 / (sum(range(1, 102)) / 4))
    assert got["fast"].per_second_all == pytest.approx(101 / 0.5)
    assert got["fast"].stages == pytest.approx((51 / 16, 3 * 51 / 16))
    # One round more warms up.
    assert slow.n_searches == fast.n_searches == 4 * 101
    assert [progress.done for progress in told] == list(range(8))


def test_a_round_that_was_disturbed_moves_the_spread_and_not_the_ratio():
    clock = Clock()
    base, other = (Timed(clock, [1.0] * 5, batch=1.0) for _ in range(2))

    class Disturbed(Timed):
        def search(self, query):
            rows, stages = super().search(query)
            if 5 < self.n_searches <= 10:
                self.clock.now += 9.0
            return rows, stages

    other = Disturbed(clock, [1.0] * 5, batch=1.0)
    got = measure_latency({"b": base, "o": other}, compared_with="b", rounds=5, clock=clock)
    assert got["o"].ratio == pytest.approx(1)
    assert (got["o"].ratio_low, got["o"].ratio_high) == pytest.approx((1, 10))


def test_only_so_many_queries_are_timed():
    clock = Clock()
    one = Timed(clock, [1.0] * 50, batch=1.0)
    measure_latency({"one": one}, compared_with="one", rounds=1, max_queries=10, clock=clock)
    assert one.n_searches == 20
