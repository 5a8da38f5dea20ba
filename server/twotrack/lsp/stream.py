"""Messages over a byte stream: framing, and the streams of stdio and TCP.

pygls reads headers case-sensitively, spends three thread hops on a message and writes to stdout
on the event loop; here a message costs none and a slow reader never stops the loop.
"""

import asyncio
import os
import queue
import stat
import sys
import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from typing import BinaryIO, Protocol

MAX_BODY_BYTES = 64 * 1024 * 1024
"""A larger message is skipped; a larger backlog of answers nobody reads ends the connection."""

_MAX_HEADER_BYTES = 64 * 1024
_CLOSE_S = 5.0


class FrameError(Exception):
    """A message that cannot be read; the stream goes on behind it."""


class ByteWriter(Protocol):
    """What messages are written to; never blocks."""

    def write(self, data: bytes) -> None:
        """Queue `data` for the other side."""
        ...

    async def close(self) -> None:
        """Write what is queued, as far as the other side reads it in time, then close."""
        ...


async def read_frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes | FrameError]:
    """Yield each message's body until the stream ends."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)
            yield FrameError("a message header is longer than 64 KiB")
            continue
        length = _content_length(head)
        if length is None:
            yield FrameError("a message came without a Content-Length header")
            continue
        try:
            if length > MAX_BODY_BYTES:
                await _skip(reader, length)
                yield FrameError(f"a message of {length} bytes is longer than 64 MiB")
            else:
                yield await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return


def _content_length(head: bytes) -> int | None:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        number = value.strip()
        if name.strip().lower() == b"content-length" and number.isdigit() and len(number) < 20:
            return int(number)
    return None


async def _skip(reader: asyncio.StreamReader, length: int) -> None:
    while length > 0:
        part = await reader.read(min(length, 1 << 20))
        if not part:
            return
        length -= len(part)


def frame(body: bytes) -> bytes:
    """Put the header before a body."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def open_stdio() -> tuple[asyncio.StreamReader, ByteWriter]:
    """Give the process's standard streams as a reader and a writer."""
    reader = asyncio.StreamReader(limit=_MAX_HEADER_BYTES)
    loop = asyncio.get_running_loop()
    # A copy of the descriptors, so that a stray print() goes to stderr and not into the protocol.
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if _can_be_polled(source):
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
    else:
        _pump(loop, reader, source)
    if not _can_be_polled(sink):
        return reader, _ThreadWriter(sink)
    transport, protocol = await loop.connect_write_pipe(_Closing, sink)
    return reader, TransportWriter(transport, protocol.closed)


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
            await asyncio.wait_for(self._closed, _CLOSE_S)


def _pump(loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader, source: BinaryIO) -> None:
    """Feed `reader` from a thread."""

    def read() -> None:
        with suppress(RuntimeError):  # the loop has ended
            with suppress(OSError):  # the other side has gone
                while data := source.read(1 << 16):
                    loop.call_soon_threadsafe(reader.feed_data, data)
            loop.call_soon_threadsafe(reader.feed_eof)

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
