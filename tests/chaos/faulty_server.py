"""A model server on loopback that answers wrongly, in every way that we know.

It speaks OpenAI's streamed completions at ``/{model}/v1/completions``. What a request meets is
drawn by the caller, by `shares` with a seed so that a run can be repeated:

    async with FaultyServer(shares({"a": 0.3, "b": 0.1}, seed=7)) as server:
        ... ask server.base_url("a") ...
        server.met       # what the requests met, in order: names of `FAULTS`, "" for none

Faults write raw bytes: no HTTP library would.
"""

import asyncio
import json
import random
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

TOKENS = ("value", " =", " compute", "(total", ", rate", ")")
TEXT = "".join(TOKENS)

Fault = Callable[["_Answer"], Awaitable[None]]
Draw = Callable[[str], str]


class _Answer:
    """Writes one answer. `drip_s` is the time between the bytes of a slow one."""

    def __init__(self, writer: asyncio.StreamWriter, drip_s: float) -> None:
        self.writer = writer
        self.drip_s = drip_s

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, *lines: str, status: str = "200 OK") -> None:
        text = "\r\n".join((f"HTTP/1.1 {status}", *lines, "", ""))
        await self.send(text.encode())

    async def body(
        self, data: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = ""
    ) -> None:
        lines = [f"Content-Type: {kind}", f"Content-Length: {len(data)}", *filter(None, [more])]
        await self.head(*lines, status=status)
        await self.send(data)

    async def begin(self, kind: str = "text/event-stream") -> None:
        await self.head(f"Content-Type: {kind}", "Transfer-Encoding: chunked")

    async def event(self, data: bytes) -> None:
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def stream(self, texts: tuple[str, ...], *, finish: str | None = "stop") -> None:
        """Write a whole answer but for its head."""
        for text in texts:
            await self.event(piece(text))
        if finish is not None:
            await self.event(piece("", finish))
            await self.event(b"data: [DONE]\n\n")
        await self.end()

    def reset(self) -> None:
        """Close with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        self.writer.close()

    async def hang(self) -> None:
        """Say nothing more until the client hangs up."""
        await asyncio.Event().wait()

    async def drip(self, data: bytes) -> None:
        for number in range(len(data)):
            await self.send(data[number : number + 1])
            await asyncio.sleep(self.drip_s)


def piece(text: str, finish: str | None = None) -> bytes:
    """One server-sent event."""
    choice = {"index": 0, "text": text, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


async def healthy(answer: _Answer) -> None:
    await answer.begin()
    await answer.stream(TOKENS)


def _status(status: str, more: str = "", body: str = '{"error": {"message": "no"}}') -> Fault:
    async def fault(answer: _Answer) -> None:
        await answer.body(body.encode(), status=status, more=more)

    return fault


def _whole(body: bytes, kind: str = "application/json") -> Fault:
    async def fault(answer: _Answer) -> None:
        await answer.body(body, kind=kind)

    return fault


def _streamed(*texts: str, finish: str | None = "stop") -> Fault:
    async def fault(answer: _Answer) -> None:
        await answer.begin()
        await answer.stream(texts, finish=finish)

    return fault


def _breaks(then: Callable[[_Answer], None], *, tokens: int | None, rest: bytes = b"") -> Fault:
    """After so many tokens; None: before the head."""

    async def fault(answer: _Answer) -> None:
        if tokens is not None:
            await answer.begin()
            for text in TOKENS[:tokens]:
                await answer.event(piece(text))
        if rest:
            await answer.send(rest)
        then(answer)

    return fault


def _hangs(tokens: int | None) -> Fault:
    async def fault(answer: _Answer) -> None:
        if tokens is not None:
            await answer.begin()
            for text in TOKENS[:tokens]:
                await answer.event(piece(text))
        await answer.hang()

    return fault


def _event(data: bytes, *, tokens: int) -> Fault:
    """An event in the place of what follows so many tokens, and the end."""

    async def fault(answer: _Answer) -> None:
        await answer.begin()
        for text in TOKENS[:tokens]:
            await answer.event(piece(text))
        await answer.event(data)
        await answer.end()

    return fault


def _length(more: int) -> Fault:
    """A Content-Length that is wrong by `more`, of an answer in one piece."""

    async def fault(answer: _Answer) -> None:
        choice = {"index": 0, "text": TEXT, "finish_reason": "stop"}
        data = json.dumps({"choices": [choice]}).encode()
        await answer.head("Content-Type: application/json", f"Content-Length: {len(data) + more}")
        await answer.send(data)
        answer.close()

    return fault


async def _dripping(answer: _Answer) -> None:
    await answer.begin()
    for text in TOKENS:
        await answer.drip(b"%x\r\n%s\r\n" % (len(piece(text)), piece(text)))
    await answer.end()


async def _comments(answer: _Answer) -> None:
    await answer.begin()
    while True:
        await answer.event(b": still there\n\n")
        await asyncio.sleep(answer.drip_s)


async def _huge_headers(answer: _Answer) -> None:
    await answer.head("Content-Type: application/json", f"X-Padding: {'x' * 300_000}")


async def _wrong_type(answer: _Answer) -> None:
    await answer.begin(kind="image/png")
    await answer.stream(TOKENS)


async def _twice(answer: _Answer) -> None:
    await answer.begin()
    await answer.stream(tuple(text for text in TOKENS for _ in range(2)))


_PAGE = b"<!doctype html><html><body>Bad gateway</body></html>"
_GONE = piece("", "error")

FAULTS: dict[str, Fault] = {
    "301": _status("301 Moved Permanently", "Location: https://example.invalid/"),
    "302": _status("302 Found", "Location: /login"),
    "400": _status("400 Bad Request"),
    "401": _status("401 Unauthorized"),
    "403": _status("403 Forbidden"),
    "404": _status("404 Not Found"),
    "408": _status("408 Request Timeout"),
    "429": _status("429 Too Many Requests"),
    "429, soon": _status("429 Too Many Requests", "Retry-After-Ms: 20"),
    "429, later": _status("429 Too Many Requests", "Retry-After: 30"),
    "500": _status("500 Internal Server Error"),
    "502": _status("502 Bad Gateway", body=_PAGE.decode()),
    "503": _status("503 Service Unavailable", body=""),
    "529": _status("529 Overloaded", body='{"type": "error", "error": {"type": "overloaded"}}'),
    "204": _status("204 No Content", body=""),
    "page": _whole(_PAGE, "text/html"),
    "empty body": _whole(b""),
    "no choices": _whole(b'{"choices": []}'),
    "no choices, streamed": _event(b'data: {"choices": []}\n\ndata: [DONE]\n\n', tokens=0),
    "empty text": _streamed(),
    "white space": _streamed(" ", "\n"),
    "invisible": _streamed("\u200b", "\ufeff"),
    "null text": _event(
        b'data: {"choices": [{"text": null, "finish_reason": "stop"}]}\n\n', tokens=0
    ),
    "comments": _comments,
    "garbage": _whole(b'{"choices": [{"te'),
    "bytes": _whole(bytes(range(128, 256))),
    "half an event": _breaks(_Answer.close, tokens=0, rest=b"40\r\ndata: {"),
    "closed before the head": _breaks(_Answer.close, tokens=None),
    "reset before the head": _breaks(_Answer.reset, tokens=None),
    "reset after the head": _breaks(_Answer.reset, tokens=0),
    "reset after tokens": _breaks(_Answer.reset, tokens=3),
    "hang before the head": _hangs(None),
    "hang after the head": _hangs(0),
    "stall": _hangs(3),
    "drip": _dripping,
    "wrong type": _wrong_type,
    "broken chunks": _breaks(_Answer.close, tokens=0, rest=b"zz\r\nnot a chunk\r\n"),
    "too short": _length(40),
    "too long": _length(-40),
    "huge headers": _huge_headers,
    "error in the stream": _event(b'data: {"error": {"message": "no", "code": 500}}\n\n', tokens=0),
    "error after tokens": _event(b'data: {"error": {"message": "no"}}\n\n', tokens=3),
    "finish: error": _event(_GONE, tokens=0),
    "no finish": _streamed(*TOKENS[:3], finish=None),
    "each event twice": _twice,
    "no HTTP": _breaks(_Answer.close, tokens=None, rest=b"+OK ready\r\n\r\n"),
}


def shares(of: Mapping[str, float], seed: int) -> Draw:
    """Fail such a share of each model's answers, in all ways alike."""
    draws = {
        model: random.Random(f"{seed} {model}")  # noqa: S311  # no secret
        for model in of
    }
    names = list(FAULTS)

    def draw(model: str) -> str:
        chance = draws[model]
        return chance.choice(names) if chance.random() < of[model] else ""

    return draw


class FaultyServer:
    """The server; an async context manager. `draw` says what the next request to a model meets."""

    def __init__(self, draw: Draw, *, drip_s: float = 1.0) -> None:
        self._draw = draw
        self._drip_s = drip_s
        self.met: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    def base_url(self, model: str) -> str:
        return f"http://127.0.0.1:{self._port}/{model}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1")
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
                await reader.readexactly(int(length or 0))
                answering = asyncio.ensure_future(self._answer(head.split(b"/")[1], writer))
                gone = asyncio.ensure_future(reader.read(1))
                try:
                    await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
                    if not answering.done():
                        return
                finally:
                    for task in (answering, gone):
                        task.cancel()
                    await asyncio.gather(answering, gone, return_exceptions=True)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, name: bytes, writer: asyncio.StreamWriter) -> None:
        fault = self._draw(name.decode())
        self.met.append(fault)
        await FAULTS.get(fault, healthy)(_Answer(writer, self._drip_s))
