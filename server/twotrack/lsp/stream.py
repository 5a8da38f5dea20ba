"""Messages over standard input and output.

pygls spends three thread hops on a message and writes to stdout on the event loop; here a message
costs none and a slow reader never stops the loop.
"""

import asyncio
import os
import queue
import stat
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import BinaryIO, Protocol, cast

from twotrack.lsp.framing import MAX_BODY_BYTES, Decoder, FrameError

_AT_ONCE = 32
"""Messages taken in one turn of the loop: a burst must not keep the first answers waiting."""
_END = object()
_CATCH_UP_S, _MOMENT_S = 1.0, 0.001
_CLOSE_S = 5.0


_Take = Callable[["bytes | FrameError"], Iterator[None] | None]
"""Takes a message; what it returns are the steps that are left of it."""


class ByteWriter(Protocol):
    """What messages are written to; never blocks."""

    def write(self, data: bytes) -> None:
        """Queue `data` for the other side."""
        ...

    async def close(self) -> None:
        """Write what is queued, as far as the other side reads it in time, then close."""
        ...


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
