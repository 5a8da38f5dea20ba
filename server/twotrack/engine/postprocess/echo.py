"""What stands before the cursor and comes again at the beginning of an answer."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from twotrack.engine.cursor_context import CursorContext, indent_of
from twotrack.engine.postprocess.unwrap import Code

_WORD = re.compile(r"\w")
_SIGN = re.compile(r"(?:[#/*+>;%!-]{1,6}|--\[*|\d{1,3}[.)]|<!--|\"+|'+|REM|\.\.)")
"""What a comment, an item of a list or a heading begins with."""
_HALF_WORD = re.compile(r"(?<!\w)\d*+(?P<half>[^\W\d]\w*+)\Z")
_WHOLE_WORD = re.compile(r"\w+")
_SIGNED = re.compile(r"[\w\[]")
_TOKENS = re.compile(r"\w+|\S")
_RETYPED_LEAST = 3
"""Fewer characters that come again may be meant, except if the whole line was asked for."""
_BOUNDARY = 400
"""Characters at the end of the cursor's line that may come again."""


class Answer(NamedTuple):
    """What is left of an answer when it goes on from the cursor."""

    text: str
    joined: bool
    """Whether the text goes on right at the cursor: what stood before it had come again."""
    indent: str | None = None
    """How the cursor's line was indented if it came again."""
    shift: tuple[str, str] | None = None
    """How the last line above that came again was indented, in the answer and in the document."""
    stripped: bool = False
    """Whether blanks before it are lost: it stood between backquotes."""


def without_echo(code: Code, gap: CursorContext, *, chat: bool, going_on: bool) -> Answer:
    """Return the part of an answer, which may be `going_on`, that begins at the cursor."""
    lines = code.text.split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    count = _repeated_above(lines[first:], gap, chat=chat, going_on=going_on)
    shift = None
    if count:
        last = next(line for line in reversed(lines[: first + count]) if line.strip())
        shift = indent_of(last), indent_of(gap.last_line)
        lines, first = lines[first + count :], 0
        first = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    if first == len(lines):
        return Answer("", joined=False)
    line = lines[first].lstrip() if count else lines[first]  # it is a whole one then
    rest = _after_prefix(line, gap, chat=chat)
    if rest is not None:
        text = "\n".join([rest, *lines[first + 1 :]])
        return Answer(text, joined=True, indent=indent_of(lines[first]), shift=shift)
    text = "\n".join(lines[first if count else 0 :])
    return Answer(text, joined=False, shift=shift, stripped=code.stripped)


def _repeated_above(lines: Sequence[str], gap: CursorContext, *, chat: bool, going_on: bool) -> int:
    """How many of `lines` stand above the cursor's line, up to it; blank lines aside.

    If the cursor's line has begun, its beginning has to follow them. All of them if an
    answer that is going on has come no further than what stands above.
    """
    if not chat:
        first = lines[0] if lines else ""
        again = first.strip() == gap.last_line.strip() and gap.opens(first)
        return int(bool(again and _WORD.search(first) and not gap.prefix.strip()))
    # Blanks within a line may differ; of the last one only its beginning may have come.
    filled = [(n, " ".join(line.split())) for n, line in enumerate(lines) if line.strip()]
    above = [" ".join(line.split()) for line in gap.far_above if line.strip()]
    for start, line in enumerate(above):
        if not filled or line != filled[0][1]:
            continue
        count = 0
        while count < len(filled) and start + count < len(above):
            if filled[count][1] != above[start + count]:
                break
            count += 1
        if start + count == len(above) and _goes_on(filled[count:], gap):
            has_words = any(map(_WORD.search, above[start:]))
            if not has_words or (count == 1 and _is_one_of_many(line, above, gap)):
                continue
            return filled[count - 1][0] + 1
        if going_on and count and _is_on_its_way(filled[count:], above[start + count :], count):
            return len(lines)
    return 0


def _is_one_of_many(line: str, above: Sequence[str], gap: CursorContext) -> bool:
    """Whether lines like the one above follow one another here, so that the next may be equal."""
    return above.count(line) > 1 and not gap.prefix.strip() and not gap.opens(line)


def _is_on_its_way(rest: Sequence[tuple[int, str]], above: Sequence[str], count: int) -> bool:
    """Whether all of an answer but its last line, which may still be coming, stands above."""
    if not rest:
        return count > 1
    return len(rest) == 1 and bool(above) and above[0].startswith(rest[0][1])


def _goes_on(rest: Sequence[tuple[int, str]], gap: CursorContext) -> bool:
    """Whether an answer goes on with the cursor's line after all that stands above it."""
    typed = " ".join(gap.prefix.split())
    return not typed or not rest or rest[0][1].startswith(typed) or typed.startswith(rest[0][1])


def _after_prefix(line: str, gap: CursorContext, *, chat: bool) -> str | None:
    """What follows the cursor's line so far, or the end of it, in `line`; None: it is not there."""
    typed, body, whole = gap.prefix.strip(), line.lstrip(), gap.prefix.lstrip()
    if not typed or _writes_other_half(typed, body, gap.language.line_comment):
        return None
    blanks = line[: len(line) - len(body)]
    if blanks and blanks != gap.indent and (blanks == " " or not chat):
        return None  # it goes on with a blank
    if body.startswith(whole) and (chat or len(typed) >= _RETYPED_LEAST or _is_sign(body, gap)):
        return body[len(whole) :]
    comment = gap.language.line_comment
    if comment and typed.endswith(f" {comment}") and body.startswith(comment):
        return body[len(comment) :].lstrip() if gap.prefix[-1] == " " else body[len(comment) :]
    # A line so far that ends in a blank comes again without it, the blank in the answer.
    if body.rstrip() == typed and len(typed) >= _RETYPED_LEAST:
        return ""
    return _after_end_of_prefix(body, gap) if chat else _after_half_word(line, gap)


def _after_half_word(body: str, gap: CursorContext) -> str | None:
    """What follows a half word or a sign at the cursor, if a line begins with it again.

    A word has to be longer than its half, and both together must be no word of the document.
    """
    for sign in gap.language.lexis.signs:
        if gap.prefix.endswith(sign) and body.startswith(sign) and _SIGNED.match(body, len(sign)):
            return None if gap.prefix.endswith(2 * sign) else body[len(sign) :]
    half_word, word = _HALF_WORD.search(gap.prefix), _WHOLE_WORD.match(body)
    half = half_word["half"] if half_word is not None else ""
    if word is None or len(half) < _RETYPED_LEAST:
        return None
    if not word[0].startswith(half) or len(word[0]) == len(half):
        return None
    both = half + word[0]
    known = any(both in line for line in (*gap.above, gap.suffix, *gap.below))
    return None if known else body[len(half) :]


def _writes_other_half(typed: str, body: str, sign: str) -> bool:
    """Whether the line so far is the beginning of a sign, and an answer goes on with it."""
    half = len(typed) < len(sign) and not body.startswith(sign)
    return half and (typed + body).startswith(sign)


def _is_sign(body: str, gap: CursorContext) -> bool:
    """Whether the line so far is the sign of a comment or an item, which comes again."""
    typed = gap.prefix.strip()
    return bool(_SIGN.fullmatch(typed)) and body[len(typed) :][:1] in ("", " ")


def _after_end_of_prefix(body: str, gap: CursorContext) -> str | None:
    """What follows the last words of the line so far, if an answer begins with them again."""
    typed = gap.prefix.rstrip()[-_BOUNDARY:]
    if gap.prefix != gap.prefix.rstrip() and not _WORD.search(typed[-1:]):
        return None
    for token in _TOKENS.finditer(typed):
        again = typed[token.start() :]
        if not body.startswith(again):
            continue
        if not _WORD.search(again) or (gap.prefix[-1:].isspace() and len(again) < _RETYPED_LEAST):
            return None
        rest = body[len(again) :]
        if len(again) == 1 and _WORD.match(rest):
            return None
        return rest.lstrip(" ") if gap.prefix[-1:].isspace() else rest
    return None
