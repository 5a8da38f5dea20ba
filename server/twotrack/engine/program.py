"""The code that a cursor stands in, where that is not the document as it is.

The code cells of a notebook are one program, in their order; so are the fenced blocks of Markdown
in one language: examples go on with what those above them began. What stands between is left out:
as comments it would have to be written in every language, and would be taken for the code's own.
A byte order mark is no part of any. Of the buffer of a commit message only the message is one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from twotrack.document import Document, Notebook
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.engine.commit_message import commit_message, is_commit_message
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
    asks: bool = False
    """Whether typing asks there although the language is prose."""
    changes: Sequence[Document] | None = None
    """What is staged, if it is a commit message."""

    def inner(self, request: CompletionRequest) -> CompletionRequest:
        """Return a request in the document as one in the program."""
        if self.document is request.document:
            return request
        return replace(
            request, document=self.document, position=self.position, changes=self.changes
        )

    def outer(self, position: Position) -> Position:
        """Return a position of the program as one of the document."""
        return Position(position.line - self.lines, position.character - self.characters)

    def back(self, completion: Completion) -> Completion:
        """Return a completion of the program as one of the document."""
        return replace(completion, range=Range(*map(self.outer, completion.range)))


class _Block(NamedTuple):
    """A fenced block of Markdown: its lines, without the fences."""

    language: Language
    first: int
    stop: int
    closed: bool = True


def program_at(document: Document, position: Position) -> Program | None:
    """Return the code that `position` (which exists) of `document` stands in.

    None: nothing is to be written there.
    """
    if is_commit_message(document):
        message = commit_message(document, position)
        if message is None:
            return None
        lines = message.position.line - position.line
        return Program(
            message.document, message.position, lines, asks=True, changes=message.changes
        )
    notebook = document.notebook
    if notebook is not None and (notebook.above or notebook.below):
        return _in_notebook(document, notebook, position)
    if document.language in MARKDOWN and (found := _in_block(document, position)) is not None:
        return found
    text, (line, character) = document.text, position
    mark = text.margin(0).character
    if not mark:
        return Program(document, position)
    code = replace(document, text=text.replace(Range(Position(0, 0), Position(0, mark)), ""))
    moved = -min(character, mark) if line == 0 else 0
    return Program(code, Position(line, character + moved), characters=moved)


def _in_notebook(document: Document, notebook: Notebook, position: Position) -> Program:
    cells = (*notebook.above, document.text, *notebook.below)
    whole, above = _joined((cell.lines() for cell in cells), len(notebook.above))
    moved = Position(position.line + above, position.character)
    return Program(replace(document, text=Snapshot(whole)), moved, above)


def _in_block(document: Document, position: Position) -> Program | None:
    """Return the program of the fenced block that a position of Markdown is in."""
    text, (line, character) = document.text, position
    blocks = list(_blocks(text, line))
    own = next((block for block in blocks if block.first <= line < block.stop), None)
    if own is None:
        return None
    if not own.closed:  # an answer may close it
        return Program(document, position, asks=True)
    same = [block for block in blocks if block.language is own.language]
    pieces = [text.lines(block.first, block.stop) for block in same]
    whole, above = _joined(pieces, same.index(own))
    lines = above - own.first
    code = replace(document, language=own.language.id, text=Snapshot(whole))
    return Program(code, Position(line + lines, character), lines, asks=True)


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
