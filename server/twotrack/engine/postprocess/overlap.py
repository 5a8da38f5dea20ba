"""The rest of the cursor's line, and how much of it an answer has written too."""

import re
from collections.abc import Iterator
from itertools import islice

from twotrack.engine.cursor_context import CursorContext, indent_of
from twotrack.engine.postprocess.insertion import Insertion
from twotrack.lexical import PAIRS, LexicalContext

_MOST = 16
"""Closers that are taken over, ends that are compared, closers that are taken away one by one."""
_LONGEST_REST = 400
"""Characters after the cursor that are compared."""
_WORD = re.compile(r"\w")
_CLOSERS = re.compile(r"(?:[\])}>\"'`]|\s+(?=[\])}>]))*")
_QUOTES = ("'", '"', "`")
_OPENERS = ("{", "(", "[")
_ARROWS = re.compile(r"[-=]>|<=|>=")
_PUNCTUATION = re.compile(r"\s*[:{;,]*")


def over_suffix(text: str, gap: CursorContext) -> Insertion:
    """Return the text, and how many characters after the cursor it takes the place of.

    The longest end of the text that begins what follows is dropped if keeping it would repeat
    it: if the line has no more faults without it. Closers after the cursor that the text makes
    too many are taken over, with the punctuation behind them that it ends with.
    """
    suffix = gap.suffix[:_LONGEST_REST].rstrip()
    if not suffix:
        return Insertion(_without_extra_closers(text.rstrip(), "", gap))
    fewest = _faults(text, suffix, gap)
    insertion = _dropped(text, suffix, gap, fewest)
    if insertion is None or (left := _faults(insertion.text, suffix, gap)):
        taken = _over_closers(text, suffix, gap, fewest)
        if insertion is None or _faults(taken.text, suffix[taken.replaces :], gap) < left:
            insertion = _with_punctuation(taken, suffix)
    rest = suffix[insertion.replaces :]
    if insertion.replaces and not rest:
        return insertion._replace(replaces=len(gap.suffix))
    return insertion._replace(text=_without_extra_closers(insertion.text, rest, gap))


def without_trailing_comment(text: str, gap: CursorContext) -> str:
    """Return `text` without a comment at its end, in which what follows the cursor would vanish."""
    if not _ends_in_comment(text, gap):
        return text
    return text[: gap.lexer.ending(gap.near + text).start - len(gap.near)].rstrip()


def _without_extra_closers(text: str, rest: str, gap: CursorContext) -> str:
    """The text without closers at its end that nothing above has opened."""
    scan = gap.lexer.scan
    if gap.lexer.closes_unopened or _without_last_closer(text) is None:
        return text
    if not scan(gap.around + rest).unopened < scan(gap.around + text + rest).unopened:
        return text
    known = scan(gap.context + rest).unopened
    now = scan(gap.context + text + rest)
    if (many := now.unopened - known) > _MOST:
        return _without_closers(text, many)
    while now.unopened > known and (without := _without_last_closer(text)) is not None:
        then = scan(gap.context + without + rest)
        if then.faults >= now.faults:
            break
        text, now = without, then
    return text


def _without_closers(text: str, most: int) -> str:
    """The text without the last of the closers in a row that it ends with, at most so many."""
    bare = text.rstrip()
    row = len(bare) - len(bare.rstrip("".join(PAIRS)))
    return bare[: len(bare) - min(row, most)]


def _without_last_closer(text: str) -> str | None:
    """The text without the closer that it ends with, before a comma or not; None: it has none."""
    end = len(text.rstrip())
    if text[end - 1 : end] in (";", ","):
        end = len(text[: end - 1].rstrip())
    return text[: end - 1] + text[end:] if text[end - 1 : end] in PAIRS else None


def _over_closers(text: str, suffix: str, gap: CursorContext, fewest: int) -> Insertion:
    """The text in the place of as many closers as it makes too many."""
    run = _CLOSERS.match(suffix)
    most = min(run.end() if run else 0, _MOST)
    quote = gap.prefix[-1:]
    if suffix[0] == ">" and quote == "<":
        plain = _ARROWS.sub("", text)
        return Insertion(text, int(plain.count(">") > plain.count("<")))
    best = 0
    for count in range(1, most + 1):
        if best == 0 and not _breaks(text, suffix, gap):
            break
        faults = _faults(text, suffix[count:], gap)
        if faults < fewest:
            fewest, best = faults, count
    first, several, _ = text.partition("\n")
    if several or without_trailing_comment(text, gap).rstrip().endswith(_OPENERS):
        # What it opens last is closed below: the closer here is that of what it has closed.
        closed = gap.lexer.scan(first).closers
        best = max(best, _common(closed, suffix[:most]))
    elif not best and _is_pair(gap) and text.count(quote) % 2:
        best = 1
    return Insertion(text, best)


def _is_pair(gap: CursorContext) -> bool:
    """Whether the cursor stands between two quotes that an editor has put there together."""
    quote = gap.suffix[:1]
    return quote in _QUOTES and gap.prefix.endswith(quote) and not gap.prefix.endswith(2 * quote)


def _common(closed: str, suffix: str) -> int:
    """How many characters of `suffix` are the closers `closed`, as far as they go."""
    count = 0
    while count < min(len(closed), len(suffix)) and closed[count] == suffix[count]:
        count += 1
    return count


def _faults(text: str, rest: str, gap: CursorContext) -> int:
    """How many faults the line has with `text`, behind whose comment `rest` would vanish."""
    between = "\n" if _ends_in_comment(text, gap) else ""
    return gap.lexer.scan(gap.around + text + between + rest).faults


def _breaks(text: str, suffix: str, gap: CursorContext) -> bool:
    """Whether the text leaves a closer, or a string, without a partner."""
    between = "\n" if _ends_in_comment(text, gap) else ""
    before, after = (
        gap.lexer.scan(gap.around + rest) for rest in (suffix, text + between + suffix)
    )
    return after.unopened > before.unopened or after.unfinished > before.unfinished


def _ends_in_comment(text: str, gap: CursorContext) -> bool:
    """Whether the text begins a comment that goes on up to the end of its line."""
    if gap.place is LexicalContext.COMMENT or gap.lexer.comment is None:
        return False
    return gap.lexer.ending(gap.near + text)[0] is LexicalContext.COMMENT


def _dropped(text: str, suffix: str, gap: CursorContext, fewest: int) -> Insertion | None:
    """The text without its longest end that repeats the beginning of what follows."""
    for kept in islice(_overlaps(text, suffix), _MOST):
        if _faults(kept, suffix, gap) > fewest or not _angles_fit(text, kept, suffix, gap):
            continue
        return Insertion(kept.rstrip() if suffix[0].isspace() else kept)
    return None


def _overlaps(text: str, suffix: str) -> Iterator[str]:
    """What is left of `text` without an end that begins `suffix`, the longest end first."""
    end, rest = text.rstrip(), suffix.lstrip()
    for size in range(min(len(end), len(rest)), 0, -1):
        part = rest[:size]
        if not end.endswith(part) or part[-1].isspace():
            continue
        kept = end[: len(end) - size]
        inside_word = _WORD.match(part) and kept and _WORD.match(kept[-1])
        goes_on = _WORD.match(part[-1]) and _WORD.match(rest[size : size + 1] or " ")
        if not inside_word and not goes_on:
            yield kept


def _angles_fit(text: str, kept: str, suffix: str, gap: CursorContext) -> bool:
    """Whether no closing angle bracket is dropped that the text itself has opened."""
    if ">" not in _ARROWS.sub("", text[len(kept) :]):
        return True
    line = gap.prefix[-_LONGEST_REST:]
    return _odd_angles(line + kept + suffix) <= _odd_angles(line + text + suffix)


def _odd_angles(text: str) -> int:
    plain = _ARROWS.sub("", text)
    return abs(plain.count("<") - plain.count(">"))


def _with_punctuation(insertion: Insertion, suffix: str) -> Insertion:
    """Take over the punctuation behind closers that are taken over, if the text ends with it."""
    behind = _PUNCTUATION.match(suffix, insertion.replaces)
    mark = behind[0].strip() if behind and insertion.replaces else ""
    if behind and mark and insertion.text.rstrip().endswith(mark):
        return insertion._replace(replaces=behind.end())
    return insertion


def on_own_line(insertion: Insertion, gap: CursorContext, *, broken: bool) -> Insertion:
    """Put what closes the bracket before the cursor onto a line of its own after several lines.

    `broken`: the answer ended with a line end.
    """
    text, opener = insertion.text, gap.prefix[-1:]
    follows = gap.suffix[insertion.replaces :].lstrip()
    closes = follows[:1] and follows[0] == {"(": ")", "[": "]", "{": "}", ">": "<"}.get(
        opener, opener
    )
    if opener not in "([{>`\"'" or not opener or not closes or not text.startswith("\n"):
        return insertion
    if opener in "`\"'" and not broken:
        return insertion
    bare = text.rstrip()
    if not bare or text[len(bare) :].count("\n"):
        bare = text.rstrip(" \t\n")
    return insertion._replace(text=f"{bare}\n{indent_of(gap.statement_indent + 'x')}")
