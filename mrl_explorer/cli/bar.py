"""Progress on a terminal."""

import sys
from typing import Any

from tqdm import tqdm

from mrl_explorer.progress import Progress


class Bar:
    """A progress bar on standard error, one for each kind of work in turn."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, progress: Progress) -> None:
        """Draw a report."""
        if self._bar is None or self._bar.desc != f"{progress.what}: ":
            self.__exit__()
            self._bar = tqdm(total=progress.total, desc=progress.what, leave=False, delay=0.5)
        self._bar.update(progress.done - self._bar.n)

    def write(self, line: str) -> None:
        """Write a line that stays, above the bar."""
        tqdm.write(line, file=sys.stderr)
