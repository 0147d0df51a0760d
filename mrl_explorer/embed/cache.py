"""Embeddings on disk, found by content.

An entry holds the vectors of a chunk of consecutive texts. Its name is the SHA-256 of everything
that decides them, so an entry is never out of date, and of two runs that write the same one either
may win. An entry is a .npy file (numpy reads it) followed by the SHA-256 of its bytes: a
file that a full disk, a kill or a power cut left damaged does not match, and is encoded again.
"""

import hashlib
import os
import uuid
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mrl_explorer.embed.encoding import encode_batches, what
from mrl_explorer.embed.models import Kind, Model
from mrl_explorer.progress import OnProgress, Progress, silent

CHUNK = 1024
"""Texts an entry: what a killed run loses at most, and what one changed text costs."""

_FORMAT = b"mrl-explorer embeddings 1"
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
        Told the texts done: first those found in the cache, then after every batch.

    Returns
    -------
    (n_texts, full_dim) float32 array
        In the order of `texts`; neither normalised nor cut.

    Raises
    ------
    InputError
        As `encode_batches`.
    """
    vectors = np.empty((len(texts), model.full_dim), np.float32)
    work = what(kind)
    missing: list[tuple[range, Path | None]] = []
    done = 0
    for start in range(0, len(texts), CHUNK):
        chunk = range(start, min(start + CHUNK, len(texts)))
        name = _entry_name(model, texts[chunk.start : chunk.stop], kind=kind)
        entry = cache and cache / "embeddings" / name
        stored = _read(entry) if entry else None
        if stored is None:
            missing.append((chunk, entry))
        else:
            vectors[chunk.start : chunk.stop] = stored
            done += len(stored)
    on_progress(Progress(done, len(texts), work))

    for chunk, entry in missing:
        for rows, batch in encode_batches(model, texts, chunk, kind=kind):
            vectors[rows] = batch
            done += len(rows)
            on_progress(Progress(done, len(texts), work))
        if entry is None:
            continue
        try:
            _write(entry, vectors[chunk.start : chunk.stop])
        except OSError as error:
            work = f"{what(kind)} (not kept: {error.strerror or error} in the cache {cache})"
            on_progress(Progress(done, len(texts), work))
    return vectors


def _entry_name(model: Model, texts: Sequence[str], *, kind: Kind) -> str:
    digest = hashlib.sha256()
    for part in (_FORMAT, model.fingerprint(kind).encode()):
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
        unfinished.unlink(missing_ok=True)
