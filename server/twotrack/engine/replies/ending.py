"""Where an answer ends: repetition, the end of its block, lines that the document goes on with."""

import re
from collections.abc import Sequence

from twotrack.engine.gap import Gap, indent_of
from twotrack.lexical import Place

_WORD = re.compile(r"\w")
_REST_OF_WORD = re.compile(r"(?:(?<=\w)\w+)?")
_LETTERS = re.compile(r"[^\W\d_]{3}")
_LONGEST_BLOCK = 20
"""Lines of a block that may come again."""
_BEGUN_AGAIN = 3
"""So many first lines that come again are the beginning of the next time round."""
_MOST_TIMES = 3
"""So often a line stands there by intention; more is a model that goes round in a circle."""
_SURE_TIMES = 6
"""After so many times of a line nothing else comes any more."""
_CYCLE_CHARS = re.compile(r"([^\s,][^,]{1,39}?)\1{5,}|(\S.{1,39}?)\2{8,}", re.DOTALL)
_CONTINUES = re.compile(
    r"[\])}]|(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|end|fi|done|esac|case"
    r"|default|when|then|do|until|endif|endforeach|endfor|endwhile)\b|</"
)
"""What goes on with a block at the level of the line that opened it."""
_MIDDLE = re.compile(
    r"(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|when|case|default)\b"
)
"""What goes on with a block that something above the cursor has opened."""
_GOES_ON = ("&&", "||", "+", "\\")
"""What a line ends with that the cursor's line goes on with: the block is that of the former."""
_LABEL = re.compile(
    r"\s*(?:#\s*(?:if|el|endif|define|include|pragma|region|endregion)|\w+\s*:\s*$)"
)
"""Lines that stand further left by custom: of the preprocessor, labels."""


def first_lines(text: str, count: int) -> Sequence[str]:
    """Return the first `count` lines, one more where the text begins with a line end."""
    lines = text.split("\n")
    blank = next((n for n, line in enumerate(lines) if line.strip()), 0)
    return lines[: count + blank]


def without_cut_line(text: str) -> str:
    """Return `text` without its last line, which is not whole, where another one is left."""
    whole, _, _ = text.rpartition("\n")
    return whole if whole.strip() else text


def without_repetition(
    text: str, lead: str = "", *, going_on: bool = False, cut: bool = False
) -> str:
    """Return `text` up to the first time round, where it goes round in a circle up to its end.

    `lead`: the indentation before its first line. `going_on`: more of it may come. `cut`: it did
    not come to its own end, so that the last time round may have just begun.
    """
    lines = text.split("\n")
    told = [(lead + lines[0]).rstrip(), *(line.rstrip() for line in lines[1:])]
    while told and not told[-1]:
        told.pop()
    if "" in told:
        told.append("")  # a blank line between two blocks is missing behind the last
    for size in range(1, min(_LONGEST_BLOCK, len(told) - 1 if cut else len(told) // 2) + 1):
        start = _periodic_from(told, size)
        least = (_SURE_TIMES if going_on else _MOST_TIMES + (not cut)) if size == 1 else 2
        least += size > 1 and going_on
        times = (len(told) - start) / size
        begun_again = cut and size > 1 and not start and len(told) - size >= _BEGUN_AGAIN
        if (times >= least or begun_again) and any(
            _WORD.search(line) for line in told[start : start + size]
        ):
            return "\n".join(lines[: start + size]).rstrip("\n")
    round_again = _CYCLE_CHARS.search(text)
    if round_again is not None and _LETTERS.search(round_again[1] or round_again[2]):
        whole = len(round_again[0]) >= len(text.rstrip()) - len(round_again[1] or "")
        if not round_again.start() and whole and not re.search(r"\s", text):
            return ""  # nothing but the one word
        end = round_again.end(round_again.lastindex or 0)
        return text[:end] + _REST_OF_WORD.match(text, end)[0]  # type: ignore[index]  # any text
    return text


def _periodic_from(lines: Sequence[str], size: int) -> int:
    """The first line from which each line comes again `size` lines later, up to the end."""
    start = len(lines) - size
    while start and lines[start - 1] == lines[start - 1 + size]:
        start -= 1
    return start


def within_scope(text: str, gap: Gap) -> str:
    """Return `text` up to where the block at the cursor ends.

    It ends before a line that closes what neither the text nor the cursor's line has opened, and
    where nothing is open: before a line that is indented less than the first, and before a new
    statement at the level of the line that opened the block (after a blank line: of any line).
    Lines within strings and comments end nothing.
    """
    lines = text.split("\n")
    if len(lines) == 1:
        return text
    begun = bool(gap.prefix.strip())
    scanned = gap.lexer.scan(gap.near + text)
    offset = len(scanned.levels) - len(lines)
    outer = scanned.levels[0]
    width = _width(gap.statement_indent if begun else gap.prefix + lines[0])
    if not begun and gap.last_line.rstrip().endswith(_GOES_ON):
        width = min(width, _width(gap.last_line))
    middle = not begun and _MIDDLE.match(lines[0].lstrip()) is not None
    lead = next((n for n, line in enumerate(lines) if line.strip()), 0)
    after_blank = said = siblings = False
    for index, line in enumerate(lines):
        if index == 0 or not line.strip():
            said = said or bool(line.strip())
            after_blank = after_blank or (index > 0 and said)
            continue
        said = True
        level, own = scanned.levels[index + offset], _width(line)
        if index + offset in scanned.inside or lines[index - 1].endswith("\\"):
            continue
        if middle and own == width and level < outer:
            # The block that the first line goes on with ends here, unless it goes on again.
            if gap.lexer.closing_line.fullmatch(line):
                return "\n".join(lines[: index + 1])
            continue
        if level < outer:
            return "\n".join(lines[: index + _due(lines[index:], gap)]).rstrip("\n")
        if not siblings and index == lead and own == width:
            siblings = True  # no block begins: what comes stands beside the cursor's line
            continue
        after_blank = after_blank and not siblings
        if level == outer and _ends(line, own, width, gap, begun=begun, after_blank=after_blank):
            return "\n".join(lines[:index]).rstrip("\n")
        after_blank = False
    return text


def _due(lines: Sequence[str], gap: Gap) -> int:
    """How many of `lines` close what is open above the cursor and closed nowhere below."""
    left = gap.open_above or 0
    count = 0
    while count < min(left, len(lines)) and gap.lexer.closing_line.fullmatch(lines[count]):
        count += 1
    return count


def _ends(line: str, own: int, width: int, gap: Gap, *, begun: bool, after_blank: bool) -> bool:
    if own < width:
        if gap.lexer.closing_line.fullmatch(line):
            return False
        return gap.language.indented or not _LABEL.match(line)
    if not begun or own > width or not (after_blank or gap.opens_block):
        return False
    bare = line.lstrip()
    if gap.language.id == "yaml" and bare[:1] == "-" and not gap.prefix.lstrip().startswith("-"):
        return False  # the items of a list may stand at the level of its key
    return _CONTINUES.match(bare) is None


def _width(line: str) -> int:
    return len(indent_of(line).expandtabs(4))


def closed(text: str, gap: Gap) -> str:
    """Return `text` without what begins a string over lines that it does not end; "" if all."""
    if gap.place is not Place.CODE:
        return text
    while text.strip():
        if gap.lexer.ending(f"{gap.near}{text}\n").place is not Place.STRING:
            return text
        text = text.rpartition("\n")[0]
    return ""


def without_lines_below(text: str, gap: Gap) -> str:
    """Return `text` without the last lines, where the document goes on with just these."""
    lines = text.rstrip("\n").split("\n")
    told = [(n, line.rstrip()) for n, line in enumerate(lines) if n and line.strip()]
    below = [line.rstrip() for line in gap.below if line.strip()]
    for count in range(min(len(told), len(below)), 0, -1):
        tail = [line for _, line in told[-count:]]
        if tail == below[:count] and _is_too_much(text, tail, gap):
            return "\n".join(lines[: told[-count][0]]).rstrip("\n")
    for at, (number, line) in enumerate(told[:-1]):
        # Two lines that the document goes on with: what comes after them is invented.
        if [line, told[at + 1][1]] == below[:2] and _WORD.search(line):
            return "\n".join(lines[:number]).rstrip("\n")
    return text


def _is_too_much(text: str, tail: Sequence[str], gap: Gap) -> bool:
    """Whether lines would be there twice; what only closes may be this text's own."""
    if not all(gap.lexer.closing_line.fullmatch(line) for line in tail):
        return True
    after = "\n" + "\n".join(tail)
    scan = gap.lexer.scan
    if not scan(after).unopened:
        return True  # words that the language's table does not know
    return scan(gap.near + text + after).unopened > scan(gap.near + after).unopened


def repeats_lines_above(text: str, gap: Gap) -> bool:
    """Whether several lines, not all alike, are just those that stand above: a second time."""
    lines = [line.rstrip() for line in (gap.prefix + text).split("\n") if line.strip()]
    above = [line.rstrip() for line in gap.above if line.strip()]
    if gap.prefix.strip() or len(set(lines)) < 2:
        return False
    return lines == above[-len(lines) :] and any(map(_WORD.search, lines))


def closes_what_is_closed(text: str, gap: Gap) -> bool:
    """Whether a text on a line of its own only closes, and nothing is left to be closed."""
    lines = [line for line in text.split("\n") if line.strip()]
    if gap.prefix.strip() or gap.suffix.strip() or gap.place in (Place.STRING, Place.COMMENT):
        return False
    only = all(gap.lexer.closing_line.fullmatch(line) for line in lines)
    return only and gap.open_above is not None and not gap.open_above


def repeats_lines_below(text: str, gap: Gap) -> bool:
    """Whether the document goes on with just these lines, so that they would stand there twice."""
    shown = text if text.startswith("\n") else gap.prefix + text
    lines = [line.rstrip() for line in shown.split("\n") if line.strip()]
    below = [line.rstrip() for line in gap.below if line.strip()]
    if not lines or lines != below[: len(lines)] or gap.suffix.strip():
        return False
    return len(lines[0].strip()) > 1 and _WORD.search(lines[0]) is not None
