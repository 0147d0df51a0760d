"""What is known of one engine: its encodings, its parameters, its memory."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mrl_explorer.decide.memory import Memory
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import quantization

_SETTING = re.compile(r"\s*(\w+)\s*=\s*(\d{1,15})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How an engine stores what is called a quantization here.

    Attributes
    ----------
    name : str
        The engine's own name for it.
    code_bytes : callable
        Bytes of one vector's code, of its dims.
    note : str
        How its codes differ from those that recall is measured with here; empty when they do not.
    min_dim, max_dim : int
        Dims that can be stored so.
    multiple : int
        Dims have to be a multiple of it.
    instead : str
        What to do beyond `max_dim`.
    """

    name: str
    code_bytes: Callable[[int], float]
    note: str = ""
    min_dim: int = 1
    max_dim: int = 65_535
    multiple: int = 1
    instead: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that changes an index's size.

    Attributes
    ----------
    default : int
        The engine's own default.
    allowed : range
        What it may be.
    help : str
        One sentence for the reader of the page.
    """

    default: int
    allowed: range
    help: str

    @property
    def allowed_text(self) -> str:
        """Say what it may be."""
        return f"a whole number from {self.allowed.start} to {self.allowed.stop - 1}"


@dataclass(frozen=True, slots=True)
class Need:
    """What an engine is asked to hold, in one index.

    Attributes
    ----------
    dim : int
        Dims of a stored vector.
    quantization : str
        Its name here.
    encoding : Encoding
        The engine's encoding for it.
    n_vectors : float
        Vectors of the index.
    full_dim : int
        Dims of the float32 copy that rescoring reads.
    rescore : bool
        Whether rescoring reads that copy.
    """

    dim: int
    quantization: str
    encoding: Encoding
    n_vectors: float
    full_dim: int
    rescore: bool

    @property
    def vectors(self) -> float:
        """Bytes of all codes."""
        return self.n_vectors * self.encoding.code_bytes(self.dim)

    @property
    def reads_copy(self) -> bool:
        """Whether a copy is read: the baseline is its own."""
        return self.rescore and (self.dim, self.quantization) != (self.full_dim, "float32")

    @property
    def full_copy(self) -> float:
        """Bytes of the copy for rescoring: 0 when none is read."""
        return self.n_vectors * 4 * self.full_dim if self.reads_copy else 0.0

    @property
    def kept_originals(self) -> float:
        """Bytes of the float32 vectors, cut to `dim`, that an engine keeps beside its codes."""
        return self.n_vectors * 4 * self.dim

    @property
    def full_copy_beside_originals(self) -> float:
        """Bytes of the copy for rescoring where the kept originals serve when nothing is cut."""
        return 0.0 if self.dim == self.full_dim else self.full_copy


@dataclass(frozen=True)
class Engine:
    """A vector index or database.

    Attributes
    ----------
    name, label : str
        On the command line and in files; for the reader.
    quantizations : dict of str to Encoding
        What it can store, by its name here.
    parameters : dict of str to Parameter
        What changes its size.
    source : str
        Where its formula stands, for the reader; without a full stop.
    basis : {"measured", "documented"}
        Whether `benchmarks/memory.py` holds the formula against real indexes, or it is the vendor's
        rule.
    rescoring : str
        Where the vectors that rescoring reads are, for the reader.
    model : callable
        Bytes of one index, from a `Need` and the parameters.
    max_vectors : int
        Vectors of one index at most; more are split into shards.
    """

    name: str
    label: str
    quantizations: dict[str, Encoding]
    source: str
    basis: Literal["measured", "documented"]
    rescoring: str
    model: Callable[..., Memory]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    max_vectors: int = 2**32 - 1

    def memory(
        self,
        config: Config,
        *,
        n_vectors: float,
        full_dim: int,
        rescore: bool,
        replicas: int = 1,
        **parameters: int,
    ) -> Memory:
        """Project what `n_vectors` need.

        Parameters
        ----------
        config : Config
            What is stored.
        n_vectors : float
            Vectors in production.
        full_dim : int
            Dims of the float32 copy that rescoring reads.
        rescore : bool
            Whether candidates are rescored.
        replicas : int
            Copies held in all: 1 is a single copy.
        **parameters : int
            Values for `parameters`; defaults for the rest.

        Raises
        ------
        InputError
            If this engine cannot store the configuration, or a value is not allowed.
        """
        encoding = self.encoding(config)
        if not (math.isfinite(n_vectors) and n_vectors >= 1):
            raise InputError(
                f"The number of vectors is {n_vectors}: memory needs a number of at least 1."
            )
        if not (replicas >= 1 and float(replicas).is_integer()):
            raise InputError(
                f"{replicas} replicas is no whole number of at least 1: 1 is a single copy."
            )
        settings = self.settings(parameters)
        shards = math.ceil(n_vectors / self.max_vectors)
        need = Need(
            config.dim, config.quantization, encoding, n_vectors / shards, full_dim, rescore
        )
        one = self.model(need, **settings).times(shards * int(replicas))
        return Memory(one.parts, one.ram_built, shards)

    def encoding(self, config: Config) -> Encoding:
        """Give the encoding in which this engine stores a configuration.

        Raises
        ------
        InputError
            If it has none, or not for these dims.
        """
        name = quantization(config.quantization).name
        if name not in self.quantizations:
            raise InputError(
                f"{self.label} does not store {name}: choose among "
                f"{', '.join(self.quantizations)}, or another engine."
            )
        found = self.quantizations[name]
        if config.dim > found.max_dim:
            raise InputError(
                f"{self.label} indexes {found} vectors of up to {found.max_dim:,} dims, not "
                f"{config.dim:,}: {found.instead}cut to {found.max_dim:,}."
            )
        if config.dim < found.min_dim:
            raise InputError(
                f"{self.label} has {found} from {found.min_dim} dims on, not for {config.dim}: "
                "keep more dims or choose another quantization."
            )
        if config.dim % found.multiple:
            raise InputError(
                f"{self.label} needs a multiple of {found.multiple} dims for {found}, and "
                f"{config.dim} is none: choose another number of dims."
            )
        return found

    def settings(self, given: Mapping[str, int]) -> dict[str, int]:
        """Give the value of every parameter: the given ones, and the rest by default.

        Raises
        ------
        InputError
            If a name is unknown, or a value not allowed.
        """
        for name, value in given.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise InputError(f"{self.label} has no parameter '{name}': it has {known}.")
            if isinstance(value, bool) or value not in self.parameters[name].allowed:
                raise InputError(
                    f"{self.label} does not take {name} = {value}: give "
                    f"{self.parameters[name].allowed_text}."
                )
        return {name: entry.default for name, entry in self.parameters.items()} | dict(given)


def read_setting(text: str) -> tuple[str, int]:
    """Read a parameter and its value: 'M=64'.

    Raises
    ------
    InputError
        If it is spelled otherwise.
    """
    found = _SETTING.fullmatch(text)
    if found is None:
        raise InputError(f"'{text[:40]}' sets no parameter of an engine: write for example M=64.")
    return found[1], int(found[2])


def bits(count: float, *, extra: float = 0) -> Callable[[int], float]:
    """Give the size of a code of so many bits a dim, rounded up to bytes, and some bytes more."""
    return lambda dim: math.ceil(dim * count / 8) + extra


def rounded_up(size: float, *, to: int) -> int:
    """Round up to a multiple, as allocators and page layouts do."""
    return math.ceil(size / to) * to
