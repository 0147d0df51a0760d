"""What the sweep gives: one ranked list per configuration and query."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config, baseline

TIE = 1e-6
"""Scores at most this far apart are tied: identical vectors can differ in the last bits."""

BYTES_PER_PLACE = 28
"""Memory of one place of one list while it is ranked; 12 of them stay."""


@dataclass(frozen=True, eq=False)
class Rankings:
    """Ranked lists of every configuration, best first.

    Attributes
    ----------
    configs : tuple of Config
        The first axis of the arrays; the baseline is among them.
    ids : np.ndarray
        (n_configs, n_queries, depth) int32 document rows; -1 where a list ends early.
    scores : np.ndarray
        The same shape, float32: each configuration's own scores, higher is better.
    full_scores : np.ndarray
        The same shape, float32: the baseline's cosine of each listed document; -inf where a
        list ends early.
    n_docs : int
        Documents ranked.
    full_dim : int
        Dimensions of the model.
    """

    configs: tuple[Config, ...]
    ids: np.ndarray
    scores: np.ndarray
    full_scores: np.ndarray
    n_docs: int
    full_dim: int
    _places: dict[Config, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {c: i for i, c in enumerate(self.configs)})

    def __contains__(self, config: Config) -> bool:
        return config in self._places

    @property
    def baseline(self) -> Config:
        """The configuration that is the ground truth."""
        return baseline(self.full_dim)

    @property
    def n_queries(self) -> int:
        """Queries ranked for."""
        return int(self.ids.shape[1])

    @property
    def depth(self) -> int:
        """Places in a list."""
        return int(self.ids.shape[2])

    def joined(self, other: "Rankings", configs: Sequence[Config]) -> "Rankings":
        """Take lists from here and, where there are none, from another ranking of the same data.

        Parameters
        ----------
        other : Rankings
            Of the same documents and queries, to the same depth.
        configs : sequence of Config
            What to take, in this order.

        Raises
        ------
        ValueError
            If the data or the depth differ.
        """
        if self.ids.shape[1:] != other.ids.shape[1:] or self.n_docs != other.n_docs:
            raise ValueError("rankings of other data or another depth cannot be joined")
        own = [(self if config in self else other, config) for config in configs]

        def rows(name: str) -> np.ndarray:
            return np.stack([getattr(source, name)[source.place(c)] for source, c in own])

        return replace(
            self,
            configs=tuple(configs),
            ids=rows("ids"),
            scores=rows("scores"),
            full_scores=rows("full_scores"),
        )

    def only(self, *configs: Config) -> "Rankings":
        """Give the lists of the baseline, which come first, and of a few configurations."""
        wanted = tuple(dict.fromkeys((self.baseline, *configs)))
        places = [self.place(config) for config in wanted]
        return replace(
            self,
            configs=wanted,
            ids=self.ids[places],
            scores=self.scores[places],
            full_scores=self.full_scores[places],
        )

    def of_queries(self, rows: np.ndarray) -> "Rankings":
        """Keep the lists of some queries: (n,) rows, in the order wanted."""
        return replace(
            self,
            ids=self.ids[:, rows],
            scores=self.scores[:, rows],
            full_scores=self.full_scores[:, rows],
        )

    def place(self, config: Config) -> int:
        """Give a configuration's index on the first axis.

        Raises
        ------
        InputError
            If the run did not cover it.
        """
        try:
            return self._places[config]
        except KeyError:
            raise InputError(
                f"This evaluation does not cover {config}: evaluate again with that dimension, "
                "quantization and basis."
            ) from None

    def nearest(self, wanted: Config) -> Config:
        """Give a configuration, or the nearest that there is: basis first, then quantization."""
        if wanted in self:
            return wanted
        return min(
            self.configs,
            key=lambda config: (
                config.basis != wanted.basis,
                config.quantization != wanted.quantization,
                abs(config.dim - wanted.dim),
            ),
        )
