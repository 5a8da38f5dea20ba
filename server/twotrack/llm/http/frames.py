"""The frames of HTTP/2 by their heads: what h2 must not see, and what would be its end."""

import httpx

_MOST_SETTINGS = 1_000
"""Settings of a server, and frames with them, of one connection: h2 walks over all it ever heard
of at each frame."""
_SETTINGS, _GOAWAY, _ACK = 4, 7, 1
_SETTING = 6
"""Bytes of one setting (RFC 9113, 6.5.1)."""
_MOST_FRAME = 1 << 14
_HEAD = 9
"""Bytes before each frame's content (RFC 9113, 4.1)."""


class Frames:
    """The frames of a connection, of which h2 must not see GOAWAY.

    It would refuse the rest of the answers that are under way. Frames that it would wait for in
    vain, or that cost it too much, end the connection.
    """

    def __init__(self) -> None:
        self._held = b""
        self._passing = 0
        """Bytes that belong to the frame that was begun."""
        self._settings = 0

    def without_goodbye(self, data: bytes) -> tuple[bytes, int | None]:
        """Return what is for h2, and the last request a server that leaves will answer.

        Raises httpx.RemoteProtocolError.
        """
        data, at, kept, last = self._held + data, 0, bytearray(), None
        while True:
            piece = data[at : at + self._passing]
            kept += piece
            at += len(piece)
            self._passing -= len(piece)
            head = data[at : at + _HEAD]
            if self._passing or len(head) < _HEAD:
                break
            size = _HEAD + int.from_bytes(head[:3])
            self._judge(size, head[3], head[4])
            if head[3] != _GOAWAY or not _HEAD + 8 <= size <= _MOST_FRAME:
                self._passing = size
            elif len(data) - at < size:
                break
            else:
                last = int.from_bytes(data[at + _HEAD : at + _HEAD + 4]) & 0x7FFFFFFF
                at += size
        self._held = data[at:]
        return bytes(kept), last

    def _judge(self, size: int, kind: int, flags: int) -> None:
        if size > _HEAD + _MOST_FRAME:  # as the text of HTTP/1.1 says it too
            raise httpx.RemoteProtocolError("a frame that is longer than HTTP/2 allows")
        if kind == _SETTINGS and not flags & _ACK:
            self._settings += 1 + size // _SETTING
            if self._settings > _MOST_SETTINGS:
                raise httpx.RemoteProtocolError("a flood of settings")
