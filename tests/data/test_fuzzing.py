"""Whatever bytes a file holds, a reader gives a value or an `InputError`."""

import gzip
import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.data import (
    EXTENSIONS,
    default_splitting,
    is_collection,
    list_columns,
    make_records,
    read_beir,
    read_judgements,
    read_records,
    with_vectors,
)
from mrl_explorer.errors import InputError

FILES = Path(__file__).parent / "files"
TEXTS = make_records(name="d.csv", texts=["a", "b"], ids=["1", "2"])


def saved(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def saved_hdf5():
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["distance"] = "angular"
        file.create_dataset("train", data=ARRAY)
    return buffer.getvalue()


def packed(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


TABLE = pa.table({"id": [1, 2], "text": ["a", "b"], "vector": [[1.0, 2.0], [3.0, 4.0]]})
ARRAY = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
CSV = b'id,text\n1,"a\nb"\n2,c\n'
JSONL = b'{"_id": "1", "text": "a"}\n{"_id": "2", "text": "b"}\n'
QRELS = b"1\t1\t1\n2\t2\t0\n"

WHOLE_FILES = {
    ".csv": CSV,
    ".tsv": CSV.replace(b",", b"\t"),
    ".txt": b"a\nb\n",
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".parquet": saved(lambda file: pq.write_table(TABLE, file)),
    ".npy": saved(lambda file: np.save(file, ARRAY)),
    ".json": b'{"rows": [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]}',
    ".md": b"---\na: b\n---\n# Title\n\nText with [a link](x) and `code`.\n\n|a|b|\n|-|-|\n|c|d|\n",
    ".html": b"<html><title>T</title><body><h1>a</h1><table><tr><td>b</table><p>c</body></html>",
    ".pdf": (FILES / "fpdf2.pdf").read_bytes(),
    ".docx": (FILES / "pandoc.docx").read_bytes(),
    ".h5": saved_hdf5(),
    ".npz": saved(lambda file: np.savez_compressed(file, vectors=ARRAY, ids=np.array(["1", "2"]))),
}
WHOLE_FILES |= {
    ".markdown": WHOLE_FILES[".md"],
    ".htm": WHOLE_FILES[".html"],
    ".hdf5": WHOLE_FILES[".h5"],
}
WHOLE_FILES |= {
    extension: gzip.compress(WHOLE_FILES[extension.removesuffix(".gz")])
    for extension in EXTENSIONS
    if extension.endswith(".gz")
}
FOLDER = packed({"a.md": b"# a", "b.csv": CSV, "c/d.html": b"<p>d", "e.pdf": b"no", "f.png": b""})
BEIR = packed({"corpus.jsonl": JSONL, "queries.jsonl": JSONL, "qrels/test.tsv": QRELS})


@st.composite
def damaged(draw, whole):
    """Cut a file short, or change a few of its bytes."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)) | st.just(len(content)))])


def read_all(name, content):
    """Read a file in every way that fits its name; only `InputError` may be raised."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        if name.endswith(".zip"):
            ways = (read_beir, read_records, is_collection, default_splitting)
        elif name.startswith("qrels"):
            ways = (lambda path: read_judgements(path, TEXTS, TEXTS),)
        else:
            ways = (list_columns, read_records, lambda path: with_vectors(TEXTS, path))
        for way in ways:
            try:
                way(path)
            except InputError as error:
                message = str(error)
                assert "\n" not in message
                assert message.endswith(".")


@pytest.mark.parametrize(
    "name", [*(f"x{e}" for e in EXTENSIONS), "x.zip", "qrels.tsv", "qrels.csv"]
)
@given(content=st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_random_bytes(name, content):
    read_all(name, content)


@pytest.mark.parametrize("extension", EXTENSIONS)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_damaged_files(extension, data):
    read_all(f"x{extension}", data.draw(damaged(WHOLE_FILES[extension])))


@pytest.mark.parametrize("extension", [".parquet", ".npy", ".npz"])
def test_every_byte_lost_in_turn(extension):
    whole = WHOLE_FILES[extension]
    for place in range(len(whole)):
        read_all(f"x{extension}", whole[:place] + b"\0" + whole[place + 1 :])


@pytest.mark.parametrize("whole", [BEIR, FOLDER], ids=["BEIR", "folder"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_archives(whole, data):
    read_all("x.zip", data.draw(damaged(whole)))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_documents_within_a_docx(data):
    """Damage in a packed member stops at its checksum, so it is made before packing."""
    with zipfile.ZipFile(FILES / "pandoc.docx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(members)))
    members[name] = data.draw(damaged(members[name]))
    read_all("x.docx", packed(members))


@pytest.mark.parametrize(
    "name", ["x.csv", "x.jsonl", "x.tsv", "x.txt", "x.json", "qrels.tsv", "qrels.csv", "qrels.json"]
)
@given(content=st.text(alphabet='{}[]":,;\t\n\r ab1"\\\x00\ufeff', max_size=60))
@settings(max_examples=100, deadline=None)
def test_random_punctuation(name, content):
    read_all(name, content.encode())


@pytest.mark.parametrize("name", ["x.html", "x.md"])
@given(content=st.text(alphabet="<>/&;!-[]()#*`~|=\"'\n dpb1\x00\ufeff", max_size=80))
@settings(max_examples=100, deadline=None)
def test_random_markup(name, content):
    read_all(name, content.encode())


@given(
    st.lists(st.text(st.characters(codec="utf-8")).filter(str.strip), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
)
@settings(deadline=None)
def test_csv_round_trip(texts, delimiter):
    lines = [
        f'{row}{delimiter}"{text.replace(chr(34), chr(34) * 2)}"' for row, text in enumerate(texts)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes("\n".join([f"id{delimiter}text", *lines]).encode())
        assert read_records(path).texts == tuple(texts)
