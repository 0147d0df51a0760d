"""What the pages that teach are drawn from: a few documents, one vector, one funnel."""

from dataclasses import dataclass

import numpy as np

from mrl_explorer.decide.intervals import intervals
from mrl_explorer.retrieval.basis import unit_rows
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, recall
from mrl_explorer.retrieval.quantization import encode, quantization
from mrl_explorer.retrieval.rankings import Rankings

_QUERIES, _EACH = 3, 3
_OVERSAMPLE = 10
SHOWN_COMPONENTS = 8
SHOWN_QUANTIZATIONS = ("float32", "float16", "int8", "int4", "binary")


@dataclass(frozen=True, eq=False)
class Similarities:
    """Cosines between a few documents, cut to some dims.

    Attributes
    ----------
    dim : int
        Dims kept.
    values : np.ndarray
        (n, n) float32.
    same_nearest : int
        Documents whose nearest other one is that of full dimension.
    """

    dim: int
    values: np.ndarray
    same_nearest: int


@dataclass(frozen=True, eq=False)
class Illustration:
    """A few documents and a vector of a collection.

    Attributes
    ----------
    rows : tuple of int
        Rows of the documents: the best of some queries, one query after the other.
    queries : tuple of int
        Row of the query that each document was found by.
    cuts : tuple of Similarities
        By ascending dim; the last is full dimension.
    codes : dict
        By quantization: the first components of the first document's stored code, (8,) or fewer.
    lengths : tuple of (int, float)
        Dims kept, and what is left of the first document's length of 1.
    """

    rows: tuple[int, ...]
    queries: tuple[int, ...]
    cuts: tuple[Similarities, ...]
    codes: dict[str, np.ndarray]
    lengths: tuple[tuple[int, float], ...]


def illustrate(documents: np.ndarray, rankings: Rankings) -> Illustration:
    """Draw up what is shown of some documents.

    Parameters
    ----------
    documents : np.ndarray
        (n_docs, full_dim) float32, of any norm.
    rankings : Rankings
        Of these documents.
    """
    found = _documents_of_queries(rankings)
    rows = tuple(row for _, row in found)
    vectors = unit_rows(documents[list(rows)])
    full_dim = rankings.full_dim
    dims = shown_dims(full_dim)
    nearest = _nearest(vectors @ vectors.T)
    cuts = []
    for dim in dims:
        kept = unit_rows(vectors[:, :dim])
        values = kept @ kept.T
        cuts.append(Similarities(dim, values, int((_nearest(values) == nearest).sum())))
    return Illustration(
        rows,
        tuple(query for query, _ in found),
        tuple(cuts),
        {name: _code(name, vectors[:1]) for name in SHOWN_QUANTIZATIONS},
        tuple((dim, float(np.linalg.norm(vectors[0, :dim]))) for dim in dims),
    )


def shown_dims(full_dim: int) -> tuple[int, ...]:
    """Choose the dims to show: 32, 128 and all, or parts of fewer."""
    few = 32 if full_dim > 32 else max(1, full_dim // 8)
    some = 128 if full_dim > 128 else max(1, full_dim // 2)
    return tuple(sorted({few, some, full_dim}))


def _documents_of_queries(rankings: Rankings) -> list[tuple[int, int]]:
    """Choose (query, document) rows: the best of queries that share none, spread over all."""
    lists = rankings.ids[rankings.place(rankings.baseline)][:, :_EACH]
    chosen: list[tuple[int, int]] = []
    taken: set[int] = set()
    step = max(1, rankings.n_queries // _QUERIES)
    order = [*range(0, rankings.n_queries, step), *range(rankings.n_queries)]
    for query in order:
        rows = [int(row) for row in lists[query] if row >= 0]
        if not taken.isdisjoint(rows):
            continue
        taken.update(rows)
        chosen += [(query, row) for row in rows]
        if len(chosen) >= _QUERIES * _EACH:
            break
    return chosen


def _nearest(values: np.ndarray) -> np.ndarray:
    """Give the nearest other document of each: (n, n) -> (n,)."""
    others = np.where(np.eye(len(values), dtype=bool), -np.inf, values)
    return others.argmax(axis=1)


def _code(name: str, vectors: np.ndarray) -> np.ndarray:
    """Give the first components of a stored code."""
    code = encode(quantization(name), vectors)[0]
    if quantization(name).scheme == "sign":
        code = np.unpackbits(code)
    return code[: min(SHOWN_COMPONENTS, vectors.shape[1])]


@dataclass(frozen=True, slots=True)
class Funnel:
    """A short first stage and full-dimension rescoring, on the data of a run.

    Attributes
    ----------
    first : Config
        What the first stage searches.
    n_docs, candidates, k : int
        Documents searched, handed on, and shown in the end.
    recall, low, high : float
        recall@k of the whole, and its 95% interval.
    first_bytes, second_bytes, full_bytes : int
        Bytes that each stage reads for a query, and a full-dimension search does.
    """

    first: Config
    n_docs: int
    candidates: int
    k: int
    recall: float
    low: float
    high: float
    first_bytes: int
    second_bytes: int
    full_bytes: int


def draw_funnel(evaluation: Evaluation, k: int = 10) -> Funnel:
    """Take a quarter of the dims as bits, or the nearest that the run has, as a first stage."""
    rankings = evaluation.rankings
    k = min(k, rankings.n_docs, rankings.depth)
    first = rankings.nearest(Config(max(1, rankings.full_dim // 4), "binary"))
    most = min(_OVERSAMPLE, rankings.depth // k, max(1, rankings.n_docs // k))
    cutoff = Cutoff(k, most, rescore=True)
    only = rankings.joined(rankings, tuple(dict.fromkeys((rankings.baseline, first))))
    values = recall(only, cutoff)[[only.place(first)]]
    low, high = intervals(values)
    full = rankings.baseline.bytes_per_vector
    return Funnel(
        first,
        rankings.n_docs,
        cutoff.candidates,
        k,
        float(values.mean()),
        float(low[0]),
        float(high[0]),
        rankings.n_docs * first.bytes_per_vector,
        cutoff.candidates * full,
        rankings.n_docs * full,
    )
