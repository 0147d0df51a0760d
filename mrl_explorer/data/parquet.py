"""Parquet files: columns of text, and a column of vectors."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mrl_explorer.data.columns import (
    Columns,
    check_columns,
    choose_vector_column,
    is_vector_name,
)
from mrl_explorer.data.files import reading
from mrl_explorer.data.strings import Strings
from mrl_explorer.data.tables import Table
from mrl_explorer.data.vectors import as_float32, check_vectors
from mrl_explorer.errors import InputError

_BATCH_ROWS = 4096
_FEWEST_ROWS, _MOST_ROWS = 16, 2**15
# What is read, checked and packed stays within the processor's cache.
_BATCH_BYTES = 2**21
_PACKED_BATCHES = 4
_BUFFER_BYTES = 2**16

# Damage below the level of columns comes as OSError, text that is not UTF-8 as ValueError.
_DAMAGE = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError)


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Return the names of the columns that can be read as text."""
    with _opened(path) as file:
        return tuple(field.name for field in file.schema_arrow if not _is_nested(field.type))


def read_parquet(path: Path, columns: Columns) -> Table:
    """Read the wanted columns of text and the column of vectors, if there is one.

    Parameters
    ----------
    path : Path
        The vectors are the column chosen in `columns`, else the only column of lists of floats
        (or the one of several that is named `vectors`, `embedding`, ...).
    columns : Columns
        The wanted columns.

    Returns
    -------
    Table
        One record per row.

    Raises
    ------
    InputError
        If the file is damaged, a column is missing, or the lists are not vectors of one length.
    """
    with _opened(path) as file:
        schema = file.schema_arrow
        texts = [field.name for field in schema if not _is_nested(field.type)]
        lists = [field.name for field in schema if _may_be_vectors(field, columns.vector)]
        check_columns(columns.of_text, found=texts, name=path.name)
        vector_column = choose_vector_column(lists, chosen=columns.vector, name=path.name)
        cells = _texts(file, columns.of_text)
        vectors = None
        if vector_column is not None:
            vectors = _stacked(file, vector_column, name=path.name)
        n_rows = file.metadata.num_rows
    columns_read = [*cells.values(), *([] if vectors is None else [vectors])]
    if any(len(column) != n_rows for column in columns_read):
        raise _damaged(path)
    if vectors is not None:
        vectors = check_vectors(vectors, name=f"{path.name} (column {vector_column})")
    return Table(
        cells=cells,
        rows=range(n_rows),
        row_word="row",
        vectors=vectors,
        vector_column=vector_column,
    )


def _texts(file: pq.ParquetFile, names: Sequence[str]) -> dict[str, Strings]:
    """Read columns as text, batch by batch: a row group may be the whole file."""
    loose: dict[str, list[pa.Array]] = {name: [] for name in names}
    packed: dict[str, list[pa.Array]] = {name: [] for name in names}

    def pack(name: str) -> None:
        # A batch has room for up to twice what it holds; one made of several has not.
        packed[name].append(pa.concat_arrays(loose[name]))
        loose[name].clear()

    n_rows = _batch_rows(file.metadata)
    for batch in file.iter_batches(n_rows, columns=names, use_threads=False) if names else ():
        for name in names:
            chunk = batch.column(name)
            if not pa.types.is_primitive(chunk.type):
                chunk = chunk.cast(pa.large_string())
                chunk.validate(full=True)
            loose[name].append(chunk)
            if len(loose[name]) == _PACKED_BATCHES:
                pack(name)
    for name in names:
        if loose[name]:
            pack(name)
    return {name: Strings.packed(parts) for name, parts in packed.items()}


def _batch_rows(metadata: pq.FileMetaData) -> int:
    """Give how many rows to read at a time: many that are short, or a few that are long."""
    # Of whole groups of rows: of its columns, a damaged file's metadata cannot be asked safely.
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    n_bytes = max(sum(group.total_byte_size for group in groups), 1)
    wanted = min(max(_BATCH_BYTES * metadata.num_rows // n_bytes, _FEWEST_ROWS), _MOST_ROWS)
    # A power of two: pages of files by Arrow end at multiples of 1,024 rows, and to read a part of
    # a page takes longer.
    return int(2 ** (wanted.bit_length() - 1))


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; damage met within the block is an `InputError`."""
    with reading(path):
        path.open("rb").close()
    try:
        # With a buffer, pages are read one by one; without, a row group's column at a time.
        with pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            yield file
    except InputError:
        raise
    except _DAMAGE as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> InputError:
    """Return the error for a file that is damaged, wherever that shows."""
    return InputError(f"{path.name} is not a whole, readable Parquet file: copy or save it again.")


def _is_nested(kind: pa.DataType) -> bool:
    """Tell whether a column's type is made of others, and so cannot be read as text."""
    return bool(pa.types.is_nested(kind))


def _may_be_vectors(field: pa.Field, chosen: str | None) -> bool:
    """Tell whether a column holds lists of floats, or of whole numbers under a vector's name."""
    kind = field.type
    is_list = (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
    if not is_list:
        return False
    # Lists of whole numbers are more often tokens or labels.
    named = field.name == chosen or is_vector_name(field.name)
    return bool(
        pa.types.is_floating(kind.value_type) or (named and pa.types.is_integer(kind.value_type))
    )


def _stacked(file: pq.ParquetFile, column: str, *, name: str) -> npt.NDArray[np.float32]:
    """Copy a column of lists of one length to an array, batch by batch."""
    n_rows = file.metadata.num_rows
    stacked: npt.NDArray[np.float32] | None = None
    start = 0
    for batch in file.iter_batches(_BATCH_ROWS, columns=[column]):
        lists = batch.column(0)
        lengths = pc.list_value_length(lists).fill_null(-1).to_numpy(zero_copy_only=False)
        if stacked is None:
            stacked = np.empty((n_rows, lengths.max(initial=0)), dtype=np.float32)
        dim = stacked.shape[1]
        odd = np.flatnonzero(lengths != dim)
        if len(odd):
            raise InputError(
                f"{name} (column {column}), row {start + odd[0]} (counted from 0): there are not "
                f"the {dim} components of the other vectors; leave this row out."
            )
        components = lists.flatten().to_numpy(zero_copy_only=False)
        stacked[start : start + len(lists)] = as_float32(components, name=name).reshape(-1, dim)
        start += len(lists)
    return np.empty((0, 0), dtype=np.float32) if stacked is None else stacked[:start]
