"""Files on disk as lines of UTF-8 text, plain or gzipped."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from mrl_explorer.errors import InputError

UNPACKED_LIMIT_BYTES = 2 * 10**9
"""What a compressed file may unpack to unless the caller says otherwise."""

# Text and vectors never shrink 200-fold; small files may (a few hundred repeated lines).
_BOMB_RATIO = 200
_BOMB_BYTES = 50 * 10**6

# One record of text is far shorter; without a limit, one endless line would fill the memory.
_LINE_LIMIT_BYTES = 64 * 10**6


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
        UTF-8 text with or without a byte order mark; gzipped when the name ends in `.gz`.

    Yields
    ------
    str
        Each line with its line end, also the last one's if it has one.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, is not UTF-8 (with the line of the first bad
        byte) or holds a line longer than 64 MB.
    """
    for number, line in enumerate(_byte_lines(path), start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path.name}, line {number}: byte {error.start + 1} is not UTF-8 text: "
                "save the file as UTF-8."
            ) from error


def _byte_lines(path: Path) -> Iterator[bytes]:
    """Read a file's lines as they are, unpacked and within their limits."""
    gzipped = path.name.lower().endswith(".gz")
    unpacked_bytes = 0
    with reading(path):
        packed_bytes = path.stat().st_size
        try:
            with _open(path, gzipped=gzipped) as stream:
                while line := stream.readline(_LINE_LIMIT_BYTES):
                    unpacked_bytes += len(line)
                    if gzipped:
                        check_unpacked(unpacked_bytes, packed_bytes=packed_bytes, name=path.name)
                    if len(line) == _LINE_LIMIT_BYTES:
                        raise InputError(
                            f"{path.name} holds a line longer than 64 MB: check that it is a text "
                            "file with one record per line."
                        )
                    yield line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                f"{path.name} is not a whole gzip file: copy or compress it again."
            ) from error


def _open(path: Path, *, gzipped: bool) -> BinaryIO:
    """Open a file for reading bytes."""
    return cast(BinaryIO, gzip.open(path)) if gzipped else path.open("rb")
