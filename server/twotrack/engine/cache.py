"""Answers that were given, for every place that one still fits: typed through, taken back, undone.

What must agree is the text above the cursor's line, the cursor's line, and the text after the
cursor, as far as the prompt's window reaches: never the prompt's own prefix, which starts where a
window happens to start. The cache lives as long as the settings and the routes.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cachetools import LRUCache, TTLCache

from twotrack.document import Document
from twotrack.engine.acceptance import Features
from twotrack.engine.confidence import TokenLogprobs
from twotrack.lexical import PAIRS as BRACKETS
from twotrack.tasks import Track
from twotrack.text import Position, Snapshot

_LINES_ABOVE, _LINES_BELOW = 256, 64
"""What has to agree; more than a prompt's window holds by default."""
_ROWS = 32
"""Answers kept for one line: one a pause in typing it, and as many taken back."""
_QUOTES = "\"'`"
PAIRS = {opener: closer for closer, opener in BRACKETS.items()} | {q: q for q in _QUOTES}
"""What editors close by themselves."""
CLOSERS = "".join(PAIRS.values())
_MOST_CLOSED = 4
_EMPTY_S, _EMPTY_ENTRIES = 60.0, 256
"""How long, and for how many places, it is remembered that nothing was proposed."""


class CacheKey(NamedTuple):
    """A cursor in a text, for comparison."""

    anchor: tuple[str, str, int, int]
    """Document, language, and hashes of what is above the line and after the cursor."""
    prefix: str
    """The cursor's line up to the cursor."""
    closed: str = ""
    """What follows the cursor and is left out of `anchor`: the editor may have put it there."""


class Cached(NamedTuple):
    """A proposed insertion."""

    text: str
    replaces: int
    """Characters after the cursor that it takes the place of."""
    model: str
    track: Track
    several_lines: bool
    """Whether it was asked for several lines."""
    features: Features
    """Of the place that it was asked for."""
    logprobs: TokenLogprobs = ()
    """Of the tokens of its first line."""
    whole: bool = True
    """Else it is the first line of an answer whose rest had not come."""


class Hit(NamedTuple):
    """What is left of an answer."""

    answer: Cached
    text: str
    typed_through: bool
    """Whether part of it has been typed since."""
    replaces: int = 0
    """Characters after the cursor that it takes the place of."""


class _Row(NamedTuple):
    """One line of a document in which an answer was accepted."""

    text: str
    since: int
    """Characters of it that were there before the answer."""
    rest: str
    """The answer's further lines, with the line end before them."""
    answer: Cached
    first: bool


class CompletionCache:
    """The answers given; bounded to `entries` lines of documents. `clock` gives seconds."""

    def __init__(self, entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rows: LRUCache[tuple[str, str, int, int], list[_Row]] = LRUCache(entries)
        self._empty: TTLCache[tuple[CacheKey, bool], bool] = TTLCache(
            min(entries, _EMPTY_ENTRIES), _EMPTY_S, clock
        )

    def find(
        self, place: CacheKey, *, several_lines: bool = False, whole: bool = False
    ) -> Hit | None:
        """The latest answer that begins as what was typed since it was given.

        `several_lines`: only one that was asked for several lines. `whole`: no first line alone.
        """
        for row in reversed(self._rows.get(place.anchor, ())):
            at = len(place.prefix)
            if at < row.since or not row.text.startswith(place.prefix):
                continue
            text = row.text[at:] + row.rest
            if not text or (several_lines and not row.answer.several_lines):
                continue
            if whole and not row.answer.whole:
                continue
            if place.closed and not _closes(text, place.closed):
                continue
            typed_through = not row.first or at > row.since
            return Hit(row.answer, text, typed_through, row.answer.replaces + len(place.closed))
        return None

    @property
    def keeps(self) -> bool:
        """Whether an answer can be found again at all."""
        return bool(self._rows.maxsize)

    def is_empty(self, place: CacheKey, *, several_lines: bool) -> bool:
        """Whether it is known that nothing is proposed here."""
        return self._empty.get((place, several_lines), False)

    def add_empty(self, place: CacheKey, *, several_lines: bool) -> None:
        """Remember for a while that nothing is proposed here."""
        if self._empty.maxsize:
            self._empty[place, several_lines] = True

    def add(
        self,
        document: Document,
        position: Position,
        place: CacheKey,
        answer: Cached,
        *,
        first: bool = True,
    ) -> None:
        """Remember an answer for the gap at `position` of `document`, which is at `place`.

        `first`: it is the one to find there; else one that others come before.
        """
        if not self.keeps or not answer.text:
            return
        lines = Snapshot(answer.text).lines()
        above = document.text.lines(position.line - _LINES_ABOVE, position.line)
        anchor, start = place.anchor, place.prefix
        for index, line in enumerate(lines):
            text = line.rstrip("\r\n")
            row = _Row(
                text=start + text,
                since=len(start),
                rest=line[len(text) :] + "".join(lines[index + 1 :]),
                answer=answer,
                first=index == 0,
            )
            rows = self._rows.setdefault(anchor, [])
            if first or row[:3] not in [r[:3] for r in rows]:
                others = [r for r in rows if r[:3] != row[:3]]
                rows[:] = ([*others, row] if first else [row, *others])[-_ROWS:]
            above = [*above[-_LINES_ABOVE + 1 :], start + line]
            anchor = (*place.anchor[:2], hash(tuple(above)), place.anchor[3])
            start = ""


def place_of(document: Document, position: Position) -> CacheKey:
    """The place of `position` (which exists) in `document`."""
    return next(places_of(document, position))


def places_of(document: Document, position: Position) -> Iterator[CacheKey]:
    """The place of `position` (which exists), and those without what may have been closed there."""
    line, character = position
    own, above = document.text.line(line), above_of(document, line)
    below = document.text.lines(line + 1, line + 1 + _LINES_BELOW)
    for end in range(character, min(len(own), character + _MOST_CLOSED) + 1):
        if end > character and own[end - 1] not in CLOSERS:
            return
        anchor = (document.uri, document.language, above, hash((own[end:], *below)))
        yield CacheKey(anchor, own[:character], own[character:end])


def above_of(document: Document, line: int) -> int:
    """A hash of what is above a line."""
    return hash(tuple(document.text.lines(line - _LINES_ABOVE, line)))


def below_of(document: Document, position: Position) -> int:
    """A hash of what is after a position."""
    line, character = position
    below = document.text.lines(line + 1, line + 1 + _LINES_BELOW)
    return hash((document.text.line(line)[character:], *below))


def _closes(text: str, closed: str) -> bool:
    """Whether `text` closes what `closed` closes, and nothing else that it did not open."""
    awaited = list(reversed(closed))
    escaped = False
    for char in text:
        quoted = bool(awaited) and awaited[-1] in _QUOTES
        if escaped or char == "\\":
            escaped = not escaped
        elif awaited and char == awaited[-1]:
            awaited.pop()
        elif not quoted and char in PAIRS:
            awaited.append(PAIRS[char])
        elif not quoted and char in CLOSERS:
            return False
    return not awaited
