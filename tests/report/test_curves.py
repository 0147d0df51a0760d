import json

import numpy as np
import pytest

from mrl_explorer.decide.beside import Point
from mrl_explorer.decide.summary import Summary, summarise
from mrl_explorer.report.curves import curves_beside, recall_curves
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, Listed, Queries, Source
from mrl_explorer.retrieval.metrics import Cutoff
from tests.report.runs import rankings_by_hand

DIMS = [32, 48, 64, 96, 128, 192, 256]
LEVELS = ["float32", "float16", "int8", "int4", "binary"]


@pytest.fixture(scope="module")
def summary(sample):
    return summarise(sample, Cutoff(10))


def small_summary(recalls):
    """Make a summary of one query with these (low, recall, high) by configuration."""
    rankings = rankings_by_hand({0: 0.9, 1: 0.8}, {config: [0, 1] for config in recalls})
    listed = Listed(np.arange(2, dtype=np.int32), ("a", "b"), ("", ""), ("", ""))
    evaluation = Evaluation(rankings, listed, Queries(("q",), ("",), None), None, Source("d", "q"))
    low, mean, high = np.array(list(recalls.values())).T
    return Summary(evaluation, Cutoff(2), mean[:, None], low, high, None)


@pytest.mark.parametrize("basis", ["native", "pca"])
def test_a_curve_per_quantization_with_recall_and_its_interval(summary, basis):
    drawn = recall_curves(summary, basis=basis, chosen=Config(64, "int8", basis), pinned=None)
    assert [curve["name"] for curve in drawn["curves"]] == LEVELS
    assert drawn["dims"] == DIMS
    assert f"in the basis {basis}" in drawn["about"]
    for curve in drawn["curves"]:
        assert [point[0] for point in curve["points"]] == DIMS
        for dim, recall, low, high in curve["points"]:
            row = summary.row(Config(dim, curve["name"], basis))
            assert recall == pytest.approx(row.recall, abs=0.00051)
            assert low == pytest.approx(row.recall_low, abs=0.00051)
            assert high == pytest.approx(row.recall_high, abs=0.00051)


def test_the_chosen_and_the_pinned_point_are_marked_where_they_lie(summary):
    chosen, pinned = Config(64, "binary", "pca"), Config(128, "int4", "pca")
    drawn = recall_curves(summary, basis="pca", chosen=chosen, pinned=pinned)
    # The chosen one last: it lies on top where both are near.
    assert [mark["kind"] for mark in drawn["marks"]] == ["pinned", "chosen"]
    for mark, config in zip(drawn["marks"], (pinned, chosen), strict=True):
        recall = summary.row(config).recall
        assert (mark["dim"], mark["value"]) == (config.dim, recall)
        assert mark["text"] == f"{config}: {recall:.3f}".replace("0.", ".")


def test_without_a_pin_only_the_chosen_point_is_marked(summary):
    drawn = recall_curves(summary, basis="native", chosen=Config(64, "int8"), pinned=None)
    assert [mark["kind"] for mark in drawn["marks"]] == ["chosen"]


def test_the_axis_starts_below_every_interval(summary):
    drawn = recall_curves(summary, basis="native", chosen=Config(64, "int8"), pinned=None)
    least = min(point[2] for curve in drawn["curves"] for point in curve["points"])
    assert 0 <= least - drawn["lowest"] < 0.1
    assert drawn["lowest"] == pytest.approx(round(drawn["lowest"], 1))
    assert drawn["measure"] == "recall@10"


def test_labels_of_close_dims_are_left_out_from_the_largest_down():
    configs = {Config(dim, "int8"): (0.1, 0.5, 0.9) for dim in (2, 3, 4, 6)}
    summary = small_summary({Config(8): (1, 1, 1), Config(7, "int8"): (0.1, 0.5, 0.9), **configs})
    drawn = recall_curves(summary, basis="native", chosen=Config(8), pinned=None)
    assert drawn["ticks"] == [2, 3, 4, 6, 8]
    assert drawn["dims"] == [2, 3, 4, 6, 7, 8]


def test_quantizations_that_a_basis_lacks_are_not_drawn_in_it():
    summary = small_summary({Config(8): (1, 1, 1), Config(4, "int8", "pca"): (0.2, 0.5, 0.7)})
    drawn = recall_curves(summary, basis="pca", chosen=Config(4, "int8", "pca"), pinned=None)
    assert [curve["name"] for curve in drawn["curves"]] == ["int8"]


def test_quantizations_stand_in_the_order_of_the_run():
    names = ["float32", "float16", "bfloat16", "int8", "int4", "binary", "binary-floatq"]
    summary = small_summary({Config(8, name): (0.1, 0.5, 0.9) for name in names})
    drawn = recall_curves(summary, basis="native", chosen=Config(8), pinned=None)
    assert [curve["name"] for curve in drawn["curves"]] == names


def test_the_values_are_plain_json(summary):
    drawn = recall_curves(summary, basis="pca", chosen=Config(64, "int8"), pinned=Config(32))
    assert json.loads(json.dumps(drawn, allow_nan=False)) == drawn


def test_side_by_side_there_is_a_curve_for_each_evaluation():
    first = (Point(64, 0.5, 0.4, 0.6), Point(128, 0.7, 0.65, 0.75))
    second = (Point(64, 0.8, 0.75, 0.85), Point(96, 0.82, 0.8, 0.84))
    drawn = curves_beside(
        [("small", Config(128, "int8"), first), ("large", Config(96, "int8", "pca"), second)],
        measure="nDCG@10",
        axis="by judgement",
    )
    assert drawn["curves"] == [
        {"name": "small, int8", "points": [[64, 0.5, 0.4, 0.6], [128, 0.7, 0.65, 0.75]]},
        {"name": "large, int8 pca", "points": [[64, 0.8, 0.75, 0.85], [96, 0.82, 0.8, 0.84]]},
    ]
    assert drawn["dims"] == [64, 96, 128]
    assert drawn["lowest"] == 0.4
    assert (drawn["measure"], drawn["axis"]) == ("nDCG@10", "by judgement")
    assert [(m["kind"], m["dim"], m["value"], m["text"]) for m in drawn["marks"]] == [
        ("chosen", 128, 0.7, "small: .700"),
        ("beside", 96, 0.82, "large: .820"),
    ]
    # The box of the higher point stands above it, clear of the other's.
    assert [mark.get("above", False) for mark in drawn["marks"]] == [False, True]
    json.dumps(drawn)
