"""How long work reports on itself, whoever draws the bar."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One report from long work.

    Attributes
    ----------
    done : int
        Units of work finished so far.
    total : int
        Units of work in all, in the same unit as `done`.
    what : str
        What is being done, as a short phrase for the reader ("embedding documents").
    """

    done: int
    total: int
    what: str


OnProgress = Callable[[Progress], None]
"""Called with each report. What it raises stops the work, which is how work is cancelled."""


def silent(progress: Progress) -> None:
    """Ignore a report: the default of every function that takes an `on_progress`."""
