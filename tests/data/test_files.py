import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import files, read_records
from mrl_explorer.data.files import check_unpacked, text_lines
from mrl_explorer.data.wording import listed, quoted
from mrl_explorer.errors import InputError


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv does not exist"):
        read_records(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["d.csv", "d.txt.gz", "d.parquet", "d.npy", "d.npz"])
def test_a_folder_is_read_as_one_whatever_its_name(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"{name} holds no documents: give a folder"):
        read_records(tmp_path / name)


def test_a_file_that_may_not_be_read(write, monkeypatch):
    path = write("d.txt", "a")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"d\.txt may not be read"):
        read_records(path)


def test_a_disk_that_fails(write, monkeypatch):
    path = write("d.txt", "a")

    def fail(*args, **kwargs):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(InputError, match=r"d\.txt cannot be read \(Input/output error\)"):
        read_records(path)


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip at all",
        gzip.compress(b"text" * 100, mtime=0)[:-9],
        gzip.compress(b"a", mtime=0)[:12] + b"\xff" * 9,
    ],
)
def test_a_damaged_gzip_file(tmp_path, content):
    path = tmp_path / "d.txt.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"d\.txt\.gz is not a whole gzip file"):
        read_records(path)


def test_a_gzip_bomb_is_refused(write):
    line = b"a" * 1_000_000 + b"\n"
    with pytest.raises(InputError, match=r"d\.txt\.gz unpacks to more than 200 times its size"):
        read_records(write("d.txt.gz", line * 52))


def test_an_endless_line_is_refused(write, monkeypatch):
    monkeypatch.setattr(files, "_LINE_LIMIT_BYTES", 10)
    with pytest.raises(InputError, match=r"d\.txt, line \d+: longer than"):
        list(text_lines(write("d.txt", "a\n" + "b" * 11)))


def test_what_may_be_unpacked():
    check_unpacked(50_000_000, packed_bytes=1, name="x")  # small files may shrink a lot
    check_unpacked(200_000_000, packed_bytes=1_000_000, name="x")
    with pytest.raises(InputError, match="x unpacks to more than 200 times"):
        check_unpacked(200_000_001, packed_bytes=1_000_000, name="x")
    with pytest.raises(InputError, match=r"x unpacks to more than 0\.001 GB"):
        check_unpacked(1_000_001, packed_bytes=1_000_000, name="x", limit_bytes=10**6)


def test_values_in_messages_are_short_and_on_one_line():
    assert quoted('a\n"b"') == r'"a\n\"b\""'
    assert quoted("é" * 100) == '"' + "é" * 60 + '…"'
    assert listed([]) == "none"
    assert listed(["a", "b"]) == '"a", "b"'
    assert listed(map(str, range(15))).endswith('"11", 3 more')


@given(
    st.lists(st.text("ab\r\u00e9\u201c", max_size=30), min_size=1, max_size=40),
    st.integers(1, 100),
)
@settings(max_examples=200, deadline=None)
def test_lines_in_blocks_of_any_size(tmp_path_factory, lines, block_bytes):
    content = "\n".join(lines)
    path = tmp_path_factory.mktemp("lines") / "d.txt"
    path.write_bytes(content.encode())
    expected = [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_BLOCK_BYTES", block_bytes)
        assert list(text_lines(path)) == expected
