"""HTTP/1.1 on one connection, by h11: requests go out in one piece, answers come as they are read.

An answer that is closed before its end closes the connection: nothing else tells the server.
"""

import time
from collections.abc import AsyncIterator, Callable

import h11
import httpx

from twotrack.llm.http.sockets import Socket

_MOST_HEAD = 32 * 1024
"""Bytes of an answer's head, or of what follows its body; all of it is parsed in one go."""


class NotAvailable(Exception):
    """A connection takes no more requests; this one was not sent."""


class NeverAvailable(NotAvailable):
    """A connection took no request at all."""


class Http1Connection:
    """A connection for one request at a time; kept for `kept_s` after each.

    `rested` is called when an answer ends.
    """

    def __init__(self, socket: Socket, kept_s: float, rested: Callable[[], None]) -> None:
        self.socket = socket
        self._kept_s = kept_s
        self._rested = rested
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        self._busy = False
        self._rested_at = time.monotonic()

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Ask, and wait for the head of the answer. Raises httpx's errors and NotAvailable."""
        if self._busy or self.socket.closed:
            raise NotAvailable
        self._busy = True
        try:
            await self._send(request)
            head = await self._next()
            while isinstance(head, h11.InformationalResponse) and head.status_code != 101:
                head = await self._next()
        except BaseException:
            self.socket.abort()
            raise
        assert isinstance(head, h11.Response | h11.InformationalResponse)  # noqa: S101  # h11 gives no other
        return httpx.Response(head.status_code, headers=list(head.headers), stream=_Body(self))

    async def _send(self, request: httpx.Request) -> None:
        target = request.extensions.get("target", request.url.raw_path)
        try:
            head = h11.Request(method=request.method, target=target, headers=request.headers.raw)
            data = self._h11.send(head) or b""
            if request.content:
                data += self._h11.send(h11.Data(request.content)) or b""
            data += self._h11.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as wrong:
            raise httpx.LocalProtocolError(str(wrong)) from wrong
        self.socket.send(data)
        await self.socket.drain()

    async def _next(self) -> object:
        """Read on to the next event of the answer."""
        while (event := self._event()) is h11.NEED_DATA:
            data = await self.socket.read()
            if not data and self._h11.their_state is h11.SEND_RESPONSE:
                raise httpx.RemoteProtocolError("hung up without an answer")
            self._h11.receive_data(data)
        return event

    def _event(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as broken:
            raise httpx.RemoteProtocolError(str(broken)) from broken

    async def body(self) -> AsyncIterator[bytes]:
        """Yield in one piece what one read brought: each piece passes all that stands above."""
        while True:
            event = await self._next()
            piece = bytearray()
            while isinstance(event, h11.Data):
                piece += event.data
                try:
                    event = self._h11.next_event()
                except h11.RemoteProtocolError:  # is raised again, when the piece was read
                    break
            if piece:
                yield bytes(piece)
            if isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
                return

    def end(self) -> None:
        """Be ready for the next request; an answer that has not ended closes the connection.

        So does what came behind an answer, which would pass for the next one.
        """
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        if done and not self._h11.trailing_data[0]:
            self._h11.start_next_cycle()
            self._busy = False
            self._rested_at = time.monotonic()
        else:
            self.socket.abort()
        self._rested()

    def is_available(self) -> bool:
        """Whether it takes a request."""
        return not (self._busy or self.socket.closed)

    def is_idle(self) -> bool:
        """Whether closing it would cut nothing."""
        return not self._busy

    def is_closed(self) -> bool:
        """Whether it takes no request ever again."""
        return self.socket.closed

    def has_expired(self) -> bool:
        """Whether it was kept for too long, or the server hung up meanwhile.

        Nobody speaks unasked over HTTP/1.1, but to say that it took too long (408).
        """
        kept_for = time.monotonic() - self._rested_at
        return not self._busy and (self.socket.readable or kept_for > self._kept_s)


class _Body(httpx.AsyncByteStream):
    def __init__(self, connection: Http1Connection) -> None:
        self._connection = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.body()

    async def aclose(self) -> None:
        self._connection.end()
