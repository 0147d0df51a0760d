import json

import pytest

from mrl_explorer.data import Columns, list_columns, read_records
from mrl_explorer.errors import InputError

ROWS = [
    {"id": 7, "title": "A", "text": "a", "metadata": {"segment": "s"}, "tags": ["t"]},
    {"id": "x", "text": None},
    {"id": True, "text": 1.5, "title": "B\ud83d"},
]


@pytest.mark.parametrize(
    "wrapped",
    [
        ROWS,
        {"data": ROWS},
        {"version": 1, "tags": ["t"], "empty": [], "deep": {"rows": [[1]]}, "documents": ROWS},
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_objects_wherever_it_stands(write, wrapped, indent):
    path = write("d.json", json.dumps(wrapped, indent=indent))
    assert list_columns(path) == ("id", "title", "text", "metadata.segment")
    records = read_records(path)
    assert records.ids == ("7", "true")
    assert records.texts == ("a", "1.5")
    assert records.titles == ("A", "B?")
    assert records.segments == ("s", "")
    assert records.rows.tolist() == [0, 2]
    assert records.left_out_ids == {"x"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(write, encoding):
    assert read_records(write("d.json", '[{"text": "é"}]'.encode(encoding))).texts == ("é",)


def test_a_file_larger_than_the_sample_of_its_columns(write):
    rows = [{"id": row, "text": "é" * 1000} for row in range(1000)]
    path = write("d.json", json.dumps({"rows": rows}, ensure_ascii=False))
    assert path.stat().st_size > 2**20
    assert list_columns(path) == ("id", "text")
    assert len(read_records(path)) == 1000


def test_columns_can_be_chosen(write):
    path = write("d.json", '[{"a": "1", "b": "2"}]')
    assert read_records(path, columns=Columns(text="b")).texts == ("2",)
    with pytest.raises(InputError, match=r'd\.json has no column "c": .*"a", "b"'):
        read_records(path, columns=Columns(text="c"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"d\.json is empty: "),
        ("[]", r"d\.json holds no documents \(the file is empty\)"),
        ("{}", r"d\.json holds no array of objects"),
        ('"text"', r"d\.json holds no array of objects"),
        ('{"a": [1, 2]}', r"d\.json holds no array of objects"),
        ("[1, 2]", r"d\.json, row 0 \(counted from 0\): not a JSON object"),
        ('[{"text": "a"}, 2]', r"d\.json, row 1 \(counted from 0\): not a JSON object"),
        ('[{"text": "a"},\n{"text": ]', r"d\.json, line 2: not valid JSON"),
        ('[{"text": "a"}', r"d\.json, line 1: not valid JSON"),
        ('{"a": 1 "b": 2}', r"d\.json, line 1: not valid JSON"),
        ("{1: 2}", r"d\.json, line 1: not valid JSON"),
        ('[{"text": [1]}]', r"d\.json has no column with a usual name"),
        ('[{"text": "a"}, {"text": [1]}]', r'd\.json, row 1 \(counted from 0\): "text" holds a li'),
        ("[" * 100_000, r"d\.json is nested too deeply|d\.json, line 1"),
        ('[{"text": ' + "[" * 100_000 + "}]", r"d\.json is nested too deeply"),
        ('[{"text": ' + "9" * 5000 + "}]", r"d\.json is nested too deeply or holds a number"),
        (b'[{"text": "a"},\n{"text": "\xff"}]', r"d\.json, line 2: byte 11 is not UTF-8"),
    ],
)
def test_bad_json_is_named_in_one_sentence(write, content, message):
    with pytest.raises(InputError, match=message):
        read_records(write("d.json", content))
