"""Recall and relevance by dimension for several orders of the dims: which dims carry the most.

A cut keeps the first dims. What that is worth shows beside other choices of as many: random ones,
the last ones, and principal axes. All of it is measured on a sample, so the time is bounded
whatever the corpus.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from mrl_explorer.data import Collection, Judgements, own_rows
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent
from mrl_explorer.retrieval.basis import ROWS_AT_ONCE, fit_basis, unit_rows
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import vectors_of
from mrl_explorer.retrieval.held_out import rank_held_out
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance
from mrl_explorer.retrieval.rankings import Rankings

N_RANDOM = 19
"""Random subsets: better than all of 19 by chance happens once in 20 times."""

MAX_DOCUMENTS = 20_000
MAX_QUERIES = 500
LEAST_DOCUMENTS = 20
"""With fewer, even a list of two is a large part of all there is."""

_LARGEST_SHARE = 10
"""A list longer than a tenth of the documents holds much of the truth by chance alone."""

_SEED = 20_28


@dataclass(frozen=True, eq=False)
class Sample:
    """What is measured: all of a collection, or a seeded sample of it.

    Attributes
    ----------
    documents, queries : np.ndarray
        (n_docs, full_dim) and (n_queries, full_dim) float32.
    judgements : Judgements or None
        Of the documents and queries in the sample.
    excluded : np.ndarray or None
        (n_queries,) document row left out of each query's own list; -1 for none.
    note : str
        One sentence on what was sampled; empty when nothing was left out.
    """

    documents: np.ndarray
    queries: np.ndarray
    judgements: Judgements | None = None
    excluded: np.ndarray | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Orders:
    """Recall and relevance, per query, of cuts in several orders of the dims.

    Attributes
    ----------
    dims : tuple of int
        Dims kept, ascending, below `full_dim`.
    full_dim, k, n_docs, n_queries : int
        Of the vectors, of the lists, and of the sample.
    recall, ndcg : dict
        By "prefix", "suffix" and "pca" (fitted on the documents that are searched): (n_dims,
        n_queries) recall@k against full dimension; (n_dims, n_judged) nDCG@k, empty without
        judgements.
    random_recall, random_ndcg : np.ndarray
        (N_RANDOM, n_dims, n_queries) and (N_RANDOM, n_dims, n_judged): one random order each, of
        which a cut keeps the first dims, so that a smaller subset lies within a larger.
    full_ndcg : np.ndarray
        (n_judged,) nDCG@k at full dimension.
    held_out : dict
        By "prefix" and "pca": (n_dims, n_queries) recall@k on the half of the documents that PCA
        was not fitted on; empty when there are too few documents.
    energy : np.ndarray
        (full_dim,) share of the squared length of the unit documents in each dim; sums to 1.
    note : str
        What was sampled; empty when nothing was left out.
    """

    dims: tuple[int, ...]
    full_dim: int
    k: int
    n_docs: int
    n_queries: int
    recall: dict[str, np.ndarray]
    ndcg: dict[str, np.ndarray]
    random_recall: np.ndarray
    random_ndcg: np.ndarray
    full_ndcg: np.ndarray
    held_out: dict[str, np.ndarray]
    energy: np.ndarray
    note: str = ""


def order_dims(full_dim: int, *, trained: Iterable[int] = ()) -> tuple[int, ...]:
    """Choose the dims to compare orders at: an eighth to a half, and the trained ones.

    Returns
    -------
    tuple of int
        Ascending, all below `full_dim`.
    """
    parts = {full_dim // part for part in (8, 4, 2)}
    return tuple(sorted(dim for dim in {*parts, *trained} if 2 <= dim < full_dim))


def sample_of(
    collection: Collection,
    *,
    exclude_self: bool = False,
    max_documents: int = MAX_DOCUMENTS,
    max_queries: int = MAX_QUERIES,
) -> Sample:
    """Take at most so many documents and queries, always the same ones.

    Documents that a query in the sample has a judgement for stay, since relevance cannot be
    measured without them; the others are drawn at random.

    Raises
    ------
    InputError
        If vectors are missing, or fewer than `LEAST_DOCUMENTS` documents are there.
    """
    documents, queries = vectors_of(collection.documents), vectors_of(collection.queries)
    n_docs, n_queries = len(documents), len(queries)
    if n_docs < LEAST_DOCUMENTS:
        raise InputError(
            f"{n_docs:,} documents are too few to tell one order of the dims from another: take "
            f"{LEAST_DOCUMENTS} or more."
        )
    excluded = own_rows(collection.documents, collection.queries) if exclude_self else None
    judgements = collection.judgements
    if n_docs <= max_documents and n_queries <= max_queries:
        return Sample(documents, queries, judgements, excluded)
    rng = np.random.default_rng(_SEED)
    query_rows = np.sort(rng.permutation(n_queries)[:max_queries])
    kept = np.zeros(n_docs, bool)
    if judgements is not None:
        named = np.isin(judgements.query_rows, query_rows) & (judgements.gains > 0)
        kept[judgements.document_rows[named]] = True
    free = rng.permutation(np.flatnonzero(~kept))[: max(0, max_documents - int(kept.sum()))]
    kept[free] = True
    document_rows = np.flatnonzero(kept)
    places = np.full(n_docs + 1, -1)  # the last one stands for "none"
    places[document_rows] = np.arange(len(document_rows))
    return Sample(
        np.ascontiguousarray(documents[document_rows]),
        np.ascontiguousarray(queries[query_rows]),
        None if judgements is None else _judged(judgements, query_rows, places),
        None if excluded is None else places[excluded[query_rows]],
        f"Measured on a fixed random sample: {len(document_rows):,} of {n_docs:,} documents and "
        f"{len(query_rows):,} of {n_queries:,} queries.",
    )


def _judged(judgements: Judgements, query_rows: np.ndarray, places: np.ndarray) -> Judgements:
    """Keep the judgements of a sample, with its own rows."""
    documents = places[judgements.document_rows]
    queries = np.searchsorted(query_rows, judgements.query_rows)
    known = (documents >= 0) & np.isin(judgements.query_rows, query_rows)
    return replace(
        judgements,
        query_rows=queries[known].astype(np.int32),
        document_rows=documents[known].astype(np.int32),
        gains=judgements.gains[known],
    )


def measure_orders(
    collection: Collection,
    *,
    exclude_self: bool = False,
    trained: Iterable[int] = (),
    k: int = 10,
    on_progress: OnProgress = silent,
) -> Orders:
    """Measure the orders of a collection's dims, on a sample where it is large.

    Parameters
    ----------
    collection : Collection
        Documents and queries with vectors.
    exclude_self : bool
        Whether a document that is used as a query is left out of its own list.
    trained : iterable of int
        Dims that the model was trained to be cut at; they are measured too.
    k : int
        Results that count; fewer where that were more than a tenth of the documents.

    Raises
    ------
    InputError
        If vectors are missing, or there are too few documents or dims.
    """
    sample = sample_of(collection, exclude_self=exclude_self)
    n_docs, full_dim = sample.documents.shape
    dims = order_dims(full_dim, trained=trained)
    if not dims:
        raise InputError(
            f"Vectors of {full_dim} dims leave no cut to compare: take a model of 4 dims or more."
        )
    fewer = min(k, n_docs // _LARGEST_SHARE)
    if fewer < k:
        said = (
            f"Lists of {fewer} are compared: {k} results would be more than a tenth of the "
            f"{n_docs:,} documents, and any order finds much of that by chance."
        )
        sample = replace(sample, note=f"{sample.note} {said}".strip())
    return compare_orders(sample, dims=dims, k=fewer, on_progress=on_progress)


def compare_orders(
    sample: Sample,
    *,
    dims: Iterable[int],
    k: int = 10,
    on_progress: OnProgress = silent,
) -> Orders:
    """Measure prefix, suffix, random subsets and PCA by dimension.

    Parameters
    ----------
    sample : Sample
        As from `sample_of`.
    dims : iterable of int
        Dims to keep.
    k : int
        Results that count, cut to the number of documents.
    on_progress : callable
        Told after each order; what it raises stops the work.
    """
    documents, queries = sample.documents, sample.queries
    n_docs, full_dim = documents.shape
    dims = tuple(sorted(set(dims)))
    k = min(k, n_docs)
    rng = np.random.default_rng(_SEED)
    orders = {
        "prefix": np.arange(full_dim),
        "suffix": np.arange(full_dim)[::-1],
        **{str(number): rng.permutation(full_dim) for number in range(N_RANDOM)},
    }
    n_steps = len(orders) + 2
    native = [Config(dim) for dim in dims]
    axes = [Config(dim, basis="pca") for dim in dims]
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    full_ndcg = np.empty(0)
    for step, (name, order) in enumerate(orders.items()):
        on_progress(Progress(step, n_steps, "comparing orders of the dims"))
        rankings = _rank(sample, order, native, k)
        found[name] = _measured(rankings, sample.judgements, native, k)
        if name == "prefix":
            full_ndcg = _measured(rankings, sample.judgements, [rankings.baseline], k)[1][0]
    on_progress(Progress(len(orders), n_steps, "comparing orders of the dims"))
    rankings = _rank(sample, None, axes, k)
    found["pca"] = _measured(rankings, sample.judgements, axes, k)
    on_progress(Progress(len(orders) + 1, n_steps, "comparing orders of the dims"))
    half = rank_held_out(documents, queries, axes, depth=k, excluded=sample.excluded)
    held_out = {}
    if half is not None and half.rankings.n_docs >= k:
        held_out = {
            "prefix": _measured(half.rankings, None, native, k)[0],
            "pca": _measured(half.rankings, None, axes, k)[0],
        }
    on_progress(Progress(n_steps, n_steps, "comparing orders of the dims"))
    names = ("prefix", "suffix", "pca")
    random = [found[str(number)] for number in range(N_RANDOM)]
    return Orders(
        dims,
        full_dim,
        k,
        n_docs,
        len(queries),
        {name: found[name][0] for name in names},
        {name: found[name][1] for name in names},
        np.stack([values for values, _ in random]),
        np.stack([values for _, values in random]),
        full_ndcg,
        held_out,
        energy_by_dim(documents),
        sample.note,
    )


def energy_by_dim(documents: np.ndarray) -> np.ndarray:
    """Give the share of the unit documents' squared length in each dim: (full_dim,), sum 1."""
    total = np.zeros(documents.shape[1])
    for start in range(0, len(documents), ROWS_AT_ONCE):
        unit = unit_rows(documents[start : start + ROWS_AT_ONCE])
        total += np.square(unit, dtype=np.float64).sum(axis=0)
    return total / total.sum()


def _rank(sample: Sample, order: np.ndarray | None, configs: list[Config], k: int) -> Rankings:
    """Rank cuts of permuted vectors, or, without an order, of principal axes."""
    # numba takes half a second to import, and pages that only read evaluations do without.
    from mrl_explorer.retrieval.sweep import sweep  # noqa: PLC0415

    documents, queries = sample.documents, sample.queries
    if order is None:
        bases = [fit_basis("pca", documents)]
        return sweep(documents, queries, configs, bases=bases, depth=k, excluded=sample.excluded)
    return sweep(
        np.ascontiguousarray(documents[:, order]),
        np.ascontiguousarray(queries[:, order]),
        configs,
        depth=k,
        excluded=sample.excluded,
    )


def _measured(
    rankings: Rankings, judgements: Judgements | None, configs: list[Config], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give recall@k and nDCG@k of configurations, per query."""
    places = [rankings.place(config) for config in configs]
    values = recall(rankings, Cutoff(k))[places]
    if judgements is None or not (judgements.gains > 0).any():
        return values, np.empty((len(configs), 0))
    return values, relevance(rankings, judgements, Cutoff(k)).ndcg[places]
