import numpy as np
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


def test_a_column_of_many_batches():
    numbers = Strings.numbers(10_000)
    assert numbers == [str(n) for n in range(10_000)]
    assert Strings.of(map(str, range(10_000))) == numbers
    assert numbers[9_999] == "9999"
    assert numbers.take(np.array([5_000, 3])) == ("5000", "3")


def test_what_is_not_there():
    with pytest.raises(IndexError):
        Strings.of(["a"])[1]
    assert Strings.of(["a"]) != "a"
