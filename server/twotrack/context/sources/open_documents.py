"""Pieces of the other open documents that speak of what is written at the cursor.

Chosen once for a region of the document and then kept: while one types, the prompt's head must
not change. In the next region what still serves stays in its place and the rest is appended.
"""

import asyncio
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from twotrack.context.privacy import is_settings
from twotrack.context.sources import Piece, Place, Stability
from twotrack.context.syntax import Definition, Syntax, parse
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.context.window import lines_above
from twotrack.document import Document
from twotrack.languages import language_of
from twotrack.text import BOM, Position, Snapshot

_REGION_LINES = 8
"""Lines that share one choice."""
_LINES_ABOVE = 20
"""Lines above the cursor whose names are looked for."""
_PIECE_LINES = 30
_MAX_DOCUMENT = 200_000
"""Characters; what is longer is data."""
_READ_A_CALL = 40_000
"""Characters that one choice may read anew, so that it stays within milliseconds; the next choice
goes on, and what is longer waits for `index`. A number and no clock: the same state gives the same
prompt."""
_DOCUMENTS = 40
_FLOOR = 1.5
_NAMED = 3.0
"""What weighs more: a piece that defines a name used at the cursor."""
_MAX_PIECES = 8
_FEW = 50
"""Pieces added when rarity is counted: in two small documents every word would be common."""
_TINY = 8
"""Words added to a piece: one that has hardly any would win with a single one shared."""
_LINE_CHARACTERS = 500
_NAME_CHARACTERS = 40
"""What an excerpt's path costs beside its text."""

_WORD = re.compile(r"[^\W\d]\w{2,63}")
_COMMON = frozenset(
    """
    and any async await bool break case catch class const continue def default del delete elif else
    end enum except export extends false final finally float for from func function get impl import
    include int interface lambda len let match mut namespace new nil none not null number object
    package pass print private protected pub public raise range return self set static str string
    struct super switch then this throw true try type typeof union use using var void while with
    yield
    """.split()  # noqa: SIM905 - a hundred quoted words read worse
)


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A piece of a table: its lines, the word it defines, how many words it has."""

    first: int
    stop: int
    name: str
    words: int


@dataclass(frozen=True, slots=True)
class _Table:
    """The pieces of one document by their words."""

    document: Document
    pieces: tuple[_Indexed, ...]
    by_word: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Found:
    """A piece of an open document."""

    document: Document
    first_line: int
    text: str
    """Whole lines, with newlines; no line end at the end."""
    score: float

    def piece(self, place: Place) -> Piece:
        return Piece(
            place.policy.label(self.document),
            self.text,
            self.score,
            Stability.REGION,
            is_settings(self.document),
            above=lines_above(self.document.text, self.first_line),
        )


@dataclass(frozen=True, slots=True)
class _Choice:
    key: tuple[object, ...]
    pieces: tuple[_Found, ...]


class OpenDocuments:
    """The source; keeps a table for each of the documents used last, and the last choices."""

    def __init__(self, syntax: SyntaxCache) -> None:
        self._syntax = syntax
        self._tables: LRUCache[str, _Table] = LRUCache(_DOCUMENTS)
        self._choices: LRUCache[tuple[str, int], _Choice] = LRUCache(_DOCUMENTS)

    async def index(self, document: Document) -> None:
        """Read a document in a thread, so that no completion needs to; for when typing rests."""
        if self._is_read(document):
            return
        language = language_of(document.language, document.path)

        def read() -> _Table:
            # Parsing holds the interpreter, also in a thread: not for what is left out anyhow.
            small = len(document.text) <= _MAX_DOCUMENT
            return _read(document, parse(language, document.text) if small else None)

        self._tables[document.uri] = await asyncio.to_thread(read)

    def forget(self, uri: str) -> None:
        """Let go of a document that was closed."""
        self._tables.pop(uri, None)
        for key in [key for key in self._choices if key[0] == uri]:
            del self._choices[key]

    def _is_read(self, document: Document) -> bool:
        known = self._tables.get(document.uri)
        return known is not None and known.document.text is document.text

    async def look(self, place: Place) -> None:
        """Read nothing: `index` did when typing rested, and `gather` reads what is missing."""

    def gather(self, place: Place, budget: int) -> Sequence[Piece]:
        """Return what the other documents have for the cursor.

        The choice holds while the cursor stays in a region of eight lines and the other documents
        stay as they are.
        """
        chosen = self._choose(place.document, place.position, place.others, budget)
        return [found.piece(place) for found in chosen]

    def _choose(
        self, document: Document, position: Position, others: Sequence[Document], budget: int
    ) -> tuple[_Found, ...]:
        others = others[:_DOCUMENTS]
        unread = self._catch_up(others)
        key = (
            position.line // _REGION_LINES,
            unread,
            tuple((other.uri, other.version) for other in others),
        )
        last = self._choices.get((document.uri, budget))
        if last is not None and last.key == key:
            return last.pieces
        tables = [t for other in others if (t := self._tables.get(other.uri)) is not None]
        ranked = _rank(tables, _words_near(document.text, position))
        kept = _still(last.pieces, ranked) if last is not None else ()
        pieces = tuple(_fill([*kept, *ranked], budget))
        self._choices[document.uri, budget] = _Choice(key, pieces)
        return pieces

    def _catch_up(self, others: Sequence[Document]) -> int:
        """Read what changed, as much as one call may; give how many are left unread."""
        left, unread = _READ_A_CALL, 0
        for other in others:
            if self._is_read(other):
                continue
            if len(other.text) <= left:
                left -= len(other.text)
                self._tables[other.uri] = _read(other, self._syntax.of(other))
            else:
                unread += 1
        return unread


def _read(document: Document, syntax: Syntax | None) -> _Table:
    if len(document.text) > _MAX_DOCUMENT:
        return _Table(document, (), {})
    lines = Snapshot(document.text.text).lines()  # not kept: few pieces are ever asked for
    spans = list(_definition_spans(syntax.definitions() if syntax else (), len(lines)))
    if not spans:
        starts = range(0, len(lines), _PIECE_LINES)
        spans = [(first, min(first + _PIECE_LINES, len(lines)), "") for first in starts]
    pieces: list[_Indexed] = []
    by_word: dict[str, list[int]] = {}
    for first, stop, name in spans:
        words = set(_WORD.findall("".join(lines[first:stop]))) - _COMMON
        for word in words:
            by_word.setdefault(word, []).append(len(pieces))
        pieces.append(_Indexed(first, stop, name, len(words)))
    frozen = {word: tuple(where) for word, where in by_word.items()}
    return _Table(document, tuple(pieces), frozen)


def _words_near(text: Snapshot, position: Position) -> frozenset[str]:
    lines = text.lines(position.line - _LINES_ABOVE, position.line + 1)
    return frozenset(_WORD.findall("".join(line[:_LINE_CHARACTERS] for line in lines))) - _COMMON


def _definition_spans(
    definitions: Sequence[Definition], lines: int
) -> Iterator[tuple[int, int, str]]:
    """First line, line after the last, and name: short definitions whole, else their beginning.

    A long class gives its head, and its methods one by one.
    """
    covered = 0
    for number, definition in enumerate(definitions):
        first, stop = definition.range.start.line, min(definition.range.end.line + 1, lines)
        if first < covered:
            continue
        covered = stop
        if stop - first > _PIECE_LINES and definition.kind not in ("function", "method"):
            inner = definitions[number + 1] if number + 1 < len(definitions) else None
            if inner is not None and inner.depth > definition.depth:
                covered = stop = max(inner.range.start.line, first + 1)
        yield first, min(stop, first + _PIECE_LINES), definition.name


def _rank(tables: Sequence[_Table], words: frozenset[str]) -> list[_Found]:
    """The pieces that share enough with `words`, rare words counting more, the best first."""
    total = sum(len(table.pieces) for table in tables)
    scores: dict[tuple[int, int], float] = {}
    for word in sorted(words):
        places = [(t, p) for t, table in enumerate(tables) for p in table.by_word.get(word, ())]
        weight = math.log(1 + (total + _FEW) / len(places)) if places else 0.0
        for t, p in places:
            piece = tables[t].pieces[p]
            score = weight / math.sqrt(piece.words + _TINY) + (
                _NAMED if piece.name == word else 0.0
            )
            scores[t, p] = scores.get((t, p), 0.0) + score
    good = sorted((-score, place) for place, score in scores.items() if score >= _FLOOR)
    best = good[: 4 * _MAX_PIECES]
    return [_found(tables[t], tables[t].pieces[p], -less) for less, (t, p) in best]


def _found(table: _Table, indexed: _Indexed, score: float) -> _Found:
    lines = table.document.text.lines(indexed.first, indexed.stop)
    text = "\n".join(line.rstrip("\r\n") for line in lines)
    return _Found(table.document, indexed.first, text.removeprefix(BOM), score)


def _still(last: Sequence[_Found], ranked: Sequence[_Found]) -> list[_Found]:
    """The pieces of the last choice that would be chosen again, in their old order."""
    again = {(piece.document.uri, piece.text): piece for piece in ranked}
    return [again[key] for piece in last if (key := (piece.document.uri, piece.text)) in again]


def _fill(pieces: Sequence[_Found], budget: int) -> Iterator[_Found]:
    """The pieces, each once, while they fit into `budget` characters."""
    seen: set[tuple[str, str]] = set()
    for piece in pieces:
        key, size = (piece.document.uri, piece.text), len(piece.text) + _NAME_CHARACTERS
        if key in seen or size > budget or len(seen) == _MAX_PIECES:
            continue
        seen.add(key)
        budget -= size
        yield piece
