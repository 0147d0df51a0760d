"""Choose the embedding dimension and quantization to run in production, on your own data."""

from mrl_explorer.data import read_beir, read_judgements, read_records, with_vectors
from mrl_explorer.decide.summary import summarise
from mrl_explorer.embed import Connection, embed_collection, load_model
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, evaluate
from mrl_explorer.retrieval.evaluation_file import load_evaluation, save_evaluation
from mrl_explorer.retrieval.metrics import Cutoff

__all__ = [
    "Config",
    "Connection",
    "Cutoff",
    "Evaluation",
    "InputError",
    "embed_collection",
    "evaluate",
    "load_evaluation",
    "load_model",
    "read_beir",
    "read_judgements",
    "read_records",
    "save_evaluation",
    "summarise",
    "with_vectors",
]
