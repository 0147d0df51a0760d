import shutil
import zipfile
from pathlib import Path

import pytest

from mrl_explorer.data import (
    WHOLE,
    Splitting,
    content_stamp,
    default_splitting,
    is_collection,
    list_columns,
    read_records,
)
from mrl_explorer.errors import InputError

FILES = Path(__file__).parent / "files"


@pytest.fixture
def mixed(tmp_path, write):
    """A folder of files of all kinds, with some that are no documents."""
    for name in ("chromium.pdf", "pandoc.docx", "pandoc.html", "encrypted.pdf"):
        (tmp_path / "set").mkdir(exist_ok=True)
        shutil.copy(FILES / name, tmp_path / "set" / name)
    write("set/inner/notes.txt", "one\ntwo\n")
    write("set/inner/rows.csv", "text\nfirst\nsecond\n")
    write("set/ids.jsonl", '{"id": "x", "title": "T", "text": "a"}\n')
    write("set/queries.csv", "id,text\n1,a\n")
    write("set/logo.png", b"\x89PNG")
    write("set/.hidden.txt", "no")
    write("set/__MACOSX/._rows.csv", b"\0")
    return tmp_path / "set"


def packed(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_each_file_is_a_document_and_each_row_of_a_table(mixed, zipped):
    path = packed(mixed) if zipped else mixed
    assert list_columns(path) == ("id", "title", "text")
    assert not is_collection(path)
    records = read_records(path)
    assert records.ids == (
        *("chromium.pdf", "x", "inner/notes.txt", "inner/rows.csv:2", "inner/rows.csv:3"),
        *("pandoc.docx", "pandoc.html"),
    )
    assert records.texts[1:5] == ("a", "one\ntwo\n", "first", "second")
    assert records.titles[:3] == ("Chromium print", "T", "")
    assert records.notes == (
        "1 file is of other kinds and left out (.png).",
        '"queries.csv" left out, as the name is that of queries or judgements: give them in their '
        "own fields.",
        "1 file is unreadable and left out. encrypted.pdf is encrypted: save it without a "
        "password.",
    )
    assert default_splitting(path) == Splitting()


def test_a_folder_of_tables_is_not_split(write, tmp_path):
    write("set/a.csv", "id,text\n1,a\n")
    write("set/b.parquet", (FILES / "polars.parquet").read_bytes())
    assert default_splitting(tmp_path / "set") == WHOLE
    with pytest.raises(InputError, match=r'set: the id "1" is in a\.csv and in b\.parquet'):
        read_records(tmp_path / "set")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "set holds no documents: give a folder or ZIP archive of Markdown"),
        ({"a.png": b""}, "set holds no documents"),
        ({"a.npy": b""}, "set holds no documents"),
        ({"a.pdf": b""}, r"set holds no file that can be read: a\.pdf is empty"),
        ({"a.csv": b"x,y\n1,2\n"}, r"a\.csv has no column with a usual name for texts"),
    ],
)
def test_folders_with_nothing_to_read(tmp_path, write, files, message):
    (tmp_path / "set").mkdir()
    for name, content in files.items():
        write(f"set/{name}", content)
    with pytest.raises(InputError, match=message):
        read_records(tmp_path / "set")


def test_a_link_out_of_the_folder_is_not_followed(write, tmp_path):
    write("set/a.txt", "a")
    (tmp_path / "set" / "b.txt").symlink_to(write("secret.txt", "secret"))
    (tmp_path / "set" / "c").symlink_to(tmp_path)
    assert read_records(tmp_path / "set").texts == ("a",)


def test_a_changed_file_within_changes_the_stamp(write, tmp_path):
    write("set/inner/a.txt", "a")
    before = content_stamp(tmp_path / "set")
    assert content_stamp(tmp_path / "set") == before
    write("set/inner/a.txt", "ab")
    assert content_stamp(tmp_path / "set") != before


def test_a_missing_folder(tmp_path):
    with pytest.raises(InputError, match="none does not exist"):
        content_stamp(tmp_path / "none")
