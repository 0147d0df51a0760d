"""Means and intervals of an evaluation at one cut-off: the numbers that every page shows."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from mrl_explorer.decide.intervals import intervals
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, Relevance, recall, relevance


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

    def as_dict(self) -> dict[str, float | int | str]:
        """Give the figures there are, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


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
    """

    evaluation: Evaluation
    cutoff: Cutoff
    recall: np.ndarray
    low: np.ndarray
    high: np.ndarray
    relevance: Relevance | None

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
    values = recall(rankings, cutoff)
    low, high = intervals(values)
    for place, config in enumerate(rankings.configs):
        whole = cutoff.candidates >= rankings.n_docs
        if config == rankings.baseline or config.is_rotated_baseline(rankings.full_dim) or whole:
            low[place] = high[place] = 1.0
    judged = None
    if evaluation.judgements is not None:
        measured = relevance(rankings, evaluation.judgements, cutoff)
        judged = measured if len(measured.query_rows) else None
    return Summary(evaluation, cutoff, values, low, high, judged)
