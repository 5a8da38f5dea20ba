"""The place at the cursor, as the completion and its post-processing see it."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from twotrack.context.syntax import Syntax
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.languages import Language, language_of
from twotrack.lexical import Lexer, LexicalContext, lexer_of
from twotrack.text import Position, Snapshot

_LINES_AROUND = 24
"""Enough to find the next lines of code and the document's indentation."""
_LINES_OF_AN_ECHO = 400
_SCANNED = 25_000
"""Characters above the cursor in which a string or a comment may have begun."""
_LONGEST_OPENER = 16
"""Characters at the end of a line that tell whether it opens a block: a line may be a megabyte."""
_NEAR = 2_000
_REST = 400
"""Characters after the cursor that are looked at for brackets."""
_AFTER_STATEMENT = tuple(")]};")
_OPENERS = re.compile(r"(?:[{(\[:]|=>|->|\b(?:do(?: ?\|[^|]*\|)?|then|else|begin))$")
_HEADERS = re.compile(r"(?:[{:]|=>|->|\b(?:do(?: ?\|[^|]*\|)?|then|else|begin))$")
"""What ends the header of a block: of what stands in brackets people align the lines."""
_BRACKET_OPENERS = re.compile(r"(?:[{(\[]|=>|\b(?:do|then|else|begin))$")
_BLOCK_SCALAR = re.compile(r":[ \t]+[|>][-+\d]*$")
_OPEN_TAG = re.compile(r"(?<![\w)\]])<[A-Za-z][\w.:-]*+(?:\s[^<>]*)?$")
JOINTS = ("&&", "||", "\\")
"""What a line ends with that the next line goes on with, bracket or not."""
_ALIGNS = ("(", "[", ",", *JOINTS)
"""What a line ends with whose next line may stand at any column."""
_CONTINUED = ("(", "[", "=", "+", *JOINTS)
"""What a line ends with whose statement goes on below it."""
ARMS = ("? ", ": ")
"""What the second and third part of a conditional expression begin with."""
_JOINT = re.compile(r"[;,]\s|[({\[;,]")
_BEGINS = re.compile(r"[\w@$<]")
_FENCE = re.compile(r"\W*(?:```|~~~)")


@dataclass(frozen=True)
class CursorContext:
    """What surrounds the cursor. Lines are without line ends."""

    prefix: str
    """The cursor's line up to the cursor."""
    suffix: str
    """The cursor's line from the cursor on."""
    above: tuple[str, ...]
    """The nearest lines above, top first."""
    below: tuple[str, ...]
    """The nearest lines below, top first."""
    document: Document
    line: int
    """The cursor's line."""
    language: Language
    lead: str
    """How the string or comment begins within which the cursor's line begins; else empty."""
    line_place: LexicalContext
    """What the cursor's line begins in."""
    leaves_block: bool = False
    """Whether what is asked for follows a statement that has ended: its block may end there too."""

    @cached_property
    def lexer(self) -> Lexer:
        """Scans the document's language."""
        return lexer_of(self.language)

    @property
    def eol(self) -> str:
        """The line end of the lines around: a document may have several."""
        return self.document.text.eol_at(self.line)

    @cached_property
    def near(self) -> str:
        """The statement at the cursor up to it, from where its line or an open bracket begins.

        A line that begins in a string or a comment begins with what opened that.
        """
        text = self.lead + _end_of(self.prefix)
        if self.lead:
            return text
        for line in reversed(self.above):
            goes_on = self.lexer.scan(text).unopened or line.rstrip().endswith(JOINTS)
            if not goes_on or len(line) > _NEAR:
                return text
            text = f"{line}\n{text}"
        return self.prefix if self.lexer.scan(text).unopened else text

    @cached_property
    def around(self) -> str:
        """The same from where the brackets begin that the rest of the line closes.

        Braces are not looked for: that of a block would take any.
        """
        text, rest = self.near, self.suffix[:_REST]
        known = text.count("\n") - self.lead.count("\n")
        if self.lead:
            return text
        for line in reversed(self.above[: len(self.above) - known]):
            if not self.lexer.scan(text + rest).closers.strip("}") or len(line) > _NEAR:
                return text
            text = f"{line}\n{text}"
        return self.near if self.lexer.scan(text + rest).closers.strip("}") else text

    @cached_property
    def context(self) -> str:
        """The text from the last statement at the margin on: what may be open is there."""
        lines = self.far_above
        begins = (n for n in range(len(lines) - 1, -1, -1) if _BEGINS.match(lines[n]))
        first = next(begins, 0)
        return "\n".join((*lines[first:], self.prefix))

    @cached_property
    def open_above(self) -> int | None:
        """How much is open above the cursor that nothing below closes; None: unclear."""
        text, most = self.document.text, _LINES_OF_AN_ECHO
        if self.line > most or text.line_count > self.line + 1 + most:
            return None
        above = "\n".join((*self.far_above, self.prefix))
        below = "".join(text.lines(self.line + 1)).replace("\r\n", "\n")
        before, after = self.lexer.scan(above), self.lexer.scan(below)
        if before.unopened or before.unfinished or after.open or after.unfinished:
            return None
        return max(len(before.open) - after.unopened, 0)

    @cached_property
    def place(self) -> LexicalContext:
        """What the cursor stands in."""
        place = self.lexer.ending(self.near).place
        return self.line_place if place is LexicalContext.CODE and not self.lead else place

    @cached_property
    def far_above(self) -> tuple[str, ...]:
        """All lines above that an answer may begin with."""
        text = self.document.text
        lines = text.lines(max(self.line - _LINES_OF_AN_ECHO, 0), self.line)
        return tuple(line.rstrip("\r\n") for line in lines)

    @cached_property
    def next_line(self) -> str:
        """The first line below that is not blank; empty if there is none."""
        return next((line for line in self.below if line.strip()), "")

    @cached_property
    def last_line(self) -> str:
        """The last line above that is not blank; empty if there is none."""
        return next((line for line in reversed(self.above) if line.strip()), "")

    @cached_property
    def fresh(self) -> bool:
        """Whether the cursor's line is blank."""
        return not (self.prefix + self.suffix).strip()

    @cached_property
    def only_closers_follow(self) -> bool:
        """Whether what follows on the line is what an editor or the syntax puts there."""
        rest = self.suffix[:_NEAR]
        closers = self.lexer.closers.match(rest)
        end = closers.end() if closers else 0
        comment = self.lexer.comment
        return end == len(self.suffix) or bool(
            self.place is LexicalContext.CODE
            and comment is not None
            and (end == 0 or rest[end - 1].isspace())
            and comment.match(rest, end)
        )

    @property
    def within_word(self) -> bool:
        """Whether the cursor stands between two characters of one word."""
        around = self.prefix[-1:], self.suffix[:1]
        return all(char.isalnum() or char == "_" for char in around)

    @cached_property
    def in_pair(self) -> bool:
        """Whether the cursor stands right between a bracket and its closer."""
        return self.prefix[-1:] + self.suffix[:1] in ("()", "[]", "{}")

    @cached_property
    def statement_ended(self) -> bool:
        """Whether the cursor stands after the end of something, where little is missing."""
        return self.place is LexicalContext.CODE and self.prefix.endswith(_AFTER_STATEMENT)

    @cached_property
    def indent(self) -> str:
        """The white space that begins the cursor's line."""
        return indent_of(self.prefix)

    @cached_property
    def statement_indent(self) -> str:
        """The white space before the statement at the cursor, which may begin on a line above."""
        return self.indent if self.lead else indent_of(self.near)

    @cached_property
    def unit(self) -> str:
        """One level of indentation: a tab or some spaces; empty if the document shows none."""
        near = (*self.above, self.prefix, *self.below)
        return _unit(near, self.prefix) or _unit(self.far_above, "") or "\t" * self.language.tabs

    def steps_in(self, lines: Sequence[str], widths: Sequence[int]) -> set[int]:
        """How much deeper bodies are than their headers, in every way that `lines` show."""
        return {
            after - before
            for line, before, after in zip(lines, widths, widths[1:], strict=False)
            if after > before and not self._aligns(line) and self.opens(line)
        }

    @cached_property
    def continuations(self) -> set[int]:
        """How much deeper lines stand that go on with a statement, as the document has it."""
        lines = [line for line in (*self.far_above, *self.below) if line.strip()]
        return {
            len(indent_of(after)) - len(indent_of(line))
            for line, after in pairwise(lines)
            if line.rstrip().endswith(_CONTINUED)
        }

    def _aligns(self, line: str) -> bool:
        """Whether the next line may stand at any column."""
        text = self.language.id == "yaml" and _BLOCK_SCALAR.search(line.rstrip())
        return bool(text) or line.rstrip().endswith(_ALIGNS) or line.lstrip().startswith(ARMS)

    @cached_property
    def steps(self) -> set[int]:
        """The same of the lines above, in spaces."""
        lines = [n for n in (*self.above, self.prefix) if n.strip() or n is self.prefix]
        return self.steps_in(lines, [len(indent_of(line)) for line in lines])

    @cached_property
    def mixes_indentation(self) -> bool:
        """Whether lines around begin with tabs and others with spaces."""
        lines = (*self.above, self.prefix, *self.below)
        return {line[0] for line in lines if line.lstrip()[:1] != "*" and line[:1].isspace()} > {
            " "
        }

    @cached_property
    def opens_block(self) -> bool:
        """Whether a block or a bracket is left open by the last word before the cursor."""
        return self.place is LexicalContext.CODE and self.opens(self.prefix)

    @cached_property
    def wants_lines(self) -> bool:
        """Whether several lines are due: an empty block begins, or a comment has just ended."""
        if self.suffix.strip():
            return False
        if self.prefix.strip():
            return self.opens_block and not self._deeper(self.next_line, self.statement_indent)
        above = self.last_line
        if not above.strip():
            return False
        if self._is_comment(above):
            return True
        begins = self.opens(above) and not self._deeper(self.next_line, indent_of(above))
        return begins and (bool(self.prefix) or not indent_of(above))

    def opens(self, line: str) -> bool:
        """Whether a line leaves a block or a bracket open at its end."""
        code = self.lexer.bare(_end_of(line)).rstrip()
        pattern = _OPENERS if self.language.indented else _BRACKET_OPENERS
        if pattern.search(code[-_LONGEST_OPENER:]):
            return True
        if self.language.lexis.tags and _OPEN_TAG.search(code):
            return True
        if self.language.id == "yaml" and _BLOCK_SCALAR.search(code):
            return True
        if self.lexer.is_arm(code):
            return True
        worded = self.language.lexis.blocks or self.language.lexis.tags
        return bool(worded) and any(
            one.closing[:1] in ("\n", "<") for one in self.lexer.scan(code).open
        )

    @cached_property
    def inside_fence(self) -> bool:
        """Whether the cursor stands in a Markdown fence, of a comment perhaps."""
        if self.place is LexicalContext.CODE and not self.language.lexis.prose:
            return False  # a line of tildes under a heading in a docstring, say
        return sum(_FENCE.match(line) is not None for line in self.above) % 2 == 1

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


def gap_at(
    document: Document, position: Position, known: SyntaxCache | None = None
) -> CursorContext:
    """Return the gap at `position` (which exists) of `document`; `known`: syntax at hand."""
    text, line = document.text, position.line
    own = text.line(line)
    language = language_of(document.language, document.path)
    above = tuple(r.rstrip("\r\n") for r in text.lines(line - _LINES_AROUND, line))
    lead, place = _line_start(document, line, language, known)
    return CursorContext(
        prefix=own[: position.character],
        suffix=own[position.character :],
        above=above,
        below=tuple(r.rstrip("\r\n") for r in text.lines(line + 1, line + 1 + _LINES_AROUND)),
        document=document,
        line=line,
        language=language,
        lead=lead,
        line_place=place,
    )


def _line_start(
    document: Document, line: int, language: Language, known: SyntaxCache | None
) -> tuple[str, LexicalContext]:
    """How the literal begins within which `line` begins, and what the line begins in.

    The syntax tree tells, as far as it is of the same text. From there on the text above does, also
    where the tree has an error that reaches over the line.
    """
    lexer, text = lexer_of(language), document.text
    lead, place, start = "", None, 0
    held = None if known is None else known.above(document, line)
    if held is not None:
        syntax, start = held
        lead, place, start = _place_in_tree(syntax, start, text, lexer)
        if start == line and place is not None:
            return lead, place
    above = "".join(text.lines(start, line)).replace("\r\n", "\n")
    ending = lexer.ending((lead + above)[-_SCANNED:])
    return ending.opening, ending.place


def _place_in_tree(
    syntax: Syntax, line: int, text: Snapshot, lexer: Lexer
) -> tuple[str, LexicalContext | None, int]:
    """What a tree knows of the start of `line`: how the literal around it begins, its place.

    The third is the line from which on the text has to be read.
    """
    place, first = syntax.line_start(line)
    if first is not None:
        head = text.line(first.line)[first.character :] + "\n"
        return lexer.ending(head[:_SCANNED]).opening or head[:1], place, line
    broken = syntax.error_before(line) if place is LexicalContext.CODE else None
    return ("", place, line) if broken is None else ("", None, broken)


def _end_of(line: str) -> str:
    """The end of a line that may be a megabyte, cut where a string hardly goes on."""
    if len(line) <= _NEAR:
        return line
    end = line[-_NEAR:]
    joint = _JOINT.search(end)
    return end[joint.end() :] if joint else end


def indent_of(line: str) -> str:
    """The white space that begins `line`."""
    return line[: len(line) - len(line.lstrip())]


def _unit(lines: Sequence[str], prefix: str) -> str:
    """A level of indentation as `lines` have it; the stars of a block comment are none."""
    filled = [n for n in lines if (n.strip() or n is prefix) and n.lstrip()[:1] != "*"]
    indents = [indent_of(line) for line in filled]
    tabs = sum(indent[:1] == "\t" for indent in indents)
    spaces = sum(indent[:1] == " " for indent in indents)
    if not tabs and not spaces:
        return ""
    if prefix[:1] == "\t" or (tabs > spaces and prefix[:1] != " "):
        return "\t"
    widths = [len(indent) for indent in indents]
    return " " * (steps_of(filled, widths) or unit_of(widths))


def steps_of(lines: Sequence[str], widths: Sequence[int]) -> int:
    """How much deeper a body is than its header, as most of `lines` have it; 0: none has any."""
    steps = Counter(
        after - before
        for line, before, after in zip(lines, widths, widths[1:], strict=False)
        if after > before and _HEADERS.search(line.rstrip()[-_LONGEST_OPENER:])
    )
    return min(steps, key=lambda step: (-steps[step], step), default=0)


def unit_of(widths: Iterable[int]) -> int:
    """The spaces of one level, as far as the widths of indented lines show."""
    steps = [width for width in widths if width] or [4]
    common = math.gcd(*steps)
    return next((unit for unit in (4, 2, 3) if common % unit == 0), 4)
