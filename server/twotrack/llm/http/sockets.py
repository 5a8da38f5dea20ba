"""TCP and TLS, straight on asyncio.

httpcore's own go through anyio, where a cancelled write may lose bytes: TLS and the compressed
headers of HTTP/2 count on every one, so the whole connection would be lost with it. Here `send`
never waits.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import cast

import httpx

_HAPPY_EYEBALLS_S = 0.25
"""Head start of one address of a host over the next (RFC 8305)."""
_READ_AHEAD = 256 * 1024
"""Bytes beyond which a reader that lags behind stops the other side."""
_MOST_READ = 8 * 1024
"""Bytes read at a time. The smallest chunks, frames and events in them cost some 20 ms; an answer's
own pieces are shorter."""


_MOST_KEPT = 32 * 1024
"""Bytes that the system keeps for us, and doubles for its own needs. asyncio unpacks all of them in
one turn, and TLS may have packed each by itself: 256 KiB would take 0.1 s."""


_MOST_UNHEARD = 64 * 1024
"""Bytes of TLS with nothing for us: a record has 16 KiB, and few tickets follow a handshake."""


class Socket(asyncio.Protocol):
    """A connection; one reader at a time. Made by `connect`.

    Nothing here has a deadline: whoever waits is cancelled from above.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._readable: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._error: Exception | None = None
        self.heard = 0
        """Bytes that came in all."""
        self._unheard = 0
        """Bytes of TLS that came since something of them was for us."""
        self.ended = False
        """Whether the other side has hung up; what it sent before can still be read."""

    async def read(self) -> bytes:
        """Return what there is, 8 KiB at most; empty at the end. Raises httpx.ReadError.

        What was waiting already, because the other side is fast, is given after a turn for others.
        """
        if self._received:
            await asyncio.sleep(0)
        if not self.readable:
            self._readable = asyncio.get_running_loop().create_future()
            try:
                await self._readable
            finally:
                self._readable = None
        if not self._received and self._error is not None:
            raise httpx.ReadError(str(self._error)) from self._error
        data = bytes(self._received[:_MOST_READ])
        full = len(self._received) > _READ_AHEAD
        del self._received[:_MOST_READ]
        if full and len(self._received) <= _READ_AHEAD and not self.ended:
            self._transport.resume_reading()
        return data

    async def drain(self) -> None:
        """Wait while the other side lags behind."""
        if not self._writable.is_set():
            await self._writable.wait()

    def send(self, data: bytes) -> None:
        """Send `data` without waiting; nothing if it is closed.

        That is no error yet: the other side may have answered in full before it hung up. Whoever
        reads on finds the end.
        """
        if data and not self.closed:
            self._transport.write(data)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Speak TLS from now on. Raises OSError."""
        if self._received:  # in plain text, which must not pass for what comes within TLS
            raise ConnectionAbortedError
        transport = await asyncio.get_running_loop().start_tls(
            self._transport, self, context, server_hostname=host
        )
        if transport is None:  # hung up right after the handshake
            raise ConnectionResetError
        beneath = self._transport
        tls = cast("asyncio.BufferedProtocol", beneath.get_protocol())
        beneath.set_protocol(_Counted(tls, self))
        self._transport = transport

    def unpacked(self, size: int, heard: int) -> None:
        """Called when so many bytes of TLS were unpacked; `heard` is what was heard before."""
        stopped = len(self._received) > _READ_AHEAD
        self._unheard = self._unheard + size if heard == self.heard and not stopped else 0
        if self._unheard > _MOST_UNHEARD:  # new keys, again and again
            self.abort()

    @property
    def readable(self) -> bool:
        """Whether `read` would not wait."""
        return bool(self._received) or self.ended

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport.is_closing()

    def abort(self) -> None:
        """Close at once; what is not yet sent is dropped."""
        self._transport.abort()

    @property
    def port(self) -> int:
        """The port at this end."""
        return int(self._transport.get_extra_info("sockname")[1])

    @property
    def alpn_protocol(self) -> str | None:
        """What both sides agreed upon within TLS."""
        tls: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return None if tls is None else tls.selected_alpn_protocol()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when TCP is connected."""
        self._transport = cast("asyncio.Transport", transport)
        if (connected := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _MOST_KEPT)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with what came."""
        self.heard += len(data)
        before = len(self._received)
        self._received += data
        if before <= _READ_AHEAD < len(self._received):
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Called by asyncio when the other side hung up."""
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio at the end, for whatever reason."""
        self.ended = True
        self._error = exc
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        """Called by asyncio when the other side lags behind."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Called by asyncio when it has caught up."""
        self._writable.set()

    def _wake(self) -> None:
        if self._readable is not None and not self._readable.done():
            self._readable.set_result(None)


class _Counted(asyncio.BufferedProtocol):
    """Passes on what comes from below to TLS, and says how much that is."""

    def __init__(self, tls: asyncio.BufferedProtocol, socket: Socket) -> None:
        self._tls = tls
        self._socket = socket

    def get_buffer(self, sizehint: int) -> bytearray:
        """Called by asyncio for room."""
        return cast("bytearray", self._tls.get_buffer(sizehint))

    def buffer_updated(self, nbytes: int) -> None:
        """Called by asyncio with the length of what came."""
        heard = self._socket.heard
        self._tls.buffer_updated(nbytes)
        self._socket.unpacked(nbytes, heard)

    def eof_received(self) -> bool | None:
        """Called by asyncio when the other side hung up."""
        return self._tls.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio at the end."""
        self._tls.connection_lost(exc)

    def pause_writing(self) -> None:
        """Called by asyncio when the other side lags behind."""
        self._tls.pause_writing()

    def resume_writing(self) -> None:
        """Called by asyncio when it has caught up."""
        self._tls.resume_writing()


async def connect_locally(path: str) -> Socket:
    """Connect to a Unix socket. Raises OSError."""
    _, socket = await asyncio.get_running_loop().create_unix_connection(Socket, path)
    return socket


async def connect(host: str, port: int) -> Socket:
    """Connect to the first address of `host` that answers. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(
        Socket, host, port, happy_eyeballs_delay=_HAPPY_EYEBALLS_S
    )
    return socket
