"""The hub's side is played by a server on this machine that speaks its protocol."""

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub
import numpy as np
import pytest

from mrl_explorer.embed import encode, hub, load_model
from mrl_explorer.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """Serves `server.files` as the one repository owner/tiny; notes what is asked for."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/owner/tiny"):
            self.answer_about_repository(path)
        elif path.startswith("/owner/tiny/resolve/"):
            name = path.split("/", 5)[5]
            self.server.fetched.add(name)
            content = self.server.files[name]
            etag = hashlib.sha256(content).hexdigest()
            self.answer(content, **{"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})
        elif path.startswith("/api/models/owner/gated"):
            self.answer(b"", status=403, **{"X-Error-Code": "GatedRepo"})
        elif path.startswith("/api/models/owner/slow"):
            time.sleep(1)
        else:
            self.answer(b"", status=404, **{"X-Error-Code": "RepoNotFound"})

    def answer_about_repository(self, path):
        names = self.server.files
        if "/tree/" in path:
            listing = [
                {"type": "file", "path": name, "size": len(names[name]), "oid": "0" * 40}
                for name in names
            ]
        else:
            siblings = [{"rfilename": name} for name in names]
            listing = {"id": "owner/tiny", "modelId": "owner/tiny", "sha": COMMIT}
            listing |= {"siblings": siblings, "tags": [], "private": False, "downloads": 0}
        self.answer(json.dumps(listing).encode())

    def answer(self, content, *, status=200, **headers):
        self.send_response(status)
        for name, value in (headers | {"Content-Length": len(content)}).items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        """Keep the tests' output clean."""


def point_at(endpoint, monkeypatch):
    """Set what HF_ENDPOINT sets, which the library reads only once."""
    files = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    # The tests' own server answers whatever the environment says of the real hub.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)


@pytest.fixture
def server(tiny_folder, tmp_path, monkeypatch):
    files = {
        file.relative_to(tiny_folder).as_posix(): file.read_bytes()
        for file in tiny_folder.rglob("*")
        if file.is_file()
    }
    weights = next(name for name in files if name.endswith("model.safetensors"))
    files[weights.replace("model.safetensors", "pytorch_model.bin")] = b"the same once more"
    files["onnx/model.onnx"] = b"for another runtime"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.files, server.fetched = files, set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    point_at(endpoint, monkeypatch)
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path / "copies"))
    yield server
    server.shutdown()
    server.server_close()


def test_a_model_is_downloaded_once_and_only_what_it_needs(server, tiny, monkeypatch):
    model = load_model("owner/tiny")
    assert not any(name.endswith((".bin", ".onnx")) for name in server.fetched)
    assert model.name == "owner/tiny"
    assert model.fingerprint("document") == tiny.fingerprint("document")
    texts = ["red", "green"]
    np.testing.assert_array_equal(
        encode(model, texts, kind="query"), encode(tiny, texts, kind="query")
    )

    point_at("http://127.0.0.1:9", monkeypatch)
    assert load_model("owner/tiny").fingerprint("document") == tiny.fingerprint("document")


def test_weights_without_another_format_are_downloaded(server):
    name = next(name for name in server.files if name.endswith("model.safetensors"))
    del server.files[name]
    with pytest.raises(InputError, match="cannot be loaded"):  # what stands there is no weights
        load_model("owner/tiny")
    assert any(name.endswith("pytorch_model.bin") for name in server.fetched)


def test_a_copy_that_lacks_the_model_is_completed(server, tmp_path):
    repository = tmp_path / "copies" / "models--owner--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    (repository / "snapshots" / COMMIT).mkdir(parents=True)
    (repository / "snapshots" / COMMIT / "README.md").write_text("seen once")
    assert load_model("owner/tiny").full_dim == 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("owner/nothing", "The hub has no model owner/nothing; check the spelling"),
        ("nothing", "The hub has no model sentence-transformers/nothing"),
        ("owner/gated", "accept its terms: do so at https://huggingface.co/owner/gated"),
        ("not an id", "not an id is no possible model id; an id reads owner/model"),
    ],
)
def test_what_the_hub_does_not_give(server, name, message):
    with pytest.raises(InputError, match=message):
        load_model(name)


def test_a_hub_that_does_not_answer_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr(hub, "HUB_SECONDS", 0.1)
    with pytest.raises(InputError, match=r"hub cannot be reached \(.*timed out"):
        load_model("owner/slow")


def test_a_hub_out_of_reach_is_said_in_one_sentence(tmp_path, monkeypatch):
    point_at("http://127.0.0.1:9", monkeypatch)
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"owner/model is not on this machine .* name a bundled"):
        load_model("owner/model")
