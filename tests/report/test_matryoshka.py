"""What is said of a model and of a measurement, and what is drawn."""

from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.decide.matryoshka import CANNOT_TELL, CARRIES_MORE, NO_ADVANTAGE, diagnose
from mrl_explorer.embed import Matryoshka, stated_matryoshka
from mrl_explorer.report.formats import signed_text
from mrl_explorer.report.matryoshka import (
    ORDER_HELP,
    energy_chart,
    order_rows,
    orders_chart,
    pca_text,
    relevance_text,
    standing_text,
    stated_text,
    verdict_text,
)
from mrl_explorer.retrieval.orders import N_RANDOM, Orders

YES, LIKELY, NO, UNKNOWN = (
    Matryoshka(verdict, "someone says so") for verdict in ("yes", "likely", "no", "unknown")
)


def orders(prefix, *, n_queries=200, judged=True, held_out=True):
    """Two dims of eight: the prefix finds so much, random subsets about a half."""
    wave = np.linspace(-0.1, 0.1, n_queries)
    one = np.stack([prefix + wave, prefix + wave])
    random = np.stack([np.stack([m + wave] * 2) for m in np.linspace(0.48, 0.52, N_RANDOM)])
    nothing = np.empty((2, 0))
    return Orders(
        dims=(2, 4),
        full_dim=8,
        k=10,
        n_docs=500,
        n_queries=n_queries,
        recall={"prefix": one, "suffix": one / 2, "pca": one + 0.1},
        ndcg=dict.fromkeys(("prefix", "suffix", "pca"), one if judged else nothing),
        random_recall=random,
        random_ndcg=random if judged else np.empty((N_RANDOM, 2, 0)),
        full_ndcg=np.full(n_queries, 0.7) if judged else np.empty(0),
        held_out={"pca": one + 0.05, "prefix": one} if held_out else {},
        energy=np.array([0.3, 0.2, 0.2, 0.1, 0.05, 0.05, 0.05, 0.05]),
    )


def test_the_sentence_has_the_figure_and_its_interval():
    measured = orders(0.6)
    found = diagnose(measured)
    assert found.verdict == CARRIES_MORE
    said = verdict_text(found, measured)
    assert said.startswith("Recall@10 of the first 2 and 4 dims is +.100 [+.0")
    assert "over 200 queries" in said
    assert "no subset does as well (the best is +.020)" in said
    little = orders(0.5)
    assert "within what chance gives" in verdict_text(diagnose(little), little)
    few = orders(0.6, n_queries=3)
    assert diagnose(few).verdict == CANNOT_TELL
    assert "queries would narrow the interval" in verdict_text(diagnose(few), few)


def test_no_advantage_is_no_statement_on_training_and_what_is_said_stands_above():
    found = diagnose(orders(0.5))
    assert found.verdict == NO_ADVANTAGE
    for stated in (YES, LIKELY, UNKNOWN):
        assert standing_text(found, stated).startswith("This is no statement about its training")
    for stated in (YES, LIKELY):
        assert standing_text(found, stated).endswith("stands above the measurement.")
    assert standing_text(found, NO) == ""


def test_an_advantage_is_no_proof_of_training():
    found = diagnose(orders(0.6))
    assert standing_text(found, YES) == ""
    assert "is no proof" in standing_text(found, UNKNOWN)
    assert "not trained for this" in standing_text(found, NO)


@pytest.mark.parametrize(
    ("model", "dims", "verdict"),
    [
        ("wordllama-256", (), "yes"),
        ("minilm-384", (), "no"),
        # The registry outranks what a run says.
        ("minilm-384", (64,), "no"),
        ("nobody/knows-this", (), "unknown"),
        ("nobody/knows-this", (64, 128), "yes"),
        (None, (), "unknown"),
        (None, (32,), "yes"),
    ],
)
def test_what_is_said_comes_from_registry_files_or_run(model, dims, verdict, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert stated_matryoshka(model, dims).verdict == verdict


def test_unknown_is_never_no(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    stated = stated_matryoshka(str(tmp_path))
    assert stated.verdict == "unknown"
    assert "no sign that it was not" in stated_text(str(tmp_path), stated)
    (tmp_path / "config.json").write_text('{"is_matryoshka": true}')
    assert stated_matryoshka(str(tmp_path)).verdict == "yes"
    (tmp_path / "config.json").write_text("{")
    assert "damaged" in stated_matryoshka(str(tmp_path)).reason


def test_relevance_and_principal_axes_are_told_where_they_are_measured():
    measured = orders(0.6)
    found = diagnose(measured)
    assert relevance_text(found, measured).startswith("By your judgements the prefix is +.100")
    assert "do better than the prefix: at 2 dims +.050" in pca_text(found)
    bare = orders(0.6, judged=False, held_out=False)
    assert relevance_text(diagnose(bare), bare) == ""
    assert "too few documents" in pca_text(diagnose(bare))


@pytest.mark.parametrize("bare", [False, True])
def test_every_column_is_explained(bare):
    rows = order_rows(diagnose(orders(0.6, judged=not bare, held_out=not bare)))
    assert set(rows[0]) <= set(ORDER_HELP)
    assert ("nDCG prefix" in rows[0]) == ("PCA held out" in rows[0]) == (not bare)
    assert rows[0]["random"] == ".500 (.480 to .520)"
    assert rows[0]["energy"] == "50.0%"


def test_the_chart_ends_at_full_dimension_and_its_band_is_the_spread():
    measured = orders(0.6)
    found = diagnose(measured)
    chart = orders_chart(found, measured)
    series = {one["name"]: one for one in chart["series"]}
    assert series["prefix"]["data"] == [[2, 0.6], [4, 0.6], [8, 1.0]]
    low, height = (one["data"] for one in chart["series"] if one.get("stack"))
    assert low[0] == [2, 0.48]
    assert height[0] == [2, 0.04]
    assert "PCA, held out" in series
    relevance = orders_chart(found, measured, relevance=True)
    assert {one["name"]: one for one in relevance["series"]}["prefix"]["data"][-1] == [8, 0.7]
    bare = replace(measured, full_ndcg=np.empty(0))
    with pytest.raises(ValueError, match="no judgements"):
        orders_chart(diagnose(bare), bare, relevance=True)
    energy = energy_chart(measured)["series"][0]["data"]
    assert energy[0] == [1, 0.3]
    assert energy[-1] == [8, 1.0]


def test_differences_are_written_with_their_sign():
    assert [signed_text(v) for v in (0.0462, -0.03, 0.0001, 1)] == [
        "+.046",
        "-.030",
        ".000",
        "+1.000",
    ]
