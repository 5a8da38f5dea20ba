"""Messages over a byte stream: framing, and standard input and output.

pygls reads headers case-sensitively, spends three thread hops on a message and writes to stdout
on the event loop; here a message costs none and a slow reader never stops the loop.
"""

import asyncio
import os
import queue
import re
import stat
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import BinaryIO, Protocol, cast

MAX_BODY_BYTES = 64 * 1024 * 1024
"""A larger message is skipped; a larger backlog of answers nobody reads ends the connection."""

MAX_GARBAGE_BYTES = 1024 * 1024
"""So much between two messages that is none: what comes is no LSP, and the connection ends."""
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"(?i:content-length):[ \t]*(\d{1,19})[ \t]*(?=\r?\n)")
_FIELDS = re.compile(rb"(?:[\w-]+:[^\r\n]*(?:\r?\n|\Z))+")
_TOLD_LAST = re.compile(rb"Content-Length: \d{1,19}\Z")
_FIELD = re.compile(rb"[\w-]+:[^\r\n]*")
_BODY_BEGIN = b"\r\n\r\n{"
"""Behind a header: no JSON holds both, so the length of a body with them in it was wrong."""
_USUAL_HEADER_BYTES = 256
"""Bytes: so far behind a body whose length was too large the next header is looked for."""
_AT_ONCE = 32
"""Messages taken in one turn of the loop: a burst must not keep the first answers waiting."""
_MAX_HEADER_BYTES = 64 * 1024
_END = object()
_CATCH_UP_S, _MOMENT_S = 1.0, 0.001
_CLOSE_S = 5.0


_Take = Callable[["bytes | FrameError"], Iterator[None] | None]
"""Takes a message; what it returns are the steps that are left of it."""


class FrameError(Exception):
    """A message that cannot be read; the stream goes on behind it."""


class LostError(FrameError):
    """So much came that is no message that the other side does not speak LSP."""


class ByteWriter(Protocol):
    """What messages are written to; never blocks."""

    def write(self, data: bytes) -> None:
        """Queue `data` for the other side."""
        ...

    async def close(self) -> None:
        """Write what is queued, as far as the other side reads it in time, then close."""
        ...


class Decoder:
    """Finds the messages in a stream that comes in pieces.

    After garbage, or a length that was wrong, it finds the next header, wherever that stands.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        """Of the body that comes next, or of what is left of it, where its header is read."""
        self._skips = False
        """Whether that body is too long to be kept."""
        self._searched = 0
        """So far the buffer holds no end of a header."""
        self._garbage = 0
        """Bytes since the last message that belonged to none."""

    @property
    def partial(self) -> bool:
        """Whether a message has begun that has not ended."""
        return bool(self._buffer) or self._length is not None

    def feed(self, data: bytes) -> list[bytes | FrameError]:
        """Take a piece; give the body of each message that it completes."""
        found: list[bytes | FrameError] = []
        self._buffer += data
        while self._read_body(found) if self._length is not None else self._read_header(found):
            pass
        return found

    def _read_header(self, found: list[bytes | FrameError]) -> bool:
        """Take a header from the buffer; false if it is not whole yet."""
        end = _HEADER_END.search(self._buffer, self._searched)
        if end is None:
            self._searched = max(len(self._buffer) - len(b"\r\n\r"), 0)
            excess = len(self._buffer) - _MAX_HEADER_BYTES
            if excess > 0:
                self._drop(excess, "a message header is longer than 64 KiB", found)
            return False
        head = bytes(self._buffer[: end.end()])
        told = next(reversed(list(_LENGTH.finditer(head))), None)
        if told is None:
            self._drop(end.end(), "a message came without a Content-Length header", found)
            return True
        # What stands before the header is said once; with it, it is no longer in the way.
        first = 0 if _FIELDS.match(head, 0, told.end()) else told.start()
        if first:
            self._drop(first, "something came that belongs to no message", found)
        self._take(end.end() - first)
        self._searched = 0
        self._length = int(told[1])
        self._skips = self._length > MAX_BODY_BYTES
        if self._skips:
            found.append(FrameError(f"a message of {self._length} bytes is longer than 64 MiB"))
        return True

    def _read_body(self, found: list[bytes | FrameError]) -> bool:
        """Take a body from the buffer, up to a header within it; false if it is not whole."""
        length = self._length or 0
        inner = self._header_within(length)
        if inner is not None:
            length = inner
        elif len(self._buffer) < length:
            if self._skips:  # all but what may be the begin of a header
                excess = max(len(self._buffer) - _MAX_HEADER_BYTES, 0)
                self._length = length - excess
                self._take(excess)
            return False
        body = self._take(length)
        self._length, self._searched, self._garbage = None, 0, 0
        if not self._skips:
            found.append(body)
        return True

    def _header_within(self, length: int) -> int | None:
        """Where a header begins within the body of `length` that the buffer begins with."""
        limit = length + _USUAL_HEADER_BYTES
        while (end := self._buffer.find(_BODY_BEGIN, self._searched, limit)) >= 0:
            start = self._header_start(end)
            if start is not None and start < length:
                return start
            self._searched = end + 1
        reached = min(len(self._buffer), limit) - len(_BODY_BEGIN) + 1
        self._searched = max(reached, self._searched)
        return None

    def _header_start(self, end: int) -> int | None:
        """Where the header begins whose last field ends at `end`; None if none does."""
        while True:
            line = self._buffer.rfind(b"\n", 0, end) + 1
            if told := _TOLD_LAST.search(self._buffer, line, end):
                return told.start()
            if not line or not _FIELD.fullmatch(self._buffer, line, end):
                return None
            end = line - len(b"\r\n")

    def _take(self, size: int) -> bytes:
        """Take the first bytes out of the buffer."""
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._searched = max(self._searched - size, 0)
        return taken

    def _drop(self, size: int, said: str, found: list[bytes | FrameError]) -> None:
        """Leave out bytes that belong to no message; say so, but once for all of them."""
        if not self._garbage:
            found.append(FrameError(said))
        self._garbage += size
        if self._garbage > MAX_GARBAGE_BYTES:
            found.append(LostError("what comes on standard input is not the LSP"))
        self._take(size)


class Incoming(asyncio.Protocol):
    """The messages of the other side, each taken as soon as it has come."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection is closed."""
        self._decoder = Decoder()
        self._waiting: deque[bytes | FrameError] = deque()
        self._take: _Take | None = None
        self._steps: Iterator[None] | None = None
        """Of the message that is being taken, if it has many; one a turn of the loop."""
        self._transport: asyncio.ReadTransport | None = None
        self._taking = False
        self._held: asyncio.Future[None] | None = None  # see `hold`
        self._heard = 0
        self._eof = False
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def deliver(self, take: _Take) -> None:
        """Hand each message to `take`, until the stream ends, `stop` is called, or `take` fails."""
        self._take = take
        try:
            self._go_on()
            await self._ended
        finally:
            self.stop()

    def stop(self) -> None:
        """Take no more messages."""
        self._take = None
        if not self._ended.done():
            self._ended.set_result(None)

    def hold(self, until: "asyncio.Future[None]") -> None:
        """Take no message before `until` is done."""
        self._held = until
        until.add_done_callback(lambda _: self._go_on())

    async def caught_up(self) -> None:
        """Wait until all is taken that the other side has sent so far, for a second at most.

        A message of which some steps are taken is waited for to its end.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + _CATCH_UP_S
        while not self._ended.done() and (self._steps is not None or loop.time() < end):
            heard = self._heard
            # Between the two, the loop asks the system what has come, and takes it.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if heard == self._heard and not self._behind:
                if not self._decoder.partial:
                    return
                await asyncio.sleep(_MOMENT_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio at the start."""
        self._transport = cast("asyncio.ReadTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with what came."""
        if self._ended.done():
            return
        self._heard += 1
        self._waiting += self._decoder.feed(data)
        if not self._taking:
            self._go_on()

    def eof_received(self) -> bool:
        """Called by asyncio when the other side sends no more; it may still read."""
        self._eof = True
        if not self._taking:
            self._go_on()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the end is enough
        """Called by asyncio at the end, for whatever reason."""
        if not self.closed.done():
            self.closed.set_result(None)
        self.eof_received()

    @property
    def _behind(self) -> bool:
        """Whether something has come that is not taken to its end."""
        return bool(self._waiting) or self._steps is not None

    @property
    def _is_held(self) -> bool:
        return not (self._held is None or self._held.done())

    def _go_on(self) -> None:
        """Take what waits; after some, let the loop do other things before the rest."""
        for _ in range(_AT_ONCE):
            if self._take is None or not self._behind or self._is_held:
                break
            try:
                if self._go_a_step(self._take):
                    break
            except Exception as error:  # noqa: BLE001 - asyncio would log it and go on without us
                self._take = None
                self._ended.set_exception(error)
        if self._take is None:
            return
        crowded, self._taking = self._taking, self._behind
        if self._taking:
            if not self._is_held:  # which goes on by itself
                asyncio.get_running_loop().call_soon(self._go_on)
        elif self._eof:
            self.stop()
        if crowded is not self._taking and self._transport is not None and not self._eof:
            (self._transport.pause_reading if self._taking else self._transport.resume_reading)()

    def _go_a_step(self, take: _Take) -> bool:
        """Take a message, or a step of one; true if steps of it are left."""
        if self._steps is None:
            self._steps = take(self._waiting.popleft())
        elif next(self._steps, _END) is _END:
            self._steps = None
        return self._steps is not None


def frame(body: bytes) -> bytes:
    """Put the header before a body."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def open_stdio() -> tuple[Incoming, ByteWriter]:
    """Return the messages of standard input and a writer to standard output."""
    incoming = Incoming()
    loop = asyncio.get_running_loop()
    # A copy of the descriptors, so that a stray print() goes to stderr and not into the protocol.
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    elsewhere = os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else sys.stderr.fileno()
    os.dup2(elsewhere, sys.stdout.fileno())
    if _can_be_polled(source):
        await loop.connect_read_pipe(lambda: incoming, source)
    else:
        _pump(loop, incoming, source)
    if not _can_be_polled(sink):
        return incoming, _ThreadWriter(sink)
    transport, protocol = await loop.connect_write_pipe(_Closing, sink)
    # Where nobody hears the answers any more, nobody asks.
    protocol.closed.add_done_callback(lambda _: incoming.stop())
    return incoming, TransportWriter(transport, protocol.closed)


def _can_be_polled(stream: BinaryIO) -> bool:
    """Whether asyncio can wait for it: not on Windows, and no regular file or /dev/null."""
    if sys.platform == "win32":
        return False
    mode = os.fstat(stream.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stream.isatty()


class _Closing(asyncio.BaseProtocol):
    """Tells of the end of a transport that is only written to."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the end is enough
        if not self.closed.done():
            self.closed.set_result(None)


class TransportWriter:
    """Writes to an asyncio transport; `closed` is done when that is closed."""

    def __init__(self, transport: asyncio.WriteTransport, closed: Awaitable[None]) -> None:
        self._transport = transport
        self._closed = closed

    def write(self, data: bytes) -> None:
        """Queue `data`; a client that reads nothing any more is cut off."""
        if self._transport.get_write_buffer_size() > MAX_BODY_BYTES:
            self._transport.abort()
        elif not self._transport.is_closing():
            self._transport.write(data)

    async def close(self) -> None:
        """Write what is queued, as far as the other side reads it in time, then close."""
        self._transport.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._closed


def _pump(loop: asyncio.AbstractEventLoop, incoming: Incoming, source: BinaryIO) -> None:
    """Feed `incoming` from a thread."""

    def read() -> None:
        with suppress(RuntimeError):  # the loop has ended
            with suppress(OSError):  # the other side has gone
                while data := source.read(1 << 16):
                    loop.call_soon_threadsafe(incoming.data_received, data)
            loop.call_soon_threadsafe(incoming.eof_received)

    threading.Thread(target=read, name="twotrack-stdin", daemon=True).start()


class _ThreadWriter:
    """Writes from a thread, where the system cannot poll the stream."""

    def __init__(self, sink: BinaryIO) -> None:
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._sink = sink
        self._thread = threading.Thread(target=self._drain, name="twotrack-stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._queue.put(data)

    async def close(self) -> None:
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, _CLOSE_S)

    def _drain(self) -> None:
        while (data := self._queue.get()) is not None:
            view = memoryview(data)
            try:
                while view:
                    view = view[self._sink.write(view) :]
            except OSError:
                return
