import numpy as np
import pytest

from mrl_explorer.data.collection import make_records, own_rows, passages
from mrl_explorer.errors import InputError


def test_records_without_ids_are_numbered_by_position():
    records = make_records(name="d.txt", texts=["a", " ", "c"], rows=[1, 2, 3], row_word="line")
    assert records.texts == ("a", "c")
    assert records.ids == ("0", "2")
    assert not records.has_ids
    assert records.rows.tolist() == [1, 3]
    assert records.positions.tolist() == [0, 2]
    assert (len(records), records.n_read, records.n_empty) == (2, 3, 1)
    assert records.left_out_ids == {"1"}


def test_a_record_is_empty_when_text_and_title_are():
    records = make_records(
        name="d", texts=["", None, "c"], titles=["A", "", None], ids=["x", "y", "z"]
    )
    assert records.ids == ("x", "z")
    assert records.texts == ("", "c")
    assert records.titles == ("A", "")
    assert passages(records) == ["A", "c"]
    assert records.left_out_ids == {"y"}


def test_passages_join_title_and_text():
    titled = make_records(name="d", texts=["b", "c"], titles=["A", " "])
    assert passages(titled) == ["A b", "c"]
    assert passages(make_records(name="d", texts=["b"])) == ["b"]


def test_passages_need_texts():
    vectors = np.ones((1, 2), dtype=np.float32)
    with pytest.raises(InputError, match=r"v\.npy holds vectors and no texts"):
        passages(make_records(name="v.npy", vectors=vectors))


def test_duplicates_are_counted_and_stay():
    assert make_records(name="d", texts=["a", "a", "b", "a"]).n_duplicates == 2
    # The same text under another title is another passage.
    assert make_records(name="d", texts=["a", "a"], titles=["T", "U"]).n_duplicates == 0
    assert make_records(name="d", vectors=np.ones((2, 2), dtype=np.float32)).n_duplicates == 0


def test_ids_and_segments_are_trimmed():
    records = make_records(name="d", texts=["a", "b"], ids=[" 1 ", "2"], segments=[" x", None])
    assert records.ids == ("1", "2")
    assert records.segments == ("x", "")


def test_a_double_id_names_both_rows():
    with pytest.raises(InputError, match=r'd\.csv, line 9: the id "x" is also that of line 4'):
        make_records(
            name="d.csv",
            texts=["a", "b", "c"],
            ids=["y", "x", "x"],
            rows=[2, 4, 9],
            row_word="line",
        )


def test_a_left_out_record_keeps_its_id_to_itself():
    with pytest.raises(InputError, match=r"row 1 \(counted from 0\): the id"):
        make_records(name="d", texts=["a", ""], ids=["x", "x"])


def test_a_missing_id_names_its_row():
    with pytest.raises(InputError, match=r"d\.npz, row 1 \(counted from 0\): the id is empty"):
        make_records(name="d.npz", texts=["a", "b"], ids=["x", None])


def test_an_empty_record_needs_no_id():
    records = make_records(name="d", texts=["a", "", None], ids=["x", "", None])
    assert records.ids == ("x",)
    assert records.left_out_ids == frozenset()
    assert records.n_empty == 2


@pytest.mark.parametrize(
    ("texts", "reason"), [([], "the file is empty"), (["", " "], "every text of the 2 is empty")]
)
def test_nothing_left_is_an_error(texts, reason):
    with pytest.raises(InputError, match=rf"q\.txt holds no queries \({reason}\)"):
        make_records(name="q.txt", texts=texts, what="queries")


def test_select_keeps_every_column_in_step():
    records = make_records(
        name="d",
        texts=["a", "b", "c"],
        titles=["A", "B", "C"],
        ids=["x", "y", "z"],
        segments=["s", "t", "u"],
        vectors=np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32),
        rows=[2, 3, 7],
    )
    selected = records.select(np.array([2, 0]))
    assert selected.texts == ("c", "a")
    assert selected.titles == ("C", "A")
    assert selected.ids == ("z", "x")
    assert selected.segments == ("u", "s")
    assert selected.vectors is not None
    assert selected.vectors.tolist() == [[5, 6], [1, 2]]
    assert selected.rows.tolist() == [7, 2]
    assert selected.positions.tolist() == [2, 0]
    assert selected.n_read == 3
    assert not selected.vectors.flags.writeable
    assert not selected.rows.flags.writeable


def test_selected_records_count_their_own_duplicates():
    assert make_records(name="d", texts=["a", "a", "b"]).select(np.array([1, 2])).n_duplicates == 0


def test_own_rows_match_ids():
    documents = make_records(name="d", texts=["a", "b", "c"], ids=["x", "y", "z"])
    queries = make_records(name="q", texts=["c", "new", "a"], ids=["z", "w", "x"])
    rows = own_rows(documents, queries)
    assert rows.tolist() == [2, -1, 0]
    assert rows.dtype == np.int64


def test_own_rows_match_places_in_the_same_file():
    documents = make_records(name="d.txt", texts=["", "b", "c"])
    queries = make_records(name="d.txt", texts=["", "b", "c"]).select(np.array([1]))
    assert own_rows(documents, queries).tolist() == [1]


def test_own_rows_need_ids_in_both_files():
    documents = make_records(name="d.csv", texts=["a"], ids=["x"])
    queries = make_records(name="q.txt", texts=["a"])
    with pytest.raises(InputError, match=r"q\.txt has no ids"):
        own_rows(documents, queries)
    with pytest.raises(InputError, match=r"q\.txt has no ids"):
        own_rows(queries, documents)


@pytest.mark.parametrize(("name", "texts"), [("q.txt", ["a", "b"]), ("d.txt", ["a"])])
def test_own_rows_without_ids_need_the_same_file(name, texts):
    documents = make_records(name="d.txt", texts=["a", "b"])
    with pytest.raises(InputError, match="are not the same file"):
        own_rows(documents, make_records(name=name, texts=texts))
