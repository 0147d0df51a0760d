"""Two models at equal bytes, on the sample's two."""

from pathlib import Path

import pytest

from mrl_explorer.decide.beside import match, ndcg_points
from mrl_explorer.decide.same_bytes import curves, fitting, shared_quantizations
from mrl_explorer.decide.summary import summarise
from mrl_explorer.report.same_bytes import fitting_help, fitting_rows, sizes_chart
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation_file import load_evaluation
from mrl_explorer.retrieval.metrics import Cutoff

SAMPLE = Path(__file__).parents[2] / "sample_data/help_centre"

NAMES = ("wordllama-256", "minilm-384")


@pytest.fixture(scope="module")
def both():
    evaluations = [load_evaluation(SAMPLE / name / "help_centre.evaluation") for name in NAMES]
    first, second = (summarise(one, Cutoff(10)) for one in evaluations)
    return first, second, match(*evaluations)


def test_the_most_dims_that_fit_are_compared(both):
    first, second, shared = both
    found = fitting(first, second, quantization="int8", shared=shared)
    sizes = {one.n_bytes: (one.first.dim, one.second.dim) for one in found}
    assert sizes[128] == (128, 128)
    # The first has no more dims than 256; the second fits all of its own.
    assert sizes[384] == (256, 384)
    assert all(one.first.bytes_per_vector <= one.n_bytes for one in found)
    assert len({(one.first, one.second) for one in found}) == len(found)
    last = found[-1].found.ndcg
    assert last.n_queries == 150
    whole = (second.row(Config(384, "int8")).ndcg, first.row(Config(256, "int8")).ndcg)
    assert last.difference == pytest.approx(whole[1] - whole[0])


def test_both_curves_count_the_queries_that_both_judge_alike(both):
    first, second, shared = both
    sides = curves(first, second, quantization="binary", shared=shared)
    assert [point.dim for point in sides[1].ndcg][-1] == 384
    assert sides[0].ndcg == ndcg_points(first, Config(256, "binary"), shared.judged_rows[0])
    assert "binary" in shared_quantizations(first, second)


def test_the_table_has_a_word_on_each_of_its_columns(both):
    first, second, shared = both
    sides = curves(first, second, quantization="float32", shared=shared)
    found = fitting(first, second, quantization="float32", shared=shared)
    rows = fitting_rows(found, sides, NAMES)
    assert set(rows[0]) == set(fitting_help(NAMES, 10))
    assert rows[-1]["finds better results"] == "minilm-384"
    assert rows[-1]["minilm-384: recall"] == 1.0
    chart = sizes_chart(sides, NAMES, stored="float32", k=10, relevance=True)
    assert [one["name"] for one in chart["series"]] == list(NAMES)
    assert chart["series"][1]["data"][-1]["value"][0] == 384 * 4
