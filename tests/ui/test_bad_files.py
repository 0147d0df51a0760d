"""Files that cannot be read: one sentence names the file and the place, the page stays."""

import io
import zipfile

import numpy as np
import pytest

from tests.ui.apps import DOCUMENTS, QRELS, QUERIES, has, npy, open_app, upload

FIELDS = 5


def climbing_zip():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as sink:
        sink.writestr("corpus.jsonl", '{"_id": "1", "text": "a"}\n')
        sink.writestr("../../climbed.txt", "out")
    return archive.getvalue()


def vectors_with(value, row):
    vectors = np.ones((10, 8), dtype=np.float32)
    vectors[row] = value
    return npy(vectors)


BAD = {
    "empty file": ("Documents", "docs.csv", b"", ["docs.csv", "empty"]),
    "empty JSONL": ("Documents", "docs.jsonl", b"", ["docs.jsonl", "empty"]),
    "header only": (
        "Documents",
        "docs.csv",
        b"id,text\n",
        ["docs.csv holds no documents", "empty"],
    ),
    "nothing but empty texts": (
        "Documents",
        "docs.csv",
        b"id,text\n1,\n2, \n",
        ["docs.csv", "every text of the 2 is empty"],
    ),
    "Latin-1": (
        "Documents",
        "docs.csv",
        "id,text\n1,plain\n2,Gr\xfc\xdfe\n".encode("latin-1"),
        ["docs.csv, line 3", "not UTF-8"],
    ),
    "mixed encodings": (
        "Documents",
        "docs.csv",
        "id,text\n1,é\n".encode() + "2,é\n".encode("latin-1"),
        ["docs.csv, line 3", "not UTF-8"],
    ),
    "no PDF": ("Documents", "docs.pdf", b"%PDF", ["docs.pdf is not a whole, readable PDF"]),
    "no DOCX": ("Documents", "docs.docx", b"PK", ["docs.docx is not a DOCX file"]),
    "deeply nested JSON": ("Documents", "docs.json", b"[" * 100_000, ["docs.json"]),
    "no HDF5": ("Documents", "docs.h5", b"no", ["docs.h5 is not a whole, readable HDF5"]),
    "binary": ("Documents", "docs.csv", bytes(range(256)) * 40, ["docs.csv, line 2", "not UTF-8"]),
    "broken JSONL row": (
        "Documents",
        "docs.jsonl",
        b'{"id": "1", "text": "a"}\n{"id": "2", "text": \n',
        ["docs.jsonl, line 2", "not valid JSON"],
    ),
    "JSON list": (
        "Documents",
        "docs.jsonl",
        b"[1, 2]\n",
        ["docs.jsonl, line 1", "not a JSON object"],
    ),
    "a row too long": (
        "Documents",
        "docs.csv",
        b"id,text\n1,a\n2,b,c\n",
        ["docs.csv, line 3", "2 fields and this row 3"],
    ),
    "an open quote": ("Documents", "docs.csv", b'id,text\n1,"a\n2,b\n', ["docs.csv, line 2"]),
    "duplicate ids": (
        "Documents",
        "docs.csv",
        b"id,text\n1,a\n2,b\n1,c\n",
        ["docs.csv, line 4", 'the id "1" is also that of line 2'],
    ),
    "a row without id": (
        "Documents",
        "docs.csv",
        b"id,text\n1,a\n,b\n",
        ["docs.csv, line 3", "id"],
    ),
    "NaN vectors": (
        "Documents",
        "docs.npy",
        vectors_with(np.nan, 3),
        ["docs.npy holds NaN", "counted from 0: 3"],
    ),
    "vectors of zeros": (
        "Documents",
        "docs.npy",
        vectors_with(0, 7),
        ["docs.npy holds vectors of zeros", "counted from 0: 7"],
    ),
    "one dimension": ("Documents", "docs.npy", npy(np.ones(5, np.float32)), ["docs.npy", "(5,)"]),
    "a pickle": (
        "Documents",
        "docs.npy",
        npy(np.array([{"a": 1}], dtype=object)),
        ["docs.npy holds Python objects"],
    ),
    "a cut NPY": ("Documents", "docs.npy", vectors_with(1, 0)[:-9], ["docs.npy is cut short"]),
    "no Parquet": ("Documents", "docs.parquet", b"PAR1 or not", ["docs.parquet"]),
    "no gzip": ("Documents", "docs.csv.gz", b"id,text\n1,a\n", ["docs.csv.gz is not a whole gzip"]),
    "a ZIP that climbs out": (
        "Documents",
        "docs.zip",
        climbing_zip(),
        ["docs.zip", "climbed.txt", "points outside the archive"],
    ),
    "no ZIP": ("Documents", "docs.zip", b"PK or not", ["docs.zip is not a whole ZIP"]),
    "no queries": ("Queries", "q.csv", b"id,text\n", ["q.csv holds no queries"]),
    "qrels with an unknown id": (
        "Judgements",
        "qrels.tsv",
        QRELS + "q1\td77\t1\n",
        ["qrels.tsv, line 6", 'the id "d77" is not in documents.csv'],
    ),
    "qrels without a number": (
        "Judgements",
        "qrels.tsv",
        QRELS + "q1\td7\thigh\n",
        ["qrels.tsv, line 6", '"high" is not a number'],
    ),
    "qrels of another form": ("Judgements", "qrels.tsv", "a,b,c\n", ["qrels.tsv, line 1"]),
    "too few vectors": (
        "Ready vectors of the documents",
        "d.npy",
        npy(np.ones((9, 8), np.float32)),
        ["d.npy holds 9 vectors and documents.csv 10 records"],
    ),
}


@pytest.mark.parametrize(("label", "name", "content", "parts"), BAD.values(), ids=BAD)
def test_a_bad_file_is_named_in_one_sentence_and_the_page_stays(label, name, content, parts):
    page = open_app("data")
    upload(page, "Documents", "documents.csv", DOCUMENTS)
    upload(page, "Queries", "queries.csv", QUERIES)
    upload(page, label, name, content)
    page.run()
    assert not page.exception
    (error,) = page.error
    for part in parts:
        assert part in error.value
    assert "\n" not in error.value
    assert error.value.endswith(".")
    assert len(page.file_uploader) == FIELDS
    assert page.button_group(key="where").value == "Upload files"
    # Put right, the page goes on as if nothing had been.
    good = {"Documents": DOCUMENTS, "Queries": QUERIES, "Judgements": QRELS}.get(
        label, npy(np.ones((10, 8), np.float32))
    )
    upload(page, label, "good.csv" if label in ("Documents", "Queries") else name, good)
    page.run()
    assert not page.error
    assert has(page.button, "Evaluate")


def test_documents_without_queries_say_what_is_missing():
    page = open_app("data")
    upload(page, "Documents", "documents.csv", DOCUMENTS)
    page.run()
    assert not page.exception
    assert [e.value for e in page.error] == ["There are no queries: add a file of queries."]


def test_a_beir_archive_without_queries_says_what_is_missing():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as sink:
        sink.writestr("corpus.jsonl", '{"_id": "1", "text": "a"}\n')
    page = open_app("data")
    upload(page, "Documents", "docs.zip", archive.getvalue())
    page.run()
    assert [e.value for e in page.error] == ["docs.zip holds no queries.jsonl: add it."]


def test_texts_show_literally_among_the_examples():
    page = open_app("data")
    odd = "**bold** $x$ :red[y] <b>z</b>"
    upload(page, "Documents", "d.csv", f'id,text\n1,"{odd}"\n2,b\n')
    upload(page, "Queries", "q.csv", QUERIES)
    page.run()
    assert next(iter(page.dataframe[0].value["text"])) == odd


def test_the_names_of_files_are_no_markup():
    page = open_app("data")
    upload(page, "Documents", "**a** :red[b] $c$.csv", "id,text\n1,a\n1,b\n")
    upload(page, "Queries", "queries.csv", QUERIES)
    page.run()
    (error,) = page.error
    # `st.error` reads Markdown: what is odd in a name has to reach the page escaped.
    assert "**a** :red[b] $c$" not in error.value


def test_a_long_name_is_no_problem():
    page = open_app("data")
    # 100 characters, which other systems allow, are 300 bytes in UTF-8, which Linux does not.
    upload(page, "Documents", "文" * 100 + ".csv", DOCUMENTS)
    upload(page, "Queries", "queries.csv", QUERIES)
    page.run()
    assert not page.exception
    assert not page.error
    assert has(page.button, "Evaluate")
