import numpy as np
import pytest

from mrl_explorer.data import Columns, list_columns, read_records
from mrl_explorer.errors import InputError


@pytest.mark.parametrize("extension", [".csv", ".csv.gz"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_any_delimiter(write, delimiter, extension):
    header = delimiter.join(["id", "title", "text", "category"])
    first = delimiter.join(["1", "Cats", '"They purr, loudly; \t ""so"""', "animals"])
    second = delimiter.join(["2", "Tea", '"Two\nlines"', "food"])
    third = delimiter.join(["3", "", "Last", ""])
    path = write("d" + extension, f"{header}\n{first}\r\n\n{second}\n{third}")
    assert list_columns(path) == ("id", "title", "text", "category")
    records = read_records(path)
    assert records.name == "d" + extension
    assert records.ids == ("1", "2", "3")
    assert records.has_ids
    assert records.titles == ("Cats", "Tea", "")
    assert records.texts == ('They purr, loudly; \t "so"', "Two\nlines", "Last")
    assert records.segments == ("animals", "food", "")
    assert records.rows.tolist() == [2, 4, 6]
    assert records.positions.tolist() == [0, 1, 2]
    assert records.vectors is None
    assert records.columns == Columns(text="text", title="title", id="id", segment="category")


def test_tsv_keeps_commas(write):
    path = write("q.tsv", "qid\tquery\n7\ta, b; c\n")
    records = read_records(path, what="queries")
    assert records.ids == ("7",)
    assert records.texts == ("a, b; c",)


def test_a_byte_order_mark_is_not_part_of_the_header(write):
    assert list_columns(write("d.csv", b"\xef\xbb\xbftext,id\na,1\n")) == ("text", "id")


def test_the_only_column_is_the_text(write):
    records = read_records(write("d.csv", "remark\nfine\n"))
    assert records.texts == ("fine",)
    assert records.ids == ("0",)
    assert not records.has_ids


def test_unnamed_columns_are_not_offered(write):
    path = write("d.csv", ",text,,\n0,a,,\n1,b,,\n")
    assert list_columns(path) == ("text",)
    assert read_records(path).texts == ("a", "b")


def test_chosen_columns_win_over_usual_names(write):
    path = write("d.csv", "text,other\na,b\n")
    records = read_records(path, columns=Columns(text="other"))
    assert records.texts == ("b",)
    assert records.columns == Columns(text="other")


def test_a_text_longer_than_pythons_csv_limit(write):
    assert read_records(write("d.csv", "text\n" + "x" * 200_000)).texts == ("x" * 200_000,)


@pytest.mark.parametrize("extension", [".txt", ".txt.gz"])
def test_text_has_one_record_per_line(write, extension):
    path = write("d" + extension, "first, line\r\n\n  third \n")
    assert list_columns(path) == ("text",)
    records = read_records(path)
    assert records.texts == ("first, line", "  third ")
    assert records.rows.tolist() == [1, 3]
    assert records.positions.tolist() == [0, 2]
    assert records.n_empty == 1
    assert records.rows.dtype == np.int64


@pytest.mark.parametrize("extension", [".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"])
def test_jsonl(write, extension):
    path = write(
        "d" + extension,
        '{"_id": 7, "text": "a", "metadata": {"segment": "s"}, "tags": ["t"]}\n'
        "\n"
        '{"_id": "x", "title": "T", "text": null}\n'
        '{"_id": true, "text": 1.5, "title": null}\n'
        '{"_id": "y", "text": NaN}\n',
    )
    assert list_columns(path) == ("_id", "text", "metadata.segment", "title")
    records = read_records(path)
    assert records.ids == ("7", "x", "true")
    assert records.texts == ("a", "", "1.5")
    assert records.titles == ("", "T", "")
    assert records.segments == ("s", "", "")
    assert records.rows.tolist() == [1, 3, 4]
    assert records.left_out_ids == {"y"}


def test_half_a_surrogate_pair_is_replaced(write):
    assert read_records(write("d.jsonl", r'{"text": "cut \ud83d"}')).texts == ("cut ?",)


def test_a_column_may_first_appear_late_in_jsonl(write):
    path = write("d.jsonl", '{"text": "a"}\n' * 150 + '{"text": "b", "title": "T"}\n')
    assert list_columns(path) == ("text",)
    records = read_records(path, columns=Columns(text="text", title="title"))
    assert records.titles is not None
    assert records.titles[-2:] == ("", "T")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.csv", "", r"d\.csv is empty: "),
        ("d.csv", "text\n", r"d\.csv holds no documents \(the file is empty\)"),
        ("d.txt", "", r"d\.txt is empty: "),
        ("d.jsonl", "\n", r"d\.jsonl holds no documents"),
        ("d.jsonl.gz", "", r"d\.jsonl\.gz holds no documents"),
        ("d.csv", "text\n\xe9".encode("latin-1"), r"d\.csv, line 2: byte 1 is not UTF-8"),
        ("d.txt", "é\n".encode("utf-16") + b"a", r"d\.txt, after line 1: not UTF-16 text"),
        ("d.csv", b"text\na\n" + b"\xe9\n", r"d\.csv, line 3: byte 1 is not UTF-8"),
        ("d.jsonl", b'{"text": "a"}\n{"text": "\xff"}', r"d\.jsonl, line 2: byte 11 is not UTF-8"),
        ("d.csv", "id,text\n1,a\n2,b,c\n", r"d\.csv, line 3: the header has 2 fields .* 3;"),
        ("d.csv", 'id,text\n1,"a\nb"\n2\n', r"d\.csv, line 4: the header has 2 fields .* 1;"),
        ("d.csv", 'id,text\n1,a\n2,"b\n3,c\n', r"d\.csv, line 3: .*close every double quote"),
        ("d.tsv", 'id\ttext\n1\t"a" b\n', r"d\.tsv, line 2: .*double quote"),
        ("d.csv", "text,text\na,b\n", r'd\.csv has two columns named "text"'),
        ("d.csv", "id,text\n1,a\n1,b\n", r'd\.csv, line 3: the id "1" is also that of line 2'),
        ("d.csv", "id,text\n1,a\n,b\n", r"d\.csv, line 3: the id is empty"),
        ("d.csv", "a,b\n1,2\n", r'd\.csv has no column with a usual name .*"a", "b"'),
        ("d.jsonl", '{"text": "a"}\n{"text": \n', r"d\.jsonl, line 2: not valid JSON"),
        ("d.jsonl", '{"text": "a"}\n["b"]\n', r"d\.jsonl, line 2: not a JSON object"),
        ("d.jsonl", "[" * 100_000, r"d\.jsonl, line 1: not valid JSON"),
        ("d.jsonl", '{"id": ' + "9" * 5_000 + "}", r"d\.jsonl, line 1: not valid JSON"),
        ("d.jsonl", '{"text": "a"}\n{"text": ["b"]}', r'd\.jsonl, line 2: "text" holds a list'),
        ("d.jsonl", '{"text": "a"}\n{"text": {"b": 1}}', r'line 2: "text" holds a list or an obj'),
        ("d.jsonl", '{"_id": 1, "text": "a"}\n{"text": "b"}', r"d\.jsonl, line 2: the id is empty"),
    ],
)
def test_bad_text_files_name_the_file_and_the_line(write, name, content, message):
    with pytest.raises(InputError, match=message):
        read_records(write(name, content))


@pytest.mark.parametrize(
    ("name", "content"),
    [("d.csv", "text\na\n"), ("d.jsonl", '{"text": "a"}'), ("d.txt", "a")],
)
def test_a_missing_chosen_column_is_named(write, name, content):
    with pytest.raises(InputError, match=rf'{name} has no column "body": .*\("text"\)'):
        read_records(write(name, content), columns=Columns(text="body"))
