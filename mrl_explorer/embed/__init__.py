"""Texts to vectors: models by name, encoding, and a cache on disk."""

from mrl_explorer.embed.cache import cache_dir, embed
from mrl_explorer.embed.check import MIN_COSINE, check_same_model, same_model
from mrl_explorer.embed.collections import embed_collection, needs_model
from mrl_explorer.embed.connections import (
    DEFAULT_CONCURRENCY,
    Connection,
    key_variable,
    needs_key,
)
from mrl_explorer.embed.description import (
    Description,
    Prompt,
    Told,
    describe_model,
    stated_matryoshka,
)
from mrl_explorer.embed.dims_check import SAME_CUT, DimsCheck, check_dims
from mrl_explorer.embed.encoding import encode
from mrl_explorer.embed.estimate import (
    Estimate,
    cache_stamp,
    estimate_query,
    estimate_sending,
    known_price,
)
from mrl_explorer.embed.export import RECIPE, adapted_zip, adapter_npz, save_adapted, save_trained
from mrl_explorer.embed.hosted_names import HostedName, hosted_entry, is_hosted, parse_hosted
from mrl_explorer.embed.known_models import BUNDLED, REGISTRY, find_entry
from mrl_explorer.embed.lengths import CutTexts, count_cut_texts, length_notes
from mrl_explorer.embed.model_files import Matryoshka
from mrl_explorer.embed.models import Kind, Model, load_model
from mrl_explorer.embed.registry import ModelEntry
from mrl_explorer.embed.senders import check_client
from mrl_explorer.embed.source import DataSource, Origin
from mrl_explorer.embed.storage import (
    CACHE_KINDS,
    cache_limit,
    cache_usage,
    empty_cache,
    mark_used,
    trim_cache,
)

__all__ = [
    "BUNDLED",
    "CACHE_KINDS",
    "DEFAULT_CONCURRENCY",
    "MIN_COSINE",
    "RECIPE",
    "REGISTRY",
    "SAME_CUT",
    "Connection",
    "CutTexts",
    "DataSource",
    "Description",
    "DimsCheck",
    "Estimate",
    "HostedName",
    "Kind",
    "Matryoshka",
    "Model",
    "ModelEntry",
    "Origin",
    "Prompt",
    "Told",
    "adapted_zip",
    "adapter_npz",
    "cache_dir",
    "cache_limit",
    "cache_stamp",
    "cache_usage",
    "check_client",
    "check_dims",
    "check_same_model",
    "count_cut_texts",
    "describe_model",
    "embed",
    "embed_collection",
    "empty_cache",
    "encode",
    "estimate_query",
    "estimate_sending",
    "find_entry",
    "hosted_entry",
    "is_hosted",
    "key_variable",
    "known_price",
    "length_notes",
    "load_model",
    "mark_used",
    "needs_key",
    "needs_model",
    "parse_hosted",
    "same_model",
    "save_adapted",
    "save_trained",
    "stated_matryoshka",
    "trim_cache",
]
