import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
)
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from mrl_explorer.embed import Told, describe_model, embed, encode, load_model
from mrl_explorer.embed.description import describe
from mrl_explorer.embed.known_models import find_entry
from mrl_explorer.embed.model_files import detect_matryoshka
from mrl_explorer.errors import InputError

from .conftest import TABLE, save_tiny, tiny_tokenizer

E5 = find_entry("intfloat/e5-small-v2")


def wide_table(full_dim):
    """Rows that a mean tells apart: noise that always is the same."""
    return np.random.default_rng(0).normal(size=(5, full_dim)).astype(np.float32)


@pytest.fixture
def folder(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder, tmp_path / "model")


# --- prompts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "own", "told", "text", "stated_by"),
    [
        (None, "", None, "", "nobody"),
        (E5, "", None, "query: ", "the registry"),
        (E5, "ask ", None, "ask ", "its own files"),
        (None, "ask ", None, "ask ", "its own files"),
        (E5, "ask ", "say ", "say ", "you"),
        (E5, "ask ", "", "", "you"),
    ],
)
def test_you_come_before_the_files_and_they_before_the_registry(entry, own, told, text, stated_by):
    known = describe(entry, folder=None, own_prompts=(own, ""), told=Told(query_prompt=told))
    assert (known.query_prompt.text, known.query_prompt.stated_by) == (text, stated_by)


def test_a_model_is_described_as_it_will_be_loaded(tiny_folder):
    known, model = describe_model(str(tiny_folder)), load_model(str(tiny_folder))
    assert (known.query_prompt.text, known.document_prompt.text) == ("ask ", "read ")
    assert (model.query_prompt, model.document_prompt) == ("ask ", "read ")
    assert known.query_prompt.stated_by == "its own files"


def test_the_registrys_prompts_apply_where_the_files_have_none(tmp_path):
    """A folder called owner/model is that model's; each vector is the mean of its tokens' rows."""
    table = wide_table(384)
    folder = save_tiny(tmp_path / "intfloat" / "e5-small-v2", table=table)
    model = load_model(str(folder))
    assert (model.query_prompt, model.document_prompt) == ("query: ", "passage: ")
    # "query" and ":" are words it does not know (row 0), "red" is row 3.
    expected = table[[0, 0, 3]].mean(axis=0)
    np.testing.assert_allclose(encode(model, ["red"], kind="query")[0], expected, atol=1e-6)


def test_another_model_in_a_folder_of_that_name_is_not_mistaken(tmp_path):
    model = load_model(str(save_tiny(tmp_path / "intfloat" / "e5-small-v2")))
    assert model.full_dim == 4
    assert model.query_prompt == ""
    assert model.matryoshka.verdict == "unknown"


def test_told_prompts_are_put_before_the_texts(tiny_folder):
    """Worked out by hand: rows of "green" (the prompt) and "red", or of "red" alone."""
    model = load_model(str(tiny_folder), Told(query_prompt="green ", document_prompt=""))
    np.testing.assert_array_equal(encode(model, ["red"], kind="query"), [[0, 0, 2, 2]])
    np.testing.assert_array_equal(encode(model, ["red"], kind="document"), [[0, 0, 4, 0]])


def test_prompts_in_the_files_have_several_names(tmp_path):
    """Saving adds an empty "query" and "document", which must not hide the others."""
    folder = save_tiny(
        tmp_path / "m", prompts={"passage": "read ", "own": "ask "}, default_prompt_name="own"
    )
    known, model = describe_model(str(folder)), load_model(str(folder))
    assert (model.query_prompt, model.document_prompt) == ("", "read ")
    assert (known.query_prompt.text, known.document_prompt.text) == ("", "read ")


def test_another_query_prompt_costs_no_document_its_embedding(tiny_folder, tmp_path, encoded):
    def run(told):
        model = load_model(str(tiny_folder), told)
        encoded.clear()
        for kind in ("document", "query"):
            embed(model, ["red", "green"], kind=kind, cache=tmp_path)
        return len(encoded)

    assert run(None) == 4
    assert run(Told(query_prompt="read ")) == 2
    assert run(Told(document_prompt="ask ")) == 2
    assert run(Told(query_prompt="read ")) == 0


def test_a_layer_norm_that_a_model_asks_for_comes_before_any_cut(tmp_path):
    table = wide_table(768) + 0.5
    folder = save_tiny(tmp_path / "nomic-ai" / "nomic-embed-text-v1.5", table=table)
    model = load_model(str(folder))
    assert model.layer_norm
    raw = model.encoder.encode_document(["red", "green read"])
    expected = torch.nn.functional.layer_norm(torch.tensor(raw), (768,)).numpy()
    vectors = encode(model, ["red", "green read"], kind="document")
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert abs(raw.mean()) > 0.1
    np.testing.assert_allclose(vectors.mean(axis=1), 0, atol=1e-6)


# --- Matryoshka -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "content", "verdict", "reason", "dims"),
    [
        (
            "config.json",
            '{"matryoshka_dimensions": [2, 4]}',
            "yes",
            "its config.json has matryoshka_dimensions",
            (2, 4),
        ),
        ("config.json", '{"is_matryoshka": true}', "yes", "config.json has is_matryoshka", ()),
        ("config.json", '{"is_matryoshka": false}', "unknown", "no sign that it was not", ()),
        (
            "README.md",
            "---\ntags:\n- loss:MatryoshkaLoss\n---\n# A model\n",
            "yes",
            "it was trained with MatryoshkaLoss",
            (),
        ),
        (
            "README.md",
            '---\ntags:\n- loss:Matryoshka2dLoss\n---\n{"matryoshka_dims": [4, 2]}',
            "yes",
            "it was trained with Matryoshka2dLoss",
            (2, 4),
        ),
        ("README.md", "matryoshka_dims=[4, 2]", "yes", "name the dims of its training", (2, 4)),
        (
            "config_sentence_transformers.json",
            '{"truncate_dim": 2}',
            "likely",
            "cut vectors to 2 dims by default",
            (),
        ),
        ("README.md", "# A model\nIt supports MRL.", "likely", 'speaks of "MRL"', ()),
        ("README.md", "# A model\nloss: cosine", "unknown", "no sign that it was not", ()),
    ],
)
def test_signs_in_a_models_own_files(folder, file, content, verdict, reason, dims):
    (folder / "README.md").unlink()
    (folder / file).write_text(content)
    found = detect_matryoshka(folder, full_dim=4)
    assert (found.verdict, found.dims) == (verdict, dims)
    assert reason in found.reason


def test_a_card_as_the_library_writes_it_is_no_sign(tiny_folder):
    """It recommends reading on Matryoshka models in every card."""
    assert "Matryoshka" in (tiny_folder / "README.md").read_text()
    assert detect_matryoshka(tiny_folder).verdict == "unknown"


def test_a_card_as_the_library_writes_it_after_training_is_a_sign(tmp_path):
    model = SentenceTransformer(modules=[StaticEmbedding(tiny_tokenizer(), TABLE)], device="cpu")
    loss = MatryoshkaLoss(model, MultipleNegativesRankingLoss(model), [4, 2])
    model.model_card_data.set_losses([loss])
    model.save(str(tmp_path))
    found = detect_matryoshka(tmp_path)
    assert found.verdict == "yes"
    assert found.reason == "its card says that it was trained with MatryoshkaLoss"


def test_the_registry_outranks_the_files(tmp_path):
    folder = save_tiny(tmp_path / "intfloat" / "e5-small-v2", table=wide_table(384))
    (folder / "README.md").write_text("MRL, matryoshka_dims=[64, 128]")
    assert load_model(str(folder)).matryoshka.verdict == "no"
    assert load_model(str(folder)).dims == ()
    assert describe_model(str(folder)).matryoshka.reason == "the registry says so"


def test_what_the_registry_does_not_know_comes_from_the_files(tmp_path):
    known = describe_model("mixedbread-ai/mxbai-embed-large-v1")
    assert (known.matryoshka.verdict, known.matryoshka.dims) == ("yes", ())
    folder = save_tiny(tmp_path / "mixedbread-ai" / "mxbai-embed-large-v1", table=wide_table(1024))
    (folder / "README.md").write_text("matryoshka_dims=[512, 1024]")
    assert load_model(str(folder)).dims == (512, 1024)


def test_dims_that_you_name_are_taken_and_checked(tiny_folder):
    model = load_model(str(tiny_folder), Told(dims=(3, 1)))
    assert (model.matryoshka.verdict, model.dims) == ("yes", (1, 3))
    with pytest.raises(InputError, match=r"Trained dim 8 is outside 1 to 4, .* up to 4"):
        load_model(str(tiny_folder), Told(dims=(2, 8)))


# --- without loading ------------------------------------------------------------------------------


def test_describing_loads_no_heavy_library(tiny_folder):
    code = (
        "import sys; from mrl_explorer.embed import describe_model; "
        "describe_model(sys.argv[1]); describe_model('owner/not-here'); "
        "print(*{'torch', 'transformers', 'sentence_transformers'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["", "/no/such", "~nobody/m", "no id at all", "a\0b", "owner/m"])
def test_what_is_not_here_is_described_as_unknown(name):
    known = describe_model(name)
    assert known.entry is None
    assert known.matryoshka.verdict == "unknown"
    assert known.query_prompt.stated_by == "nobody"


def test_a_damaged_configuration_is_told(folder):
    (folder / "config_sentence_transformers.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        describe_model(str(folder))


def test_prompts_that_are_null_are_none(folder):
    file = folder / "config_sentence_transformers.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"prompts": {"query": None}}))
    assert describe_model(str(folder)).query_prompt.text == ""
