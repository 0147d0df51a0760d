"""Chains of stages: a short first search, then candidates re-ordered by better vectors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.basis import BASES
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import QUANTIZATIONS

MAX_STAGES = 4

_STAGE = re.compile(r"([0-9]{1,6})-([a-z0-9-]+):([0-9]{1,9})")


@dataclass(frozen=True, slots=True, order=True)
class Stage:
    """One step of a chain.

    Attributes
    ----------
    config : Config
        What it ranks by: the first stage all documents, a later one what it is handed.
    keep : int
        Documents that it hands on: candidates, or for the last stage the k results.
    """

    config: Config
    keep: int


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """One to four stages; a value.

    Attributes
    ----------
    stages : tuple of Stage
        In the order in which they run; none hands on more than the one before it.
    """

    stages: tuple[Stage, ...]

    def __str__(self) -> str:
        return " → ".join(f"{stage.config}, {stage.keep}" for stage in self.stages)

    @property
    def k(self) -> int:
        """Results at the end."""
        return self.stages[-1].keep

    @property
    def candidates(self) -> int:
        """What the first stage hands on; k for a chain of one."""
        return self.stages[0].keep

    @property
    def spelling(self) -> str:
        """The chain as a command line or a link spells it: see `parse_chain`."""
        return ",".join(
            f"{s.config.dim}-{s.config.quantization}-{s.config.basis}:{s.keep}" for s in self.stages
        )


def chain(*stages: tuple[Config, int]) -> Chain:
    """Make a chain of (configuration, documents handed on) in order."""
    return Chain(tuple(Stage(config, keep) for config, keep in stages))


def parse_chain(text: str) -> Chain:
    """Read a chain as a command line spells it: '64-binary:200,256-int8:50,768-float32:10'.

    A basis other than native stands behind the quantization: '64-int8-pca:100'.

    Raises
    ------
    InputError
        If a stage is spelled otherwise, or names no quantization or basis.
    """
    return Chain(tuple(_parse_stage(part.strip()) for part in text.split(",")))


def _parse_stage(text: str) -> Stage:
    found = _STAGE.fullmatch(text)
    dim, name, keep = found.groups() if found else ("", "", "")
    # Both names may hold hyphens, so the quantization is found rather than split off.
    for quantization in QUANTIZATIONS:
        basis = name.removeprefix(f"{quantization}-") if name != quantization else "native"
        if basis in BASES:
            return Stage(Config(int(dim), quantization, basis), int(keep))
    raise InputError(
        f"'{text[:60]}' names no stage: write dim-quantization:candidates, for example "
        "64-binary:200."
    )


def check_chain(chain: Chain, *, n_docs: int, full_dim: int) -> None:
    """Refuse a chain that cannot run on a corpus.

    Raises
    ------
    InputError
        If it has no or too many stages, a dim that the model has not, a stage that hands on
        nothing, more than the corpus or more than it is handed.
    """
    stages = chain.stages
    if not 1 <= len(stages) <= MAX_STAGES:
        raise InputError(f"A chain has 1 to {MAX_STAGES} stages, and this one has {len(stages)}.")
    for number, stage in enumerate(stages, start=1):
        if not 1 <= stage.config.dim <= full_dim:
            raise InputError(
                f"Stage {number} has {stage.config.dim} dimensions and the model {full_dim}: "
                f"choose 1 to {full_dim}."
            )
        if stage.keep < 1:
            raise InputError(f"Stage {number} hands on nothing: choose 1 or more.")
        if stage.keep > n_docs:
            raise InputError(
                f"Stage {number} hands on {stage.keep} documents and the corpus has {n_docs}: "
                f"choose up to {n_docs}."
            )
    for number, (before, after) in enumerate(pairwise(stages), start=2):
        if after.keep > before.keep:
            wanted = "results" if number == len(stages) else "documents"
            raise InputError(
                f"Stage {number} is to hand on {after.keep} {wanted} of the {before.keep} that it "
                f"is handed: give stage {number - 1} at least {after.keep} candidates."
            )


def remarks(chain: Chain) -> tuple[str, ...]:
    """Say what is allowed and yet seldom meant, in whole sentences."""
    found = []
    for number, (before, after) in enumerate(pairwise(chain.stages), start=2):
        if after.config == before.config:
            found.append(
                f"Stage {number} ranks by the same vectors as the stage before it: no gain."
            )
        elif after.config.bytes_per_vector < before.config.bytes_per_vector:
            found.append(
                f"Stage {number} ranks by shorter codes than the stage before it, so it forgets "
                "what that one knew. It is measured as it stands."
            )
    return tuple(found)


def rescoring_name(first: Config, last: Config, *, full_dim: int) -> str:
    """Name the way in which a stage re-orders the candidates of another."""
    if last.dim == full_dim and last.quantization == "float32":
        return "full-dimension float32"
    same = (last.dim, last.basis) == (first.dim, first.basis)
    if same and last.quantization == f"{first.quantization}-floatq":
        return "float32 query on the same codes"
    return f"same-dimension {last.quantization}" if same else str(last)


def stored_code(config: Config) -> tuple[int, str, str]:
    """Tell which stored code a configuration reads: a float query reads the same one."""
    if config.quantization == "binary-centred-floatq":
        # The mean is subtracted before the sign is taken: other bits.
        return (config.dim, config.quantization, config.basis)
    return (config.dim, config.quantization.removesuffix("-floatq"), config.basis)


def stored_once(configs: Sequence[Config]) -> tuple[Config, ...]:
    """Keep one configuration for each code that has to be stored, in their order."""
    return tuple({stored_code(config): config for config in reversed(configs)}.values())[::-1]
