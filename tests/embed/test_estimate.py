"""What is sent and paid is said before; a provider's cuts are compared with local ones."""

import json
import logging

import numpy as np
import pytest

from mrl_explorer.cli import main
from mrl_explorer.embed import (
    Connection,
    DataSource,
    Told,
    check_dims,
    embed_collection,
    estimate_sending,
    length_notes,
    load_model,
)
from mrl_explorer.embed.dims_check import compare_cuts
from mrl_explorer.embed.estimate import estimate_query
from mrl_explorer.errors import InputError

from .servers import FULL_DIM, serve

KEY = "sk-canary-5f2e"
N_DOCS, N_QUERIES = 1030, 5


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    monkeypatch.setenv("MRL_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def served():
    with serve() as (url, provider):
        yield url, provider


@pytest.fixture
def files(tmp_path):
    paths = tmp_path / "documents.csv", tmp_path / "queries.csv"
    for path, n in zip(paths, (N_DOCS, N_QUERIES), strict=True):
        path.write_text("id,text\n" + "".join(f"{row},{row:07d}\n" for row in range(n)))
    return tuple(map(str, paths))


def test_texts_tokens_and_price_by_hand(files):
    collection = DataSource(*files).read()
    estimate = estimate_sending("openai:text-embedding-3-small", collection)
    # 7 bytes each, a token for 4, $0.02 for a million.
    assert (estimate.n_texts, estimate.n_cached) == (1035, 0)
    assert estimate.n_tokens == 1812
    assert estimate.dollars == pytest.approx(1812 * 0.02 / 1e6)
    assert estimate.sentence == (
        "1,035 texts, about 1,812 tokens, are sent to api.openai.com for less than $0.01."
    )
    told = Told("12345", "1")
    dearer = estimate_sending("openai:text-embedding-3-small", collection, told, price=10_000)
    assert dearer.n_tokens == -(-(1035 * 7 + 1030 + 25) // 4)
    assert dearer.sentence.endswith("for about $20.75.")
    unknown = estimate_sending("openai:own@https://host/v1", collection)
    assert unknown.sentence.endswith("sent to host for a price that is not known here.")
    query = estimate_query("openai:text-embedding-3-small", "cats")
    assert query.sentence == "1 text, about 1 token, is sent to api.openai.com for less than $0.01."
    with pytest.raises(InputError, match="nothing is sent"):
        estimate_sending("minilm-384", collection)


def test_what_is_in_the_cache_is_not_sent_again(files, served):
    url, provider = served
    name = f"openai:own-model@{url}"
    collection = DataSource(*files).read()
    assert estimate_sending(name, collection).n_texts == 1035
    connection = Connection(trusted=True, confirmed=True)
    embed_collection(collection, load_model(name, None, connection))
    estimate = estimate_sending(name, collection)
    assert (estimate.n_texts, estimate.n_cached) == (0, 1035)
    assert "nothing is sent" in estimate.sentence
    sent = provider.n_texts
    # Not even agreed to, since there is nothing to agree to.
    embed_collection(collection, load_model(name, None, Connection(trusted=True)))
    assert provider.n_texts == sent + 1


def test_texts_longer_than_a_hosted_model_reads_are_counted_by_their_bytes(tmp_path):
    (tmp_path / "d.csv").write_text("id,text\n1,short\n2," + "long " * 6554 + "\n")
    (tmp_path / "q.csv").write_text("id,text\n1,short\n")
    collection = DataSource(str(tmp_path / "d.csv"), str(tmp_path / "q.csv")).read()
    (note,) = length_notes(load_model("openai:text-embedding-3-small"), collection)
    assert note.startswith("About 1 of 2 texts in d.csv are longer than the 8,192 tokens")
    (note,) = length_notes(load_model("cohere:embed-english-v3.0"), collection)
    assert "512 tokens that cohere:embed-english-v3.0 reads" in note


def test_a_provider_that_cuts_and_normalises_is_told_from_one_that_does_not():
    rng = np.random.default_rng(0)
    full = rng.normal(size=(20, 32)).astype(np.float32)
    full /= np.linalg.norm(full, axis=1, keepdims=True)
    cut = full[:, :8] / np.linalg.norm(full[:, :8], axis=1, keepdims=True)
    same = compare_cuts(full, cut)
    assert (same.dim, same.same, same.unit_length) == (8, True, True)
    assert same.least_cosine == pytest.approx(1, abs=1e-6)
    raw = compare_cuts(full, full[:, :8])
    assert (raw.same, raw.unit_length) == (True, False)
    other = compare_cuts(full, full[:, 8:16])
    assert not other.same
    # One text of twenty at 60 degrees is enough.
    turned = cut.copy()
    turned[3] = [0.5, 0.75**0.5, *[0] * 6]
    full[3] = [1, *[0] * 31]
    assert compare_cuts(full, turned).least_cosine == pytest.approx(0.5, abs=1e-6)
    assert compare_cuts(full, np.zeros((20, 8), np.float32)).least_cosine == 0
    with pytest.raises(ValueError, match="no cut"):
        compare_cuts(full, cut[:5])


def test_the_dims_of_an_endpoint_are_checked(served):
    url, provider = served
    texts = [f"text {row}" for row in range(40)]
    reports = []
    check = check_dims(
        f"openai:own-model@{url}",
        texts,
        dims=[4, 2, FULL_DIM],
        connection=Connection(trusted=True),
        on_progress=reports.append,
    )
    assert [cut.dim for cut in check.cuts] == [2, 4]
    assert check.verdict.startswith("One download at 8 dims serves 2, 4: ")
    assert "0.9999 needed" in check.verdict
    # 16 texts three times, and one letter to count the dims.
    assert provider.n_texts == 3 * 16 + 1
    assert (reports[-1].done, reports[-1].total) == (3, 3)


def test_a_provider_that_cuts_otherwise_is_found_out(served):
    url, provider = served

    def other(handler):
        body = provider.requests[-1]["body"]
        items = [{"index": i, "embedding": [1.0] * 4} for i in range(len(body["input"]))]
        handler.answer(200, {"data": items})
        return True

    provider.script.extend([lambda handler: False] * 2 + [other])
    name = f"openai:own-model@{url}"
    check = check_dims(name, ["a", "b"], dims=[4], connection=Connection(trusted=True))
    assert "does not cut as is done here at 4" in check.verdict
    assert "not of length 1: normalise them" in check.verdict


@pytest.mark.parametrize(
    ("name", "texts", "dims", "sentence"),
    [
        ("minilm-384", ["a"], None, "runs on this machine"),
        ("cohere:embed-english-v3.0", ["a"], [256], "no parameter for its dims"),
        ("openai:text-embedding-3-small", ["a"], [1536], "Name dims from 1 to 1535"),
        ("openai:text-embedding-3-small", ["a"], [0], "Name dims from 1 to 1535"),
        ("openai:text-embedding-3-small", [], None, "no texts to compare by"),
    ],
)
def test_what_cannot_be_checked_is_said(name, texts, dims, sentence):
    with pytest.raises(InputError, match=sentence):
        check_dims(name, texts, dims=dims)


def evaluate(files, url, *more):
    named = "--corpus", files[0], "--queries", files[1], "--model", f"openai:own-model@{url}"
    return main(["evaluate", *named, "--quantizations", "float32", "--dims", "4", *more])


def test_the_command_line_says_the_price_and_waits_for_yes(files, served, capsys):
    url, provider = served
    assert evaluate(files, url, "--price", "20000") == 2
    said = capsys.readouterr().err
    assert said.startswith("Nothing was sent yet. 1,035 texts, about 1,812 tokens, are sent to ")
    assert said.endswith("for about $36.24. Add --yes to send them.\n")
    assert provider.requests == []
    assert evaluate(files, url, "--yes") == 0
    assert "1,030 documents, 5 queries, 8 dimensions" in capsys.readouterr().out
    # All is in the cache: there is nothing to agree to.
    assert evaluate(files, url) == 0


def test_a_key_is_in_no_file_output_or_log(files, served, tmp_path, monkeypatch, capfd, caplog):
    url, provider = served
    monkeypatch.setenv("MY_KEY", KEY)
    monkeypatch.setenv("OPENAI_LOG", "debug")
    caplog.set_level(logging.DEBUG)
    saved = "--save", str(tmp_path / "run.evaluation"), "--json", str(tmp_path / "run.json")
    assert evaluate(files, url, "--yes", "--key-from", "MY_KEY", *saved) == 0
    assert all(KEY in r["headers"]["authorization"] for r in provider.requests)
    documents = "--corpus", files[0], "--key-from", "MY_KEY", "--dims", "4", "--json", "-"
    assert main(["check-dims", f"openai:own-model@{url}", *documents]) == 0

    def echo(handler):
        handler.answer(400, {"error": f"bad header {handler.headers['authorization']}"})
        return True

    provider.script.append(echo)
    assert evaluate(files, f"{url}/other", "--yes", "--key-from", "MY_KEY") == 2
    output = capfd.readouterr()
    assert "bad header Bearer ***" in output.err
    assert "Sending HTTP Request" in caplog.text
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 5
    for content in (*written, output.out.encode(), output.err.encode(), caplog.text.encode()):
        assert KEY.encode() not in content
    model = load_model(f"openai:own-model@{url}", None, Connection(KEY, trusted=True))
    assert KEY not in repr(model)
    assert KEY not in repr(model.encoder.connection)


def test_a_key_given_for_its_variable_is_not_repeated(files, served, capsys):
    assert evaluate(files, served[0], "--key-from", KEY) == 2
    assert KEY not in capsys.readouterr().err


def test_check_dims_from_a_terminal(files, served, capsys):
    url, _ = served
    arguments = "check-dims", f"openai:own-model@{url}", "--corpus", files[0], "--dims", "2,4"
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "One download at 8 dims serves 2, 4" in out
    assert main([*arguments, "--json", "-"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [cut["dim"] for cut in figures["cuts"]] == [2, 4]
    assert figures["cuts"][0]["least_cosine"] > 0.9999
