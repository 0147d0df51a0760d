"""Finding records by id, also when one file writes 1 and another "1.0"."""

import re
from collections.abc import Iterable

_WHOLE_NUMBER = re.compile(r"0*([0-9]+)(?:\.0*)?")


class Lookup:
    """Rows by id.

    An id is first looked up as it is written. One that is not there, and is a whole number, is
    then looked up by its value, as spreadsheets and data frames write 7 as 7.0 or 007 as 7; unless
    two of the ids have that value.

    Parameters
    ----------
    ids : iterable of str
        Unique, in the order of their rows.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._rows = {identity: row for row, identity in enumerate(ids)}
        self._numbers: dict[str, int] | None = None

    def row(self, identity: str) -> int:
        """Give the row of an id, -1 where there is none."""
        row = self._rows.get(identity)
        if row is not None:
            return row
        number = _number(identity)
        return -1 if number is None else self._rows_of_numbers().get(number, -1)

    def _rows_of_numbers(self) -> dict[str, int]:
        if self._numbers is None:
            self._numbers = {}
            for identity, row in self._rows.items():
                number = _number(identity)
                if number is not None:
                    # -1: two ids of the same value are told apart by their spelling alone.
                    self._numbers[number] = -1 if number in self._numbers else row
        return self._numbers


def _number(identity: str) -> str | None:
    """Give the value of an id that is a whole number, as text."""
    found = _WHOLE_NUMBER.fullmatch(identity)
    return None if found is None else found[1]
