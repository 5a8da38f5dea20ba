"""A scripted model server: real HTTP/1.1 on loopback, so that tests patch nothing.

It speaks OpenAI-compatible chat and completions (also Mistral's ``/fim/completions``), the
``/infill`` and ``/completion`` of llama.cpp, Anthropic's ``/v1/messages``, Gemini's
``/v1beta/models/M:streamGenerateContent`` and Ollama's ``/api/chat`` and ``/api/generate``,
streamed or whole, and lists its `models` as each of them does. It refuses what they refuse. Each
other request takes the next scripted `Reply`, is logged, and charged by `rates`:

    async with ModelServer() as server:
        server.script(Reply("return a"), Reply(status=429, headers={"Retry-After": "2"}))
        ... ask server.base_url (.../v1) ...
        request = await server.wait_for(1)      # the first request, as soon as it is there
        await request.closed()                  # answered, or the client hung up
        assert request.aborted_at is not None
        assert server.invoices[0].counts.read == 0

As a process (``python tests/fakes/model_server.py``) it prints its port on a line.
``POST /control`` with ``{"replies": [{"text": "x"}], "default": {}, "models": [], "release":
true}`` scripts it (each key optional); ``GET /log?wait=N`` answers the requests once there are N.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

sys.path.insert(0, str(Path(__file__).parents[1]))  # as a process, it stands in its own folder

from fakes import dialects
from fakes.invoices import Invoice, Rates, price
from fakes.replies import PATIENCE_S, Reply, RequestLog
from fakes.wires import Flavour, Wire

__all__ = ["ModelServer", "Reply", "RequestLog"]


class _Reader(asyncio.StreamReader):
    """A reader that says at once when the client has hung up."""

    def __init__(self) -> None:
        super().__init__(limit=2**20)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: type[BaseException] | BaseException) -> None:
        super().set_exception(exc)  # type: ignore[arg-type]  # typeshed is narrower than asyncio
        self.gone.set()


class _Connection(asyncio.StreamReaderProtocol):
    """A connection that is in `still_open` as long as it is."""

    def __init__(self, connected: Any, still_open: set[asyncio.Transport]) -> None:
        super().__init__(_Reader(), connected)
        self._open = still_open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._made = transport
        self._open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self._made)
        super().connection_lost(exc)


class ModelServer:
    """The server; an async context manager. `replies` are used up in order, then `default`."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.default = Reply("pass")
        self.answer: Callable[[RequestLog], Reply | None] | None = None
        """Asked before `replies`; None goes on to them."""
        self.models: list[str] = ["fake-model"]
        self.api_key: str | None = None
        """The only key that is let in, in the dialect's own header; None: none is needed."""
        self.infill = True
        """Whether the models fill gaps."""
        self.flavour: Flavour = "openai"
        """Whom the OpenAI-compatible paths take after."""
        self.rates: dict[str, Rates] = {}
        """Prices by the id of the answering model."""
        self.invoices: list[Invoice] = []
        """One for each request that was answered, at least in part."""
        self.requests: list[RequestLog] = []
        """Every request but those to /control and /log."""
        self.connections = 0
        """How many connections were ever made."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.Transport] = set()
        self._arrived = asyncio.Condition()

    @property
    def url(self) -> str:
        """The root, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """The OpenAI-compatible base."""
        return f"{self.url}/v1"

    def script(self, *replies: Reply) -> None:
        """Append replies for the next requests."""
        self.replies.extend(replies)

    def release(self) -> None:
        """Let every hanging request go on."""
        for request in self.requests:
            request.release()

    async def wait_for(self, n_requests: int) -> RequestLog:
        """Wait until that many requests have come; give the last of them."""
        async with asyncio.timeout(PATIENCE_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= n_requests)
        return self.requests[n_requests - 1]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self._connected, self._open), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        # asyncio loses a connection that it accepts while its server closes: first accept no more,
        # and let what was accepted become a connection, which takes it some rounds of the loop.
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(5):
            await asyncio.sleep(0)
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._open:
            for transport in list(self._open):
                transport.abort()
            await asyncio.sleep(0)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, _Reader)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        # Cancelled when the server closes: asyncio's stream callback would report it.
        expected = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*expected):
            while request := await _read_request(reader, number):
                if not await self._exchange(request, reader, writer):
                    break
        self._tasks.discard(task)
        writer.close()

    async def _exchange(
        self, request: RequestLog, reader: _Reader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; False where the connection must close."""
        if request.path.startswith(("/control", "/log")):
            await self._control(request, writer)
            return True
        self.requests.append(request)
        async with self._arrived:
            self._arrived.notify_all()
        respond = asyncio.ensure_future(self._respond(request, writer))
        gone = asyncio.ensure_future(reader.gone.wait())
        try:
            await asyncio.wait((respond, gone), return_when=asyncio.FIRST_COMPLETED)
            if respond.done() and respond.exception() is None:
                request.finished_at = time.monotonic()
                return respond.result()
            request.aborted_at = time.monotonic()
            return False
        finally:
            respond.cancel()
            gone.cancel()
            await asyncio.gather(respond, gone, return_exceptions=True)
            request.close()

    async def _control(self, request: RequestLog, writer: asyncio.StreamWriter) -> None:
        if request.path.startswith("/log"):
            query = parse_qs(request.path.partition("?")[2])
            await self.wait_for(int(query["wait"][0])) if "wait" in query else None
            await _send(writer, 200, _body([r.as_json() for r in self.requests]))
            return
        order = request.body
        self.script(*(Reply(**reply) for reply in order.get("replies", ())))
        if "default" in order:
            self.default = Reply(**order["default"])
        self.models = order.get("models", self.models)
        if order.get("release"):
            self.release()
        await _send(writer, 200, _body({}))

    async def _respond(self, request: RequestLog, writer: asyncio.StreamWriter) -> bool:
        reply = self.answer(request) if self.answer else None
        if reply is None:
            refused = dialects.refusal(request, self.api_key, infill=self.infill)
            listed = dialects.models(request, self.models)
            if refused or listed is not None:
                status, body = refused or (200, listed)
                await _send(writer, status, _body(body))
                return True
        reply = reply or (self.replies.popleft() if self.replies else self.default)
        if reply.hang:
            await request.released()
        await asyncio.sleep(reply.delay_s)
        if reply.drop:
            return False
        if reply.status != 200:
            await _send(writer, reply.status, _body(reply.error), reply.headers)
        elif reply.raw is not None:
            await _send(writer, 200, reply.raw.encode(), reply.headers)
        elif (wire := dialects.wire(request, reply, self.flavour)) is None:
            await _send(writer, 404, _body({"error": {"message": "no such path"}}))
        else:
            return await self._speak(writer, reply, request, wire)
        return True

    async def _speak(
        self, writer: asyncio.StreamWriter, reply: Reply, request: RequestLog, wire: Wire
    ) -> bool:
        """Write an answer and charge it; False where the connection must close."""
        whole = False
        try:
            if wire.streamed:
                whole = await _stream(writer, reply, request, wire)
            else:
                await _send(writer, 200, _body(wire.whole), reply.headers)
                whole = True
            return whole
        finally:
            # What broke off was generated, and so charged, as far as it came.
            aborted = not whole or (wire.streamed and request.sent < len(wire.events))
            self.invoices.append(_invoice(request, reply, wire, self.rates, aborted=aborted))


def _invoice(
    request: RequestLog, reply: Reply, wire: Wire, rates: Mapping[str, Rates], *, aborted: bool
) -> Invoice:
    counts = replace(wire.counts, shown=request.sent) if aborted else wire.counts
    usd = price(counts, wire.model, rates)
    if reply.charged_usd is not None and not aborted:
        usd = Decimal(str(reply.charged_usd))
    return Invoice(request.path, wire.model, counts, usd, aborted)


async def _read_request(reader: _Reader, connection: int) -> RequestLog | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    if not path.startswith("/"):  # the whole address: it stands in for a client's proxy
        path = "/" + path.split("/", 3)[3]
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    body = json.loads(raw) if raw else None
    return RequestLog(method, path, headers, body, time.monotonic(), raw, connection)


def _body(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value or {}).encode()


async def _send(
    writer: asyncio.StreamWriter, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Write a whole response; `headers` may replace the content type."""
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    writer.write(_head(status, fields | dict(headers or {})) + body)
    await writer.drain()


def _head(status: int, fields: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode()


async def _stream(
    writer: asyncio.StreamWriter, reply: Reply, request: RequestLog, wire: Wire
) -> bool:
    """Write a chunked response; False where the connection must close."""
    fields = {"Content-Type": wire.content_type, "Transfer-Encoding": "chunked"}
    writer.write(_head(200, fields | dict(reply.headers)))
    async for block in _events(reply, request, wire):
        writer.write(b"%x\r\n%s\r\n" % (len(block), block))
        await writer.drain()
    if reply.cut_after is not None:
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _events(reply: Reply, request: RequestLog, wire: Wire) -> AsyncIterator[bytes]:
    alive = wire.alive if reply.keep_alive else b""
    stops = (reply.hang_after, reply.cut_after, reply.error_after, reply.malformed_after)
    limit = min((s for s in stops if s is not None), default=len(wire.events))
    for event in wire.first:
        yield alive + wire.frame(event)
    for event in wire.events[:limit]:
        await asyncio.sleep(reply.chunk_delay_s)
        request.sent += 1
        yield alive + wire.frame(event)
    if reply.hang_after is not None:
        await request.released()
        for event in wire.events[limit:]:
            request.sent += 1
            yield wire.frame(event)
    for trouble in _troubles(reply, wire):
        yield trouble
    if limit in (reply.cut_after, reply.error_after, reply.malformed_after):
        return
    for event in wire.last:
        yield alive + wire.frame(event)
    if reply.done and wire.end:
        yield wire.end
    if reply.open_end:
        await request.released()


def _troubles(reply: Reply, wire: Wire) -> Iterator[bytes]:
    lead = wire.frame({}).partition(b"{")[0]
    if reply.error_after is not None:
        yield wire.frame(reply.error or wire.failure)
    if reply.malformed_after is not None:
        yield lead + b"{not json\n\n"
    if reply.garbage_bytes:
        yield lead + b"x" * reply.garbage_bytes


async def _main() -> None:
    async with ModelServer() as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
