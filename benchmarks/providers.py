"""Time of embedding by a hosted model as a multiple of the ideal: requests that only overlap.

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
from pathlib import Path
from statistics import median

import numpy as np

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mrl_explorer.embed import DEFAULT_CONCURRENCY, Connection, Model, embed, load_model

TARGET_RATIO = 1.2
DIM = 1536


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, seconds: float
) -> None:
    """Answer requests for embeddings, each after so many seconds, all with one vector."""
    vector = np.full(DIM, DIM**-0.5, "<f4")
    item = json.dumps({"embedding": base64.b64encode(vector.tobytes()).decode()})
    while head := await reader.readuntil(b"\r\n\r\n"):
        start = asyncio.get_running_loop().time()
        lines = head.lower().split(b"\r\n")
        length = next(int(s[15:]) for s in lines if s.startswith(b"content-length:"))
        body = json.loads(await reader.readexactly(length))
        content = f'{{"data": [{", ".join([item] * len(body["input"]))}]}}'.encode()
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
        start = time.perf_counter()
        vectors = embed(model, texts, kind="document", cache=Path(folder))
        spent = time.perf_counter() - start
    assert vectors.shape == (len(texts), DIM)
    print(
        f"{len(texts):,} texts, {n_requests} requests, {concurrency} at once: {spent:.2f} s, "
        f"ideal {ideal:.2f} s, ratio {spent / ideal:.2f}"
    )
    return spent / ideal


def main() -> int:
    """Run the benchmark; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=0.2, help="of an answer")
    parser.add_argument("--concurrency", type=int, default=DEFAULT_CONCURRENCY)
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
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            connection = Connection(trusted=True, confirmed=True, concurrency=options.concurrency)
            # Loading sends one text: it loads the client, too.
            model = load_model(f"openai:benchmark@{url}", None, connection)
            texts = [
                f"Text {row} of some forty to fifty bytes of words" for row in range(options.texts)
            ]
            ratios = [
                measure(model, texts, seconds=options.seconds, concurrency=options.concurrency)
                for _ in range(options.rounds)
            ]
        finally:
            server.terminate()
    print(f"median ratio {median(ratios):.2f} (target: at most {TARGET_RATIO})")
    return int(median(ratios) > TARGET_RATIO)


if __name__ == "__main__":
    sys.exit(main())
