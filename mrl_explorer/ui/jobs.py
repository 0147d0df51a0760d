"""Long work beside the page: any page starts it, watches it and cancels it the same way."""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st

from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress
from mrl_explorer.report.formats import time_text
from mrl_explorer.ui.problems import literal, show_error

Result = TypeVar("Result")

_NICENESS = 5
"""A quarter of a processor beside a page that wants it too, and all of it otherwise."""


class _CancelledError(Exception):
    """Raised inside the work when its owner has cancelled it."""


@dataclass
class Job(Generic[Result]):
    """Work in a thread of its own; it belongs to the session that started it.

    The thread goes on when the session ends, so what it writes to disk is there for the next.

    Attributes
    ----------
    progress : Progress
        The last report.
    result : object or None
        What the work returned.
    error : str
        One sentence for the page when it failed, else empty.
    cancelled : bool
        Whether its owner cancelled it; its result is of no interest from then on.
    finished : bool
        Whether its thread has ended.
    """

    progress: Progress = field(default_factory=lambda: Progress(0, 1, "starting"))
    result: Result | None = None
    error: str = ""
    finished: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _phase: str = ""
    _phase_start: float = 0.0
    _phase_done: int = 0

    def cancel(self) -> None:
        """Give it up: the page goes on at once, and the work stops at its next report."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Whether its owner has given it up."""
        return self._stop.is_set()

    @property
    def over(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.finished or self.cancelled

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace of the present phase; None until there is one."""
        progress = self.progress
        spent, done = time.monotonic() - self._phase_start, progress.done - self._phase_done
        if done <= 0 or spent < 1:
            return None
        return spent * (progress.total - progress.done) / done

    def report(self, progress: Progress) -> None:
        """Take a report from the work, and stop it when it was cancelled."""
        if progress.what != self._phase:
            # What was done before the first report, found in the cache, says nothing of the pace.
            self._phase, self._phase_start = progress.what, time.monotonic()
            self._phase_done = progress.done
        self.progress = progress
        if self.cancelled:
            raise _CancelledError


def start(work: Callable[[OnProgress], Result]) -> Job[Result]:
    """Start work that takes an `on_progress`, in a thread.

    An `InputError` becomes the job's error. Anything else does as well, in general words, after
    its traceback went to the log: a page must never wait for a job that died.
    """
    job: Job[Result] = Job()

    def run() -> None:
        _let_pages_go_first()
        try:
            job.result = work(job.report)
        except _CancelledError:
            pass
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


def _let_pages_go_first() -> None:
    """Lower the priority of this thread and of those that it starts, where a thread has one.

    A job may use every processor; a page that wants one then gets it at once.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def begin(
    name: str, work: Callable[[OnProgress], Result], *, then: Callable[[Result], None]
) -> None:
    """Start work for this session; the page has to be drawn anew for `show` to find it.

    Parameters
    ----------
    name : str
        Which of the session's jobs it is: the name that `running` and `show` take.
    work : callable
        Takes an `on_progress`. It runs in a thread, so without anything of Streamlit's.
    then : callable
        Called on the page with the result; it may switch to another page.
    """
    st.session_state[f"job {name}"] = start(work)
    st.session_state[f"after job {name}"] = then


def running(name: str) -> bool:
    """Tell whether this session has such a job that still goes on: one at a time."""
    job: Job[Any] | None = st.session_state.get(f"job {name}")
    return job is not None and not job.over


def show(name: str, *, cancelled: str = "Cancelled.") -> None:
    """Show how a job goes, with a button to cancel it; or how the last one ended, once.

    Parameters
    ----------
    name : str
        As in `begin`.
    cancelled : str
        What to say when the reader has cancelled it.
    """
    if error := st.session_state.pop(f"job {name} error", ""):
        show_error(error)
    if st.session_state.pop(f"job {name} cancelled", False):
        st.info(literal(cancelled), icon=":material/info:")
    if f"job {name}" in st.session_state:
        _watch(name)


@st.fragment(run_every=0.5)
def _watch(name: str) -> None:
    """Draw the job's progress, and move on when there is nothing left to wait for."""
    job: Job[Any] | None = st.session_state.get(f"job {name}")
    if job is None:
        return
    if not job.over:
        progress, left = job.progress, job.seconds_left
        share = min(progress.done / max(progress.total, 1), 1.0)
        estimate = "" if left is None else f", about {time_text(left)} left"
        count = f": {progress.done:,} of {progress.total:,}" if progress.total > 1 else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(share, literal(f"{progress.what}{count}{estimate}"))
            st.button(
                "Cancel",
                icon=":material/close:",
                key=f"cancel {name}",
                help="Gives this up at once; the page stays.",
                on_click=job.cancel,
            )
        return
    st.session_state.pop(f"job {name}")
    then = st.session_state.pop(f"after job {name}")
    st.session_state[f"job {name} error"] = "" if job.cancelled else job.error
    st.session_state[f"job {name} cancelled"] = job.cancelled
    if job.finished and not job.cancelled and not job.error:
        then(job.result)
    st.rerun()
