"""What a configuration costs in production: RAM, disk, and their price by the month."""

from dataclasses import dataclass

from mrl_explorer.decide.memory import memory
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config

RAM_PRICE = 3.8
"""US dollars per GB of RAM and month: what huggingface.co/blog/embedding-quantization (March 2024)
reckons with, on x2gd machines of AWS."""

DISK_PRICE = 0.08
"""US dollars per GB of disk and month: AWS EBS gp3 in us-east-1, aws.amazon.com/ebs/pricing
(as of 2025)."""


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
    """

    n_vectors: float = 10_000_000
    replicas: int = 1
    ram_price: float = RAM_PRICE
    disk_price: float = DISK_PRICE


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
        If there are no vectors or replicas, or a price is negative or no number.
    """
    if not 1 <= production.n_vectors < float("inf"):
        raise InputError("The number of vectors must be 1 or more.")
    if production.replicas < 1:
        raise InputError("The number of replicas must be 1 or more.")
    for name, price in (("RAM", production.ram_price), ("disk", production.disk_price)):
        if not 0 <= price < float("inf"):
            raise InputError(f"The price of {name} must be 0 or more.")


def need(config: Config, *, production: Production, full_dim: int, rescore: bool) -> Need:
    """Give RAM, disk and cost of a configuration.

    Parameters
    ----------
    config : Config
        What is stored.
    production : Production
        How many vectors and replicas, and what they cost.
    full_dim : int
        Dimensions of the copy that rescoring reads.
    rescore : bool
        Whether that copy is kept.
    """
    one = memory(config, n_vectors=production.n_vectors, full_dim=full_dim, rescore=rescore)
    ram, disk = one.ram * production.replicas, one.disk * production.replicas
    cost = ram / 1e9 * production.ram_price + disk / 1e9 * production.disk_price
    return Need(ram, disk, cost)
