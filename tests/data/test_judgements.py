from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.data import Judgements, make_records, read_judgements
from mrl_explorer.errors import InputError

DOCUMENTS = make_records(name="d.csv", texts=["a", "b", "", "c"], ids=["d1", "d2", "d3", "d4"])
QUERIES = make_records(name="q.csv", texts=["x", "", "y"], ids=["q1", "q2", "q3"])


def as_lists(judgements):
    return (
        judgements.query_rows.tolist(),
        judgements.document_rows.tolist(),
        judgements.gains.tolist(),
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("test.tsv", "query-id\tcorpus-id\tscore\nq3\td4\t2\n\nq1\td1\t0\nq1\td2\t-1\n"),
        ("test.tsv", "q3\td4\t2\r\nq1\td1\t0\r\nq1\td2\t-1\r\n"),
        ("test.tsv.gz", "q3\td4\t2\nq1\td1\t0\nq1\td2\t-1"),
        ("qrels.txt", "q3 0 d4 2\nq1  0 d1\t0\nq1 Q0 d2 -1\n"),
        ("qrels.dev.tsv", "q3\t0\td4\t2\nq1\t0\td1\t0\nq1\t0\td2\t-1\n"),
    ],
)
def test_both_forms(write, name, content):
    judgements = read_judgements(write(name, content), DOCUMENTS, QUERIES)
    assert as_lists(judgements) == ([1, 0, 0], [2, 0, 1], [2, 0, 0])
    assert judgements.name == name
    assert len(judgements) == 3
    assert judgements.query_rows.dtype == judgements.document_rows.dtype == np.int32
    assert judgements.gains.dtype == np.float32
    assert not judgements.gains.flags.writeable


def test_judgements_of_records_left_out_are_left_out(write):
    path = write("t.tsv", "q1\td1\t1\nq2\td1\t1\nq1\td3\t1\n")
    assert as_lists(read_judgements(path, DOCUMENTS, QUERIES)) == ([0], [0], [1])


def test_a_repeated_line_counts_once(write):
    path = write("t.tsv", "q1\td1\t1\nq1\td1\t1.0\n")
    assert len(read_judgements(path, DOCUMENTS, QUERIES)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q1\td1\t1\nq9\td1\t1\n", r't\.tsv, line 2: the id "q9" is not in q\.csv'),
        ("q1\td1\t1\nq1\td9\t1\n", r't\.tsv, line 2: the id "d9" is not in d\.csv'),
        ("q1\td1\t1\n\nq1\td1\t2\n", r"t\.tsv, line 3: the gain 2 contradicts the 1 of line 1"),
        ("q1\td1\thigh\n", r't\.tsv, line 1: the gain "high" is not a number'),
        ("q1\td1\t1\nq1\td2\tnan\n", r't\.tsv, line 2: the gain "nan" is not a number'),
        ("q1\td1\tinf\n", r't\.tsv, line 1: the gain "inf" is not a number'),
        ("q1\td1\t1e99\n", r't\.tsv, line 1: the gain "1e99" is not a number'),
        ("q2\td1\thigh\n", r't\.tsv, line 1: the gain "high" is not a number'),
        ("q1\td1\t1\nquery\tdoc\tscore\n", r't\.tsv, line 2: the gain "score" is not a number'),
        ("q1\td1\t1\nq1 d1\n", r"t\.tsv, line 2: neither query id, document id and gain"),
        ("query-id\tcorpus-id\tscore\n", r"t\.tsv holds no judgements"),
        ("", r"t\.tsv is empty: "),
        ("q1\td1\t0\nq2\td1\t-1\n", r"t\.tsv calls no document relevant"),
        (b"q1\td1\t1\n\xff", r"t\.tsv, line 2: byte 1 is not UTF-8"),
    ],
)
def test_bad_judgements_name_the_file_and_the_line(write, content, message):
    with pytest.raises(InputError, match=message):
        read_judgements(write("t.tsv", content), DOCUMENTS, QUERIES)


def test_judgements_need_ids(write):
    path = write("t.tsv", "0\t0\t1\n")
    numbered = make_records(name="n.txt", texts=["a"])
    with pytest.raises(InputError, match=r"n\.txt has no ids"):
        read_judgements(path, numbered, QUERIES)
    with pytest.raises(InputError, match=r"n\.txt has no ids"):
        read_judgements(path, DOCUMENTS, numbered)


ROWS = [("q3", "d4", 2), ("q1", "d1", 0), ("q1", "d2", -1)]


def as_table(name):
    """Write the rows as a table, its columns in another order than BEIR's and with one more."""
    if ".csv" in name:
        return "note,score,corpus-id,query-id\n" + "".join(f"x,{g},{d},{q}\n" for q, d, g in ROWS)
    if name.endswith(".tsv"):
        return "doc_id\tQID\trelevance\n" + "".join(f"{d}\t{q}\t{g}\n" for q, d, g in ROWS)
    objects = [f'{{"label": {g}, "query_id": "{q}", "doc_id": "{d}"}}' for q, d, g in ROWS]
    return "[" + ",".join(objects) + "]" if name.endswith(".json") else "\n".join(objects)


@pytest.mark.parametrize("name", ["j.csv", "j.csv.gz", "j.tsv", "j.jsonl", "j.json"])
def test_tables_with_columns_in_any_order(write, name):
    judgements = read_judgements(write(name, as_table(name)), DOCUMENTS, QUERIES)
    assert as_lists(judgements) == ([1, 0, 0], [2, 0, 1], [2, 0, 0])


def test_a_table_of_another_program_with_ids_as_floats():
    documents = make_records(name="d", texts=["a", "b", "c"], ids=["1", "2", "3"])
    queries = make_records(name="q", texts=["x", "y"], ids=["1", "2"])
    path = Path(__file__).parent / "files" / "polars-judgements.parquet"
    assert as_lists(read_judgements(path, documents, queries)) == ([0, 1], [0, 2], [1, 2])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "j.csv",
            "query-id,corpus-id\nq1,d1\n",
            r'j\.csv has no column with a usual name for the gain \(its columns: "query-id"',
        ),
        (
            "j.csv",
            "a,b,score\nq1,d1,1\n",
            r"j\.csv has no column .* for the query's id or the document's id",
        ),
        ("j.csv", "qid,docid,rel\nq1,d1,\n", r'j\.csv, line 2: the gain "" is not a number'),
        ("j.csv", "qid,docid,rel\nq1,d9,1\n", r'j\.csv, line 2: the id "d9" is not in d\.csv'),
        (
            "j.json",
            '[{"qid": "q1", "docid": "d1", "rel": 1}, {"qid": "q9", "docid": "d1", "rel": 1}]',
            r'j\.json, row 1 \(counted from 0\): the id "q9" is not in q\.csv',
        ),
        ("j.csv", "qid,docid,rel\n", r"j\.csv holds no judgements"),
    ],
)
def test_bad_tables_of_judgements(write, name, content, message):
    with pytest.raises(InputError, match=message):
        read_judgements(write(name, content), DOCUMENTS, QUERIES)


def test_some_queries_and_documents_keep_their_judgements():
    judged = Judgements(
        "qrels",
        np.array([0, 1, 1, 3, 3], np.int32),
        np.array([5, 2, 7, 2, 9], np.int32),
        np.array([1, 2, 0, 1, 0], np.float32),
    )
    assert judged.n_answered == 3
    kept = judged.of_queries(np.array([1, 3]))
    assert kept.query_rows.tolist() == [0, 0, 1, 1]
    assert kept.document_rows.tolist() == [2, 7, 2, 9]
    assert kept.gains.tolist() == [2, 0, 1, 0]
    of_both = kept.of_documents(np.array([2, 9]))
    assert of_both.query_rows.tolist() == [0, 1, 1]
    assert of_both.document_rows.tolist() == [0, 0, 1]
    assert of_both.gains.tolist() == [2, 1, 0]
