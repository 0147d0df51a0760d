"""How names and values from a file are worded in a message."""

import json
from collections.abc import Iterable
from itertools import islice

_SHOWN_CHARACTERS = 60
_SHOWN_ITEMS = 12


def quoted(value: str) -> str:
    """Put a value from a file in quotation marks, on one line and not too long."""
    short = value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "…"
    return json.dumps(short, ensure_ascii=False)


def listed(values: Iterable[str]) -> str:
    """List the first values from a file, each in quotation marks; "none" when there are none."""
    values = iter(values)
    shown = [quoted(value) for value in islice(values, _SHOWN_ITEMS)]
    more = [f"{n} more"] if (n := sum(1 for _ in values)) else []
    return ", ".join(shown + more) or "none"
