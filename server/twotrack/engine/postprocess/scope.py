"""Where the block ends that an answer is written into."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twotrack.engine.cursor_context import JOINTS, CursorContext, indent_of

_CONTINUES = re.compile(
    r"[\])}]|(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|end|fi|done|esac|case"
    r"|default|when|then|do|until|endif|endforeach|endfor|endwhile)\b|</"
)
"""What goes on with a block at the level of the line that opened it."""
_MIDDLE = re.compile(
    r"(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|when|case|default)\b"
)
"""What goes on with a block that something above the cursor has opened."""
_GOES_ON = ("+", *JOINTS)
"""What a line ends with that the cursor's line goes on with: the block is that of the former."""
_LABEL = re.compile(
    r"\s*(?:#\s*(?:if|el|endif|define|include|pragma|region|endregion)|\w+\s*:\s*$)"
)
"""Lines that stand further left by custom: of the preprocessor, labels."""


def within_scope(text: str, gap: CursorContext) -> str:
    """Return `text` up to where the block at the cursor ends.

    It ends before a line that closes what neither the text nor the cursor's line has opened, and
    if nothing is open: before a line that is indented less than the first, and before a new
    statement at the level of the line that opened the block (after a blank line: of any line).
    Lines within strings and comments end nothing; closers that are due belong to the block.
    """
    lines = text.split("\n")
    if len(lines) == 1:
        return text
    block = _block_at(lines, gap)
    scanned = gap.lexer.scan(gap.near + text)
    offset = len(scanned.levels) - len(lines)
    for index, line in enumerate(lines[1:], 1):
        within = index + offset in scanned.inside or lines[index - 1].rstrip().endswith(JOINTS)
        if not line.strip() or within:
            continue
        level = scanned.levels[index + offset] - scanned.levels[0]
        if level < 0 and block.is_middle and _width(line) == block.width:
            # The block that the first line goes on with ends here, unless it goes on again.
            if gap.lexer.closing_line.fullmatch(line):
                return "\n".join(lines[: index + 1])
        elif level < 0:
            return "\n".join(lines[: index + _due(lines[index:], gap)]).rstrip("\n")
        elif level == 0 and block.ends_before(lines, index):
            return "\n".join(lines[:index]).rstrip("\n")
    return text


@dataclass(frozen=True, slots=True)
class _Block:
    """What an answer is written into."""

    gap: CursorContext
    width: int
    """The columns before its first line, or before the cursor's statement."""
    lead: int
    """Where the first line with anything on it is."""
    is_middle: bool
    """Whether the first line goes on with a block that something above has opened."""
    has_siblings: bool
    """Whether no block begins: what comes stands beside the cursor's line."""

    def ends_before(self, lines: Sequence[str], index: int) -> bool:
        """Whether the block ends before a line at the level of the cursor's statement."""
        gap, line = self.gap, lines[index]
        own = _width(line)
        if own < self.width:
            if gap.lexer.closing_line.fullmatch(line):
                return False
            return gap.language.indented or not _LABEL.match(line)
        after_blank = index - 1 > self.lead and not lines[index - 1].strip()
        begun = gap.prefix.strip() and own == self.width and not self.has_siblings
        if not begun or not (after_blank or gap.opens_block):
            return False
        bare = line.lstrip()
        if gap.language.id == "yaml" and bare[0] == "-" and not gap.prefix.lstrip().startswith("-"):
            return False  # the items of a list may stand at the level of its key
        return _CONTINUES.match(bare) is None


def _block_at(lines: Sequence[str], gap: CursorContext) -> _Block:
    begun = bool(gap.prefix.strip())
    width = _width(gap.statement_indent if begun else gap.prefix + lines[0])
    if not begun and gap.last_line.rstrip().endswith(_GOES_ON):
        width = min(width, _width(gap.last_line))
    lead = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if gap.leaves_block and lead > 0:
        width = min(width, _width(lines[lead]))
    return _Block(
        gap,
        width,
        lead,
        is_middle=not begun and _MIDDLE.match(lines[0].lstrip()) is not None,
        has_siblings=lead > 0 and not gap.opens_block and _width(lines[lead]) == width,
    )


def _due(lines: Sequence[str], gap: CursorContext) -> int:
    """How many of `lines` close what is open above the cursor and closed nowhere below."""
    left = gap.open_above or 0
    count = 0
    while count < min(left, len(lines)) and gap.lexer.closing_line.fullmatch(lines[count]):
        count += 1
    return count


def _width(line: str) -> int:
    return len(indent_of(line).expandtabs(4))
