"""Means and intervals of an evaluation at one cut-off: the numbers that every page shows."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from mrl_explorer.decide.intervals import intervals
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, Relevance, recall, relevance
from mrl_explorer.retrieval.rankings import Rankings


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one configuration.

    Attributes
    ----------
    dim, quantization, basis : int, str, str
        The configuration.
    bytes_per_vector : int
        Bytes of one stored code.
    recall, recall_low, recall_high : float
        Mean recall@k against full dimension, and its 95% interval.
    ndcg, mrr, success : float or None
        Means over the judged queries; None without judgements.
    held_out, held_out_low, held_out_high : float or None
        For a fitted basis: mean recall@k and its 95% interval on documents that it was not fitted
        on. None where the evaluation has no such lists, or they cannot answer this cut-off.
    held_out_native : float or None
        What the native basis reaches on those same documents.
    """

    dim: int
    quantization: str
    basis: str
    bytes_per_vector: int
    recall: float
    recall_low: float
    recall_high: float
    ndcg: float | None = None
    mrr: float | None = None
    success: float | None = None
    held_out: float | None = None
    held_out_low: float | None = None
    held_out_high: float | None = None
    held_out_native: float | None = None

    def as_dict(self) -> dict[str, float | int | str]:
        """Give the figures there are, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, eq=False)
class HeldOutRecall:
    """Recall of fitted bases, and of the native one, on documents held out from the fitting.

    Attributes
    ----------
    rankings : Rankings
        The lists, of the documents held out.
    recall : np.ndarray
        (n_configs, n_queries) recall@k per query against the baseline on those documents.
    low, high : np.ndarray
        (n_configs,) ends of the 95% interval of mean recall.
    """

    rankings: Rankings
    recall: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Summary:
    """All figures of an evaluation at one cut-off.

    Attributes
    ----------
    evaluation : Evaluation
        What they are read from.
    cutoff : Cutoff
        k, and how candidates are rescored.
    recall : np.ndarray
        (n_configs, n_queries) recall@k per query.
    low, high : np.ndarray
        (n_configs,) ends of the 95% interval of mean recall.
    relevance : Relevance or None
        Per judged query; None without judgements, or when no query has a relevant document.
    held_out : HeldOutRecall or None
        None when no basis was fitted, or the lists cannot answer this cut-off.
    """

    evaluation: Evaluation
    cutoff: Cutoff
    recall: np.ndarray
    low: np.ndarray
    high: np.ndarray
    relevance: Relevance | None
    held_out: HeldOutRecall | None = None

    def row(self, config: Config) -> Row:
        """Give the figures of one configuration."""
        place = self.evaluation.rankings.place(config)
        judged = self.relevance
        return Row(
            config.dim,
            config.quantization,
            config.basis,
            config.bytes_per_vector,
            float(self.recall[place].mean()),
            float(self.low[place]),
            float(self.high[place]),
            None if judged is None else float(judged.ndcg[place].mean()),
            None if judged is None else float(judged.mrr[place].mean()),
            None if judged is None else float(judged.success[place].mean()),
            *self._held_out(config),
        )

    def _held_out(self, config: Config) -> tuple[float, ...]:
        """Give the held-out figures of a configuration, in their order; nothing without any."""
        held_out = self.held_out
        if held_out is None or not config.is_fitted or config not in held_out.rankings:
            return ()
        place = held_out.rankings.place(config)
        native = held_out.rankings.place(replace(config, basis="native"))
        return (
            float(held_out.recall[place].mean()),
            float(held_out.low[place]),
            float(held_out.high[place]),
            float(held_out.recall[native].mean()),
        )

    def rows(self) -> Iterator[Row]:
        """Give the figures of every configuration, in the order of the run."""
        return map(self.row, self.evaluation.rankings.configs)


def summarise(evaluation: Evaluation, cutoff: Cutoff) -> Summary:
    """Read every figure off the lists: milliseconds, whatever the size of the corpus.

    A configuration that equals the baseline by construction has no interval: low = high = 1.
    So has a cut-off that takes all documents.

    Raises
    ------
    InputError
        If the lists cannot answer this cut-off.
    """
    rankings = evaluation.rankings
    values, low, high = _recall(rankings, cutoff)
    judged = None
    if evaluation.judgements is not None:
        measured = relevance(rankings, evaluation.judgements, cutoff)
        judged = measured if len(measured.query_rows) else None
    return Summary(evaluation, cutoff, values, low, high, judged, _held_out(evaluation, cutoff))


def _recall(rankings: Rankings, cutoff: Cutoff) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give recall per configuration and query, and the ends of each mean's interval."""
    values = recall(rankings, cutoff)
    low, high = intervals(values)
    for place, config in enumerate(rankings.configs):
        whole = cutoff.candidates >= rankings.n_docs
        if config == rankings.baseline or config.is_rotated_baseline(rankings.full_dim) or whole:
            low[place] = high[place] = 1.0
    return values, low, high


def _held_out(evaluation: Evaluation, cutoff: Cutoff) -> HeldOutRecall | None:
    """Read the held-out lists, unless k is more than the documents in them."""
    held_out = evaluation.held_out
    if held_out is None or cutoff.k >= held_out.rankings.n_docs:
        return None
    return HeldOutRecall(held_out.rankings, *_recall(held_out.rankings, cutoff))
