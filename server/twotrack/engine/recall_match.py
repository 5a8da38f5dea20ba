"""Places in other code that look like the place at the cursor, and how they go on there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, Protocol

from twotrack.workspace.line_index import MAX_LINE_CHARS, TOKEN, LineIndex

MOST_ABOVE = 6
"""Non-blank lines above the cursor that are compared."""
MOST_TOKENS = 12
"""Tokens before the cursor that are compared."""
_FEWEST_TOKENS = 3
"""Fewer are enough only if they are the whole line so far."""
_MOST_BLANKS = 8
"""Blank lines in a row between lines that are compared; over more of them, they are apart."""
_MOST_AT_CURSOR = 1_000
"""Lines looked at above the cursor, whose blank ones may be more."""
_MOST_MATCHES = 200
_MOST_LOOKED_AT = 600
"""Lines looked at under one key; what is more common than that says little."""


class IndexedLines(Protocol):
    """Lines of one file."""

    @property
    def path(self) -> str:
        """Which file; equal to the cursor's path for the document itself."""
        ...

    def __len__(self) -> int: ...

    def line(self, number: int) -> str:
        """Line `number`, counted from 0, without its line end."""
        ...


class OpenLines:
    """The document at the cursor, without the cursor's own line."""

    __slots__ = ("_lines", "_text", "cursor", "path")

    def __init__(self, path: str, before: Sequence[str], after: Sequence[str]) -> None:
        self.path = path
        self._lines = [*before, "", *after]
        self._text = "\n".join(self._lines)
        self.cursor = len(before)

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, number: int) -> str:
        """Line `number`, counted from 0; the cursor's own is empty."""
        return self._lines[number].rstrip("\r\n")

    def knows(self, word: str) -> bool:
        """Whether `word` stands anywhere in the document."""
        at = self._text.find(word)
        while at >= 0:
            end = at + len(word)
            if not (
                (at > 0 and in_word(self._text[at - 1]))
                or (end < len(self._text) and in_word(self._text[end]))
            ):
                return True
            at = self._text.find(word, end)
        return False

    def holding(self, text: str) -> list[int]:
        """Lines that contain `text`, nearest above first, then those below."""
        held = [i for i, line in enumerate(self._lines) if text in line]
        split = next((k for k, i in enumerate(held) if i >= self.cursor), len(held))
        return [*reversed(held[:split]), *held[split:]]


class Match(NamedTuple):
    """One place that looks like the cursor's."""

    text: str
    """The rest of its line, cut where the cursor's line goes on."""
    tokens: int
    """Complete tokens before the place that equal those before the cursor."""
    whole: bool
    """Whether the line is equal from its start."""
    above: int
    """Non-blank lines above that are equal, one after the other."""
    source: IndexedLines
    number: int


@dataclass(frozen=True, slots=True)
class LineContext:
    """What surrounds the cursor."""

    document: OpenLines
    prefix: str
    """The cursor's line up to the cursor."""
    suffix: str
    """The cursor's line from the cursor on, stripped."""

    def owns(self, source: IndexedLines) -> bool:
        """Whether `source` is the document, or the index's text of it under a longer path."""
        path = self.document.path
        return source.path == path or (bool(path) and source.path.endswith("/" + path))

    def beside(self, source: IndexedLines) -> bool:
        """Whether `source` lies in the document's folder."""
        folder = self.document.path.rpartition("/")[0]
        other = source.path.rpartition("/")[0]
        return other == folder or (bool(folder) and other.endswith("/" + folder))

    @property
    def below(self) -> str:
        """The first non-blank line below, stripped."""
        return next_line(self.document, self.document.cursor)


def matches(place: LineContext, index: LineIndex) -> list[Match]:
    """Places that look like `place`, of the document and of `index`; each once."""
    fresh = not place.prefix.strip()
    matches: list[Match] = []
    seen: set[tuple[str, str, str]] = set()
    below = place.below
    for match in _on_a_fresh_line(place, index) if fresh else _inside_a_line(place, index):
        source, number = match.source, match.number
        own = place.owns(source)
        # The index may hold an older text of the document: the same lines, another number.
        above = source.line(number - 1) if number else ""
        key = ("" if own else source.path, above, source.line(number))
        if key in seen or (below and (place.prefix + match.text).strip() == below):
            continue
        seen.add(key)
        if own and source is not place.document and _same_place(match, below):
            continue
        matches.append(match)
        if len(matches) >= _MOST_MATCHES:
            break
    return matches


def _same_place(match: Match, below: str) -> bool:
    """Whether a match in an older text of the document is the cursor's own line."""
    return match.above > 0 and next_line(match.source, match.number) == below


def next_line(source: IndexedLines, number: int) -> str:
    """The first non-blank line below, stripped; empty if none is near."""
    lines = range(number + 1, min(len(source), number + 2 + _MOST_BLANKS))
    return next((text for i in lines if (text := source.line(i).strip())), "")


def lines_above(source: IndexedLines, number: int, most: int) -> list[str]:
    """The nearest `most` non-blank lines above, nearest first, stripped."""
    lines: list[str] = []
    for above in range(number - 1, max(-1, number - 1 - _MOST_AT_CURSOR), -1):
        if len(lines) == most:
            break
        if line := source.line(above).strip():
            lines.append(line)
    return lines


def _equal_above(source: IndexedLines, number: int, wanted: Sequence[str]) -> int:
    equal = blanks = 0
    above = number - 1
    while equal < len(wanted) and above >= 0 and blanks <= _MOST_BLANKS:
        line = source.line(above).strip()
        if line and line != wanted[equal]:
            break
        equal += bool(line)
        blanks = 0 if line else blanks + 1
        above -= 1
    return equal


def _inside_a_line(place: LineContext, index: LineIndex) -> Iterator[Match]:
    head = place.prefix.lstrip()
    spans = [(m.start(), m.end()) for m in TOKEN.finditer(head)]
    # A word that touches the cursor may be half typed: it filters, it is no key.
    complete = spans[:-1] if in_word(head[-1]) else spans
    count = len(complete)
    # From the longest to the shortest: the whole line, then without its first tokens.
    skips = range(max(1, count - MOST_TOKENS), count - _FEWEST_TOKENS + 1)
    tails = [(head, count), *((head[complete[skip][0] :], count - skip) for skip in skips)]
    needle = tails[-1][0]
    document = place.document
    wanted = lines_above(document, document.cursor, MOST_ABOVE)
    candidates: Iterator[tuple[IndexedLines, int]] = chain(
        ((document, number) for number in document.holding(needle)),
        index.below(wanted, _MOST_LOOKED_AT),
        index.with_tokens([head[a:b] for a, b in complete], _MOST_LOOKED_AT),
    )
    for source, number in candidates:
        line = source.line(number)
        if needle not in line or len(line) > MAX_LINE_CHARS:
            continue
        line = line.strip()
        for tail, tokens in tails:
            at = _find(tail, line, at_start=tail is head)
            if at < 0:
                continue
            if rest := _until(line[at + len(tail) :], place.suffix):
                above = _equal_above(source, number, wanted)
                yield Match(rest, tokens, tail is head, above, source, number)
            break


def _find(tail: str, line: str, *, at_start: bool) -> int:
    """Where `tail` stands in `line` beginning at a token; -1 if it does not."""
    if at_start:
        return 0 if line.startswith(tail) else -1
    at = line.find(tail)
    while at > 0 and in_word(tail[0]) and in_word(line[at - 1]):
        at = line.find(tail, at + 1)
    return at


def in_word(char: str) -> bool:
    """Whether a character is part of a word, as `TOKEN` sees it; no character is not."""
    return char.isalnum() or char == "_" or char > "\x7f"


def _until(rest: str, suffix: str) -> str:
    """Cut `rest` where `suffix` begins outside any bracket; empty if it never does."""
    if not suffix:
        return rest
    depth = 0
    for at, char in enumerate(rest):
        if depth == 0 and rest.startswith(suffix, at):
            return rest[:at]
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return ""
    return ""


def _on_a_fresh_line(place: LineContext, index: LineIndex) -> Iterator[Match]:
    document = place.document
    wanted = lines_above(document, document.cursor, MOST_ABOVE)
    if place.suffix or not wanted:
        return
    gap, step = _entry(document, document.cursor, place.prefix, _MOST_AT_CURSOR)
    candidates: Iterator[tuple[IndexedLines, int]] = chain(
        ((document, n) for n in _below_in(document, wanted[0])),
        index.below(wanted, _MOST_LOOKED_AT),
    )
    for source, number in candidates:
        line = source.line(number)
        text = line.strip()
        above = _equal_above(source, number, wanted)
        if above and text and _entry(source, number, line) == (gap, step):
            yield Match(text, 0, True, above, source, number)


def _below_in(document: OpenLines, line: str) -> Iterator[int]:
    """The first non-blank line after each line equal to `line`; never the cursor's."""
    for number in document.holding(line):
        if document.line(number).strip() == line:
            for below in range(number + 1, len(document)):
                if below == document.cursor:
                    break
                if document.line(below).strip():
                    yield below
                    break


def _entry(
    source: IndexedLines, number: int, line: str, most: int = _MOST_BLANKS + 1
) -> tuple[bool, int]:
    """How one comes to a line from those above: over a blank line or not; in, out or straight."""
    gap = number > 0 and not source.line(number - 1).strip()
    lines = range(number - 1, max(-1, number - 1 - most), -1)
    above = next((text for i in lines if (text := source.line(i)).strip()), "")
    deeper = indentation(line) - indentation(above)
    return gap, (deeper > 0) - (deeper < 0)


def indentation(line: str) -> int:
    """Columns of white space at the start, a tab up to the next multiple of eight."""
    line = line.expandtabs(8)
    return len(line) - len(line.lstrip())
