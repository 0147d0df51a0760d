import pytest

from mrl_explorer.data.columns import Columns, check_columns, choose_vector_column, detect_columns
from mrl_explorer.errors import InputError


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("_id", "title", "text"), Columns(text="text", title="title", id="_id")),
        (("qid", "Question", "Category"), Columns(text="Question", id="qid", segment="Category")),
        (("content", "text"), Columns(text="text")),
        (("text", "metadata.segment"), Columns(text="text", segment="metadata.segment")),
        (("ids", "texts", "titles"), Columns(text="texts", title="titles", id="ids")),
        (("remark",), Columns(text="remark")),
        (("type",), Columns(text="type")),
        (("id",), Columns(id="id")),
        (("id", "title", "price"), Columns(text="title", id="id")),
        (("a", "b"), Columns()),
        ((), Columns()),
    ],
)
def test_columns_are_detected_by_usual_names(names, expected):
    assert detect_columns(names) == expected


def test_the_columns_to_read_as_text_are_named_once():
    columns = Columns(text="a", title="b", id="a", segment="b", vector="c")
    assert columns.of_text == ("a", "b")


def test_a_missing_column_is_named_beside_those_found():
    with pytest.raises(InputError, match=r'x\.csv has no column "body": .*"a", "b"'):
        check_columns(["body"], found=["a", "b"], name="x.csv")


def test_a_column_that_occurs_twice_is_refused():
    with pytest.raises(InputError, match=r'x\.csv has two columns named "a"'):
        check_columns(["b"], found=["a", "b", "a"], name="x.csv")


@pytest.mark.parametrize(
    ("candidates", "chosen", "expected"),
    [
        ((), None, None),
        (("whatever",), None, "whatever"),
        (("whatever", "Embedding"), None, "Embedding"),
        (("vector", "embedding"), "embedding", "embedding"),
    ],
)
def test_the_vectors_are_the_chosen_the_only_or_the_usual_column(candidates, chosen, expected):
    assert choose_vector_column(candidates, chosen=chosen, name="x") == expected


@pytest.mark.parametrize("candidates", [("vector", "embedding"), ("a", "b")])
def test_several_equally_good_vectors_are_refused(candidates):
    with pytest.raises(InputError, match=r"x\.npz may hold vectors in more than one place"):
        choose_vector_column(candidates, chosen=None, name="x.npz")


def test_chosen_vectors_that_are_not_there_are_refused():
    with pytest.raises(InputError, match=r'no vectors in "c": .*"a"'):
        choose_vector_column(("a",), chosen="c", name="x.npz")
