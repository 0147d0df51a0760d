from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.data.collection import Collection, make_records
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import save_evaluation
from mrl_explorer.ui.controls import parse_config
from tests.ui.apps import columns, has, html, labelled, numbers, open_app


def collection(n_docs=12, full_dim=8, **query_columns):
    rng = np.random.default_rng(7)
    documents = make_records(
        name="documents.npy", vectors=rng.normal(size=(n_docs, full_dim)).astype(np.float32)
    )
    vectors = rng.normal(size=(3, full_dim)).astype(np.float32)
    queries = make_records(name="queries.npy", vectors=vectors, what="queries", **query_columns)
    return Collection(documents, queries)


def open_run(folder, evaluation, **query_params):
    path = folder / "run.evaluation"
    save_evaluation(evaluation, path)
    return open_app(data=str(path), **query_params)


def oversampling(app):
    return app.selectbox(key="oversample")


def test_k_goes_up_to_the_depth_of_the_lists():
    app = open_app()
    k = app.number_input(key="k")
    assert (k.min, k.max) == (1, 100)
    k.set_value(100).run()
    assert not app.exception
    assert "recall@100" in numbers(app)


@pytest.mark.parametrize(("k", "most"), [(1, 20), (5, 20), (10, 10), (20, 5), (33, 3), (50, 2)])
def test_oversampling_is_bounded_by_the_depth(k, most):
    app = open_app(k=str(k), rescore="true")
    choice = oversampling(app)
    assert choice.options[-1] == str(most)
    assert not choice.disabled
    choice.set_value(most).run()
    assert f"rescored from {k * most} candidates" in html(app)
    assert not app.exception
    assert not app.error
    assert f"recall@{k}" in numbers(app)


@pytest.mark.parametrize("k", [51, 100])
def test_where_no_oversampling_fits_there_is_none_to_choose(k):
    app = open_app(k=str(k), rescore="true")
    assert oversampling(app).options == ["1"]
    assert oversampling(app).value == 1
    assert not app.exception


def test_a_larger_k_brings_oversampling_back_within_the_depth():
    app = open_app(rescore="true", oversample="10")
    assert "rescored from 100 candidates" in html(app)
    app.number_input(key="k").set_value(30).run()
    assert not app.exception
    assert not app.error
    assert "rescored from 90 candidates" in html(app)


def test_oversampling_waits_for_rescoring():
    app = open_app()
    assert oversampling(app).disabled
    app.toggle(key="rescore").set_value(True).run()
    assert not oversampling(app).disabled


def test_a_corpus_smaller_than_k_can_be_explored(served):
    app = open_run(served, evaluate(collection(n_docs=4)))
    assert not app.exception
    assert app.number_input(key="k").max == 4
    assert "recall@4" in numbers(app)
    app.toggle(key="rescore").set_value(True).run()
    assert not app.exception


@pytest.mark.parametrize("exclude_self", [True, False])
def test_the_smallest_corpus_can_be_explored(served, exclude_self):
    both = collection(n_docs=2)
    both = replace(both, queries=replace(both.documents, name="documents.npy"))
    app = open_run(served, evaluate(both, exclude_self=exclude_self))
    assert not app.exception
    for dim in app.select_slider(key="dim").options:
        app.select_slider(key="dim").set_value(int(dim)).run()
        assert not app.exception


@pytest.mark.parametrize(
    "choice",
    [
        {"dims": (2, 4), "quantizations": ("float32", "int8"), "bases": ("native",)},
        {"dims": (2, 4), "quantizations": ("binary",), "bases": ("pca",)},
        {"dims": (8,), "quantizations": ("int4",), "bases": ("native", "pca")},
    ],
    ids=["without full dimension", "one of each", "one dim"],
)
def test_every_control_of_a_run_with_gaps_can_be_moved(served, choice):
    # The baseline is always there, also where the run was asked for neither its dim nor its
    # quantization nor its basis: the controls then offer more than the run covers.
    app = open_run(served, evaluate(collection(), **choice))
    assert not app.exception
    for basis in app.button_group(key="basis").options:
        for quantization in app.button_group(key="quantization").options:
            for dim in app.select_slider(key="dim").options:
                app.button_group(key="basis").set_value(basis)
                app.button_group(key="quantization").set_value(quantization)
                app.select_slider(key="dim").set_value(int(dim)).run()
                assert not app.exception, (basis, quantization, dim)
                # Whatever stands there is a configuration of the run, or a word on why not.
                assert numbers(app) or app.error or app.info or app.warning


def test_a_run_without_judgements_says_what_is_missing(served):
    app = open_run(served, evaluate(collection()))
    assert list(numbers(app)) == ["recall@10"]
    assert any("Without judgements there is no nDCG" in c.value for c in app.caption)


def test_without_segments_there_is_no_segment_to_choose(served):
    assert not has(open_run(served, evaluate(collection())).selectbox, "Segment")


def test_pin_and_unpin():
    app = open_app(dim="64", quantization="binary")
    labelled(app.button, "Pin").click().run()
    assert app.query_params["pin"] == "64-binary-native"
    app.select_slider(key="dim").set_value(192).run()
    assert [(title, name) for title, name, _ in columns(app)] == [
        ("Full dimension", "256d float32"),
        ("This configuration", "192d binary"),
        ("Pinned", "64d binary"),
    ]
    labelled(app.button, "Unpin").click().run()
    assert "pin" not in app.query_params
    assert len(columns(app)) == 2
    assert has(app.button, "Pin")


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("64-int4-pca", Config(64, "int4", "pca")),
        ("256-float32-native", Config(256)),
        ("8-binary-centred-floatq-native", Config(8, "binary-centred-floatq")),
    ],
)
def test_a_link_spells_a_configuration(text, config):
    assert parse_config(text) == config


@pytest.mark.parametrize(
    "text",
    [
        *("", "64", "64-int4", "int4-64-pca", "64-int5-pca", "64-int4-pcb", "-64-int4-pca"),
        *("6.4-int4-pca", "64-int4-", "64--pca", "64-int4-pca-native", "²-int8-native"),
        "9" * 5000 + "-int8-native",
    ],
    ids=lambda text: text[:20],
)
def test_another_spelling_is_refused(text):
    with pytest.raises(InputError, match="names no configuration"):
        parse_config(text)
