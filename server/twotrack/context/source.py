"""A text as UTF-8 bytes, and the way between bytes and positions."""

import re
from bisect import bisect_right

from twotrack.text import Position, Range

_LONE_CR = re.compile(rb"\r(?!\n)")
_LINE_END = re.compile(rb"\r\n?|\n")


class Source:
    """The bytes that tree-sitter counts. Immutable."""

    __slots__ = ("_starts", "data")

    def __init__(self, text: str) -> None:
        # One byte for a lone surrogate, which UTF-8 cannot hold: positions stay right.
        data = text.encode(errors="replace")
        # A lone \r ends a line too, which tree-sitter's grammars do not know.
        self.data = _LONE_CR.sub(b"\n", data) if b"\r" in data else data
        self._starts: list[int] | None = None

    def _lines(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(m.end() for m in _LINE_END.finditer(self.data))]
        return self._starts

    def position(self, byte: int) -> Position:
        """The position before which `byte` bytes lie."""
        starts = self._lines()
        line = bisect_right(starts, byte) - 1
        before = self.data[starts[line] : byte].rstrip(b"\r\n")
        return Position(line, len(before.decode(errors="replace")))

    def byte(self, position: Position) -> int:
        """How many bytes lie before `position` (clamped)."""
        starts = self._lines()
        if position.line >= len(starts):
            return len(self.data)
        start = starts[position.line]
        stop = starts[position.line + 1] if position.line + 1 < len(starts) else len(self.data)
        line = self.data[start:stop].rstrip(b"\r\n").decode(errors="replace")
        return start + len(line[: position.character].encode())

    def range(self, start: int, end: int) -> Range:
        """The range between two bytes."""
        return Range(self.position(start), self.position(end))

    def text(self, start: int, end: int) -> str:
        """The text between two bytes."""
        return self.data[start:end].decode(errors="replace")

    def indents(self, byte: int) -> bool:
        """Whether only white space lies before `byte` on its line."""
        return not self.data[self._lines()[self.position(byte).line] : byte].strip()

    def line_ends(self, start: int, end: int) -> int:
        """How many line ends lie between two bytes."""
        return len(_LINE_END.findall(self.data, start, end))

    def common_head(self, other: "Source") -> int:
        """How many bytes both begin with."""
        return _common(self.data, other.data)

    def common_tail(self, other: "Source", head: int) -> int:
        """How many bytes both end with, `head` bytes at the front left out."""
        return _common(self.data[head:][::-1], other.data[head:][::-1])

    def point(self, byte: int) -> tuple[int, int]:
        """The row and column of a byte, as tree-sitter counts them."""
        return self.data.count(b"\n", 0, byte), byte - (self.data.rfind(b"\n", 0, byte) + 1)


def _common(a: bytes, b: bytes) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
