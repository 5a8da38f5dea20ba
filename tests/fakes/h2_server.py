"""A scripted HTTP/2 server: real TLS and frames on loopback, by the `h2` package.

Each request takes the next scripted `Answer`, and is logged with what became of it:

    async with H2Server(context) as server:
        server.script(Answer.HANG)
        ... ask server.url ...
        request = await server.wait_for(1)
        assert await request.reset_code() == ErrorCodes.CANCEL
"""

import asyncio
import contextlib
import ssl
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.errors import ErrorCodes
from hyperframe.frame import GoAwayFrame

from patience import patient

_PATIENCE_S = patient(10.0)
_GARBAGE = b"\x00\x00\x00\x01\x04\x00\x00\x00\x00"
"""The headers of no request."""
PIECE = b"data: {}\n\n"
_ROOM = h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS


class Answer(Enum):
    """What a request gets."""

    WHOLE = auto()
    """Two pieces and the end."""
    HANG = auto()
    """Nothing, until `H2Request.finish`."""
    HANG_AFTER_PIECE = auto()
    """Headers and a piece, then nothing until `H2Request.finish`."""
    FLOOD = auto()
    """Headers and 32 KiB, then nothing."""
    FLOOD_WHOLE = auto()
    """Headers, 32 KiB and the end."""
    LAST = auto()
    """Two pieces and the end, of the connection too."""
    EARLY = auto()
    """413 before the body is there, and RST_STREAM that says it is not wanted."""
    GO_AWAY = auto()
    """GOAWAY that says this request was not begun, and the end of the connection."""
    REFUSED = auto()
    """RST_STREAM that says this request was not begun."""
    GARBAGE = auto()
    """What is no frame."""
    NO_STATUS = auto()
    """A status that is no number."""
    FAILED = auto()
    """RST_STREAM that says something went wrong."""


@dataclass(slots=True, eq=False)
class H2Request:
    """A request as it came."""

    stream_id: int
    connection: int
    """Counted from 1."""
    headers: dict[str, str]
    served: "_Connection" = field(repr=False)
    body: bytes = b""
    reset: "asyncio.Future[int]" = field(default_factory=asyncio.Future)

    async def reset_code(self) -> int:
        """Wait until the client resets the request; its reason."""
        async with asyncio.timeout(_PATIENCE_S):
            return await self.reset

    def finish(self) -> None:
        """Send the rest of the answer."""
        self.served.end(self.stream_id)

    def garble(self) -> None:
        """Send what is no frame."""
        self.served.garble()

    def flood(self, frame: bytes, n_bytes: int) -> None:
        """Send a frame again and again."""
        self.served.flood(frame, n_bytes)

    def leave(self) -> None:
        """Send GOAWAY that says this request is the last to be answered."""
        self.served.leave(self.stream_id)


class H2Server:
    """The server; an async context manager."""

    def __init__(self, context: ssl.SSLContext, *, alpn: str = "h2") -> None:
        context.set_alpn_protocols([alpn])
        self._context = context
        self.answers: deque[Answer] = deque()
        self.requests: list[H2Request] = []
        self.connections = 0
        self.heard = 0
        """Bytes that clients sent, within TLS."""
        self.port = 0
        self.room: int | None = 100
        self._served: list[_Connection] = []
        self._arrived = asyncio.Condition()
        self._server: asyncio.Server
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/v1"

    def script(self, *answers: Answer) -> None:
        self.answers.extend(answers)

    async def wait_for(self, n_requests: int) -> H2Request:
        async with asyncio.timeout(_PATIENCE_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= n_requests)
        return self.requests[n_requests - 1]

    def hang_up(self) -> None:
        """Close all connections."""
        for task in self._open:
            task.cancel()

    def allow(self, n_requests: int | None) -> None:
        """Say how many requests are let in at a time; None: as many as one likes."""
        self.room = n_requests
        for served in self._served:
            served.allow(n_requests)

    async def left_alone(self) -> None:
        """Wait until no client has a connection."""
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.gather(*self._open)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, ssl=self._context
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.hang_up()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        served = _Connection(self, self.connections, writer)
        self._served.append(served)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
            while data := await reader.read(65_536):
                self.heard += len(data)
                served.receive(data)
                async with self._arrived:
                    self._arrived.notify_all()
                if served.gone:
                    break
        self._open.discard(task)
        writer.transport.abort()


class _Connection:
    def __init__(self, server: H2Server, number: int, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._number = number
        self._writer = writer
        self._requests: dict[int, H2Request] = {}
        self.gone = False
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self._h2 = h2.connection.H2Connection(config)
        if server.room is None:
            del self._h2.local_settings[_ROOM]
        self._h2.initiate_connection()
        self._flush()

    def receive(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            match event:
                case h2.events.RequestReceived():
                    self._begin(event)
                case h2.events.DataReceived(stream_id=number):
                    self._requests[number].body += event.data
                    self._h2.acknowledge_received_data(event.flow_controlled_length, number)
                case h2.events.StreamEnded(stream_id=number):
                    # What was read with the end may have been its reset.
                    with contextlib.suppress(h2.exceptions.StreamClosedError):
                        self._answer(self._requests[number])
                case h2.events.StreamReset(stream_id=number, error_code=code):
                    self._requests[number].reset.set_result(code)
        self._flush()

    def _begin(self, event: Any) -> None:
        headers = dict(event.headers)
        request = H2Request(event.stream_id, self._number, headers, self)
        self._requests[event.stream_id] = request
        self._server.requests.append(request)
        if self._server.answers and self._server.answers[0] is Answer.EARLY:
            self._server.answers.popleft()
            self._h2.send_headers(request.stream_id, [(":status", "413")], end_stream=True)
            self._h2.reset_stream(request.stream_id, ErrorCodes.NO_ERROR)

    def _answer(self, request: H2Request) -> None:
        answer = self._server.answers.popleft() if self._server.answers else Answer.WHOLE
        number = request.stream_id
        match answer:
            case Answer.WHOLE:
                self.end(number)
            case Answer.HANG_AFTER_PIECE:
                self._head(number)
                self._h2.send_data(number, PIECE)
            case Answer.FLOOD | Answer.FLOOD_WHOLE:
                self._head(number)
                for _ in range(4):
                    self._h2.send_data(number, b"x" * 8192)
                if answer is Answer.FLOOD_WHOLE:
                    self._h2.end_stream(number)
            case Answer.LAST:
                self.end(number)
                self._h2.close_connection()
                self.gone = True
            case _:
                self._fail(number, answer)

    def _fail(self, number: int, answer: Answer) -> None:
        match answer:
            case Answer.GARBAGE:
                self.garble()
            case Answer.GO_AWAY:
                self._h2.close_connection(last_stream_id=number - 2 if number > 2 else 0)
                self.gone = True
            case Answer.REFUSED:
                self._h2.reset_stream(number, ErrorCodes.REFUSED_STREAM)
            case Answer.NO_STATUS:
                self._h2.send_headers(number, [(":status", "fine")], end_stream=True)
            case Answer.FAILED:
                self._h2.reset_stream(number, ErrorCodes.INTERNAL_ERROR)

    def _head(self, number: int) -> None:
        headers = [(":status", "200"), ("content-type", "text/event-stream")]
        self._h2.send_headers(number, headers)

    def end(self, number: int) -> None:
        """Send what is missing of an answer."""
        with contextlib.suppress(h2.exceptions.ProtocolError):  # headers were sent before
            self._head(number)
        self._h2.send_data(number, PIECE * 2, end_stream=True)
        self._flush()

    def garble(self) -> None:
        """Send what is no frame."""
        self._writer.write(_GARBAGE)

    def flood(self, frame: bytes, n_bytes: int) -> None:
        self._writer.write(frame * (n_bytes // len(frame)))

    def leave(self, number: int) -> None:
        self._writer.write(GoAwayFrame(0, last_stream_id=number).serialize())

    def allow(self, n_requests: int | None) -> None:
        if n_requests is not None:
            self._h2.update_settings({_ROOM: n_requests})
            self._flush()

    def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())
