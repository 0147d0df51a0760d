"""Rows, cells and bars of the Decide page, against the options that they are read from."""

import pytest

from mrl_explorer.decide.options import list_options
from mrl_explorer.decide.recommendation import Constraints, recommend
from mrl_explorer.report.decide_tables import (
    heat_map,
    same_bytes,
    sizes,
    table_options,
    table_rows,
)
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff
from tests.decide.test_recommendation import make_evaluation


@pytest.fixture(scope="module")
def options():
    # So few documents that the fitted basis is judged by held-out figures.
    return list_options(make_evaluation(n_docs=60, depth=30), 5)


def test_a_choice_that_is_rescored_stands_on_top_of_the_table(options):
    found = recommend(options, Constraints(min_recall=0.9, on_mean=True, rescore=True))
    choice = found.choice
    assert choice.cutoff.rescore
    listed = table_options(options, found)
    assert listed == [
        (choice.config, choice.cutoff),
        *((config, Cutoff(5)) for config in options.configs),
    ]
    first, *others = table_rows(options, found, listed)
    assert [first["chosen"], *(row["chosen"] for row in others)] == [True] + [False] * len(others)
    assert first["candidates"] == str(choice.cutoff.candidates)
    assert {row["candidates"] for row in others} == {""}
    assert first["recall"] == choice.recall
    assert (first["recall_low"], first["recall_high"]) == (choice.recall_low, choice.recall_high)
    assert first["joint_low"] == choice.joint_low
    assert (first["ram"], first["cost"]) == (choice.need.ram / 1e9, choice.need.cost)
    assert not first["best"]


def test_without_rescoring_the_table_is_the_run(options):
    found = recommend(options, Constraints(min_recall=0.9, on_mean=True))
    listed = table_options(options, found)
    rows = table_rows(options, found, listed)
    assert [config for config, _ in listed] == list(options.configs)
    assert not any("candidates" in row for row in rows)
    (chosen,) = (place for place, row in enumerate(rows) if row["chosen"])
    assert options.configs[chosen] == found.choice.config
    assert [row["held_out"] for row in rows] == options.held_out[0].tolist()


@pytest.mark.parametrize("on_mean", [False, True])
def test_cells_are_marked_where_they_hold_and_where_they_are_held_out(options, on_mean):
    asked = Constraints(min_recall=0.7, on_mean=on_mean)
    lows = options.mean[0] if on_mean else options.joint_low[0]
    _check_cells(options, asked, options.mean[0], lows, options.held_out[0], 0.7)


def test_where_ndcg_is_asked_for_the_cells_show_it(options):
    asked = Constraints(min_recall=None, min_ndcg_kept=0.8)
    kept = options.kept
    _check_cells(options, asked, kept.share[0], kept.low[0], kept.held_out[0], 0.8)


def _check_cells(options, asked, values, lows, held_out, least):
    assert held_out.any()
    seen = 0
    for basis, rows, names in heat_map(options, asked, chosen=Config(8, "int8")):
        for dim, cells in rows:
            for name, cell in zip(names, cells, strict=True):
                config = Config(dim, name, basis)
                if config not in options.configs:
                    assert cell is None
                    continue
                place = options.configs.index(config)
                marks = (" *" if held_out[place] else "") + (" ✓" if lows[place] >= least else "")
                assert cell.text == share_text(float(values[place])) + marks
                assert cell.chosen == (config == Config(8, "int8"))
                seen += 1
    assert seen == len(options.configs)


def test_bars_of_the_same_bytes_are_marked_too(options):
    for size in sizes(options):
        bars = same_bytes(options, size)
        there = [c for c in options.configs if c.bytes_per_vector == size]
        names = {
            f"{c} *" if options.held_out[0, options.configs.index(c)] else str(c) for c in there
        }
        assert {bar.name for bar in bars} == names
        assert [bar.value for bar in bars] == sorted((bar.value for bar in bars), reverse=True)
