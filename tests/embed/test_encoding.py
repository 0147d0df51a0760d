import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Router, StaticEmbedding
from tokenizers import Tokenizer
from wordllama.inference import WordLlamaInference

from mrl_explorer.embed import encode, load_model
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress

from .conftest import TABLE, save_tiny, tiny_tokenizer

TEXTS = ["How do I reset my password?", "", "  two  spaces ", "Ünïcode 漢字 🙂", "word " * 400]


@pytest.fixture(scope="module")
def files():
    """Token table and tokenizer of the bundled model, read here once more."""
    package = Path(importlib.util.find_spec("wordllama").origin).parent
    table = load_file(package / "weights/l2_supercat_256.safetensors")["embedding.weight"]
    tokenizer = package / "tokenizers/l2_supercat_tokenizer_config.json"
    return table, Tokenizer.from_file(str(tokenizer))


def test_bundled_model_is_the_mean_of_its_token_rows(wordllama, files):
    table, tokenizer = files
    expected = np.zeros((len(TEXTS), 256), np.float32)
    for row, text in enumerate(TEXTS):
        if ids := tokenizer.encode(text, add_special_tokens=False).ids:
            expected[row] = table[ids].astype(np.float32).mean(axis=0)
    np.testing.assert_allclose(encode(wordllama, TEXTS, kind="document"), expected, atol=1e-6)


def test_bundled_model_agrees_with_wordllama_itself(wordllama, files):
    expected = WordLlamaInference(*files).embed(TEXTS)
    np.testing.assert_allclose(encode(wordllama, TEXTS, kind="document"), expected, atol=1e-6)


def test_prompts_of_the_model_apply(tiny):
    """Worked out by hand: the mean of the rows of "read" or "ask" (the prompt) and of the text."""
    documents = encode(tiny, ["red", "red green green"], kind="document")
    np.testing.assert_array_equal(documents, [[0, 4, 2, 0], [0, 2, 1, 2]])
    queries = encode(tiny, ["red"], kind="query")
    np.testing.assert_array_equal(queries, [[4, 0, 2, 0]])


def test_vectors_are_raw_float32(tiny, minilm):
    assert encode(tiny, ["red"], kind="document").dtype == np.float32
    assert encode(minilm, TEXTS, kind="document").dtype == np.float32


def test_transformer_agrees_with_the_library(minilm):
    direct = minilm.encoder.encode_document(TEXTS)
    np.testing.assert_allclose(encode(minilm, TEXTS, kind="document"), direct, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    texts=st.lists(st.text(max_size=60), max_size=12),
    batch_size=st.integers(1, 5),
)
def test_every_text_keeps_its_row_whatever_the_batches(wordllama, texts, batch_size):
    together = encode(wordllama, texts, kind="document", batch_size=batch_size)
    assert together.shape == (len(texts), 256)
    for row, text in enumerate(texts):
        alone = encode(wordllama, [text], kind="document")[0]
        np.testing.assert_allclose(together[row], alone, atol=1e-6)


def test_progress_counts_texts_batch_by_batch(tiny):
    seen = []
    encode(tiny, ["red"] * 5, kind="query", batch_size=2, on_progress=seen.append)
    assert seen == [Progress(done, 5, "embedding queries") for done in (2, 4, 5)]


def test_half_a_surrogate_pair_is_explained(tiny):
    with pytest.raises(InputError, match=r"'red \\ud83d' holds half .* at character 5") as caught:
        encode(tiny, ["red", "red \ud83d"], kind="document")
    str(caught.value).encode()


def test_infinite_numbers_are_refused(tmp_path):
    table = TABLE.copy()
    table[3] = np.nan
    model = load_model(str(save_tiny(tmp_path / "broken", table=table)))
    with pytest.raises(InputError, match="infinite or undefined numbers for the text 'red red"):
        encode(model, ["green"] * 40 + ["red " * 40], kind="document")


def test_queries_of_another_dimension_are_refused(tmp_path):
    router = Router.for_query_document(
        query_modules=[StaticEmbedding(tiny_tokenizer(), TABLE[:, :2].copy())],
        document_modules=[StaticEmbedding(tiny_tokenizer(), TABLE)],
    )
    SentenceTransformer(modules=[router], device="cpu").save(str(tmp_path / "router"))
    model = load_model(str(tmp_path / "router"))
    assert model.full_dim == 4
    with pytest.raises(InputError, match="returns 2 dimensions for a query and 4 for a document"):
        encode(model, ["red"], kind="query")
