"""A text while many changes are made to it, one upon the other.

A change within a line replaces that line only; the snapshot is made at the end.
"""

from bisect import bisect_right

from twotrack.text import Encoding, Range, Snapshot


class Draft:
    """Begins as a snapshot; whatever is replaced, it reads as `Snapshot.replace` would leave it."""

    def __init__(self, text: Snapshot) -> None:
        self._begin(text)

    def _begin(self, text: Snapshot) -> None:
        self._text = text
        self._firsts = text.first_lines
        self._count = text.line_count
        self._changed: dict[int, list[str]] = {}
        """Lines of the chunks in which something was replaced."""

    def snapshot(self) -> Snapshot:
        """Return the text as it is now."""
        if self._changed:
            self._begin(self._text.with_chunks(self._changed))
        return self._text

    def replace_all(self, new_text: str) -> None:
        """Put another text in its place."""
        self._begin(Snapshot(new_text))

    def replace(self, start: tuple[int, int], end: tuple[int, int], new: str, by: Encoding) -> None:
        """Replace what lies between two places, each a line and a `character` on the wire."""
        if start[0] == end[0] < self._count and self._replace_within(start[0], start, end, new, by):
            return
        text = self.snapshot()
        first, last = (text.from_units(*place, by) for place in (start, end))
        self._begin(text.replace(Range(first, max(first, last)), new))

    def _replace_within(
        self, line: int, start: tuple[int, int], end: tuple[int, int], new: str, by: Encoding
    ) -> bool:
        """Replace a part of a line; false if its end, or the end of another, may change."""
        chunk = bisect_right(self._firsts, line) - 1
        if "\n" in new or "\r" in new or chunk + 1 >= len(self._firsts):
            return False
        lines = self._changed.get(chunk) or list(self._text.chunk_lines(chunk))
        raw = lines[line - self._firsts[chunk]]
        content = raw.rstrip("\r\n")
        first = by.characters(content, start[1])
        last = max(first, by.characters(content, end[1]))
        changed = raw[:first] + new + raw[last:]
        if changed[:1] in ("", "\n"):  # nothing is left of it, or a \r before may join it
            return False
        self._changed[chunk] = lines
        lines[line - self._firsts[chunk]] = changed
        return True
