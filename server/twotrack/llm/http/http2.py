"""HTTP/2 by h2: an answer that is given up is cancelled on the wire, every other one goes on.

Neither httpx nor httpcore 1.0.9 does so (encode/httpcore #1022): without RST_STREAM the provider
goes on generating at the user's cost, and after 100 of these a connection takes no more requests.
They also drop all answers under way when a server takes its leave (GOAWAY; nginx does so after
1,000 requests).
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import httpx

from twotrack.llm.http.frames import Frames
from twotrack.llm.http.http1 import NeverAvailable, NotAvailable
from twotrack.llm.http.sockets import Socket

_MOST = 100
"""Requests at a time, where the server does not allow fewer."""
_WINDOW = 1 << 24
"""Bytes of all answers together that may be on their way."""
_MOST_IN_VAIN = 1 << 19
"""Bytes without a part of an answer, after which a server floods: pings, settings, what was given
up. The latter are 64 KiB an answer at most, and most often a few events."""
_CONFIG = h2.config.H2Configuration(validate_inbound_headers=False)
_CANCEL = h2.errors.ErrorCodes.CANCEL
_REFUSED = h2.errors.ErrorCodes.REFUSED_STREAM
_Head = h2.events.ResponseReceived
_Ended = h2.events.StreamEnded | h2.events.StreamReset
_NOT_SENT = frozenset({b"host", b"connection", b"transfer-encoding", b"keep-alive"})
"""Of HTTP/1.1 alone; `:authority` stands for the first."""


class Refused(httpx.RemoteProtocolError):
    """The server says that it has not begun to work on this request."""


class Http2Connection:
    """A connection for many requests at a time; kept for `kept_s` after the last.

    `rested` is called when an answer ends.
    """

    def __init__(self, socket: Socket, kept_s: float, rested: Callable[[], None]) -> None:
        self.socket = socket
        self._kept_s = kept_s
        self._rested = rested
        self._h2 = h2.connection.H2Connection(_CONFIG)
        self._frames = Frames()
        self._streams: dict[int, _Stream] = {}
        self._limit = _MOST
        self._changed = asyncio.Event()
        """Whether room may have been made for who waits to ask."""
        self._asking = 0
        """Requests that have no answer yet."""
        self._leaving = False
        """Whether no more requests are taken."""
        self._asked = False
        """Whether any was."""
        self._in_vain = 0
        """Bytes that came since a part of an answer did."""
        self._rested_at = time.monotonic()
        self._reading: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Send the preface: servers hang up on a connection that stays silent (Go's after 10 s)."""
        codes = h2.settings.SettingCodes
        self._h2.local_settings = h2.settings.Settings(
            client=True,
            initial_values={
                codes.ENABLE_PUSH: 0,
                codes.MAX_CONCURRENT_STREAMS: _MOST,
                codes.MAX_HEADER_LIST_SIZE: 1 << 16,
            },
        )
        del self._h2.local_settings[codes.ENABLE_CONNECT_PROTOCOL]
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)
        self._flush()
        self._reading = asyncio.ensure_future(self._read())

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Ask, and wait for the head of the answer. Raises httpx's errors and NotAvailable."""
        body = request.content
        self._asking += 1
        try:
            await self._room()
            number = self._begun(request, end=not body)
            try:
                await self._upload(number, body)
                status, headers = await self._head(self._streams[number])
            except BaseException:
                self.end(number)
                raise
        finally:
            self._asking -= 1
            self._rest()
        return httpx.Response(status, headers=headers, stream=_Body(self, number))

    async def _room(self) -> None:
        """Wait until the server takes one more request."""
        while len(self._streams) >= self._limit and not self._leaving:
            self._changed.clear()
            await self._changed.wait()
        if self._leaving:
            raise NotAvailable if self._asked else NeverAvailable

    def _begun(self, request: httpx.Request, *, end: bool) -> int:
        """Send the head of a request, and return the number of its stream."""
        try:
            number = self._h2.get_next_available_stream_id()
            self._h2.send_headers(number, _head(request), end_stream=end)
        except h2.exceptions.NoAvailableStreamIDError:
            self._leave()
            raise NotAvailable from None
        except h2.exceptions.ProtocolError as wrong:
            raise httpx.LocalProtocolError(str(wrong)) from wrong
        self._streams[number] = _Stream(is_sent=end)
        self._asked = True
        self._flush()
        return number

    async def _upload(self, number: int, body: bytes) -> None:
        """Send the body, or as much of it as the server takes before it answers."""
        stream, sent = self._streams[number], 0
        while sent < len(body) and not stream.has_ended:
            stream.check()
            size = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
            if size <= 0:
                await stream.next_change()
                continue
            piece = body[sent : sent + size]
            sent += len(piece)
            stream.is_sent = sent == len(body)
            self._h2.send_data(number, piece, end_stream=stream.is_sent)
            self._flush()
            await self.socket.drain()

    async def _head(self, stream: "_Stream") -> tuple[int, list[tuple[bytes, bytes]]]:
        while True:
            match await stream.next_event():
                case h2.events.ResponseReceived(headers=given):
                    headers = [(bytes(name), bytes(value)) for name, value in given or ()]
                    break
                case h2.events.StreamReset() as reset:
                    raise _error(reset)
                case h2.events.StreamEnded():
                    raise httpx.RemoteProtocolError("ended without an answer")
        status = next((value for name, value in headers if name == b":status"), b"")
        if not status.isdigit() or len(status) != len(b"200"):
            raise httpx.RemoteProtocolError("the status is no number")
        return int(status), [pair for pair in headers if not pair[0].startswith(b":")]

    async def body(self, number: int) -> AsyncIterator[bytes]:
        """Yield in one piece what came together."""
        stream = self._streams[number]
        while True:
            event = await stream.next_event()
            piece, length = bytearray(), 0
            while isinstance(event, h2.events.DataReceived):
                piece += event.data or b""
                length += event.flow_controlled_length or 0
                if not stream.events:
                    break
                event = stream.events.popleft()
            if length:
                self._acknowledge(number, stream, length)
            if piece:
                yield bytes(piece)
            if isinstance(event, h2.events.StreamReset):
                raise _error(event)
            if isinstance(event, h2.events.StreamEnded):
                return

    def _acknowledge(self, number: int, stream: "_Stream", length: int) -> None:
        stream.unread -= length
        with suppress(h2.exceptions.ProtocolError):  # closed as a whole
            self._h2.acknowledge_received_data(length, number)
        self._flush()

    async def _read(self) -> None:
        """Read frames for all who wait, until the connection ends."""
        why: httpx.TransportError = httpx.RemoteProtocolError("hung up")
        try:
            while data := await self.socket.read():
                self._in_vain += len(data)
                self._receive(data)
                self._flush()
                if self._in_vain > _MOST_IN_VAIN:
                    raise httpx.RemoteProtocolError("a flood of frames that are no answer")
                await self.socket.drain()
        except h2.exceptions.ProtocolError as broken:
            why = httpx.RemoteProtocolError(str(broken))
            self._flush()  # which tells the server
        except httpx.TransportError as failed:
            why = failed
        finally:
            for stream in self._streams.values():
                stream.fail(why)
            self._leave()
            self.socket.abort()

    def _receive(self, data: bytes) -> None:
        frames, last = self._frames.without_goodbye(data)
        for event in self._h2.receive_data(frames):
            match event:
                case h2.events.RemoteSettingsChanged(changed_settings=changed):
                    self._allow(changed)
                case h2.events.WindowUpdated(stream_id=0):
                    for stream in self._streams.values():
                        stream.change()
                case _:
                    of = self._streams.get(getattr(event, "stream_id", 0))
                    if of is not None:
                        of.take(event)
                        if getattr(event, "data", None) or isinstance(event, _Head):
                            self._in_vain = 0
        if last is not None:
            self._leave()
            for number, stream in self._streams.items():
                if number > last:  # which the server has not begun
                    stream.take(h2.events.StreamReset(stream_id=number, error_code=_REFUSED))

    def _allow(self, changed: "dict[int, h2.settings.ChangedSetting] | None") -> None:
        limit = (changed or {}).get(h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS)
        if limit is not None and limit.new_value:
            self._limit = min(limit.new_value, _MOST)
            self._changed.set()
        elif limit is not None:  # where nobody asks, nobody would hear of room again
            self._leave()
        for stream in self._streams.values():
            stream.change()  # the window of each may have changed with it

    def _leave(self) -> None:
        """Take no more requests; who waits for room asks elsewhere."""
        self._leaving = True
        self._changed.set()
        self._rest()

    def end(self, number: int) -> None:
        """End a request, however far it came. Nothing here waits, so nothing can be cancelled."""
        stream = self._streams.pop(number, None)
        if stream is None:
            return
        with suppress(h2.exceptions.ProtocolError):  # closed as a whole
            # Unread data counts against the window of the connection, which all answers share.
            if unread := stream.unread:
                self._h2.acknowledge_received_data(unread, number)
            if not (stream.has_ended and stream.is_sent):
                self._h2.reset_stream(number, _CANCEL)
        self._flush()
        self._changed.set()
        self._rest()

    def _rest(self) -> None:
        self._rested_at = time.monotonic()
        if self._leaving and self.is_idle():
            self.socket.abort()
        self._rested()

    def _flush(self) -> None:
        self.socket.send(self._h2.data_to_send())

    def is_available(self) -> bool:
        """Whether it takes one more request."""
        return not (self._leaving or self.socket.closed)

    def is_idle(self) -> bool:
        """Whether closing it would cut nothing."""
        return not (self._asking or self._streams)

    def is_closed(self) -> bool:
        """Whether it takes no request ever again, and has none."""
        return self.socket.closed

    def has_expired(self) -> bool:
        """Whether it was kept for too long."""
        return self.is_idle() and time.monotonic() > self._rested_at + self._kept_s


class _Stream:
    """What came for one request."""

    def __init__(self, *, is_sent: bool) -> None:
        self.events: deque[h2.events.Event] = deque()
        self.has_ended = False
        """Whether the server has said all."""
        self.is_sent = is_sent
        """Whether the server has been sent all."""
        self.unread = 0
        """Bytes that count against the server's window."""
        self._why: httpx.TransportError | None = None
        self._changed = asyncio.Event()

    def take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.DataReceived):
            self.unread += event.flow_controlled_length
        self.has_ended = self.has_ended or isinstance(event, _Ended)
        self.events.append(event)
        self._changed.set()

    def fail(self, why: httpx.TransportError) -> None:
        self._why = why
        self._changed.set()

    def change(self) -> None:
        self._changed.set()

    def check(self) -> None:
        """Raise what ended the connection, if anything did."""
        if self._why is not None:
            raise type(self._why)(str(self._why))

    async def next_change(self) -> None:
        """Wait until there is more, or room for more."""
        self._changed.clear()
        await self._changed.wait()

    async def next_event(self) -> h2.events.Event:
        """Return what came next; of a connection that ended, first what came before."""
        while not self.events:
            self.check()
            await self.next_change()
        return self.events.popleft()


class _Body(httpx.AsyncByteStream):
    def __init__(self, connection: Http2Connection, number: int) -> None:
        self._connection = connection
        self._number = number

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.body(self._number)

    async def aclose(self) -> None:
        self._connection.end(self._number)


def _head(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    return [
        (b":method", request.method.encode("ascii")),
        (b":authority", request.headers["Host"].encode("ascii")),
        (b":scheme", request.url.raw_scheme),
        (b":path", request.url.raw_path),
        *(pair for pair in headers if pair[0] not in _NOT_SENT),
    ]


def _error(reset: h2.events.StreamReset) -> httpx.RemoteProtocolError:
    if reset.error_code == _REFUSED:
        return Refused("refused")
    return httpx.RemoteProtocolError(f"reset ({reset.error_code})")
