"""Time of embedding by hosted models as a multiple of the ideal: requests that only overlap.

From the project's folder: `python -m benchmarks.providers` or `python benchmarks/providers.py`.
"""

import argparse
import asyncio
import base64
import json
import math
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mrl_explorer.embed import DEFAULT_CONCURRENCY, Connection, Model, embed, load_model

TARGET_RATIO = 1.2
DIM = 1536
PROVIDERS = {
    "openai": "/v1",
    "cohere": "/v2",
    "voyage": "/v1",
    "google": "/v1beta",
    "jina": "/v1",
    "mistral": "/v1",
}
"""What the address of each ends in."""


def written_vector(*, packed: bool) -> str:
    """Give one vector in JSON: numbers, or base64."""
    vector = np.random.default_rng(0).normal(scale=DIM**-0.5, size=DIM).astype("<f4")
    if packed:
        return json.dumps(base64.b64encode(vector.tobytes()).decode())
    return f"[{', '.join(map(str, vector))}]"


@cache
def content_for(kind: str, n_texts: int) -> bytes:
    """Give the answer in the shape of a provider, made once: making it is not what is measured."""
    item = written_vector(packed=kind in ("base64", "cohere"))
    if kind == "google":
        return f'{{"embeddings": [{", ".join([f"""{{"values": {item}}}"""] * n_texts)}]}}'.encode()
    if kind == "cohere":
        items = ", ".join([item] * n_texts)
        return f'{{"id": "1", "embeddings": {{"base64": [{items}]}}, "texts": []}}'.encode()
    items = ", ".join(
        f'{{"object": "embedding", "index": {row}, "embedding": {item}}}' for row in range(n_texts)
    )
    usage = '{"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}'
    head = '"id": "1", "object": "list", "model": "m"'
    return f'{{{head}, "data": [{items}], "usage": {usage}}}'.encode()


def answer_to(body: dict) -> bytes:
    """Give the answer to a request, in the way of the provider that is asked so."""
    if "requests" in body:
        return content_for("google", len(body["requests"]))
    if "texts" in body:
        return content_for("cohere", len(body["texts"]))
    kind = "base64" if body.get("encoding_format") == "base64" else "numbers"
    return content_for(kind, len(body["input"]))


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, seconds: float
) -> None:
    """Answer requests for embeddings, each after so many seconds, all with one vector."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        start = asyncio.get_running_loop().time()
        lines = head.lower().split(b"\r\n")
        length = next(int(s[15:]) for s in lines if s.startswith(b"content-length:"))
        content = answer_to(json.loads(await reader.readexactly(length)))
        # What the server computes itself is a part of the time it takes.
        spent = asyncio.get_running_loop().time() - start
        await asyncio.sleep(max(0.0, seconds - spent))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
        writer.write(f"content-length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()


async def serve(*, seconds: float) -> None:
    """Print the port, and answer until killed."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer, seconds=seconds)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def measure(model: Model, texts: list[str], *, seconds: float, concurrency: int) -> float:
    """Time one run with an empty cache; give it as a multiple of the ideal."""
    n_requests = math.ceil(len(texts) / model.batch_size)
    ideal = math.ceil(n_requests / concurrency) * seconds
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        vectors = embed(model, texts, kind="document", cache=Path(folder))
        spent, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert vectors.shape == (len(texts), DIM)
    print(
        f"{model.name.partition(':')[0]}: {len(texts):,} texts, {n_requests} requests, "
        f"{concurrency} at once: {spent:.2f} s ({cpu:.2f} s of computing), ideal {ideal:.2f} s, "
        f"ratio {spent / ideal:.2f}"
    )
    return spent / ideal


def main() -> int:
    """Run the benchmark; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=0.2, help="of an answer")
    parser.add_argument("--concurrency", type=int, default=DEFAULT_CONCURRENCY)
    parser.add_argument("--providers", default=",".join(PROVIDERS), metavar="openai,cohere")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(seconds=options.seconds))
        return 0
    command = [sys.executable, __file__, "--serve", "--seconds", str(options.seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            server_url = f"http://127.0.0.1:{int(server.stdout.readline())}"
            connection = Connection(trusted=True, confirmed=True, concurrency=options.concurrency)
            # Loading sends one text: it loads the client, too.
            models = {
                name: load_model(
                    f"{name}:benchmark@{server_url}{PROVIDERS[name]}", None, connection
                )
                for name in options.providers.split(",")
            }
            texts = [
                f"Text {row} of some forty to fifty bytes of words" for row in range(options.texts)
            ]
            rounds = [
                {
                    name: measure(
                        model, texts, seconds=options.seconds, concurrency=options.concurrency
                    )
                    for name, model in models.items()
                }
                for _ in range(options.rounds)
            ]
        finally:
            server.terminate()
    ratios = {name: median(ratio[name] for ratio in rounds) for name in models}
    for name, ratio in ratios.items():
        print(f"{name}: median ratio {ratio:.2f} (target: at most {TARGET_RATIO})")
    return int(max(ratios.values()) > TARGET_RATIO)


if __name__ == "__main__":
    sys.exit(main())
