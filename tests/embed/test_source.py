import json

import numpy as np
import pytest

from mrl_explorer.embed import DataSource
from mrl_explorer.errors import InputError


@pytest.fixture
def texts(tmp_path, monkeypatch):
    monkeypatch.setenv("MRL_EXPLORER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "docs.txt").write_text("red\ngreen\nred green\n")
    (tmp_path / "queries.txt").write_text("red\n")
    return {"documents": str(tmp_path / "docs.txt"), "queries": str(tmp_path / "queries.txt")}


@pytest.fixture
def vectors(tmp_path):
    for name, n in (("docs", 3), ("queries", 1)):
        np.save(tmp_path / f"{name}.npy", np.eye(n, 1536, dtype=np.float32))
    return {"documents": str(tmp_path / "docs.npy"), "queries": str(tmp_path / "queries.npy")}


def test_it_comes_back_from_its_file_form(texts):
    source = DataSource(**texts, model="m", query_prompt="", trained_dims=(2, 4))
    assert DataSource.from_dict(json.loads(json.dumps(source.as_dict()))) == source


def test_what_was_put_before_the_texts_is_kept(texts, tiny_folder):
    source = DataSource(**texts, model=str(tiny_folder), query_prompt="green ")
    collection, origin = source.embed(source.read())
    assert (origin.query_prompt, origin.document_prompt) == ("green ", "read ")
    assert origin.model == str(tiny_folder)
    # Rows of "green" and "red", made unit length.
    expected = np.array([[0, 0, 1, 1]]) / np.sqrt(2)
    np.testing.assert_allclose(collection.queries.vectors, expected, atol=1e-6)


def test_ready_vectors_take_the_dims_of_their_hosted_model(vectors):
    source = DataSource(**vectors, model="openai:text-embedding-3-small")
    collection, origin = source.embed(source.read())
    assert origin.trained_dims == (512, 1536)
    assert origin.query_prompt is None
    assert collection.documents.vectors.shape == (3, 1536)


def test_ready_vectors_of_a_known_model_need_no_download(vectors):
    source = DataSource(**vectors, model="intfloat/e5-small-v2")
    assert source.embed(source.read())[1].trained_dims == ()


def test_a_name_that_nobody_knows_is_looked_up(vectors):
    source = DataSource(**vectors, model="./nothing")
    with pytest.raises(InputError, match=r"There is no folder \./nothing"):
        source.embed(source.read())


def test_texts_without_a_model_stay_texts(texts):
    source = DataSource(**texts)
    assert source.embed(source.read())[0].documents.vectors is None


def test_texts_longer_than_the_model_reads_are_noted(texts, tmp_path):
    (tmp_path / "docs.txt").write_text("red\n" + "green " * 400 + "\n")
    source = DataSource(**texts, model="minilm-384")
    (note,) = source.embed(source.read())[1].notes
    assert note.startswith(
        "1 of 2 texts in docs.txt are longer than the 256 tokens that minilm-384"
    )


@pytest.fixture
def beir(tmp_path):
    """Four queries, of which two are the test split's and one is of the other's."""
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        "".join(f'{{"_id": "d{row}", "text": "text {row}"}}\n' for row in range(3))
    )
    (folder / "queries.jsonl").write_text(
        "".join(f'{{"_id": "q{row}", "text": "query {row}"}}\n' for row in range(4))
    )
    (folder / "qrels/test.tsv").write_text("q0\td0\t1\nq1\td1\t1\n")
    (folder / "qrels/train.tsv").write_text("q2\td2\t1\n")
    return folder


@pytest.mark.parametrize(
    ("queries", "judgements", "kept", "judged", "n_unjudged"),
    [
        (None, None, ["q0", "q1"], [0, 1], 2),
        (None, "qrels/train.tsv", ["q2"], [0], 3),
        # Queries that are given as a file of their own are all meant.
        ("queries.jsonl", "qrels/train.tsv", ["q0", "q1", "q2", "q3"], [2], 0),
        ("queries.jsonl", None, ["q0", "q1", "q2", "q3"], None, 0),
    ],
)
def test_which_queries_of_a_collection_are_meant(
    beir, queries, judgements, kept, judged, n_unjudged
):
    collection = DataSource(
        str(beir),
        queries and str(beir / queries),
        judgements=judgements and str(beir / judgements),
    ).read()
    assert list(collection.queries.ids) == kept
    rows = collection.judgements and collection.judgements.query_rows.tolist()
    assert rows == judged
    assert collection.n_unjudged == n_unjudged


def test_queries_of_their_own_are_all_kept_for_recall(beir):
    corpus, queries, qrels = (
        str(beir / name) for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
    )
    collection = DataSource(corpus, queries, judgements=qrels).read()
    assert len(collection.queries) == 4
    assert collection.judgements.query_rows.tolist() == [0, 1]
    assert not collection.unjudged_note
