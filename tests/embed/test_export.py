import io
import os
import zipfile

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from mrl_explorer.embed import (
    RECIPE,
    adapted_zip,
    adapter_npz,
    describe_model,
    encode,
    load_model,
    save_adapted,
)
from mrl_explorer.errors import InputError

TEXTS = ["a red door", "how do I reset my password?", "green fields"]


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def any_map(model, seed=0):
    shape = model.full_dim, model.full_dim
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("name", ["wordllama", "minilm"])
def test_the_model_gives_the_mapped_vectors(name, request, tmp_path):
    model = request.getfixturevalue(name)
    components = any_map(model)
    save_adapted(model, components, tmp_path / "adapted", dims=(32, 64))
    loaded = SentenceTransformer(str(tmp_path / "adapted"), device="cpu")
    expected = unit(encode(model, TEXTS, kind="document") @ components.T)
    np.testing.assert_allclose(loaded.encode_document(TEXTS), expected, atol=2e-6)
    cut = loaded.encode_query(TEXTS, truncate_dim=32, normalize_embeddings=True)
    expected = unit((encode(model, TEXTS, kind="query") @ components.T)[:, :32])
    np.testing.assert_allclose(cut, expected, atol=2e-6)
    # The model that it was made of is as it was.
    again = encode(model, TEXTS, kind="document")
    assert again.shape == (3, model.full_dim)


def test_the_prompts_go_with_it_and_its_dims_are_told(tiny, tmp_path):
    save_adapted(tiny, any_map(tiny), tmp_path / "adapted", dims=(2, 3))
    adapted = load_model(str(tmp_path / "adapted"))
    assert (adapted.query_prompt, adapted.document_prompt) == ("ask ", "read ")
    expected = unit(encode(tiny, ["red"], kind="query") @ any_map(tiny).T)
    np.testing.assert_allclose(encode(adapted, ["red"], kind="query"), expected, atol=1e-6)
    assert describe_model(str(tmp_path / "adapted")).matryoshka.dims == (2, 3)


def test_the_archive_holds_the_folder(tiny, tmp_path):
    content = adapted_zip(tiny, any_map(tiny), dims=(2,))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    loaded = SentenceTransformer(str(tmp_path / "adapted"), device="cpu")
    assert loaded.encode(["red"]).shape == (1, 4)


def test_the_recipe_of_the_matrix_runs(tmp_path, monkeypatch):
    components = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    (tmp_path / "adapter.npz").write_bytes(adapter_npz(components, dims=(2, 4)))
    monkeypatch.chdir(tmp_path)
    parts = np.load("adapter.npz", allow_pickle=False)
    assert parts["dims"].tolist() == [2, 4]
    assert str(parts["recipe"]) == RECIPE
    assert len(RECIPE.splitlines()) == 5
    own = {}
    exec(RECIPE, own)  # noqa: S102 - the recipe is what is tested
    vectors = np.random.default_rng(1).normal(size=(3, 6))
    np.testing.assert_allclose(
        own["adapt"](vectors, 4), unit(vectors @ components.T[:, :4]), rtol=1e-5
    )
    assert own["adapt"](vectors[0], 2).shape == (2,)


def test_a_map_of_another_model_is_refused(tiny, tmp_path):
    with pytest.raises(InputError, match="for vectors of 5 dimensions and"):
        save_adapted(tiny, np.eye(5, dtype=np.float32), tmp_path / "adapted", dims=(2,))


def test_a_folder_that_cannot_be_written(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        save_adapted(tiny, any_map(tiny), tmp_path / "file" / "adapted", dims=(2,))
    assert os.listdir(tmp_path) == ["file"]
