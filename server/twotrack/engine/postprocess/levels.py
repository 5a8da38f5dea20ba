"""The columns at which the levels of an answer stand, in its own count and in the document's."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from twotrack.engine.cursor_context import ARMS, CursorContext, indent_of, steps_of, unit_of

_DASHES = re.compile(r"(?:- +)+(?=\S)")
"""What an item of a list in YAML begins with."""
_LABEL = re.compile(
    r"\s*(?:#(?:if|el|end|define|undef|include|pragma|region)"
    r"|(?:public|private|protected)(?:\s+\w+)?\s*:\s*(?://.*)?$|(?:case|default)\b.*:"
    r"|[\w\"'.]+:\s*$)"
)
"""Lines that stand at the margin or half-way by custom."""
_CLOSES = re.compile(r"\s*(?:[)\]}]|end\b|fi\b|done\b|esac\b|</)")
_GOES_ON = ("<", "=", "+", "&&", "||", "|", "\\", ",", "?")
"""What a line ends with that its statement's next line goes on with."""
_HEADER = re.compile(
    r"\s*(?:\}\s*)?(?:(?:else\s+)?(?:if|for|foreach|while|switch)\b.*\)|else)\s*\Z"
)
"""The header of a body without braces."""
_MIDDLE = re.compile(r"(?:else|elif|elsif|elseif|except|catch|rescue|ensure|when)\b")
"""What begins the next part of a block that something above has opened."""
_MAY_GO_ON = re.compile(r"(?:[^\w\s;\])}\"'`]|\b(?:return|else|do|then|not|and|or|in))\Z")
"""What a line ends with whose statement may go on below it."""
_WORD_ALONE = re.compile(r"\s*\w+")
UNITS = frozenset({2, 3, 4, 8})
"""Columns that people take for a level."""
TAB = 4
"""Columns of a tab if only levels count."""


CONTINUES = re.compile(
    r"(?:\.(?!\.)|[?:&|+]|->|=>|[*/%=-] |(?:or|and|where|throws|extends|implements|with)\b)"
)
"""What a line begins with that goes on with the statement above it."""


class Style(NamedTuple):
    """How a text is indented."""

    tabs: bool
    unit: int
    """Columns of a level."""

    def width(self, line: str) -> int:
        """The columns of white space before `line`."""
        indent = indent_of(line)
        tabs = indent.count("\t")
        return tabs * (self.unit if self.tabs else TAB) + len(indent) - tabs

    def indent(self, width: int) -> str:
        """White space of so many columns."""
        if not self.tabs:
            return " " * width
        return "\t" * (width // self.unit) + " " * (width % self.unit)


def style_of(gap: CursorContext) -> Style:
    """Return how the document is indented around a gap."""
    unit = gap.unit
    return Style(tabs=unit == "\t", unit=TAB if unit == "\t" else len(unit) or TAB)


def style_of_lines(lines: Sequence[str], ours: Style) -> Style:
    """Return how `lines` are indented; a tab counts as in `ours`."""
    starts = [indent_of(line) for line in lines if indent_of(line)]
    if starts and all("\t" in start for start in starts):
        return Style(tabs=True, unit=ours.unit)
    return Style(tabs=False, unit=unit_of(map(len, starts)))


@dataclass(frozen=True)
class Lines:
    """The lines of an answer that follow its first; those within strings are left out."""

    first: str
    lines: tuple[str, ...]
    levels: tuple[int, ...]
    """How much deeper than the cursor's statement each lies."""
    gap: CursorContext
    ours: Style
    theirs: Style
    chat: bool = field(kw_only=True)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """The columns before each line, in the answer's own count."""
        return tuple(map(self.theirs.width, self.lines))

    @cached_property
    def here(self) -> int:
        """The column of the first line's level in the document.

        Behind the mark of a conditional's arm, it is that of the expression, if the body says so.
        """
        header = self.gap.prefix + self.first
        indent = self.gap.statement_indent if self.gap.prefix.strip() else header
        column = self.ours.width(indent + "x")
        behind = column + len(ARMS[0])
        if not header.lstrip().startswith(ARMS) or not self.lines:
            return column
        return behind if self.widths[0] == behind + self.ours.unit else column

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
            return self._by_lines_like_it(own, here)
        body = self._first_body(own)
        if (other := self._in_levels_of_another_width(body)) is not None:
            return other
        least = own if body is None else min(own, self._by_body(own, here, body))
        same, closes = self._at_its_level(least, body)
        if closes and len(same) == 1 and same[0] <= here:
            # One closer tells nothing, unless its block stands no deeper than its header.
            closes = body is not None and same[0] < body <= here and not self._goes_on_above()
        sure = self.chat or closes or gap.language.indented or not self.of_our_kind
        sure = sure or self._are_statements_of_another_width(same)
        if same and sure and len(set(same)) == 1:
            return same[0]
        if self.chat and body is None and not same and self._lists_at(here):
            return here
        if same or body is None:
            return own if own in same or (written is not None and not same) else here
        return self._by_body(own, here, body)

    def _first_body(self, own: int) -> int | None:
        """The column of the body that the first line or the cursor's opens; None: it opens none."""
        gap = self.gap
        header = (gap.prefix if gap.prefix.strip() else "") + self.first
        opened = self._opens(header) or gap.lexer.bare(header).rstrip().endswith(":")
        opened = opened or not self.first  # what begins on the next line is a body
        opened = opened or (self.chat and _MIDDLE.match(header.lstrip()) is not None)
        dashes = _DASHES.match(header.lstrip()) if gap.language.id == "yaml" else None
        if dashes and self.lines and not _DASHES.match(self.lines[0].lstrip()):
            return own + dashes.end()  # where what stands behind the dashes goes on
        opened = opened or (not self.chat and self._goes_on_at_another_width())
        return self.widths[0] if opened and self.lines else None

    def _goes_on_at_another_width(self) -> bool:
        """Whether the first line's statement goes on at a column unlike those of the document."""
        if not self.lines:
            return False
        goes_on = _goes_on(self.first) and not _ends_item(self.first)
        if not goes_on and not CONTINUES.match(self.lines[0].lstrip()):
            return False
        depth = self.widths[0] - self.here
        return depth != 0 and depth not in self.gap.continuations

    def _in_levels_of_another_width(self, body: int | None) -> int | None:
        """The first line's column if all lines are counted from the margin in other levels."""
        if not self.lines:
            return None
        here, column = self.here, self.widths[0]
        smaller = here * self.theirs.unit // self.ours.unit
        halves = body is None and self.of_our_kind and self.theirs.unit < self.ours.unit
        if halves and column == smaller > 0:
            return smaller
        items = self._in_list and _ends_item(self.first) and min(self.levels) == 0
        other = column in (here // 2, 2 * here, 4 * here)
        return column if items and other and set(self._widths_at_level) == {column} else None

    @property
    def _widths_at_level(self) -> list[int]:
        """The columns of the lines at the first one's level."""
        return [w for w, level in zip(self.widths, self.levels, strict=True) if level == 0]

    def _lists_at(self, column: int) -> bool:
        """Whether all lines at the first one's level stand at `column`, each after a comma."""
        before = (self.first, *self.lines)
        after_comma = all(_ends_item(before[n]) for n, at in enumerate(self.levels) if at == 0)
        return after_comma and set(self._widths_at_level) == {column}

    @cached_property
    def _in_list(self) -> bool:
        """Whether the cursor's line is an item of a list, which goes on at its own column."""
        if self.gap.prefix.strip():
            return False
        above = self.gap.lexer.bare(self.gap.last_line).rstrip()
        beside = self.ours.width(self.gap.last_line) == self.here
        return above.endswith(("(", "[", "{")) or (_ends_item(above) and beside)

    def has_steps_of_another_width(self, step: int) -> bool:
        """Whether all headers and bodies differ by `step`, if those around differ by another."""
        lines = (self.first or self.gap.prefix, *self.lines)
        return (
            step in UNITS - {self.ours.unit}
            and not self.ours.tabs
            and self.gap.steps_in(lines, (self.here, *self.widths)) == {step}
            and self.gap.steps == {self.ours.unit}
        )

    def _are_statements_of_another_width(self, columns: Sequence[int]) -> bool:
        """Whether whole statements are counted from the margin in levels of another width."""
        end = self.gap.lexer.bare(self.first).rstrip()
        ended = not end or end.endswith((";", "{", "}"))  # a comment has none
        terminator = self.gap.language.lexis.terminator
        header = self._opens(end) or (terminator and end.endswith(")"))
        alone = not (header or _MAY_GO_ON.search(end))
        if not columns or not (ended or alone):
            return False
        # If lines end statements, nothing stands deeper below one but what a word alone begins.
        by_lines = not terminator and not _WORD_ALONE.fullmatch(end)
        if columns[0] in (2 * self.here, 4 * self.here):
            return ended or by_lines or len(columns) > 1
        # A block that ends without a closer has none.
        closed = ended or (by_lines and not self.gap.language.indented)
        return closed and columns[0] == self.here // 2 and self._stands_in_block()

    def _stands_in_block(self) -> bool:
        """Whether the nearest line above that stands further left opens a block."""
        outer = (
            n for n in reversed(self.gap.above) if n.strip() and self.ours.width(n) < self.here
        )
        return self.gap.opens(next(outer, ""))

    def _by_lines_like_it(self, own: int, here: int) -> int:
        """The column of a first line that stands by custom: a label, what goes on with a chain."""
        if self.first.rstrip().endswith(":") and self.lines:
            return self._by_body(own, here, self.widths[0])
        at_level = [n for n, level in enumerate(self.levels) if level <= 0]
        chain = {self.widths[n] for n in at_level if self.lines[n].lstrip()[0] == "."}
        if self.first.startswith(".") and len(chain) == 1:
            return chain.pop()
        return own if self.chat and here not in {self.widths[n] for n in at_level} else here

    def _at_its_level(self, own: int, body: int | None) -> tuple[list[int], bool]:
        """The columns of the lines at the first line's level; whether one closes a block."""
        columns: list[int] = []
        closes = False
        indented = self.gap.language.indented
        before, pending = self.first, body is not None
        body = None
        for n, (line, level) in enumerate(zip(self.lines, self.levels, strict=True)):
            width, header = self.widths[n], self._opens(line)
            closes_here = level == 0 and _CLOSES.match(line) is not None
            item = self._in_list and _ends_item(before)
            goes_on = _goes_on(before) and not (item or closes_here or self._opens(before))
            before = line
            if level < 0 or (indented and not self.chat and width < own and not closes_here):
                break
            if level > 0 or goes_on:
                pending = header or line.rstrip().endswith(":") or (pending and goes_on)
                continue
            deeper = not self.first or width > own
            if (pending and deeper) or (body is not None and width >= body):
                body = width if body is None or width < body else body
                pending = header
                continue
            pending, body = header, None
            if indented:
                if not columns or width <= columns[0]:
                    columns.append(width)
            elif not self._stands_further_in(n):
                columns.append(width)
                closes = closes or closes_here
            else:
                pending = header or line.rstrip().endswith(":")
        return columns, closes

    def _opens(self, line: str) -> bool:
        """Whether the next line is a body, with braces or without."""
        braceless = not self.gap.language.indented and _HEADER.match(self.gap.lexer.bare(line))
        return self.gap.opens(line) or bool(braceless)

    def _stands_further_in(self, n: int) -> bool:
        """Whether line `n` belongs to a part of a statement that has a column of its own.

        It goes on with the statement, or closes what such a line has opened, or is a comment above
        such a line.
        """
        line = self.lines[n]
        if _CLOSES.match(line):
            level = range(n - 1, -1, -1)
            opener = next((self.lines[at] for at in level if self.levels[at] <= 0), self.first)
            return _stands_by_custom(opener)
        return _stands_by_custom(self.lines[self._codes[n]])

    @cached_property
    def _codes(self) -> Sequence[int]:
        """For each line the next one, itself perhaps, that is no comment; the last if none is."""
        comment, lines = self.gap.lexer.comment, self.lines
        codes = list(range(len(lines)))
        for n in range(len(lines) - 2, -1, -1):
            if comment and comment.match(lines[n].lstrip()):
                codes[n] = codes[n + 1]
        return codes

    def _by_body(self, own: int, here: int, body: int) -> int:
        """The column of a header of which the answer shows only the body, one level deeper."""
        if _MIDDLE.match(self.lines[0].lstrip()) and body in (own, here):
            return body  # `when` may stand below `case`
        if own != here:
            within = zip(self.widths, self.levels, strict=True)
            least = min((width for width, at in within if at > 0), default=body)
            fits = [at for at in (here, own) if at < least] or [here, own]
            return min(fits, key=lambda at: (abs(body - at - self.theirs.unit), at != here))
        levels = here // self.ours.unit
        unit = body // (levels + 1)
        # No body stands left of its header, nor at it on a line of its own.
        strict = self.gap.language.indented and self.gap.language.id != "yaml"
        begun = strict if self.first else self.chat or self.gap.opens_block
        left = body < here + begun and not _LABEL.match(self.lines[0])
        left = left and (self.chat or not self._goes_on_above())
        other = left or unit in (2 * self.ours.unit, 4 * self.ours.unit) or not self.of_our_kind
        if not self.chat and levels and other and unit in UNITS and body % (levels + 1) == 0:
            return unit * levels  # counted from the margin in levels of another width
        return body - self.ours.unit if self.chat and not self.first and left else here

    def _goes_on_above(self) -> bool:
        """Whether the cursor's line goes on with a statement of lines above."""
        gap = self.gap
        within = _goes_on(gap.last_line) and not gap.opens(gap.last_line)
        return within or CONTINUES.match(gap.prefix.lstrip()) is not None

    def step(self, there: int) -> int:
        """The columns of a level in the answer, as far as it shows; else 0."""
        if self.theirs.tabs:
            return self.theirs.unit
        lines = (self.first or self.gap.prefix, *self.lines)
        if step := steps_of(lines, (there, *self.widths)):
            return step
        depths = {width - there for width in self.widths} - {0}
        if depths and depths <= self.gap.continuations:
            return 0  # as the document goes on with statements, whatever its levels
        levels = 0 if self.chat else self.here // self.ours.unit
        absolute = there // levels if levels and there and there % levels == 0 else 0
        if absolute in UNITS and depths and all(depth % absolute == 0 for depth in depths):
            return absolute
        step = math.gcd(*depths) if depths and min(depths) > 0 else 0
        return step if step in UNITS else 0


def _stands_by_custom(line: str) -> bool:
    """Whether a line's indentation does not tell its level."""
    return bool(_LABEL.match(line) or CONTINUES.match(line.lstrip()))


def _ends_item(line: str) -> bool:
    return line.rstrip().endswith(",")


def _goes_on(line: str) -> bool:
    """Whether a statement goes on below `line`."""
    end = line.rstrip()
    return end.endswith(_GOES_ON) and not end.endswith(("++", "--"))
