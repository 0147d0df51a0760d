"""Latency on this machine: searches in turn, medians with their spread, as ratios first."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.staged import StagedSearch

ROUNDS = 7
MAX_QUERIES = 200
"""Queries of a round: enough for a 99th percentile that is more than the slowest one."""


@dataclass(frozen=True, eq=False)
class Latency:
    """How fast one search is, beside the one it is compared with.

    Attributes
    ----------
    p50, p95, p99 : float
        Seconds of a single query on one thread, warm; medians over the rounds.
    ratio, ratio_low, ratio_high : float
        Median time of a query against that of the compared search in the same round: the median
        of the rounds, and the least and the largest.
    per_second : float
        Queries per second, one after another on one thread.
    per_second_all : float
        Queries per second as a batch on all threads; the median of the rounds.
    stages : tuple of float
        Median seconds of each stage.
    """

    p50: float
    p95: float
    p99: float
    ratio: float
    ratio_low: float
    ratio_high: float
    per_second: float
    per_second_all: float
    stages: tuple[float, ...]


def measure_latency(
    searches: Mapping[str, StagedSearch],
    *,
    compared_with: str,
    rounds: int = ROUNDS,
    max_queries: int = MAX_QUERIES,
    clock: Callable[[], float] = time.perf_counter,
    on_progress: OnProgress = silent,
) -> dict[str, Latency]:
    """Time searches, each of a round in turn, so that what else the machine does hits all alike.

    Parameters
    ----------
    searches : mapping of str to StagedSearch
        What to time; a first round warms up and does not count.
    compared_with : str
        Name of the search that ratios are taken to.
    rounds, max_queries : int
        Rounds that count, and queries of each.
    clock : callable
        Gives seconds.
    on_progress : callable
        Told after each search; what it raises stops the measurement.

    Raises
    ------
    ValueError
        If there is no search of that name.
    """
    if compared_with not in searches:
        raise ValueError(f"there is no search {compared_with!r}")
    n_queries = min(max_queries, next(iter(searches.values())).n_queries)
    queries = np.linspace(0, next(iter(searches.values())).n_queries - 1, n_queries).astype(int)
    times: dict[str, list[list[float]]] = {name: [] for name in searches}
    stages: dict[str, list[list[float]]] = {name: [] for name in searches}
    batches: dict[str, list[float]] = {name: [] for name in searches}
    names = list(searches)
    steps, done = (rounds + 1) * len(names), 0
    for number in range(rounds + 1):
        # The order turns, so that none always runs behind the same one.
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            on_progress(Progress(done, steps, "timing searches in turn"))
            done += 1
            own, parts = [], []
            for query in queries:
                start = clock()
                _, seconds = searches[name].search(int(query))
                own.append(clock() - start)
                parts.append(seconds)
            batch = searches[name].search_all(threads=0)
            if number:
                times[name].append(own)
                stages[name].extend(parts)
                batches[name].append(batch)
    # (rounds,) medians of each search, and their ratios round by round.
    medians = {name: np.median(times[name], axis=1) for name in names}
    found = {}
    for name in names:
        ratios = medians[name] / medians[compared_with]
        p50, p95, p99 = (
            float(np.median(np.percentile(times[name], share, axis=1))) for share in (50, 95, 99)
        )
        found[name] = Latency(
            p50,
            p95,
            p99,
            float(np.median(ratios)),
            float(ratios.min()),
            float(ratios.max()),
            per_second=float(n_queries / np.median(np.sum(times[name], axis=1))),
            per_second_all=float(searches[name].n_queries / np.median(batches[name])),
            stages=tuple(map(float, np.median(stages[name], axis=0))),
        )
    return found
