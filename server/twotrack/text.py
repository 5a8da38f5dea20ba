r"""The text of a document: an immutable snapshot with a line index.

Lines end at ``\n``, ``\r\n`` and ``\r`` only, as the Language Server Protocol says; a form feed,
U+0085 or U+2028 is an ordinary character (``str.splitlines`` would split there).

Positions inside the program count code points. `Encoding` converts to and from the units of the
wire at the border. The lines are kept in chunks of bounded size, so an edit copies one chunk and
the list of chunks, not the document.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import NamedTuple

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_CHUNK_LINES = 128
BOM = "\ufeff"
"""The byte order mark: some editors leave it at the start of a text, and it is no part of it."""
_STEPS = (16_384, 256, 16, 1)
"""Characters of a line that are converted at a time."""


class Position(NamedTuple):
    """A place between two characters: zero-based line, and code points from its start."""

    line: int
    character: int


class Range(NamedTuple):
    """From `start` up to, not including, `end`."""

    start: Position
    end: Position

    @property
    def empty(self) -> bool:
        """Whether nothing lies inside."""
        return self.start == self.end


class Edit(NamedTuple):
    """Replace a range by a text."""

    range: Range
    new_text: str


class Encoding(StrEnum):
    """What a `character` on the wire counts (LSP `PositionEncodingKind`)."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"

    def units(self, text: str) -> int:
        """Length of `text` on the wire."""
        if self is Encoding.UTF32 or text.isascii():
            return len(text)
        if self is Encoding.UTF8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def characters(self, line: str, units: int) -> int:
        """Code points of `line` that `units` cover; past its end: all of them.

        Units that end inside a character count as before it.
        """
        if units <= 0:
            return 0
        if self is Encoding.UTF32 or line.isascii():
            return min(units, len(line))
        # Ever smaller steps, as encoding is fast and a line may be a megabyte.
        start = 0
        for step in _STEPS:
            while start < len(line):
                piece = line[start : start + step]
                width = self.units(piece)
                if width > units:
                    if width == len(piece):  # one each
                        return start + units
                    break
                units -= width
                start += step
        return min(start, len(line))


class Chunk:
    """Some lines with their line ends. Immutable: snapshots share it, and what it has counted."""

    __slots__ = ("characters", "lines", "longest")

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        lengths = list(map(len, self.lines))
        self.characters = sum(lengths)
        self.longest = max(lengths)


class Snapshot:
    """A text that never changes; an edit gives a new one that shares what it can."""

    __slots__ = ("_chunks", "_first_chars", "_first_lines", "_text")

    _chunks: list[Chunk]
    _first_chars: list[int]
    _first_lines: list[int]

    def __init__(self, text: str = "") -> None:
        self._text: str | None = text

    def __getattr__(self, name: str) -> object:
        """Make the lines at the first need: most open documents only lie there."""
        if name not in Snapshot.__slots__ or self._text is None:
            raise AttributeError(name)
        self._index(chunked(split_lines(self._text)))
        return getattr(self, name)

    def _index(self, chunks: list[Chunk]) -> None:
        self._chunks = chunks
        self._first_lines = [0, *accumulate(len(chunk.lines) for chunk in chunks)]
        self._first_chars = [0, *accumulate(chunk.characters for chunk in chunks)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot) or len(self) != len(other):
            return False
        if self._text is None and other._text is None and self._first_lines == other._first_lines:
            for ours, theirs in zip(self._chunks, other._chunks, strict=True):
                if ours is not theirs and ours.lines != theirs.lines:
                    return False
            return True
        return self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"<Snapshot of {self.line_count} lines>"

    @property
    def text(self) -> str:
        """The whole text."""
        if self._text is None:
            self._text = "".join(["".join(chunk.lines) for chunk in self._chunks])
        return self._text

    def __len__(self) -> int:
        """Code points in all."""
        return self._first_chars[-1] if self._text is None else len(self._text)

    @property
    def line_count(self) -> int:
        """How many lines an editor shows: one more than there are line ends."""
        stored = self._first_lines[-1]
        return stored + 1 if stored == 0 or self._raw(stored - 1)[-1] in "\r\n" else stored

    @property
    def end(self) -> Position:
        """The position after the last character."""
        last = self.line_count - 1
        return Position(last, len(self.line(last)))

    @property
    def chunks(self) -> Sequence[Chunk]:
        """The lines, some at a time."""
        return self._chunks

    @classmethod
    def of(cls, chunks: Iterable[Chunk]) -> "Snapshot":
        """Return the snapshot of chunks, each of whole lines."""
        snapshot = object.__new__(cls)
        snapshot._text = None
        snapshot._index(list(chunks))
        return snapshot

    def same_lines(self, other: "Snapshot", most: int) -> int:
        """How many lines both begin with, of `most`."""
        same = 0
        chunks = zip(self._chunks, other._chunks, strict=False)  # noqa: SLF001 - its own kind
        for chunk, theirs in chunks:
            if same >= most or chunk is not theirs:
                break
            same += len(chunk.lines)
        if same >= most:
            return most
        return same + common_head(self.lines(same, most), other.lines(same, most))

    def has_line_longer_than(self, characters: int) -> bool:
        """Whether a line has more than so many characters, its line end counted."""
        return any(chunk.longest > characters for chunk in self._chunks)

    def eol_at(self, line: int) -> str:
        """The line end to write at `line`: its own, else that of the line above, else a newline."""
        return self.line_end(line) or (self.line_end(line - 1) if line > 0 else "") or "\n"

    def margin(self, line: int) -> Position:
        """Where the code of `line` may begin: behind a byte order mark."""
        return Position(line, int(line == 0 and self.line(0)[:1] == BOM))

    def _raw(self, index: int) -> str:
        """Line `index` with its line end; empty for the line after the last line end."""
        chunk = bisect_right(self._first_lines, index) - 1
        if chunk >= len(self._chunks):
            return ""
        return self._chunks[chunk].lines[index - self._first_lines[chunk]]

    def line(self, index: int) -> str:
        """Line `index` without its line end."""
        return self._raw(index).rstrip("\r\n")

    def line_end(self, index: int) -> str:
        """The line end of line `index`; empty on the last line."""
        raw = self._raw(index)
        return raw[len(raw.rstrip("\r\n")) :]

    def lines(self, start: int = 0, stop: int | None = None) -> list[str]:
        """Lines `start` up to, not including, `stop`, with their line ends."""
        stop = self.line_count if stop is None else min(stop, self.line_count)
        start = max(start, 0)
        found: list[str] = []
        for index in range(bisect_right(self._first_lines, start) - 1, len(self._chunks)):
            first = self._first_lines[index]
            if first >= stop:
                break
            found += self._chunks[index].lines[max(start - first, 0) : stop - first]
        # The line after the last line end is not stored.
        return found if len(found) >= stop - start else [*found, ""]

    def clamp(self, position: Position) -> Position:
        """The nearest position that exists."""
        if position.line < 0:
            return Position(0, 0)
        if position.line >= self.line_count:
            return self.end
        length = len(self.line(position.line))
        return Position(position.line, min(max(position.character, 0), length))

    def offset(self, position: Position) -> int:
        """Code points before `position` (clamped)."""
        line, character = self.clamp(position)
        chunk = bisect_right(self._first_lines, line) - 1
        if chunk >= len(self._chunks):
            return len(self)
        before = self._chunks[chunk].lines[: line - self._first_lines[chunk]]
        return self._first_chars[chunk] + sum(map(len, before)) + character

    def position(self, offset: int) -> Position:
        """The position that has `offset` code points before it (clamped)."""
        rest = max(offset, 0)
        if rest >= len(self):
            return self.end
        chunk = bisect_right(self._first_chars, rest) - 1
        rest -= self._first_chars[chunk]
        lines = self._chunks[chunk].lines
        ends = list(accumulate(map(len, lines)))
        index = bisect_right(ends, rest)
        rest -= ends[index - 1] if index else 0
        # Between \r and \n there is no position: it counts as before the line end.
        character = min(rest, len(lines[index].rstrip("\r\n")))
        return Position(self._first_lines[chunk] + index, character)

    def slice(self, span: Range) -> str:
        """The text inside `span` (clamped)."""
        start, end = self.clamp(span.start), self.clamp(span.end)
        if start.line == end.line:
            return self._raw(start.line)[start.character : end.character]
        return "".join(
            (
                self._raw(start.line)[start.character :],
                *self.lines(start.line + 1, end.line),
                self._raw(end.line)[: end.character],
            )
        )

    def replace(self, span: Range, new_text: str) -> "Snapshot":
        """Return the snapshot with `span` (clamped) replaced.

        The cost grows with the edit and the square root of the document, not with the document.
        """
        start, end = self.clamp(span.start), self.clamp(span.end)
        if end < start:
            start, end = end, start
        head = self._raw(start.line)[: start.character]
        tail = self._raw(end.line)[end.character :]
        first, last = start.line, end.line + 1
        # A line end may be made or broken across the border of a line: \r before, \n after.
        if not head and new_text[:1] in ("", "\n") and first > 0:
            first -= 1
            head = self._raw(first)
        joined = head + new_text + tail
        if joined.endswith("\r") and self._raw(last).startswith("\n"):
            joined += self._raw(last)
            last += 1
        return self._splice(first, last, split_lines(joined))

    def _splice(self, first: int, last: int, lines: Sequence[str]) -> "Snapshot":
        """Put `lines` in the place of lines `first` up to, not including, `last`."""
        if not self._chunks:
            return Snapshot("".join(lines))
        top = len(self._chunks) - 1
        left = min(bisect_right(self._first_lines, first) - 1, top)
        right = min(bisect_right(self._first_lines, max(last - 1, first)) - 1, top)
        merged = (
            *self._chunks[left].lines[: first - self._first_lines[left]],
            *lines,
            *self._chunks[right].lines[max(last - self._first_lines[right], 0) :],
        )
        # Twice the size before a chunk is cut, so that typing does not cut at every line.
        few = 0 < len(merged) <= 2 * _CHUNK_LINES
        middle = [Chunk(merged)] if few else chunked(merged)
        snapshot = object.__new__(Snapshot)
        snapshot._text = None
        snapshot._chunks = [*self._chunks[:left], *middle, *self._chunks[right + 1 :]]
        sizes = [len(chunk.lines) for chunk in middle]
        snapshot._first_lines = _moved(self._first_lines, left, sizes, right)
        sizes = [chunk.characters for chunk in middle]
        snapshot._first_chars = _moved(self._first_chars, left, sizes, right)
        return snapshot

    def apply(self, edits: Iterable[Edit]) -> "Snapshot":
        """Apply edits that all speak of this snapshot and do not overlap.

        Edits at the same place go in in the order given. Raises ValueError if two overlap.
        """
        ordered = sorted(
            enumerate(edits), key=lambda item: (item[1].range.start, item[1].range.end, item[0])
        )
        for (_, before), (_, after) in pairwise(ordered):
            if after.range.start < before.range.end:
                raise ValueError("the edits overlap")
        result = self
        for _, edit in reversed(ordered):
            result = result.replace(edit.range, edit.new_text)
        return result

    def to_units(self, position: Position, encoding: Encoding) -> int:
        """The `character` of `position` on the wire."""
        return encoding.units(self.line(position.line)[: position.character])

    def from_units(self, line: int, units: int, encoding: Encoding) -> Position:
        """The position that the wire calls `line`, `units` (clamped)."""
        if line >= self.line_count:
            return self.end
        return Position(line, encoding.characters(self.line(line), units))


def common_head(a: Sequence[object], b: Sequence[object]) -> int:
    """How many items both begin with."""
    low, high = 0, min(len(a), len(b))
    while low < high:  # by slices, which are compared without the interpreter
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_tail(a: Sequence[object], b: Sequence[object]) -> int:
    """How many items both end with."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _moved(firsts: list[int], left: int, sizes: list[int], right: int) -> list[int]:
    """Where chunks begin when those from `left` to `right` give way to some of these sizes."""
    new = [*accumulate(sizes, initial=firsts[left])]
    by, rest = new[-1] - firsts[right + 1], firsts[right + 2 :]
    return [*firsts[:left], *new, *([first + by for first in rest] if by else rest)]


def chunked(lines: Sequence[str]) -> list[Chunk]:
    """Return lines in chunks of bounded size."""
    starts = range(0, len(lines), _CHUNK_LINES)
    return [Chunk(lines[start : start + _CHUNK_LINES]) for start in starts]


def split_lines(text: str) -> list[str]:
    """Return the lines of a text with their line ends; the last may have none."""
    if "\r" not in text:
        lines = text.split("\n")
        last = lines.pop()
        split = [line + "\n" for line in lines]
        return [*split, last] if last else split
    return _LINE.findall(text)
