"""httpx's transport to models: connections are opened once for all who wait, and kept for the next.

A request that is cancelled meanwhile leaves the next one its connection, and one can be opened
before there is anything to send. httpx's own transport does neither; its pool also takes anyio and
0.1 ms of processor time a request.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import httpx

from twotrack.llm.api import sending
from twotrack.llm.http import sockets
from twotrack.llm.http.http1 import Http1Connection, NeverAvailable, NotAvailable
from twotrack.llm.http.http2 import Http2Connection, Refused
from twotrack.llm.http.sockets import Socket

KEPT_S = 55.0
"""A connection outlives a pause for thought (a new one to a cloud costs three round trips), but
not the 60 s after which many servers hang up."""
_MOST = 64
"""Connections at a time of one transport."""
_MOST_IN_VAIN = 3
"""New connections that take no request, as those to a gateway that is about to end."""
RACE_S = 1.0
"""A server that hangs up later than this had begun to work, and may charge for it."""
_PORTS = {"http": 80, "https": 443}
Others = Callable[[Collection[int], int], set[int]]
"""Tells which ports are another person's, or what the port of this end is connected to."""


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
class ConnectionOptions:
    """How servers are reached."""

    certificates: ssl.SSLContext | None
    """Whom https servers are trusted by; absent: they speak plain http."""
    proxy: Proxy | None
    connect_s: float
    """Seconds to open a connection: DNS, TCP, proxy and TLS together."""
    kept_s: float
    race_s: float
    offers_http2: bool
    """Whether `certificates` offer it to servers."""
    others: Others | None = None
    """Which ports are another person's, who is to be sent nothing; absent: it is not asked."""
    path: str = ""
    """Of a Unix socket; empty: servers are reached by host and port."""


class TlsFailed(httpx.ConnectError):
    """TLS could not be agreed upon, or the server is not trusted."""

    def __init__(self, why: ssl.SSLError) -> None:
        super().__init__(str(why))
        self.why = why


class OfAnother(httpx.ConnectError):
    """Another person's program is at the other end."""


class PooledTransport(httpx.AsyncBaseTransport):
    """Connections to many servers, with the same options."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        self._connections: list[Connection] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._shut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, and wait for the head of the answer. Raises httpx's errors."""
        proxy = self._options.proxy
        if proxy is not None and self._options.certificates is None:  # it reads the request itself
            request.extensions["target"] = str(request.url).encode("ascii")
            if proxy.authorization is not None:
                request.headers["Proxy-Authorization"] = proxy.authorization
        repeated, in_vain = False, 0
        try:
            while True:
                connection = await self._connection(request.url)
                try:
                    return await connection.ask(request)
                except NotAvailable as gone:  # since it was chosen
                    in_vain += isinstance(gone, NeverAvailable)
                    if in_vain >= _MOST_IN_VAIN:
                        why = "every new connection takes no request"
                        raise httpx.RemoteProtocolError(why) from None
                except _Missed as missed:
                    if repeated:
                        raise missed.error from None
                    repeated = True
        except BaseException:
            self._rested()
            raise

    async def connect(self, url: httpx.URL) -> None:
        """Have a connection to the server of `url`; nothing is asked. Raises httpx's errors."""
        origin = _origin(url)
        if not any(one.origin == origin and one.is_open() for one in self._connections):
            connection = await self._connection(url)
            await connection.opened(alone=False)

    async def _connection(self, url: httpx.URL) -> "Connection":
        """Return one that is free, or begin to open one; where there are too many, wait."""
        origin = _origin(url)
        while True:
            self._sweep()
            for connection in self._connections:
                if connection.origin == origin and connection.is_available():
                    return connection
            idle = [one for one in self._connections if one.is_idle()]
            if len(self._connections) < _MOST or idle:
                if len(self._connections) >= _MOST:
                    idle[0].close()
                    self._connections.remove(idle[0])
                connection = Connection(origin, self._options, self._rested)
                if self._shut:  # since the request began
                    connection.close()
                self._connections.append(connection)
                return connection
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                await waiting
            finally:
                self._waiting.remove(waiting)

    def _sweep(self) -> None:
        """Forget what was closed, and close what was kept for long enough."""
        for connection in self._connections.copy():
            expired = connection.has_expired()
            if expired:
                connection.close()
            if expired or connection.is_closed():
                self._connections.remove(connection)

    def _rested(self) -> None:
        """Let those look again who wait for a connection."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def close(self) -> None:
        """Close all connections at once, and open no more; requests under way fail."""
        self._shut = True
        for connection in self._connections:
            connection.close()


_Origin = tuple[str, str, int]


def _origin(url: httpx.URL) -> _Origin:
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


_Http = Http1Connection | Http2Connection


class _Missed(Exception):
    """A server hung up on a request before it began to work on it."""

    def __init__(self, error: httpx.TransportError) -> None:
        self.error = error


class Connection:
    """A connection that is being opened or open. It begins to open when it is made.

    `rested` is called when it may have become free.
    """

    def __init__(
        self, origin: _Origin, options: ConnectionOptions, rested: Callable[[], None]
    ) -> None:
        self.origin = origin
        self._options = options
        self._rested = rested
        self._shared = options.certificates is not None and options.offers_http2
        """Whether it may turn out to serve many requests at a time."""
        self._http: _Http | None = None
        self._claimed = False
        """Whether a request waits that will need it alone."""
        self._socket: Socket | None = None
        self._unused_until: float | None = None
        """Where it is open and nothing was asked yet: when it has been kept for long enough."""
        self._failed = False
        self._opening = asyncio.ensure_future(self._open())
        self._opening.add_done_callback(self._opened)

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Wait until it is open, then ask. Raises httpx's errors, NotAvailable and _Missed."""
        kept = self._http is not None
        http = self._http or await self.opened(alone=not self._shared)
        self._unused_until = None
        heard, asked_at = http.socket.heard, time.monotonic()
        sending.get()()
        try:
            return await http.ask(request)
        except (httpx.RemoteProtocolError, httpx.ReadError) as error:
            # A server hangs up on a connection that it has kept for long enough, or (llama.cpp)
            # after every stream, and a request on its way meets the closed end.
            in_time = time.monotonic() < asked_at + self._options.race_s
            missed = kept and heard == http.socket.heard and in_time
            if missed or isinstance(error, Refused):
                raise _Missed(error) from None
            raise

    async def opened(self, *, alone: bool) -> _Http:
        """Wait until it is open. `alone`: for a request that may need it alone."""
        self._claimed = self._claimed or alone
        try:
            await asyncio.wait((self._opening,))  # which goes on where this is cancelled
        finally:
            self._claimed = self._claimed and not alone
        if self._opening.cancelled():
            raise httpx.ConnectError("closed")
        return self._opening.result()

    async def _open(self) -> _Http:
        try:
            async with asyncio.timeout(self._options.connect_s):
                self._http = self._speak(await self._reach())
        except TimeoutError:
            raise httpx.ConnectTimeout("not open in time") from None
        except ssl.SSLError as error:
            raise TlsFailed(error) from error
        except (OSError, ValueError, OverflowError) as error:  # the latter of names
            raise httpx.ConnectError(str(error)) from error
        self._unused_until = time.monotonic() + self._options.kept_s
        return self._http

    def _opened(self, opening: asyncio.Task[_Http]) -> None:
        self._failed = opening.cancelled() or opening.exception() is not None
        if self._failed and self._socket is not None:
            self._socket.abort()
        self._rested()

    async def _reach(self) -> Socket:
        proxy, (_, host, port) = self._options.proxy, self.origin
        if self._options.path:
            self._socket = socket = await sockets.connect_locally(self._options.path)
        elif proxy is None:
            self._socket = socket = await sockets.connect(host, port)
            if self._options.others is not None:
                await _judge(socket, port, self._options.others)
        else:
            self._socket = socket = await sockets.connect(proxy.host, proxy.port)
            if proxy.certificates is not None:
                await socket.start_tls(proxy.certificates, proxy.host)
        if self._options.certificates is not None:
            if proxy is not None:
                await _tunnel(socket, host, port, proxy.authorization)
            await socket.start_tls(self._options.certificates, host)
        return socket

    def _speak(self, socket: Socket) -> _Http:
        if socket.alpn_protocol != "h2":
            return Http1Connection(socket, self._options.kept_s, self._rested)
        multiplexed = Http2Connection(socket, self._options.kept_s, self._rested)
        multiplexed.begin()
        return multiplexed

    def close(self) -> None:
        """Close it at once; requests under way fail."""
        self._opening.cancel()
        if self._socket is not None:
            self._socket.abort()

    def is_available(self) -> bool:
        """Whether it takes a request now, or as soon as it is open."""
        if self._http is None:
            return not (self._failed or self._claimed)
        return self._unused_until is not None or self._http.is_available()

    def has_expired(self) -> bool:
        """Whether it waited unused for too long, or the server hung up meanwhile."""
        if self._http is None or self._unused_until is None:
            return self._http is not None and self._http.has_expired()
        # Over HTTP/1.1 nobody speaks unasked, but to say that it took too long (408).
        alone = isinstance(self._http, Http1Connection)
        told = alone and self._http.socket.readable
        return told or time.monotonic() > self._unused_until

    def is_idle(self) -> bool:
        """Whether closing it would cut nothing."""
        if self._http is None:
            return self._failed
        return self._unused_until is not None or self._http.is_idle()

    def is_closed(self) -> bool:
        """Whether it is of no use any more."""
        if self._http is None:
            return self._failed
        return self._http.is_closed()

    def is_open(self) -> bool:
        """Whether the next request need not wait for a connection, or only for one in use."""
        return self._http is not None and not (self.is_closed() or self.has_expired())


async def _judge(socket: Socket, port: int, others: Others) -> None:
    """Raise OfAnother if another person's program is at the other end.

    Asked of an open connection: whoever has taken the port since cannot take its place.
    """
    if await asyncio.to_thread(others, [port], socket.port):
        raise OfAnother("another person's")


async def _tunnel(socket: Socket, host: str, port: int, authorization: str | None) -> None:
    """Have a proxy pass everything on to `host`. Raises httpx.ProxyError with the status."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = {"Host": target, "User-Agent": "twotrack"}
    if authorization is not None:
        headers["Proxy-Authorization"] = authorization
    extensions = {"target": target.encode("ascii")}
    request = httpx.Request("CONNECT", f"http://{target}", headers=headers, extensions=extensions)
    try:
        response = await Http1Connection(socket, 0, lambda: None).ask(request)
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise httpx.ConnectError(str(error)) from error
    if not 200 <= response.status_code < 300:
        raise httpx.ProxyError(str(response.status_code))
