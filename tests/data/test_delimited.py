"""Rows that Arrow parses are those that Python's `csv` reads."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mrl_explorer.data import Columns, delimited, files
from mrl_explorer.errors import InputError

FIELDS = st.text(st.sampled_from('ab ,;"\n\r\té'), max_size=6)
ROUGH = st.text(st.sampled_from('a,"\n\r '), max_size=40)


def rows_by_csv(text):
    """Read rows by `csv` alone: (first line, fields), or the word that it refuses them."""
    reader = csv.reader(io.StringIO(text, newline="\n"), strict=True)
    line, found = 1, []
    try:
        for fields in reader:
            if fields:
                found.append((line, fields))
            line = reader.line_num + 1
    except csv.Error:
        return "refused"
    if any(len(fields) != len(found[0][1]) for _, fields in found):
        return "refused"
    return found[1:]


def rows_of(text, names, folder):
    path = Path(folder) / "rows.csv"
    path.write_bytes(text.encode())
    try:
        table = delimited.read_csv(path, Columns(id=names[0], text=names[-1]))
    except InputError:
        return "refused"
    first, last = table.cells[names[0]], table.cells[names[-1]]
    return list(zip(table.rows, first, last, strict=True))


def expected(text):
    found = rows_by_csv(text)
    if found == "refused":
        return found
    return [(line, fields[0], fields[-1]) for line, fields in found]


@pytest.fixture(params=[8, 2**21], ids=["small blocks", "usual blocks"])
def block_bytes(request, monkeypatch):
    monkeypatch.setattr(files, "_BLOCK_BYTES", request.param)


@pytest.mark.usefixtures("block_bytes")
@settings(max_examples=150)
@given(
    rows=st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    cut=st.booleans(),
)
def test_what_a_writer_wrote_is_read(rows, end, quoting, cut):
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    writer.writerow(["id", "title", "text"])
    writer.writerows(rows)
    text = out.getvalue()
    text = text.removesuffix(end) if cut else text
    with tempfile.TemporaryDirectory() as folder:
        assert rows_of(text, ("id", "text"), folder) == expected(text)


@pytest.mark.usefixtures("block_bytes")
@settings(max_examples=300)
@given(ROUGH)
@example('a"b",c\n')
@example('"a"b,c\n')
@example('"a""b",c\n""\n')
@example('"a\n\nb",c\n\n"d",""\n')
@example('a,"b\n')
@example("a,b\r")
@example("a,b\rc,d\n")
@example('a,"b"\r\n\r\n"c\r\n",d')
@example('a," ""b"" "\n,""""\n')
def test_anything_else_is_read_or_refused_alike(rough):
    text = "id,text\n" + rough
    with tempfile.TemporaryDirectory() as folder:
        assert rows_of(text, ("id", "text"), folder) == expected(text)


def test_arrow_reads_a_plain_file_and_leaves_an_odd_one(tmp_path, monkeypatch):
    """So that the comparisons above compare two ways of reading."""
    used = []
    by_csv = delimited._read_by_csv
    monkeypatch.setattr(
        delimited, "_read_by_csv", lambda *a, **k: used.append(a) or by_csv(*a, **k)
    )
    text = 'id,text\n1,"two\nlines, ""quoted"""\n'
    assert rows_of(text, ("id", "text"), tmp_path) == [(2, "1", 'two\nlines, "quoted"')]
    assert not used
    text = 'id,text\n1,5" pipe\n'
    assert rows_of(text, ("id", "text"), tmp_path) == [(2, "1", '5" pipe')]
    assert used
