"""The file form of an evaluation: portable, versioned, checked on load, no pickle.

A ZIP archive of plain parts: `manifest.json` (what it is, and the SHA-256 of every other part and
of itself), arrays as NPY, and texts as Parquet. Only documents that occur in a list are in it.
"""

import hashlib
import io
import json
import os
import zipfile
import zlib
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mrl_explorer.data import Judgements
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.basis import BASES, RUN_BASES, Basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, Listed, Queries, Source
from mrl_explorer.retrieval.held_out import HeldOut
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.rankings import Rankings

FORMAT = "mrl-explorer evaluation"
VERSION = 3
"""2 added bases and held-out lists, 3 the manifest's own hash; 1 and 2 are still read."""

SUFFIX = ".evaluation"
MAX_BYTES = 4 * 10**9
"""What a file may unpack to: 100 configurations of 10,000 queries, ranked 100 deep, need 1 GB,
and half of them held out as much again."""

# Others raise errors of their own.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What parts raise that are whole and yet not what they should be.
_MALFORMED = (LookupError, MemoryError, OverflowError, TypeError, ValueError)
_HELD_OUT = "held_out_"
_SEAL, _SEALED = "manifest_sha256", 3
_ARRAYS = ("ids", "scores", "pair_starts", "pair_rows", "pair_scores")


def save_evaluation(evaluation: Evaluation, path: Path) -> None:
    """Write an evaluation, whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    rankings, held_out = evaluation.rankings, evaluation.held_out
    parts = _lists(rankings)
    if held_out is not None:
        parts |= _lists(held_out.rankings, prefix=_HELD_OUT)
        parts[f"{_HELD_OUT}rows.npy"] = _npy(held_out.rows)
    part_of: dict[int, str] = {}  # fitted bases share their axes, which are then stored once
    for basis in evaluation.bases:
        if basis.components is not None and id(basis.components) not in part_of:
            part_of[id(basis.components)] = f"axes_{basis.name}.npy"
            parts[f"axes_{basis.name}.npy"] = _npy(basis.components)
    listed, queries = evaluation.listed, evaluation.queries
    parts["documents.parquet"] = _parquet(
        row=listed.rows, id=listed.ids, title=listed.titles, text=listed.texts
    )
    segments = {} if queries.segments is None else {"segment": queries.segments}
    parts["queries.parquet"] = _parquet(id=queries.ids, text=queries.texts, **segments)
    if evaluation.judgements is not None:
        parts["judgements.parquet"] = _parquet(
            query=evaluation.judgements.query_rows,
            document=evaluation.judgements.document_rows,
            gain=evaluation.judgements.gains,
        )
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "n_docs": rankings.n_docs,
        "full_dim": rankings.full_dim,
        "configs": [asdict(config) for config in rankings.configs],
        "bases": {basis.name: part_of[id(basis.components)] for basis in evaluation.bases},
        "held_out": None
        if held_out is None
        else [asdict(config) for config in held_out.rankings.configs],
        "source": asdict(evaluation.source),
        "judgements": None if evaluation.judgements is None else evaluation.judgements.name,
        "sha256": {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()},
    }
    manifest[_SEAL] = _seal(manifest)
    # A neighbour of the target takes its place at the end: a run cut short leaves no half file.
    unfinished = path.parent / f".{path.name}.{os.getpid()}"
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("manifest.json", json.dumps(manifest, indent=1))
            for name, part in parts.items():
                archive.writestr(name, part)
        unfinished.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}): choose a folder you may write to."
        ) from error
    finally:
        with suppress(OSError):  # nothing is left of it where all went well
            unfinished.unlink()


def load_evaluation(path: Path) -> Evaluation:
    """Read an evaluation and check it part by part.

    The manifest of version 1 and 2 has no hash of its own, and is believed.

    Raises
    ------
    InputError
        If it is missing, no evaluation, of a newer version, cut short or changed.
    """
    manifest, parts = _read_parts(path)
    for name, part in parts.items():
        if hashlib.sha256(part).hexdigest() != manifest["sha256"][name]:
            raise _damaged(path)
    try:
        evaluation = _assemble(manifest, parts)
        _check_consistency(evaluation)
    except (*_MALFORMED, pa.ArrowException) as error:
        raise _damaged(path) from error
    return evaluation


def _read_parts(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read the manifest and the parts that it names."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if any(member.compress_type not in _COMPRESSIONS for member in members):
                raise zipfile.BadZipFile
            # Reading stops at the declared sizes, so they bound what a hostile file can unpack.
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise InputError(
                    f"{path.name} unpacks to more than {MAX_BYTES / 1e9:.0f} GB: evaluate with "
                    "fewer configurations or queries."
                )
            manifest = json.loads(archive.read("manifest.json"))
            _check_format(path, manifest)
            if manifest["version"] >= _SEALED and manifest.get(_SEAL) != _seal(manifest):
                raise _damaged(path)
            return manifest, {name: archive.read(name) for name in dict(manifest["sha256"])}
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"There is no file {path}: check the path.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check the path.") from None
    # What zipfile raises for archives that are cut short, changed, or encrypted.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise _damaged(path) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path.name} is not an evaluation: give a file written by 'evaluate --save'."
        ) from error


def _check_format(path: Path, manifest: dict[str, Any]) -> None:
    version = manifest["version"]
    if manifest["format"] != FORMAT or type(version) is not int or version < 1:
        raise ValueError("no evaluation")
    if version > VERSION:
        raise InputError(
            f"{path.name} was written by a newer MRL Explorer (format {version}, this one reads "
            f"{VERSION}): update MRL Explorer."
        )


def _seal(manifest: dict[str, Any]) -> str:
    """Hash all that a manifest says, in one order, but for this hash."""
    said = {name: value for name, value in manifest.items() if name != _SEAL}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{path.name} is damaged or was changed after it was written: evaluate again, or copy it "
        "again from where it came."
    )


def _assemble(manifest: dict[str, Any], parts: dict[str, bytes]) -> Evaluation:
    full_dim, source = manifest["full_dim"], manifest["source"]
    if manifest["version"] == 1:
        manifest = {**manifest, "bases": {}, "held_out": None}
        # It was told in words only.
        source = {
            **source,
            "exclude_self": any("left out of its own" in n for n in source["notes"]),
        }
    rankings = _rankings(manifest["configs"], parts, n_docs=manifest["n_docs"], full_dim=full_dim)
    held_out = None
    if manifest["held_out"] is not None:
        rows = _array(parts[f"{_HELD_OUT}rows.npy"])
        held_out = HeldOut(
            _rankings(
                manifest["held_out"], parts, n_docs=len(rows), full_dim=full_dim, prefix=_HELD_OUT
            ),
            rows,
        )
    if not isinstance(manifest["bases"], dict):
        raise TypeError
    axes = {name: _array(parts[name]) for name in set(manifest["bases"].values())}
    # Only a basis that has not seen the half held out has lists of it.
    unseen = {} if held_out is None else {c.basis: held_out.rows for c in held_out.rankings.configs}
    bases = tuple(
        Basis(name, axes[part], None if name in RUN_BASES else unseen.get(name))
        for name, part in manifest["bases"].items()
    )
    documents = pq.read_table(io.BytesIO(parts["documents.parquet"]))
    queries = pq.read_table(io.BytesIO(parts["queries.parquet"]))
    judgements = None
    if "judgements.parquet" in parts:
        table = pq.read_table(io.BytesIO(parts["judgements.parquet"]))
        judgements = Judgements(
            manifest["judgements"],
            *(table[name].to_numpy() for name in ("query", "document", "gain")),
        )
    return Evaluation(
        rankings,
        Listed(
            documents["row"].to_numpy(),
            *(tuple(documents[name].to_pylist()) for name in ("id", "title", "text")),
        ),
        Queries(
            tuple(queries["id"].to_pylist()),
            tuple(queries["text"].to_pylist()),
            tuple(queries["segment"].to_pylist()) if "segment" in queries.column_names else None,
        ),
        judgements,
        Source(
            **{
                **source,
                "trained_dims": tuple(source["trained_dims"]),
                "notes": tuple(source["notes"]),
            }
        ),
        bases,
        held_out,
    )


def _lists(rankings: Rankings, *, prefix: str = "") -> dict[str, bytes]:
    """Give ranked lists as parts by name."""
    arrays = (rankings.ids, rankings.scores, *_pairs(rankings))
    return {f"{prefix}{name}.npy": _npy(array) for name, array in zip(_ARRAYS, arrays, strict=True)}


def _rankings(
    configs: list[dict[str, Any]],
    parts: dict[str, bytes],
    *,
    n_docs: int,
    full_dim: int,
    prefix: str = "",
) -> Rankings:
    """Undo `_lists`."""
    ids, scores, *pairs = (_array(parts[f"{prefix}{name}.npy"]) for name in _ARRAYS)
    return Rankings(
        tuple(Config(**config) for config in configs),
        ids,
        scores,
        _full_scores(ids, *pairs),
        n_docs,
        full_dim,
    )


def _pairs(rankings: Rankings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List each query's documents once, with the baseline's score: most are in many lists.

    Returns
    -------
    starts, rows, scores : np.ndarray
        (n_queries + 1,) int64 where each query's part begins; (n_pairs,) int32 and float32.
    """
    rows, scores = [], []
    for query in range(rankings.n_queries):
        ids = rankings.ids[:, query].ravel()
        unique, first = np.unique(ids, return_index=True)
        rows.append(unique[unique >= 0])
        scores.append(rankings.full_scores[:, query].ravel()[first[unique >= 0]])
    starts = np.cumsum([0, *map(len, rows)])
    return starts, np.concatenate(rows), np.concatenate(scores)


def _full_scores(
    ids: np.ndarray, starts: np.ndarray, rows: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Undo `_pairs`: the baseline's score at every place of every list."""
    full_scores = np.full(ids.shape, -np.inf, np.float32)
    for query in range(ids.shape[1]):
        own, listed = slice(starts[query], starts[query + 1]), ids[:, query]
        places = np.searchsorted(rows[own], listed)
        found = listed >= 0
        full_scores[:, query][found] = scores[own][places[found]]
        if not np.array_equal(rows[own][places[found]], listed[found]):
            raise ValueError("a listed document has no score")
    return full_scores


def _check_consistency(evaluation: Evaluation) -> None:
    """Refuse parts that do not belong together, before a page fails on them."""
    rankings, held_out = evaluation.rankings, evaluation.held_out
    n_queries = len(evaluation.queries.ids)
    listed = np.unique(rankings.ids)
    judged = evaluation.judgements
    consistent = (
        _is_consistent(rankings, n_queries=n_queries)
        and all(_is_possible_basis(basis, rankings) for basis in evaluation.bases)
        and (held_out is None or _is_consistent_half(held_out, rankings))
        and np.array_equal(listed[listed >= 0], evaluation.listed.rows)
        and (judged is None or _are_rows(judged.query_rows, rankings.n_queries))
        and (judged is None or _are_rows(judged.document_rows, rankings.n_docs))
    )
    if not consistent:
        raise ValueError("the parts of the evaluation disagree")


def _is_consistent(rankings: Rankings, *, n_queries: int) -> bool:
    shape = (len(rankings.configs), n_queries, rankings.depth)
    return (
        rankings.ids.shape == rankings.scores.shape == rankings.full_scores.shape == shape
        and rankings.baseline in rankings
        and len(set(rankings.configs)) == len(rankings.configs)
        and all(_is_possible(config, rankings.full_dim) for config in rankings.configs)
        and isinstance(rankings.n_docs, int)
        and bool(rankings.ids.max() < rankings.n_docs)
    )


def _is_possible_basis(basis: Basis, rankings: Rankings) -> bool:
    axes = basis.components
    dims = [config.dim for config in rankings.configs if config.basis == basis.name]
    return (
        basis.name in BASES
        and axes is not None
        and axes.dtype == np.float32
        and axes.ndim == 2
        and axes.shape[1] == rankings.full_dim
        and max(dims, default=1) <= len(axes)
        and bool(np.isfinite(axes).all())
    )


def _is_consistent_half(held_out: HeldOut, rankings: Rankings) -> bool:
    half, rows = held_out.rankings, held_out.rows
    return (
        _is_consistent(half, n_queries=rankings.n_queries)
        and rows.ndim == 1
        and rows.dtype.kind == "i"
        and bool((np.diff(rows) > 0).all())
        and _are_rows(rows, rankings.n_docs)
        and all(replace(config, basis="native") in half for config in half.configs)
    )


def _is_possible(config: Config, full_dim: int) -> bool:
    return (
        isinstance(config.dim, int)
        and 1 <= config.dim <= full_dim
        and config.quantization in QUANTIZATIONS
        and config.basis in BASES
    )


def _are_rows(rows: np.ndarray, n_rows: int) -> bool:
    return not len(rows) or bool(rows.min() >= 0 and rows.max() < n_rows)


def _array(content: bytes) -> np.ndarray:
    return np.load(io.BytesIO(content), allow_pickle=False)


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _parquet(**columns: Any) -> bytes:  # noqa: ANN401 - arrays and tuples of str
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()
