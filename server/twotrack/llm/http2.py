"""HTTP/2 in which an abandoned answer is cancelled on the wire.

httpcore 1.0.9 sends no RST_STREAM when an answer is closed early or its request cancelled
(encode/httpcore #1022): the provider would go on generating at the user's cost, and after 100 of
these the connection takes no more requests. This is the only file that knows httpcore's insides;
where a later version has others, `SUPPORTED` is false and HTTP/1.1 is spoken.
"""

from contextlib import suppress

import h2.errors
import h2.events
import h2.exceptions
import httpcore

from twotrack.llm.sockets import Socket


class Http2Connection(httpcore.AsyncHTTP2Connection):
    """One connection for many requests; those that are given up are reset, the others go on."""

    _network_stream: Socket

    async def prepare(self) -> None:
        """Send the preface: servers hang up on a connection that stays silent (Go's after 10 s)."""
        await super()._send_connection_init(httpcore.Request("HEAD", "https://"))

    async def _send_connection_init(self, request: httpcore.Request) -> None:
        """Done by `prepare`."""

    async def _read_incoming_data(self, request: httpcore.Request) -> list[h2.events.Event]:
        """Read frames; what is none ends the connection, for all its requests."""
        try:
            return await super()._read_incoming_data(request)
        except h2.exceptions.ProtocolError as broken:
            self._connection_error = True
            self._read_exception = httpcore.RemoteProtocolError(broken)
            raise self._read_exception from None

    async def _response_closed(self, stream_id: int) -> None:
        """End a request, however it ended. The reset comes first: nothing here can be cancelled."""
        self._reset(stream_id)
        await super()._response_closed(stream_id)

    def _reset(self, stream_id: int) -> None:
        stream = self._h2_state.streams.get(stream_id)
        if stream is None or stream.closed:
            return
        with suppress(h2.exceptions.ProtocolError, httpcore.WriteError):  # closed as a whole
            # Unread data counts against the window of the connection, which all answers share.
            for event in self._events.get(stream_id, ()):
                if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                    length = event.flow_controlled_length
                    self._h2_state.acknowledge_received_data(length, stream_id)
            self._h2_state.reset_stream(stream_id, h2.errors.ErrorCodes.CANCEL)
            self._network_stream.send(self._h2_state.data_to_send())


_METHODS = ("_response_closed", "_send_connection_init", "_read_incoming_data")
_FIELDS = ("_network_stream", "_h2_state", "_events", "_connection_error", "_read_exception")


def _supported() -> bool:
    """Whether httpcore still has the insides that are used here."""
    if not all(hasattr(httpcore.AsyncHTTP2Connection, name) for name in _METHODS):
        return False
    made = Http2Connection(httpcore.Origin(b"https", b"", 443), Socket())
    return all(hasattr(made, name) for name in _FIELDS)


SUPPORTED = _supported()


def was_reset(error: Exception) -> bool:
    """Whether the server gave up this request alone, after it may have begun to work on it."""
    said = error.args[0] if error.args else None
    return (
        isinstance(said, h2.events.StreamReset)
        and said.error_code != h2.errors.ErrorCodes.REFUSED_STREAM
    )
