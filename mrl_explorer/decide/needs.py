"""What a chain of stages needs in production: RAM, disk, and bytes read for a query."""

import math
from dataclasses import dataclass

from mrl_explorer.decide.engines import usearch_memory
from mrl_explorer.retrieval.chains import Chain, Stage, stored_code, stored_once
from mrl_explorer.retrieval.config import Config, baseline

PAGE = 4096
"""Bytes of a disk page: what is read at least for one vector."""


@dataclass(frozen=True, slots=True)
class StageNeed:
    """What one stage reads for one query.

    Attributes
    ----------
    stage : Stage
        Which.
    scored : float
        Vectors that it scores: all of them, or what it is handed.
    bytes_read : float
        Bytes of codes; from disk in whole pages of 4 KiB, a vector at a time.
    on_disk : bool
        Whether its codes are read from disk.
    """

    stage: Stage
    scored: float
    bytes_read: float
    on_disk: bool


@dataclass(frozen=True, slots=True)
class Need:
    """What a chain needs.

    Attributes
    ----------
    stages : tuple of StageNeed
        One a stage.
    codes_in_ram : float
        Bytes of all codes that are kept in RAM, each stored once.
    codes_on_disk : float
        Bytes of the codes that are read from disk.
    graph_in_ram, graph_on_disk : float
        Bytes that a graph over the first stage's codes adds; 0 when it is searched flat.
    """

    stages: tuple[StageNeed, ...]
    codes_in_ram: float
    codes_on_disk: float
    graph_in_ram: float
    graph_on_disk: float

    @property
    def ram(self) -> float:
        """Bytes resident."""
        return self.codes_in_ram + self.graph_in_ram

    @property
    def disk(self) -> float:
        """Bytes of the files, which hold what is in RAM as well."""
        return self.codes_in_ram + self.codes_on_disk + self.graph_on_disk

    @property
    def bytes_read(self) -> float:
        """Bytes read for one query, the first stage flat: all of its codes."""
        return sum(stage.bytes_read for stage in self.stages)

    @property
    def disk_reads(self) -> float:
        """Vectors fetched from disk for one query."""
        return sum(stage.scored for stage in self.stages if stage.on_disk)


def chain_need(
    chain: Chain,
    *,
    n_vectors: float,
    full_dim: int,
    indexed: bool = False,
    last_on_disk: bool = True,
) -> Need:
    """Work out what a chain needs for so many vectors.

    Parameters
    ----------
    chain : Chain
        The stages.
    n_vectors : float
        Vectors in production.
    full_dim : int
        Dimensions of the model.
    indexed : bool
        Whether the first stage has a usearch graph with M = 16, whose size is then counted. The
        bytes read stay those of a flat search: how much a graph visits has to be measured.
    last_on_disk : bool
        Whether the last of several stages reads its vectors from disk.
    """
    configs = [stage.config for stage in chain.stages]
    first, last = configs[0], configs[-1]
    earlier = {stored_code(config) for config in configs[:-1]}
    from_disk = last_on_disk and len(configs) > 1 and stored_code(last) not in earlier
    stages = []
    for place, stage in enumerate(chain.stages):
        scored = n_vectors if place == 0 else min(chain.stages[place - 1].keep, n_vectors)
        code = stage.config.bytes_per_vector
        read = from_disk and place == len(configs) - 1
        each = math.ceil(code / PAGE) * PAGE if read else code
        stages.append(StageNeed(stage, float(scored), float(scored * each), read))
    resident = stored_once(configs[:-1] if from_disk else configs)
    in_ram = on_disk = 0.0
    if indexed:
        index = usearch_memory(first, n_vectors=n_vectors, full_dim=full_dim, rescore=False)
        codes = n_vectors * first.bytes_per_vector
        in_ram, on_disk = index.ram - codes, index.disk - codes
    return Need(
        tuple(stages),
        codes_in_ram=float(sum(n_vectors * config.bytes_per_vector for config in resident)),
        codes_on_disk=float(n_vectors * last.bytes_per_vector) if from_disk else 0.0,
        graph_in_ram=in_ram,
        graph_on_disk=on_disk,
    )


def full_need(full_dim: int, *, n_vectors: float, indexed: bool = False) -> Need:
    """Work out what full dimension in float32 needs, as one stage in RAM."""
    alone = Chain((Stage(baseline(full_dim), 1),))
    return chain_need(alone, n_vectors=n_vectors, full_dim=full_dim, indexed=indexed)


def rescoring_configs(full_dim: int, configs: tuple[Config, ...]) -> tuple[Config, ...]:
    """List what a later stage may rank by: float32, int8 and float queries on stored codes.

    Of each dim and basis of a run: the same-dimension float32, and what its codes allow.
    """
    names = {config.quantization for config in configs}
    wanted = ["float32", "int8"]
    wanted += ["int4-floatq"] if "int4" in names else []
    wanted += ["binary-floatq"] if "binary" in names else []
    cells = sorted({(config.dim, config.basis) for config in configs})
    return tuple(
        config
        for dim, basis in cells
        for name in wanted
        if not (config := Config(dim, name, basis)).is_rotated_baseline(full_dim)
    )
