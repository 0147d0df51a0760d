"""Every provider, asked by its client library: what is sent, and what each failure becomes."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from email.utils import formatdate

import numpy as np
import pytest

from mrl_explorer.embed import Connection, embed, encode, load_model
from mrl_explorer.embed.channel import _named_wait
from mrl_explorer.embed.providers import PROVIDERS
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress

from .servers import FULL_DIM, answer_of, drop, refuse, say, serve, vector_of, wait

KEY = "sk-canary-9b1d"
TEXTS = [f"text number {row}" for row in range(300)]
OWN_CLIENT = {"cohere": "cohere", "google": "google.genai", "mistral": "mistralai.client"}

# What the address of each ends in, and the path below the server.
PATHS = {
    "openai": ("/v1", "/v1/embeddings"),
    "azure": ("/openai/v1", "/openai/v1/embeddings"),
    "cohere": ("/v2", "/v2/embed"),
    "voyage": ("/v1", "/v1/embeddings"),
    "google": ("/v1beta", "/v1beta/models/gemini-embedding-001:batchEmbedContents"),
    "jina": ("/v1", "/v1/embeddings"),
    "mistral": ("/v1", "/v1/embeddings"),
}
MODELS = {
    "openai": "text-embedding-3-small",
    "azure": "deployment",
    "cohere": "embed-v4.0",
    "voyage": "voyage-4",
    "google": "gemini-embedding-001",
    "jina": "jina-embeddings-v3",
    "mistral": "codestral-embed",
}
ROLES = {
    "cohere": ("search_query", "search_document"),
    "voyage": ("query", "document"),
    "google": ("RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT"),
    "jina": ("retrieval.query", "retrieval.passage"),
}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for provider in PROVIDERS.values():
        for name in (*provider.key_variables, provider.url_variable):
            monkeypatch.delenv(name or "NONE", raising=False)


@pytest.fixture
def served():
    with serve() as (url, provider):
        yield url.removesuffix("/v1"), provider


@pytest.fixture(params=PROVIDERS)
def name(request):
    return request.param


@pytest.fixture(params=OWN_CLIENT)
def own(request):
    """The name of a provider with a client library of its own."""
    return request.param


def load(server, name, *, model=None, dim=FULL_DIM, **options):
    settings = {"trusted": True, "confirmed": True, "retries": 1, "seconds": 20.0} | options
    address = f"{name}:{model or MODELS[name]}#{dim}@{server}{PATHS[name][0]}"
    return load_model(address, None, Connection(**settings))


def expected(texts, *, dim=FULL_DIM, role=""):
    return np.stack([vector_of(text, dim=dim, role=role) for text in texts])


def google(text, role):
    return {
        "model": "models/gemini-embedding-001",
        "content": {"parts": [{"text": text}]},
        "taskType": role,
        "outputDimensionality": 4,
    }


# By hand, from the providers' pages.
BODIES = {
    "openai": {
        "model": "text-embedding-3-small",
        "input": ["x", "y"],
        "dimensions": 4,
        "encoding_format": "base64",
    },
    "azure": {
        "model": "deployment",
        "input": ["x", "y"],
        "dimensions": 4,
        "encoding_format": "base64",
    },
    "cohere": {
        "model": "embed-v4.0",
        "texts": ["x", "y"],
        "input_type": "search_query",
        "output_dimension": 4,
        "embedding_types": ["base64"],
        "truncate": "END",
    },
    "voyage": {
        "model": "voyage-4",
        "input": ["x", "y"],
        "input_type": "query",
        "output_dimension": 4,
        "output_dtype": "float",
        "encoding_format": "base64",
        "truncation": True,
    },
    "google": {"requests": [google("x", "RETRIEVAL_QUERY"), google("y", "RETRIEVAL_QUERY")]},
    "jina": {
        "model": "jina-embeddings-v3",
        "input": ["x", "y"],
        "task": "retrieval.query",
        "dimensions": 4,
        "embedding_type": "float",
        "normalized": True,
        "truncate": True,
    },
    "mistral": {"model": "codestral-embed", "input": ["x", "y"], "output_dimension": 4},
}


def test_each_provider_is_asked_in_its_own_way(served, name):
    server, provider = served
    model = load(server, name, dim=4, key=KEY)
    query, document = ROLES.get(name, ("", ""))
    vectors = encode(model, ["x", "y"], kind="query")
    np.testing.assert_array_equal(vectors, expected(["x", "y"], dim=4, role=query))
    request = provider.requests[-1]
    assert request["path"] == PATHS[name][1]
    assert request["body"] == BODIES[name]
    header, value = {"azure": ("api-key", KEY), "google": ("x-goog-api-key", KEY)}.get(
        name, ("authorization", f"Bearer {KEY}")
    )
    assert request["headers"][header] == value
    assert repr(request).count(KEY) == 1
    vectors = encode(model, ["x"], kind="document")
    np.testing.assert_array_equal(vectors, expected(["x"], dim=4, role=document))
    body = provider.requests[-1]["body"]
    first = BODIES[name].get("requests", [BODIES[name]])[0]
    changed = body.get("requests", [body])[0]
    text_field = {"google": "content", "cohere": "texts"}.get(name, "input")
    assert {key for key in first if first[key] != changed[key]} - {text_field} == (
        {{"google": "taskType", "jina": "task"}.get(name, "input_type")} if document else set()
    )


def test_a_model_of_its_own_address_is_asked_for_all_its_dims(monkeypatch, served):
    server, provider = served
    monkeypatch.setenv("CO_API_URL", server)
    monkeypatch.setenv("CO_API_KEY", KEY)
    encode(load_model("cohere:embed-v4.0#8"), ["x"], kind="query")
    assert provider.requests[0]["body"]["output_dimension"] == 8
    assert provider.requests[0]["headers"]["authorization"] == f"Bearer {KEY}"
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    full = answer_of({"requests": []}, [np.ones(3072, np.float32)])
    provider.script.append(say(full))
    encode(load_model("google:gemini-embedding-001"), ["x"], kind="query")
    assert provider.requests[-1]["body"]["requests"][0]["outputDimensionality"] == 3072


def test_texts_go_as_they_are_and_to_no_other_place(served, name, monkeypatch):
    """Client libraries may take some texts for images, or for files to fetch."""
    server, _ = served
    texts = [
        "files/readme",
        "gs://bucket/picture.png",
        "https://generativelanguage.googleapis.com/v1beta/files/x",
        "data:image/png;base64,aGVsbG8=",
        "aGVsbG8gd29ybGQ=",
        "café 日本 \x07",
    ]
    reached = []
    connect = socket.socket.connect
    monkeypatch.setattr(
        socket.socket, "connect", lambda own, to: (reached.append(to), connect(own, to))[1]
    )
    model = load(server, name, key=KEY)
    # The last of a batch decides for some.
    for rows in (texts, texts[:4]):
        vectors = encode(model, rows, kind="document")
        role = ROLES.get(name, ("", ""))[1]
        np.testing.assert_array_equal(vectors, expected(rows, role=role))
    assert {host for host, _ in reached} == {"127.0.0.1"}


def test_a_newer_model_of_gemini_gets_one_vector_a_text(served):
    server, provider = served
    model = load(server, "google", model="gemini-embedding-2")
    vectors = encode(model, ["x", "y"], kind="query")
    np.testing.assert_array_equal(vectors, expected(["x", "y"], role="RETRIEVAL_QUERY"))
    assert len(provider.requests[-1]["body"]["requests"]) == 2


def test_many_requests_in_any_order_and_from_the_cache(served, own, tmp_path):
    server, provider = served
    model = load(server, own, concurrency=3)
    provider.script.extend([wait(0.3), lambda handler: False])
    vectors = embed(model, TEXTS, kind="document", cache=tmp_path)
    role = ROLES.get(own, ("", ""))[1]
    np.testing.assert_array_equal(vectors, expected(TEXTS, role=role))
    assert 1 < provider.most_at_once <= 3
    sent = provider.n_texts
    embed(model, TEXTS, kind="document", cache=tmp_path)
    assert provider.n_texts == sent


def test_what_is_too_much_is_halved_and_shortened(served, own):
    server, provider = served
    provider.max_texts, provider.max_characters = 40, 50
    texts = [*TEXTS[:60], "long " * 100]
    vectors = encode(load(server, own, concurrency=1), texts, kind="document")
    role = ROLES.get(own, ("", ""))[1]
    np.testing.assert_array_equal(vectors[:60], expected(TEXTS[:60], role=role))
    assert np.isfinite(vectors[60]).all()


def test_429_waits_as_long_as_it_is_told(served, own):
    server, provider = served
    model = load(server, own)
    times = []
    provider.script.append(refuse(429, headers=[("retry-after", "1")]))
    provider.script.append(lambda handler: times.append(time.monotonic()))
    start = time.monotonic()
    encode(model, ["x"], kind="query")
    assert times[0] - start >= 1


def test_500_and_a_dropped_connection_are_tried_again(served, own):
    server, provider = served
    model = load(server, own, retries=2)
    provider.script.extend([refuse(500), drop])
    role = ROLES.get(own, ("", ""))[0]
    np.testing.assert_array_equal(encode(model, ["x"], kind="query"), expected(["x"], role=role))
    assert len(provider.requests) == 3


def vectors_of(shape):
    """Answer with ones of a shape, in the way of whoever asks."""

    def act(handler):
        body = handler.server.provider.requests[-1]["body"]
        handler.answer(200, answer_of(body, list(np.ones(shape, np.float32))))
        return True

    return act


def partly(handler):
    """Break off in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [')
    return drop(handler)


@pytest.mark.parametrize(
    ("acts", "sentence"),
    [
        ([refuse(401, f"Incorrect API key provided: {KEY}")], "refuses the key \\(401\\)"),
        (
            [refuse(400, "API key not valid. Please pass a valid API key.")],
            "refuses the key \\(400",
        ),
        ([refuse(404, "no such model")], "knows no model .* at this address \\(no such model"),
        ([refuse(400, "dims must be 256")], "dims must be 256\\): check model and dims"),
        ([refuse(400, f"header Bearer {KEY}")], "header Bearer \\*\\*\\*"),
        ([refuse(429, "quota", [("retry-after", "600")])], "asks to wait for 600 seconds \\(quota"),
        ([refuse(500, "boom")] * 2, "fails \\(boom\\), tried 2 times"),
        ([refuse(302, "", [("location", "http://127.0.0.1:1/")])], "sends on to another address"),
        ([drop] * 2, "broke off \\(\\w+\\), tried 2 times"),
        ([partly] * 2, "broke off"),
        ([wait(2)] * 2, "did not answer within 0.3 seconds, tried 2 times"),
        ([vectors_of((1, 8))], "returned 1 vectors for 2 texts"),
        ([vectors_of((2, 5))], "a vector of 5 dims where 8 were expected"),
        ([say(b"<html>")], "no list of vectors"),
        ([say(b"")], "no list of vectors"),
        ([say(b"[1]")], "no list of vectors"),
        ([say({"data": None, "embeddings": None})], "no list of vectors"),
        ([say({"data": [1], "embeddings": [1]})], "no list of vectors"),
        ([say({"embeddings": {"float": [[1.0]]}})], "no list of vectors"),
    ],
)
def test_every_failure_is_one_sentence(served, own, acts, sentence, caplog):
    server, provider = served
    caplog.set_level(logging.DEBUG)
    model = load(server, own, key=KEY, seconds=0.3)
    provider.script.extend(acts)
    with pytest.raises(InputError, match=sentence) as caught:
        encode(model, ["x", "y"], kind="document")
    message = str(caught.value)
    assert "\n" not in message
    assert KEY not in message + caplog.text
    assert caught.value.__cause__ is None
    assert len(provider.requests) == len(acts)


def test_no_server_is_said_at_once(own):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{free.getsockname()[1]}"
        # Five tries would take more than 15 seconds; one is reported.
        with pytest.raises(InputError, match="cannot be reached"):
            encode(load(server, own, retries=5), ["x"], kind="query")


def test_the_servers_own_network_stays_closed_whichever_client_asks(served, name):
    server, provider = served
    model = load(server.replace("http:", "https:"), name, trusted=False)
    with pytest.raises(InputError, match="is in the server's own network"):
        encode(model, ["x"], kind="query")
    assert provider.requests == []


class StoppedError(Exception):
    pass


def test_cancelling_does_not_wait_for_a_slow_server(served, own):
    server, provider = served
    model = load(server, own, seconds=600.0)
    provider.script.extend([wait(60)] * 8)
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()

    def report(progress: Progress):
        if stop.is_set():
            raise StoppedError

    start = time.monotonic()
    with pytest.raises(StoppedError):
        embed(model, TEXTS, kind="document", cache=None, on_progress=report)
    # The server would take a minute: anything near that means that it was waited for.
    assert time.monotonic() - start < 30
    deadline = time.monotonic() + 30
    while any(thread.name.startswith("requests to") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_leaving_the_program_does_not_wait_for_a_slow_server(served, own):
    server, provider = served
    provider.script.append(wait(300))
    code = (
        "from mrl_explorer.embed import Connection, load_model\n"
        f"name = '{own}:m#8@{server}{PATHS[own][0]}'\n"
        "model = load_model(name, None, Connection(trusted=True))\n"
        "next(model.encoder.batches(['x'], kind='query'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=120, check=False)
    assert done.returncode == 0


def test_without_its_client_a_provider_is_named_with_the_command(served, own, tmp_path):
    """In a Python that cannot import it: neither with nor without --yes is anything sent."""
    server, provider = served
    corpus = tmp_path / "d.csv"
    corpus.write_text("id,text\n" + "".join(f"{row},text {row}\n" for row in range(20)))
    model = f"{own}:m#8@{server}{PATHS[own][0]}"
    arguments = ["evaluate", "--corpus", str(corpus), "--queries", str(corpus), "--model", model]
    code = (
        "import sys\n"
        f"sys.modules[{OWN_CLIENT[own]!r}] = None\n"
        "from mrl_explorer.cli import main\n"
        f"print(main({arguments!r}), main([*{arguments!r}, '--yes']))\n"
    )
    environment = os.environ | {"MRL_EXPLORER_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.stdout.split() == ["2", "2"]
    sentence = (
        f"{PROVIDERS[own].title} is asked by its own client library, which is not installed: run "
        "`pip install -r requirements-providers.txt`, or choose another model.\n"
    )
    assert done.stderr == sentence * 2
    assert provider.requests == []


def test_what_is_in_the_cache_needs_no_client(served, own, tmp_path, monkeypatch):
    server, _ = served
    first = embed(load(server, own), TEXTS, kind="document", cache=tmp_path)
    monkeypatch.setitem(sys.modules, OWN_CLIENT[own], None)
    again = embed(load(server, own), TEXTS, kind="document", cache=tmp_path)
    np.testing.assert_array_equal(first, again)
    with pytest.raises(InputError, match="requirements-providers"):
        encode(load(server, own), ["x"], kind="query")


def test_retry_after_is_seconds_or_a_date():
    assert _named_wait({"retry-after": " 7 "}) == 7
    assert _named_wait({"retry-after": "0"}) == 0
    assert 50 < _named_wait({"retry-after": formatdate(time.time() + 60, usegmt=True)}) <= 60
    assert _named_wait({"retry-after": formatdate(0, usegmt=True)}) == 0
    for nothing in ({}, {"retry-after": "soon"}, {"retry-after": "-1"}):
        assert _named_wait(nothing) is None
