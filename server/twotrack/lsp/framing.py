"""Where a message begins and ends in a byte stream.

pygls reads headers case-sensitively, and ends at the first length that is wrong; here the stream
goes on with the next message.
"""

import re

MAX_BODY_BYTES = 64 * 1024 * 1024
"""A larger message is skipped; a larger backlog of answers nobody reads ends the connection."""

MAX_GARBAGE_BYTES = 1024 * 1024
"""So much between two messages that is none: what comes is no LSP, and the connection ends."""
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"(?i:content-length):[ \t]*(\d{1,19})[ \t]*(?=\r?\n)")
_FIELDS = re.compile(rb"(?:[\w-]+:[^\r\n]*(?:\r?\n|\Z))+")
_TOLD_LAST = re.compile(rb"Content-Length: \d{1,19}\Z")
_FIELD = re.compile(rb"[\w-]+:[^\r\n]*")
_BODY_BEGIN = b"\r\n\r\n{"
"""Behind a header: no JSON holds both, so the length of a body with them in it was wrong."""
_USUAL_HEADER_BYTES = 256
"""Bytes: so far behind a body whose length was too large the next header is looked for."""
_MAX_HEADER_BYTES = 64 * 1024


class FrameError(Exception):
    """A message that cannot be read; the stream goes on behind it."""


class LostError(FrameError):
    """So much came that is no message that the other side does not speak LSP."""


class Decoder:
    """Finds the messages in a stream that comes in pieces.

    After garbage, or a length that was wrong, it finds the next header, wherever that stands.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        """Of the body that comes next, or of what is left of it, where its header is read."""
        self._skips = False
        """Whether that body is too long to be kept."""
        self._searched = 0
        """So far the buffer holds no end of a header."""
        self._garbage = 0
        """Bytes since the last message that belonged to none."""

    @property
    def partial(self) -> bool:
        """Whether a message has begun that has not ended."""
        return bool(self._buffer) or self._length is not None

    def feed(self, data: bytes) -> list[bytes | FrameError]:
        """Take a piece; give the body of each message that it completes."""
        found: list[bytes | FrameError] = []
        self._buffer += data
        while self._read_body(found) if self._length is not None else self._read_header(found):
            pass
        return found

    def _read_header(self, found: list[bytes | FrameError]) -> bool:
        """Take a header from the buffer; false if it is not whole yet."""
        end = _HEADER_END.search(self._buffer, self._searched)
        if end is None:
            self._searched = max(len(self._buffer) - len(b"\r\n\r"), 0)
            excess = len(self._buffer) - _MAX_HEADER_BYTES
            if excess > 0:
                self._drop(excess, "a message header is longer than 64 KiB", found)
            return False
        head = bytes(self._buffer[: end.end()])
        told = next(reversed(list(_LENGTH.finditer(head))), None)
        if told is None:
            self._drop(end.end(), "a message came without a Content-Length header", found)
            return True
        # What stands before the header is said once; with it, it is no longer in the way.
        first = 0 if _FIELDS.match(head, 0, told.end()) else told.start()
        if first:
            self._drop(first, "something came that belongs to no message", found)
        self._take(end.end() - first)
        self._searched = 0
        self._length = int(told[1])
        self._skips = self._length > MAX_BODY_BYTES
        if self._skips:
            found.append(FrameError(f"a message of {self._length} bytes is longer than 64 MiB"))
        return True

    def _read_body(self, found: list[bytes | FrameError]) -> bool:
        """Take a body from the buffer, up to a header within it; false if it is not whole."""
        length = self._length or 0
        inner = self._header_within(length)
        if inner is not None:
            length = inner
        elif len(self._buffer) < length:
            if self._skips:  # all but what may be the begin of a header
                excess = max(len(self._buffer) - _MAX_HEADER_BYTES, 0)
                self._length = length - excess
                self._take(excess)
            return False
        body = self._take(length)
        self._length, self._searched, self._garbage = None, 0, 0
        if not self._skips:
            found.append(body)
        return True

    def _header_within(self, length: int) -> int | None:
        """Where a header begins within the body of `length` that the buffer begins with."""
        limit = length + _USUAL_HEADER_BYTES
        while (end := self._buffer.find(_BODY_BEGIN, self._searched, limit)) >= 0:
            start = self._header_start(end)
            if start is not None and start < length:
                return start
            self._searched = end + 1
        reached = min(len(self._buffer), limit) - len(_BODY_BEGIN) + 1
        self._searched = max(reached, self._searched)
        return None

    def _header_start(self, end: int) -> int | None:
        """Where the header begins whose last field ends at `end`; None if none does."""
        while True:
            line = self._buffer.rfind(b"\n", 0, end) + 1
            if told := _TOLD_LAST.search(self._buffer, line, end):
                return told.start()
            if not line or not _FIELD.fullmatch(self._buffer, line, end):
                return None
            end = line - len(b"\r\n")

    def _take(self, size: int) -> bytes:
        """Take the first bytes out of the buffer."""
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._searched = max(self._searched - size, 0)
        return taken

    def _drop(self, size: int, said: str, found: list[bytes | FrameError]) -> None:
        """Leave out bytes that belong to no message; say so, but once for all of them."""
        if not self._garbage:
            found.append(FrameError(said))
        self._garbage += size
        if self._garbage > MAX_GARBAGE_BYTES:
            found.append(LostError("what comes on standard input is not the LSP"))
        self._take(size)


def frame(body: bytes) -> bytes:
    """Put the header before a body."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
