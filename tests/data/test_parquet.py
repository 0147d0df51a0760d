import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mrl_explorer.data import Columns, list_columns, read_records
from mrl_explorer.errors import InputError

TWO = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


@pytest.fixture
def save(tmp_path):
    def save_file(**columns):
        path = tmp_path / "d.parquet"
        pq.write_table(pa.table(columns), path)
        return path

    return save_file


def test_columns_of_any_plain_type_are_text(save):
    path = save(
        id=[7, 8],
        text=pa.array(["a", "b"]).dictionary_encode(),
        title=pa.array(["A", None], pa.large_string()),
        type=[datetime.date(2024, 5, 1), None],
        labels=[[1], [2, 3]],
    )
    assert list_columns(path) == ("id", "text", "title", "type")
    records = read_records(path)
    assert records.ids == ("7", "8")
    assert records.texts == ("a", "b")
    assert records.titles == ("A", "")
    assert records.segments == ("2024-05-01", "")
    assert records.vectors is None
    assert records.rows.tolist() == [0, 1]
    assert records.columns == Columns(text="text", title="title", id="id", segment="type")


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()),
        pa.list_(pa.float32(), 3),
        pa.large_list(pa.float64()),
        pa.list_(pa.float16()),
        pa.list_(pa.int8()),
    ],
)
def test_vectors_in_lists_of_any_kind(save, kind):
    numbers = np.array(TWO).astype(kind.value_type.to_pandas_dtype())
    path = save(embedding=pa.array(list(numbers), kind), text=["a", "b"])
    assert list_columns(path) == ("text",)
    records = read_records(path)
    assert records.vectors is not None
    assert records.vectors.tolist() == TWO
    assert records.vectors.dtype == np.float32
    assert not records.vectors.flags.writeable
    assert records.columns == Columns(text="text", vector="embedding")


def test_vectors_alone(save):
    records = read_records(save(v=TWO))
    assert records.texts is None
    assert len(records) == 2


def test_vectors_of_several_batches_stay_in_order(save):
    vectors = np.arange(1, 20_001, dtype=np.float32).reshape(10_000, 2)
    records = read_records(save(v=list(vectors)))
    assert records.vectors is not None
    assert np.array_equal(records.vectors, vectors)


@pytest.mark.parametrize("n_letters", [0, 30, 3_000])
@pytest.mark.parametrize("rows_in_group", [1_000, 100_000])
def test_short_and_long_texts_of_several_batches_stay_in_order(tmp_path, n_letters, rows_in_group):
    texts = [f"{row} é{'x' * (row * 37 % (n_letters + 1))}" for row in range(5_000)]
    kinds = [None if row % 7 == 3 else row % 5 for row in range(5_000)]
    path = tmp_path / "d.parquet"
    table = pa.table({"id": np.arange(5_000) + 9_998, "text": texts, "type": kinds})
    pq.write_table(table, path, row_group_size=rows_in_group)
    records = read_records(path)
    assert records.ids == [str(row + 9_998) for row in range(5_000)]
    assert records.texts == texts
    assert records.segments == ["" if kind is None else str(kind) for kind in kinds]


def test_few_long_texts_are_read_at_a_time(tmp_path, monkeypatch):
    wanted = []
    whole = pq.ParquetFile.iter_batches

    def iter_batches(file, batch_size, **options):
        wanted.append(batch_size)
        return whole(file, batch_size, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", iter_batches)
    for size in (10, 1_000, 100_000):
        path = tmp_path / "d.parquet"
        texts = [f"{row:0{size}}" for row in range(200)]
        pq.write_table(pa.table({"text": texts}), path, use_dictionary=False)
        assert read_records(path).texts == texts
    # At most 2 MiB of each, and whole pages.
    assert wanted == [2**15, 2_048, 16]


def test_chosen_vectors(save):
    path = save(a=TWO, b=[[1, 2], [3, 4]])
    assert read_records(path, columns=Columns(vector="b")).vectors.shape == (2, 2)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"v": [[1.0, 2.0], [1.0]]}, r"d\.parquet \(column v\), row 1 .*not the 2 components"),
        ({"v": [None, [1.0, 2.0]]}, r"d\.parquet \(column v\), row 0 .*not the 2 components"),
        ({"v": pa.array([None], pa.list_(pa.float32()))}, r"d\.parquet \(column v\), row 0"),
        ({"v": [[1.0, None], [1.0, 2.0]]}, r"d\.parquet \(column v\) holds NaN.*from 0: 0\)"),
        ({"v": [[1.0, 2.0], [0.0, 0.0]]}, r"d\.parquet \(column v\) holds vectors of zeros"),
        ({"v": [[1e300, 2.0]]}, r"d\.parquet \(column v\) holds NaN, infinite or too large"),
        ({"v": [[], []]}, r"d\.parquet"),
        ({"v": pa.array([], pa.list_(pa.float32()))}, r"d\.parquet \(column v\) holds an array"),
        ({"a": [[1.0, 2.0]], "b": [[1.0, 2.0]]}, r"d\.parquet may hold vectors in more than one"),
        ({"a": ["x"], "b": ["y"]}, r'd\.parquet has no column with a usual name .*"a", "b"'),
        ({"text": pa.array([], pa.string())}, r"d\.parquet holds no documents \(the file is empty"),
        (
            {"id": [1, 1], "text": ["a", "b"]},
            r'row 1 \(counted from 0\): the id "1" is also that of row 0',
        ),
        (
            {"text": pa.array([b"\xff"])},
            r"d\.parquet is (empty|not a whole, readable)",
        ),
    ],
)
def test_bad_columns(save, columns, message):
    with pytest.raises(InputError, match=message):
        read_records(save(**columns))


def test_a_missing_chosen_column_is_named(save):
    with pytest.raises(InputError, match=r'd\.parquet has no column "body": .*"text"'):
        read_records(save(text=["a"]), columns=Columns(text="body"))


@pytest.mark.parametrize("keep", [0, 3, 100, -4])
def test_a_truncated_file(save, keep):
    path = save(text=["a"])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        InputError, match=r"d\.parquet is (empty|not a whole, readable Parquet file)"
    ):
        read_records(path)
