"""What published models lost at fewer dims and bits, from a few figures typed in."""

from dataclasses import dataclass

import numpy as np

from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import quantization


@dataclass(frozen=True, slots=True)
class Published:
    """One published figure: share of the same model's full-dimension float32 score.

    Attributes
    ----------
    model : str
        Its name.
    dim, full_dim, bits : int
        Dims kept, of how many, and bits a dim; without rescoring.
    kept : float
        Score as a share of that at full dimension in float32.
    metric, source : str
        What was measured, and where it stands.
    """

    model: str
    dim: int
    full_dim: int
    bits: int
    kept: float
    metric: str
    source: str

    @property
    def share(self) -> float:
        """Share of the dims that is kept."""
        return self.dim / self.full_dim


_CORECT = "CoRECT, arXiv 2510.19340"
_BEIR = "BEIR mean nDCG@10"
_BLOG = "huggingface.co/blog/embedding-quantization"


def _by_dim(
    model: str, full_dim: int, bits: int, kept: dict[int, float], metric: str, source: str
) -> tuple[Published, ...]:
    return tuple(
        Published(model, dim, full_dim, bits, share, metric, source) for dim, share in kept.items()
    )


PUBLISHED: tuple[Published, ...] = (
    *_by_dim(
        "jina-embeddings-v3",
        1024,
        32,
        {1024: 1.0, 512: 0.993, 256: 0.981, 128: 0.950, 64: 0.870},
        _BEIR,
        _CORECT,
    ),
    *_by_dim(
        "jina-embeddings-v3",
        1024,
        8,
        {1024: 0.968, 512: 0.964, 256: 0.956, 128: 0.927, 64: 0.845},
        _BEIR,
        _CORECT,
    ),
    *_by_dim(
        "jina-embeddings-v3",
        1024,
        4,
        {1024: 0.971, 512: 0.966, 256: 0.958, 128: 0.922, 64: 0.839},
        _BEIR,
        _CORECT,
    ),
    *_by_dim(
        "jina-embeddings-v3",
        1024,
        1,
        {1024: 0.953, 512: 0.911, 256: 0.810, 128: 0.637, 64: 0.386},
        _BEIR,
        _CORECT,
    ),
    *_by_dim(
        "snowflake-arctic-embed-m-v2.0",
        768,
        32,
        {768: 1.0, 384: 0.986, 256: 0.990, 192: 0.953, 96: 0.825},
        _BEIR,
        _CORECT,
    ),
    *_by_dim(
        "snowflake-arctic-embed-m-v2.0",
        768,
        8,
        {768: 0.993, 384: 0.976, 256: 0.983, 192: 0.944},
        _BEIR,
        _CORECT,
    ),
    *_by_dim(
        "snowflake-arctic-embed-m-v2.0",
        768,
        4,
        {768: 0.995, 384: 0.975, 256: 0.979, 192: 0.941},
        _BEIR,
        _CORECT,
    ),
    *_by_dim(
        "snowflake-arctic-embed-m-v2.0",
        768,
        1,
        {768: 0.922, 384: 0.842, 256: 0.783, 192: 0.685, 96: 0.410},
        _BEIR,
        _CORECT,
    ),
    *_by_dim(
        "OpenAI text-embedding-3-large",
        3072,
        32,
        {3072: 1.0, 1024: 64.1 / 64.6, 256: 62.0 / 64.6},
        "MTEB mean",
        "github.com/openai/chatgpt-retrieval-plugin",
    ),
    *_by_dim("mxbai-embed-large-v1", 1024, 8, {1024: 0.971}, "MTEB retrieval mean nDCG@10", _BLOG),
    *_by_dim("mxbai-embed-large-v1", 1024, 1, {1024: 0.9253}, "MTEB retrieval mean nDCG@10", _BLOG),
)
"""Task scores, not overlap with full dimension: overlap falls faster."""

_NEAR = 1.5
"""A share of dims within this factor counts as the same."""


def comparable(config: Config, *, full_dim: int) -> tuple[Published, ...]:
    """List the published figures at about the same share of dims and the same bits."""
    share = config.dim / full_dim
    bits = _published_bits(config.quantization)
    return tuple(
        one for one in PUBLISHED if one.bits == bits and 1 / _NEAR <= one.share / share <= _NEAR
    )


def band(quantization_name: str) -> tuple[tuple[float, float, float], ...]:
    """Give (share of dims, least kept, most kept) of published models, by share ascending.

    Between a model's own figures its curve is drawn straight over the logarithm of the share, and
    it counts nowhere beyond them.
    """
    bits = _published_bits(quantization_name)
    curves: dict[str, list[tuple[float, float]]] = {}
    for one in PUBLISHED:
        if one.bits == bits:
            curves.setdefault(one.model, []).append((one.share, one.kept))
    points = []
    for share in sorted({share for curve in curves.values() for share, _ in curve}):
        kept = [
            float(np.interp(np.log(share), np.log(x), y))
            for x, y in (zip(*sorted(curve), strict=True) for curve in curves.values())
            if min(x) <= share <= max(x)
        ]
        points.append((share, min(kept), max(kept)))
    return tuple(points)


def _published_bits(name: str) -> int:
    """Bits of a quantization, with half floats as float32: they kept 99.8% and more (CoRECT)."""
    bits = quantization(name).bits
    return 32 if bits == 16 else bits
