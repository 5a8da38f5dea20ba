"""JSON values one to a line (NDJSON), decoded without I/O."""

from twotrack.llm.sse import Event, Overflow

_BOM = b"\xef\xbb\xbf"


class Decoder:
    """Feed bytes as they come, cut anywhere; take whole lines, as events without a name.

    `max_bytes` bounds one line. Lines of blanks are skipped.
    """

    def __init__(self, max_bytes: int = 2**20) -> None:
        self._max = max_bytes
        self._rest = bytearray()
        self._started = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the lines that `chunk` completes. Raises Overflow."""
        *lines, last = chunk.split(b"\n")
        if lines and self._rest:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        self._rest += last
        if len(self._rest) > self._max:
            raise Overflow(f"a line of more than {self._max} bytes")
        return [Event("", text) for line in lines if (text := self._line(line))]

    def close(self) -> list[Event]:
        """Return the last line, where the stream ended without ending it."""
        last = self._line(bytes(self._rest))
        self._rest.clear()
        return [Event("", last)] if last else []

    def _line(self, line: bytes) -> str:
        if len(line) > self._max:
            raise Overflow(f"a line of more than {self._max} bytes")
        if not self._started:
            self._started = True
            line = line.removeprefix(_BOM)
        return line.strip().decode("utf-8", "replace")
