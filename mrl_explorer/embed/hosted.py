"""Models behind an API: what is sent, how many requests at once, and what becomes of the answers.

Requests overlap in an event loop of their own thread. Nothing waits for that thread: cancelling, or
leaving the program, does not depend on a server that answers late.
"""

import asyncio
import hashlib
import queue
import threading
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mrl_explorer.data.overview import BYTES_A_TOKEN
from mrl_explorer.embed.answers import failure, is_too_much, read_vectors, shown, words
from mrl_explorer.embed.connections import UNASKED, Connection, find_key
from mrl_explorer.embed.failures import RefusedError, SendError
from mrl_explorer.embed.hosted_names import HostedName, hosted_entry
from mrl_explorer.embed.senders import Ask, Reading, check_client, open_sender
from mrl_explorer.errors import InputError

if TYPE_CHECKING:
    from mrl_explorer.embed.channel import Channel

HEARTBEAT_SECONDS = 0.5
"""How often whoever waits for vectors hears that nothing has come: cancelling takes that long."""

_SHORTENED = 0.75
_MOST_SHORTENINGS = 24

Batch = tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]
"""Rows among all texts, and their vectors."""


class Hosted:
    """A model behind an API.

    Parameters
    ----------
    hosted : HostedName
        Which.
    connection : Connection
        How to reach it.

    Raises
    ------
    InputError
        If it has no address.
    """

    def __init__(self, hosted: HostedName, connection: Connection) -> None:
        self.name = hosted
        self.connection = connection
        self._url = hosted.url
        self._max_texts = hosted.provider.max_texts

    def __repr__(self) -> str:
        return f"Hosted({self.name})"

    def count_dims(self) -> int:
        """Ask for the vector of one letter, and count its dims.

        Raises
        ------
        InputError
            As `batches`.
        """
        (vectors,) = (batch for _, batch in self.batches(["a"], kind="document") if len(batch))
        return int(vectors.shape[1])

    def batches(
        self, texts: Sequence[str], *, kind: str, full_dim: int | None = None
    ) -> Generator[Batch]:
        """Send texts and give their vectors as they come, in any order.

        A batch without rows is a sign of life, every half second in which nothing comes. Closing
        the iterator ends all requests at once.

        Parameters
        ----------
        texts : sequence of str
            With their prompts.
        kind : str
            "document" or "query": their role.
        full_dim : int, optional
            Dims that every vector has to have.

        Yields
        ------
        rows : (n_batch,) intp array
            Which of `texts` these are.
        vectors : (n_batch, dim) float32 array

        Raises
        ------
        InputError
            In one sentence, if the provider's client library is missing; there is no key; more than
            `UNASKED` texts are to be sent without a confirmation; or the endpoint may not or cannot
            be reached, refuses, or gives what are no vectors.
        """
        if len(texts) > UNASKED and not self.connection.confirmed:
            raise InputError(
                f"{len(texts):,} texts would be sent to {self.name.host}, which may cost money and "
                "was not agreed to: confirm it on the Data page, or with --yes on the command line."
            )
        # Looked for only now: what is in the cache needs neither.
        check_client(self.name)
        find_key(self.name, self.connection)
        work = _Work(self, texts, kind=kind)
        thread = threading.Thread(target=work.run, daemon=True, name=f"requests to {self.name}")
        thread.start()
        nothing = np.empty(0, np.intp), np.empty((0, full_dim or 0), np.float32)
        try:
            while True:
                try:
                    item = work.results.get(timeout=HEARTBEAT_SECONDS)
                except queue.Empty:
                    yield nothing
                    continue
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                # Read here, so that the next request leaves before this answer is read.
                rows, reading = item
                yield np.array(rows, np.intp), self._read(reading, len(rows), full_dim)
        finally:
            work.stop()

    @property
    def key(self) -> str | None:
        """The key to send, which is nowhere else."""
        return find_key(self.name, self.connection)

    def open_channel(self) -> "Channel":
        """Open what requests go by. The key is in it, so that the client libraries have none."""
        # The HTTP library takes a moment to import.
        from mrl_explorer.embed.channel import Channel, is_allowed_endpoint  # noqa: PLC0415

        header = self.name.provider.key_header
        key = self.key
        secret = f"Bearer {key}" if header == "Authorization" else key
        own = self.name.endpoint is None
        trusted = own or self.connection.trusted or is_allowed_endpoint(self._url)
        return Channel(
            secrets={header: secret} if key and secret else {},
            # Whom to charge: meant for OpenAI, and set by whoever runs this.
            kept_headers=frozenset({"openai-organization", "openai-project"} if own else ()),
            public_only=not trusted,
            seconds=self.connection.seconds,
            max_connections=self.connection.concurrency,
            retries=self.connection.retries,
        )

    def explain(self, error: SendError) -> InputError:
        """Say what came of a request, in one sentence."""
        return InputError(failure(error, self.name, self.connection, key=self.key))

    def _read(self, reading: Reading, n_texts: int, dim: int | None) -> npt.NDArray[np.float32]:
        try:
            return read_vectors(reading, self.name, n_texts=n_texts, dim=dim)
        except SendError as error:
            raise self.explain(error) from None

    @property
    def max_texts(self) -> int:
        """Texts a request: what the provider takes, or less once it has refused that."""
        return self._max_texts

    def lower_max_texts(self, n_texts: int) -> None:
        """Send at most so many texts a request from now on."""
        self._max_texts = max(1, min(self._max_texts, n_texts))


class _TooMuchError(Exception):
    """A request was refused because its texts are too long or too many."""


class _Work:
    """The requests for some texts, in a thread and an event loop of their own."""

    def __init__(self, model: Hosted, texts: Sequence[str], *, kind: str) -> None:
        # Rows and the answer for them; what went wrong; None at the end.
        self.results: queue.SimpleQueue[tuple[list[int], Reading] | BaseException | None]
        self.results = queue.SimpleQueue()
        self._model = model
        self._texts = texts
        self._kind = kind
        self._left = deque(range(len(texts)))
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def run(self) -> None:
        """Send everything; the thread's work."""
        try:
            if not self._stopped:
                self._task = self._loop.create_task(self._send_all())
                self._loop.run_until_complete(self._task)
            self.results.put(None)
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self.results.put(error)
        finally:
            self._loop.close()

    def stop(self) -> None:
        """End all requests; without waiting for it."""
        self._stopped = True
        # The loop may be closed by now, since all is done.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _send_all(self) -> None:
        name = self._model.name
        parameters = name.provider.parameters(
            self._kind, dim_parameter=dim_parameter(name), dim=sent_dim(name)
        )
        async with self._model.open_channel() as channel:
            ask = open_sender(name, channel, parameters)
            n_workers = min(max(1, self._model.connection.concurrency), len(self._texts))
            workers = [asyncio.create_task(self._send_batches(ask)) for _ in range(n_workers)]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    async def _send_batches(self, ask: Ask) -> None:
        while rows := self._next_rows():
            await self._send(ask, rows)

    def _next_rows(self) -> list[int]:
        """Take the rows of the next request."""
        rows: list[int] = []
        room = self._model.name.provider.max_bytes
        while self._left and len(rows) < self._model.max_texts:
            room -= len(self._texts[self._left[0]].encode())
            if rows and room < 0:
                break
            rows.append(self._left.popleft())
        return rows

    async def _send(self, ask: Ask, rows: list[int]) -> bool:
        """Send a batch, in halves where it is refused as too much; tell whether it went at once."""
        try:
            self.results.put((rows, await self._ask(ask, [self._texts[row] for row in rows])))
            return True
        except _TooMuchError:
            if len(rows) == 1:
                self.results.put((rows, await self._shorten(ask, rows[0])))
                return False
        half = len(rows) // 2
        first = await self._send(ask, rows[:half])
        second = await self._send(ask, rows[half:])
        if first and second:
            # Not one text was too long, but all of them together too many.
            self._model.lower_max_texts(len(rows) - half)
        return False

    async def _shorten(self, ask: Ask, row: int) -> Reading:
        """Send the longest beginning of a text that is not refused."""
        text = self._texts[row]
        entry = hosted_entry(self._model.name)
        n_characters = len(text)
        if entry is not None and entry.max_tokens is not None:
            n_characters = min(n_characters, BYTES_A_TOKEN * entry.max_tokens)
        said = ""
        for _ in range(_MOST_SHORTENINGS):
            if n_characters == len(text):
                n_characters = int(n_characters * _SHORTENED)
            if n_characters < 1:
                break
            try:
                return await self._ask(ask, [text[:n_characters]])
            except _TooMuchError as error:
                said = str(error)
            n_characters = int(n_characters * _SHORTENED)
        raise InputError(
            f"{self._model.name} refuses even the beginning of the text {text[:60]!r} ({said}): "
            "leave the text out, or choose another model."
        )

    async def _ask(self, ask: Ask, texts: list[str]) -> Reading:
        """Send one request; `_TooMuchError` says that it was refused for that."""
        try:
            return await ask(texts)
        except RefusedError as error:
            if is_too_much(error):
                raise _TooMuchError(shown(words(error), self._model.key)) from None
            raise self._model.explain(error) from None
        except SendError as error:
            raise self._model.explain(error) from None


def dim_parameter(name: HostedName) -> str | None:
    """Give the parameter by which a provider is told the dims of a model; None if there is none."""
    entry = hosted_entry(name)
    if entry is None or name.endpoint is not None:
        return name.provider.dim_parameter
    return entry.dim_parameter


def sent_dim(name: HostedName) -> int | None:
    """Give the dims that a provider is asked for; None leaves it to the provider.

    Some return fewer by default than the model has. Servers of one's own return all, and several
    refuse the parameter.
    """
    if name.dim is not None:
        return name.dim
    entry = hosted_entry(name)
    if entry is None or name.endpoint is not None or entry.dim_parameter is None:
        return None
    return entry.full_dim


def hosted_digest(name: HostedName) -> str:
    """SHA-256 in hex of what decides a hosted model's vectors, but for the text and its prompt.

    Provider, address, model, dims, roles and fixed parameters; never the key.
    """
    provider = name.provider
    parts = (
        provider.name,
        name.url,
        name.model,
        f"{dim_parameter(name)}={sent_dim(name)}",
        f"{provider.role_parameter}={provider.query_role},{provider.document_role}",
        repr(sorted(provider.fixed.items())),
    )
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()
