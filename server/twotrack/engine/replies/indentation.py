"""An answer's lines, indented as the document is."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from twotrack.engine.gap import Gap, indent_of, unit_of
from twotrack.engine.replies.echo import Answer
from twotrack.lexical import Scan

_CONTINUES = re.compile(r"(?:[.?&|+*/:,=<>-]|\bor\b|\band\b)")
"""What a line begins with that goes on with the statement above it."""
_LABEL = re.compile(r"\s*(?:#|(?:public|private|protected|case|default)\b.*:|\w+:\s*$)")
"""Lines that stand at the margin or half-way by custom."""
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
    text = answer.text
    if answer.joined:
        return _rest_indented(text, gap, answer.indent, chat=chat)
    if gap.prefix.strip():
        return _after_code(text, gap, chat=chat)
    text = text.lstrip("\n") if text.strip() else ""
    first, newline, rest = text.partition("\n")
    written = indent_of(first)
    kept = _kept(first, gap)
    shifted = _rest_indented(
        kept + first.lstrip() + newline + rest,
        gap,
        written if chat or not gap.prefix else None,
        chat=chat,
    )
    return shifted


def _after_code(text: str, gap: Gap, *, chat: bool) -> str:
    """The text after the beginning of a line: on the next line where a block has been opened."""
    lead = text[: len(text) - len(text.lstrip("\n"))]
    if lead and (gap.opens_block or not chat):
        kept = lead[:1] if gap.language.indented else lead[:2]
        return _rest_indented(kept + text[len(lead) :], gap, None, chat=chat)
    if chat and gap.opens_block and text[:1] in (" ", "\t") and "\n" not in gap.suffix:
        return _rest_indented("\n" + text, gap, None, chat=chat)
    text = text.lstrip("\n") if chat else text
    text = text.lstrip(" ") if gap.prefix[-1] in " \t" else text
    return _rest_indented(text, gap, None, chat=chat)


def _kept(first: str, gap: Gap) -> str:
    """The white space that the first line needs beside what stands before the cursor."""
    written, ours = indent_of(first), _style_of(gap)
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
    return _Style(tabs=unit == "\t", unit=_TAB if unit == "\t" else len(unit))


def _rest_indented(text: str, gap: Gap, written: str | None, *, chat: bool) -> str:
    """Indent all lines but the first: by what level they stand at, where that is not as it is here.

    `written`: how the first line was indented in the answer, where that is known.
    """
    first, newline, rest = text.partition("\n")
    if not newline or not rest.strip():
        return text
    lines = rest.split("\n")
    ours = _style_of(gap)
    scanned = gap.lexer.scan(gap.near + text)
    offset = len(scanned.levels) - len(lines)
    counted = [
        n for n, line in enumerate(lines) if line.strip() and n + offset not in scanned.inside
    ]
    if not counted:
        return text
    theirs = _style_of_lines([lines[n] for n in counted], ours)
    here = _here(gap, first, ours)
    there = _there(lines, counted, scanned, offset, gap, first, here, theirs, written, chat=chat)
    same_kind = theirs.tabs == ours.tabs or not any(indent_of(lines[n]) for n in counted)
    if there == here and same_kind:
        return text
    step = _step(lines, counted, theirs, there, first, gap)
    for n in counted:
        depth = theirs.width(lines[n]) - there
        if depth > 0 and step and depth % step == 0:
            depth = depth // step * ours.unit
        lines[n] = ours.indent(max(here + depth, 0)) + lines[n].lstrip(" \t")
    return "\n".join([first, *lines])


def _style_of_lines(lines: Sequence[str], ours: _Style) -> _Style:
    starts = [indent_of(line) for line in lines if indent_of(line)]
    if starts and all("\t" in start for start in starts):
        return _Style(tabs=True, unit=ours.unit)
    return _Style(tabs=False, unit=unit_of(map(len, starts)))


def _here(gap: Gap, first: str, ours: _Style) -> int:
    """The column at which the answer's first line stands in the document."""
    if gap.prefix.strip():
        return ours.width(gap.statement_indent + "x")
    return ours.width(gap.prefix + first + "x")


def _there(
    lines: Sequence[str],
    counted: Sequence[int],
    scanned: Scan,
    offset: int,
    gap: Gap,
    first: str,
    here: int,
    theirs: _Style,
    written: str | None,
    *,
    chat: bool,
) -> int:
    """The column of the first line's level in the answer's own count."""
    own = theirs.width(written + "x") if written is not None else here
    level = scanned.levels[0]
    opened = gap.opens((gap.prefix if gap.prefix.strip() else "") + first)
    widths = [theirs.width(lines[n]) for n in counted]
    same: list[int] = []
    body = widths[0] if opened else None
    for n, width in zip(counted, widths, strict=True):
        deep = scanned.levels[n + offset]
        if deep < level:
            break
        if deep > level:
            continue
        if gap.language.indented and body is not None and width >= body:
            continue
        if not gap.language.indented and _stands_by_custom(lines[n]):
            continue
        same.append(width)
    if not chat and gap.language.indented and same and min(same) < own:
        same = same[: next(n for n, width in enumerate(same) if width < own)]
    if same and len(set(same)) == 1:
        return same[0]
    if same:
        return own if own in same else here
    if body is not None and own != here:
        # The body is one level deeper than its header: by which reading is it?
        return min(own, here, key=lambda at: (abs(body - at - theirs.unit), at != here))
    return here


def _stands_by_custom(line: str) -> bool:
    """Whether a line's indentation does not tell its level."""
    return bool(_LABEL.match(line) or _CONTINUES.match(line.lstrip()))


def _step(
    lines: Sequence[str],
    counted: Sequence[int],
    theirs: _Style,
    there: int,
    first: str,
    gap: Gap,
) -> int:
    """The columns of a level in the answer, where a header and its body show it; else 0."""
    if theirs.tabs:
        return theirs.unit
    header, at = first, there
    steps = []
    for n in counted:
        width = theirs.width(lines[n])
        if gap.opens(header) and width > at:
            steps.append(width - at)
        header, at = lines[n], width
    if steps:
        return min(steps)
    depths = {theirs.width(lines[n]) - there for n in counted} - {0}
    return unit_of(depths) if depths and min(depths) > 0 else 0
