import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl_explorer.data import Strings

CELLS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=8), max_size=30)


@given(CELLS, st.data())
def test_a_column_is_the_sequence_it_was_made_of(cells, data):
    column, plain = Strings.of(cells), ["" if cell is None else cell for cell in cells]
    rows = data.draw(st.lists(st.integers(0, len(plain) - 1))) if plain else []
    taken = column.take(np.array(rows, dtype=np.int32))
    for mine, theirs in ((column, plain), (taken, [plain[row] for row in rows])):
        assert mine == theirs
        assert list(mine) == theirs
        assert mine[:3] == tuple(theirs[:3])
        assert [mine[-1 - place] for place in range(len(theirs))] == theirs[::-1]
        assert mine.are_blank().tolist() == [not cell.strip() for cell in theirs]
        assert mine.lengths().tolist() == list(map(len, theirs))
        assert mine.sizes().tolist() == [len(cell.encode()) for cell in theirs]
        assert mine.trimmed() == [cell.strip() for cell in theirs]
        assert mine.n_distinct() == len(set(theirs))
        assert not mine.are_rising() or mine.n_distinct() == len(theirs)


def test_packed_numbers_are_written_as_text():
    chunks = [
        pa.array([7, None]),
        pa.array([8]),
        pa.array(["x", None], pa.large_string()),
        pa.array([0.5, True], pa.float64()),
        pa.array([False]),
    ]
    assert Strings.packed(chunks) == ["7", "", "8", "x", "", "0.5", "1", "false"]
    assert Strings.packed([]) == []


def test_a_column_of_many_batches():
    numbers = Strings.numbers(10_000)
    assert numbers == [str(n) for n in range(10_000)]
    assert Strings.of(map(str, range(10_000))) == numbers
    assert numbers[9_999] == "9999"
    assert numbers.take(np.array([5_000, 3])) == ("5000", "3")


@pytest.mark.parametrize(
    ("cells", "rising"),
    [
        (["7", "8", "10", "11"], True),
        (["007", "008", "010"], True),
        (["7", "7"], False),
        (["10", "9"], False),
        (["b", "a"], False),
        (["a", None], False),
    ],
)
def test_rising_cells_are_told(cells, rising):
    assert Strings.of(cells).are_rising() is rising


def test_cells_rise_from_one_chunk_to_the_next():
    assert Strings.numbers(10_000).are_rising()
    twice = [pa.array(["1", "2"], pa.large_string())] * 2
    assert not Strings(twice).are_rising()


def test_what_is_not_there():
    with pytest.raises(IndexError):
        Strings.of(["a"])[1]
    assert Strings.of(["a"]) != "a"
