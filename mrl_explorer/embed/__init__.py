"""Texts to vectors: models by name, encoding, and a cache on disk."""

from mrl_explorer.embed.cache import cache_dir, embed
from mrl_explorer.embed.check import MIN_COSINE, check_same_model, same_model
from mrl_explorer.embed.collections import embed_collection
from mrl_explorer.embed.encoding import Kind, encode
from mrl_explorer.embed.models import BUNDLED, Model, load_model
from mrl_explorer.embed.source import DataSource

__all__ = [
    "BUNDLED",
    "MIN_COSINE",
    "DataSource",
    "Kind",
    "Model",
    "cache_dir",
    "check_same_model",
    "embed",
    "embed_collection",
    "encode",
    "load_model",
    "same_model",
]
