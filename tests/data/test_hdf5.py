import h5py
import numpy as np
import pytest

from mrl_explorer.data import Columns, is_collection, read_collection, read_records, with_vectors
from mrl_explorer.errors import InputError

TRAIN = np.array([[3, 4], [1, 0], [0, 2]], dtype=np.float32)
TEST = np.array([[1, 1]], dtype=np.float64)


@pytest.fixture
def save(tmp_path):
    """Write a file as ann-benchmarks' own script does."""

    def save_file(name="set.hdf5", distance="angular", **tables):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            if distance is not None:
                file.attrs["distance"] = distance
            for table, content in (tables or {"train": TRAIN, "test": TEST}).items():
                file.create_dataset(table, data=content)
            file.create_dataset("neighbors", data=np.zeros((1, 3), np.int32))
            file.create_dataset("distances", data=np.zeros((1, 3), np.float32))
        return path

    return save_file


@pytest.mark.parametrize("name", ["set.hdf5", "set.h5"])
@pytest.mark.parametrize("distance", ["angular", "cosine", None, np.bytes_(b"angular")])
def test_documents_and_queries(save, name, distance):
    path = save(name, distance)
    assert is_collection(path)
    collection = read_collection(path)
    assert collection.documents.vectors.tolist() == TRAIN.tolist()
    assert collection.queries.vectors.tolist() == TEST.tolist()
    assert collection.queries.vectors.dtype == np.float32
    assert collection.documents.columns == Columns(vector="train")
    assert collection.documents.texts is None


def test_a_single_data_set_of_any_name(save, write):
    path = save(embeddings=TRAIN)
    assert not is_collection(path)
    assert read_records(path).vectors.shape == (3, 2)
    joined = with_vectors(read_records(write("d.txt", "a\nb\nc\n")), path)
    assert joined.vectors.tolist() == TRAIN.tolist()


@pytest.mark.parametrize("distance", ["euclidean", "L2", "hamming", "jaccard"])
def test_another_metric_is_refused_with_the_reason(save, distance):
    with pytest.raises(InputError, match=rf'set\.hdf5 declares the distance "{distance.lower()}"'):
        read_collection(save(distance=distance))


def test_a_metric_in_the_files_name_counts_when_none_is_declared(save):
    with pytest.raises(InputError, match='declares the distance "euclidean"'):
        read_collection(save("sift-128-euclidean.hdf5", None))


def test_the_inner_product_of_unit_vectors_is_their_cosine(save):
    units = TRAIN / np.linalg.norm(TRAIN, axis=1, keepdims=True)
    read_records(save(distance="dot", v=units))
    with pytest.raises(InputError, match='"dot" for vectors of different lengths'):
        read_records(save("other.h5", "dot", v=TRAIN))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"train": TRAIN, "test": TEST}, r'more than one place \("test", "train"\)'),
        ({"words": np.arange(3)}, r"set\.hdf5 holds no table of vectors"),
        ({"v": np.array([[np.nan, 1]])}, r"set\.hdf5 \(data set v\) holds NaN"),
        ({"v": np.array([[b"a", b"b"]])}, r"set\.hdf5 \(data set v\) holds values of type"),
    ],
)
def test_what_holds_no_vectors_or_too_many(save, tables, message):
    with pytest.raises(InputError, match=message):
        read_records(save(**tables))


def test_a_link_to_another_file_is_not_followed(save, tmp_path):
    secret = save("secret.h5", v=TRAIN)
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["v"] = h5py.ExternalLink(str(secret), "v")
    with pytest.raises(InputError, match=r"link\.h5 is not a whole, readable HDF5 file"):
        read_records(tmp_path / "link.h5")


def test_a_damaged_file(write):
    with pytest.raises(InputError, match=r"d\.h5 is not a whole, readable HDF5 file"):
        read_records(write("d.h5", b"\x89HDF\r\n\x1a\n and no more"))
