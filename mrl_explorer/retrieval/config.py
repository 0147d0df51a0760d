"""One point of the grid: how many dimensions, how they are stored, in which basis."""

from collections.abc import Iterable
from dataclasses import dataclass

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.basis import BASES, FITTED_BASES, ROTATIONS
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS, quantization

MAX_CHOSEN_DIMS = 16
"""Dims chosen for a run beyond the model's trained ones, at most; the slider stops at each."""


@dataclass(frozen=True, slots=True, order=True)
class Config:
    """A configuration: what one would run in production.

    Attributes
    ----------
    dim : int
        Dimensions kept.
    quantization : str
        Name of an entry of `QUANTIZATIONS`.
    basis : str
        Name of an entry of `BASES`.
    """

    dim: int
    quantization: str = "float32"
    basis: str = "native"

    def __str__(self) -> str:
        suffix = "" if self.basis == "native" else f" {self.basis}"
        return f"{self.dim}d {self.quantization}{suffix}"

    def is_rotated_baseline(self, full_dim: int) -> bool:
        """Tell whether this is the baseline in another basis.

        A rotation cuts nothing at full dimension and keeps every inner product.
        """
        return self.dim == full_dim and self.quantization == "float32" and self.basis in ROTATIONS

    @property
    def is_fitted(self) -> bool:
        """Whether the basis was fitted on the documents that are searched."""
        return self.basis in FITTED_BASES

    @property
    def bytes_per_vector(self) -> int:
        """Bytes of one stored code: ceil(dim x bits / 8)."""
        return quantization(self.quantization).bytes_per_vector(self.dim)


def baseline(full_dim: int) -> Config:
    """Give the configuration that every other is measured against."""
    return Config(full_dim)


def default_dims(full_dim: int, *, trained: Iterable[int] = ()) -> tuple[int, ...]:
    """Choose the dims of a run: the trained ones, then halvings and their midpoints.

    Powers of two and three quarters of them between 32 and `full_dim` show the bend of the
    curve; a model narrower than 32 starts at an eighth of itself.

    Returns
    -------
    tuple of int
        Ascending, `full_dim` included.
    """
    least = min(32, max(2, full_dim // 8))
    ladder = {full_dim}
    power = 1
    while power < full_dim:
        ladder.update({power, power * 3 // 2})
        power *= 2
    chosen = sorted(d for d in ladder if least <= d <= full_dim)[-MAX_CHOSEN_DIMS:]
    return tuple(sorted({*chosen, *(d for d in trained if 0 < d <= full_dim)}))


def grid(
    full_dim: int,
    *,
    dims: Iterable[int] | None = None,
    quantizations: Iterable[str] = DEFAULT_QUANTIZATIONS,
    bases: Iterable[str] = ("native",),
) -> tuple[Config, ...]:
    """List every combination, the baseline first, without repeats.

    Native float32 comes before the rest, so that a reader of partial results sees it first.

    Raises
    ------
    InputError
        If a dim lies outside 1 to `full_dim`, or a name is unknown.
    """
    dims = tuple(dims) if dims is not None else default_dims(full_dim)
    quantizations, bases = tuple(quantizations), tuple(bases)
    for dim in dims:
        if not 1 <= dim <= full_dim:
            raise InputError(
                f"Dimension {dim} is outside 1 to {full_dim}, the dimensions of these vectors: "
                f"choose dims up to {full_dim}."
            )
    for basis in bases:
        if basis not in BASES:
            raise InputError(f"Unknown basis '{basis}': choose among {', '.join(BASES)}.")
    cells = [
        Config(dim, quantization(name).name, basis)
        for basis in sorted(bases, key=list(BASES).index)
        for name in quantizations
        for dim in sorted(dims)
    ]
    return tuple(dict.fromkeys([baseline(full_dim), *cells]))
