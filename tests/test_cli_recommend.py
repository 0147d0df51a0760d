"""`recommend` on the command line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.cli import main
from mrl_explorer.decide.cost import Production
from mrl_explorer.decide.options import list_options
from mrl_explorer.decide.recommendation import Constraints, recommend
from mrl_explorer.report.engines import engine_notes
from mrl_explorer.retrieval.evaluation_file import load_evaluation, save_evaluation

SAMPLE = Path(__file__).parents[1] / "sample_data/help_centre/wordllama-256/help_centre.evaluation"


def run(*arguments):
    return main(["recommend", *map(str, arguments)])


def run_json(capsys, *arguments):
    status = run(*arguments, "--json", "-")
    return status, json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert "Traceback" not in line
    return line


@pytest.fixture(scope="module")
def sample():
    return load_evaluation(SAMPLE)


def test_json_is_the_recommendation(sample, capsys):
    status, report = run_json(capsys, SAMPLE, "--min-recall", ".9", "--n-vectors", "1e6")
    assert status == 0
    found = recommend(
        list_options(sample, 10), Constraints(min_recall=0.9), production=Production(1e6)
    ).choice
    expected = {
        "dim": found.config.dim,
        "quantization": found.config.quantization,
        "basis": found.config.basis,
        "k": 10,
        "oversample": None,
        "recall": found.recall,
        "recall_low": found.recall_low,
        "recall_high": found.recall_high,
        "recall_joint_low": found.joint_low,
        "bytes_per_vector": found.config.bytes_per_vector,
        "ram_bytes": found.need.ram,
        "disk_bytes": found.need.disk,
        "cost_per_month": found.need.cost,
    }
    assert {name: report[name] for name in expected} == pytest.approx(expected)
    assert report["recall_low"] >= report["recall_joint_low"] >= 0.9
    assert report["baseline"]["dim"] == 256


def test_every_constraint_is_an_option(sample, capsys):
    options = (
        *("-k", 5, "--min-recall", ".8", "--on-mean", "--rescore"),
        *("--max-bytes-per-vector", 64, "--max-ram-gb", 400, "--max-disk-gb", 900),
        *("--max-cost", 3000, "--dims", "32,64,128", "--quantizations", "int8,int4"),
        *("--basis", "native", "--n-vectors", "1e8", "--replicas", 2),
        *("--ram-price", 2, "--disk-price", ".1", "--min-ndcg-kept", ".9"),
    )
    status, report = run_json(capsys, SAMPLE, *options)
    constraints = Constraints(
        min_recall=0.8,
        min_ndcg_kept=0.9,
        on_mean=True,
        max_bytes_per_vector=64,
        max_ram=400e9,
        max_disk=900e9,
        max_cost=3000,
        dims=(32, 64, 128),
        quantizations=("int8", "int4"),
        bases=("native",),
        rescore=True,
    )
    listed = list_options(sample, 5)
    found = recommend(listed, constraints, production=Production(1e8, 2, 2, 0.1)).choice
    assert status == 0
    assert report["dim"] == found.config.dim
    assert report["oversample"] == found.cutoff.oversample
    assert report["ndcg_kept"] == pytest.approx(found.ndcg_kept)
    assert report["cost_per_month"] == pytest.approx(found.need.cost)


def test_an_engine_its_parameters_and_what_is_known_of_it(sample, capsys):
    options = ("--min-recall", ".9", "--quantizations", "int8,float32", "--n-vectors", "5e9")
    engine = ("--engine", "usearch", "--engine-parameter", "connectivity=64")
    status, report = run_json(capsys, SAMPLE, *options, *engine)
    assert status == 0
    production = Production(5e9, engine="usearch", parameters=(("connectivity", 64),))
    constraints = Constraints(min_recall=0.9, quantizations=("int8", "float32"))
    found = recommend(list_options(sample, 10), constraints, production=production)
    assert report["ram_bytes"] == found.choice.need.ram
    assert report["cost_per_month"] == found.choice.need.cost
    notes = engine_notes(found)
    assert "connectivity = 64" in notes[0]
    assert any("2 shards" in note for note in notes)
    assert report["notes"][-len(notes) :] == list(notes)
    assert run(SAMPLE, *options, *engine) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-len(notes) :] == list(notes)
    # Fewer links need less.
    assert run_json(capsys, SAMPLE, *options, *engine[:2])[1]["ram_bytes"] < report["ram_bytes"]


def test_without_an_engine_it_says_whose_memory_it_is(capsys):
    notes = run_json(capsys, SAMPLE, "--min-recall", ".8", "--quantizations", "int4")[1]["notes"]
    assert "HNSW graph as usearch's" in notes[-1]
    assert "of 13 engines only" in notes[-1]


def test_the_sentence_and_the_table(capsys):
    assert run(SAMPLE, "--min-recall", ".9") == 0
    printed = capsys.readouterr().out
    assert "Ship " in printed
    assert "bytes per vector" in printed
    assert "a month" in printed
    for row in ("recommended", "runner-up", "next cheaper, fails", "full dimension"):
        assert any(line.startswith(row) for line in printed.splitlines())
    # What no setting can fix comes first.
    assert printed.startswith("No setting here fixes")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--dims", "64,100,256,300"), "no dims 100, 300"),
        (("--quantizations", "int8,int3"), "no quantizations int3"),
        (("--basis", "native,adapter", "--dims", "256,1"), "no dims 1, no bases adapter"),
    ],
)
def test_names_that_the_run_does_not_have_are_told_in_one_line(options, named, capsys):
    assert run(SAMPLE, "--min-recall", ".5", "--json", "-", *options) == 0
    captured = capsys.readouterr()
    json.loads(captured.out)
    (line,) = captured.err.splitlines()
    assert line.startswith(f"Note: the run has {named}: ")
    assert run(SAMPLE, "--min-recall", ".5", "--dims", "64,256") == 0
    assert capsys.readouterr().err == ""


def test_nothing_holds_is_status_3(tmp_path, capsys):
    target = tmp_path / "found.json"
    status = run(SAMPLE, "--min-recall", ".99", "--max-bytes-per-vector", 8, "--json", target)
    assert status == 3
    assert "Nothing holds." in capsys.readouterr().out
    report = json.loads(target.read_text())
    assert report["dim"] is report["recall"] is report["cost_per_month"] is None
    assert any("Ask for recall of" in note for note in report["notes"])


def test_it_runs_without_judgements_or_texts(sample, tmp_path, capsys):
    path = tmp_path / "bare.evaluation"
    save_evaluation(replace(sample, judgements=None), path)
    assert run(path, "--min-recall", ".9") == 0
    assert capsys.readouterr().out.startswith("Ship ")
    assert "no judgements" in refused(capsys, path, "--min-ndcg-kept", ".9")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--min-recall", "95"), "above 0 and at most at 1"),
        (("--min-recall", "nan"), "above 0 and at most at 1"),
        (("--dims", "100"), "dims asked for"),
        (("--quantizations", "int3"), "quantizations asked for"),
        (("--basis", "fourier"), "bases asked for"),
        (("--n-vectors", "0"), "number of vectors"),
        (("--replicas", "0"), "replicas"),
        (("--ram-price", "-1"), "price of RAM"),
        (("--engine", "mongo"), "Unknown engine 'mongo'"),
        (("--engine-parameter", "M=64"), "M is a parameter of an engine"),
        (("--engine", "redis", "--engine-parameter", "M=64"), "has no parameter 'M': it has m."),
        (("--engine", "redis", "--engine-parameter", "m=1"), "from 4 to 4096"),
        (("--engine", "redis", "--engine-parameter", "m"), "write for example M=64"),
        (("-k", "0"), "leaves no results"),
        (("-k", "1000"), "larger than the corpus"),
        (("--json", "/nowhere/at/all.json"), "folder does not exist"),
    ],
)
def test_bad_options_are_answered_in_one_sentence(options, message, capsys):
    assert message in refused(capsys, SAMPLE, *options)


def test_files_that_are_no_evaluation(tmp_path, capsys):
    missing = refused(capsys, tmp_path / "none.evaluation")
    assert "none.evaluation" in missing
    whole = SAMPLE.read_bytes()
    (tmp_path / "short.evaluation").write_bytes(whole[: len(whole) // 2])
    assert "short.evaluation" in refused(capsys, tmp_path / "short.evaluation")
    random = np.random.default_rng(0)
    (tmp_path / "noise.evaluation").write_bytes(random.bytes(1000))
    assert "noise.evaluation" in refused(capsys, tmp_path / "noise.evaluation")
