"""Messages over a byte stream: framing, and the streams of stdio and TCP.

pygls reads headers case-sensitively, spends three thread hops on a message and writes to stdout
on the event loop; here a message costs none and a slow reader never stops the loop.
"""

import asyncio
import os
import queue
import sys
import threading
from collections.abc import AsyncIterator
from typing import BinaryIO, Protocol

MAX_BODY_BYTES = 64 * 1024 * 1024
"""A larger message is skipped; a larger backlog of answers nobody reads ends the connection."""

_MAX_HEADER_BYTES = 64 * 1024


class FrameError(Exception):
    """A message that cannot be read; the stream goes on behind it."""


class ByteWriter(Protocol):
    """What messages are written to; never blocks."""

    def write(self, data: bytes) -> None:
        """Queue `data` for the other side."""
        ...

    def close(self) -> None:
        """Write what is queued, then close."""
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
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
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
    if sys.platform == "win32":
        return _open_threads(loop, reader, source, sink)
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sink)
    except ValueError:  # a regular file, which cannot be polled
        return _open_threads(loop, reader, source, sink)
    return reader, TransportWriter(transport)


class TransportWriter:
    """Writes to an asyncio transport."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Queue `data`; a client that reads nothing any more is cut off."""
        if self._transport.get_write_buffer_size() > MAX_BODY_BYTES:
            self._transport.abort()
        elif not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Write what is queued, then close."""
        self._transport.close()


def _open_threads(
    loop: asyncio.AbstractEventLoop,
    reader: asyncio.StreamReader,
    source: BinaryIO,
    sink: BinaryIO,
) -> tuple[asyncio.StreamReader, ByteWriter]:
    def pump() -> None:
        while data := source.read(1 << 16):
            loop.call_soon_threadsafe(reader.feed_data, data)
        loop.call_soon_threadsafe(reader.feed_eof)

    threading.Thread(target=pump, name="twotrack-stdin", daemon=True).start()
    return reader, _ThreadWriter(sink)


class _ThreadWriter:
    """Writes from a thread, where the system cannot poll the stream."""

    def __init__(self, sink: BinaryIO) -> None:
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._sink = sink
        self._thread = threading.Thread(target=self._drain, name="twotrack-stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._queue.put(data)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _drain(self) -> None:
        while (data := self._queue.get()) is not None:
            view = memoryview(data)
            try:
                while view:
                    view = view[self._sink.write(view) :]
            except OSError:
                return
