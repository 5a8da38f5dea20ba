"""Connections to models: opened once for all who wait, kept for the next, through a proxy or not.

httpcore speaks HTTP/1.1 and HTTP/2 and keeps the pool; opening is done here, so that a request
which is cancelled meanwhile leaves the next one a connection, and so that one can be opened before
there is anything to send.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass, field

import httpcore

from twotrack.llm import http2, sockets
from twotrack.llm.sockets import Socket

KEPT_S = 55.0
"""A connection outlives a pause for thought (a new one to a cloud costs three round trips), but
not the 60 s after which many servers hang up."""
_MOST = 64
"""Connections at a time through one pool."""
_HEAD_BYTES = 65_536
"""A proxy's answer is no longer."""
_OPEN_ONLY = "twotrack.open_only"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy."""

    host: str
    port: int
    certificates: ssl.SSLContext | None = None
    """To speak TLS with the proxy itself; absent: it speaks plain HTTP."""
    authorization: str | None = field(default=None, repr=False)
    """Value of `Proxy-Authorization`."""


@dataclass(frozen=True, slots=True)
class Way:
    """How servers are reached."""

    certificates: ssl.SSLContext
    proxy: Proxy | None
    connect_s: float
    """Seconds to open a connection: DNS, TCP, proxy and TLS together."""


class Pool(httpcore.AsyncConnectionPool):
    """Connections to many servers in one way."""

    def __init__(self, way: Way) -> None:
        super().__init__(max_connections=_MOST)
        self._way = way

    def create_connection(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        """Begin to open a connection; called by httpcore."""
        return Connection(origin, self._way)

    async def open(self, url: httpcore.URL) -> None:
        """Have a connection to the server of `url`; nothing is asked. Raises httpcore's errors."""
        for connection in self.connections:
            if connection.can_handle_request(url.origin) and is_warm(connection):
                return
        request = httpcore.Request("HEAD", url, extensions={_OPEN_ONLY: True})
        response = await self.handle_async_request(request)
        await response.aclose()


class Connection(httpcore.AsyncConnectionInterface):
    """A connection that is being opened or open. It begins to open when it is made."""

    def __init__(self, origin: httpcore.Origin, way: Way) -> None:
        self._origin = origin
        self._way = way
        self._shared = origin.scheme == b"https" and http2.SUPPORTED
        """Whether it may turn out to serve many requests at a time."""
        self._http: httpcore.AsyncConnectionInterface | None = None
        self._claimed = False
        """Whether a request waits that will need it alone."""
        self._socket: Socket | None = None
        self._unused_until: float | None = None
        """Where it is open and nothing was asked yet: when it has been kept for long enough."""
        self._failed = False
        self._opening = asyncio.ensure_future(self._open())
        self._opening.add_done_callback(self._opened)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Wait until it is open, then ask. Raises httpcore's errors."""
        only = _OPEN_ONLY in request.extensions
        http = self._http or await self._wait(alone=not (only or self._shared))
        if only:
            return httpcore.Response(204)
        self._unused_until = None
        try:
            return await http.handle_async_request(request)
        except asyncio.CancelledError:
            # Closing waits a turn, where it may be cancelled too. HTTP/2 resets the one request.
            if self._socket is not None and not isinstance(http, http2.Http2Connection):
                self._socket.abort()
            raise

    async def _wait(self, *, alone: bool) -> httpcore.AsyncConnectionInterface:
        self._claimed = self._claimed or alone
        try:
            await asyncio.wait((self._opening,))  # which goes on where this is cancelled
        finally:
            self._claimed = self._claimed and not alone
        if self._opening.cancelled():
            raise httpcore.ConnectError
        return self._opening.result()

    async def _open(self) -> httpcore.AsyncConnectionInterface:
        try:
            async with asyncio.timeout(self._way.connect_s):
                self._socket = socket = await self._reach()
                tls = socket.get_extra_info("ssl_object")
                if tls is not None and tls.selected_alpn_protocol() == "h2":
                    multiplexed = http2.Http2Connection(self._origin, socket, KEPT_S)
                    await multiplexed.prepare()
                    self._http = multiplexed
                else:
                    self._http = httpcore.AsyncHTTP11Connection(self._origin, socket, KEPT_S)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except (OSError, ValueError, OverflowError) as error:  # also ssl's, and of names
            raise httpcore.ConnectError(error) from error
        self._unused_until = time.monotonic() + KEPT_S
        return self._http

    def _opened(self, opening: "asyncio.Task[httpcore.AsyncConnectionInterface]") -> None:
        self._failed = opening.cancelled() or opening.exception() is not None

    async def _reach(self) -> Socket:
        proxy, origin = self._way.proxy, self._origin
        host = origin.host.decode("ascii")
        if proxy is None:
            socket = await sockets.connect(host, origin.port)
        else:
            socket = await sockets.connect(proxy.host, proxy.port)
        try:
            if proxy is not None and proxy.certificates is not None:
                await socket.start_tls(proxy.certificates, proxy.host)
            if origin.scheme == b"https":
                if proxy is not None:
                    await _tunnel(socket, host, origin.port, proxy.authorization)
                await socket.start_tls(self._way.certificates, host)
        except BaseException:
            socket.abort()
            raise
        return socket

    async def aclose(self) -> None:
        """Close it at once."""
        self._opening.cancel()
        if self._http is not None:
            await self._http.aclose()

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        """Whether it leads to `origin`."""
        return origin == self._origin

    def is_available(self) -> bool:
        """Whether it takes a request now, or as soon as it is open."""
        if self._http is None:
            return not (self._failed or self._claimed)
        return self._unused_until is not None or self._http.is_available()

    def has_expired(self) -> bool:
        """Whether it waited unused for too long, or the server hung up meanwhile."""
        if self._unused_until is not None:
            return time.monotonic() > self._unused_until
        return self._http is not None and self._http.has_expired()

    def is_idle(self) -> bool:
        """Whether closing it would cut nothing."""
        if self._http is None:
            return self._failed
        return self._unused_until is not None or self._http.is_idle()

    def is_closed(self) -> bool:
        """Whether it is of no use any more."""
        if self._http is None or self._socket is None:
            return self._failed
        return self._socket.closed or self._http.is_closed()

    def is_open(self) -> bool:
        """Whether the next request need not wait for a connection, or only for one in use."""
        return self._http is not None and not (self.is_closed() or self.has_expired())

    def info(self) -> str:
        """Say what it is, for a log."""
        return "CONNECTING" if self._http is None else self._http.info()


def is_warm(connection: httpcore.AsyncConnectionInterface) -> bool:
    """Whether `connection` is open."""
    return isinstance(connection, Connection) and connection.is_open()


async def _tunnel(socket: Socket, host: str, port: int, authorization: str | None) -> None:
    """Have a proxy pass everything on to `host`. Raises httpcore.ProxyError with the status."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", "User-Agent: twotrack"]
    if authorization is not None:
        lines.append(f"Proxy-Authorization: {authorization}")
    await socket.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    head = b""
    while b"\r\n\r\n" not in head:
        received = await socket.read(_HEAD_BYTES)
        head += received
        if not received or len(head) > _HEAD_BYTES:
            raise httpcore.ProxyError("no answer")
    status = head.split(b"\r\n", 1)[0].split(b" ")[1:2]
    if not status or not status[0].isdigit():
        raise httpcore.ProxyError("no HTTP")
    if not status[0].startswith(b"2"):
        raise httpcore.ProxyError(status[0].decode("ascii"))
