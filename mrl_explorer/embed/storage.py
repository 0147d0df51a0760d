"""The cache's size: what lies in it, its limit, and what goes first."""

import os
import shutil
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mrl_explorer.errors import InputError

EMBEDDINGS, EVALUATIONS, LIBRARY = "embeddings", "evaluations", "library"
CACHE_KINDS = {
    EMBEDDINGS: "embeddings of texts: vectors only",
    EVALUATIONS: "runs on files of this server, with the texts that their lists hold",
    LIBRARY: "the library documentation built from this machine's packages",
}
"""The cache's folders, and what each holds. Nothing else in the cache's place is touched."""

DEFAULT_LIMIT_GB = 10.0
_LIMIT = "MRL_EXPLORER_CACHE_GB"


@dataclass(frozen=True, slots=True)
class _Entry:
    """Files that belong together: all that share a name up to its first dot."""

    paths: tuple[Path, ...]
    n_bytes: int
    last_use: int


def cache_limit() -> int:
    """Give the bytes that the cache may hold: MRL_EXPLORER_CACHE_GB x 10^9, 10 GB by default.

    Raises
    ------
    InputError
        If it is set to no number, or to less than zero.
    """
    text = os.environ.get(_LIMIT, "").strip() or str(DEFAULT_LIMIT_GB)
    try:
        limit = float(text)
    except ValueError:
        limit = float("nan")
    if not 0 <= limit < float("inf"):
        raise InputError(f"{_LIMIT} is '{text[:40]}': give a number of gigabytes, for example 10.")
    return int(limit * 10**9)


def cache_usage(cache: Path) -> dict[str, int]:
    """Count the bytes of each kind of entry in a cache, which need not exist."""
    return {kind: sum(entry.n_bytes for entry in _entries(cache / kind)) for kind in CACHE_KINDS}


def mark_used(path: Path) -> None:
    """Note that an entry is being used, for `trim_cache` to keep it longer.

    The time of access says so: the time of change tells one content from the next, and stays.
    Most file systems note an access by themselves only once a day.
    """
    # Someone else's cache, or an entry that has just gone: it is used none the less.
    with suppress(OSError):
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def trim_cache(cache: Path, *, limit: int | None = None) -> None:
    """Delete what has not been used for longest until the cache is within its limit.

    Parameters
    ----------
    cache : Path
        As from `cache_dir`.
    limit : int, optional
        Bytes; those of `cache_limit` by default.
    """
    limit = cache_limit() if limit is None else limit
    entries = [entry for kind in CACHE_KINDS for entry in _entries(cache / kind)]
    excess = sum(entry.n_bytes for entry in entries) - limit
    for entry in sorted(entries, key=lambda entry: entry.last_use):
        if excess <= 0:
            break
        _delete(entry.paths)
        excess -= entry.n_bytes


def empty_cache(cache: Path) -> int:
    """Delete every entry, and give the bytes that this frees. What is being written is lost."""
    before = sum(cache_usage(cache).values())
    for kind in CACHE_KINDS:
        for entry in _entries(cache / kind):
            _delete(entry.paths)
    return before - sum(cache_usage(cache).values())


def _entries(folder: Path) -> list[_Entry]:
    """List the entries of one kind; files that go meanwhile count for nothing."""
    found: dict[str, list[tuple[Path, int, int]]] = defaultdict(list)
    try:
        with os.scandir(folder) as inside:
            for item in inside:
                try:
                    n_bytes, last_use = _measure(item)
                except OSError:
                    continue
                name = item.name.partition(".")[0]
                found[name].append((Path(item.path), n_bytes, last_use))
    except OSError:
        return []
    return [
        _Entry(
            tuple(path for path, _, _ in parts),
            sum(n_bytes for _, n_bytes, _ in parts),
            max(last_use for _, _, last_use in parts),
        )
        for parts in found.values()
    ]


def _measure(item: "os.DirEntry[str]") -> tuple[int, int]:
    """Give the bytes and the last use, in nanoseconds, of a file or of a folder's files."""
    stat = item.stat(follow_symlinks=False)
    n_bytes, last_use = stat.st_size, max(stat.st_atime_ns, stat.st_mtime_ns)
    if item.is_dir(follow_symlinks=False):
        for path in Path(item.path).rglob("*"):
            n_bytes += path.lstat().st_size
    return n_bytes, last_use


def _delete(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            # Where open files cannot be deleted, one in use stays.
            with suppress(OSError):
                path.unlink(missing_ok=True)
