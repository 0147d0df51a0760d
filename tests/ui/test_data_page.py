import io
import zipfile

import h5py
import numpy as np
import pytest

from mrl_explorer.errors import InputError
from mrl_explorer.ui.run_panel import parse_dims
from tests.ui.apps import (
    DOCUMENTS,
    QRELS,
    QUERIES,
    SAMPLE,
    columns,
    follow,
    go,
    has,
    html,
    labelled,
    npy,
    numbers,
    open_app,
    upload,
    upload_texts,
)

SLOTS = [
    "Documents",
    "Queries",
    "Judgements (optional)",
    "Ready vectors of the documents (optional)",
    "Ready vectors of the queries (optional)",
]


@pytest.fixture
def page():
    return open_app("data")


def facts(app):
    """Give the bold lines of what was understood."""
    return [m.value.strip("*") for m in app.markdown if m.value.startswith("**")]


def test_it_says_where_to_start(page):
    assert not page.exception
    assert [f.label for f in page.file_uploader] == SLOTS
    assert any("Start with documents and queries" in info.value for info in page.info)
    assert not page.error
    assert not has(page.button, "Evaluate")


def test_uploaded_texts_are_understood(page):
    upload_texts(page, judgements=QRELS)
    assert not page.exception
    assert not page.error
    assert facts(page) == ["10 documents, ids from the file", "3 queries, ids from the file"]
    assert [t.value for t in page.text] == ["from documents.csv", "from queries.csv"]
    assert any("4 judgements from qrels.tsv." in c.value for c in page.caption)
    assert not page.warning
    examples = [table.value for table in page.dataframe]
    assert list(examples[0]["id"]) == ["d0", "d1", "d2", "d3", "d4"]
    assert list(examples[0]["title"])[:2] == ["About red", "About green"]
    assert list(examples[1]["segment"]) == ["animals", "food", "arts"]
    assert not labelled(page.button, "Evaluate").disabled


def test_what_is_odd_about_the_texts_is_counted(page):
    documents = DOCUMENTS + "d10,, \nd11,,\n" + "d12,About red,A text on red and what they are\n"
    upload_texts(page, documents=documents)
    assert not page.error
    assert facts(page)[0] == "11 documents, ids from the file"
    (warning,) = page.warning
    assert "Empty texts in documents.csv: 2, left out" in warning.value
    assert "repeat an earlier one: 1; copies tie, and a tie counts as found." in warning.value


def test_texts_without_ids_are_numbered(page):
    upload(page, "Documents", "documents.txt", "one text\nanother text\n")
    upload(page, "Queries", "queries.txt", "one\n")
    page.run()
    assert facts(page) == ["2 documents, numbered by row", "1 queries, numbered by row"]


def test_columns_can_be_chosen(page):
    documents = "key_figure,words,topic\n1,first text,red\n2,second text,green\n"
    upload_texts(page, documents=documents)
    assert [e.value for e in page.error] == [
        "documents.csv has no column with a usual name for texts: choose the text among its "
        'columns ("key_figure", "words", "topic").'
    ]
    labelled(page.selectbox, "Documents: text").select("words").run()
    assert not page.error
    assert facts(page)[0] == "2 documents, numbered by row"
    assert list(page.dataframe[0].value["text"]) == ["first text", "second text"]
    labelled(page.selectbox, "Documents: segment").select_index(0).run()
    assert "segment" not in page.dataframe[0].value


def test_ready_vectors_need_no_model(page):
    upload(page, "Documents", "documents.npy", npy(np.eye(4, dtype=np.float32)))
    upload(page, "Queries", "queries.npy", npy(np.ones((2, 4), dtype=np.float32)))
    page.run()
    assert not page.error
    assert facts(page) == [
        "4 documents, vectors of 4 dimensions, numbered by row",
        "2 queries, vectors of 4 dimensions, numbered by row",
    ]
    assert any("no model is needed" in c.value for c in page.caption)
    assert not has(page.selectbox, "Embed with")


def test_texts_and_their_vectors_are_joined(page):
    upload_texts(page)
    upload(page, "Ready vectors of the documents", "d.npy", npy(np.eye(10, dtype=np.float32)))
    upload(page, "Ready vectors of the queries", "q.npy", npy(np.eye(10, dtype=np.float32)[:3]))
    page.run()
    assert not page.error
    assert facts(page)[0] == "10 documents, vectors of 10 dimensions, ids from the file"


def test_a_beir_archive_brings_everything(page):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as sink:
        sink.writestr(
            "small/corpus.jsonl", '{"_id": "1", "text": "a"}\n{"_id": "2", "text": "b"}\n'
        )
        sink.writestr(
            "small/queries.jsonl", '{"_id": "x", "text": "a"}\n{"_id": "y", "text": "c"}\n'
        )
        sink.writestr("small/qrels/test.tsv", "query-id\tcorpus-id\tscore\nx\t1\t1\n")
    upload(page, "Documents", "small.zip", archive.getvalue())
    page.run()
    assert not page.error
    assert facts(page) == ["2 documents, ids from the file", "1 queries, ids from the file"]
    (told,) = [c.value for c in page.caption if "judgements from" in c.value]
    assert told.startswith(
        "1 judgements from test.tsv. Queries without a judgement, left out of recall too: 1, since"
    )


def test_what_was_uploaded_stays_while_the_reader_looks_elsewhere(page):
    upload_texts(page)
    go(page, "")
    assert "300 documents" in html(page)
    # A browser forgets the files of a field that left the page.
    for key in list(page.session_state.keys()):
        if str(key).startswith("upload documents") or str(key).startswith("upload queries"):
            del page.session_state[key]
    go(page, "data")
    assert not page.error
    assert facts(page)[0] == "10 documents, ids from the file"


def test_another_file_of_the_same_name_replaces_the_first(page):
    upload_texts(page)
    upload(page, "Documents", "documents.csv", "id,text\na,only one text\nb,and another\n")
    page.run()
    assert facts(page)[0] == "2 documents, ids from the file"


def test_another_file_of_the_same_name_and_size_replaces_the_first(page):
    upload_texts(page)
    changed = DOCUMENTS.replace("songs", "gnoss")
    assert len(changed) == len(DOCUMENTS)
    upload(page, "Documents", "documents.csv", changed.replace("About red", "About tan"))
    page.run()
    assert next(iter(page.dataframe[0].value["title"])) == "About tan"


def test_removed_files_are_gone(page):
    upload_texts(page)
    labelled(page.file_uploader, "Documents").set_value(None)
    page.run()
    if has(page.button, "Remove"):
        labelled(page.button, "Remove").click().run()
    assert not facts(page)
    assert any("Start with documents" in info.value for info in page.info)


def test_an_evaluation_file_opens(page, tmp_path):
    page.button_group(key="where").set_value("Open an evaluation").run()
    assert [f.label for f in page.file_uploader] == ["Evaluation file"]
    upload(page, "Evaluation file", "mine.evaluation", SAMPLE.read_bytes())
    page.run()
    assert not page.error
    assert "corpus.jsonl: 300 documents, 150 queries, 70 configurations" in [
        t.value for t in page.text
    ]
    labelled(page.button, "Explore it").click().run()
    follow(page)
    assert not page.exception
    assert page.query_params["data"] == "session-1"
    assert numbers(page)["recall@10"][0] == ".718"
    assert len(columns(page)) == 2
    assert "mine" in page.selectbox(key="data set session-1").options
    assert labelled(page.button, "Copy link").disabled


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is damaged"),
        (b"no archive", "is damaged"),
        (SAMPLE.read_bytes()[:-2000], "is damaged"),
        (SAMPLE.read_bytes()[:500_000] + b"x" + SAMPLE.read_bytes()[500_001:], "is damaged"),
    ],
    ids=["empty", "text", "cut short", "one byte changed"],
)
def test_a_broken_evaluation_file_is_refused_in_one_sentence(page, content, sentence):
    page.button_group(key="where").set_value("Open an evaluation").run()
    upload(page, "Evaluation file", "mine.evaluation", content)
    page.run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("mine.evaluation")
    assert sentence in error.value
    assert page.button_group(key="where").value == "Open an evaluation"


def test_two_sessions_do_not_see_each_others_uploads(page):
    upload_texts(page)
    other = open_app("data")
    assert not facts(other)
    assert any("Start with documents" in info.value for info in other.info)
    upload_texts(other, documents="id,text\na,one\nb,two\n")
    assert facts(other)[0] == "2 documents, ids from the file"
    page.run()
    assert facts(page)[0] == "10 documents, ids from the file"


@pytest.mark.parametrize(
    ("text", "dims"),
    [
        ("", None),
        ("  ", None),
        ("64", (64,)),
        ("64, 128", (64, 128)),
        ("64 128,256", (64, 128, 256)),
    ],
)
def test_dims_are_read(text, dims):
    assert parse_dims(text) == dims


@pytest.mark.parametrize("text", ["64, many", "6.4", "-64", "64;128", "²", "٦x", "9" * 5000])
def test_other_dims_are_refused_in_words(text):
    with pytest.raises(InputError, match="Dims: "):
        parse_dims(text)


def test_wrong_dims_leave_the_page_as_it_is(page):
    upload_texts(page, queries=QUERIES)
    labelled(page.text_input, "Dims").set_value("64, lots").run()
    assert [e.value for e in page.error] == [
        "Dims: 'lots' is no whole number: write for example 64, 128."
    ]
    assert facts(page)[0] == "10 documents, ids from the file"
    labelled(page.text_input, "Dims").set_value("64").run()
    assert not page.error
    assert has(page.button, "Evaluate")


LONG = "# Manual\n\n" + "".join(
    f"Paragraph {n} is about watering. " * 12 + "\n\n" for n in range(6)
)


def test_a_long_document_is_split_and_the_reader_says_how(page):
    upload(page, "Documents", "manual.md", LONG)
    upload(page, "Queries", "queries.csv", QUERIES)
    page.run()
    assert not page.error
    assert labelled(page.toggle, "Split documents").value
    assert facts(page)[0].endswith("passages of 1 documents, ids from the file")
    assert list(page.dataframe[0].value["id"])[:2] == ["manual.md#1", "manual.md#2"]
    assert next(iter(page.dataframe[0].value["title"])) == "Manual"
    n_passages = int(facts(page)[0].split()[0])
    labelled(page.number_input, "Characters a passage").set_value(300)
    page.run()
    assert int(facts(page)[0].split()[0]) > n_passages
    labelled(page.number_input, "Overlap").set_value(300).run()
    assert [e.value for e in page.error] == [
        "Passages of 300 characters with an overlap of 300 cannot be made: choose a size of at "
        "least 20 and an overlap smaller than it."
    ]
    labelled(page.toggle, "Split documents").set_value(False).run()
    assert not page.error
    assert facts(page)[0] == "1 documents, ids from the file"


def test_tables_are_left_whole_unless_the_reader_says_so(page):
    upload_texts(page, judgements=QRELS)
    assert not labelled(page.toggle, "Split documents").value
    labelled(page.toggle, "Split documents").set_value(True).run()
    labelled(page.number_input, "Characters a passage").set_value(20)
    labelled(page.number_input, "Overlap").set_value(0).run()
    assert not page.error
    assert facts(page)[0].endswith("passages of 10 documents, ids from the file")
    # Each judged document was split in two.
    assert any("8 judgements from qrels.tsv." in c.value for c in page.caption)


def test_judgements_of_a_table(page):
    upload_texts(page)
    upload(page, "Judgements", "judged.csv", "score,doc_id,query_id\n1,d3,q0\n")
    page.run()
    assert not page.error
    assert any("1 judgements from judged.csv." in c.value for c in page.caption)


def test_a_zip_of_mixed_files_says_what_it_left_out(page):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as sink:
        sink.writestr("a.md", "# One\n\nfirst :red[text] $5 and $6")
        sink.writestr("inner/b.html", "<title>Two</title><p>second text")
        sink.writestr("bad.pdf", b"")
        sink.writestr("logo :material/home:.p$n$g", b"")
    upload(page, "Documents", "mixed.zip", archive.getvalue())
    upload(page, "Queries", "queries.csv", QUERIES)
    page.run()
    assert not page.error
    assert list(page.dataframe[0].value["id"]) == ["a.md", "inner/b.html"]
    assert "$5 and $6" in page.dataframe[0].value["text"][0]
    (warning,) = page.warning
    assert "1 file is of other kinds and left out" in warning.value
    assert "bad.pdf is empty" in warning.value
    assert r".p\$n\$g" in warning.value


def test_an_hdf5_file_brings_its_queries(page, tmp_path):
    with h5py.File(tmp_path / "set.hdf5", "w") as file:
        file.attrs["distance"] = "angular"
        file.create_dataset("train", data=np.eye(6, dtype=np.float32))
        file.create_dataset("test", data=np.ones((2, 6), dtype=np.float32))
    upload(page, "Documents", "set.hdf5", (tmp_path / "set.hdf5").read_bytes())
    page.run()
    assert not page.error
    assert facts(page) == [
        "6 documents, vectors of 6 dimensions, numbered by row",
        "2 queries, vectors of 6 dimensions, numbered by row",
    ]
    assert not has(page.toggle, "Split documents")


def test_what_was_understood_is_told_in_words(page):
    upload_texts(page)
    captions = [c.value for c in page.caption]
    assert any(c.startswith("Half are shorter than") and "Language: en" in c for c in captions)
    (estimate,) = [c for c in captions if c.startswith("Estimate")]
    assert "embedding under 1 s, ranking 70 configurations under 1 s" in estimate
    assert [chart.proto.alt for chart in page.get("echarts_chart")] == [
        "Histogram of the lengths of documents: 9 of 25 to 49 characters, 1 of 50 to 99 characters",
        "Histogram of the lengths of queries: 3 of 0 to 24 characters",
    ]
