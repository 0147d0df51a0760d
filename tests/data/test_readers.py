import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mrl_explorer.data import EXTENSIONS, read_records, with_vectors
from mrl_explorer.errors import InputError

THREE = np.array([[1, 1], [2, 2], [3, 3]], dtype=np.float32)


def test_an_unknown_kind_lists_the_known_ones(write):
    with pytest.raises(InputError, match=r'"d\.doc" is of no known kind: .*\.csv, .*\.hdf5\.'):
        read_records(write("d.doc", "a"))


def test_the_kind_is_told_whatever_the_case(write):
    assert read_records(write("D.TXT", "a")).texts == ("a",)
    assert read_records(write("Q.TSV", "a, b\nc\n")).texts == ("c",)


def test_every_known_ending():
    assert set(EXTENSIONS) == {
        *(".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet", ".npy", ".npz"),
        *(".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz", ".h5", ".hdf5"),
        *(".md", ".markdown", ".html", ".htm", ".pdf", ".docx"),
    }


def test_vectors_join_by_row_and_skip_those_of_empty_texts(write, tmp_path):
    records = read_records(write("d.txt", "a\n\nc\n"))
    np.save(tmp_path / "v.npy", THREE)
    joined = with_vectors(records, tmp_path / "v.npy")
    assert joined.vectors.tolist() == [[1, 1], [3, 3]]
    assert joined.texts == ("a", "c")
    assert joined.name == "d.txt"
    assert not joined.vectors.flags.writeable


def test_vectors_join_selected_records_by_row(write, tmp_path):
    records = read_records(write("d.txt", "a\nb\nc\n")).select(np.array([2]))
    np.save(tmp_path / "v.npy", THREE)
    assert with_vectors(records, tmp_path / "v.npy").vectors.tolist() == [[3, 3]]


def test_vectors_join_by_row_when_only_one_file_has_ids(write, tmp_path):
    records = read_records(write("d.csv", "id,text\nx,a\ny,b\nz,c\n"))
    np.save(tmp_path / "v.npy", THREE)
    assert with_vectors(records, tmp_path / "v.npy").vectors.tolist() == THREE.tolist()


def test_vectors_join_by_id_in_any_order(write, tmp_path):
    records = read_records(write("d.csv", "id,text\nx,a\ny,b\n"))
    np.savez(tmp_path / "v.npz", vectors=THREE, ids=np.array(["y", "unused", "x"]))
    joined = with_vectors(records, tmp_path / "v.npz")
    assert joined.vectors.tolist() == [[3, 3], [1, 1]]
    assert joined.columns.vector == "vectors"


def test_texts_beside_the_vectors_do_not_matter(write, tmp_path):
    records = read_records(write("d.txt", "a\nb\nc\n"))
    pq.write_table(pa.table({"text": ["", "", "x"], "v": THREE.tolist()}), tmp_path / "v.parquet")
    assert with_vectors(records, tmp_path / "v.parquet").vectors.tolist() == THREE.tolist()


def test_missing_vectors_are_counted_and_named(write, tmp_path):
    records = read_records(write("d.csv", "id,text\nx,a\ny,b\nz,c\n"))
    np.savez(tmp_path / "v.npz", vectors=THREE[:1], ids=np.array(["y"]))
    with pytest.raises(
        InputError, match=r'v\.npz has no vector for 2 of the 3 ids of d\.csv \("x"'
    ):
        with_vectors(records, tmp_path / "v.npz")


def test_lengths_that_differ_are_counted_with_empty_texts(write, tmp_path):
    records = read_records(write("d.txt", "a\n\nc\nd\n"))
    np.save(tmp_path / "v.npy", THREE)
    with pytest.raises(InputError, match=r"v\.npy holds 3 vectors and d\.txt 4 records"):
        with_vectors(records, tmp_path / "v.npy")


@pytest.mark.parametrize("name", ["v.csv", "v.txt"])
def test_a_file_without_vectors(write, name):
    records = read_records(write("d.txt", "a\n"))
    with pytest.raises(InputError, match=rf"{name} holds no vectors: give an NPY"):
        with_vectors(records, write(name, "text\n1\n"))
