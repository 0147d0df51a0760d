"""What nothing cheaper beats, and what the same bytes buy."""

from collections.abc import Sequence

import numpy as np

from mrl_explorer.retrieval.config import Config


def frontier(configs: Sequence[Config], values: np.ndarray) -> tuple[int, ...]:
    """List the configurations that no other with as few bytes beats, by bytes ascending.

    Of equals in both, native comes first.

    Parameters
    ----------
    configs : sequence of Config
        What is compared.
    values : np.ndarray
        (n_configs,) quality, higher is better.
    """
    order = sorted(
        range(len(configs)),
        key=lambda i: (configs[i].bytes_per_vector, -values[i], configs[i].basis != "native", i),
    )
    best, kept = -np.inf, []
    for place in order:
        if values[place] > best:
            best = values[place]
            kept.append(place)
    return tuple(kept)


def shared_sizes(configs: Sequence[Config]) -> tuple[int, ...]:
    """List the bytes per vector at which two or more pairs of dims and bits meet, ascending."""
    ways: dict[int, set[tuple[int, str]]] = {}
    for config in configs:
        ways.setdefault(config.bytes_per_vector, set()).add((config.dim, config.quantization))
    return tuple(sorted(size for size, pairs in ways.items() if len(pairs) > 1))
