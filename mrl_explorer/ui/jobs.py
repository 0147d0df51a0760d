"""Long work beside the page: it reports, and it can be cancelled."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress

Result = TypeVar("Result")


class _CancelledError(Exception):
    """Raised inside the work when its owner has cancelled it."""


@dataclass
class Job(Generic[Result]):
    """Work in a thread of its own; it belongs to the session that started it.

    Attributes
    ----------
    progress : Progress
        The last report.
    result : object or None
        What the work returned.
    error : str
        One sentence for the page when it failed, else empty.
    cancelled, finished : bool
        How it ended, and whether.
    """

    progress: Progress = field(default_factory=lambda: Progress(0, 1, "starting"))
    result: Result | None = None
    error: str = ""
    cancelled: bool = False
    finished: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _phase: str = ""
    _phase_start: float = 0.0
    _phase_done: int = 0

    def cancel(self) -> None:
        """Ask the work to stop; it does at its next report."""
        self._stop.set()

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace of the present phase; None until there is one."""
        progress = self.progress
        spent, done = time.monotonic() - self._phase_start, progress.done - self._phase_done
        if not done or spent < 1:
            return None
        return spent * (progress.total - progress.done) / done

    def report(self, progress: Progress) -> None:
        """Take a report from the work, and stop it when it was cancelled."""
        if progress.what != self._phase:
            # What was done before the first report, found in the cache, says nothing of the pace.
            self._phase, self._phase_start = progress.what, time.monotonic()
            self._phase_done = progress.done
        self.progress = progress
        if self._stop.is_set():
            raise _CancelledError


def start(work: Callable[[OnProgress], Result]) -> Job[Result]:
    """Start work that takes an `on_progress`, in a thread.

    An `InputError` becomes the job's error. Anything else does as well, in general words, after
    its traceback went to the log: a page must never wait for a job that died.
    """
    job: Job[Result] = Job()

    def run() -> None:
        try:
            job.result = work(job.report)
        except _CancelledError:
            job.cancelled = True
        except InputError as error:
            job.error = str(error)
        except MemoryError:
            job.error = "This machine has not enough memory for it: use fewer documents or dims."
        except Exception:
            job.error = "This run failed for a reason of ours; the server's log has the details."
            raise
        finally:
            job.finished = True

    threading.Thread(target=run, daemon=True).start()
    return job
