"""The command line, called as a function and, where the process matters, as a process."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.cli import EXIT_BROKEN_PIPE, main
from mrl_explorer.data import (
    Collection,
    read_beir,
    read_judgements,
    read_records,
    with_vectors,
)
from mrl_explorer.decide.summary import summarise
from mrl_explorer.embed import REGISTRY, Told, embed_collection, load_model
from mrl_explorer.progress import Progress
from mrl_explorer.retrieval import evaluation as evaluation_module
from mrl_explorer.retrieval.config import default_dims
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import load_evaluation
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS, QUANTIZATIONS
from tests.data.packages import install, source, use_only

ROOT = Path(__file__).parents[1]
HELP_CENTRE = ROOT / "sample_data" / "help_centre"

KEYS = ["n_docs", "n_queries", "full_dim", "k", "depth", "configs"]
FIGURES = [
    *("dim", "quantization", "basis", "bytes_per_vector"),
    *("recall", "recall_low", "recall_high"),
]
JUDGED = [*FIGURES, "ndcg", "mrr", "success"]
HELD_OUT = ["held_out", "held_out_low", "held_out_high", "held_out_native"]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("MRL_EXPLORER_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def vectors(tmp_path, monkeypatch):
    """A folder with x.npy and q.npy; it is the current one."""
    random = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", random.normal(size=(50, 16)).astype(np.float32))
    np.save(tmp_path / "q.npy", random.normal(size=(9, 16)).astype(np.float32))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def texts(vectors):
    """Texts with ids beside the vectors, and judgements."""
    (vectors / "docs.jsonl").write_text(
        "".join(json.dumps({"_id": f"d{row}", "text": f"text {row}"}) + "\n" for row in range(50))
    )
    (vectors / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": f"q{row}", "text": f"query {row}"}) + "\n" for row in range(9))
    )
    (vectors / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq0\td1\t1\nq0\td2\t2\nq3\td40\t1\nq4\td4\t0\n"
    )
    return vectors


def run(*arguments):
    return main(["evaluate", *map(str, arguments)])


def run_json(capsys, *arguments):
    """What `--json -` prints: nothing but JSON."""
    assert run(*arguments, "--json", "-") == 0
    output = capsys.readouterr().out
    return json.loads(output)


def refused(capsys, *arguments):
    """The one sentence that a mistake is answered with."""
    status = run(*arguments)
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.endswith(".")
    assert "Traceback" not in line
    return line


# --- figures ------------------------------------------------------------------------------------


def test_json_of_vectors(vectors, capsys):
    report = run_json(capsys, "--corpus", "x.npy", "--queries", "q.npy")
    assert list(report) == KEYS
    assert {key: report[key] for key in KEYS[:-1]} == {
        "n_docs": 50,
        "n_queries": 9,
        "full_dim": 16,
        "k": 10,
        "depth": 50,
    }
    assert all(list(config) == FIGURES for config in report["configs"])
    cells = {(c["dim"], c["quantization"], c["basis"]) for c in report["configs"]}
    assert cells == {
        (dim, quantization, "native")
        for dim in default_dims(16)
        for quantization in DEFAULT_QUANTIZATIONS
    }
    assert len(report["configs"]) == len(cells)
    first = report["configs"][0]
    assert first == {
        "dim": 16,
        "quantization": "float32",
        "basis": "native",
        "bytes_per_vector": 64,
        "recall": 1.0,
        "recall_low": 1.0,
        "recall_high": 1.0,
    }


def test_options_reach_the_evaluation(vectors, capsys):
    report = run_json(
        capsys,
        *("--corpus", "x.npy", "--queries", "q.npy", "--dims", "4,8", "-k", "3"),
        *("--quantizations", ",".join(QUANTIZATIONS), "--basis", "pca, native", "--depth", "20"),
    )
    assert (report["k"], report["depth"]) == (3, 20)
    cells = {(c["dim"], c["quantization"], c["basis"]) for c in report["configs"]}
    assert cells == {(16, "float32", "native")} | {
        (dim, name, basis)
        for dim in (4, 8)
        for name in QUANTIZATIONS
        for basis in ("native", "pca")
    }
    for config in report["configs"]:
        bits = QUANTIZATIONS[config["quantization"]].bits
        assert config["bytes_per_vector"] == -(-config["dim"] * bits // 8)


def test_a_k_beyond_the_depth_deepens_it(vectors, capsys):
    report = run_json(capsys, "--corpus", "x.npy", "--queries", "q.npy", "-k", "12")
    assert (report["k"], report["depth"]) == (12, 50)


def test_numbers_are_those_of_the_library_unrounded(texts, capsys):
    report = run_json(
        capsys,
        *("--corpus", "docs.jsonl", "--queries", "queries.jsonl", "--qrels", "qrels.tsv"),
        *("--corpus-vectors", "x.npy", "--queries-vectors", "q.npy", "-k", "7"),
        *("--basis", "native,pca"),
    )
    documents = with_vectors(read_records(Path("docs.jsonl")), Path("x.npy"))
    queries = with_vectors(read_records(Path("queries.jsonl")), Path("q.npy"))
    judgements = read_judgements(Path("qrels.tsv"), documents, queries)
    summary = summarise(evaluate(Collection(documents, queries, judgements)), Cutoff(7))
    assert report["configs"] == [row.as_dict() for row in summary.rows()]
    for config in report["configs"]:
        assert list(config) == JUDGED + (HELD_OUT if config["basis"] == "pca" else [])
    assert any(config["recall"] != round(config["recall"], 6) for config in report["configs"])


def test_every_basis_that_is_made_from_documents(vectors, capsys):
    report = run_json(
        capsys,
        *("--corpus", "x.npy", "--queries", "q.npy", "--dims", "8", "--quantizations", "binary"),
        *("--basis", "native,pca,pca-rotated,random"),
    )
    by_basis = {config["basis"]: config for config in report["configs"][1:]}
    assert list(by_basis) == ["native", "pca", "pca-rotated", "random"]
    assert [name for name, c in by_basis.items() if "held_out" in c] == ["pca", "pca-rotated"]
    natives = {by_basis[name]["held_out_native"] for name in ("pca", "pca-rotated")}
    assert len(natives) == 1
    assert by_basis["pca"]["held_out"] != by_basis["pca-rotated"]["held_out"]


def test_vectors_as_documents_and_queries(vectors, capsys):
    arguments = ("--corpus", "x.npy", "--queries", "x.npy", "--dims", "4", "-k", "1")
    plain = run_json(capsys, *arguments)
    without = run_json(capsys, *arguments, "--exclude-self")
    # Each finds itself first, unless it is left out.
    assert {config["recall"] for config in plain["configs"] if config["dim"] == 16} == {1.0}
    quantized = [c for c in without["configs"] if c["quantization"] == "binary"]
    assert quantized[0]["recall"] < 1
    assert without["n_docs"] == without["n_queries"] == 50


def test_json_to_a_file(vectors, capsys):
    arguments = ("--corpus", "x.npy", "--queries", "q.npy", "--dims", "4")
    printed = run_json(capsys, *arguments)
    assert run(*arguments, "--json", "figures.json") == 0
    assert json.loads(Path("figures.json").read_text()) == printed
    table = capsys.readouterr().out
    assert "recall@10" in table
    assert "{" not in table


def test_the_table(texts, capsys):
    assert (
        run(
            *("--corpus", "docs.jsonl", "--queries", "queries.jsonl", "--qrels", "qrels.tsv"),
            *("--corpus-vectors", "x.npy", "--queries-vectors", "q.npy", "-k", "5"),
            *("--dims", "8", "--quantizations", "int8"),
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "50 documents, 9 queries, 16 dimensions: recall@5 vs full dimension"
    assert lines[1].split() == [
        *("dim", "quantization", "basis", "bytes", "recall@5", "95%", "interval"),
        *("nDCG@5", "MRR@5", "success@5"),
    ]
    assert lines[2].split()[:6] == ["16", "float32", "native", "64", "1.000", "1.000-1.000"]
    assert lines[3].split()[:4] == ["8", "int8", "native", "8"]
    assert len({len(line) for line in lines[1:4]}) == 1
    assert [line for line in lines[4:] if not line.startswith("Note: Vectors in ")] == [
        line for line in lines[4:] if line.startswith("Note: Their norms run ")
    ]
    assert len(lines[4:]) == 4


def test_the_table_has_the_held_out_figure_where_a_basis_is_fitted(vectors, capsys):
    both = ("--corpus", "x.npy", "--queries", "q.npy", "--dims", "8", "--quantizations", "int8")
    assert run(*both, "--basis", "native,pca") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("95% interval  held out  native there")
    assert [len(line.split()) for line in lines[2:5]] == [6, 6, 8]
    report = run_json(capsys, *both, "--basis", "native,pca")
    pca = report["configs"][2]
    figures = [f"{pca[name]:.3f}" for name in ("held_out", "held_out_native")]
    assert lines[4].split()[-2:] == figures


def test_the_table_without_judgements(vectors, capsys):
    assert run("--corpus", "x.npy", "--queries", "q.npy", "--dims", "4") == 0
    assert "nDCG" not in capsys.readouterr().out


def test_a_saved_evaluation_opens(texts, capsys):
    report = run_json(
        capsys,
        *("--corpus", "docs.jsonl", "--queries", "queries.jsonl", "--qrels", "qrels.tsv"),
        *("--corpus-vectors", "x.npy", "--queries-vectors", "q.npy", "--save", "run.evaluation"),
    )
    evaluation = load_evaluation(Path("run.evaluation"))
    summary = summarise(evaluation, Cutoff(10))
    assert [row.as_dict() for row in summary.rows()] == report["configs"]
    assert evaluation.listed.texts[0] == f"text {evaluation.listed.rows[0]}"
    assert evaluation.source.documents == "docs.jsonl"
    assert evaluation.source.model is None


def test_a_beir_folder_with_a_model(tmp_path, capsys, monkeypatch):
    """Every figure is that of the library, and the file holds the same."""
    save = tmp_path / "run.evaluation"
    report = run_json(
        capsys,
        *("--corpus", HELP_CENTRE, "--model", "wordllama-256", "--dims", "64,100"),
        *("--quantizations", "float32,binary", "--save", save),
    )
    assert (report["n_docs"], report["n_queries"], report["full_dim"]) == (300, 150, 256)
    assert all(list(config) == JUDGED for config in report["configs"])
    model = load_model("wordllama-256")
    collection = embed_collection(read_beir(HELP_CENTRE), model, cache=tmp_path / "cache")
    expected = evaluate(
        collection, dims=[64, 100], quantizations=["float32", "binary"], bases=["native"]
    )
    rows = [row.as_dict() for row in summarise(expected, Cutoff(10)).rows()]
    assert report["configs"] == rows
    evaluation = load_evaluation(save)
    assert evaluation.source.model == "wordllama-256"
    assert evaluation.source.trained_dims == model.dims
    assert len(evaluation.queries.segments) == 150


def test_trained_dims_join_the_ladder(capsys):
    report = run_json(
        capsys, "--corpus", HELP_CENTRE, "--model", "wordllama-256", "--quantizations", "float32"
    )
    dims = {config["dim"] for config in report["configs"]}
    assert dims == {*default_dims(256), 64, 128, 256}


def test_a_beir_zip_with_ready_vectors(vectors, capsys):
    shutil.make_archive("centre", "zip", HELP_CENTRE)
    report = run_json(
        capsys,
        *("--corpus", "centre.zip", "--dims", "64", "--quantizations", "float32"),
        *("--corpus-vectors", HELP_CENTRE / "wordllama-256" / "documents.npy"),
        *("--queries-vectors", HELP_CENTRE / "wordllama-256" / "queries.npy"),
    )
    embedded = run_json(
        capsys,
        *("--corpus", HELP_CENTRE, "--model", "wordllama-256", "--dims", "64"),
        *("--quantizations", "float32"),
    )
    for ready, own in zip(report["configs"], embedded["configs"], strict=True):
        assert ready == pytest.approx(own, abs=1e-3)


def test_other_queries_for_a_beir_folder(vectors, capsys):
    Path("mine.txt").write_text("how do I reset a password\nprices\n")
    report = run_json(
        capsys,
        *("--corpus", HELP_CENTRE, "--queries", "mine.txt", "--model", "wordllama-256"),
        *("--dims", "64", "--quantizations", "int8"),
    )
    assert report["n_queries"] == 2
    assert all(list(config) == FIGURES for config in report["configs"])


# --- mistakes -----------------------------------------------------------------------------------

CORPUS = ("--corpus", "x.npy")
BOTH = (*CORPUS, "--queries", "q.npy")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (CORPUS, "queries"),
        (("--corpus", "missing.npy", "--queries", "q.npy"), "missing.npy"),
        ((*CORPUS, "--queries", "missing.npy"), "missing.npy"),
        (("--corpus", "missing_folder", "--queries", "q.npy"), "missing_folder"),
        (("--corpus", "missing.zip"), "missing.zip"),
        (("--corpus", ".", "--queries", "q.npy"), "corpus.jsonl"),
        ((*BOTH, "--qrels", "missing.tsv"), "missing.tsv"),
        ((*BOTH, "--corpus-vectors", "missing.npy"), "missing.npy"),
        ((*BOTH, "--model", "./missing"), "There is no folder ./missing"),
        ((*BOTH, "--dims", "4,17"), "Dimension 17 is outside 1 to 16"),
        ((*BOTH, "--dims", "0"), "Dimension 0 is outside 1 to 16"),
        ((*BOTH, "--quantizations", "int3"), "Unknown quantization 'int3'"),
        ((*BOTH, "--quantizations", ""), "Unknown quantization ''"),
        ((*BOTH, "--basis", "fourier"), "Unknown basis 'fourier'"),
        ((*BOTH, "--basis", "adapter"), "The basis 'adapter' is not made from documents"),
        ((*BOTH, "-k", "51"), "k = 51 is larger than the corpus of 50 documents"),
        ((*BOTH, "-k", "0"), "k = 0"),
        ((*BOTH, "--depth", "9"), "Lists of depth 9 cannot hold the 10 results of k"),
        ((*BOTH, "--depth", "0"), "Lists of depth 0 cannot hold"),
        (("--corpus", "missing", "--queries", "q.npy"), "missing does not exist"),
        ((*BOTH, "--exclude-self"), "have no ids and are not the same file"),
        ((*BOTH, "--json", "missing/figures.json"), "missing/figures.json cannot be written"),
        ((*BOTH, "--json", "."), ". cannot be written"),
        ((*BOTH, "--save", "missing/run.evaluation"), "run.evaluation cannot be written"),
        ((*BOTH, "--save", "."), ". cannot be written"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(vectors, capsys, arguments, part):
    assert part in refused(capsys, *arguments)


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        ({3: np.nan}, "x.npy holds NaN, infinite or too large numbers in 1 of 50 rows"),
        ({7: np.inf}, "counted from 0: 7"),
        ({2: 0, 5: 0}, "x.npy holds vectors of zeros in 2 of 50 rows (counted from 0: 2, 5)"),
    ],
)
def test_vectors_that_cannot_be_compared(vectors, capsys, bad, part):
    rows = np.load("x.npy")
    for row, value in bad.items():
        rows[row] = value
    np.save("x.npy", rows)
    assert part in refused(capsys, *BOTH)


def test_dims_that_disagree(vectors, capsys):
    np.save("q.npy", np.ones((3, 15), np.float32))
    message = refused(capsys, *BOTH)
    assert message == (
        "x.npy has vectors of 16 dimensions and q.npy of 15: embed both with the same model."
    )


def test_texts_without_a_model(texts, capsys):
    message = refused(capsys, "--corpus", "docs.jsonl", "--queries", "queries.jsonl")
    assert message == "docs.jsonl holds texts and no vectors: name a model to embed them with."


def test_one_document(vectors, capsys):
    np.save("x.npy", np.ones((1, 16), np.float32))
    assert "x.npy holds one document" in refused(capsys, *BOTH)


def test_judgements_of_records_without_ids(vectors, capsys):
    Path("qrels.tsv").write_text("0\t0\t1\n")
    assert "has no ids" in refused(capsys, *BOTH, "--qrels", "qrels.tsv")


def test_judgements_of_other_records(texts, capsys):
    Path("qrels.tsv").write_text("q0\td999\t1\n")
    message = refused(
        capsys,
        *("--corpus", "docs.jsonl", "--queries", "queries.jsonl", "--qrels", "qrels.tsv"),
        *("--corpus-vectors", "x.npy", "--queries-vectors", "q.npy"),
    )
    assert '"d999"' in message


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((*BOTH, "--dims", "four"), "'four' is no list of whole numbers"),
        ((*BOTH, "--dims", "4,,8"), "'4,,8' is no list of whole numbers"),
        ((*BOTH, "-k", "ten"), "invalid int value: 'ten'"),
        ((*BOTH, "--colour", "red"), "unrecognized arguments: --colour red"),
        (("--queries", "q.npy"), "the following arguments are required: --corpus"),
    ],
)
def test_options_that_make_no_sense(vectors, capsys, arguments, part):
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert part in captured.err.splitlines()[-1]


def test_a_command_is_needed(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "command" in capsys.readouterr().err


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as caught:
        run("--help")
    assert caught.value.code == 0
    text = "".join(capsys.readouterr().out.split())  # lines break within names
    for option in (
        *("--corpus", "--queries", "--corpus-vectors", "--queries-vectors", "--qrels", "--model"),
        *("--dims", "--quantizations", "--basis", "--k", "--depth", "--exclude-self"),
        *("--json", "--save", *QUANTIZATIONS),
    ):
        assert option in text


def test_stopping_it_is_no_traceback(vectors, capsys, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("mrl_explorer.cli.evaluate.evaluate", stop)
    assert run(*BOTH) == 130
    assert capsys.readouterr().err.startswith("Stopped.")


def test_nothing_is_written_when_a_figure_cannot_be_given(vectors, capsys):
    refused(capsys, *BOTH, "-k", "51", "--save", "run.evaluation", "--json", "figures.json")
    assert not Path("run.evaluation").exists()
    assert not Path("figures.json").exists()


# --- progress -----------------------------------------------------------------------------------


def test_progress_is_drawn_on_standard_error(vectors, capsys, monkeypatch):
    """One bar for each kind of work, and none of it in the figures."""
    bars = []

    class Bar:
        def __init__(self, *, total, desc, **options):
            self.desc, self.total, self.n, self.closed = f"{desc}: ", total, 0, False
            bars.append(self)

        def update(self, n):
            self.n += n

        def close(self):
            self.closed = True

    monkeypatch.setattr("mrl_explorer.cli.bar.tqdm", Bar)
    real = evaluation_module.evaluate

    def with_reports(*arguments, on_progress, **options):
        for done in (1, 2):
            on_progress(Progress(done, 2, "embedding documents"))
        return real(*arguments, on_progress=on_progress, **options)

    monkeypatch.setattr("mrl_explorer.cli.evaluate.evaluate", with_reports)
    report = run_json(capsys, *BOTH, "--dims", "4", "--quantizations", "int8")
    assert report["n_docs"] == 50
    assert [bar.desc for bar in bars] == ["embedding documents: ", "ranking 2 configurations: "]
    assert all(bar.closed and bar.n == bar.total for bar in bars)


# --- as a process -------------------------------------------------------------------------------


def process(*arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "mrl_explorer", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_module_runs(vectors):
    done = process(
        *("evaluate", "--corpus", HELP_CENTRE, "--model", "wordllama-256", "--json", "-"),
        *("--dims", "64", "--save", "run.evaluation"),
        cwd=vectors,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert list(report) == KEYS
    assert all(list(config) == JUDGED for config in report["configs"])
    evaluation = load_evaluation(vectors / "run.evaluation")
    assert evaluation.rankings.n_docs == report["n_docs"]


def test_the_module_exits_with_the_status(vectors, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["mrl_explorer", "evaluate", *BOTH, "--dims", "99"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("mrl_explorer", run_name="__main__")
    assert caught.value.code == 2
    assert "Dimension 99" in capsys.readouterr().err


def test_a_mistake_of_the_process(vectors):
    done = process("evaluate", *BOTH, "--dims", "99", cwd=vectors)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "Dimension 99 is outside 1 to 16, the dimensions of these vectors: choose dims up to 16.\n"
    )


def test_an_unknown_model(vectors):
    done = process("evaluate", *BOTH, "--model", "no-such-model", cwd=vectors)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "no-such-model" in line
    assert line.endswith(".")


def test_a_folder_of_documents_is_split_as_asked(tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "manual.md").write_text("# Manual\n\n" + "Water the plants. " * 200)
    (tmp_path / "docs" / "other.html").write_text("<p>Feed the cat.")
    (tmp_path / "queries.txt").write_text("plants\ncats\n")
    base = ["evaluate", "--corpus", str(tmp_path / "docs"), "--model", "wordllama-256"]
    base += ["--queries", str(tmp_path / "queries.txt"), "--dims", "64", "--json", "-", "-k", "1"]

    def n_documents(*options):
        assert main([*base, *options]) == 0
        return json.loads(capsys.readouterr().out)["n_docs"]

    split = n_documents()
    assert split > 4
    assert n_documents("--passage-size", "0") == 2
    assert n_documents("--passage-size", "300") > split
    assert main([*base, "--passage-size", "100", "--passage-overlap", "100"]) == 2
    assert "with an overlap of 100 cannot be made" in capsys.readouterr().err


# --- models -------------------------------------------------------------------------------------


def test_the_known_models_are_listed(capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["model", "access"]
    assert [line.split()[0] for line in lines[1:]] == list(REGISTRY)
    assert lines[1].split()[:7] == ["wordllama-256", "bundled", "256", "yes", "64,", "128,", "256"]


def test_the_list_of_models_can_be_searched(capsys):
    assert main(["models", "Search_Query"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        "nomic-ai/nomic-embed-text-v1.5",
        "nomic-ai/nomic-embed-text-v2-moe",
    ]
    assert main(["models", "no-such"]) == 2
    assert capsys.readouterr().err.startswith("No known model has 'no-such' in it")


def test_prompts_and_trained_dims_can_be_given(capsys, tmp_path):
    run_json(
        capsys,
        *("--corpus", HELP_CENTRE, "--model", "wordllama-256", "--quantizations", "float32"),
        *("--query-prompt", "question: ", "--trained-dims", "50,100"),
        *("--save", tmp_path / "run.evaluation"),
    )
    source = load_evaluation(tmp_path / "run.evaluation").source
    assert (source.query_prompt, source.document_prompt) == ("question: ", "")
    assert source.trained_dims == (50, 100)
    told = load_model("wordllama-256", Told(query_prompt="question: "))
    expected = evaluate(
        embed_collection(read_beir(HELP_CENTRE), told), quantizations=["float32"], dims=[50]
    )
    found = load_evaluation(tmp_path / "run.evaluation").rankings
    assert (found.ids[0] == expected.rankings.ids[0]).mean() > 0.99


# --- library documentation and the cache --------------------------------------------------------


def test_library_documentation_is_a_corpus(tmp_path, monkeypatch, capsys):
    install(
        tmp_path / "site", "tools", {"tools/hand.py": source(*(f"tool{c}" for c in "abcdefgh"))}
    )
    use_only(tmp_path / "site", monkeypatch)
    arguments = ("--corpus", "library-documentation", "--model", "wordllama-256", "--dims", "64")
    report = run_json(capsys, *arguments, "-k", "3")
    assert (report["n_docs"], report["n_queries"]) == (8, 8)
    assert list(report["configs"][0]) == JUDGED
    arguments = ("--corpus", "library-documentation:5", *arguments[2:])
    assert run_json(capsys, *arguments, "-k", "3")["n_docs"] == 5
    assert "library-documentation:50000" in refused(capsys, "--corpus", "library-documentation:x")


def test_the_cache_is_shown_and_emptied(texts, capsys):
    cache = Path(os.environ["MRL_EXPLORER_CACHE"])
    arguments = ("--corpus", "docs.jsonl", "--queries", "queries.jsonl")
    assert run(*arguments, "--model", "wordllama-256", "--dims", "64") == 0
    capsys.readouterr()
    assert main(["cache"]) == 0
    shown = capsys.readouterr().out.splitlines()
    # 59 vectors of 256 float32, and for each of two entries 128 bytes of head and a digest.
    assert shown[0].split() == [
        "60.7",
        "kB",
        *["embeddings:", "embeddings", "of", "texts:", "vectors", "only"],
    ]
    assert shown[-1].split() == ["60.7", "kB", "of", "10", "GB", "in", str(cache)]
    assert main(["cache", "--empty"]) == 0
    assert capsys.readouterr().out == f"60.7 kB deleted from {cache}\n"
    assert list((cache / "embeddings").iterdir()) == []
    assert main(["cache"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == ["0", "B"]


def test_a_limit_of_the_cache_that_is_none_is_said(monkeypatch, capsys):
    monkeypatch.setenv("MRL_EXPLORER_CACHE_GB", "big")
    assert main(["cache"]) == 2
    assert capsys.readouterr().err == (
        "MRL_EXPLORER_CACHE_GB is 'big': give a number of gigabytes, for example 10.\n"
    )


def test_figures_on_standard_output_leave_the_notes_to_standard_error(tmp_path, capsys):
    (tmp_path / "d.csv").write_text("id,text\n1,one\n2,two\n3,\n")
    (tmp_path / "q.csv").write_text("id,text\n9,one\n")
    arguments = ["--corpus", str(tmp_path / "d.csv"), "--queries", str(tmp_path / "q.csv")]
    status = main(["evaluate", *arguments, *("--model", "wordllama-256", "-k", "1", "--json", "-")])
    said = capsys.readouterr()
    assert status == 0
    assert json.loads(said.out)["n_docs"] == 2
    assert "Note: Empty texts in d.csv, left out: 1." in said.err


def test_a_reader_who_has_seen_enough_ends_it_quietly():
    command = [sys.executable, "-m", "mrl_explorer", "models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == EXIT_BROKEN_PIPE
