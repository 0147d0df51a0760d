"""Embeddings on disk, found by content.

An entry holds the vectors of a chunk of consecutive texts. Its name is the SHA-256 of everything
that decides them, so an entry is never out of date, and of two runs that write the same one either
may win. An entry is a .npy file (numpy reads it) followed by the SHA-256 of its bytes: a
file that a full disk, a kill or a power cut left damaged does not match, and is encoded again.

While a chunk is encoded, its batches are appended to an unfinished file of the run's own, each with
its SHA-256; the next run takes what it finds there. So a run that is killed loses one batch.
"""

import hashlib
import os
import uuid
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from io import BytesIO, FileIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mrl_explorer.embed.encoding import encode_batches, what
from mrl_explorer.embed.hosted import Batch
from mrl_explorer.embed.models import Kind, Model
from mrl_explorer.embed.storage import EMBEDDINGS, cache_limit, mark_used, trim_cache
from mrl_explorer.progress import OnProgress, Progress, silent

CHUNK = 1024
"""Texts an entry: what one changed text costs."""

TRIM_EVERY = 2**28
"""Bytes written between two looks at the cache's size, which read its whole folder."""

_FORMAT = b"mrl-explorer embeddings 1"
_PART = ".part"
_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_dir() -> Path:
    """Folder for what can be computed again; it need not exist yet.

    MRL_EXPLORER_CACHE if set, else `mrl-explorer` in XDG_CACHE_HOME, else in `~/.cache` (which the
    hub's own cache uses on every platform, too).
    """
    if chosen := os.environ.get("MRL_EXPLORER_CACHE"):
        return Path(chosen).expanduser()
    # The XDG specification has relative paths ignored.
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "mrl-explorer"


def embed(
    model: Model,
    texts: Sequence[str],
    *,
    kind: Kind,
    cache: Path | None,
    on_progress: OnProgress = silent,
) -> npt.NDArray[np.float32]:
    """Embed texts, encoding only what the cache does not hold.

    Parameters
    ----------
    model, texts, kind
        As for `encode`.
    cache : Path or None
        Folder of the cache, as from `cache_dir`; made when missing. None encodes everything. One
        that cannot be written does not stop the work: what is reported says so from then on.
    on_progress : OnProgress
        Told the texts done: first those found in the cache, then after every batch. What it raises
        stops the work, and the batches done are found by the next run.

    Returns
    -------
    (n_texts, full_dim) float32 array
        In the order of `texts`; neither normalised nor cut.

    Raises
    ------
    InputError
        As `encode_batches` and `cache_limit`.
    """
    limit = cache_limit()
    vectors = np.empty((len(texts), model.full_dim), np.float32)
    work = what(kind)
    missing = {
        chunk.rows.start: chunk
        for chunk in _missing_chunks(model.fingerprint(kind), texts, vectors, cache)
    }
    done = len(texts) - sum(len(chunk.rows) for chunk in missing.values())
    n_written = 0

    def finish(chunk: _Unfinished) -> None:
        nonlocal n_written, work
        chunk.finish(vectors)
        del missing[chunk.rows.start]
        if chunk.problem:
            work = f"{what(kind)} (not kept: {chunk.problem} in the cache {cache})"
        n_written += len(chunk.rows) * model.full_dim * vectors.itemsize
        if cache and (n_written >= min(TRIM_EVERY, limit) or not missing):
            n_written = 0
            trim_cache(cache, limit=limit)

    for chunk in [*missing.values()]:
        done += chunk.take_up(vectors)
        if not len(chunk.left()):
            finish(chunk)
    on_progress(Progress(done, len(texts), work))

    with ExitStack() as files:
        for chunk in missing.values():
            files.enter_context(chunk)
        batches = _batches(model, texts, [*missing.values()], kind=kind)
        for rows, batch in files.enter_context(closing(batches)):
            vectors[rows] = batch
            done += len(rows)
            starts = rows // CHUNK * CHUNK
            for start in np.unique(starts):
                chunk, inside = missing[start], starts == start
                chunk.append(rows[inside], batch[inside])
                if not len(chunk.left()):
                    finish(chunk)
            on_progress(Progress(done, len(texts), work))
    return vectors


def missing_rows(fingerprint: str, texts: Sequence[str], *, cache: Path) -> list[range]:
    """List the rows of the chunks that a cache does not hold whole.

    Parameters
    ----------
    fingerprint : str
        As from `Model.fingerprint`.
    texts : sequence of str
        As for `embed`.
    cache : Path
        Folder of the cache; it need not exist.
    """
    return [
        rows
        for rows in _chunks(texts)
        if not (
            cache / EMBEDDINGS / _entry_name(fingerprint, texts[rows.start : rows.stop])
        ).is_file()
    ]


def _missing_chunks(
    fingerprint: str, texts: Sequence[str], vectors: npt.NDArray[np.float32], cache: Path | None
) -> Iterator["_Unfinished"]:
    """Fill in the vectors that the cache holds; yields the chunks that it does not."""
    parts = _unfinished_files(cache / EMBEDDINGS) if cache else {}
    for rows in _chunks(texts):
        name = _entry_name(fingerprint, texts[rows.start : rows.stop])
        entry = cache and cache / EMBEDDINGS / name
        stored = _read(entry) if entry else None
        if stored is None:
            yield _Unfinished(rows, entry, parts.get(name.partition(".")[0], []))
        else:
            vectors[rows.start : rows.stop] = stored


def _chunks(texts: Sequence[str]) -> Iterator[range]:
    for start in range(0, len(texts), CHUNK):
        yield range(start, min(start + CHUNK, len(texts)))


def _batches(
    model: Model, texts: Sequence[str], chunks: Sequence["_Unfinished"], *, kind: Kind
) -> Generator[Batch]:
    """Encode what is left of the missing chunks.

    A hosted model is asked for all of them in one go, so that its requests overlap; here, a chunk
    is whole before the next one begins.
    """
    left = [chunk.left() for chunk in chunks]
    if model.hosted and left:
        left = [np.concatenate(left)]
    for rows in left:
        with closing(encode_batches(model, texts, rows, kind=kind)) as batches:
            yield from batches


class _Unfinished:
    """A chunk whose entry is missing, and what killed and cancelled runs left of it.

    Each run appends to a file of its own beside the entry, so runs side by side do not mix.

    Parameters
    ----------
    rows : range
        Which texts.
    entry : Path or None
        Where its vectors are to go; None keeps nothing.
    parts : list of Path
        The unfinished files of earlier runs, and of those that go on.
    """

    def __init__(self, rows: range, entry: Path | None, parts: list[Path]) -> None:
        self.rows = rows
        self.problem = ""
        self._entry = entry
        self._parts = parts
        self._left = np.ones(len(rows), bool)
        self._file: FileIO | None = None

    def take_up(self, vectors: npt.NDArray[np.float32]) -> int:
        """Fill in what earlier runs have done, and give the number of texts."""
        for path in self._parts:
            for places, batch in _read_batches(path, len(self.rows), vectors.shape[1]):
                vectors[self.rows.start + places] = batch
                self._left[places] = False
        return len(self.rows) - len(self.left())

    def left(self) -> npt.NDArray[np.intp]:
        """Give the rows, among all texts, that have no vector yet."""
        return self.rows.start + np.flatnonzero(self._left)

    def append(self, rows: npt.NDArray[np.intp], batch: npt.NDArray[np.float32]) -> None:
        """Keep a batch of vectors, unless it is the last: the entry itself follows at once."""
        places = (rows - self.rows.start).astype(np.int32)
        self._left[places] = False
        if self._entry is None or self.problem or not self._left.any():
            return
        content = len(places).to_bytes(4, "little") + places.tobytes() + batch.tobytes()
        try:
            if self._file is None:
                self._entry.parent.mkdir(parents=True, exist_ok=True)
                path = self._entry.with_suffix(f".{uuid.uuid4().hex}{_PART}")
                self._parts.append(path)
                # Unbuffered: what is written is the system's, whatever becomes of this process.
                self._file = path.open("wb", buffering=0)
            rest = content + hashlib.sha256(content).digest()
            while rest:
                # A disk that fills takes a part first, and says why it takes no more only then.
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._fail(error)

    def finish(self, vectors: npt.NDArray[np.float32]) -> None:
        """Write the entry, and remove what led to it."""
        if self._entry is None or self.problem:
            return
        try:
            _write(self._entry, vectors[self.rows.start : self.rows.stop])
        except OSError as error:
            self._fail(error)
            return
        self.__exit__()
        for path in self._parts:
            _remove(path)

    def __enter__(self) -> "_Unfinished":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _fail(self, error: OSError) -> None:
        """Give up keeping this chunk: a full disk needs the room more."""
        self.problem = error.strerror or str(error)
        if self._file is not None:
            path = Path(self._file.name)
            self.__exit__()
            _remove(path)


def _unfinished_files(folder: Path) -> dict[str, list[Path]]:
    """List a folder's unfinished files by the name of the entry that they are for."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob(f"*{_PART}")):
        found[path.name.partition(".")[0]].append(path)
    return found


def _read_batches(
    path: Path, n_rows: int, full_dim: int
) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]]:
    """Read an unfinished file up to where it is whole; yields places in the chunk, and vectors."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    start = 0
    while start < len(content):
        n_batch = int.from_bytes(content[start : start + 4], "little")
        vectors_at = start + 4 + 4 * n_batch
        end = vectors_at + 4 * n_batch * full_dim
        digest = hashlib.sha256(memoryview(content)[start:end]).digest()
        if n_batch > n_rows or content[end : end + _DIGEST_BYTES] != digest:
            return
        places = np.frombuffer(content, np.int32, n_batch, start + 4)
        batch = np.frombuffer(content, np.float32, n_batch * full_dim, vectors_at)
        yield places, batch.reshape(n_batch, full_dim)
        start = end + _DIGEST_BYTES


def _entry_name(fingerprint: str, texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for part in (_FORMAT, fingerprint.encode()):
        digest.update(hashlib.sha256(part).digest())
    for text in texts:
        # Texts of broken Unicode have a name, too; encoding them is what explains the problem.
        digest.update(hashlib.sha256(text.encode(errors="surrogatepass")).digest())
    return f"{digest.hexdigest()}.npy"


def _read(entry: Path) -> npt.NDArray[np.float32] | None:
    """Vectors of an entry; None if it is missing, unreadable or damaged."""
    try:
        content = entry.read_bytes()
    except OSError:
        return None
    array, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if hashlib.sha256(array).digest() != digest:
        return None
    mark_used(entry)
    vectors: npt.NDArray[np.float32] = np.load(BytesIO(array), allow_pickle=False)
    return vectors


def _write(entry: Path, vectors: npt.NDArray[np.float32]) -> None:
    """Write an entry whole or not at all, whoever else writes it at the same time."""
    array = BytesIO()
    np.save(array, vectors, allow_pickle=False)
    content = array.getvalue()
    entry.parent.mkdir(parents=True, exist_ok=True)
    unfinished = entry.with_suffix(f".{uuid.uuid4().hex}.tmp")
    try:
        unfinished.write_bytes(content + hashlib.sha256(content).digest())
        unfinished.replace(entry)
    finally:
        _remove(unfinished)


def _remove(path: Path) -> None:
    """Delete a file, unless another run has done so or has it open where that keeps it."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
