"""Ready vectors: NPY and NPZ files, and what vectors must be."""

import math
import tokenize
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from mrl_explorer.data.archive import archive_members, unpacked
from mrl_explorer.data.collection import read_only
from mrl_explorer.data.columns import Columns, check_columns, choose_vector_column
from mrl_explorer.data.files import reading
from mrl_explorer.data.strings import Strings
from mrl_explorer.data.tables import Table, encodable
from mrl_explorer.errors import InputError

# What a damaged file should be, and what to do.
_NPZ = "a whole NPZ file: copy it again, or save the arrays again with numpy.savez"

# Below this squared length a vector cannot be normalised in float32.
_LEAST_SQUARED_LENGTH = float(np.finfo(np.float32).tiny)

# Version 3.0 of the format exists for the field names of structured arrays, which are no vectors.
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

# The header is a Python literal, and this is what reading a damaged one raises.
_HEADER_DAMAGE = (
    *(ValueError, TypeError, SyntaxError, KeyError, OverflowError),
    *(MemoryError, RecursionError, tokenize.TokenError),
)


def as_float32(array: npt.NDArray[np.generic], *, name: str) -> npt.NDArray[np.float32]:
    """Copy numbers of any type to a C-contiguous float32 array.

    Parameters
    ----------
    array : array of whole or floating numbers
        May be mapped from a file.
    name : str
        The file as the user knows it.

    Returns
    -------
    float32 array of the same shape
        What is too large for float32 has become infinite, which `check_vectors` refuses.

    Raises
    ------
    InputError
        If the array holds anything but numbers.
    """
    if array.dtype.kind not in "iuf":
        raise InputError(
            f"{name} holds values of type {array.dtype} where numbers are expected: save the "
            "vectors as float32."
        )
    with np.errstate(over="ignore"):
        return np.array(array, dtype=np.float32, order="C")


def check_vectors(vectors: npt.NDArray[np.float32], *, name: str) -> npt.NDArray[np.float32]:
    """Check that vectors can be compared by cosine; nothing is copied.

    Parameters
    ----------
    vectors : (n, full_dim) float32 array
        As `as_float32` returns them.
    name : str
        The file as the user knows it.

    Returns
    -------
    (n, full_dim) float32 array
        The same array, read-only from now on. Every row has a length above zero that float32 can
        express.

    Raises
    ------
    InputError
        If the array is not a table with at least 1 row and 2 columns, or a row is not finite or
        is all zeros, with the first such rows.
    """
    if vectors.ndim != 2 or vectors.shape[0] < 1 or vectors.shape[1] < 2:
        raise InputError(
            f"{name} holds an array of shape {vectors.shape}: save the vectors as one row per "
            "record, with at least 2 components each."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        squared_lengths = np.einsum("ij,ij->i", vectors, vectors)
    _refuse_rows(~np.isfinite(squared_lengths), f"{name} holds NaN, infinite or too large numbers")
    _refuse_rows(squared_lengths < _LEAST_SQUARED_LENGTH, f"{name} holds vectors of zeros")
    return read_only(vectors)


def no_columns(path: Path) -> tuple[str, ...]:
    """Return the columns of text of an NPY file, which has none; `path` is not read."""
    del path
    return ()


def read_npy(path: Path, columns: Columns) -> Table:
    """Read an NPY file of vectors."""
    check_columns(columns.of_text, found=(), name=path.name)
    vectors = _vectors(path, name=path.name)
    return Table(cells={}, rows=range(len(vectors)), row_word="row", vectors=vectors)


def npz_columns(path: Path) -> tuple[str, ...]:
    """Return the names of the arrays of an NPZ file that do not hold its vectors."""
    names = _array_names(path)
    vectors = choose_vector_column(names, chosen=None, name=path.name)
    return tuple(name for name in names if name != vectors)


def read_npz(path: Path, columns: Columns) -> Table:
    """Read the vectors and the wanted arrays of text of an NPZ file.

    Parameters
    ----------
    path : Path
        The vectors are the array chosen in `columns`, else the only array, else the one named
        `vectors`, `embeddings`, ...
    columns : Columns
        The wanted arrays, one-dimensional, of text or whole numbers.

    Returns
    -------
    Table
        One record per row of the arrays.

    Raises
    ------
    InputError
        If an array is missing, is not what it should be, or the arrays differ in length.
    """
    names = _array_names(path)
    vector_array = choose_vector_column(names, chosen=columns.vector, name=path.name)
    if vector_array is None:
        raise InputError(f"{path.name} holds no arrays: save the vectors with numpy.savez.")
    check_columns(columns.of_text, found=names, name=path.name)
    with unpacked(path, expected=_NPZ) as folder:
        # Texts first: they are small, and a mistake in them shows before the vectors are read.
        cells = {
            name: _texts(folder / f"{name}.npy", name=f"{path.name} (array {name})")
            for name in columns.of_text
        }
        vectors = _vectors(
            folder / f"{vector_array}.npy", name=f"{path.name} (array {vector_array})"
        )
    for name, column in cells.items():
        if len(column) != len(vectors):
            raise InputError(
                f"{path.name} holds {len(vectors)} vectors and {len(column)} {name}: save one row "
                "per record in each array."
            )
    return Table(
        cells=cells,
        rows=range(len(vectors)),
        row_word="row",
        vectors=vectors,
        vector_column=vector_array,
    )


def _array_names(path: Path) -> tuple[str, ...]:
    """Return the names of the arrays of an NPZ file."""
    members = archive_members(path, expected=_NPZ)
    return tuple(name.removesuffix(".npy") for name in members if name.endswith(".npy"))


def _vectors(path: Path, *, name: str) -> npt.NDArray[np.float32]:
    """Read the vectors of an NPY file; the file is free again afterwards."""
    return check_vectors(as_float32(_mapped(path, name=name), name=name), name=name)


def _mapped(path: Path, *, name: str) -> npt.NDArray[np.generic]:
    """Map the array of an NPY file without reading it into memory; pickles are refused."""
    with reading(path), path.open("rb") as file:
        try:
            read_header = _HEADER_READERS[np.lib.format.read_magic(file)]
            shape, is_fortran, dtype = read_header(file)
            if dtype.hasobject:
                raise InputError(
                    f"{name} holds Python objects, which are never read from a file: save plain "
                    'numbers or text, such as array.astype("float32") or array.astype(str).'
                )
            size_bytes = math.prod(shape) * dtype.itemsize
            if path.stat().st_size - file.tell() < size_bytes:
                raise InputError(f"{name} is cut short: copy or save it again.")
            if size_bytes == 0:  # nothing that could be mapped
                return np.empty(shape, dtype)
            order: Literal["F", "C"] = "F" if is_fortran else "C"
            return np.memmap(path, dtype, mode="r", offset=file.tell(), shape=shape, order=order)
        except InputError:
            raise
        except _HEADER_DAMAGE as error:
            raise InputError(
                f"{name} is not a readable NPY array: save it again with numpy.save."
            ) from error


def _texts(path: Path, *, name: str) -> Strings:
    """Read an NPY file of texts or whole numbers as text."""
    array = _mapped(path, name=name)
    kind = array.dtype.kind
    if array.ndim != 1 or kind not in "USiu" or not array.dtype.itemsize:
        raise InputError(
            f"{name} holds values of type {array.dtype} and shape {array.shape}: save a list of "
            "texts, one per record."
        )
    try:
        if kind == "U":
            # UTF-32, which Python checks when it decodes and numpy does not.
            codec = "utf-32-be" if array.dtype.str[0] == ">" else "utf-32-le"
            array.tobytes().decode(codec, "surrogatepass")
        cells = (v.decode() if isinstance(v, bytes) else str(v) for v in array.tolist())
        return Strings.of(map(encodable, cells))
    except ValueError as error:
        raise InputError(f"{name} holds bytes that are not text: save it as text.") from error


def _refuse_rows(bad: npt.NDArray[np.bool_], problem: str) -> None:
    """Raise an `InputError` that names the first of the bad rows, if there are any."""
    rows = np.flatnonzero(bad)
    if len(rows):
        first = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        raise InputError(
            f"{problem} in {len(rows)} of {len(bad)} rows (counted from 0: {first}): leave these "
            "rows out."
        )
