"""An answer's lines, indented as the document is."""

import re
from collections.abc import Sequence

from twotrack.engine.cursor_context import CursorContext, indent_of
from twotrack.engine.postprocess.echo import Answer
from twotrack.engine.postprocess.levels import (
    CONTINUES,
    TAB,
    UNITS,
    Lines,
    Style,
    style_of,
    style_of_lines,
)
from twotrack.lexical import LexicalContext, Scan

_INDENTED = re.compile(r"\t|  +")
_AFTER_BLANK = re.compile(r"(?:\s(?:[-+*/%!<>=]?=|&&|\|\||[+/%?:])|,|[\w)\]] [-*])\Z")
"""What a blank follows, as most people write."""
_OPERATOR = re.compile(
    r"(?:&&|\|\||[=!]=|=>|[+/%=?<>-] |-\w\b|(?:extends|implements|instanceof|as|in|is|and|or) )"
)
"""What a blank precedes."""
_KEYWORD = re.compile(
    r"(?<![\w.$@-])(?:await|case|class|const|default|elif|elsif|enum|export|extends|final|from|goto"
    r"|if|implements|import|local|namespace|package|private|protected|public|raise|return|static"
    r"|struct|switch|throw|typedef|unless|unsigned|until|using|while)\Z"
)
"""What a blank follows before a word, a variable or a bracket."""
_PADDED_BRACES = re.compile(r"\{ [^{}]*[^{}\s]\Z")
_FIRST_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"(?<!\w)\w++\Z")
_WORD = re.compile(r"\w")
_LAST_TOKEN = re.compile(r"(?:(?<!\w)\w++|(?<![^\w\s])[^\w\s]++)\Z")
_BEGINS = re.compile(r"[\w$(\"'\[-]")
"""What an operand begins with."""
_SUBSTITUTION = re.compile(r"[\"'][^\"'\n]{0,80}?\$\(")
"""Where a string begins that holds a shell's code."""
_DOCSTRING = re.compile(r"\s*(?:\"\"\"|''')")


def indented(answer: Answer, gap: CursorContext, *, chat: bool) -> str:
    """Return the text of an answer as it goes in at the cursor."""
    text = answer.text
    if answer.joined:
        return _rest_indented(text, gap, answer, answer.indent, chat=chat)
    if gap.prefix.strip():
        return _after_code(answer, gap, chat=chat)
    text = text.lstrip("\n") if text.strip() else ""
    first, newline, rest = text.partition("\n")
    written = indent_of(first)
    kept = _kept(first, gap, chat=chat)
    known = written if chat or not gap.prefix else None
    text = kept + first.lstrip() + newline + rest
    return _rest_indented(text, gap, answer, known, chat=chat)


def _after_code(answer: Answer, gap: CursorContext, *, chat: bool) -> str:
    """The text after the beginning of a line: on the next line if a block has been opened."""
    text = answer.text
    lead = text[: len(text) - len(text.lstrip("\n"))]
    if lead and (gap.opens_block or not chat):
        kept = lead[:1] if gap.language.indented else lead[:2]
        return _rest_indented(kept + text[len(lead) :], gap, answer, None, chat=chat)
    if chat and gap.opens_block and _INDENTED.match(text):
        return _rest_indented("\n" + text, gap, answer, None, chat=chat)
    text = text.lstrip("\n") if chat else text
    if answer.stripped and _lacks_a_blank(text, gap):
        text = f" {text}"
    if gap.prefix[-1] in " \t" and not _is_aligned(text, gap, chat=chat):
        text = text.lstrip(" ")
    return _rest_indented(text, gap, answer, None, chat=chat)


def _is_aligned(text: str, gap: CursorContext, *, chat: bool) -> bool:
    """Whether several blanks bring a text under or above what blanks have aligned nearby.

    Behind the sign of a comment they indent its text, which has levels of its own.
    """
    column = len(gap.prefix) + len(text) - len(text.lstrip(" "))
    if column < len(gap.prefix) + 2:
        return False
    if gap.place is LexicalContext.COMMENT and not chat and not _WORD.search(gap.prefix):
        return True
    near = (*gap.above[-1:], *gap.below[:1])
    return any(
        line[column - 1 : column] == " " and line[column : column + 1].strip() for line in near
    )


def _lacks_a_blank(text: str, gap: CursorContext) -> bool:
    """Whether a blank belongs between the cursor and a text that stood between backquotes."""
    if gap.prefix[-1].isspace() or text[:1].isspace():
        return False
    around = "\n".join((*gap.above, *gap.below))
    apart, together = _as_written(text, around, gap)
    if apart != together:
        return apart > together
    if _AFTER_BLANK.search(gap.prefix) or (_KEYWORD.search(gap.prefix) and _BEGINS.match(text)):
        return True
    if text[0] == "}" and _PADDED_BRACES.search(gap.prefix):
        return True
    word, first = _LAST_WORD.search(gap.prefix), _FIRST_WORD.match(text)
    if word is None or first is None or _OPERATOR.match(text):
        return _OPERATOR.match(text) is not None
    # The word is whole if it stands elsewhere and what both would make does not.
    joined = re.compile(rf"\b{re.escape(word[0] + first[0])}\b")
    whole = re.compile(rf"\b{re.escape(word[0])}\b")
    return joined.search(around) is None and whole.search(around) is not None


def _as_written(text: str, around: str, gap: CursorContext) -> tuple[int, int]:
    """How often the last token before the cursor and what comes stand around, apart and together.

    Words count as alike after other tokens; two words tell nothing, for together they are one.
    """
    token = _LAST_TOKEN.search(gap.prefix)
    if token is None or not text or (_WORD.match(token[0]) and _WORD.match(text)):
        return 0, 0
    before = rf"(?<!\w){re.escape(token[0])}" if _WORD.match(token[0]) else re.escape(token[0])
    after = r"\w" if _WORD.match(text) else re.escape(text[0])
    apart = len(re.findall(f"{before} {after}", around))
    return apart, len(re.findall(before + after, around))


def _kept(first: str, gap: CursorContext, *, chat: bool) -> str:
    """The white space that the first line needs beside what stands before the cursor."""
    written, ours = indent_of(first), style_of(gap)
    if chat and gap.prefix:
        written = written.removeprefix(gap.prefix) if written.startswith(gap.prefix) else ""
    if not written:
        return ""
    if not gap.prefix:
        return _at_margin(written, gap, ours)
    theirs = set(written) <= set(gap.prefix)
    above = gap.last_line
    shallow = ours.width(gap.prefix) <= ours.width(above)
    goes_on = CONTINUES.match(first.lstrip()) and first.lstrip()[:2] not in ("//", "--")
    fits = ours.width(written) % ours.unit == 0
    if chat and ours.width(written) in UNITS:
        written, fits = ours.indent(ours.unit), True
    elif chat and ours.width(written) > ours.unit:
        return ""  # of another width, and so no level deeper
    return written if theirs and fits and shallow and (goes_on or gap.opens(above)) else ""


def _at_margin(written: str, gap: CursorContext, ours: Style) -> str:
    """The indentation of a first line whose cursor stands at the margin, in the document's kind."""
    if ours.tabs == ("\t" in written):
        return written
    expected = ours.width(gap.last_line) + (ours.unit if gap.opens(gap.last_line) else 0)
    width = TAB * written.count("\t") + written.count(" ")
    if not ours.tabs:
        return ours.indent(written.count("\t") * ours.unit)
    if expected and width in (expected // ours.unit * 2, expected // ours.unit * 4, expected):
        return ours.indent(expected)
    return ours.indent(max(width // TAB, 1) * ours.unit)


def _rest_indented(
    text: str, gap: CursorContext, answer: Answer, written: str | None, *, chat: bool
) -> str:
    """Indent all lines but the first: by what level they stand at, if that is not as it is here.

    `written`: how the first line was indented in the answer, if that is known.
    """
    first, newline, rest = text.partition("\n")
    if not newline or not rest.strip() or (gap.mixes_indentation and not chat):
        return text
    lines = rest.split("\n")
    scanned = gap.lexer.scan(gap.near + text)
    offset = len(scanned.levels) - len(lines)
    inside = scanned.inside
    counted = [n for n, line in enumerate(lines) if line.strip() and n + offset not in inside]
    along = _moved_along([first, *lines], scanned, offset - 1)
    substituted = _substituted([gap.prefix + first, *lines], scanned, offset - 1)
    if not counted and not along:
        return text
    theirs = style_of_lines([lines[n] for n in counted or sorted(along)], style_of(gap))
    ours = style_of(gap) if gap.unit else theirs
    levels = Lines(
        first,
        tuple(lines[n] for n in counted),
        tuple(scanned.levels[n + offset] - scanned.levels[0] for n in counted),
        gap,
        ours,
        theirs,
        chat=chat,
    )
    here, there = levels.here, levels.there(written)
    if answer.shift is not None:
        before, after = answer.shift
        there = here + levels.theirs.width(before + "x") - ours.width(after + "x")
    step = levels.step(there)
    alike = levels.of_our_kind if counted else theirs.tabs <= ours.tabs
    if there == here and alike and not (step and levels.has_steps_of_another_width(step)):
        return text
    indented = list(lines)
    for n in (*counted, *substituted):
        depth = levels.theirs.width(lines[n]) - there
        if depth > 0 and step and depth % step == 0:
            depth = depth // step * ours.unit
        lines[n] = ours.indent(max(here + depth, 0)) + lines[n].lstrip(" \t")
    was, becomes = there, here  # of the line that begins the comment or docstring
    for n, line in enumerate(indented):
        if n in along and line.strip():
            depth = max(theirs.width(line) - was, 0)
            lines[n] = ours.indent(becomes) + " " * depth + line.lstrip(" \t")
        elif line.strip():
            was, becomes = theirs.width(line), ours.width(lines[n])
    return "\n".join([first, *lines])


def _substituted(lines: Sequence[str], scanned: Scan, offset: int) -> list[int]:
    """Lines after the first that are code within a string: of a shell's `$( )`."""
    headers: list[int] = []
    begins = 0
    for n in range(1, len(lines)):
        if n + offset not in scanned.strings:
            begins = n
            continue
        above = "\n".join(lines[begins:n])
        code = next(reversed(list(_SUBSTITUTION.finditer(above))), None)
        if (
            code
            and lines[n].strip()
            and above.count("(", code.end()) >= above.count(")", code.end())
        ):
            headers.append(n - 1)
    return headers


def _moved_along(lines: Sequence[str], scanned: Scan, offset: int) -> set[int]:
    """Lines after the first that move with the code around: of comments and docstrings."""
    moved: set[int] = set()
    for n in range(1, len(lines)):
        number = n + offset
        begins_there = number - 1 not in scanned.strings and _DOCSTRING.match(lines[n - 1])
        docstring = number in scanned.strings and (begins_there or n - 2 in moved)
        if number in scanned.comments or docstring:
            moved.add(n - 1)
    return moved
