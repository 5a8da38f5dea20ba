"""An answer's lines, indented as the document is."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from twotrack.engine.gap import Gap, indent_of, steps_of, unit_of
from twotrack.engine.replies.echo import Answer
from twotrack.lexical import Scan

_CONTINUES = re.compile(
    r"(?:[.?:&|+]|->|=>|[*/%-] |(?:or|and|where|throws|extends|implements|with)\b)"
)
"""What a line begins with that goes on with the statement above it."""
_LABEL = re.compile(r"\s*(?:#|(?:public|private|protected|case|default)\b.*:|[\w\"'.]+:\s*$)")
"""Lines that stand at the margin or half-way by custom."""
_INDENTED = re.compile(r"\t|  +")
_AFTER_BLANK = re.compile(r"(?:\s(?:[-+*/%!<>=]?=|&&|\|\||[+/%?:])|,)\Z")
"""What a blank follows, as most people write."""
_OPERATOR = re.compile(r"(?:&&|\|\||[=!]=|=>|[+/%=?] )")
"""What a blank precedes."""
_FIRST_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"\w+\Z")
_DOCSTRING = re.compile(r"\s*(?:\"\"\"|''')")
_CLOSES = re.compile(r"\s*(?:[)\]}]|end\b|fi\b|done\b|esac\b|</)")
_GOES_ON = ("<", "=", "+", "&&", "||", "|", "\\", ",", "?")
"""What a line ends with that its statement's next line goes on with."""
_UNITS = frozenset({2, 3, 4, 8})
_TAB = 4
"""Columns of a tab where only levels count."""


class _Style(NamedTuple):
    """How a text is indented."""

    tabs: bool
    unit: int
    """Columns of a level."""

    def width(self, line: str) -> int:
        """The columns of white space before `line`."""
        indent = indent_of(line)
        tabs = indent.count("\t")
        return tabs * (self.unit if self.tabs else _TAB) + len(indent) - tabs

    def indent(self, width: int) -> str:
        """White space of so many columns."""
        if not self.tabs:
            return " " * width
        return "\t" * (width // self.unit) + " " * (width % self.unit)


def indented(answer: Answer, gap: Gap, *, chat: bool) -> str:
    """Return the text of an answer as it goes in at the cursor."""
    text, frame = answer.text, _Frame(answer, chat=chat)
    if answer.joined:
        return _rest_indented(text, gap, answer.indent, frame)
    if gap.prefix.strip():
        return _after_code(text, gap, frame)
    text = text.lstrip("\n") if text.strip() else ""
    first, newline, rest = text.partition("\n")
    written = indent_of(first)
    kept = _kept(first, gap, frame)
    known = written if chat or not gap.prefix else None
    return _rest_indented(kept + first.lstrip() + newline + rest, gap, known, frame)


class _Frame(NamedTuple):
    """How the lines of an answer are to be read."""

    answer: Answer
    chat: bool


def _after_code(text: str, gap: Gap, frame: _Frame) -> str:
    """The text after the beginning of a line: on the next line where a block has been opened."""
    chat = frame.chat
    lead = text[: len(text) - len(text.lstrip("\n"))]
    if lead and (gap.opens_block or not chat):
        kept = lead[:1] if gap.language.indented else lead[:2]
        return _rest_indented(kept + text[len(lead) :], gap, None, frame)
    if chat and gap.opens_block and _INDENTED.match(text):
        return _rest_indented("\n" + text, gap, None, frame)
    text = text.lstrip("\n") if chat else text
    if frame.answer.stripped and _lacks_a_blank(text, gap):
        text = f" {text}"
    text = text.lstrip(" ") if gap.prefix[-1] in " \t" else text
    return _rest_indented(text, gap, None, frame)


def _lacks_a_blank(text: str, gap: Gap) -> bool:
    """Whether a blank belongs between the cursor and a text that stood between backquotes."""
    if _AFTER_BLANK.search(gap.prefix):
        return not text[:1].isspace()
    word, first = _LAST_WORD.search(gap.prefix), _FIRST_WORD.match(text)
    if word is None or first is None:
        return _OPERATOR.match(text) is not None and not gap.prefix[-1].isspace()
    # The word is whole if it stands elsewhere and what both would make does not.
    around = "\n".join((*gap.above, *gap.below))
    joined = re.compile(rf"\b{re.escape(word[0] + first[0])}\b")
    whole = re.compile(rf"\b{re.escape(word[0])}\b")
    return joined.search(around) is None and whole.search(around) is not None


def _kept(first: str, gap: Gap, frame: _Frame) -> str:
    """The white space that the first line needs beside what stands before the cursor."""
    written, ours = indent_of(first), _style_of(gap)
    if frame.chat and gap.prefix:
        written = written.removeprefix(gap.prefix) if written.startswith(gap.prefix) else ""
    if not written:
        return ""
    if not gap.prefix:
        return _at_margin(written, gap, ours)
    theirs = set(written) <= set(gap.prefix)
    above = gap.last_line
    deeper = gap.opens(above) and ours.width(gap.prefix) <= ours.width(above)
    goes_on = _CONTINUES.match(first.lstrip()) is not None and first.lstrip()[:2] not in (
        "//",
        "--",
    )
    fits = ours.width(written) % ours.unit == 0
    return written if theirs and fits and (deeper or goes_on) else ""


def _at_margin(written: str, gap: Gap, ours: _Style) -> str:
    """The indentation of a first line whose cursor stands at the margin, in the document's kind."""
    if ours.tabs == ("\t" in written):
        return written
    expected = ours.width(gap.last_line) + (ours.unit if gap.opens(gap.last_line) else 0)
    width = _TAB * written.count("\t") + written.count(" ")
    if not ours.tabs:
        return ours.indent(written.count("\t") * ours.unit)
    if expected and width in (expected // ours.unit * 2, expected // ours.unit * 4, expected):
        return ours.indent(expected)
    return ours.indent(max(width // _TAB, 1) * ours.unit)


def _style_of(gap: Gap) -> _Style:
    unit = gap.unit
    return _Style(tabs=unit == "\t", unit=_TAB if unit == "\t" else len(unit) or _TAB)


def _rest_indented(text: str, gap: Gap, written: str | None, frame: _Frame) -> str:
    """Indent all lines but the first: by what level they stand at, where that is not as it is here.

    `written`: how the first line was indented in the answer, where that is known.
    """
    first, newline, rest = text.partition("\n")
    if not newline or not rest.strip() or (gap.mixes_indentation and not frame.chat):
        return text
    lines = rest.split("\n")
    scanned = gap.lexer.scan(gap.near + text)
    offset = len(scanned.levels) - len(lines)
    inside = scanned.inside
    counted = [n for n, line in enumerate(lines) if line.strip() and n + offset not in inside]
    along = _moved_along([first, *lines], scanned, offset - 1)
    if not counted and not along:
        return text
    theirs = _style_of_lines([lines[n] for n in counted], _style_of(gap))
    ours = _style_of(gap) if gap.unit else theirs
    told = _Rest(
        first,
        tuple(lines[n] for n in counted),
        tuple(scanned.levels[n + offset] - scanned.levels[0] for n in counted),
        gap,
        ours,
        theirs,
        chat=frame.chat,
    )
    here, there = told.here, told.there(written)
    if frame.answer.shift is not None:
        before, after = frame.answer.shift
        there = here + told.theirs.width(before + "x") - ours.width(after + "x")
    step = told.step(there)
    if there == here and told.of_our_kind and not (step and told.has_steps_of_another_width(step)):
        return text
    for n in counted:
        depth = told.theirs.width(lines[n]) - there
        if depth > 0 and step and depth % step == 0:
            depth = depth // step * ours.unit
        lines[n] = ours.indent(max(here + depth, 0)) + lines[n].lstrip(" \t")
    for n in along:
        depth = max(told.theirs.width(lines[n]) - there, 0)
        lines[n] = ours.indent(here) + " " * depth + lines[n].lstrip(" \t")
    return "\n".join([first, *lines])


def _moved_along(lines: Sequence[str], scanned: Scan, offset: int) -> list[int]:
    """Lines after the first that move with the code around: of comments and docstrings."""
    moved: list[int] = []
    for n, line in enumerate(lines[1:], 1):
        if not line.strip():
            continue
        number = n + offset
        begins_there = number - 1 not in scanned.strings and _DOCSTRING.match(lines[n - 1])
        docstring = number in scanned.strings and (begins_there or n - 2 in moved)
        if number in scanned.comments or docstring:
            moved.append(n - 1)
    return moved


def _style_of_lines(lines: Sequence[str], ours: _Style) -> _Style:
    starts = [indent_of(line) for line in lines if indent_of(line)]
    if starts and all("\t" in start for start in starts):
        return _Style(tabs=True, unit=ours.unit)
    return _Style(tabs=False, unit=unit_of(map(len, starts)))


@dataclass(frozen=True, slots=True)
class _Rest:
    """The lines of an answer that follow its first; those within strings are left out."""

    first: str
    lines: tuple[str, ...]
    levels: tuple[int, ...]
    """How much deeper than the cursor's statement each lies."""
    gap: Gap
    ours: _Style
    theirs: _Style
    chat: bool = field(kw_only=True)

    @property
    def here(self) -> int:
        """The column of the first line's level in the document."""
        if self.gap.prefix.strip():
            return self.ours.width(self.gap.statement_indent + "x")
        return self.ours.width(self.gap.prefix + self.first + "x")

    @property
    def of_our_kind(self) -> bool:
        """Whether the lines are indented with what the document is indented with."""
        starts = [line[:1] for line in self.lines]
        ours = "\t" if self.ours.tabs else " "
        return ours in starts or not any(map(str.isspace, starts))

    def there(self, written: str | None) -> int:
        """The column of the first line's level in the answer's own count."""
        here, gap = self.here, self.gap
        own = here if written is None else self.theirs.width(written + "x")
        if not gap.language.indented and self.first.strip() and _stands_by_custom(self.first):
            at_level = zip(self.lines, self.levels, strict=True)
            widths = {self.theirs.width(line) for line, level in at_level if level <= 0}
            return own if self.chat and here not in widths else here
        header = (gap.prefix if gap.prefix.strip() else "") + self.first
        opened = gap.opens(header) or gap.lexer.bare(header).rstrip().endswith(":")
        opened = opened or not self.first  # what begins on the next line is a body
        body = self.theirs.width(self.lines[0]) if opened and self.lines else None
        if body is None and self._counts_in_smaller_levels():
            return here * self.theirs.unit // self.ours.unit
        same, closes = self._at_its_level(own, body)
        closes = closes and (len(same) > 1 or same[0] > here)
        sure = self.chat or closes or gap.language.indented or not self.of_our_kind
        sure = sure or self._are_statements_of_another_width(same)
        if same and sure and len(set(same)) == 1:
            return same[0]
        if same or body is None:
            return own if own in same or (written is not None and not same) else here
        return self._by_body(own, here, body)

    def has_steps_of_another_width(self, step: int) -> bool:
        """Whether all headers and bodies differ by `step`, where those around differ by another."""
        widths = [self.theirs.width(line) for line in self.lines]
        lines = (self.first or self.gap.prefix, *self.lines)
        return (
            step != self.ours.unit
            and not self.ours.tabs
            and self.gap.steps_in(lines, (self.here, *widths)) == {step}
            and self.gap.steps == {self.ours.unit}
        )

    def _are_statements_of_another_width(self, columns: Sequence[int]) -> bool:
        """Whether whole statements are counted from the margin in levels of another width."""
        if len(columns) < 2 or not self.first.rstrip().endswith((";", "{", "}")):
            return False
        return columns[0] in (2 * self.here, 4 * self.here, self.here // 2)

    def _counts_in_smaller_levels(self) -> bool:
        """Whether the lines are counted from the margin in levels that are smaller than ours."""
        smaller = self.here * self.theirs.unit // self.ours.unit
        fits = smaller > 0 and self.lines and self.theirs.width(self.lines[0]) == smaller
        return bool(fits) and self.of_our_kind and self.theirs.unit < self.ours.unit

    def _at_its_level(self, own: int, body: int | None) -> tuple[list[int], bool]:
        """The columns of the lines at the first line's level; whether one closes a block."""
        columns: list[int] = []
        closes = False
        indented = self.gap.language.indented
        before, pending = self.first, body is not None
        body = None
        for line, level in zip(self.lines, self.levels, strict=True):
            width, goes_on = self.theirs.width(line), before.rstrip().endswith(_GOES_ON)
            header, before = self.gap.opens(line), line
            closes_here = level == 0 and _CLOSES.match(line) is not None
            if level < 0 or (indented and not self.chat and width < own and not closes_here):
                break
            if level > 0 or (goes_on and not pending):
                pending = header
                continue
            if pending or (body is not None and width >= body):
                body = width if body is None or width < body else body
                pending = header
                continue
            pending, body = header, None
            if indented:
                if not columns or width <= columns[0]:
                    columns.append(width)
            elif not _stands_by_custom(line):
                columns.append(width)
                closes = closes or closes_here
        return columns, closes

    def _by_body(self, own: int, here: int, body: int) -> int:
        """The column of a header of which the answer shows only the body, one level deeper."""
        if own != here:
            return min(own, here, key=lambda at: (abs(body - at - self.theirs.unit), at != here))
        levels = here // self.ours.unit
        unit = body // (levels + 1)
        other = 2 * self.ours.unit == unit or not self.of_our_kind
        if not self.chat and levels and other and unit in _UNITS and body % (levels + 1) == 0:
            return unit * levels  # counted from the margin in levels of another width
        if self.chat and not self.first and body <= here and not _stands_by_custom(self.lines[0]):
            return body - self.ours.unit
        return here

    def step(self, there: int) -> int:
        """The columns of a level in the answer, as far as it shows; else 0."""
        if self.theirs.tabs:
            return self.theirs.unit
        widths = [self.theirs.width(line) for line in self.lines]
        if step := steps_of((self.first or self.gap.prefix, *self.lines), (there, *widths)):
            return step
        depths = {width - there for width in widths} - {0}
        levels = 0 if self.chat else self.here // self.ours.unit
        absolute = there // levels if levels and there and there % levels == 0 else 0
        if absolute in _UNITS and depths and all(depth % absolute == 0 for depth in depths):
            return absolute
        step = math.gcd(*depths) if depths and min(depths) > 0 else 0
        return step if step in _UNITS else 0


def _stands_by_custom(line: str) -> bool:
    """Whether a line's indentation does not tell its level."""
    return bool(_LABEL.match(line) or _CONTINUES.match(line.lstrip()))
