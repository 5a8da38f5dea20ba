"""A place in a document, and which whole lines an action there is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from twotrack.context.syntax import Definition, Syntax
from twotrack.document import Document
from twotrack.engine.actions.offers import Diagnostic
from twotrack.languages import Language
from twotrack.text import Position, Range, Snapshot


@dataclass(frozen=True, slots=True)
class Target:
    """The user's selection, or the cursor as an empty range, with what is known around it."""

    document: Document
    language: Language
    syntax: Syntax | None
    """None if the language has no grammar."""
    selection: Range
    diagnostics: Sequence[Diagnostic] = ()
    """What the editor knows there."""

    @property
    def text(self) -> Snapshot:
        """The document's text."""
        return self.document.text

    @property
    def definition(self) -> Definition | None:
        """The innermost named definition at the start of the selection."""
        if self.syntax is None:
            return None
        definition = self.syntax.enclosing_definition(self.selection.start)
        return definition if definition is not None and definition.name else None

    @property
    def subject(self) -> str:
        """What the action is about, for a title; empty if there is no code."""
        if not self.selection.empty:
            return "the selection" if self.text.slice(self.selection).strip() else ""
        if (definition := self.definition) is not None:
            return definition.name
        return ""

    def lines(self) -> Range:
        """The whole lines that an action is about.

        The definition around the cursor; of a selection the whole statements that it touches;
        without a grammar the paragraph around the cursor, or the selected lines.
        """
        if self.syntax is None:
            here = _paragraph(self.text, self.selection.start.line)
            return here if self.selection.empty else whole_lines(self.text, self.selection)
        if self.selection.empty:
            definition = self.syntax.enclosing_definition(self.selection.start)
            if definition is not None:
                return whole_lines(self.text, definition.range)
        return whole_lines(self.text, self.syntax.widen(self.selection))


def whole_lines(text: Snapshot, span: Range) -> Range:
    """Widen `span` to whole lines, without the line end of the last.

    A line of which it holds nothing but the start does not count.
    """
    last = span.end.line
    if last > span.start.line and span.end.character == 0:
        last -= 1
    return Range(text.margin(span.start.line), Position(last, len(text.line(last))))


_MOST_LINES = 2_000
"""So far a paragraph reaches in each direction; no model takes as much."""


def _paragraph(text: Snapshot, line: int) -> Range:
    if not text.line(line).strip():
        return Range(text.margin(line), Position(line, len(text.line(line))))
    above = reversed(text.lines(max(line - _MOST_LINES, 0), line))
    below = text.lines(line + 1, line + 1 + _MOST_LINES)
    first = line - _up_to_blank(above)
    last = line + _up_to_blank(below)
    return Range(text.margin(first), Position(last, len(text.line(last))))


def _up_to_blank(lines: Iterable[str]) -> int:
    """How many lines come before the first blank one."""
    return sum(1 for _ in takewhile(str.strip, lines))
