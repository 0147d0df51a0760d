"""Vectors in HDF5 files, laid out as those of ann-benchmarks are."""

# ruff: noqa: PLC0415 - pyfive is loaded by the first file of its kind, not by the first page.
# It is written in Python: the HDF5 library itself, under h5py, ends the process on some damaged
# files, and with it the sessions of all who use the server.

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mrl_explorer.data.columns import Columns, check_columns, choose_vector_column
from mrl_explorer.data.files import check_unpacked, reading
from mrl_explorer.data.tables import Table
from mrl_explorer.data.vectors import as_float32, check_vectors
from mrl_explorer.data.wording import quoted
from mrl_explorer.errors import InputError

if TYPE_CHECKING:
    from pyfive import File

# The layout: https://github.com/erikbern/ann-benchmarks, README, "Data sets".
DOCUMENTS, QUERIES = "train", "test"
_RESULTS = ("neighbors", "distances")
_COSINE = ("angular", "cosine")
_INNER_PRODUCTS = ("dot", "ip", "inner_product", "innerproduct")
_OTHERS = ("euclidean", "l2", "hamming", "jaccard", "manhattan")

_LIMIT_BYTES = 100 * 10**9

# How far a length may be from 1 for the inner product to order vectors as the cosine does.
_UNIT_TOLERANCE = 1e-3


def hdf5_holds_queries(path: Path) -> bool:
    """Tell whether a file holds queries beside documents."""
    with _opened(path) as file:
        return {DOCUMENTS, QUERIES} <= set(_tables(file))


def read_hdf5(path: Path, columns: Columns) -> Table:
    """Read one data set of vectors.

    Parameters
    ----------
    path : Path
        Documents are in `train` and queries in `test`. The metric is the attribute `distance`, or
        the last word of the file's name, as in `glove-100-angular.hdf5`.
    columns : Columns
        `vector` names the data set; it may be left out when there is only one.

    Returns
    -------
    Table
        One record per row.

    Raises
    ------
    InputError
        If the file is damaged, or declares a metric that does not order as the cosine does.
    """
    check_columns(columns.of_text, found=(), name=path.name)
    with _opened(path) as file:
        metric = _metric(file, path)
        if metric in _OTHERS:
            raise InputError(
                f"{path.name} declares the distance {quoted(metric)}, and everything here compares "
                "by cosine, which finds other neighbours: give vectors of a model that is "
                "compared by cosine."
            )
        tables = _tables(file)
        chosen = choose_vector_column(tables, chosen=columns.vector, name=path.name)
        if chosen is None:
            raise InputError(
                f"{path.name} holds no table of vectors: give an HDF5 file with the data sets "
                "train and test, as those of ann-benchmarks are."
            )
        name = f"{path.name} (data set {chosen})"
        stored = file[chosen]
        check_unpacked(
            math.prod(stored.shape) * stored.dtype.itemsize,
            packed_bytes=path.stat().st_size,
            name=name,
            limit_bytes=_LIMIT_BYTES,
        )
        vectors = check_vectors(as_float32(stored[()], name=name), name=name)
    if metric in _INNER_PRODUCTS:
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        if np.abs(lengths - 1).max() > _UNIT_TOLERANCE:
            raise InputError(
                f"{path.name} declares the distance {quoted(metric)} for vectors of different "
                "lengths, and everything here compares by cosine, which finds other neighbours: "
                "give vectors of unit length."
            )
    return Table(
        cells={},
        rows=range(len(vectors)),
        row_word="row",
        vectors=vectors,
        vector_column=chosen,
    )


@contextmanager
def _opened(path: Path) -> "Iterator[File]":
    """Open a file; damage met within the block is an `InputError`."""
    import pyfive

    with reading(path):
        path.open("rb").close()
    try:
        with pyfive.File(str(path)) as file:
            yield file
    except InputError:
        raise
    # A damaged file is read as if it were whole until something does not fit, whatever that is.
    except Exception as error:
        raise InputError(
            f"{path.name} is not a whole, readable HDF5 file: copy or save it again."
        ) from error


def _tables(file: "File") -> list[str]:
    """Return the names of the data sets that can hold vectors."""
    import pyfive

    names = (name for name in file if name not in _RESULTS)
    return [
        name
        for name in names
        if isinstance(found := file[name], pyfive.Dataset)
        and len(found.shape) == 2
        and isinstance(found.dtype, np.dtype)
    ]


def _metric(file: "File", path: Path) -> str:
    """Return the metric that the file declares, in lower case; empty when it declares none."""
    declared = file.attrs.get("distance", "")
    if isinstance(declared, bytes):
        declared = declared.decode(errors="replace")
    if declared:
        return str(declared).lower()
    last = path.stem.lower().rpartition("-")[2]
    return last if last in (*_COSINE, *_INNER_PRODUCTS, *_OTHERS) else ""
