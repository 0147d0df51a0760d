"""Whether one download at full dimension serves every dimension that a provider offers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mrl_explorer.embed.connections import Connection
from mrl_explorer.embed.encoding import encode
from mrl_explorer.embed.hosted_names import hosted_entry, parse_hosted
from mrl_explorer.embed.models import load_model
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent

SAME_CUT = 0.9999
"""Least cosine at which a provider's cut is the local one.

Vectors differ a little from one request to the next, since servers compute in half precision and
in changing batches. What is cut in another way, or computed by other weights, stays far below."""

SAMPLE = 16
"""Texts that are sent, once for full dimension and once for each dim."""


@dataclass(frozen=True, slots=True)
class CutCheck:
    """What a provider returns for one dim, beside its full vectors cut and normalised here.

    Attributes
    ----------
    dim : int
        Dims asked for.
    least_cosine : float
        Of all texts.
    unit_length : bool
        Whether the provider's cut vectors have length 1, within 0.1%.
    """

    dim: int
    least_cosine: float
    unit_length: bool

    @property
    def same(self) -> bool:
        """Whether the provider only cuts and normalises."""
        return self.least_cosine >= SAME_CUT


@dataclass(frozen=True, slots=True)
class DimsCheck:
    """The check of a model.

    Attributes
    ----------
    model : str
        Its name.
    full_dim : int
        Its dims.
    n_texts : int
        Texts that were compared.
    cuts : tuple of CutCheck
        By ascending dim.
    """

    model: str
    full_dim: int
    n_texts: int
    cuts: tuple[CutCheck, ...]

    @property
    def verdict(self) -> str:
        """What follows from it, in one or two sentences."""
        least = min(self.cuts, key=lambda cut: cut.least_cosine)
        others = [cut.dim for cut in self.cuts if not cut.same]
        dims = ", ".join(f"{cut.dim:,}" for cut in self.cuts)
        basis = f"{self.n_texts} texts, least cosine {least.least_cosine:.6f} at {least.dim:,} dims"
        if not others:
            text = (
                f"One download at {self.full_dim:,} dims serves {dims}: {self.model} cuts as is "
                f"done here ({basis}; {SAME_CUT} needed)."
            )
        else:
            text = (
                f"{self.model} does not cut as is done here at "
                f"{', '.join(f'{dim:,}' for dim in others)} ({basis}; {SAME_CUT} needed): what is "
                "measured by cutting full vectors does not hold for vectors asked for at these "
                "dims; embed anew at each of them, or cut the full vectors in production, too."
            )
        if not all(cut.unit_length for cut in self.cuts):
            text += " The provider's cut vectors are not of length 1: normalise them."
        return text


def compare_cuts(full: npt.NDArray[np.floating], cut: npt.NDArray[np.floating]) -> CutCheck:
    """Compare a provider's cut vectors with its full ones, cut and normalised here.

    Parameters
    ----------
    full : (n_texts, full_dim) array
        The provider's full vectors.
    cut : (n_texts, dim) array
        What it returns for the same texts at fewer dims.
    """
    if len(full) != len(cut) or not len(full) or cut.shape[1] > full.shape[1]:
        raise ValueError(f"no cut of {full.shape}: {cut.shape}")
    dim = cut.shape[1]
    here, there = full[:, :dim].astype(np.float64), cut.astype(np.float64)
    lengths = np.linalg.norm(there, axis=1)
    norms = np.linalg.norm(here, axis=1) * lengths
    products = (here * there).sum(axis=1)
    cosines = np.divide(products, norms, out=np.zeros_like(norms), where=norms > 0)
    unit = bool((np.abs(lengths - 1) < 1e-3).all())
    return CutCheck(dim, float(min(cosines.min(), 1.0)), unit)


def check_dims(
    name: str,
    texts: Sequence[str],
    *,
    dims: Sequence[int] | None = None,
    connection: Connection | None = None,
    on_progress: OnProgress = silent,
) -> DimsCheck:
    """Have a hosted model embed some texts at full dimension and at fewer dims, and compare.

    Calling it is the confirmation: it sends `SAMPLE` texts at most, once for each dim.

    Parameters
    ----------
    name : str
        A hosted model's, as for `load_model`, without dims.
    texts : sequence of str
        At least one. The first ones are sent.
    dims : sequence of int, optional
        By default those that the registry names for it.
    connection : Connection, optional
        How to reach it.
    on_progress : OnProgress
        Told after every dim.

    Raises
    ------
    InputError
        If the model is not hosted, has no dims to choose, or cannot be asked.
    """
    hosted = parse_hosted(name)
    if hosted is None:
        raise InputError(
            f"{name} runs on this machine, where one way to cut is used: nothing to check."
        )
    hosted = replace(hosted, dim=None)
    connection = replace(connection or Connection(), confirmed=True)
    model = load_model(str(hosted), connection=connection)
    entry = hosted_entry(hosted)
    wanted = model.dims if dims is None else dims
    chosen = sorted({dim for dim in wanted if dim < model.full_dim})
    if (
        entry is not None
        and entry.access == "hosted"
        and not (entry.dim_parameter or hosted.endpoint)
    ):
        raise InputError(
            f"{model.name} has no parameter for its dims: there is nothing to compare."
        )
    if not chosen or chosen[0] < 1:
        raise InputError(
            f"Name dims from 1 to {model.full_dim - 1} to compare with the {model.full_dim} of "
            f"{model.name}."
        )
    if not texts:
        raise InputError("There are no texts to compare by: bring some documents first.")
    sample = list(texts[:SAMPLE])
    what = "comparing dims"
    steps = len(chosen) + 1

    def alive(done: int) -> OnProgress:
        # Passed on while a request is waited for, so that cancelling works then, too.
        return lambda _: on_progress(Progress(done, steps, what))

    full = encode(model, sample, kind="document", on_progress=alive(0))
    cuts = []
    for done, dim in enumerate(chosen, 1):
        other = load_model(str(replace(hosted, dim=dim)), connection=connection)
        vectors = encode(other, sample, kind="document", on_progress=alive(done))
        cuts.append(compare_cuts(full, vectors))
    on_progress(Progress(steps, steps, what))
    return DimsCheck(model.name, model.full_dim, len(sample), tuple(cuts))
