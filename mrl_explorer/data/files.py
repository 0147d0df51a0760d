"""Files on disk as text: lines or whole, UTF-8 or UTF-16, plain or gzipped."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mrl_explorer.errors import InputError

UNPACKED_LIMIT_BYTES = 2 * 10**9
"""What a compressed file may unpack to unless the caller says otherwise."""

# Text and vectors never shrink 200-fold; small files may (a few hundred repeated lines).
_BOMB_RATIO = 200
_BOMB_BYTES = 50 * 10**6

# One record of text is far shorter; without a limit, one endless line would fill the memory.
_LINE_LIMIT_BYTES = 64 * 10**6

# Large enough that a call of Arrow's costs nothing beside its work, small enough for the cache.
_BLOCK_BYTES = 2**21
_UTF_16_LINES = 1000
_LINE_FEED = ord("\n")

Bytes = npt.NDArray[np.uint8]

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the file system refuses within the block into an `InputError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path.name} does not exist: check the path.") from error
    except IsADirectoryError as error:
        raise InputError(f"{path.name} is a folder: give a file.") from error
    except PermissionError as error:
        raise InputError(f"{path.name} may not be read: change its permissions.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path.name} cannot be read ({reason}): check the file.") from error


def check_unpacked(
    unpacked_bytes: int,
    *,
    packed_bytes: int,
    name: str,
    limit_bytes: int = UNPACKED_LIMIT_BYTES,
) -> None:
    """Refuse a compressed file that grows out of proportion.

    Parameters
    ----------
    unpacked_bytes : int
        Bytes that came out so far, counted and not as declared in the file.
    packed_bytes : int
        Size of the compressed data.
    name : str
        The file as the user knows it.
    limit_bytes : int
        What may come out in all.

    Raises
    ------
    InputError
        If more came out than the limit, or absurdly more than went in.
    """
    if unpacked_bytes > limit_bytes:
        raise InputError(
            f"{name} unpacks to more than {limit_bytes / 10**9:g} GB: unpack it yourself and give "
            "the unpacked files."
        )
    if unpacked_bytes > max(_BOMB_BYTES, _BOMB_RATIO * packed_bytes):
        raise InputError(
            f"{name} unpacks to more than {_BOMB_RATIO} times its size, as no text or vectors do: "
            "check where the file comes from."
        )


def text_lines(path: Path) -> Iterator[str]:
    """Read a file line by line.

    Parameters
    ----------
    path : Path
        UTF-8 text with or without a byte order mark, or UTF-16 with one (what spreadsheets call
        Unicode text); gzipped when the name ends in `.gz`.

    Yields
    ------
    str
        Each line with its line end, also the last one's if it has one.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, is neither UTF-8 nor UTF-16 (with the line of the
        first bad byte) or holds a line longer than 64 MB.
    """
    # Chained and not yielded one by one: that would cost as much as reading.
    return chain.from_iterable(_readers(path))


def _readers(path: Path) -> Iterator[io.StringIO]:
    """Give the lines of each block."""
    line = 1
    for block, bounds in line_blocks(path):
        yield io.StringIO(_block_text(block, bounds, path=path, line=line), newline="\n")
        line += len(bounds) - 1


def line_blocks(path: Path) -> Iterator[tuple[Bytes, npt.NDArray[np.int64]]]:
    """Read a file in blocks of whole lines, without a Python object for each line.

    Parameters
    ----------
    path : Path
        As for `text_lines`.

    Yields
    ------
    block : uint8 array
        Bytes that should be UTF-8; what follows is read into the same memory.
    bounds : (n_lines + 1,) int64 array
        Where each line begins, and the end of the last one; line ends belong to their line.

    Raises
    ------
    InputError
        As `text_lines`, but for bytes that are not UTF-8: see `block_texts`.
    """
    with opened(path) as stream:
        start = stream.peek(3)[:3]
        if start[:2] in _UTF_16:
            lines = _utf_16_lines(stream, path)
            while some := list(islice(lines, _UTF_16_LINES)):
                # A carriage return alone ends a line of UTF-16, and no line of UTF-8.
                encoded = [(f"{s}\n" if s.endswith("\r") else s).encode() for s in some]
                bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
                yield np.frombuffer(b"".join(encoded), np.uint8), bounds
            return
        if start == codecs.BOM_UTF8:
            stream.read(3)
        block, is_end = np.empty(_BLOCK_BYTES, np.uint8), np.empty(_BLOCK_BYTES, np.bool_)
        held, line = 0, 1  # bytes of a line whose end is not read yet, and its number
        while n_bytes := stream.readinto(block.data[held:]):
            filled = held + n_bytes
            begin = held // 8 * 8
            np.equal(block[begin:filled], _LINE_FEED, out=is_end[begin:filled])
            ends = _places(is_end[begin:filled])
            bounds = np.concatenate([[0], ends + (begin + 1)])
            held = filled - int(bounds[-1])
            if max(held, np.diff(bounds).max(initial=0)) >= _LINE_LIMIT_BYTES:
                raise _endless(path, line=line + int(np.argmax(np.diff(bounds, append=filled))))
            line += len(ends)
            if len(ends):
                yield block[: bounds[-1]], bounds
                block[:held] = block[bounds[-1] : filled]
            elif filled == len(block):
                block, is_end = np.resize(block, 2 * filled), np.resize(is_end, 2 * filled)
        if held:
            yield block[:held], np.array([0, held])


def _places(is_end: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Find the few that are true: `flatnonzero`, but first for eight at a time."""
    eights = is_end[: len(is_end) // 8 * 8].view(np.uint64)
    some = np.flatnonzero(eights != 0)
    found = np.flatnonzero(eights[some].view(np.bool_))
    rest = 8 * len(eights)
    return np.concatenate([8 * some[found // 8] + found % 8, rest + np.flatnonzero(is_end[rest:])])


def block_texts(
    block: Bytes, bounds: npt.NDArray[np.int64], *, path: Path, line: int
) -> pa.LargeStringArray:
    """Give the lines of a block as texts that share its memory.

    Parameters
    ----------
    block, bounds : arrays
        As `line_blocks` yields them.
    path : Path
        The file.
    line : int
        Number of the first line.

    Raises
    ------
    InputError
        If a line is not UTF-8.
    """
    # At once, since a line feed is no part of another character: line by line takes longer.
    if not is_utf_8(block):
        _block_text(block, bounds, path=path, line=line)
    return pa.LargeStringArray.from_buffers(
        len(bounds) - 1, pa.py_buffer(bounds), pa.py_buffer(block)
    )


def is_utf_8(raw: Bytes | bytes) -> bool:
    """Tell whether bytes are UTF-8."""
    bounds = pa.py_buffer(np.array([0, len(raw)]))
    try:
        pa.LargeStringArray.from_buffers(1, bounds, pa.py_buffer(raw)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _block_text(block: Bytes, bounds: npt.NDArray[np.int64], *, path: Path, line: int) -> str:
    """Decode a block of lines, the first of which has the number `line`."""
    try:
        return str(block.data, "utf-8")
    except UnicodeDecodeError as error:
        inner = int(np.searchsorted(bounds, error.start, side="right")) - 1
        byte = error.start - int(bounds[inner]) + 1
        raise _not_text(path, line=line + inner, byte=byte) from error


def whole_text(path: Path, *, limit_bytes: int) -> str:
    """Read a file's text at once, in the encodings of `text_lines`.

    Raises
    ------
    InputError
        As `text_lines`, and if the file is larger than `limit_bytes`.
    """
    with opened(path) as stream:
        raw = stream.read(limit_bytes + 1)
    if len(raw) > limit_bytes:
        raise InputError(
            f"{path.name} is larger than {limit_bytes / 10**6:,.0f} MB: give its records as JSONL "
            "or Parquet, which are read piece by piece."
        )
    try:
        return decoded(raw)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = error.start - raw.rfind(b"\n", 0, error.start)
        raise _not_text(path, line=line, byte=byte) from error


def decoded(raw: bytes, *, errors: str = "strict") -> str:
    """Decode text that is UTF-8, or UTF-16 with a byte order mark."""
    return raw.decode("utf-16" if raw[:2] in _UTF_16 else "utf-8-sig", errors)


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file for reading bytes, unpacked and within its limits when it is gzipped.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, or unpacks out of proportion.
    """
    with reading(path), path.open("rb") as file:
        if not path.name.lower().endswith(".gz"):
            yield file
            return
        packed_bytes = path.stat().st_size
        try:
            with gzip.open(file) as unpacked:
                counted = _Counted(
                    cast(BinaryIO, unpacked), packed_bytes=packed_bytes, name=path.name
                )
                yield io.BufferedReader(counted, 2**20)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                f"{path.name} is not a whole gzip file: copy or compress it again."
            ) from error


class _Counted(io.RawIOBase):
    """A stream that is being unpacked, and refused when too much comes out."""

    def __init__(self, stream: BinaryIO, *, packed_bytes: int, name: str) -> None:
        self._stream, self._packed_bytes, self._name = stream, packed_bytes, name
        self._unpacked_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever the reader hands over
        n_bytes = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._unpacked_bytes += n_bytes
        check_unpacked(self._unpacked_bytes, packed_bytes=self._packed_bytes, name=self._name)
        return int(n_bytes)


def _utf_16_lines(stream: io.BufferedReader, path: Path) -> Iterator[str]:
    """Read lines of UTF-16 text, its line ends as they are."""
    number = 0
    lines = io.TextIOWrapper(stream, "utf-16", newline="")
    try:
        while line := lines.readline(_LINE_LIMIT_BYTES):
            number += 1
            if len(line) == _LINE_LIMIT_BYTES:
                raise _endless(path, line=number)
            yield line
    except UnicodeError as error:
        raise InputError(
            f"{path.name}, after line {number}: not UTF-16 text, as the file's start says it is; "
            "save the file as UTF-8."
        ) from error
    finally:
        lines.detach()


def _endless(path: Path, *, line: int) -> InputError:
    """Return the error for a line that is no record."""
    return InputError(
        f"{path.name}, line {line}: longer than {_LINE_LIMIT_BYTES / 10**6:g} MB; check that it is "
        "a text file with one record per line."
    )


def _not_text(path: Path, *, line: int, byte: int) -> InputError:
    """Return the error for bytes that are not text."""
    return InputError(
        f"{path.name}, line {line}: byte {byte} is not UTF-8 text: save the file as UTF-8."
    )
