"""Connections to models: opened once for all who wait, kept for the next, through a proxy or not.

httpcore speaks HTTP/1.1 and HTTP/2 and keeps the pool; opening is done here, so that a request
which is cancelled meanwhile leaves the next one a connection, and so that one can be opened before
there is anything to send.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass, field

import h11
import httpcore

from twotrack.llm import http2, listeners, sockets
from twotrack.llm.api import sending
from twotrack.llm.sockets import Socket

KEPT_S = 55.0
"""A connection outlives a pause for thought (a new one to a cloud costs three round trips), but
not the 60 s after which many servers hang up."""
_MOST = 64
"""Connections at a time through one pool."""
RACE_S = 1.0
"""A server that hangs up later than this had begun to work, and may charge for it."""
_MOST_HEAD = 32 * 1024
"""Bytes of an answer's head, or of what follows its body; all of it is parsed in one go."""
_OPEN_ONLY = "twotrack.open_only"
_REPEATED = "twotrack.repeated"


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

    certificates: ssl.SSLContext | None
    """Whom https servers are trusted by; absent: they speak plain http."""
    proxy: Proxy | None
    connect_s: float
    """Seconds to open a connection: DNS, TCP, proxy and TLS together."""
    kept_s: float
    race_s: float
    offers_http2: bool
    """Whether `certificates` offer it to servers."""
    judged: bool = False
    """Whether a server may be another person's, who is to be sent nothing."""


class Pool(httpcore.AsyncConnectionPool):
    """Connections to many servers in one way."""

    def __init__(self, way: Way) -> None:
        super().__init__(max_connections=_MOST)
        self._way = way
        self._shut = False

    def create_connection(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        """Begin to open a connection; called by httpcore."""
        connection = Connection(origin, self._way)
        if self._shut:  # since the request began
            connection.close()
        return connection

    async def open(self, url: httpcore.URL) -> None:
        """Have a connection to the server of `url`; nothing is asked. Raises httpcore's errors."""
        for connection in self.connections:
            if connection.can_handle_request(url.origin) and is_warm(connection):
                return
        request = httpcore.Request("HEAD", url, extensions={_OPEN_ONLY: True})
        response = await self.handle_async_request(request)
        await response.aclose()

    def close(self) -> None:
        """Close all connections at once, and open no more; requests under way fail."""
        self._shut = True
        for connection in self.connections:
            if isinstance(connection, Connection):
                connection.close()


class _Http1Connection(httpcore.AsyncHTTP11Connection):
    MAX_INCOMPLETE_EVENT_SIZE = _MOST_HEAD

    def __init__(self, origin: httpcore.Origin, socket: Socket, kept_s: float) -> None:
        super().__init__(origin, socket, kept_s)
        # Nothing waits under this lock of httpcore's; without it, closing cannot be cancelled.
        self._state_lock = nullcontext()  # type: ignore[assignment]
        self.socket = socket
        self._unsent = b""
        """The head of a request, until its body goes out."""

    async def _send_event(self, event: h11.Event, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as in httpcore
        """Send a request in one piece; httpcore sends its head alone, a system call more."""
        self._unsent += self._h11_state.send(event) or b""
        if self._unsent and not isinstance(event, h11.Request):
            piece, self._unsent = self._unsent, b""
            await self._network_stream.write(piece, timeout=timeout)

    async def _receive_response_body(self, request: httpcore.Request) -> AsyncIterator[bytes]:  # noqa: ARG002
        """Yield in one piece what one read brought; httpcore yields each chunk of a stream.

        Each piece passes all the generators above.
        """
        while True:
            event: object = await self._receive_event()
            piece = bytearray()
            while isinstance(event, h11.Data):
                piece += event.data
                try:
                    event = self._h11_state.next_event()
                except h11.RemoteProtocolError:  # is raised again, when the piece was read
                    break
            if piece:
                yield bytes(piece)
            if isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
                return


_Http = _Http1Connection | http2.Http2Connection


class Connection(httpcore.AsyncConnectionInterface):
    """A connection that is being opened or open. It begins to open when it is made."""

    def __init__(self, origin: httpcore.Origin, way: Way) -> None:
        self._origin = origin
        self._way = way
        self._shared = way.certificates is not None and way.offers_http2
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

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Wait until it is open, then ask. Raises httpcore's errors."""
        only = _OPEN_ONLY in request.extensions
        kept = self._http is not None
        http = self._http or await self._wait(alone=not (only or self._shared))
        if only:
            return httpcore.Response(204)
        self._unused_until = None
        heard, asked_at = http.socket.heard, time.monotonic()
        sending.get()()
        try:
            return await http.handle_async_request(request)
        except (httpcore.RemoteProtocolError, httpcore.ReadError) as error:
            # A server hangs up on a connection that it has kept for long enough, or (llama.cpp)
            # after every stream, and a request on its way meets the closed end.
            in_time = time.monotonic() < asked_at + self._way.race_s
            missed = kept and heard == http.socket.heard and in_time
            if _REPEATED in request.extensions or not (missed or http2.was_refused(error)):
                raise
            request.extensions[_REPEATED] = True
            raise httpcore.ConnectionNotAvailable from None  # the pool chooses or makes another

    async def _wait(self, *, alone: bool) -> _Http:
        self._claimed = self._claimed or alone
        try:
            await asyncio.wait((self._opening,))  # which goes on where this is cancelled
        finally:
            self._claimed = self._claimed and not alone
        if self._opening.cancelled():
            raise httpcore.ConnectError
        return self._opening.result()

    async def _open(self) -> _Http:
        try:
            async with asyncio.timeout(self._way.connect_s):
                self._http = await self._speak(await self._reach())
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except (OSError, ValueError, OverflowError) as error:  # also ssl's, and of names
            raise httpcore.ConnectError(error) from error
        self._unused_until = time.monotonic() + self._way.kept_s
        return self._http

    def _opened(self, opening: asyncio.Task[_Http]) -> None:
        self._failed = opening.cancelled() or opening.exception() is not None
        if self._failed and self._socket is not None:
            self._socket.abort()

    async def _reach(self) -> Socket:
        proxy, origin = self._way.proxy, self._origin
        host = origin.host.decode("ascii")
        if proxy is None:
            self._socket = socket = await sockets.connect(host, origin.port)
            if self._way.judged:
                await _judge(socket, origin.port)
        else:
            self._socket = socket = await sockets.connect(proxy.host, proxy.port)
            if proxy.certificates is not None:
                await socket.start_tls(proxy.certificates, proxy.host)
        if self._way.certificates is not None:
            if proxy is not None:
                await _tunnel(socket, host, origin.port, proxy.authorization)
            await socket.start_tls(self._way.certificates, host)
        return socket

    async def _speak(self, socket: Socket) -> _Http:
        tls = socket.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != "h2":
            return _Http1Connection(self._origin, socket, self._way.kept_s)
        multiplexed = http2.Http2Connection(self._origin, socket, self._way.kept_s)
        await multiplexed.prepare()
        return multiplexed

    def close(self) -> None:
        """Close it at once; requests under way fail."""
        self._opening.cancel()
        if self._socket is not None:
            self._socket.abort()

    async def aclose(self) -> None:
        """Do the same, called by httpcore."""
        self.close()

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
        if self._http is None or self._unused_until is None:
            return self._http is not None and self._http.has_expired()
        # Over HTTP/1.1 nobody speaks unasked, but to say that it took too long (408).
        alone = isinstance(self._http, _Http1Connection)
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
        return self._http.socket.closed or self._http.is_closed()

    def is_open(self) -> bool:
        """Whether the next request need not wait for a connection, or only for one in use."""
        return self._http is not None and not (self.is_closed() or self.has_expired())

    def info(self) -> str:
        """Say what it is, for a log."""
        return "CONNECTING" if self._http is None else self._http.info()


def is_warm(connection: httpcore.AsyncConnectionInterface) -> bool:
    """Whether `connection` is open."""
    return isinstance(connection, Connection) and connection.is_open()


async def _judge(socket: Socket, port: int) -> None:
    """Raise OfAnother where another person's program is at the other end.

    Asked of an open connection: whoever has taken the port since cannot take its place.
    """
    _, ours, *_ = socket.get_extra_info("socket").getsockname()
    if await asyncio.to_thread(listeners.of_others, [port], ours):
        raise listeners.OfAnother


async def _tunnel(socket: Socket, host: str, port: int, authorization: str | None) -> None:
    """Have a proxy pass everything on to `host`. Raises httpcore.ProxyError with the status."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers: list[tuple[bytes | str, bytes | str]]
    headers = [("Host", target), ("User-Agent", "twotrack")]
    if authorization is not None:
        headers.append(("Proxy-Authorization", authorization))
    url = httpcore.URL(scheme=b"http", host=host.encode("ascii"), port=port, target=target.encode())
    request = httpcore.Request("CONNECT", url, headers=headers)
    try:
        http = httpcore.AsyncHTTP11Connection(url.origin, socket)
        response = await http.handle_async_request(request)
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
        raise httpcore.ConnectError(error) from error
    if not 200 <= response.status < 300:
        raise httpcore.ProxyError(str(response.status))
