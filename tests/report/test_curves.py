import json

import numpy as np
import pytest

from mrl_explorer.decide.summary import Summary, summarise
from mrl_explorer.report.curves import curve_dims, recall_curves
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


def lines(option):
    return [s for s in option["series"] if s["type"] == "line" and not s.get("silent")]


def bands(option):
    return [s for s in option["series"] if s["type"] == "line" and s.get("silent")]


def marks(option):
    return [s for s in option["series"] if s["type"] == "scatter"]


@pytest.mark.parametrize("basis", ["native", "pca"])
def test_a_line_per_quantization_with_recall_and_its_interval(summary, basis):
    option = recall_curves(summary, basis=basis, chosen=Config(64, "int8", basis), pinned=None)
    assert [line["name"] for line in lines(option)] == LEVELS == option["legend"]["data"]
    for line in lines(option):
        assert [point[0] for point in line["data"]] == DIMS
        for dim, recall, low, high in line["data"]:
            row = summary.row(Config(dim, line["name"], basis))
            assert recall == pytest.approx(row.recall, abs=0.00051)
            assert low == pytest.approx(row.recall_low, abs=0.00051)
            assert high == pytest.approx(row.recall_high, abs=0.00051)


def test_a_clicked_point_is_the_one_drawn(summary):
    option = recall_curves(summary, basis="pca", chosen=Config(64, "int8"), pinned=None)
    drawn = {line["name"]: [point[0] for point in line["data"]] for line in lines(option)}
    assert curve_dims(summary, basis="pca") == drawn


def test_lines_are_told_apart_without_colour_and_can_be_selected(summary):
    option = recall_curves(summary, basis="native", chosen=Config(64, "int8"), pinned=None)
    looks = {(str(s["symbol"]), str(s["lineStyle"]["type"])) for s in lines(option)}
    assert len(looks) == 5
    assert all(s["selectedMode"] == "single" and s["showSymbol"] for s in lines(option))


def test_the_band_of_a_line_reaches_from_low_to_high(summary):
    option = recall_curves(summary, basis="native", chosen=Config(64, "int8"), pinned=None)
    for line in lines(option):
        floor, tint = (s for s in bands(option) if s["name"] == line["name"])
        assert floor["stack"] == tint["stack"]
        assert "areaStyle" not in floor
        assert tint["areaStyle"]["opacity"] > 0
        for point, low, width in zip(line["data"], floor["data"], tint["data"], strict=True):
            assert low[0] == width[0] == point[0]
            assert low[1] == pytest.approx(point[2], abs=0.00051)
            assert low[1] + width[1] == pytest.approx(point[3], abs=0.00051)
    assert len({s["stack"] for s in bands(option)}) == 5
    # What is only tinted must not catch a click that was meant for a point.
    assert all(s["symbol"] == "none" and s["silent"] for s in bands(option))


def test_the_chosen_and_the_pinned_point_are_marked_where_they_lie(summary):
    chosen, pinned = Config(64, "binary", "pca"), Config(128, "int4", "pca")
    option = recall_curves(summary, basis="pca", chosen=chosen, pinned=pinned)
    by_name = {mark["name"]: mark for mark in marks(option)}
    assert set(by_name) == {"64d binary pca", "128d int4 pca"}
    for config in (chosen, pinned):
        mark, recall = by_name[str(config)], summary.row(config).recall
        assert mark["data"] == [[config.dim, recall]]
        assert mark["label"]["formatter"] == f"{config}: {recall:.3f}".replace("0.", ".")
        assert mark["silent"] is True
    borders = {mark["itemStyle"]["borderColor"] for mark in marks(option)}
    assert len(borders) == 2


def test_without_a_pin_only_the_chosen_point_is_marked(summary):
    option = recall_curves(summary, basis="native", chosen=Config(64, "int8"), pinned=None)
    assert [mark["name"] for mark in marks(option)] == ["64d int8"]


@pytest.mark.parametrize(("dim", "align"), [(32, "left"), (96, "center"), (256, "right")])
def test_the_label_of_a_mark_stays_within_the_frame(summary, dim, align):
    option = recall_curves(summary, basis="native", chosen=Config(dim, "int8"), pinned=None)
    assert marks(option)[0]["label"]["align"] == align


def test_a_low_point_has_its_label_above(summary):
    low, high = Config(32, "binary"), Config(128, "float32")
    option = recall_curves(summary, basis="native", chosen=low, pinned=high)
    assert {m["name"]: m["label"]["position"] for m in marks(option)} == {
        "32d binary": "top",
        "128d float32": "bottom",
    }


def test_the_axes_hold_every_point_and_say_what_they_are(summary):
    option = recall_curves(summary, basis="native", chosen=Config(64, "int8"), pinned=None)
    x, y = option["xAxis"], option["yAxis"]
    assert (x["type"], x["name"]) == ("log", "dimensions kept (log scale)")
    assert x["min"] < 32
    assert x["max"] > 256
    assert x["axisTick"]["customValues"] == DIMS
    assert y["name"] == "recall@10 vs full dimension"
    assert y["min"] <= min(point[2] for line in lines(option) for point in line["data"])
    assert y["min"] == pytest.approx(0.2)
    assert y["max"] == 1
    assert "recall@10" in option["tooltip"]["formatter"]


def test_labels_of_close_dims_are_left_out_from_the_largest_down():
    configs = {Config(dim, "int8"): (0.1, 0.5, 0.9) for dim in (2, 3, 4, 6)}
    summary = small_summary({Config(8): (1, 1, 1), Config(7, "int8"): (0.1, 0.5, 0.9), **configs})
    option = recall_curves(summary, basis="native", chosen=Config(8), pinned=None)
    assert option["xAxis"]["axisLabel"]["customValues"] == [2, 3, 4, 6, 8]
    assert option["xAxis"]["axisTick"]["customValues"] == [2, 3, 4, 6, 7, 8]


def test_a_run_of_one_dim_can_be_drawn():
    summary = small_summary({Config(8): (1, 1, 1)})
    option = recall_curves(summary, basis="native", chosen=Config(8), pinned=None)
    assert [line["data"] for line in lines(option)] == [[[8, 1.0, 1.0, 1.0]]]
    assert option["xAxis"]["min"] < 8 < option["xAxis"]["max"]


def test_quantizations_that_a_basis_lacks_are_not_drawn_in_it():
    summary = small_summary({Config(8): (1, 1, 1), Config(4, "int8", "pca"): (0.2, 0.5, 0.7)})
    option = recall_curves(summary, basis="pca", chosen=Config(4, "int8", "pca"), pinned=None)
    assert [line["name"] for line in lines(option)] == ["int8"]
    assert curve_dims(summary, basis="pca") == {"int8": [4]}
    assert curve_dims(summary, basis="native") == {"float32": [8]}


def test_more_lines_than_shapes_can_be_drawn(summary):
    names = ["float32", "float16", "bfloat16", "int8", "int4", "binary", "binary-floatq"]
    summary = small_summary({Config(8, name): (0.1, 0.5, 0.9) for name in names})
    option = recall_curves(summary, basis="native", chosen=Config(8), pinned=None)
    assert [line["name"] for line in lines(option)] == names


def test_the_option_is_plain_json(summary):
    option = recall_curves(summary, basis="pca", chosen=Config(64, "int8"), pinned=Config(32))
    assert json.loads(json.dumps(option, allow_nan=False)) == option
