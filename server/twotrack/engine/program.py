"""The code that a cursor stands in, where that is not the document as it is.

The code cells of a notebook are one program, in their order; so are the fenced blocks of Markdown
in one language: examples go on with what those above them began. What stands between is left out:
as comments it would have to be written in every language, and would be taken for the code's own.
A byte order mark is no part of any.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from twotrack.document import Document
from twotrack.engine.edits.fences import MARKDOWN, named_language, opening
from twotrack.languages import Language
from twotrack.text import Position, Range, Snapshot

_LINES_ABOVE, _LINES_BELOW = 1_000, 250
"""Of Markdown around the cursor in which blocks are looked for: a millisecond at most."""


class Program(NamedTuple):
    """The code, the cursor in it, and how far it stands from the cursor in the document."""

    document: Document
    position: Position
    lines: int = 0
    characters: int = 0
    fenced: bool = False
    """Whether it is code although its document is prose."""

    def back(self, span: Range) -> Range:
        """Return where `span`, which lies on the cursor's line, is in the document."""
        start, end = (Position(p.line - self.lines, p.character - self.characters) for p in span)
        return Range(start, end)


class _Block(NamedTuple):
    """A fenced block of Markdown: its lines, without the fences."""

    language: Language
    first: int
    stop: int
    closed: bool = True


def program_at(document: Document, position: Position) -> Program:
    """Return the code that `position` (which exists) of `document` stands in."""
    text, (line, character) = document.text, position
    notebook = document.notebook
    if notebook is not None and (notebook.above or notebook.below):
        cells = (*notebook.above, text, *notebook.below)
        whole, above = _joined((cell.lines() for cell in cells), len(notebook.above))
        code = replace(document, text=Snapshot(whole))
        return Program(code, Position(line + above, character), above)
    if document.language in MARKDOWN:
        blocks = list(_blocks(text, line))
        own = next((block for block in blocks if block.first <= line < block.stop), None)
        if own is not None and not own.closed:  # an answer may close it
            return Program(document, position, fenced=True)
        if own is not None:
            same = [block for block in blocks if block.language is own.language]
            pieces = [text.lines(block.first, block.stop) for block in same]
            whole, above = _joined(pieces, same.index(own))
            lines = above - own.first
            code = replace(document, language=own.language.id, text=Snapshot(whole))
            return Program(code, Position(line + lines, character), lines, fenced=True)
    mark = text.margin(0).character
    if not mark:
        return Program(document, position)
    code = replace(document, text=text.replace(Range(Position(0, 0), Position(0, mark)), ""))
    moved = -min(character, mark) if line == 0 else 0
    return Program(code, Position(line, character + moved), characters=moved)


def _joined(pieces: Iterable[Sequence[str]], own: int) -> tuple[str, int]:
    """Return pieces of code with a blank line between them, and how many lines stand above `own`.

    Nothing but a blank line: a person would leave one there, and it is right in every language.
    """
    joined: list[str] = []
    above = 0
    for number, lines in enumerate(pieces):
        if number:
            joined.append("\n")
        if number == own:
            above = len(joined)
        joined += lines[:-1]
        joined += (line if line.endswith(("\r", "\n")) else f"{line}\n" for line in lines[-1:])
    return "".join(joined), above


def _blocks(text: Snapshot, line: int) -> Iterator[_Block]:
    """Yield the fenced blocks around a line of Markdown that hold code.

    One that nothing closes ends where another one begins, else with the text.
    """
    first = max(line - _LINES_ABOVE, 0)
    lines = text.lines(first, line + _LINES_BELOW)
    mark, info, start = "", "", 0
    for number, row in enumerate(lines, first):
        fence = opening(row)
        if fence is None or (mark and not fence[0].startswith(mark)):
            continue
        if mark and (language := named_language(info)) is not None:
            yield _Block(language, start, number)
        closes = bool(mark) and not fence[1]
        mark, info = ("", "") if closes else fence
        start = number + 1
    if mark and (language := named_language(info)) is not None:
        yield _Block(language, start, first + len(lines), closed=False)
