"""A place in a document that something was asked or proposed for, and what came to stand there."""

from collections.abc import Iterator
from typing import NamedTuple

from twotrack.document import Document
from twotrack.engine.cache import CacheKey, above_of, below_of
from twotrack.text import Position, Range


class Typed(NamedTuple):
    """What stands at a place that nothing else was changed around."""

    text: str
    r"""Its line ends are ``\n``."""
    end: Position


class InsertionPoint:
    """Follows a place from one state of its document to the next."""

    def __init__(
        self, document: Document, position: Position, place: CacheKey, *, replaces: int = 0
    ) -> None:
        """`place` is that of `position`; a proposal may replace so many characters after it."""
        text, (line, character) = document.text, position
        self.place = place
        self.position = position
        self._line_count = text.line_count
        own = text.line(line)
        self._tails = [(own[character:], place.anchor[3])]
        if replaces:
            after = Position(line, character + replaces)
            self._tails.append((own[character + replaces :], below_of(document, after)))

    def typed(self, document: Document) -> Iterator[Typed]:
        """What stands there now: none if something else was changed.

        Two if what a proposal replaces may stand there still, or be gone.
        """
        text, (line, character) = document.text, self.position
        last = line + text.line_count - self._line_count
        if last < line or text.line(line)[:character] != self.place.prefix:
            return
        if above_of(document, line) != self.place.anchor[2]:
            return
        for after, below in self._tails:
            end = Position(last, len(text.line(last)) - len(after))
            if end >= self.position and below_of(document, end) == below:
                typed = text.slice(Range(self.position, end)).replace("\r\n", "\n")
                yield Typed(typed, end)

    def deleted_before(self, document: Document) -> bool:
        """Whether nothing was changed but that the line lacks characters before the place.

        So it is for a moment where an editor puts the word before the cursor anew (ALE).
        """
        text, line = document.text, self.position.line
        row, (after, _) = text.line(line), self._tails[0]
        begun = row.removesuffix(after)
        return (
            text.line_count == self._line_count
            and row.endswith(after)
            and len(begun) < len(self.place.prefix)
            and self.place.prefix.startswith(begun)
            and above_of(document, line) == self.place.anchor[2]
        )
