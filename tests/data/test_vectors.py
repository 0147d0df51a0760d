import pickle
import zipfile

import numpy as np
import pytest

from mrl_explorer.data import Columns, list_columns, read_records
from mrl_explorer.data.vectors import check_vectors
from mrl_explorer.errors import InputError

TWO = np.array([[1, 2, 3], [4, 5, 6]])


@pytest.fixture
def save(tmp_path):
    def save_file(name, array):
        np.save(tmp_path / name, array)
        return tmp_path / name

    return save_file


@pytest.fixture
def save_npz(tmp_path):
    def save_file(name, **arrays):
        np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    return save_file


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "int8", "uint8", "int64", ">f4"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_any_number_type(save, dtype, order):
    path = save("v.npy", TWO.astype(dtype, order=order))
    assert list_columns(path) == ()
    records = read_records(path)
    assert records.vectors is not None
    assert records.vectors.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert records.vectors.dtype == np.float32
    assert records.vectors.flags.c_contiguous
    assert not records.vectors.flags.writeable
    assert records.texts is None
    assert records.ids == ("0", "1")
    assert not records.has_ids
    assert records.rows.tolist() == [0, 1]
    assert records.columns == Columns()


def test_vectors_are_independent_of_their_file(save):
    path = save("v.npy", TWO.astype(np.float32))
    records = read_records(path)
    path.write_bytes(b"")
    assert records.vectors is not None
    assert records.vectors.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_npy_in_version_2(tmp_path):
    path = tmp_path / "v.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, TWO, version=(2, 0))
    assert len(read_records(path)) == 2


def test_checking_copies_nothing():
    vectors = np.ones((3, 2), dtype=np.float32)
    assert check_vectors(vectors, name="v") is vectors


@pytest.mark.parametrize("name", ["vectors", "embeddings", "anything"])
def test_npz_with_one_array(save_npz, name):
    path = save_npz("v.npz", **{name: TWO})
    assert list_columns(path) == ()
    records = read_records(path)
    assert records.vectors is not None
    assert records.vectors.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert records.columns == Columns(vector=name)


def test_npz_with_ids_and_texts(save_npz):
    path = save_npz(
        "v.npz",
        embeddings=TWO,
        ids=np.array([7, 8]),
        texts=np.array(["a", "é"]),
        titles=np.array([b"A", "É".encode()]),
    )
    assert list_columns(path) == ("ids", "texts", "titles")
    records = read_records(path)
    assert records.ids == ("7", "8")
    assert records.texts == ("a", "é")
    assert records.titles == ("A", "É")
    assert len(records) == 2


def test_an_empty_text_takes_its_vector_out(save_npz):
    records = read_records(save_npz("v.npz", vectors=TWO, texts=np.array(["", "b"])))
    assert records.vectors is not None
    assert records.vectors.tolist() == [[4, 5, 6]]
    assert records.rows.tolist() == [1]


def test_npz_with_chosen_vectors(save_npz):
    path = save_npz("v.npz", small=TWO[:, :2], vectors=TWO)
    records = read_records(path, columns=Columns(vector="small"))
    assert records.vectors is not None
    assert records.vectors.shape == (2, 2)


def nan_row():
    array = np.ones((12, 2))
    array[7, 1] = np.nan
    return array


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones(3), r"v\.npy holds an array of shape \(3,\)"),
        (np.float64(3), r"v\.npy holds an array of shape \(\)"),
        (np.ones((2, 1)), r"v\.npy holds an array of shape \(2, 1\)"),
        (np.ones((2, 3, 4)), r"v\.npy holds an array of shape \(2, 3, 4\)"),
        (np.ones((0, 4)), r"v\.npy holds an array of shape \(0, 4\)"),
        (np.array([["a", "b"]]), r"v\.npy holds values of type <U1 where numbers"),
        (np.ones((2, 2), dtype=complex), r"v\.npy holds values of type complex128"),
        (np.ones((2, 2), dtype=bool), r"v\.npy holds values of type bool"),
        (nan_row(), r"v\.npy holds NaN, .* in 1 of 12 rows \(counted from 0: 7\): leave"),
        (np.array([[1, 1], [np.inf, 1]]), r"v\.npy holds NaN, infinite .*from 0: 1\)"),
        (np.array([[1, 1], [1e300, 1]]), r"v\.npy holds NaN, infinite or too large .*from 0: 1\)"),
        (
            np.zeros((7, 3)),
            r"zeros in 7 of 7 rows \(counted from 0: 0, 1, 2, 3, 4, \.\.\.\): leave",
        ),
        (np.array([[1, 1], [0, 0]]), r"v\.npy holds vectors of zeros in 1 of 2 rows .*leave these"),
    ],
)
def test_arrays_that_are_no_vectors(save, array, message):
    with pytest.raises(InputError, match=message):
        read_records(save("v.npy", array))


def test_objects_are_never_read(tmp_path):
    np.save(tmp_path / "v.npy", np.array([[{}, 1]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"v\.npy holds Python objects, .*: save plain numbers"):
        read_records(tmp_path / "v.npy")
    np.savez(tmp_path / "v.npz", ids=np.array(["a", None]), vectors=TWO, allow_pickle=True)
    with pytest.raises(InputError, match=r"v\.npz \(array ids\) holds Python objects"):
        read_records(tmp_path / "v.npz", columns=Columns(id="ids"))


NO_NPZ = r"v\.npz is not a whole NPZ file: copy it again, or save .* again with numpy\.savez\.$"


def test_a_pickle_under_the_name_of_an_array(write):
    with pytest.raises(InputError, match=r"v\.npy is not a readable NPY array"):
        read_records(write("v.npy", pickle.dumps(TWO)))
    with pytest.raises(InputError, match=NO_NPZ):
        read_records(write("v.npz", pickle.dumps(TWO)))


@pytest.mark.parametrize("length", [0, 5, 40, 140])
def test_a_truncated_npy_file(save, length):
    path = save("v.npy", TWO)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"v\.npy is (empty|not a readable NPY array|cut short)"):
        read_records(path)


@pytest.mark.parametrize("shape", ["(10**9, 9)", "(-2, 3)", "(1000000000000, 768)", "(True, 2)"])
def test_a_shape_that_lies(save, shape):
    path = save("v.npy", TWO)
    lie = path.read_bytes().replace(b"(2, 3)", shape.encode()).replace(b" \n", b"\n")
    path.write_bytes(lie)
    with pytest.raises(InputError, match=r"v\.npy"):
        read_records(path)


def test_a_damaged_npz_file(save_npz):
    whole = save_npz("v.npz", vectors=TWO).read_bytes()
    # Cut short, or with other bytes in its array than its checksum says.
    for damaged in (whole[:-30], whole.replace(TWO.tobytes(), b"\1" * TWO.nbytes)):
        path = save_npz("v.npz", vectors=TWO)
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=NO_NPZ):
            read_records(path)


@pytest.mark.parametrize(
    ("arrays", "columns", "message"),
    [
        ({"vectors": TWO, "ids": np.array(["a"])}, None, r"v\.npz holds 2 vectors and 1 ids: save"),
        (
            {"a": TWO, "b": TWO},
            None,
            r'v\.npz may hold vectors .* \("a", "b"\)',
        ),
        ({"vectors": TWO, "embeddings": TWO}, None, r"v\.npz may hold vectors in more than one"),
        ({"vectors": TWO}, Columns(id="ids"), r'v\.npz has no column "ids"'),
        ({"vectors": TWO}, Columns(vector="v"), r'v\.npz has no vectors in "v"'),
        ({"vectors": TWO, "ids": TWO}, None, r"v\.npz \(array ids\) holds values of type int64"),
        ({"vectors": TWO, "ids": np.ones(2)}, None, r"\(array ids\) holds values of type float64"),
        ({"texts": np.array([b"\xff"]), "vectors": TWO[:1]}, None, r"\(array texts\) .*not text"),
        ({"vectors": np.zeros((2, 2))}, None, r"v\.npz \(array vectors\) holds vectors of zeros"),
    ],
)
def test_bad_npz_files(save_npz, arrays, columns, message):
    with pytest.raises(InputError, match=message):
        read_records(save_npz("v.npz", **arrays), columns=columns)


def test_an_npz_file_without_arrays(tmp_path):
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(InputError, match=r"v\.npz holds no arrays"):
        read_records(tmp_path / "v.npz")


def test_a_text_array_with_characters_outside_unicode(save_npz):
    texts = np.array(["ab"]).view("u4").copy()
    texts[1] = 0x7FFFFFFF
    path = save_npz("v.npz", texts=texts.view("U2"), vectors=TWO[:1])
    with pytest.raises(InputError, match=r"\(array texts\) holds bytes that are not text"):
        read_records(path)
