"""A linear map trained so that the first dims keep the neighbours of all dims.

It starts from the principal axes and learns from documents alone, so every query is new to it. For
each document of a batch, similarities to its neighbours and to those of the others, at full
dimension and in each prefix of the mapped vectors, become two distributions (a softmax); the loss
is how far the second is from the first (Kullback and Leibler 1951), as a share of what it is at
the start, averaged over the prefixes.
"""

# ruff: noqa: PLC0415 - torch takes seconds to import, and the first screen must not wait.

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
"""Nearest neighbours that a prefix is to keep, for the choice of the best."""

_TEMPERATURE = 0.05
_LEARNING_RATE = 1e-3
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
    best : Basis
        The map whose prefixes keep the most on average; the start is among them. The loss can
        fall while they keep less, since it also counts how far the others are.
    best_step : int
        When that was.
    """

    step: int
    n_steps: int
    dims: tuple[int, ...]
    losses: np.ndarray
    kept: np.ndarray
    best: Basis
    best_step: int


def adapter_dims(full_dim: int, wanted: Iterable[int]) -> tuple[int, ...]:
    """Choose the prefixes to train: those asked for that cut something, at most eight."""
    dims = sorted({dim for dim in wanted if 2 <= dim < full_dim})
    places = np.unique(np.linspace(0, len(dims) - 1, min(len(dims), 8)).round().astype(int))
    return tuple(dims[place] for place in places)


def train(
    documents: np.ndarray,
    *,
    dims: Iterable[int],
    unseen: np.ndarray | None = None,
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
    lesson = _Lesson(fit, stop, (*dims, full_dim))
    best, best_step, most = Basis("adapter", start, unseen), 0, -np.inf
    for step, components, losses, kept in lesson.run(start, rng, n_steps):
        if kept[:-1].mean() > most:
            best, best_step, most = Basis("adapter", components, unseen), step, kept[:-1].mean()
        yield Checkpoint(step, n_steps, lesson.dims, losses, kept, best, best_step)
        if step - best_step >= PATIENCE * STEPS_UNTOLD:
            return


class _Lesson:
    """What is learnt from: documents with their neighbours, and others that tell when to stop."""

    def __init__(self, fit: np.ndarray, stop: np.ndarray, dims: tuple[int, ...]) -> None:
        import torch

        self.dims = dims
        self._fit, self._stop = torch.from_numpy(fit), torch.from_numpy(stop)
        with _one_thread():
            self._near = _neighbours(self._fit, min(_N_NEAR, len(fit) - 1))
            full = (self._stop @ self._stop.T).fill_diagonal_(-torch.inf)
            self._stop_target = _distribution(full)
            # Those at least as near as the k-th: ties count.
            self._n_kept = min(_N_KEPT, len(stop) - 1)
            self._stop_near = full >= full.topk(self._n_kept, dim=1).values[:, -1:]

    def run(
        self, start: np.ndarray, rng: np.random.Generator, n_steps: int
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        """Give step, (full_dim, full_dim) components, (n_dims,) losses and kept, now and then."""
        import torch

        weights = torch.nn.Parameter(torch.from_numpy(start.copy()))
        optimiser = torch.optim.Adam([weights], lr=_LEARNING_RATE)
        with _one_thread():
            yield from self._steps(weights, optimiser, rng, n_steps)

    def _steps(
        self,
        weights: "torch.Tensor",
        optimiser: "torch.optim.Optimizer",
        rng: np.random.Generator,
        n_steps: int,
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        import torch

        for step in range(n_steps + 1):
            if step % STEPS_UNTOLD == 0 or step == n_steps:
                losses, kept = self._check(weights)
                if step == 0:
                    # A short prefix loses the most, and would else be all that counts.
                    self._scale = torch.from_numpy(losses.clip(_LEAST_LOSS))
                yield step, weights.detach().numpy().copy(), losses, kept
            if step == n_steps:
                return
            # From the full rate down to nothing, along half a cosine.
            for group in optimiser.param_groups:
                group["lr"] = _LEARNING_RATE * (1 + np.cos(np.pi * step / n_steps)) / 2
            optimiser.zero_grad()
            self._loss(weights, rng).backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def _loss(self, weights: "torch.Tensor", rng: np.random.Generator) -> "torch.Tensor":
        """Give the mean loss of one batch."""
        import torch

        rows = rng.choice(len(self._fit), min(_N_ANCHORS, len(self._fit)), replace=False)
        n_near = self._near.shape[1]
        drawn = rng.integers(n_near, size=(len(rows), _N_DRAWN))
        near = np.take_along_axis(self._near[rows], drawn, axis=1)
        others_too = rng.integers(len(self._fit), size=_N_RANDOM)
        pool = np.unique(np.concatenate([near.ravel(), others_too]))
        anchors, others = self._fit[torch.from_numpy(rows)], self._fit[torch.from_numpy(pool)]
        itself = torch.from_numpy(rows[:, None] == pool[None, :])
        target = _distribution((anchors @ others.T).masked_fill(itself, -torch.inf))
        losses = _losses(anchors @ weights.T, others @ weights.T, self.dims, target, itself)
        return (torch.stack(losses) / self._scale).mean()

    def _check(self, weights: "torch.Tensor") -> tuple[np.ndarray, np.ndarray]:
        """Give the loss of each prefix on the documents that tell when to stop, and what it keeps.

        Both are (n_dims,).
        """
        import torch

        with torch.no_grad():
            mapped = self._stop @ weights.T
            itself = torch.eye(len(mapped), dtype=torch.bool)
            losses = _losses(mapped, mapped, self.dims, self._stop_target, itself)
            kept = [self._share_kept(mapped[:, :dim]) for dim in self.dims]
            return torch.stack(losses).numpy(), np.array(kept)

    def _share_kept(self, cut: "torch.Tensor") -> float:
        """Give the share of true neighbours among those that cut vectors find."""
        import torch

        unit = torch.nn.functional.normalize(cut, dim=1)
        found = (unit @ unit.T).fill_diagonal_(-torch.inf).topk(self._n_kept, dim=1).indices
        return float(self._stop_near.gather(1, found).float().mean())


def _losses(
    anchors: "torch.Tensor",
    others: "torch.Tensor",
    dims: tuple[int, ...],
    target: "torch.Tensor",
    itself: "torch.Tensor",
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
        logits = (product * scale / _TEMPERATURE).masked_fill(itself, -torch.inf)
        logs = torch.log_softmax(logits, dim=1).masked_fill(itself, 0.0)
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


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread.

    Its threads wait for each other after every small product, so beside other busy processes, which
    a page that is used is one of, several of them can be slower than one.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
