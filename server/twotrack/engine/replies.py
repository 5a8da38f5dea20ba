"""From what a model said to what is inserted.

Each rule is a small pure function; `proposal` applies them in order. The rules are exact:
comparisons of "similar" lines drop answers that were right. Inside, lines end at a newline; the
document's line end comes back at the end.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from twotrack.engine.brackets import PAIRS, balanced, faults, unopened
from twotrack.engine.gap import Gap, indent_of

_SPECIAL = re.compile(
    r"<\|[\w ▁|-]{1,40}\|>|<｜[^｜\n]{1,40}｜>|<\[(?:fim|end)[^\]\n]{1,40}\]>"  # noqa: RUF001
    r"|<(?:fim_(?:prefix|suffix|middle|pad)|file_sep|repo_name|PRE|SUF|MID|EOT)>"
)
"""Tokens of the models' own templates; nothing after one is code."""
TAG = "insert"
"""What a chat model is asked to put its code into."""
_TAGGED = re.compile(rf"<{TAG}>\n?(.*?)(?:\n?</{TAG}>|\Z)", re.DOTALL)
_END_TAG = re.compile(rf"\n?</{TAG}>")
_THOUGHTS = re.compile(r"\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_FENCE = re.compile(r"[ \t]*(?:```|~~~)[\w+#.-]*[ \t]*(?:\n|\Z)")
_CHATTER = re.compile(
    r"(?:here(?:'s| is| are)|sure|certainly|of course|okay|the (?:completed?|following|missing)"
    r"|to complete|i(?:'ll| will| have)|let(?:'s| me)|below is|based on)\b[^\n]*(?:\n|\Z)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w")
_LETTERS = re.compile(r"[^\W\d_]{3}")
_CYCLE_LINES, _CYCLE_TIMES = 4, 3
_CYCLE_CHARS = re.compile(r"(\S.{1,39}?)\1{5,}", re.DOTALL)
_RETYPED_LEAST = 3
"""Fewer characters that come again may be meant."""
_MARKUP = frozenset({"markdown", "restructuredtext", "plaintext", "latex"})
_CONTINUES = re.compile(
    r"[\])}]|(?:else|elif|elsif|except|finally|catch|rescue|ensure|end|fi|done|esac|case|default"
    r"|when|then|do)\b"
)
"""What goes on with a block at the level of the line that opened it."""
_PERHAPS_MORE = re.compile(r"\s*\w*")
_MOST_CLOSERS = 64
_TRIPLE_QUOTES = ('"""', "'''")
_PUNCTUATION = re.compile(r">*\s*[:{;,]*")
_ARROWS = re.compile(r"[-=]>|<=|>=")
_PLAIN_CLOSERS = re.compile(r"[\s)\]};,]+")


class Insertion(NamedTuple):
    """What to insert at the cursor."""

    text: str
    replaces: int = 0
    """Characters after the cursor, on its line, that it takes the place of."""


def proposal(
    reply: str,
    gap: Gap,
    *,
    max_lines: int,
    cut: bool = False,
    adds_errors: Callable[[Insertion], bool] | None = None,
) -> Insertion | None:
    """What to insert for `reply`, at most `max_lines` lines; None: nothing worth showing.

    `cut`: the reply ended because it was too long, in the middle of something. `adds_errors`
    says whether the document would parse worse with an insertion.
    """
    text = _begun(reply, gap)
    if cut:
        text = without_cut_line(text)
    text = without_repetition(text)
    text = within_scope(text, gap)
    text = "\n".join(first_lines(text, max_lines))
    text = without_lines_below(text, gap)
    if repeats_lines_below(text, gap):
        return None
    if not gap.suffix.strip():
        text = text.rstrip()
    insertion = over_suffix(text.rstrip("\n"), gap)
    if not insertion.text.strip():
        return None
    insertion = insertion._replace(text=insertion.text.replace("\n", gap.eol))
    if adds_errors is not None and balanced(insertion.text) and adds_errors(insertion):
        return None
    return insertion


def complete_at(text: str, gap: Gap, *, max_lines: int) -> bool:
    """Whether a reply that has come as far as `text` holds all that will be shown of it."""
    if "\n" not in text:
        return False
    body = _begun(text, gap)
    whole, newline, last_line = body.rpartition("\n")
    if not newline or not whole.strip():
        return False
    lines = first_lines(whole, max_lines + 1)
    if len(lines) - whole.startswith("\n") >= max_lines:
        return True
    last = next(line for line in reversed(lines) if line.strip())
    if len(lines) > 1 and last == gap.next_line and _WORD.search(last):
        return True
    if len(without_repetition(whole)) < len(whole):
        return True
    # A line that is still coming counts when its first word is known.
    seen = whole if _PERHAPS_MORE.fullmatch(last_line) else body
    return len(within_scope(seen, gap)) < len(seen)


def _begun(reply: str, gap: Gap) -> str:
    """The code of a reply that may still be coming, from the cursor on."""
    text = unwrapped(reply.replace("\r\n", "\n").replace("\r", "\n"), gap)
    # Who was asked for the tag was asked to begin with the line so far.
    least = 1 if f"<{TAG}>" in reply else _RETYPED_LEAST
    text = without_retyped_opener(without_retyped_prefix(text, gap, least), gap)
    return reindented(without_leading_space(text, gap), gap)


# -- fences, tags, chatter ---------------------------------------------------------------------


def unwrapped(reply: str, gap: Gap) -> str:
    """The code without special tokens, the tag it was asked in, fences, and words around it."""
    reply = _THOUGHTS.sub("", reply, count=1) if reply.lstrip().startswith("<think") else reply
    special = _SPECIAL.search(reply)
    if special is not None:
        reply = reply[: special.start()]
    tagged = _TAGGED.search(reply)
    # Without its beginning, which was part of the question, the tag may still end.
    reply = tagged[1] if tagged is not None else _END_TAG.split(reply, maxsplit=1)[0]
    if gap.language.id in _MARKUP:
        return reply
    start = reply.lstrip("\n")
    chatter = _CHATTER.match(start.lstrip())
    if chatter is not None and chatter[0].rstrip().endswith((":", ".", "!")):
        code = start.lstrip()[chatter.end() :].lstrip("\n")
        # Where the line has begun these may be words of it, unless code in a fence follows.
        fenced = _FENCE.match(code) or "```".startswith(code)
        if (fenced and chatter[0].endswith("\n")) or not gap.prefix.strip():
            reply = start = code
    opening = _FENCE.match(start)
    if opening is not None:
        return _up_to_fence(start[opening.end() :])
    return _up_to_fence(reply) if not _inside_fence(gap) else reply


def _up_to_fence(text: str) -> str:
    lines = text.split("\n")
    fence = next((i for i, line in enumerate(lines) if line.strip() in ("```", "~~~")), None)
    return text if fence is None else "\n".join(lines[:fence])


def _inside_fence(gap: Gap) -> bool:
    return any(line.lstrip().startswith(("```", "~~~")) for line in (*gap.above, *gap.below))


# -- the beginning -----------------------------------------------------------------------------


def without_retyped_prefix(text: str, gap: Gap, least: int = _RETYPED_LEAST) -> str:
    """Without the line so far (of at least `least` characters), where it comes again."""
    typed = gap.prefix.lstrip()
    if len(typed.rstrip()) < least:
        return text
    body = text.lstrip("\n")
    for again in (gap.prefix, typed):
        if body.startswith(again):
            return body[len(again) :]
    # A line so far that ends in a blank comes again without it, the blank in the answer.
    return body[len(typed.rstrip()) :].lstrip(" ") if body == typed.rstrip() else text


def without_retyped_opener(text: str, gap: Gap) -> str:
    """Without the line above that opened the block, where a blank line is answered with it."""
    first, _, rest = text.lstrip("\n").partition("\n")
    again = first.strip() == gap.last_line.strip() and gap.opens(first) and _WORD.search(first)
    return rest if again and not gap.prefix.strip() else text


def without_leading_space(text: str, gap: Gap) -> str:
    """Without the blank lines and the indentation that are already there before the cursor."""
    if gap.prefix.strip():
        lead = text[: len(text) - len(text.lstrip("\n"))]
        text = text[len(lead) - 1 :] if lead else text
        return text.lstrip(" ") if gap.prefix[-1] in " \t" else text
    text = text.lstrip("\n")
    if text.startswith(gap.prefix):
        return text[len(gap.prefix) :]
    # The same place in the other kind of indentation.
    return text if set(indent_of(text)) & set(gap.prefix) else text.lstrip(" \t")


def reindented(text: str, gap: Gap) -> str:
    """With the document's kind of indentation, where the reply uses only the other kind."""
    first, *rest = text.split("\n")
    ours = {kind for line in (*gap.above, gap.prefix, *gap.below) for kind in indent_of(line)[:1]}
    theirs = {kind for line in rest for kind in indent_of(line)}
    if len(ours) != 1 or len(theirs) != 1 or ours == theirs:
        return text
    if ours == {"\t"}:
        old, new = " " * _unit(rest), "\t"
    else:
        old, new = "\t", " " * _unit((*gap.above, gap.prefix, *gap.below))
    turned = (indent_of(line).replace(old, new) + line.lstrip(" \t") for line in rest)
    return "\n".join([first, *turned])


def _unit(lines: Iterable[str]) -> int:
    """The spaces of one level, as far as indented `lines` show."""
    widths = [len(indent) for line in lines if line.strip() and (indent := indent_of(line))]
    widths = widths or [4]
    common = math.gcd(*widths)
    common = common if common > 1 else min(widths)  # some line is aligned
    return next((unit for unit in (4, 2) if common % unit == 0), common)


# -- the end -----------------------------------------------------------------------------------


def first_lines(text: str, count: int) -> Sequence[str]:
    """The first `count` lines, one more where the text begins with a line end."""
    return text.split("\n")[: count + text.startswith("\n")]


def without_cut_line(text: str) -> str:
    """Without the last line, which is not whole, where another one is left."""
    whole, _, _ = text.rpartition("\n")
    return whole if whole.strip() else text


def without_repetition(text: str) -> str:
    """Up to the first time round, where lines or words go round in a circle."""
    lines = text.split("\n")
    for size in range(1, _CYCLE_LINES + 1):
        for start in range(len(lines) - size * _CYCLE_TIMES + 1):
            cycle = lines[start : start + size]
            if any(_WORD.search(line) for line in cycle) and all(
                lines[start + size * k : start + size * (k + 1)] == cycle
                for k in range(1, _CYCLE_TIMES)
            ):
                return "\n".join(lines[: start + size])
    round_again = _CYCLE_CHARS.search(text)
    if round_again is not None and _LETTERS.search(round_again[1]):
        return text[: round_again.end(1)]
    return text


def within_scope(text: str, gap: Gap) -> str:
    """Up to where the block at the cursor ends.

    It ends before a line that is indented less than its first, before one that closes a bracket
    which neither the text nor the cursor's line has opened, and before a new statement at the
    level of the line that opened the block (after a blank line: of any line).
    """
    lines = text.split("\n")
    begun = bool(gap.prefix.strip())
    width = _width(gap.prefix if begun else gap.prefix + lines[0])
    after_blank = False
    for index, line in enumerate(lines):
        if index == 0 or not line.strip():
            after_blank = after_blank or index > 0
            continue
        own = _width(line)
        level = begun and own == width and (after_blank or gap.opens_block)
        if own < width or (level and not _CONTINUES.match(line.lstrip())):
            return "\n".join(lines[:index]).rstrip("\n")
        before = "\n".join(lines[:index])
        closer = line.lstrip()[0]
        if closer in PAIRS and unopened(f"{gap.near}{before}\n{closer}") > unopened(
            gap.near + before
        ):
            return before.rstrip("\n")
        after_blank = False
    return text


def _width(line: str) -> int:
    return len(indent_of(line).expandtabs(4))


def without_lines_below(text: str, gap: Gap) -> str:
    """Without the last lines, where the document goes on with just these."""
    lines = text.rstrip("\n").split("\n")
    below = [line.rstrip() for line in gap.below if line.strip()]
    for count in range(min(len(lines) - 1, len(below)), 0, -1):
        tail = [line.rstrip() for line in lines[-count:]]
        if tail != below[:count]:
            continue
        plain = all(_PLAIN_CLOSERS.fullmatch(line) for line in tail)
        # Closing lines may be this text's own: they go where there would be too many.
        after = "\n" + "\n".join(tail)
        if not plain or faults(gap.near + text + after) > faults(gap.near + after):
            return "\n".join(lines[:-count])
    return text


def repeats_lines_below(text: str, gap: Gap) -> bool:
    """Whether the document goes on with just these lines, so that they would stand there twice."""
    shown = text if text.startswith("\n") else gap.prefix + text
    lines = [line.strip() for line in shown.split("\n") if line.strip()]
    below = [line.strip() for line in gap.below if line.strip()]
    whole = lines and len(lines[0]) > 1 and _WORD.search(lines[0])
    return bool(whole) and lines == below[: len(lines)]


def over_suffix(text: str, gap: Gap) -> Insertion:
    """The text, and how much of what follows the cursor it repeats.

    Brackets and quotes after the cursor are taken over as far as they would be too many, and what
    punctuation follows them with them, where the text ends with it; any other rest of the line
    where the text ends with the whole of it.
    """
    suffix = gap.suffix.rstrip()
    if not suffix.strip():
        return Insertion(text)
    if not gap.only_closers_follow:
        rest = suffix.lstrip()
        if len(rest) > 1 and text.endswith(rest):
            text = text[: -len(rest)]
            return Insertion(text.rstrip() if gap.suffix[0].isspace() else text)
        return Insertion(text)
    if suffix[:3] in _TRIPLE_QUOTES:
        text = text.partition(suffix[:3])[0]
    most = faults(gap.near + suffix)
    for count in range(min(len(suffix), _MOST_CLOSERS) + 1):
        if faults(gap.near + text + suffix[count:]) <= most:
            over = suffix[: count + _repeated(text, suffix[count:])]
            if over and text.endswith(over):
                return Insertion(text[: -len(over)])
            return Insertion(text, len(over))
    return Insertion(text)


def _repeated(text: str, rest: str) -> int:
    """How much of the punctuation that `rest` begins with stands at the end of `text` already."""
    plain = _ARROWS.sub("", text)
    angles = plain.count(">") - plain.count("<")
    for size in range(min(len(rest), _MOST_CLOSERS), 0, -1):
        part = rest[:size]
        if (
            _PUNCTUATION.fullmatch(part)
            and part.strip()
            and text.endswith(part.lstrip())
            and part.count(">") <= max(angles, 0)
        ):
            return size
    return 0
