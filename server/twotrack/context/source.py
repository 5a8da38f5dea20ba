"""A text as UTF-8 bytes, and the way between bytes and positions."""

import re
from bisect import bisect_right
from itertools import accumulate

from twotrack.text import Position, Range, common_head, common_tail

_LONE_CR = re.compile(rb"\r(?!\n)")
_LINE_END = re.compile(rb"\r\n?|\n")
_BLANKS = re.compile(rb"\s*")
_CONTINUATION = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 that begin no character."""
_STEP = 4_096
"""Bytes between two places whose characters are counted: a line may be a megabyte."""


class SourceBytes:
    """The bytes that tree-sitter counts. Immutable."""

    __slots__ = ("_counts", "_starts", "data")

    def __init__(self, text: str) -> None:
        # One byte for a lone surrogate, which UTF-8 cannot hold: positions stay right.
        data = text.encode(errors="replace")
        # A lone \r ends a line too, which tree-sitter's grammars do not know.
        self.data = _LONE_CR.sub(b"\n", data) if b"\r" in data else data
        self._starts: list[int] | None = None
        self._counts: list[int] | None = None

    def _lines(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(m.end() for m in _LINE_END.finditer(self.data))]
        return self._starts

    def _characters(self, byte: int) -> int:
        """How many characters begin before `byte`."""
        if self._counts is None:
            steps = range(0, len(self.data) + 1, _STEP)
            begun = (_begun(self.data[start : start + _STEP]) for start in steps)
            self._counts = [0, *accumulate(begun)]
        step = byte // _STEP
        return self._counts[step] + _begun(self.data[step * _STEP : byte])

    def position(self, byte: int) -> Position:
        """The position before which `byte` bytes lie."""
        starts = self._lines()
        line = bisect_right(starts, byte) - 1
        end = self._without_line_end(starts[line], min(byte, len(self.data)))
        return Position(line, self._characters(end) - self._characters(starts[line]))

    def _without_line_end(self, start: int, end: int) -> int:
        while end > start and self.data[end - 1] in b"\r\n":
            end -= 1
        return end

    def byte(self, position: Position) -> int:
        """How many bytes lie before `position` (clamped)."""
        starts = self._lines()
        if position.line >= len(starts):
            return len(self.data)
        start = starts[position.line]
        stop = starts[position.line + 1] if position.line + 1 < len(starts) else len(self.data)
        stop = self._without_line_end(start, stop)
        before = self._characters(start) + max(position.character, 0)
        if before >= self._characters(stop):
            return stop
        assert self._counts is not None  # noqa: S101  # for mypy: they were counted above
        step = bisect_right(self._counts, before) - 1
        # From the first whole character of the step on.
        piece = self.data[step * _STEP : (step + 1) * _STEP]
        whole = piece.lstrip(_CONTINUATION)
        head = whole.decode(errors="ignore")[: before - self._counts[step]]
        return step * _STEP + len(piece) - len(whole) + len(head.encode())

    def range(self, start: int, end: int) -> Range:
        """The range between two bytes."""
        return Range(self.position(start), self.position(end))

    def text(self, start: int, end: int) -> str:
        """The text between two bytes."""
        return self.data[start:end].decode(errors="replace")

    def indents(self, byte: int) -> bool:
        """Whether only white space lies before `byte` on its line."""
        starts = self._lines()
        blanks = _BLANKS.match(self.data, starts[bisect_right(starts, byte) - 1], byte)
        return blanks is not None and blanks.end() == byte

    def line_ends(self, start: int, end: int) -> int:
        """How many line ends lie between two bytes."""
        return len(_LINE_END.findall(self.data, start, end))

    def common_head(self, other: "SourceBytes") -> int:
        """How many bytes both begin with."""
        return common_head(self.data, other.data)

    def common_tail(self, other: "SourceBytes", head: int) -> int:
        """How many bytes both end with, `head` bytes at the front left out."""
        return common_tail(self.data[head:], other.data[head:])

    def point(self, byte: int, known: tuple[int, int] = (0, 0)) -> tuple[int, int]:
        """The row and column of a byte, as tree-sitter counts them.

        `known`: a byte that is not after it, and the row of that.
        """
        start, row = known
        row += self.data.count(b"\n", start, byte)
        return row, byte - (self.data.rfind(b"\n", 0, byte) + 1)


def _begun(piece: bytes) -> int:
    """How many characters begin in a piece of UTF-8."""
    return len(piece) if piece.isascii() else len(piece.translate(None, _CONTINUATION))
