"""Server-sent events, decoded without I/O (WHATWG HTML, "Event stream interpretation")."""

import re
from typing import NamedTuple

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event: its name (empty if the server gave none) and its data lines joined."""

    name: str
    data: str


class Overflow(ValueError):
    """A line or an event is larger than allowed."""


class Decoder:
    """Feed bytes as they come, cut anywhere; take whole events.

    `max_bytes` bounds one line and the data of one event. Comments, `id` and `retry` are skipped.
    A line ``error:`` is the data of an event of this name: llama.cpp sent it so until late 2025.
    """

    def __init__(self, max_bytes: int = 2**20) -> None:
        self._max = max_bytes
        self._rest = bytearray()
        self._after_cr = False
        self._started = False
        self._name = ""
        self._data: list[str] = []
        self._data_bytes = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes. Raises Overflow."""
        if not chunk:
            return []
        # A \r ends its line at once: waiting for a \n would hold the event back.
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        *lines, last = _LINE_END.split(chunk) if b"\r" in chunk else chunk.split(b"\n")
        if lines and self._rest:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        self._rest += last
        if len(self._rest) > self._max:
            raise Overflow(f"a line of more than {self._max} bytes")
        return [event for line in lines if (event := self._line(line)) is not None]

    def close(self) -> list[Event]:
        """Return the event that the end of the stream cut short of its blank line, if any."""
        last = bytes(self._rest)
        self._rest.clear()
        events = (self._line(last), self._line(b"")) if last else (self._line(b""),)
        return [event for event in events if event is not None]

    def _line(self, line: bytes) -> Event | None:
        if len(line) > self._max:
            raise Overflow(f"a line of more than {self._max} bytes")
        if not self._started:
            self._started = True
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if line.startswith(b"data"):
            name, _, value = line.partition(b":")
            if name == b"data":
                self._add(value.removeprefix(b" "))
        elif line.startswith(b"event:"):
            self._name = line[6:].removeprefix(b" ").decode("utf-8", "replace")
        elif line.startswith(b"error:"):
            self._name = "error"
            self._add(line[6:].removeprefix(b" "))
        return None

    def _add(self, value: bytes) -> None:
        self._data_bytes += len(value) + 1
        if self._data_bytes > self._max:
            raise Overflow(f"an event of more than {self._max} bytes")
        self._data.append(value.decode("utf-8", "replace"))

    def _dispatch(self) -> Event | None:
        event = Event(self._name, "\n".join(self._data)) if self._data else None
        self._name, self._data, self._data_bytes = "", [], 0
        return event
