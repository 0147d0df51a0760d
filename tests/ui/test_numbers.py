import json
from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.data import Collection, make_records
from mrl_explorer.decide.summary import summarise
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import save_evaluation
from mrl_explorer.retrieval.metrics import Cutoff
from tests.ui.apps import columns, curves, html, numbers, open_app, shown_results


def share(value):
    return "" if value is None else f"{value:.3f}".removeprefix("0")


def change(value, full):
    return f"{value - full:+.3f} vs full"


@pytest.mark.parametrize(
    ("config", "k", "oversample"),
    [
        (Config(32, "binary", "native"), 10, None),
        (Config(64, "int4", "pca"), 5, None),
        (Config(96, "float16", "native"), 1, None),
        (Config(128, "int8", "native"), 100, None),
        (Config(256, "float32", "pca"), 10, None),
        (Config(256, "float32", "native"), 20, None),
        (Config(32, "binary", "native"), 10, 1),
        (Config(48, "binary", "pca"), 10, 4),
        (Config(64, "int8", "native"), 3, 20),
        (Config(192, "int4", "pca"), 20, 5),
    ],
    ids=str,
)
def test_the_page_shows_the_figures_of_the_evaluation(sample, config, k, oversample):
    app = open_app(
        dim=str(config.dim), quantization=config.quantization, basis=config.basis, k=str(k)
    )
    if oversample is not None:
        app.toggle(key="rescore").set_value(True).run()
        app.selectbox(key="oversample").set_value(oversample).run()
    assert not app.exception
    cutoff = Cutoff(k, oversample or 1, rescore=oversample is not None)
    summary = summarise(sample, cutoff)
    row, full = summary.row(config), summary.row(sample.rankings.baseline)
    held_out = {
        "held out": (
            share(row.held_out),
            f"{share(row.held_out_low)} to {share(row.held_out_high)}",
        )
    }
    assert numbers(app) == {
        f"recall@{k}": (
            share(row.recall),
            f"{share(row.recall_low)} to {share(row.recall_high)}",
        ),
        **(held_out if config.basis == "pca" else {}),
        f"nDCG@{k}": (share(row.ndcg), change(row.ndcg, full.ndcg)),
        f"MRR@{k}": (share(row.mrr), change(row.mrr, full.mrr)),
        f"success@{k}": (share(row.success), change(row.success, full.success)),
    }
    rescored = "" if oversample is None else f", rescored from {k * oversample} candidates"
    assert f"<b>{config}</b>{rescored}, against full dimension" in html(app)
    assert f'data-dim="{config.dim}"' in html(app)
    suffix = "" if oversample is None else " rescored"
    assert [name for _, name, _ in columns(app)] == ["256d float32", f"{config}{suffix}"]
    assert all(len(ids) == k for _, _, ids in columns(app))


def test_the_baseline_loses_nothing():
    shown = numbers(open_app(dim="256", quantization="float32"))
    assert shown["recall@10"] == ("1.000", "1.000 to 1.000")
    assert all(below.startswith(("+0.000", "1.000")) for _, below in shown.values())


def held_out_help(app):
    (metric,) = [m for m in app.metric if m.label == "held out"]
    return metric.help


def test_a_fitted_basis_is_told_what_it_reaches_elsewhere(sample):
    app = open_app(dim="64", basis="pca")
    row = summarise(sample, Cutoff(10)).row(Config(64, "int8", "pca"))
    assert row.held_out < row.recall
    assert "fitted on one half of the documents and measured on the other" in held_out_help(app)
    assert f"native there: {share(row.held_out_native)}." in held_out_help(app)
    assert "held out" not in numbers(open_app(dim="64"))


def test_where_no_held_out_figure_can_be_it_says_why(sample, served):
    vectors = np.random.default_rng(3).normal(size=(20, 8)).astype(np.float32)
    small = evaluate(
        Collection(
            make_records(name="documents.npy", vectors=vectors),
            make_records(name="queries.npy", vectors=vectors[:4] + 1, what="queries"),
        )
    )
    path = served / "small.evaluation"
    save_evaluation(small, path)
    app = open_app(data=str(path), dim="4", basis="pca", k="15")
    assert numbers(app)["held out"] == ("–", "k too large")
    assert "k = 15 leaves out none of the 10 documents" in held_out_help(app)
    path = served / "older.evaluation"
    save_evaluation(replace(sample, held_out=None), path)
    app = open_app(data=str(path), dim="64", basis="pca")
    assert not app.exception
    assert numbers(app)["held out"] == ("–", "not measured")
    assert "no held-out figure" in held_out_help(app)


def test_a_slider_move_reaches_numbers_results_and_chart():
    app = open_app()
    for dim in (32, 256, 64):
        app.select_slider(key="dim").set_value(dim).run()
        assert f'data-dim="{dim}"' in html(app)
        assert shown_results(app)["dim"] == dim
        assert columns(app)[1][1] == f"{dim}d int8"
        assert curves(app)["marks"][-1]["dim"] == dim


def test_the_chart_and_the_number_show_the_same_recall():
    app = open_app(dim="64", quantization="binary")
    (curve,) = [curve for curve in curves(app)["curves"] if curve["name"] == "binary"]
    (point,) = [point for point in curve["points"] if point[0] == 64]
    assert numbers(app)["recall@10"][0] == share(point[1])


def memory_line(app):
    return next(m.value for m in app.markdown if "Memory" in m.value)


def bars(app):
    text = next(h for h in html(app).split("\n") if "mrl-bar" in h and "GB" in h)
    return [
        piece.split("</span></div>")[0].rpartition(">")[2] for piece in text.split("mrl-bar")[1:]
    ]


def test_memory_is_told_beside_the_baselines():
    app = open_app(dim="128")
    # usearch, M = 16: 148.5 bytes a vector beside its code on disk and, of 10M, 239.5 in RAM.
    assert memory_line(app) == (
        "**Memory for 10M vectors**: 128 bytes a vector (8.0× smaller), RAM 3.4× smaller"
    )
    assert bars(app) == ["12.6 GB", "3.68 GB", "11.7 GB", "2.77 GB"]
    assert "full-dimension copy" not in html(app)


def test_rescoring_costs_disk_and_no_ram():
    app = open_app(dim="128", rescore="true")
    assert bars(app) == ["12.6 GB", "3.68 GB", "11.7 GB", "13 GB"]
    assert "full-dimension copy for rescoring" in html(app)


def test_memory_follows_the_number_of_vectors():
    app = open_app(dim="64", quantization="binary", vectors="1B")
    assert memory_line(app) == (
        "**Memory for 1B vectors**: 8 bytes a vector (128× smaller), RAM 5.0× smaller"
    )
    assert "1.27 TB" in html(app)
    app.select_slider(key="vectors").set_value("10k").run()
    assert "**Memory for 10k vectors**" in memory_line(app)
    assert "12.6 MB" in html(app)


def test_ties_of_binary_codes_are_told():
    app = open_app(dim="32", quantization="binary", q="q-003")
    assert "share the Hamming distance of place 10" in shown_results(app)["note"]
    app.toggle(key="rescore").set_value(True).run()
    assert shown_results(app)["note"] == ""
    assert shown_results(open_app(dim="32", quantization="int8", q="q-003"))["note"] == ""


def test_every_configuration_is_listed_when_asked_for(sample):
    app = open_app(k="5")
    assert not app.dataframe
    app.button_group(key="details").set_value("Every configuration").run()
    table = app.dataframe[0].value
    assert len(table) == 70
    row = summarise(sample, Cutoff(5)).row(Config(64, "int4", "pca"))
    (found,) = table[
        (table["dim"] == 64) & (table["quantization"] == "int4") & (table["basis"] == "pca")
    ].to_dict("records")
    assert found == pytest.approx(row.as_dict())


def test_recall_by_segment_is_drawn_when_asked_for():
    app = open_app(dim="64", quantization="binary", pin="128-int8-native")
    assert not app.get("plotly_chart")
    app.button_group(key="details").set_value("Recall by segment").run()
    assert not app.exception
    (chart,) = app.get("plotly_chart")
    assert [trace["name"] for trace in json.loads(chart.proto.spec)["data"]] == [
        "64d binary",
        "128d int8",
    ]
