"""The end of an answer: lines that are not whole, or that the document has already."""

import re
from collections.abc import Sequence

from twotrack.engine.cursor_context import CursorContext
from twotrack.lexical import LexicalContext

_WORD = re.compile(r"\w")
_LAST_WORD = re.compile(r"(?<!\w)\w++\Z")
_DEFINES = re.compile(
    r"\s*(?:\w+ ){0,3}(?:def|class|function|fn|func|fun|struct|interface|enum|trait|impl|module)\b"
)


def first_lines(text: str, count: int) -> Sequence[str]:
    """Return the first `count` lines, one more if the text begins with a line end."""
    lines = text.split("\n")
    blank = next((n for n, line in enumerate(lines) if line.strip()), 0)
    return lines[: count + blank]


def without_cut_line(text: str) -> str:
    """Return `text` without its last line, which is not whole, if another one is left."""
    whole, _, _ = text.rpartition("\n")
    return whole if whole.strip() else text


def whole_part(text: str) -> str:
    """Return what is whole of a reply that broke off: its lines, or the words of its only one.

    A single word is too little to be shown.
    """
    lines, newline, last = text.rpartition("\n")
    if lines.strip():
        return lines + newline
    words = _LAST_WORD.sub("", last)
    return lines + newline + words if len(words.split()) > 1 else ""


def closed(text: str, gap: CursorContext) -> str:
    """Return `text` without what begins a string over lines that it does not end; "" if all."""
    if gap.place is not LexicalContext.CODE:
        return text
    while text.strip():
        if gap.lexer.ending(f"{gap.near}{text}\n").place is not LexicalContext.STRING:
            return text
        text = text.rpartition("\n")[0]
    return ""


def without_lines_below(text: str, gap: CursorContext) -> str:
    """Return `text` without the last lines, if the document goes on with just these."""
    lines = text.rstrip("\n").split("\n")
    filled = [(n, line.rstrip()) for n, line in enumerate(lines) if n and line.strip()]
    below = [line.rstrip() for line in gap.below if line.strip()]
    for count in range(min(len(filled), len(below)), 0, -1):
        tail = [line for _, line in filled[-count:]]
        if tail == below[:count] and _is_too_much(text, tail, gap):
            return "\n".join(lines[: filled[-count][0]]).rstrip("\n")
    for at, (number, line) in enumerate(filled[:-1]):
        # Two lines that the document goes on with: what comes after them is invented.
        if [line, filled[at + 1][1]] == below[:2] and _WORD.search(line):
            return "\n".join(lines[:number]).rstrip("\n")
    return text


def _is_too_much(text: str, tail: Sequence[str], gap: CursorContext) -> bool:
    """Whether lines would be there twice; what only closes may be this text's own."""
    if not all(gap.lexer.closing_line.fullmatch(line) for line in tail):
        return True
    after = "\n" + "\n".join(tail)
    scan = gap.lexer.scan
    if not scan(after).unopened:
        return True  # words that the language's table does not know
    return scan(gap.near + text + after).unopened > scan(gap.near + after).unopened


def repeats_lines_above(text: str, gap: CursorContext) -> bool:
    """Whether a definition that stands right above comes a second time."""
    lines = [line.rstrip() for line in (gap.prefix + text).split("\n") if line.strip()]
    above = [line.rstrip() for line in gap.above if line.strip()]
    defines = len(lines) > 1 and _DEFINES.match(lines[0]) is not None
    return defines and not gap.prefix.strip() and lines == above[-len(lines) :]


def closes_what_is_closed(text: str, gap: CursorContext) -> bool:
    """Whether a text on a line of its own only closes, and nothing is left to be closed."""
    lines = [line for line in text.split("\n") if line.strip()]
    if (
        gap.prefix.strip()
        or gap.suffix.strip()
        or gap.place in (LexicalContext.STRING, LexicalContext.COMMENT)
    ):
        return False
    if gap.language.grammar is not None and not gap.language.lexis.blocks:
        return False  # the parse check knows better
    only = all(gap.lexer.closing_line.fullmatch(line) for line in lines)
    return only and gap.open_above is not None and not gap.open_above


def repeats_lines_below(text: str, gap: CursorContext) -> bool:
    """Whether the document goes on with just these lines, so that they would stand there twice."""
    shown = text if text.startswith("\n") else gap.prefix + text
    lines = [line.rstrip() for line in shown.split("\n") if line.strip()]
    below = [line.rstrip() for line in gap.below if line.strip()]
    if not lines or lines != below[: len(lines)] or gap.suffix.strip():
        return False
    return len(lines[0].strip()) > 1 and _WORD.search(lines[0]) is not None
