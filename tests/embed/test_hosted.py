"""Hosted models against a real server on loopback that speaks their protocols."""

import os
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from mrl_explorer.embed import Connection, Told, embed, encode, load_model
from mrl_explorer.embed.cache import CHUNK
from mrl_explorer.embed.connections import UNASKED
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress

from .servers import FULL_DIM, drop, refuse, say, serve, usual_answer, vector_of, wait

TEXTS = [f"text number {row}" for row in range(300)]


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    for name in ("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def served():
    with serve() as (url, provider):
        yield url, provider


def load(url, *, name="openai:own-model", told=None, **options):
    settings = {"trusted": True, "confirmed": True, "retries": 1, "seconds": 20.0} | options
    return load_model(f"{name}@{url}", told, Connection(**settings))


def expected(texts, *, dim=FULL_DIM, role=""):
    return np.stack([vector_of(text, dim=dim, role=role) for text in texts])


def test_vectors_come_in_the_order_of_the_texts(served):
    url, provider = served
    model = load(url)
    assert (model.full_dim, model.hosted) == (FULL_DIM, True)
    assert model.name == f"openai:own-model@{url}"
    np.testing.assert_array_equal(encode(model, TEXTS, kind="document"), expected(TEXTS))
    assert all(request["path"] == "/v1/embeddings" for request in provider.requests)


def test_a_model_of_another_dim_is_asked_for_by_its_name(served):
    url, provider = served
    model = load(url, name="openai:own-model#3")
    assert model.full_dim == 3
    vectors = encode(model, TEXTS[:2], kind="document")
    np.testing.assert_array_equal(vectors, expected(TEXTS[:2], dim=3))
    assert provider.requests[-1]["body"]["dimensions"] == 3


def test_prompts_go_before_the_texts(served):
    url, _ = served
    model = load(url, told=Told("ask ", "read "))
    np.testing.assert_array_equal(encode(model, ["x"], kind="query"), expected(["ask x"]))
    np.testing.assert_array_equal(encode(model, ["x"], kind="document"), expected(["read x"]))


def test_a_model_of_the_hub_behind_an_own_server_keeps_its_prompts_and_dims(served):
    url, provider = served
    provider.script.append(say({"data": [{"index": 0, "embedding": [0.5] * 1024}]}))
    model = load(url, name="openai:Qwen/Qwen3-Embedding-0.6B")
    assert model.query_prompt.endswith("Query:")
    assert model.matryoshka.verdict == "yes"
    assert "dimensions" not in provider.requests[0]["body"]


def test_requests_overlap_across_the_chunks_of_the_cache(served, tmp_path):
    url, provider = served
    provider.seconds = 0.3
    model = load(url, concurrency=6)
    texts = [f"t{row}" for row in range(CHUNK + 50)]
    vectors = embed(model, texts, kind="document", cache=tmp_path)
    np.testing.assert_array_equal(vectors, expected(texts))
    assert provider.most_at_once == 6


def test_the_second_run_sends_nothing_and_a_changed_role_or_address_sends_all(served, tmp_path):
    url, provider = served
    model = load(url, name="cohere:m#8")
    embed(model, TEXTS, kind="document", cache=tmp_path)
    sent = provider.n_texts
    again = embed(model, TEXTS, kind="document", cache=tmp_path)
    assert provider.n_texts == sent
    np.testing.assert_array_equal(again, expected(TEXTS, role="search_document"))
    for other in (
        load(url, name="cohere:m#7"),
        load(url, name="cohere:other#8"),
        load(url, name="voyage:m#8"),
        load(f"{url}/other", name="cohere:m#8"),
    ):
        assert other.fingerprint("document") != model.fingerprint("document")
    assert model.fingerprint("query") != model.fingerprint("document")
    assert load(url, name="cohere:m#8", key="k").fingerprint("query") == model.fingerprint("query")


def test_a_run_that_fails_goes_on_where_it_was(served, tmp_path):
    url, provider = served
    model = load(url, concurrency=1)
    provider.script.extend([lambda handler: False, refuse(400, "no such thing")])
    with pytest.raises(InputError, match="no such thing"):
        embed(model, TEXTS, kind="document", cache=tmp_path)
    before = provider.n_texts
    reports = []
    vectors = embed(model, TEXTS, kind="document", cache=tmp_path, on_progress=reports.append)
    assert reports[0].done == 128
    assert provider.n_texts - before == len(TEXTS) - 128
    np.testing.assert_array_equal(vectors, expected(TEXTS))


def test_a_server_that_takes_fewer_texts_a_request_gets_fewer(served):
    url, provider = served
    provider.max_texts = 32
    model = load(url, concurrency=1)
    np.testing.assert_array_equal(encode(model, TEXTS, kind="document"), expected(TEXTS))
    sizes = [len(request["body"]["input"]) for request in provider.requests[1:]]
    # Learned from the first batch, and kept to.
    assert sizes[:4] == [128, 64, 32, 32]
    assert max(sizes[-4:]) <= 32


def test_a_text_longer_than_the_model_reads_is_sent_as_far_as_it_goes(served):
    url, provider = served
    provider.max_characters = 50
    texts = [*TEXTS[:20], "long " * 100, *TEXTS[20:40]]
    vectors = encode(load(url), texts, kind="document")
    np.testing.assert_array_equal(np.delete(vectors, 20, axis=0), expected(TEXTS[:40]))
    longest = max(
        (text for request in provider.requests for text in request["body"]["input"]),
        key=lambda text: (len(text) <= 50, len(text)),
    )
    assert texts[20].startswith(longest)
    assert 35 <= len(longest) <= 50
    np.testing.assert_array_equal(vectors[20], vector_of(longest))


def test_what_is_refused_however_short_is_said(served):
    url, provider = served
    model = load(url)
    provider.script.extend([refuse(400, "too many tokens")] * 9)
    sentence = "refuses even the beginning of the text 'cats' \\(too many tokens\\)"
    with pytest.raises(InputError, match=sentence):
        encode(model, ["cats"], kind="document")


def test_429_waits_as_long_as_it_is_told(served):
    url, provider = served
    model = load(url)
    provider.script.append(refuse(429, headers=[("retry-after", "1")]))
    times = []
    provider.script.append(lambda handler: times.append(time.monotonic()))
    start = time.monotonic()
    np.testing.assert_array_equal(encode(model, ["x"], kind="query"), expected(["x"]))
    assert times[0] - start >= 1


def test_500_and_a_dropped_connection_are_tried_again(served):
    url, provider = served
    model = load(url, retries=2)
    provider.script.extend([refuse(500), drop])
    np.testing.assert_array_equal(encode(model, ["x"], kind="query"), expected(["x"]))
    assert len(provider.requests) == 4


def shorter(handler):
    handler.answer(200, {"data": [{"index": 0, "embedding": [0.0] * FULL_DIM}]})
    return True


@pytest.mark.parametrize(
    ("acts", "sentence"),
    [
        ([refuse(401, "Incorrect API key provided: sk-canary")], "refuses the key \\(401\\)"),
        ([refuse(403)], "refuses the key \\(403\\)"),
        ([refuse(404, "no such model")], "knows no model own-model at this address \\(no such"),
        (
            [refuse(400, "dimensions must be 256")],
            "dimensions must be 256\\): check model and dims",
        ),
        ([refuse(429, "quota", [("retry-after", "600")])], "asks to wait for 600 seconds \\(quota"),
        ([refuse(500, "boom")] * 2, "fails \\(boom\\), tried 2 times"),
        ([refuse(302, "", [("location", "http://127.0.0.1:1/")])], "sends on to another address"),
        ([drop] * 2, "broke off"),
        ([wait(3)] * 2, "did not answer within 0.5 seconds, tried 2 times"),
        ([shorter], "returned 1 vectors for 2 texts"),
        (
            [say({"data": [{"embedding": [1.0] * 5}] * 2})],
            "a vector of 5 dims where 8 were expected",
        ),
        ([say(b"<html>")], "no list of vectors"),
        ([say({"data": [{"embedding": "%%%"}] * 2})], "no list of vectors"),
        ([say({"data": None})], "no list of vectors"),
        ([say({"data": [{"embedding": [None]}] * 2})], "a vector of 1 dims"),
        ([say({"data": [{"embedding": [float("nan")] * 8}] * 2})], "infinite or undefined"),
    ],
)
def test_every_failure_is_one_sentence(served, acts, sentence):
    url, provider = served
    model = load(url, key="sk-canary", seconds=0.5)
    provider.script.extend(acts)
    with pytest.raises(InputError, match=sentence) as caught:
        encode(model, ["x", "y"], kind="document")
    message = str(caught.value)
    assert "canary" not in message
    assert "\n" not in message
    assert caught.value.__cause__ is None


def test_another_dim_half_way_is_refused_and_what_came_before_is_kept(served, tmp_path):
    url, provider = served
    model = load(url, concurrency=1)
    other = {"data": [{"index": i, "embedding": [1.0] * 4} for i in range(128)]}
    provider.script.extend([lambda handler: False, say(other)])
    with pytest.raises(InputError, match="4 dims where 8"):
        embed(model, TEXTS, kind="document", cache=tmp_path)
    reports = []
    embed(model, TEXTS, kind="document", cache=tmp_path, on_progress=reports.append)
    assert reports[0].done == 128


def test_no_server_is_said_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        # Five tries would take more than 15 seconds; one is reported.
        with pytest.raises(InputError, match="cannot be reached"):
            load(url, retries=5)


def test_an_unknown_host_is_said(served):
    with pytest.raises(InputError, match=r"nowhere\.invalid cannot be reached"):
        load("https://nowhere.invalid/v1")


class StoppedError(Exception):
    pass


def test_cancelling_does_not_wait_for_a_slow_server(served):
    url, provider = served
    model = load(url, seconds=600.0)
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


def test_leaving_the_program_does_not_wait_for_a_slow_server(served):
    url, provider = served
    provider.script.append(wait(300))
    code = (
        "import sys; from mrl_explorer.embed import Connection, load_model\n"
        f"model = load_model('openai:m#8@{url}', None, Connection(trusted=True))\n"
        "next(model.encoder.batches(['x'], kind='query'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=120, check=False)
    assert done.returncode == 0


def test_many_texts_are_not_sent_unasked(served, tmp_path):
    url, provider = served
    model = load(url, confirmed=False)
    encode(model, TEXTS[:UNASKED], kind="query")
    sent = provider.n_texts
    with pytest.raises(InputError, match=r"300 texts would be sent to 127\.0\.0\.1:.* confirm it"):
        embed(model, TEXTS, kind="document", cache=tmp_path)
    assert provider.n_texts == sent


def test_a_key_is_asked_for_where_one_is_needed():
    with pytest.raises(InputError, match="OpenAI wants a key: set OPENAI_API_KEY"):
        encode(load_model("openai:text-embedding-3-small"), ["x"], kind="query")
    with pytest.raises(InputError, match="set AZURE_OPENAI_ENDPOINT"):
        load_model("azure:text-embedding-3-small")
    model = load_model("openai:text-embedding-3-small", None, Connection(key="sk canary"))
    with pytest.raises(InputError, match="characters that no key has"):
        encode(model, ["x"], kind="query")


def test_what_is_in_the_cache_needs_no_key(served, tmp_path, monkeypatch):
    url, provider = served
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    name = "openai:text-embedding-3-small#8"
    model = load_model(name, None, Connection(key="k", confirmed=True))
    embed(model, TEXTS, kind="document", cache=tmp_path)
    sent = provider.n_texts
    vectors = embed(load_model(name), TEXTS, kind="document", cache=tmp_path)
    np.testing.assert_array_equal(vectors, expected(TEXTS))
    assert provider.n_texts == sent


def test_the_address_in_the_environment_gets_the_key_there(served, monkeypatch):
    url, provider = served
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-own")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-own")
    model = load_model("openai:own-model")
    assert model.name == "openai:own-model"
    headers = provider.requests[0]["headers"]
    assert headers["authorization"] == "Bearer sk-own"
    assert headers["openai-organization"] == "org-own"


def test_an_address_that_was_typed_gets_nothing_of_the_environment(served, monkeypatch):
    url, provider = served
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-secret: canary\nauthorization: canary")
    load(url)
    load(url, key="typed")
    for request in provider.requests:
        assert "canary" not in repr(request)
    assert "typed" in repr(provider.requests[1]["headers"])


def test_the_usual_answer_is_reversed_so_that_the_index_counts():
    rows = [item["index"] for item in usual_answer({"input": ["a", "b"]})["data"]]
    assert rows == [1, 0]
