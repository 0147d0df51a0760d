"""The configurations next to one, and whether these queries can tell them apart."""

from dataclasses import replace

from mrl_explorer.decide.options import Options
from mrl_explorer.decide.pairs import Pair, compare
from mrl_explorer.decide.recommendation import Choice
from mrl_explorer.retrieval.config import Config


def neighbours(
    options: Options, choice: Choice, *, margin: float
) -> tuple[tuple[Config, Pair], ...]:
    """Compare an option with the next fewer and more dims, bits, and the other bases.

    All in the same way of rescoring, and on the same documents.

    Returns
    -------
    tuple
        (other, choice minus other) for each neighbour of the run.
    """
    own, configs = choice.config, options.configs
    found: list[Config] = []
    dims = sorted(
        c.dim for c in configs if (c.quantization, c.basis) == (own.quantization, own.basis)
    )
    place = dims.index(own.dim)
    found += [replace(own, dim=dim) for dim in dims[max(place - 1, 0) : place + 2]]
    levels = sorted(
        (c for c in configs if (c.dim, c.basis) == (own.dim, own.basis)),
        key=lambda config: config.bytes_per_vector,
    )
    place = levels.index(own)
    found += levels[max(place - 1, 0) : place + 2]
    found += [c for c in configs if (c.dim, c.quantization) == (own.dim, own.quantization)]
    pairs = (
        (other, options.paired((own, choice.cutoff), (other, choice.cutoff)))
        for other in dict.fromkeys(found)
        if other != own
    )
    return tuple(
        (other, compare(*values, margin=margin)) for other, values in pairs if values is not None
    )
