r"""A text while many changes are made to it, one upon the other.

It is kept in blocks, whatever its lines are: a change replaces the blocks it touches. No block ends
between a \r and its \n.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice
from math import isqrt

from twotrack.text import Chunk, Encoding, Snapshot, chunked, split_lines

_BLOCK = 1_024
"""Characters of a block, at least."""
_JOINED = 32
"""Blocks that are cut into lines at a time."""


class _Block:
    """A part of the text. Immutable."""

    __slots__ = ("_stops", "chunk", "ends", "text", "units")

    def __init__(self, text: str, encoding: Encoding, chunk: Chunk | None = None) -> None:
        self.text = text
        self.chunk = chunk
        """The same lines, if they are as they were."""
        self.units = encoding.units(text)
        self.ends = text.count("\n")
        """Line ends."""
        if "\r" in text:
            self.ends += text.count("\r") - text.count("\r\n")
        self._stops: list[int] | None = None

    @property
    def stops(self) -> list[int]:
        """The places behind the line ends."""
        if self._stops is None:
            self._stops = [*accumulate(map(len, split_lines(self.text)))][: self.ends]
        return self._stops


class _Firsts:
    """How much lies before each block. From one block on, all numbers are off by the same.

    So a change costs as much as it is away from the last one.
    """

    def __init__(self, sizes: list[int]) -> None:
        self.total = sum(sizes)
        self._firsts = [0, *accumulate(sizes[:-1])]
        self._known = 0
        """The last block whose number is right."""
        self._off = 0

    def __getitem__(self, index: int) -> int:
        return self._firsts[index] + (self._off if index > self._known else 0)

    def last(self, most: int) -> int:
        """Return the last block before which lie at most so many."""
        firsts, known = self._firsts, self._known
        if firsts[known] > most:
            return bisect_right(firsts, most, 0, known) - 1
        return bisect_right(firsts, most - self._off, known + 1) - 1

    def splice(self, low: int, behind: int, old: int, new: list[int]) -> None:
        """Put other blocks in the place of some, which held `old`."""
        firsts, known, off = self._firsts, self._known, self._off
        if off and low > known:
            firsts[known + 1 : low + 1] = [n + off for n in firsts[known + 1 : low + 1]]
        elif off:
            firsts[low + 1 : known + 1] = [n - off for n in firsts[low + 1 : known + 1]]
        by = sum(new) - old
        self._known, self._off, self.total = low, off + by, self.total + by
        if behind - low > 1 or len(new) > 1:
            first = firsts[low] - self._off
            firsts[low + 1 : behind] = islice(accumulate(new, initial=first), 1, len(new))


class Draft:
    """Begins as a snapshot; whatever is replaced, it reads as `Snapshot.replace` would leave it."""

    def __init__(self, text: Snapshot, encoding: Encoding, block: int = _BLOCK) -> None:
        self._encoding = encoding
        self._least = block
        self._begin(text)

    def _begin(self, text: Snapshot) -> None:
        self._size = max(self._least, isqrt(len(text)))
        self._blocks: list[_Block] = []
        for chunk in text.chunks:
            joined = "".join(chunk.lines)
            if len(joined) > 8 * self._size:
                self._blocks += self._cut(joined)
            else:
                self._blocks.append(_Block(joined, self._encoding, chunk))
        self._blocks = self._blocks or [_Block("", self._encoding)]
        self._ends = _Firsts([block.ends for block in self._blocks])
        self._units = _Firsts([block.units for block in self._blocks])

    def snapshot(self) -> Snapshot:
        """Return the text as it is now."""
        return Snapshot.of(self.chunks())

    def chunks(self) -> Iterator[Chunk]:
        """Yield the lines as they are now; what did not change is shared."""
        pending: list[str] = []
        for block in self._blocks:
            whole = not pending or pending[-1][-1] in "\r\n"
            if whole and (block.chunk or len(pending) >= _JOINED):
                yield from chunked(split_lines("".join(pending)))
                pending = []
            if whole and block.chunk:
                yield block.chunk
            elif block.text:
                pending.append(block.text)
        yield from chunked(split_lines("".join(pending)))

    def replace_all(self, new_text: str) -> None:
        """Put another text in its place."""
        self._begin(Snapshot(new_text))

    def replace(self, start: tuple[int, int], end: tuple[int, int], new: str) -> None:
        """Replace what lies between two places, each a line and a `character` on the wire."""
        first = self._find(*start)
        (low, head), (high, tail) = first, max(first, self._find(*end))
        blocks = self._blocks
        joined = blocks[low].text[:head] + new + blocks[high].text[tail:]
        top = len(blocks) - 1
        if not joined and high < top:
            high += 1
            joined = blocks[high].text
        if not joined and low:
            low -= 1
            joined = blocks[low].text
        if high < top and joined.endswith("\r") and blocks[high + 1].text.startswith("\n"):
            high += 1
            joined += blocks[high].text
        if low and joined.startswith("\n") and blocks[low - 1].text.endswith("\r"):
            low -= 1
            joined = blocks[low].text + joined
        self._splice(low, high + 1, self._cut(joined))

    def _splice(self, low: int, behind: int, new: list[_Block]) -> None:
        """Put other blocks in the place of some."""
        old = self._blocks[low:behind]
        ends, units = sum(block.ends for block in old), sum(block.units for block in old)
        self._ends.splice(low, behind, ends, [block.ends for block in new])
        self._units.splice(low, behind, units, [block.units for block in new])
        self._blocks[low:behind] = new

    def _cut(self, text: str) -> list[_Block]:
        """Return a text in blocks, one if it is not long."""
        if len(text) <= 2 * self._size:
            return [_Block(text, self._encoding)]
        blocks, start = [], 0
        while start < len(text):
            stop = start + self._size
            stop += text[stop - 1 : stop + 1] == "\r\n"
            blocks.append(_Block(text[start:stop], self._encoding))
            start = stop
        return blocks

    def _find(self, line: int, units: int) -> tuple[int, int]:
        """Where the wire's place is: the block, and the characters before it in that (clamped)."""
        if line > self._ends.total:
            return self._at(self._units.total)
        index, start = self._behind(line) if line else (0, 0)
        block, number = self._blocks[index], line - self._ends[index]
        if number < block.ends:  # most often, all of the line is in one block
            content = block.text[start : block.stops[number]].rstrip("\r\n")
            return index, start + self._encoding.characters(content, units)
        unit = self._units[index] + self._encoding.units(block.text[:start]) + units
        return self._at(min(unit, self._end(line)))

    def _end(self, line: int) -> int:
        """The units before the end of a line."""
        if line == self._ends.total:
            return self._units.total
        index, stop = self._behind(line + 1)
        line_before = self._blocks[index].text[:stop]
        width = 2 if line_before.endswith("\r\n") else 1
        return self._units[index] + self._encoding.units(line_before) - width

    def _at(self, unit: int) -> tuple[int, int]:
        index = self._units.last(unit)
        text = self._blocks[index].text
        return index, self._encoding.characters(text, unit - self._units[index])

    def _behind(self, number: int) -> tuple[int, int]:
        """The place behind a line end, the first is 1."""
        index = self._ends.last(number - 1)
        return index, self._blocks[index].stops[number - self._ends[index] - 1]
