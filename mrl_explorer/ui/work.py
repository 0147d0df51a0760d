"""Long work of a page: begin it, watch it, cancel it, by name."""

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from mrl_explorer.progress import OnProgress
from mrl_explorer.ui import jobs
from mrl_explorer.ui.problems import literal, show_error

Result = TypeVar("Result")


def begin(
    name: str, work: Callable[[OnProgress], Result], *, then: Callable[[Result], None]
) -> None:
    """Start work for this session and draw the page anew, with its controls closed."""
    st.session_state[f"job {name}"] = jobs.start(work)
    st.session_state[f"after job {name}"] = then
    st.rerun()


def running(name: str) -> bool:
    """Tell whether this session has such a job that still goes on."""
    job: jobs.Job[Any] | None = st.session_state.get(f"job {name}")
    return job is not None and not job.finished


def show(name: str, *, cancelled: str = "Cancelled.") -> None:
    """Show how a job goes, with a button to cancel it; or how the last one ended, once."""
    if error := st.session_state.pop(f"job {name} error", ""):
        show_error(error)
    if st.session_state.pop(f"job {name} cancelled", False):
        st.info(literal(cancelled), icon=":material/info:")
    if f"job {name}" in st.session_state:
        _watch(name)


@st.fragment(run_every=0.5)
def _watch(name: str) -> None:
    job: jobs.Job[Any] | None = st.session_state.get(f"job {name}")
    if job is None:
        return
    if not job.finished:
        progress, left = job.progress, job.seconds_left
        share = min(progress.done / max(progress.total, 1), 1.0)
        estimate = "" if left is None else f", about {left:.0f} s left"
        text = f"{progress.what}: {progress.done:,} of {progress.total:,}{estimate}"
        st.progress(share, literal(text))
        st.button("Cancel", icon=":material/close:", key=f"cancel {name}", on_click=job.cancel)
        return
    st.session_state.pop(f"job {name}")
    then = st.session_state.pop(f"after job {name}")
    st.session_state[f"job {name} error"] = job.error
    st.session_state[f"job {name} cancelled"] = job.cancelled
    if not job.cancelled and not job.error:
        then(job.result)
    st.rerun()
