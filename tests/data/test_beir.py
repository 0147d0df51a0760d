import zipfile

import pytest

from mrl_explorer.data import read_beir
from mrl_explorer.errors import InputError

CORPUS = (
    '{"_id": "d1", "title": "T", "text": "a", "metadata": {"segment": "s"}}\n'
    '{"_id": "d2", "title": "", "text": "b", "metadata": {}}\n'
)
QUERIES = (
    '{"_id": "q1", "text": "x"}\n{"_id": "q2", "text": "y"}\n'
    '{"_id": "q3", "text": "z", "segment": "faq"}\n'
)
QRELS = "query-id\tcorpus-id\tscore\nq3\td2\t1\nq1\td1\t2\nq3\td1\t0\n"


def check(collection):
    assert collection.documents.ids == ("d1", "d2")
    assert collection.documents.titles == ("T", "")
    assert collection.documents.segments == ("s", "")
    assert collection.queries.ids == ("q1", "q3")
    assert collection.queries.segments == ("", "faq")
    assert collection.queries.positions.tolist() == [0, 2]
    assert collection.n_unjudged == 1
    assert collection.judgements.query_rows.tolist() == [1, 0, 1]
    assert collection.judgements.document_rows.tolist() == [1, 0, 0]
    assert collection.judgements.gains.tolist() == [1, 2, 0]


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("qrels", ["qrels/test.tsv", "qrels.tsv", "qrels/nano.tsv"])
@pytest.mark.parametrize("inner", ["", "scifact/"])
def test_a_folder(write, tmp_path, inner, qrels, gz):
    write(f"set/{inner}corpus.jsonl{gz}", CORPUS)
    write(f"set/{inner}queries.jsonl{gz}", QUERIES)
    write(f"set/{inner}{qrels}{gz}", QRELS)
    check(read_beir(tmp_path / "set"))


@pytest.mark.parametrize("inner", ["", "scifact/"])
def test_a_zip_archive(tmp_path, inner):
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("__MACOSX")
        archive.writestr("__MACOSX/._corpus.jsonl", b"\x00")
        archive.writestr(f"{inner}corpus.jsonl", CORPUS)
        archive.writestr(f"{inner}queries.jsonl", QUERIES)
        archive.writestr(f"{inner}qrels/test.tsv", QRELS)
    check(read_beir(tmp_path / "set.zip"))


def test_the_test_split_comes_first(write, tmp_path):
    write("corpus.jsonl", CORPUS)
    write("queries.jsonl", QUERIES)
    write("qrels/train.tsv", "q1\td1\t1\n")
    assert read_beir(tmp_path).judgements.name == "train.tsv"
    write("qrels/dev.tsv", "q1\td1\t1\n")
    assert read_beir(tmp_path).judgements.name == "dev.tsv"
    write("qrels/test.tsv.gz", "q1\td1\t1\n")
    assert read_beir(tmp_path).judgements.name == "test.tsv.gz"


def test_judgements_of_another_split_tell_which_queries_are_meant(write, tmp_path):
    write("set/corpus.jsonl", CORPUS)
    write("set/queries.jsonl", QUERIES)
    write("set/qrels/test.tsv", QRELS)
    given = write("own.tsv", "q2\td1\t1\n")
    collection = read_beir(tmp_path / "set", judgements=given)
    assert collection.queries.ids == ("q2",)
    assert collection.judgements.name == "own.tsv"
    assert collection.judgements.query_rows.tolist() == [0]
    assert collection.n_unjudged == 2


def test_without_judgements_every_query_stays(write, tmp_path):
    write("corpus.jsonl", CORPUS)
    write("queries.jsonl", QUERIES)
    collection = read_beir(tmp_path)
    assert collection.judgements is None
    assert len(collection.queries) == 3
    assert collection.n_unjudged == 0


def test_a_folder_without_a_corpus(write, tmp_path):
    write("set/queries.jsonl", QUERIES)
    with pytest.raises(InputError, match=r"set holds no corpus\.jsonl"):
        read_beir(tmp_path / "set")


def test_a_folder_without_queries(write, tmp_path):
    write("set/corpus.jsonl", CORPUS)
    with pytest.raises(InputError, match=r"set holds no queries\.jsonl: add it"):
        read_beir(tmp_path / "set")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist"):
        read_beir(tmp_path / "nowhere")


def test_a_file_that_is_no_folder(write):
    with pytest.raises(InputError, match=r"set\.tar"):
        read_beir(write("set.tar", "x"))
