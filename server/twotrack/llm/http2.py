"""HTTP/2 in which an abandoned answer is cancelled on the wire, and every other one goes on.

httpcore 1.0.9 sends no RST_STREAM when an answer is closed early or its request cancelled
(encode/httpcore #1022): the provider would go on generating at the user's cost, and after 100 of
these the connection takes no more requests. It also drops all answers that are under way when a
server takes its leave (GOAWAY; nginx does so after 1000 requests). This is the only file that knows
httpcore's insides; where a later version has others, `SUPPORTED` is false and HTTP/1.1 is spoken.
"""

import asyncio
import time
from contextlib import nullcontext, suppress
from typing import Any

import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import httpcore

from twotrack.llm.sockets import Socket

_ENDS = (h2.events.StreamEnded, h2.events.StreamReset)
_UPLOADING = "twotrack.uploading"
_MOST = 100
"""Requests at a time, where the server does not allow fewer."""


class _Slots:
    """Room for requests at a time, in place of httpcore's semaphore.

    That one leaves room for a single request where the server sets no limit, and waits, with
    nobody reading, where the server lowers it.
    """

    def __init__(self) -> None:
        self._limit = _MOST
        self._taken = 0
        self._changed = asyncio.Event()

    def allow(self, limit: int) -> None:
        self._limit = min(limit, _MOST)
        self._changed.set()

    async def acquire(self) -> None:
        while self._taken >= self._limit:
            self._changed.clear()
            await self._changed.wait()
        self._taken += 1

    async def release(self) -> None:
        self._taken -= 1
        self._changed.set()


class _Frames(h2.connection.H2Connection):
    def _receive_goaway_frame(self, frame: Any) -> tuple[list[Any], list[h2.events.Event]]:
        """Say so, and go on: h2 would refuse the rest of the answers that are under way."""
        leave = h2.events.ConnectionTerminated()
        leave.last_stream_id = frame.last_stream_id
        return [], [leave]


class Http2Connection(httpcore.AsyncHTTP2Connection):
    """One connection for many requests; those that are given up are reset, the others go on."""

    def __init__(self, origin: httpcore.Origin, socket: Socket, kept_s: float) -> None:
        super().__init__(origin, socket)
        self.socket = socket
        self._h2_state = _Frames(config=self.CONFIG)
        self._state_lock = nullcontext()  # type: ignore[assignment]  # so that closing never waits
        self._slots = _Slots()
        self._max_streams_semaphore = self._slots  # type: ignore[assignment]
        self._kept_s = kept_s
        self._rested_at = time.monotonic()
        self._asking = 0
        """Requests that have no answer yet."""
        self._leaving = False
        """Whether the server takes no more requests."""

    async def prepare(self) -> None:
        """Send the preface: servers hang up on a connection that stays silent (Go's after 10 s)."""
        await self._send_connection_init(httpcore.Request("HEAD", "https://"))
        self._sent_connection_init = True

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Ask. Raises httpcore's errors."""
        self._asking += 1
        try:
            return await super().handle_async_request(request)
        except ValueError as none:  # a status that is no number
            raise httpcore.RemoteProtocolError(none) from None
        finally:
            self._asking -= 1
            await self._ended()

    async def _ended(self) -> None:
        self._rested_at = time.monotonic()
        if self._leaving and self.is_idle():
            await self.aclose()

    async def _send_request_headers(self, request: httpcore.Request, stream_id: int) -> None:
        if self._leaving or self._connection_error:  # since it waited for room
            raise httpcore.ConnectionNotAvailable
        await super()._send_request_headers(request, stream_id)

    async def _send_request_body(self, request: httpcore.Request, stream_id: int) -> None:
        """Send the body, or as much of it as the server wants before it answers."""
        request.extensions[_UPLOADING] = stream_id
        with suppress(h2.exceptions.StreamClosedError):
            await super()._send_request_body(request, stream_id)
        del request.extensions[_UPLOADING]

    async def _read_incoming_data(self, request: httpcore.Request) -> list[h2.events.Event]:
        """Read frames; what is none ends the connection, for all its requests."""
        if self._can_upload(request):
            return []
        try:
            events = await super()._read_incoming_data(request)
        except h2.exceptions.ProtocolError as broken:
            self._connection_error = True
            self._read_exception = httpcore.RemoteProtocolError(broken)
            raise self._read_exception from None
        return [event for event in events if not self._heeded(event)]

    def _can_upload(self, request: httpcore.Request) -> bool:
        """Whether another request has read, meanwhile, what this one waits for.

        Raises StreamClosedError where that is no room for the body but the answer.
        """
        stream_id = request.extensions.get(_UPLOADING)
        if stream_id is None:
            return False
        if any(isinstance(event, _ENDS) for event in self._events[stream_id]):
            raise h2.exceptions.StreamClosedError(stream_id)
        return self._h2_state.local_flow_control_window(stream_id) > 0

    def _heeded(self, event: h2.events.Event) -> bool:
        """Act on what concerns the connection; whether it was that."""
        if isinstance(event, h2.events.RemoteSettingsChanged):
            limit = h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS
            changed = event.changed_settings.get(limit)
            if changed is not None and changed.new_value:
                self._slots.allow(changed.new_value)
            elif changed is not None:  # where nobody asks, nobody would read of room again
                self._leave()
            return True
        if not isinstance(event, h2.events.ConnectionTerminated):
            return False
        self._leave()
        for stream_id, events in self._events.items():
            if stream_id > (event.last_stream_id or 0):  # which the server has not begun
                refused = h2.errors.ErrorCodes.REFUSED_STREAM
                events.append(h2.events.StreamReset(stream_id=stream_id, error_code=refused))
        return True

    def _leave(self) -> None:
        """Take no more requests; who waits for room asks elsewhere."""
        self._leaving = True
        self._slots.allow(_MOST)

    async def _response_closed(self, stream_id: int) -> None:
        """End a request, however it ended. Nothing here waits, so nothing can be cancelled."""
        self._reset(stream_id)
        await super()._response_closed(stream_id)
        await self._ended()

    def _reset(self, stream_id: int) -> None:
        with suppress(h2.exceptions.ProtocolError):  # closed as a whole
            # Unread data counts against the window of the connection, which all answers share.
            for event in self._events.get(stream_id, ()):
                if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                    length = event.flow_controlled_length
                    self._h2_state.acknowledge_received_data(length, stream_id)
            stream = self._h2_state.streams.get(stream_id)
            if stream is not None and not stream.closed:
                self._h2_state.reset_stream(stream_id, h2.errors.ErrorCodes.CANCEL)
            self.socket.send(self._h2_state.data_to_send())

    def is_available(self) -> bool:
        """Whether it takes one more request."""
        return not self._leaving and super().is_available()

    def is_idle(self) -> bool:
        """Whether closing it would cut nothing. httpcore forgets those who wait for room."""
        return not (self._asking or self._events or self.is_closed())

    def has_expired(self) -> bool:
        """Whether it waited unused for too long."""
        return self.is_idle() and time.monotonic() > self._rested_at + self._kept_s


_METHODS = (
    "_response_closed",
    "_send_connection_init",
    "_send_request_headers",
    "_send_request_body",
    "_read_incoming_data",
)
_FIELDS = (
    "_h2_state",
    "_events",
    "_connection_error",
    "_read_exception",
    "_state_lock",
    "_sent_connection_init",
)


def _supported() -> bool:
    """Whether httpcore and h2 still have the insides that are used here."""
    if not all(hasattr(httpcore.AsyncHTTP2Connection, name) for name in _METHODS):
        return False
    # Made at the first request only, so no field yet.
    if "_max_streams_semaphore" not in (
        httpcore.AsyncHTTP2Connection.handle_async_request.__code__.co_names
    ):
        return False
    made = httpcore.AsyncHTTP2Connection(httpcore.Origin(b"https", b"", 443), Socket())
    return hasattr(h2.connection.H2Connection, "_receive_goaway_frame") and all(
        hasattr(made, name) for name in _FIELDS
    )


SUPPORTED = _supported()


def was_refused(error: Exception) -> bool:
    """Whether the server says that it has not begun to work on this request."""
    said = error.args[0] if error.args else None
    return (
        isinstance(said, h2.events.StreamReset)
        and said.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
    )
