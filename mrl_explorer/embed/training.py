"""Training on (query, document) pairs with sentence-transformers' MatryoshkaLoss.

Either a linear head on a frozen model, whose vectors are there already, or the whole model; the
loss and the loop are the same. Around the multiple-negatives loss (the other documents of a batch
are the wrong answers) stands MatryoshkaLoss, which takes it at several dims
(Kusupati et al. 2022, arXiv:2205.13147).
"""

# ruff: noqa: PLC0415 - torch takes seconds to import, and the first screen must not wait.

import random
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mrl_explorer.embed.models import Kind, Model
from mrl_explorer.embed.threads import one_thread

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

N_STEPS = 400
STEPS_UNTOLD = 10
"""A check of the loss every so many steps."""

PATIENCE = 10
"""Checks without a better loss, after which it ends."""

MODEL_RATE = 2e-5
"""Learning rate of a transformer, as is usual for fine-tuning."""

STATIC_SHARE = 0.05
"""Learning rate of a table of words, as a share of the root mean square of its entries: it has one
layer, and each word is in few pairs."""

_HEAD_RATE = 0.02
"""Learning rate of a head, as a share of what the entries of an orthonormal matrix measure."""

_SEED = 20_30


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which document answers which query.

    Attributes
    ----------
    queries, documents : np.ndarray
        (n_pairs,) rows.
    """

    queries: np.ndarray
    documents: np.ndarray


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How the loss is taken, and for how long.

    Attributes
    ----------
    dims : sequence of int
        That the loss is taken at.
    weights : sequence of float or None
        Of the loss at each of `dims`; None weighs all alike.
    n_dims_per_step : int
        Dims drawn for each step; -1 takes all.
    batch_size : int
        Pairs a step, at most one for each query and document.
    n_steps : int
        Steps at most.
    """

    dims: Sequence[int]
    weights: Sequence[float] | None = None
    n_dims_per_step: int = -1
    batch_size: int = 64
    n_steps: int = N_STEPS


@dataclass(frozen=True, eq=False)
class PairCheck:
    """How far a training on pairs is.

    Attributes
    ----------
    step, n_steps : int
        Steps done, and steps at most.
    dims : tuple of int
        That the loss is taken at, ascending.
    losses : np.ndarray
        (n_dims,) loss at each, on pairs that are not trained on.
    best_step : int
        Where the weighted mean loss was least; 0 is the start.
    """

    step: int
    n_steps: int
    dims: tuple[int, ...]
    losses: np.ndarray
    best_step: int


class Student(Protocol):
    """What is trained: a module, its learning rate, and the features it reads.

    `is_small` is of a module whose steps are too short to share among processors.
    """

    module: Any
    rate: float
    is_small: bool

    def features(self, kind: Kind, rows: np.ndarray) -> dict[str, Any]:
        """Give what the module reads for these queries or documents."""
        ...


class Head:
    """A linear map on a frozen model's vectors.

    Parameters
    ----------
    start : np.ndarray
        (out_dim, full_dim) float32, one axis a row.
    queries, documents : np.ndarray
        (n, full_dim) float32 vectors.
    """

    is_small = True

    def __init__(self, start: np.ndarray, queries: np.ndarray, documents: np.ndarray) -> None:
        import torch

        class Module(torch.nn.Module):
            """A linear map that takes and gives what a sentence-transformers module does."""

            def __init__(self) -> None:
                super().__init__()
                self.weight = torch.nn.Parameter(torch.from_numpy(start.copy()))

            def get_embedding_dimension(self) -> int:
                return len(self.weight)

            def forward(self, features: dict[str, "torch.Tensor"]) -> dict[str, "torch.Tensor"]:
                return {"sentence_embedding": features["sentence_embedding"] @ self.weight.T}

        self.module = Module()
        self.rate = _HEAD_RATE / len(start[0]) ** 0.5
        self._vectors = {"query": queries, "document": documents}

    @property
    def components(self) -> np.ndarray:
        """The map: (out_dim, full_dim) float32."""
        return np.array(self.module.weight.detach().numpy())

    def features(self, kind: Kind, rows: np.ndarray) -> dict[str, Any]:
        """Give the vectors of these queries or documents."""
        import torch

        return {"sentence_embedding": torch.from_numpy(self._vectors[kind][rows])}


class WholeModel:
    """A model, all of whose weights are trained.

    Parameters
    ----------
    model : Model
        As from `load_model`; its weights change.
    queries, documents : sequence of str
        Texts without the prompts.
    rate : float, optional
        Learning rate; by default `MODEL_RATE`, or by `STATIC_SHARE` where the model is static.
    """

    is_small = False

    def __init__(
        self,
        model: Model,
        queries: Sequence[str],
        documents: Sequence[str],
        rate: float | None = None,
    ) -> None:
        self.module = model.local_encoder
        self.rate = _usual_rate(self.module) if rate is None else rate
        self._model = model
        self._texts = {"query": queries, "document": documents}

    def features(self, kind: Kind, rows: np.ndarray) -> dict[str, Any]:
        """Give the tokens of these queries or documents, with the model's prompt."""
        texts = [self._texts[kind][row] for row in rows]
        read = self.module.preprocess(texts, prompt=self._model.prompt(kind) or None)
        device = self.module.device
        return {k: v.to(device) if hasattr(v, "to") else v for k, v in read.items()}


def _usual_rate(module: "SentenceTransformer") -> float:
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    if not isinstance(module[0], StaticEmbedding):
        return MODEL_RATE
    table = module[0].embedding.weight.detach()
    return STATIC_SHARE * float(table.square().mean().sqrt())


def train_on_pairs(
    student: Student, pairs: Pairs, stopping: Pairs, settings: TrainingSettings
) -> Generator[PairCheck, None, None]:
    """Train a student on pairs; when the caller asks for no more, it is as it was at its best.

    Parameters
    ----------
    student : Student
        A `Head` or a `WholeModel`; it changes.
    pairs, stopping : Pairs
        To train on, and to tell when to stop by.
    settings : TrainingSettings
        How.

    Yields
    ------
    PairCheck
        The start, then every `STEPS_UNTOLD` steps.
    """
    with one_thread() if student.is_small else nullcontext():
        yield from _trained_on_pairs(student, pairs, stopping, settings)


def _trained_on_pairs(
    student: Student, pairs: Pairs, stopping: Pairs, settings: TrainingSettings
) -> Generator[PairCheck, None, None]:
    import torch
    from sentence_transformers.sentence_transformer.losses import (
        MatryoshkaLoss,
        MultipleNegativesRankingLoss,
    )

    given = settings.weights or [1.0] * len(settings.dims)
    order = np.argsort(settings.dims)
    dims, weights = [settings.dims[i] for i in order], [given[i] for i in order]
    batch_size, n_steps = settings.batch_size, settings.n_steps
    module, rng = student.module, np.random.default_rng(_SEED)
    inner = MultipleNegativesRankingLoss(module)
    loss = MatryoshkaLoss(module, inner, dims, weights, settings.n_dims_per_step)
    fixed = list(_batches(stopping, np.random.default_rng(_SEED), batch_size))
    # Without weight decay: it would shrink what no pair teaches, such as words that none holds.
    optimiser = torch.optim.Adam(module.parameters(), lr=student.rate)
    shares = np.array(weights) / np.sum(weights)
    best, best_step, least = _copy(module), 0, np.inf
    try:
        for step in range(n_steps + 1):
            if step % STEPS_UNTOLD == 0 or step == n_steps:
                losses = _check(student, inner, dims, fixed)
                if losses @ shares < least:
                    best, best_step, least = _copy(module), step, losses @ shares
                yield PairCheck(step, n_steps, tuple(dims), losses, best_step)
            if step == n_steps or step - best_step >= PATIENCE * STEPS_UNTOLD:
                return
            for group in optimiser.param_groups:
                group["lr"] = student.rate * (1 + np.cos(np.pi * step / n_steps)) / 2
            batch = next(iter(_batches(pairs, rng, batch_size)))
            with _seeded(step):
                module.train()
                optimiser.zero_grad()
                loss(_features(student, batch), torch.empty(0)).backward()
                optimiser.step()
    finally:
        module.load_state_dict(best)
        module.eval()


def _check(
    student: Student,
    loss: Any,  # noqa: ANN401 - torch modules have no useful type here
    dims: Sequence[int],
    batches: Sequence[Pairs],
) -> np.ndarray:
    """Give the mean loss at each dim over batches: (n_dims,)."""
    import torch

    student.module.eval()
    values = []
    with torch.no_grad():
        for batch in batches:
            made = [student.module(one)["sentence_embedding"] for one in _features(student, batch)]
            cuts = ([vectors[:, :dim] for vectors in made] for dim in dims)
            values.append([float(loss.compute_loss_from_embeddings(cut, None)) for cut in cuts])
    return np.average(values, axis=0, weights=[len(batch.queries) for batch in batches])


def _features(student: Student, batch: Pairs) -> list[dict[str, Any]]:
    return [
        student.features("query", batch.queries),
        student.features("document", batch.documents),
    ]


def _batches(pairs: Pairs, rng: np.random.Generator, batch_size: int) -> Iterator[Pairs]:
    """Deal pairs at random into batches in which each document answers its own query alone."""
    answers: dict[int, set[int]] = {}
    for query, document in zip(pairs.queries.tolist(), pairs.documents.tolist(), strict=True):
        answers.setdefault(query, set()).add(document)
    queries: list[int] = []
    documents: list[int] = []
    used: set[int] = set()
    for place in rng.permutation(len(pairs.queries)):
        query, document = int(pairs.queries[place]), int(pairs.documents[place])
        if query in used:
            continue
        if document in documents or any(document in answers[other] for other in queries):
            continue
        if any(other in answers[query] for other in documents):
            continue
        queries.append(query)
        documents.append(document)
        used.add(query)
        if len(queries) == batch_size:
            yield Pairs(np.array(queries), np.array(documents))
            queries, documents = [], []
    if queries:
        yield Pairs(np.array(queries), np.array(documents))


def _copy(module: Any) -> dict[str, Any]:  # noqa: ANN401 - a torch module
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


@contextmanager
def _seeded(step: int) -> Iterator[None]:
    """Make what a step draws (dims, dropout) depend on the step alone, and on nothing outside."""
    import torch

    state = random.getstate()
    with torch.random.fork_rng():
        torch.manual_seed(_SEED + step)
        random.seed(_SEED + step)
        try:
            yield
        finally:
            random.setstate(state)
