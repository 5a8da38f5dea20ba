"""A scripted model server: real HTTP/1.1 on loopback, so that tests patch nothing.

It speaks OpenAI-compatible chat and completions (also Mistral's ``/fim/completions``), the
``/infill`` and ``/completion`` of llama.cpp, and ``/models``, streamed or whole. Each request takes
the next scripted `Reply`, and is logged:

    async with ModelServer() as server:
        server.script(Reply("return a"), Reply(status=429, headers={"Retry-After": "2"}))
        ... ask server.base_url (.../v1) ...
        request = await server.wait_for(1)      # the first request, as soon as it is there
        await request.closed()                  # answered, or the client hung up
        assert request.aborted_at is not None

As a process (``python tests/fakes/model_server.py``) it prints its port on a line.
``POST /control`` with ``{"replies": [{"text": "x"}], "default": {}, "models": [], "release":
true}`` scripts it (each key optional); ``GET /log?wait=N`` answers the requests once there are N.
"""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs

_PATIENCE_S = 20.0
"""Longest wait of any test helper; a test that needs it has failed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer. Counts "after" are counts of chunks."""

    text: str = "ok"
    _: KW_ONLY
    chunks: Sequence[str] | None = None
    """The pieces to stream; absent: `text`, cut after each blank."""
    delay_s: float = 0.0
    """Seconds before the first byte."""
    chunk_delay_s: float = 0.0
    """Seconds before each chunk."""
    finish: str | None = "stop"
    """`finish_reason`; None sends none."""
    model: str | None = None
    """The model that claims to have answered; absent: the one asked for."""
    prompt_tokens: int = 10
    cached_tokens: int = 0
    completion_tokens: int | None = None
    """Absent: one for each chunk."""
    status: int = 200
    """HTTP status; other than 200, the body is `error`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """More response headers."""
    error: Any = None
    """Body of a failure: an object (sent as JSON) or a string (sent as it is)."""
    raw: str | None = None
    """Body to send instead of any protocol, in one piece."""
    drop: bool = False
    """Close the connection without a byte of answer."""
    hang: bool = False
    """Send nothing until `release` or until the client hangs up."""
    hang_after: int | None = None
    """Hang there likewise."""
    cut_after: int | None = None
    """Close the connection there, in the middle of the body."""
    error_after: int | None = None
    """Send an error event (`error`) there, and end."""
    malformed_after: int | None = None
    """Send an event there that is no JSON, and end."""
    garbage_bytes: int = 0
    """After the chunks, this many bytes without a line end."""
    done: bool = True
    """Whether the stream ends with ``data: [DONE]``."""
    keep_alive: bool = False
    """Whether a comment line precedes every event."""

    @property
    def pieces(self) -> tuple[str, ...]:
        """The texts to stream."""
        if self.chunks is not None:
            return tuple(self.chunks)
        return tuple(p for p in self.text.replace(" ", " \0").split("\0") if p)


@dataclass(slots=True, eq=False)
class RequestLog:
    """One request as it came, and what became of it. Times: `time.monotonic()`."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    """The decoded JSON; None where there was none."""
    received_at: float
    raw_body: bytes = b""
    connection: int = 0
    """Which connection it came on, counted from 1."""
    finished_at: float | None = None
    """When the last byte was written; None where that never happened."""
    aborted_at: float | None = None
    """When the client hung up before the end."""
    _closed: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let this request go on where its reply hangs."""
        self._released.set()

    async def closed(self) -> None:
        """Wait until it was answered or the client hung up."""
        async with asyncio.timeout(_PATIENCE_S):
            await self._closed.wait()

    def as_json(self) -> dict[str, Any]:
        """Give the public fields, for ``GET /log``."""
        names = ("method", "path", "headers", "body", "received_at", "finished_at", "aborted_at")
        return {name: getattr(self, name) for name in names}


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


class ModelServer:
    """The server; an async context manager. `replies` are used up in order, then `default`."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.default = Reply("pass")
        self.answer: Callable[[RequestLog], Reply | None] | None = None
        """Asked before `replies`; None goes on to them."""
        self.models: list[str] = ["fake-model"]
        self.requests: list[RequestLog] = []
        """Every request but those to /control and /log."""
        self.connections = 0
        """How many connections were ever made."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
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
        async with asyncio.timeout(_PATIENCE_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= n_requests)
        return self.requests[n_requests - 1]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: asyncio.StreamReaderProtocol(_Reader(), self._connected), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
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
            request._closed.set()
            respond.cancel()
            gone.cancel()
            await asyncio.gather(respond, gone, return_exceptions=True)

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
        path = request.path.partition("?")[0]
        reply = self.answer(request) if self.answer else None
        if reply is None and request.method == "GET" and path.endswith("/models"):
            models = [{"id": name, "object": "model"} for name in self.models]
            await _send(writer, 200, _body({"object": "list", "data": models}))
            return True
        reply = reply or (self.replies.popleft() if self.replies else self.default)
        if reply.hang:
            await request._released.wait()
        await asyncio.sleep(reply.delay_s)
        if reply.drop:
            return False
        if reply.status != 200:
            await _send(writer, reply.status, _body(reply.error), reply.headers)
        elif reply.raw is not None:
            await _send(writer, 200, reply.raw.encode(), reply.headers)
        elif (wire := _WIRES.get(path.rpartition("/")[2])) is None:
            await _send(writer, 404, _body({"error": {"message": "no such path"}}))
        elif (request.body or {}).get("stream"):
            return await _stream(writer, reply, request, wire(request, reply))
        else:
            await _send(writer, 200, _body(wire(request, reply).whole), reply.headers)
        return True


async def _read_request(reader: _Reader, connection: int) -> RequestLog | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
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
    writer: asyncio.StreamWriter, reply: Reply, request: RequestLog, wire: "_Wire"
) -> bool:
    """Write a chunked SSE response; False where the connection must close."""
    fields = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
    writer.write(_head(200, fields | dict(reply.headers)))
    async for block in _events(reply, request, wire):
        writer.write(b"%x\r\n%s\r\n" % (len(block), block))
        await writer.drain()
    if reply.cut_after is not None:
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _events(reply: Reply, request: RequestLog, wire: "_Wire") -> AsyncIterator[bytes]:
    comment = b": keep-alive\n\n" if reply.keep_alive else b""
    stops = (reply.hang_after, reply.cut_after, reply.error_after, reply.malformed_after)
    limit = min((s for s in stops if s is not None), default=len(wire.events))
    for event in wire.events[:limit]:
        await asyncio.sleep(reply.chunk_delay_s)
        yield comment + _sse(event)
    if reply.hang_after is not None:
        await request._released.wait()
        for event in wire.events[limit:]:
            yield _sse(event)
    if reply.error_after is not None:
        yield _sse(reply.error or {"error": {"message": "scripted failure", "code": 500}})
    if reply.malformed_after is not None:
        yield b"data: {not json\n\n"
    if reply.garbage_bytes:
        yield b"data: " + b"x" * reply.garbage_bytes
    if limit in (reply.cut_after, reply.error_after, reply.malformed_after):
        return
    for event in wire.last:
        yield comment + _sse(event)
    if wire.done and reply.done:
        yield b"data: [DONE]\n\n"


def _sse(event: Any) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


@dataclass(frozen=True, slots=True)
class _Wire:
    """A reply in the words of one dialect."""

    events: list[Any]
    """One for each piece of text."""
    last: list[Any]
    """What comes after them."""
    whole: Any
    done: bool = True


def _openai(request: RequestLog, reply: Reply, *, chat: bool) -> _Wire:
    body = request.body or {}
    kind = "chat.completion" if chat else "text_completion"
    base = {"id": "r-1", "object": kind, "model": reply.model or body.get("model", "fake-model")}
    usage = {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": _completion_tokens(reply),
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
    }

    def choice(text: str, finish: str | None, key: str = "delta") -> dict[str, Any]:
        content = {"role": "assistant", "content": text}
        said = {key: content} if chat else {"text": text}
        return {"index": 0, **said, "finish_reason": finish}

    asked = (body.get("stream_options") or {}).get("include_usage")
    return _Wire(
        events=[{**base, "choices": [choice(p, None)]} for p in reply.pieces],
        last=[
            *([{**base, "choices": [choice("", reply.finish)]}] if reply.finish else []),
            *([{**base, "choices": [], "usage": usage}] if asked else []),
        ],
        whole={
            **base,
            "choices": [choice("".join(reply.pieces), reply.finish, "message")],
            "usage": usage,
        },
    )


def _llama(request: RequestLog, reply: Reply) -> _Wire:
    end = {
        "content": "",
        "stop": True,
        "model": reply.model or "fake-model",
        "stop_type": "limit" if reply.finish == "length" else "eos",
        "tokens_evaluated": reply.prompt_tokens,
        "tokens_cached": reply.prompt_tokens + _completion_tokens(reply),
        "tokens_predicted": _completion_tokens(reply),
        "timings": {"cache_n": reply.cached_tokens, "predicted_n": _completion_tokens(reply)},
    }
    events = [{"content": piece, "stop": False} for piece in reply.pieces]
    return _Wire(
        events, [end] if reply.finish else [], {**end, "content": "".join(reply.pieces)}, False
    )


def _completion_tokens(reply: Reply) -> int:
    given = reply.completion_tokens
    return len(reply.pieces) if given is None else given


def _completions(request: RequestLog, reply: Reply) -> _Wire:
    # Mistral's FIM endpoint answers in the shape of a chat.
    chat = request.path.endswith(("/chat/completions", "/fim/completions"))
    return _openai(request, reply, chat=chat)


_WIRES: dict[str, Callable[[RequestLog, Reply], _Wire]] = {
    "completions": _completions,
    "infill": _llama,
    "completion": _llama,
}


async def _main() -> None:
    async with ModelServer() as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
