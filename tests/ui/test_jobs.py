import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress
from mrl_explorer.ui import jobs
from tests.ui.apps import wait_for


def test_a_job_reports_and_gives_its_result():
    reported, go_on = threading.Event(), threading.Event()

    def work(on_progress):
        on_progress(Progress(3, 10, "counting"))
        reported.set()
        go_on.wait(60)
        return "done"

    job = jobs.start(work)
    assert reported.wait(60)
    assert not job.finished
    assert job.progress == Progress(3, 10, "counting")
    assert job.result is None
    go_on.set()
    wait_for(job)
    assert (job.result, job.error, job.cancelled, job.over) == ("done", "", False, True)


def test_a_cancelled_job_stops_at_its_next_report():
    started, go_on = threading.Event(), threading.Event()
    steps = []

    def work(on_progress):
        for step in range(1000):
            steps.append(step)
            if step == 1:
                started.set()
                go_on.wait(60)
            on_progress(Progress(step, 1000, "counting"))
        return "never"

    job = jobs.start(work)
    assert started.wait(60)
    assert not job.over
    job.cancel()
    assert job.over
    assert not job.finished
    go_on.set()
    wait_for(job)
    assert steps == [0, 1]
    assert (job.result, job.error, job.cancelled) == (None, "", True)


def test_a_job_leaves_the_processors_to_the_pages():
    """The threads that it starts as well: they are the ones that work."""

    def niceness(_=None):
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def work(on_progress):
        with ThreadPoolExecutor(1) as pool:
            return niceness(), pool.submit(niceness).result()

    before = niceness()
    job = jobs.start(work)
    wait_for(job)
    expected = min(before + 5, 19) if sys.platform == "linux" else before
    assert job.result == (expected, expected)
    assert niceness() == before


def test_one_job_does_not_cancel_another():
    go_on = threading.Event()

    def work(on_progress):
        go_on.wait(60)
        on_progress(Progress(1, 1, "counting"))
        return "done"

    first, second = jobs.start(work), jobs.start(work)
    first.cancel()
    go_on.set()
    wait_for(first)
    wait_for(second)
    assert (first.cancelled, second.result) == (True, "done")


@pytest.fixture
def logged(monkeypatch):
    """What ends a thread with a traceback."""
    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_value))
    return seen


def wait_for_threads():
    for thread in threading.enumerate():
        if thread.name.endswith("(run)"):
            thread.join(60)


@pytest.mark.parametrize(
    ("raised", "sentence"),
    [
        (InputError("documents.csv is odd: put it right."), "documents.csv is odd: put it right."),
        (MemoryError(), "This machine has not enough memory for it"),
        (ZeroDivisionError("secret detail"), "the server's log has the details"),
    ],
)
def test_what_goes_wrong_becomes_a_sentence(raised, sentence, logged):
    def work(on_progress):
        raise raised

    job = jobs.start(work)
    wait_for(job)
    wait_for_threads()
    assert logged == ([raised] if isinstance(raised, ZeroDivisionError) else [])
    assert sentence in job.error
    assert "secret" not in job.error
    assert job.result is None
    assert not job.cancelled


def test_the_time_left_follows_the_pace_of_the_present_phase(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    job = jobs.Job()
    job.report(Progress(0, 100, "embedding"))
    assert job.seconds_left is None
    now[0] += 10
    job.report(Progress(20, 100, "embedding"))
    assert job.seconds_left == pytest.approx(40)
    job.report(Progress(1, 4, "ranking"))
    assert job.seconds_left is None
    now[0] += 3
    job.report(Progress(2, 4, "ranking"))
    assert job.seconds_left == pytest.approx(6)


def test_the_time_left_starts_from_what_was_there_already(monkeypatch):
    # Half of the embeddings come from the cache in no time: the rest goes at its own pace.
    now = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    job = jobs.Job()
    job.report(Progress(500, 1000, "embedding"))
    now[0] += 10
    job.report(Progress(510, 1000, "embedding"))
    assert job.seconds_left == pytest.approx(490)
