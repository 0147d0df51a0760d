"""What a run is expected to need before it starts."""

import numpy as np
import pytest

from mrl_explorer.data import Collection, make_records
from mrl_explorer.embed import duration as embed_duration
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval import duration
from mrl_explorer.retrieval.duration import estimate_run

RATE = 1e9


MEASURED = embed_duration.operations_a_second


@pytest.fixture(autouse=True)
def _known_machine(monkeypatch):
    for module in (duration, embed_duration):
        monkeypatch.setattr(module, "operations_a_second", lambda: RATE)


def texts(n, length):
    return [f"{row:03} ".ljust(length, "x") for row in range(n)]


def collection(n_docs=100, n_queries=10, *, length=400):
    return Collection(
        make_records(name="documents.csv", texts=texts(n_docs, length)),
        make_records(name="queries.csv", texts=texts(n_queries, length), what="queries"),
    )


def estimated(of, **changes):
    usual = {"model": None, "dims": None, "n_quantizations": 2, "bases": ("native",)}
    return estimate_run(of, **{**usual, **changes})


def test_ready_vectors_need_no_embedding():
    random = np.random.default_rng(0)
    ready = Collection(
        make_records(name="d.npy", vectors=random.normal(size=(50, 8)).astype(np.float32)),
        make_records(
            name="q.npy", vectors=random.normal(size=(5, 8)).astype(np.float32), what="queries"
        ),
    )
    size = estimated(ready, model="minilm-384", dims=(2, 4))
    assert size.embedding_seconds == 0
    assert size.n_configs == 3 * 2  # full dimension is always there
    assert size.vector_bytes == 55 * 8 * 4
    # Six configurations of a fifth of a search each.
    assert size.ranking_seconds == pytest.approx(2 * 50 * 5 * 8 / RATE * 1.2)


def test_a_fitted_basis_is_ranked_on_held_out_documents_too():
    native = estimated(collection(), dims=(64,), bases=("native",), n_quantizations=5)
    both = estimated(collection(), dims=(64,), bases=("native", "pca"), n_quantizations=5)
    assert (native.n_configs, both.n_configs) == (10, 20)
    # Native and pca on a half each.
    assert both.ranking_seconds == pytest.approx(3 * native.ranking_seconds)


def test_a_transformer_takes_two_operations_a_weight_and_token():
    size = estimated(collection(), model="minilm-384")
    weights = 6 * (4 * 384**2 + 2 * 384 * 1536)
    tokens = 110 * 400 / 4
    assert size.embedding_seconds == pytest.approx(2 * weights * tokens / (0.55 * RATE))
    assert size.vector_bytes == 110 * 384 * 4


def test_what_a_model_does_not_read_takes_no_time():
    # MiniLM reads 256 tokens, about 1,024 bytes.
    one = estimated(collection(length=1024), model="minilm-384")
    two = estimated(collection(length=9000), model="minilm-384")
    assert one.embedding_seconds == two.embedding_seconds


def test_a_static_model_takes_as_long_as_reading_tokens():
    assert estimated(collection(), model="wordllama-256").embedding_seconds == pytest.approx(
        110 * 400 / 3.8e6
    )


@pytest.mark.parametrize("model", [None, "BAAI/bge-m3", "/no/such/folder"])
def test_what_is_not_known_is_not_guessed(model):
    assert estimated(collection(), model=model).embedding_seconds is None


def test_a_model_saved_here_is_told_by_its_files(tmp_path):
    (tmp_path / "config.json").write_text(
        '{"num_hidden_layers": 2, "hidden_size": 8, "intermediate_size": 32}'
    )
    assert embed_duration.operations_a_token(tmp_path) == 2 * 2 * (4 * 64 + 2 * 8 * 32)
    # Without a stated limit, a model is taken to read 512 tokens.
    found = embed_duration.embedding_seconds(str(tmp_path), collection(10, 1, length=4000))
    assert found == pytest.approx(11 * 512 * 3072 / (0.55 * RATE))
    (tmp_path / "modules.json").write_text('[{"type": "sentence_transformers.StaticEmbedding"}]')
    found = embed_duration.embedding_seconds(str(tmp_path), collection(10, 1, length=4000))
    assert found == pytest.approx(11 * 4000 / 3.8e6)
    (tmp_path / "modules.json").unlink()
    (tmp_path / "config.json").write_text('{"hidden_size": "eight"}')
    assert embed_duration.embedding_seconds(str(tmp_path), collection()) is None
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json"):
        embed_duration.embedding_seconds(str(tmp_path), collection())


def test_this_machine_is_measured_once():
    assert MEASURED() > 1e7
    assert MEASURED() == MEASURED()
