"""What to do with a vector, in words for who has never met the names."""

from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.quantization import quantization


def recipe_text(config: Config, cutoff: Cutoff, *, full_dim: int) -> str:
    """Say how to store vectors and how to search them, in the order in which it is done."""
    stored = quantization(config.quantization)
    text = f"{_axes(config, full_dim=full_dim)}, and store {_numbers(config)} ({stored.name})."
    if stored.float_query:
        text += " Queries stay float32."
    if cutoff.rescore:
        text += (
            f" Search these for the nearest {cutoff.candidates}, and re-order them by the full "
            "vectors, kept on disk."
        )
    return text


def _axes(config: Config, *, full_dim: int) -> str:
    cut = config.dim < full_dim
    dims = f"the first {config.dim:,} of {full_dim:,}" if cut else f"all {full_dim:,}"
    text = {
        "native": f"Keep {dims} dimensions of each vector",
        "pca": f"Turn each vector to the principal axes of your documents and keep {dims}",
        "pca-rotated": f"Turn each vector to the principal axes of your documents, keep {dims}, "
        "and turn what is left once more at random",
        "random": f"Put the dimensions in a random order and keep {dims}",
        "adapter": f"Map each vector by the trained adapter and keep {dims} dimensions",
    }[config.basis]
    return f"{text}, scale the rest back to length 1" if cut else text


def _numbers(config: Config) -> str:
    stored = quantization(config.quantization)
    if stored.scheme == "sign":
        less = "after subtracting the documents' mean, " if stored.centred else ""
        return f"{less}only the sign of each number, 1 bit"
    return "the numbers as they are" if stored.bits == 32 else f"each number in {stored.bits} bits"
