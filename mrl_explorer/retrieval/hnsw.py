"""The approximate index: a usearch HNSW graph over the codes of one configuration.

Codes are stored as this project encodes them. usearch's own conversion to int8 (a unit vector
times 127, truncated) is another encoding, and is not used: int8 codes scaled per vector are handed
over as they are, and ranked by their cosine.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.candidates import Scorer
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.rankings import TIE, Rankings

MAX_LINKS = 128
MAX_EXPANSION = 4096

_REPORT_EVERY = 0.1
"""Seconds between reports; usearch calls back after every vector."""

# As usearch names them. Cosine makes of integer codes what their score is; the others have unit
# length, or are rounded from it and not normalised again, so their score is the inner product.
_STORED = {
    "float32": ("f32", "ip"),
    "float16": ("f16", "ip"),
    "bfloat16": ("bf16", "ip"),
    "int8": ("i8", "cos"),
    "binary": ("b1", "hamming"),
}

INDEXED = tuple(_STORED)
"""Quantizations whose codes usearch can index as they are."""


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """How a graph is built.

    Attributes
    ----------
    links : int
        Neighbours of a node (M); twice as many on the lowest level.
    ef_construction : int
        Candidates looked at when a vector is added.
    """

    links: int = 16
    ef_construction: int = 128


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph that was built, and what it took.

    Attributes
    ----------
    config : Config
        What its codes are.
    settings : GraphSettings
        How it was built.
    index : usearch.index.Index
        Keys are document rows.
    seconds : float
        Time to build.
    disk_bytes : int
        Size of its file.
    resident_bytes : int or None
        What a process grows by on loading that file; None where the system does not tell.
    """

    config: Config
    settings: GraphSettings
    index: Any
    seconds: float
    disk_bytes: int
    resident_bytes: int | None


def check_indexed(config: Config) -> None:
    """Refuse a configuration whose codes usearch does not index as they are.

    Raises
    ------
    InputError
        If its quantization is none of `INDEXED`.
    """
    if config.quantization not in _STORED:
        raise InputError(
            f"usearch has no graph over {config.quantization} codes: choose {', '.join(INDEXED)}."
        )


def check_settings(settings: GraphSettings) -> None:
    """Refuse settings that build no graph.

    Raises
    ------
    InputError
        If a number is out of its range.
    """
    if not 2 <= settings.links <= MAX_LINKS:
        raise InputError(f"M = {settings.links} is outside 2 to {MAX_LINKS}.")
    if not 1 <= settings.ef_construction <= MAX_EXPANSION:
        raise InputError(
            f"ef_construction = {settings.ef_construction} is outside 1 to {MAX_EXPANSION}."
        )


def kernel_of(config: Config) -> tuple[str, str]:
    """Give usearch's names of the stored type and of the metric."""
    check_indexed(config)
    return _STORED[config.quantization]


def build_graph(
    codes: np.ndarray,
    config: Config,
    settings: GraphSettings = GraphSettings(),
    *,
    threads: int = 0,
    on_progress: OnProgress = silent,
) -> Graph:
    """Build a graph; its size is measured as well.

    Parameters
    ----------
    codes : np.ndarray
        (n_docs, ...) as `Scorer.all_codes` gives them.
    config : Config
        What they are.
    settings : GraphSettings
        Links and construction.
    threads : int
        0 for all. Several add vectors side by side, so no two graphs of theirs are quite alike.
    on_progress : callable
        Told ten times a second; what it raises stops the build.

    Raises
    ------
    InputError
        If usearch cannot index the codes, or a setting is out of its range.
    """
    from usearch.index import Index  # noqa: PLC0415 - only who builds an index waits for it

    check_settings(settings)
    dtype, metric = kernel_of(config)
    index = Index(
        ndim=config.dim,
        metric=metric,
        dtype=dtype,
        connectivity=settings.links,
        expansion_add=settings.ef_construction,
    )
    stop: list[BaseException] = []
    told = time.monotonic()

    def report(done: int, total: int) -> bool:
        nonlocal told
        now = time.monotonic()
        if now - told >= _REPORT_EVERY and not stop:
            told = now
            try:
                on_progress(Progress(done, total, f"building the graph of {config}"))
            except BaseException as error:
                stop.append(error)
        return not stop

    start = time.perf_counter()
    try:
        index.add(np.arange(len(codes)), codes, threads=threads, progress=report)
    except RuntimeError:
        if not stop:
            raise
    if stop:
        raise stop[0]
    seconds = time.perf_counter() - start
    on_progress(Progress(len(codes), len(codes), "measuring the size of the graph"))
    disk, resident = _sizes(index)
    return Graph(config, settings, index, seconds, disk, resident)


def search_graph(
    graph: Graph, query_codes: np.ndarray, *, count: int, ef_search: int, threads: int = 0
) -> np.ndarray:
    """Search a graph.

    Parameters
    ----------
    query_codes : np.ndarray
        (n_queries, ...) as `Scorer.all_query_codes` gives them.
    count : int
        Results per query.
    ef_search : int
        Candidates looked at; usearch takes `count` where that is more.
    threads : int
        0 for all.

    Returns
    -------
    np.ndarray
        (n_queries, count) int64 document rows, nearest first; -1 where there are no more.
    """
    count = min(count, len(graph.index))
    graph.index.expansion_search = ef_search
    found = graph.index.search(query_codes, count, threads=threads)
    if len(query_codes) == 1:
        rows = np.full((1, count), -1, np.int64)
        rows[0, : len(found.keys)] = found.keys.astype(np.int64)
        return rows
    rows = found.keys.astype(np.int64)
    rows[np.arange(count)[None, :] >= found.counts[:, None]] = -1
    return rows


@dataclass(frozen=True, slots=True)
class GraphRecall:
    """What a graph finds at one ef_search, means over the queries.

    Attributes
    ----------
    ef_search : int
        Candidates looked at.
    of_exact : float
        Share of what exact search of the same configuration finds: the graph's own recall.
    dims, bits, graph : float
        recall@k vs full dimension that is lost to the cut, to the quantization and to the graph;
        with the rest they make 1. A part below 0 is a gain.
    recall : float
        What is left: recall@k vs full dimension.
    rescored : float
        recall@k after full-dimension float32 rescoring of the graph's candidates.
    candidates : int
        How many are rescored.
    """

    ef_search: int
    of_exact: float
    dims: float
    bits: float
    graph: float
    recall: float
    rescored: float
    candidates: int


def measure_graph(
    graph: Graph,
    rankings: Rankings,
    scorer: Scorer,
    *,
    ef_search: int,
    k: int,
    candidates: int,
    excluded: np.ndarray | None = None,
) -> GraphRecall:
    """Hold a graph against exact search of the same configuration, and against full dimension.

    Parameters
    ----------
    rankings : Rankings
        Lists of the graph's configuration and of the same dim in float32.
    scorer : Scorer
        Of the vectors that the lists were made from.
    ef_search, k, candidates : int
        How far to look; results; what is handed on to rescoring.
    excluded : np.ndarray, optional
        (n_queries,) document row left out of each query's own list; -1 for none.

    Raises
    ------
    InputError
        If the run does not cover the configurations, or k exceeds the lists.
    """
    if k > rankings.depth:
        raise InputError(f"k = {k} is more than the {rankings.depth} places of these lists.")
    rows = graph_candidates(
        graph, scorer.all_query_codes(graph.config), candidates, ef_search, excluded
    )
    exact = Config(graph.config.dim, "float32", graph.config.basis)
    truth = _kth(rankings.full_scores[rankings.place(rankings.baseline)], k)
    kth, wanted = truth
    by_truth = scorer.listed_scores(rankings.baseline, rows) >= kth[:, None] - TIE
    own_scores = rankings.scores[rankings.place(graph.config)]
    own_kth, own_wanted = _kth(own_scores, k)
    by_exact = scorer.listed_scores(graph.config, rows[:, :k]) >= own_kth[:, None] - TIE
    in_list = (rows[:, :k, None] == rankings.ids[rankings.place(graph.config)][:, None, :k]).any(
        axis=2
    )

    def share(hits: np.ndarray, wanted: np.ndarray) -> float:
        return float((np.minimum(hits.sum(axis=1), wanted) / np.maximum(wanted, 1)).mean())

    def listed(config: Config) -> float:
        full = rankings.full_scores[rankings.place(config)][:, :k]
        return share(full >= kth[:, None] - TIE, wanted)

    cut, coded, left = listed(exact), listed(graph.config), share(by_truth[:, :k], wanted)
    return GraphRecall(
        ef_search,
        of_exact=share((by_exact | in_list) & (rows[:, :k] >= 0), own_wanted),
        dims=1 - cut,
        bits=cut - coded,
        graph=coded - left,
        recall=left,
        rescored=share(by_truth, wanted),
        candidates=candidates,
    )


def graph_candidates(
    graph: Graph,
    query_codes: np.ndarray,
    count: int,
    ef_search: int,
    excluded: np.ndarray | None,
) -> np.ndarray:
    """Search for all queries, each without the document that it is: (n_queries, count) rows."""
    left_out = np.full(len(query_codes), -1) if excluded is None else excluded
    extra = int((left_out >= 0).any())
    rows = search_graph(graph, query_codes, count=count + extra, ef_search=ef_search)
    if not extra:
        return rows
    own = (rows == left_out[:, None]) & (rows >= 0)
    # A stable sort moves the row left out to the end, and keeps the order of the others.
    order = np.argsort(own, axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1)[:, :count]


def _kth(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the score from which a document counts, and how many are wanted, by query."""
    listed = np.isfinite(scores)
    return (
        np.where(listed, scores, np.inf)[:, :k].min(axis=1),
        np.minimum(k, listed.sum(axis=1)),
    )


# Runs in a fresh process: one that has built the index holds freed memory that the loaded one
# could take over.
_LOAD = """
import sys
from usearch.index import Index
def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))
before = resident()
index = Index.restore(sys.argv[1], view=False)
print(resident() - before)
"""


def _sizes(index: Any) -> tuple[int, int | None]:  # noqa: ANN401 - usearch has no types
    """Give the size of an index's file, and what a process grows by on loading it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.usearch"
        index.save(path)
        disk = path.stat().st_size
        if not Path("/proc/self/status").exists():
            return disk, None
        loaded = subprocess.run(  # noqa: S603 - our own program, on our own file
            [sys.executable, "-c", _LOAD, str(path)], capture_output=True, text=True, check=False
        )
    return disk, int(loaded.stdout) if loaded.returncode == 0 else None
