"""A real HTTP server on loopback that speaks the protocols of providers, and can misbehave."""

import base64
import hashlib
import json
import threading
import time
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

FULL_DIM = 8


def vector_of(text, *, dim=FULL_DIM, role=""):
    """A unit vector that depends on the text and its role; cut ones are prefixes of it."""
    seed = int.from_bytes(hashlib.sha256(f"{role}{text}".encode()).digest()[:8], "little")
    vector = np.random.default_rng(seed).normal(size=FULL_DIM)[:dim]
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Provider:
    """What the server does and what it was asked.

    `script` holds what happens to the next requests, one each: a function of the handler that
    answers and returns True, or lets the usual answer happen.
    """

    def __init__(self):
        self.requests = []
        self.script = deque()
        self.max_texts = None
        self.max_characters = None
        self.seconds = 0.0
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def n_texts(self):
        return sum(len(texts_of(request["body"])) for request in self.requests)


def texts_of(body):
    if "requests" in body:
        return [item["content"]["parts"][0]["text"] for item in body["requests"]]
    return body.get("input", body.get("texts"))


def packed(vector):
    return base64.b64encode(vector.tobytes()).decode()


def usual_answer(body):
    texts = texts_of(body)
    settings = body["requests"][0] if "requests" in body else body
    dim = next(
        (
            settings[name]
            for name in ("dimensions", "output_dimension", "outputDimensionality")
            if name in settings
        ),
        FULL_DIM,
    )
    role = next(
        (settings[name] for name in ("input_type", "taskType", "task") if name in settings), ""
    )
    return answer_of(body, [vector_of(text, dim=dim, role=role) for text in texts])


def answer_of(body, vectors):
    """Vectors in the shape that the provider asked in this way answers in."""
    if "requests" in body:
        return {"embeddings": [{"values": vector.tolist()} for vector in vectors]}
    if "texts" in body:
        (kind,) = body["embedding_types"]
        rows = [packed(v) if kind == "base64" else v.tolist() for v in vectors]
        return {"id": "1", "embeddings": {kind: rows}, "texts": [], "meta": {}}
    base64_wanted = body.get("encoding_format") == "base64"
    items = [
        {"object": "embedding", "index": row, "embedding": packed(v) if base64_wanted else v}
        for row, v in enumerate(v if base64_wanted else v.tolist() for v in vectors)
    ]
    usage = {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}
    return {"id": "1", "object": "list", "model": "m", "data": items[::-1], "usage": usage}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise the end of an answer waits 40 ms for the acknowledgement of its beginning.
    disable_nagle_algorithm = True

    def do_POST(self):
        provider = self.server.provider
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with provider.lock:
            provider.requests.append(
                {
                    "path": self.path,
                    "headers": {head.lower(): value for head, value in self.headers.items()},
                    "body": body,
                }
            )
            provider.at_once += 1
            provider.most_at_once = max(provider.most_at_once, provider.at_once)
            act = provider.script.popleft() if provider.script else None
        try:
            if act is not None and act(self):
                return
            time.sleep(provider.seconds)
            texts = texts_of(body)
            if provider.max_texts is not None and len(texts) > provider.max_texts:
                message = f"batch size {len(texts)} > maximum allowed batch size"
                self.answer(413, {"error": message, "error_type": "Validation"})
            elif provider.max_characters and max(map(len, texts)) > provider.max_characters:
                message = "This model's maximum context length is 8192 tokens"
                self.answer(400, {"error": {"message": message}})
            else:
                self.answer(200, usual_answer(body))
        finally:
            with provider.lock:
                provider.at_once -= 1

    def answer(self, status, content, headers=()):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


def refuse(status, message="no", headers=()):
    def act(handler):
        handler.answer(status, {"error": {"message": message}}, headers)
        return True

    return act


def say(content):
    def act(handler):
        handler.answer(200, content)
        return True

    return act


def wait(seconds):
    def act(handler):
        time.sleep(seconds)

    return act


def drop(handler):
    handler.close_connection = True
    handler.connection.close()
    return True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Clients go away in the middle here."""


@contextmanager
def serve():
    """Run a server; gives its address and what it does."""
    server = Server(("127.0.0.1", 0), Handler)
    server.provider = Provider()
    # A handler may be asleep: nobody waits for it.
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", server.provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
