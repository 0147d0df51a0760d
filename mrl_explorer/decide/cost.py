"""What a configuration costs in production: RAM, disk, and their price by the month."""

from dataclasses import dataclass
from functools import lru_cache

from mrl_explorer.decide.engines import ENGINES, usearch_memory
from mrl_explorer.decide.memory import Memory
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config

RAM_PRICE = 3.8
"""US dollars per GB of RAM and month: what huggingface.co/blog/embedding-quantization (March 2024)
reckons with, on x2gd machines of AWS."""

DISK_PRICE = 0.08
"""US dollars per GB of disk and month: AWS EBS gp3 in us-east-1 by aws.amazon.com/ebs/pricing.
AWS says the same, as of early 2026, in ebs-optimization.md of github.com/aws/agent-toolkit-for-aws.
"""


@dataclass(frozen=True, slots=True)
class Production:
    """What will run.

    Attributes
    ----------
    n_vectors : float
        Vectors stored.
    replicas : int
        Copies of the whole index that serve.
    ram_price, disk_price : float
        US dollars per GB and month.
    engine : str or None
        Name of an entry of `ENGINES`; None for a graph as usearch's with codes of any kind.
    parameters : tuple of (str, int)
        Of the engine, where they are not its defaults.
    """

    n_vectors: float = 10_000_000
    replicas: int = 1
    ram_price: float = RAM_PRICE
    disk_price: float = DISK_PRICE
    engine: str | None = None
    parameters: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """What a configuration needs, replicas included.

    Attributes
    ----------
    ram, disk : float
        Bytes.
    cost : float
        US dollars a month.
    """

    ram: float
    disk: float
    cost: float


def check_production(production: Production) -> None:
    """Refuse figures that nothing can run on.

    Raises
    ------
    InputError
        If there are no vectors or replicas, a price is negative or no number, or the engine or a
        parameter of it is not known.
    """
    if production.engine is None:
        if production.parameters:
            raise InputError(
                f"{production.parameters[0][0]} is a parameter of an engine, and none is chosen: "
                "name the engine, too."
            )
    elif production.engine not in ENGINES:
        raise InputError(
            f"Unknown engine '{production.engine}': choose among {', '.join(ENGINES)}."
        )
    else:
        ENGINES[production.engine].settings(dict(production.parameters))
    if not 1 <= production.n_vectors < float("inf"):
        raise InputError("The number of vectors must be 1 or more.")
    if production.replicas < 1:
        raise InputError("The number of replicas must be 1 or more.")
    for name, price in (("RAM", production.ram_price), ("disk", production.disk_price)):
        if not 0 <= price < float("inf"):
            raise InputError(f"The price of {name} must be 0 or more.")


def stores(config: Config, production: Production) -> bool:
    """Tell whether the engine can store a configuration."""
    if production.engine is None:
        return True
    try:
        ENGINES[production.engine].encoding(config)
    except InputError:
        return False
    return True


def memory(config: Config, *, production: Production, full_dim: int, rescore: bool) -> Memory:
    """Give what a configuration takes, part by part, replicas included.

    What the engine cannot store is reckoned as in a graph of usearch's, to compare with.

    Parameters
    ----------
    config : Config
        What is stored.
    production : Production
        How many vectors and replicas, in what.
    full_dim : int
        Dimensions of the copy that rescoring reads.
    rescore : bool
        Whether that copy is kept.
    """
    n_vectors, replicas = production.n_vectors, production.replicas
    if production.engine is not None and stores(config, production):
        return ENGINES[production.engine].memory(
            config,
            n_vectors=n_vectors,
            full_dim=full_dim,
            rescore=rescore,
            replicas=replicas,
            **dict(production.parameters),
        )
    one = usearch_memory(config, n_vectors=n_vectors, full_dim=full_dim, rescore=rescore)
    return one.times(replicas)


@lru_cache(maxsize=2048)
def need(config: Config, *, production: Production, full_dim: int, rescore: bool) -> Need:
    """Give RAM, disk and cost of a configuration; parameters as of `memory`."""
    taken = memory(config, production=production, full_dim=full_dim, rescore=rescore)
    cost = taken.ram / 1e9 * production.ram_price + taken.disk / 1e9 * production.disk_price
    return Need(taken.ram, taken.disk, cost)
