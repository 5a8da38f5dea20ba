"""The place at the cursor, as the completion and its post-processing see it."""

import re
from dataclasses import dataclass
from functools import cached_property

from twotrack.document import Document
from twotrack.languages import Language, language_of
from twotrack.text import Position

_LINES_AROUND = 24
"""Enough to find the next lines of code and the document's indentation."""
_LONGEST_OPENER = 16
"""Characters at the end of a line that tell whether it opens a block: a line may be a megabyte."""
_NEAR = 2_000
_CLOSERS = re.compile(r"[\])}>\"'`]*(?:\s+(?=[:{]))?[:{;,]*")
_AFTER_STATEMENT = tuple(")]};")
_OPENERS = re.compile(r"(?:[{(\[:]|=>|->|\b(?:do|then|else|begin))$")
_BRACKET_OPENERS = re.compile(r"(?:[{(\[]|=>|\b(?:do|then|else|begin))$")


@dataclass(frozen=True)
class Gap:
    """What surrounds the cursor. Lines are without line ends."""

    prefix: str
    """The cursor's line up to the cursor."""
    suffix: str
    """The cursor's line from the cursor on."""
    above: tuple[str, ...]
    """The nearest lines above, top first."""
    below: tuple[str, ...]
    """The nearest lines below, top first."""
    eol: str
    language: Language

    @cached_property
    def near(self) -> str:
        """As much of the prefix as brackets are looked for in: a line may be a megabyte."""
        return self.prefix[-_NEAR:]

    @cached_property
    def next_line(self) -> str:
        """The first line below that is not blank; empty where there is none."""
        return next((line for line in self.below if line.strip()), "")

    @cached_property
    def last_line(self) -> str:
        """The last line above that is not blank; empty where there is none."""
        return next((line for line in reversed(self.above) if line.strip()), "")

    @cached_property
    def fresh(self) -> bool:
        """Whether the cursor's line is blank."""
        return not (self.prefix + self.suffix).strip()

    @cached_property
    def only_closers_follow(self) -> bool:
        """Whether what follows on the line is what an editor or the syntax puts there."""
        return _CLOSERS.fullmatch(self.suffix.strip()) is not None

    @cached_property
    def statement_ended(self) -> bool:
        """Whether the cursor stands after the end of something, where little is missing."""
        return self.prefix.endswith(_AFTER_STATEMENT)

    @cached_property
    def indent(self) -> str:
        """The white space that begins the cursor's line."""
        return self.prefix[: len(self.prefix) - len(self.prefix.lstrip())]

    @cached_property
    def opens_block(self) -> bool:
        """Whether a block or a bracket is left open by the last word before the cursor."""
        return self.opens(self.prefix)

    @cached_property
    def wants_lines(self) -> bool:
        """Whether several lines are due: an empty block begins, or a comment has just ended."""
        if self.suffix.strip():
            return False
        if self.prefix.strip():
            return self.opens_block and not self._deeper(self.next_line, self.indent)
        above = self.last_line
        if not above.strip():
            return False
        if self._is_comment(above):
            return True
        begins = self.opens(above) and not self._deeper(self.next_line, indent_of(above))
        return begins and (bool(self.prefix) or not indent_of(above))

    def opens(self, line: str) -> bool:
        """Whether a line leaves a block or a bracket open at its end."""
        pattern = _OPENERS if self.language.indented else _BRACKET_OPENERS
        return pattern.search(line.rstrip()[-_LONGEST_OPENER:]) is not None

    def _deeper(self, line: str, indent: str) -> bool:
        own = indent_of(line)
        return len(own) > len(indent) and own.startswith(indent)

    def _is_comment(self, line: str) -> bool:
        line = line.strip()
        language = self.language
        if language.line_comment and line.startswith(language.line_comment):
            return not line.startswith("#!")
        ends = [language.block_comment[1]] if language.block_comment else []
        if language.doc is not None and language.doc.closing:
            ends.append(language.doc.closing)
        return any(line.endswith(end) for end in ends)


def gap_at(document: Document, position: Position) -> Gap:
    """The gap at `position` (which exists) of `document`."""
    text, line = document.text, position.line
    own = text.line(line)
    return Gap(
        prefix=own[: position.character],
        suffix=own[position.character :],
        above=tuple(r.rstrip("\r\n") for r in text.lines(line - _LINES_AROUND, line)),
        below=tuple(r.rstrip("\r\n") for r in text.lines(line + 1, line + 1 + _LINES_AROUND)),
        eol=text.eol,
        language=language_of(document.language, document.path),
    )


def indent_of(line: str) -> str:
    """The white space that begins `line`."""
    return line[: len(line) - len(line.lstrip())]
