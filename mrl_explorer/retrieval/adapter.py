"""A linear map trained so that the first dims keep the neighbours of all dims.

It starts from the principal axes. For each document of a batch, similarities to its neighbours and
to those of the others, at full dimension and in each prefix of the mapped vectors, become two
distributions (a softmax); the loss is how far the second is from the first (Kullback and Leibler
1951), as a share of what it is at the start, averaged over the prefixes. Where queries are judged,
the same is added for them: similarities in each prefix to a query's relevant documents, its nearest
others and random ones, held against a distribution that is even over the relevant ones.
"""

# ruff: noqa: PLC0415 - torch takes seconds to import, and the first screen must not wait.

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mrl_explorer.embed.threads import one_thread
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, silent
from mrl_explorer.retrieval.basis import Basis, fit_basis, unit_rows
from mrl_explorer.retrieval.held_out import searched_half

if TYPE_CHECKING:
    import torch

LEAST_DOCUMENTS = 200
"""Half of them is judged on, and a quarter of the others tells when to stop: fewer tell nothing."""

MOST_TRAINED = 20_000
"""Documents trained on; more are a seeded sample, since their number then changes little."""

MOST_STOPPING = 1_000
"""Documents that tell when to stop, at most."""

N_STEPS = 300
STEPS_UNTOLD = 20
"""A check of the loss every so many steps."""

PATIENCE = 8
"""Checks without a better one, after which it stops."""

_N_ANCHORS = 128
_N_NEAR = 100
_N_DRAWN = 16
"""Neighbours drawn for each anchor of a batch, of the nearest."""

_N_RANDOM = 500
"""Other documents in each batch."""

_LEAST_LOSS = 0.01
"""What a prefix counts as losing at the start, at least: full dimension loses nothing."""

_N_KEPT = 10
"""Nearest documents that a prefix is to find, for the choice of the best."""

RELEVANCE_WEIGHT = 0.3
"""What the loss of relevance counts, where that of neighbours counts 1: judgements are far fewer
than neighbours, and as heavy as these they are learnt by heart."""

MOST_QUERIES = 2_000
"""Judged queries that are trained on or tell when to stop, at most."""

_TEMPERATURE = 0.05
_LEARNING_RATE = 0.006
"""What a step moves, as a share of an orthonormal matrix's usual entry, 1 / sqrt(full_dim)."""
_SEED = 20_29


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """How far a training is.

    Attributes
    ----------
    step, n_steps : int
        Steps done, and steps at most.
    dims : tuple of int
        Prefixes that the loss is of, ascending.
    losses : np.ndarray
        (n_dims,) loss of each prefix, on documents that are not trained on.
    kept : np.ndarray
        (n_dims,) share of the nearest neighbours of these documents, among themselves, that each
        prefix keeps.
    found : np.ndarray or None
        (n_dims,) share of the relevant documents that each prefix has among its first ten, of
        judged queries that are not trained on; None where relevance is not trained.
    best : Basis
        The map whose short prefixes (see `short`) keep, and find, the most on average; the start
        is among them. The loss can fall while they keep less, since it also counts how far the
        others are.
    best_step : int
        When that was.
    """

    step: int
    n_steps: int
    dims: tuple[int, ...]
    losses: np.ndarray
    kept: np.ndarray
    found: np.ndarray | None
    best: Basis
    best_step: int


@dataclass(frozen=True, eq=False)
class Relevant:
    """Judged queries to train on.

    Attributes
    ----------
    queries : np.ndarray
        (n_queries, full_dim) float, of any norm.
    query_rows, document_rows : np.ndarray
        (n_pairs,) a query's place in `queries`, and the row of a document relevant to it.
    """

    queries: np.ndarray
    query_rows: np.ndarray
    document_rows: np.ndarray


def adapter_dims(full_dim: int, wanted: Iterable[int]) -> tuple[int, ...]:
    """Choose the prefixes to train: those asked for that cut something, at most eight."""
    dims = sorted({dim for dim in wanted if 2 <= dim < full_dim})
    places = np.unique(np.linspace(0, len(dims) - 1, min(len(dims), 8)).round().astype(int))
    return tuple(dims[place] for place in places)


def short(dims: Iterable[int], full_dim: int) -> np.ndarray:
    """Tell which prefixes an adapter is chosen and judged by: those of up to half the dims.

    A longer one saves less than half, and principal axes then lose next to nothing: with such
    prefixes in the mean, a gain where it counts is given up for noise where it does not. Where
    there is none so short, all that cut something.

    Returns
    -------
    np.ndarray
        (n_dims,) bool.
    """
    cut = np.array(list(dims))
    half = cut <= full_dim / 2
    return half if half.any() else cut < full_dim


def train(
    documents: np.ndarray,
    *,
    dims: Iterable[int],
    unseen: np.ndarray | None = None,
    relevant: Relevant | None = None,
    n_steps: int = N_STEPS,
    on_progress: OnProgress = silent,
) -> Iterator[Checkpoint]:
    """Train an adapter; the caller stops by asking for no more, and has the best so far.

    Parameters
    ----------
    documents : np.ndarray
        (n_docs, full_dim) float, of any norm.
    dims : iterable of int
        Prefixes that are to keep neighbours; full dimension is trained as well.
    unseen : np.ndarray, optional
        Rows that are left out, to be judged on; by default those of `searched_half`.
    relevant : Relevant, optional
        Judged queries to train on; a quarter of them tells when to stop. Their documents count
        where they are trained on.
    n_steps : int
        Steps at most.
    on_progress : callable
        Told while the start is fitted; what it raises stops the work.

    Yields
    ------
    Checkpoint
        The start, then every `STEPS_UNTOLD` steps.

    Raises
    ------
    InputError
        If there are too few documents, or no dim that cuts something.
    """
    n_docs, full_dim = documents.shape
    if n_docs < LEAST_DOCUMENTS:
        raise InputError(
            f"{n_docs} documents are too few to train an adapter on one half and judge it on the "
            f"other: it takes {LEAST_DOCUMENTS}."
        )
    dims = adapter_dims(full_dim, dims)
    if not dims:
        raise InputError(
            f"None of the dims cuts these vectors of {full_dim} dimensions: name one from 2 to "
            f"{full_dim - 1}."
        )
    unseen = searched_half(n_docs) if unseen is None else unseen
    rng = np.random.default_rng(_SEED)
    seen = rng.permutation(np.setdiff1d(np.arange(n_docs), unseen, assume_unique=True))
    n_stopping = min(len(seen) // 4, MOST_STOPPING)
    trained_on = np.sort(seen[n_stopping:][:MOST_TRAINED])
    start = fit_basis("pca", documents[np.sort(seen)], on_progress=on_progress).components
    assert start is not None  # noqa: S101 - principal axes have components
    fit, stop = unit_rows(documents[trained_on]), unit_rows(documents[seen[:n_stopping]])
    lesson = _Lesson(fit, stop, _taught(relevant, trained_on, rng), (*dims, full_dim))
    counts = short(lesson.dims, full_dim)
    best, best_step, most = Basis("adapter", start, unseen), 0, -np.inf
    for step, components, check in lesson.run(start, rng, n_steps):
        good = check.kept[counts].mean()
        if check.found is not None:
            good += check.found[counts].mean()
        if good > most:
            best, best_step, most = Basis("adapter", components, unseen), step, good
        yield Checkpoint(
            step, n_steps, lesson.dims, check.losses, check.kept, check.found, best, best_step
        )
        if step - best_step >= PATIENCE * STEPS_UNTOLD:
            return


def _taught(
    relevant: Relevant | None, trained_on: np.ndarray, rng: np.random.Generator
) -> "tuple[_Judged, _Judged] | None":
    """Divide judged queries into those that are trained on and those that tell when to stop."""
    if relevant is None:
        return None
    there = np.isin(relevant.document_rows, trained_on)
    queries = rng.permutation(np.unique(relevant.query_rows[there]))[:MOST_QUERIES]
    n_stopping = len(queries) // 4
    if n_stopping == 0:
        return None
    places = np.searchsorted(trained_on, relevant.document_rows[there])
    judged = np.zeros((len(relevant.queries), len(trained_on)), bool)
    judged[relevant.query_rows[there], places] = True
    unit = unit_rows(relevant.queries)
    taught, stopping = queries[n_stopping:], queries[:n_stopping]
    return _Judged(unit[taught], judged[taught]), _Judged(unit[stopping], judged[stopping])


class _Judged:
    """Queries, (n, full_dim) unit, and which documents trained on are relevant: (n, n_docs)."""

    def __init__(self, unit: np.ndarray, relevant: np.ndarray) -> None:
        import torch

        self.unit = torch.from_numpy(unit)
        self.relevant = torch.from_numpy(relevant)
        self.rows = [np.flatnonzero(row) for row in relevant]

    def target(self, rows: np.ndarray, pool: np.ndarray) -> "torch.Tensor":
        """Give the distribution that is even over the relevant documents of a pool."""
        import torch

        relevant = self.relevant[torch.from_numpy(rows)][:, torch.from_numpy(pool)].float()
        return relevant / relevant.sum(dim=1, keepdim=True)


@dataclass(frozen=True, eq=False)
class _Check:
    """What is measured now and then, as `Checkpoint` has it."""

    losses: np.ndarray
    kept: np.ndarray
    found: np.ndarray | None
    relevance_losses: np.ndarray | None


class _Lesson:
    """What is learnt from: documents with their neighbours, and others that tell when to stop.

    Judged queries, where there are any, are such a pair as well.
    """

    def __init__(
        self,
        fit: np.ndarray,
        stop: np.ndarray,
        judged: tuple[_Judged, _Judged] | None,
        dims: tuple[int, ...],
    ) -> None:
        import torch

        self.dims = dims
        self._fit, self._stop = torch.from_numpy(fit), torch.from_numpy(stop)
        self._judged = judged
        with one_thread():
            self._near = _neighbours(self._fit, min(_N_NEAR, len(fit) - 1))
            full = (self._stop @ self._stop.T).fill_diagonal_(-torch.inf)
            self._stop_target = _distribution(full)
            # Those at least as near as the k-th: ties count.
            self._n_kept = min(_N_KEPT, len(stop) - 1)
            self._stop_near = full >= full.topk(self._n_kept, dim=1).values[:, -1:]
            if judged is not None:
                similarities = judged[0].unit @ self._fit.T
                self._hard = similarities.topk(self._near.shape[1], dim=1).indices.numpy()

    def run(
        self, start: np.ndarray, rng: np.random.Generator, n_steps: int
    ) -> Iterator[tuple[int, np.ndarray, _Check]]:
        """Give step, (full_dim, full_dim) components and a check, now and then."""
        import torch

        weights = torch.nn.Parameter(torch.from_numpy(start.copy()))
        rate = _LEARNING_RATE / np.sqrt(len(start))
        optimiser = torch.optim.Adam([weights], lr=rate)
        with one_thread():
            yield from self._steps(weights, optimiser, rate, rng, n_steps)

    def _steps(
        self,
        weights: "torch.Tensor",
        optimiser: "torch.optim.Optimizer",
        rate: float,
        rng: np.random.Generator,
        n_steps: int,
    ) -> Iterator[tuple[int, np.ndarray, _Check]]:
        import torch

        for step in range(n_steps + 1):
            if step % STEPS_UNTOLD == 0 or step == n_steps:
                check = self._check(weights)
                if step == 0:
                    # A short prefix loses the most, and would else be all that counts.
                    self._scale = torch.from_numpy(check.losses.clip(_LEAST_LOSS))
                    if check.relevance_losses is not None:
                        self._relevance_scale = torch.from_numpy(
                            check.relevance_losses.clip(_LEAST_LOSS)
                        )
                yield step, weights.detach().numpy().copy(), check
            if step == n_steps:
                return
            # From the full rate down to nothing, along half a cosine.
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 + np.cos(np.pi * step / n_steps)) / 2
            optimiser.zero_grad()
            loss = self._loss(weights, rng)
            if self._judged is not None:
                loss = loss + RELEVANCE_WEIGHT * self._relevance_loss(weights, rng)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def _loss(self, weights: "torch.Tensor", rng: np.random.Generator) -> "torch.Tensor":
        """Give the mean loss of one batch of documents."""
        import torch

        rows = rng.choice(len(self._fit), min(_N_ANCHORS, len(self._fit)), replace=False)
        pool = self._pool(_drawn(self._near[rows], rng), rng)
        anchors, others = self._fit[torch.from_numpy(rows)], self._fit[torch.from_numpy(pool)]
        itself = torch.from_numpy(rows[:, None] == pool[None, :])
        target = _distribution((anchors @ others.T).masked_fill(itself, -torch.inf))
        losses = _losses(anchors @ weights.T, others @ weights.T, self.dims, target, itself)
        return (torch.stack(losses) / self._scale).mean()

    def _relevance_loss(self, weights: "torch.Tensor", rng: np.random.Generator) -> "torch.Tensor":
        """Give the mean loss of one batch of judged queries."""
        import torch

        assert self._judged is not None  # noqa: S101 - or there is nothing to lose
        judged = self._judged[0]
        n_queries = len(judged.rows)
        rows = rng.choice(n_queries, min(_N_ANCHORS, n_queries), replace=False)
        # Each query's own, so that every target has something to be even over.
        own = [rng.permutation(judged.rows[row])[:_N_DRAWN] for row in rows]
        pool = self._pool(np.concatenate([*own, _drawn(self._hard[rows], rng)]), rng)
        anchors, others = judged.unit[torch.from_numpy(rows)], self._fit[torch.from_numpy(pool)]
        target = judged.target(rows, pool)
        losses = _losses(anchors @ weights.T, others @ weights.T, self.dims, target)
        return (torch.stack(losses) / self._relevance_scale).mean()

    def _pool(self, near: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Add random documents to those that a batch is about: rows, ascending."""
        return np.unique(np.concatenate([near, rng.integers(len(self._fit), size=_N_RANDOM)]))

    def _check(self, weights: "torch.Tensor") -> _Check:
        """Measure on what tells when to stop."""
        import torch

        with torch.no_grad():
            mapped = self._stop @ weights.T
            itself = torch.eye(len(mapped), dtype=torch.bool)
            losses = _losses(mapped, mapped, self.dims, self._stop_target, itself)
            most = torch.full((len(mapped),), self._n_kept)
            kept = self._shares(mapped, mapped, self._stop_near, most, itself)
            found = relevance_losses = None
            if self._judged is not None:
                judged = self._judged[1]
                queries, documents = judged.unit @ weights.T, self._fit @ weights.T
                every = np.arange(len(documents))
                target = judged.target(np.arange(len(queries)), every)
                relevance_losses = torch.stack(
                    _losses(queries, documents, self.dims, target)
                ).numpy()
                most = judged.relevant.sum(dim=1).clamp_max(_N_KEPT)
                found = self._shares(queries, documents, judged.relevant, most)
            return _Check(torch.stack(losses).numpy(), kept, found, relevance_losses)

    def _shares(
        self,
        anchors: "torch.Tensor",
        others: "torch.Tensor",
        wanted: "torch.Tensor",
        most: "torch.Tensor",
        itself: "torch.Tensor | None" = None,
    ) -> np.ndarray:
        """Give the share of what is wanted, (n, n_others) bool, that each prefix finds.

        Among as many first ones as neighbours count; `most` (n,) is all that can be found there.
        """
        import torch

        n_first = min(_N_KEPT, others.shape[0] - 1)
        shares = []
        for dim in self.dims:
            one, other = (
                torch.nn.functional.normalize(v[:, :dim], dim=1) for v in (anchors, others)
            )
            similarities = one @ other.T
            if itself is not None:
                similarities = similarities.masked_fill(itself, -torch.inf)
            hits = wanted.gather(1, similarities.topk(n_first, dim=1).indices)
            shares.append(float((hits.sum(dim=1) / most).mean()))
        return np.array(shares)


def _drawn(near: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw some of the nearest documents of each of a batch, (n, n_near): flat, with repeats."""
    drawn = rng.integers(near.shape[1], size=(len(near), _N_DRAWN))
    return np.take_along_axis(near, drawn, axis=1).ravel()


def _losses(
    anchors: "torch.Tensor",
    others: "torch.Tensor",
    dims: tuple[int, ...],
    target: "torch.Tensor",
    itself: "torch.Tensor | None" = None,
) -> list["torch.Tensor"]:
    """Give the divergence of each prefix's similarities from the target distribution.

    Products and squared lengths of prefixes add up, so all prefixes cost one full product.
    """
    import torch

    target_entropy = torch.xlogy(target, target).sum(dim=1).mean()
    product = torch.zeros(1)
    own_length, other_length = torch.zeros(1), torch.zeros(1)
    losses = []
    for low, high in zip((0, *dims), dims, strict=False):
        own, other = anchors[:, low:high], others[:, low:high]
        product = product + own @ other.T
        own_length = own_length + own.square().sum(dim=1)
        other_length = other_length + other.square().sum(dim=1)
        scale = (own_length[:, None] * other_length[None, :]).clamp_min(1e-12).rsqrt()
        logits = product * scale / _TEMPERATURE
        if itself is None:
            logs = torch.log_softmax(logits, dim=1)
        else:
            logs = torch.log_softmax(logits.masked_fill(itself, -torch.inf), dim=1)
            logs = logs.masked_fill(itself, 0.0)
        losses.append(target_entropy - (target * logs).sum(dim=1).mean())
    return losses


def _distribution(similarities: "torch.Tensor") -> "torch.Tensor":
    return (similarities / _TEMPERATURE).softmax(dim=1)


def _neighbours(unit: "torch.Tensor", n_near: int) -> np.ndarray:
    """Give the nearest others of each document, by cosine: (n_docs, n_near) int64."""
    import torch

    found = []
    for start in range(0, len(unit), 1024):
        similarities = unit[start : start + 1024] @ unit.T
        similarities[torch.arange(len(similarities)), start + torch.arange(len(similarities))] = -2
        found.append(similarities.topk(n_near, dim=1).indices.numpy())
    return np.concatenate(found)
