"""Objects that Arrow parses are those that Python's `json` reads."""

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import Columns, files, json_file, json_lines, read_records
from mrl_explorer.errors import InputError

WANTED = Columns(text="text", title="title", id="id")

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["},\n{", '"}, {"id"', "]}", "\\", "\ud83d", "a\rb", "\u2028", "\ufeff"]
)
SCALARS = TEXTS | st.integers() | st.integers(2**63 - 1, 2**64) | st.floats() | st.booleans()
VALUES = st.recursive(
    SCALARS | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.fixed_dictionaries(
    {"text": TEXTS},
    optional={"title": TEXTS | st.none() | SCALARS, "other": VALUES, "a": st.just([{"b": 1}] * 2)},
)
# Most ids of a file are of one kind.
ALL_OBJECTS = st.tuples(
    st.lists(OBJECTS, min_size=1, max_size=30),
    st.sampled_from([str, int, lambda row: row / 2, lambda row: row or None]),
    st.booleans(),
).map(
    lambda drawn: [
        {"id": drawn[1](row), **found} if drawn[2] else {**found, "id": drawn[1](row)}
        for row, found in enumerate(drawn[0], 1)
    ]
)


def plain(value):
    """Write a value as a cell, by the rules and nothing else."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()


def check(path, objects):
    rows = [
        row
        for row, found in enumerate(objects)
        if plain(found["text"]).strip() or plain(found.get("title")).strip()
    ]
    if not rows or not any("title" in found for found in objects):
        with pytest.raises(InputError, match=r"holds no documents|no column"):
            read_records(path, columns=WANTED)
        return
    records = read_records(path, columns=WANTED)
    assert records.positions.tolist() == rows
    assert records.texts == [plain(objects[row]["text"]) for row in rows]
    assert records.titles == [plain(objects[row].get("title")) for row in rows]
    assert records.ids == [plain(objects[row]["id"]) for row in rows]


@pytest.fixture(scope="module")
def small_pieces():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_BLOCK_BYTES", 200)
        patch.setattr(json_file, "_PIECE_BYTES", 200)
        yield


@pytest.mark.usefixtures("small_pieces")
@given(ALL_OBJECTS, st.booleans(), st.sampled_from(["\n", "\r\n", "\n\n", " \n"]))
@settings(max_examples=200, deadline=None)
def test_lines(tmp_path_factory, objects, is_ascii, line_end):
    is_ascii |= "\ud83d" in json.dumps(objects, ensure_ascii=False)
    lines = [json.dumps(found, ensure_ascii=is_ascii) for found in objects]
    path = tmp_path_factory.mktemp("lines") / "d.jsonl"
    path.write_bytes((line_end.join(lines) + line_end).encode())
    check(path, objects)


@pytest.mark.usefixtures("small_pieces")
@given(
    ALL_OBJECTS,
    st.sampled_from([None, 0, 2]),
    st.sampled_from(["{}", '{{"n": 1, "rows": {}}}', '{{"rows": {}, "n": [{{"id": 1}}]}}']),
)
@settings(max_examples=200, deadline=None)
def test_arrays(tmp_path_factory, objects, indent, around):
    path = tmp_path_factory.mktemp("arrays") / "d.json"
    path.write_text(around.format(json.dumps(objects, indent=indent)))
    check(path, objects)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("extension", [".jsonl", ".json"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"text": ["a"]}', "holds a list"),
        ("[1]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"text": "a" "id": 1}', "not valid JSON"),
        ('{"text": "a\tb"}', "not valid JSON"),
        ('{"text": "a"}\0', "not valid JSON"),
        ('{"text":\n"a"}{"text": "b"}', "not valid JSON"),
        (b'{"text": "a", "other": "\xff"}', "is not UTF-8"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 20, 29])
def test_what_is_wrong_is_named_wherever_it_stands(write, extension, bad, message, place):
    good = [json.dumps({"text": "word " * 5, "id": row}).encode() for row in range(30)]
    good[place] = bad.encode() if isinstance(bad, str) else bad
    whole = b"\n".join(good) if extension == ".jsonl" else b"[" + b",\n".join(good) + b"]"
    with pytest.raises(InputError, match=message) as caught:
        read_records(write(f"d{extension}", whole), columns=Columns(text="text"))
    word, number = re.search(r"(line|row) (\d+)", str(caught.value)).groups()
    is_on_next_line = extension == ".json" and b"\n" in good[place]
    assert int(number) == place + (word == "line") + is_on_next_line


@pytest.mark.usefixtures("small_pieces")
def test_ids_of_another_kind_further_on(write):
    ids = [*range(1, 61), *(f"x{row}" for row in range(60)), *range(100, 160)]
    lines = [json.dumps({"id": identity, "text": f"text {identity}"}) for identity in ids]
    records = read_records(write("d.jsonl", "\n".join(lines)))
    assert records.ids == list(map(str, ids))
    assert records.texts == [f"text {identity}" for identity in ids]
    assert records.rows.tolist() == list(range(1, 181))


def test_usual_lines_are_not_read_one_by_one(write, monkeypatch):
    decode, alone = json_lines._object, []

    def noted(line, **place):
        alone.append(place["number"])
        return decode(line, **place)

    monkeypatch.setattr(json_lines, "_object", noted)
    lines = [json.dumps({"id": row, "text": f"text {row}", "tags": [{}]}) for row in range(200)]
    path = write("d.jsonl", "\n".join(lines))
    columns = Columns(text="text", id="id")
    for size in (500, 2**20):
        monkeypatch.setattr(files, "_BLOCK_BYTES", size)
        assert read_records(path, columns=columns).texts == [f"text {row}" for row in range(200)]
    # The last one has no line end and is a block of its own.
    assert set(alone) == {200}


def test_lines_longer_than_a_block(write, monkeypatch):
    monkeypatch.setattr(files, "_BLOCK_BYTES", 64)
    texts = ["x" * (1 + row * 37 % 400) for row in range(50)]
    path = write("d.jsonl", "\n".join(json.dumps({"text": text}) for text in texts))
    assert read_records(path).texts == texts
    assert read_records(write("d.txt", "\n".join(texts))).texts == texts
    path = write("d.csv", "text\n" + "\n".join(f'"{text}\n{text}"' for text in texts))
    records = read_records(path)
    assert records.texts == [f"{text}\n{text}" for text in texts]
    assert records.rows.tolist() == list(range(2, 102, 2))


def test_a_usual_array_is_not_read_a_second_time(write, monkeypatch):
    def refuse(*args):
        raise AssertionError("read object by object")

    rows = [{"id": row, "text": f"text {row}", "tags": [{"a": 1}, {"a": 2}]} for row in range(200)]
    monkeypatch.setattr(json_file, "_PIECE_BYTES", 500)
    monkeypatch.setattr(json_file, "_objects", refuse)
    for indent in (None, 1):
        for value in (rows, {"version": 1, "data": rows}):
            path = write(f"d{indent}.json", json.dumps(value, indent=indent))
            assert read_records(path).texts == [f"text {row}" for row in range(200)]
