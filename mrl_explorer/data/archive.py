"""ZIP archives, unpacked with care: they come from anywhere."""

import lzma
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

from mrl_explorer.data.files import UNPACKED_LIMIT_BYTES, check_unpacked, reading
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError

_MEMBER_LIMIT = 100_000
_CHUNK_BYTES = 2**20
_ENCRYPTED_FLAG = 0x1

# What `zipfile` raises for archives that are damaged or that it cannot unpack. A name that is
# not text is a ValueError, an empty one an IndexError, an unknown compression a
# NotImplementedError.
ZIP_DAMAGE = (
    *(BadZipFile, EOFError, IndexError, NotImplementedError, ValueError),
    *(lzma.LZMAError, struct.error, zlib.error),
)


_ZIP = "a whole ZIP archive in a usual compression: make it again"


def archive_members(path: Path, *, expected: str = _ZIP) -> tuple[str, ...]:
    """Return the names of the files in a ZIP archive, as they stand in it.

    Parameters
    ----------
    path : Path
        The archive.
    expected : str
        For the message about one that is damaged: what it should be, and what to do.

    Raises
    ------
    InputError
        If the archive cannot be read.
    """
    with reading(path), _understood(path, expected), ZipFile(path) as archive:
        return tuple(info.filename for info in archive.infolist() if not info.is_dir())


def check_archive(path: Path, *, what: str) -> None:
    """Refuse a file that is no ZIP archive, or one that grows out of proportion.

    For files that a library of their own unpacks: Python's `zipfile`, which these use, never gives
    more of a member than the archive declares, so what is declared is what can come out.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What it should be.

    Raises
    ------
    InputError
        If it is not an archive, or declares too much.
    """
    with reading(path):
        packed_bytes = path.stat().st_size
        try:
            with ZipFile(path) as archive:
                declared_bytes = sum(member.file_size for member in archive.infolist())
        except ZIP_DAMAGE as error:
            raise InputError(f"{path.name} is not {what}: save it as one, or as text.") from error
    check_unpacked(declared_bytes, packed_bytes=packed_bytes, name=path.name)


@contextmanager
def unpacked(
    path: Path, *, limit_bytes: int = UNPACKED_LIMIT_BYTES, expected: str = _ZIP
) -> Iterator[Path]:
    """Unpack a ZIP archive to a temporary folder, removed at the end of the block.

    Parameters
    ----------
    path : Path
        The archive.
    limit_bytes : int
        What it may unpack to in all.
    expected : str
        As for `archive_members`.

    Yields
    ------
    Path
        The folder.

    Raises
    ------
    InputError
        If the archive is damaged, encrypted or too large, or a member climbs out of the folder,
        is a link or grows out of proportion.
    """
    with TemporaryDirectory(prefix="mrl-explorer-") as folder:
        with reading(path), _understood(path, expected), ZipFile(path) as archive:
            _unpack(archive, Path(folder), name=path.name, limit_bytes=limit_bytes)
        yield Path(folder)


@contextmanager
def _understood(path: Path, expected: str) -> Iterator[None]:
    """Turn what `zipfile` raises for a damaged archive into an `InputError`."""
    try:
        yield
    except InputError:
        raise
    except ZIP_DAMAGE as error:
        raise InputError(f"{path.name} is not {expected}.") from error


def _unpack(archive: ZipFile, folder: Path, *, name: str, limit_bytes: int) -> None:
    """Write the files of an archive below `folder`, counting what comes out."""
    members = archive.infolist()
    if len(members) > _MEMBER_LIMIT:
        raise InputError(
            f"{name} holds more than {_MEMBER_LIMIT:,} files: pack only those of one collection."
        )
    for member in members:
        _check_member(member, name=name)
    total_bytes = 0
    for member in members:
        if member.is_dir():
            continue
        target = folder / _posix_name(member)
        target.parent.mkdir(parents=True, exist_ok=True)
        member_bytes = 0
        # "x": a member that stands twice in the archive is refused, not overwritten.
        with archive.open(member) as source, target.open("xb") as sink:
            while chunk := source.read(_CHUNK_BYTES):
                member_bytes += len(chunk)
                total_bytes += len(chunk)
                check_unpacked(
                    member_bytes,
                    packed_bytes=member.compress_size,
                    name=name,
                    limit_bytes=limit_bytes,
                )
                check_unpacked(
                    total_bytes, packed_bytes=total_bytes, name=name, limit_bytes=limit_bytes
                )
                sink.write(chunk)


def _check_member(member: ZipInfo, *, name: str) -> None:
    """Refuse a member that is encrypted, a link, or lies outside the archive's own folder."""
    if member.flag_bits & _ENCRYPTED_FLAG:
        raise InputError(
            f"{name}: {quoted(member.filename)} is encrypted; make the archive without a password."
        )
    inner = _posix_name(member)
    climbs = inner.startswith("/") or ".." in inner.split("/") or re.match("[A-Za-z]:", inner)
    if climbs or stat.S_ISLNK(member.external_attr >> 16):
        raise InputError(
            f"{name}: {quoted(member.filename)} points outside the archive; pack plain files and "
            "folders only."
        )


def _posix_name(member: ZipInfo) -> str:
    """Return a member's name with forward slashes, whatever system packed it."""
    return member.filename.replace("\\", "/")
