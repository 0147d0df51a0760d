"""The command `tiers`, from a file to text and JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.cli import main
from mrl_explorer.decide.funnels import Aim, plan
from mrl_explorer.retrieval.candidates import gather_candidates
from mrl_explorer.retrieval.evaluation_file import load_evaluation


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Vectors whose early dims carry most, and their evaluation."""
    folder = tmp_path_factory.mktemp("tiers")
    random = np.random.default_rng(0)
    scale = 0.9 ** np.arange(32)
    documents = random.normal(size=(300, 32)) * scale
    queries = documents[:25] + 0.3 * random.normal(size=(25, 32)) * scale
    np.save(folder / "x.npy", documents.astype(np.float32))
    np.save(folder / "q.npy", queries.astype(np.float32))
    assert (
        main(
            [
                "evaluate",
                *("--corpus", str(folder / "x.npy"), "--queries", str(folder / "q.npy")),
                *("--dims", "8,16,32", "--depth", "60", "--save", str(folder / "one.evaluation")),
                *("--json", str(folder / "figures.json")),
            ]
        )
        == 0
    )
    return folder


def data(folder: Path):
    return ["--corpus", str(folder / "x.npy"), "--queries", str(folder / "q.npy")]


def run(folder, *arguments):
    return main(["tiers", str(folder / "one.evaluation"), *map(str, arguments)])


def test_it_prints_the_plan(folder, capsys):
    assert run(folder, "--min-recall", ".95", "--n-vectors", "1e6") == 0
    output = capsys.readouterr().out
    evaluation = load_evaluation(folder / "one.evaluation")
    found = plan(gather_candidates(evaluation.rankings), Aim(min_recall=0.95, n_vectors=1e6))
    assert found.chosen is not None
    assert f"Cheapest: {found.chosen.chain}\n  recall@10 {found.chosen.recall:.3f}" in output
    assert "recall@10 of at least .950" in output
    assert "Among more documents there are more near misses" in output


def test_json_has_the_same_figures(folder, capsys):
    capsys.readouterr()
    assert run(folder, "--min-recall", ".95", "--max-disk-reads", 30, "--json", "-") == 0
    values = json.loads(capsys.readouterr().out)
    evaluation = load_evaluation(folder / "one.evaluation")
    aim = Aim(min_recall=0.95, max_disk_reads=30)
    found = plan(gather_candidates(evaluation.rankings), aim)
    assert found.chosen is not None
    assert values["chosen"]["chain"] == found.chosen.chain.spelling
    assert values["chosen"]["ram_bytes"] == found.chosen.need.ram
    assert values["chosen"]["disk_reads_per_query"] <= 30
    assert len(values["first_stages"]) == len(evaluation.rankings.configs) - 1


def test_a_chain_can_be_asked_for(folder, capsys):
    chain = "16-binary:40,32-float32:10"
    assert run(folder, "--chain", chain, "--json", folder / "out.json") == 0
    (own,) = json.loads((folder / "out.json").read_text())["own"]
    assert own["chain"] == "16-binary-native:40,32-float32-native:10"
    assert "16d binary, 40 → 32d float32, 10" in capsys.readouterr().out


def test_what_the_file_cannot_tell_is_said_and_the_data_decides_it(folder, capsys):
    asked = ["--chain", "16-binary:40,16-binary-floatq:20,32-float32:10"]
    assert run(folder, *asked) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "cannot tell the recall of 16-binary-native:40" in captured.err
    assert "give --corpus" in captured.err
    assert run(folder, *asked, *data(folder), "--json", "-") == 0
    values = json.loads(capsys.readouterr().out)
    assert 0 < values["own"][0]["recall"] <= 1
    assert values["n_undecided"] == 0


def test_other_data_than_the_evaluation_s_is_refused(folder, capsys):
    np.save(folder / "other.npy", np.ones((300, 32), np.float32))
    other = ["--corpus", folder / "other.npy", "--queries", folder / "q.npy"]
    assert run(folder, *other) == 2
    assert "give the data, and name the model, that it was made from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--min-recall", "2"], "no share"),
        (["-k", "61"], "choose k up to 60"),
        (["--max-candidates", "5"], "cannot give k = 10"),
        (["--chain", "16-binary"], "names no stage"),
        (["--chain", "16-binary:5,32-float32:10"], "give stage 1 at least 10"),
        (["--chain", "16-binary:70,32-float32:10"], "rank deeper, to 70"),
        (["--chain", "16-binary:400,32-float32:10"], "the corpus has 300"),
        (["--json", "/nowhere/at/all.json"], "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(folder, capsys, arguments, message):
    assert run(folder, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_nothing_reaches_it_and_the_status_tells(folder, capsys):
    assert run(folder, "--min-recall", "1", "--max-ram-gb", "0.001") == 3
    assert "No chain within these limits" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["tiers", str(tmp_path / "none.evaluation")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
