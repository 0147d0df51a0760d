"""One streaming pass over the documents that ranks every configuration at once."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import numpy as np

from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval import kernels
from mrl_explorer.retrieval.basis import Basis, document_mean, fit_bases, unit_rows
from mrl_explorer.retrieval.blas import single_threaded_blas
from mrl_explorer.retrieval.config import Config, baseline
from mrl_explorer.retrieval.families import Cell, Family, Frame, families
from mrl_explorer.retrieval.quantization import quantization
from mrl_explorer.retrieval.rankings import Rankings

DOCUMENTS_AT_ONCE = 2048
QUERIES_AT_ONCE = 256
"""A tile's scores for a chunk, 2 MB, stay in a core's own cache from product to selection."""

SECONDS_UNTOLD = 0.25
"""A report at least this often, so that a sweep of slow tiles can be stopped between them."""


def sweep(
    documents: np.ndarray,
    queries: np.ndarray,
    configs: Sequence[Config],
    *,
    bases: Iterable[Basis] = (),
    depth: int = 100,
    excluded: np.ndarray | None = None,
    on_progress: OnProgress = silent,
) -> Rankings:
    """Rank every configuration for every query, exactly.

    Cost grows linearly with documents and with queries. Memory beyond the documents is about
    16 bytes x depth for each configuration and query while it runs.

    Parameters
    ----------
    documents, queries : np.ndarray
        (n_docs, full_dim) and (n_queries, full_dim) float32, finite, no all-zero row; of any
        norm. Documents may be memory-mapped: they are read in order, a tile at a time.
    configs : sequence of Config
        What to rank; the baseline is added in front when it is missing.
    bases : iterable of Basis
        Bases that are ready; any other is fitted on the documents.
    depth : int
        Places in a list, cut to `n_docs`.
    excluded : np.ndarray, optional
        (n_queries,) document row left out of each query's own list; -1 for none.
    on_progress : callable
        Told after each tile, and again while a tile takes long; what it raises stops the sweep
        once the chunks under way are done.

    Returns
    -------
    Rankings
        A list ends early only where a document was excluded and none is left.

    Raises
    ------
    ValueError
        If shapes disagree, a dim exceeds what its basis gives, or a basis that cannot be fitted
        is not given.
    """
    n_docs, full_dim = documents.shape
    if queries.shape[1] != full_dim or any(not 1 <= c.dim <= full_dim for c in configs):
        raise ValueError("documents, queries and configs disagree on the dimensions")
    configs = tuple(dict.fromkeys([baseline(full_dim), *configs]))
    depth = min(depth, n_docs)
    unit_queries = unit_rows(queries)
    left_out = np.full(len(queries), -1) if excluded is None else np.asarray(excluded, np.int64)
    cells = {
        config: Cell.empty(
            config.dim, quantization(config.quantization), excluded=left_out, depth=depth
        )
        for config in configs
        if not config.is_rotated_baseline(full_dim)
    }
    ids = np.full((len(configs), len(queries), depth), -1, np.int32)
    scores = np.full(ids.shape, -np.inf, np.float32)
    full_scores = np.full(ids.shape, -np.inf, np.float32)

    centred = any(cell.quantization.centred for cell in cells.values())
    mean = document_mean(documents) if centred else np.zeros(full_dim)
    names = sorted({config.basis for config in cells})
    ready = {basis.name: basis for basis in bases}
    missing = [name for name in names if name not in ready]
    ready |= {b.name: b for b in fit_bases(missing, documents, on_progress=on_progress)}
    if any(config.dim > ready[config.basis].out_dim(full_dim) for config in cells):
        raise ValueError("a basis gives fewer dimensions than are to be kept")
    with _threads() as pool:
        for done, name in enumerate(names):
            own = {config: cell for config, cell in cells.items() if config.basis == name}
            frame = Frame.of(ready[name], (config.dim for config in own))
            groups = families(list(own.values()), unit_queries, mean, frame)
            for n_ranked in _rank(documents, groups, frame, pool, n_queries=len(queries)):
                what = f"ranking {len(configs)} configurations"
                on_progress(Progress(done * n_docs + n_ranked, len(names) * n_docs, what))
            factors = _query_factors(groups)
            finishing = [
                pool.submit(cell.finish, factors[id(cell)], ids[place], scores[place])
                for place, config in enumerate(configs)
                if (cell := own.get(config)) is not None
            ]
            for future in finishing:
                future.result()
        for place, config in enumerate(configs):
            if config not in cells:
                ids[place], scores[place] = ids[0], scores[0]
        _score_listed(documents, unit_queries, ids, full_scores, pool)
    return Rankings(configs, ids, scores, full_scores, n_docs, full_dim)


def _rank(
    documents: np.ndarray,
    groups: list[Family],
    frame: Frame,
    pool: ThreadPoolExecutor,
    *,
    n_queries: int,
) -> Iterator[int]:
    """Rank the configurations of one basis; yield the documents done after each tile."""

    def encode(rows: slice) -> list[Any]:
        tile = frame.tile(unit_rows(documents[rows]))
        return [family.encode(tile) for family in groups]

    tiles = _slices(len(documents), DOCUMENTS_AT_ONCE)
    chunks = _slices(n_queries, QUERIES_AT_ONCE)

    def select(
        chunk: slice, first_row: int, encoded: list[Any], before: Future[None] | None
    ) -> None:
        # One tile after the other works on a chunk's best: of equals the first seen stays, and
        # that has to be the lower row. The one before was queued earlier, so it is under way.
        if before is not None:
            before.result()
        for family, codes in zip(groups, encoded, strict=True):
            family.select(codes, first_row, chunk)

    # While a tile is ranked the next one is encoded and queued behind it, so no thread ever waits
    # for another to finish a tile.
    upcoming = pool.submit(encode, tiles[0])
    ranking: list[Future[None]] = []
    done = ranked = 0
    for rows, following in zip(tiles, [*tiles[1:], None], strict=True):
        encoded = upcoming.result()
        if following is not None:
            upcoming = pool.submit(encode, following)
        earlier: Sequence[Future[None] | None] = ranking or [None] * len(chunks)
        queued = [
            pool.submit(select, chunk, rows.start, encoded, before)
            for chunk, before in zip(chunks, earlier, strict=True)
        ]
        yield from _waiting(ranking, ranked)
        if done:
            yield done
        ranking, ranked, done = queued, done, rows.stop
    yield from _waiting(ranking, ranked)
    yield done


def _waiting(futures: Sequence[Future[None]], ranked: int) -> Iterator[int]:
    """Wait for a tile's chunks; while that takes, yield the documents ranked before it."""
    left = set(futures)
    while left:
        done, left = wait(left, SECONDS_UNTOLD, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        if left:
            yield ranked


def _query_factors(groups: list[Family]) -> dict[int, np.ndarray]:
    """By cell identity: what turns its keys into scores."""
    return {
        # Scores of rounded vectors are normalised already; a Hamming distance never is.
        id(cell): (
            np.ones_like(family.query_factors[cell.dim])
            if cell.quantization.mantissa_bits < 23
            else family.query_factors[cell.dim]
        )
        for family in groups
        for cell in family.cells
    }


def _score_listed(
    documents: np.ndarray,
    queries: np.ndarray,
    ids: np.ndarray,
    full_scores: np.ndarray,
    pool: ThreadPoolExecutor,
) -> None:
    """Fill in the baseline's scores of all listed documents, the queries split among threads."""

    def score(chunk: slice) -> None:
        seen = np.full(len(documents), -1, np.int32)
        known = np.empty(len(documents), np.float32)
        kernels.score_listed(
            np.asarray(documents), queries[chunk], chunk.start, ids, full_scores, seen, known
        )

    list(pool.map(score, _slices(len(queries), -(-len(queries) // n_threads()))))


def _slices(total: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]


def n_threads() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Run chunks in threads of our own, each with a single-threaded BLAS."""
    with single_threaded_blas, ThreadPoolExecutor(n_threads()) as pool:
        try:
            yield pool
        except BaseException:
            # Stopped: what is queued is not waited for.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
