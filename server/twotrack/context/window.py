"""The text around the cursor, cut so that its head stays the same from key to key."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twotrack.credentials.formats import is_key_line
from twotrack.languages import Language
from twotrack.text import Position, Snapshot

_LINES = 32
"""The prefix starts at a multiple of so many lines: one change of its head per 32 lines moved."""
_CHARACTERS = 256
"""Likewise inside a line too long for the budget, and for what such a line takes from the rest."""
_ABOVE = 4
"""Lines above a text that may bind a name to what stands in it."""
_BEYOND = 512
"""Characters of a line beyond where it is cut, that may tell a secret before the cut."""
_LONGEST_KEY = 400
"""Lines of a private key."""
_NEAR = 16
"""So many lines further at most, the prefix may start at a definition instead."""
_LAST_WORD = re.compile(r"(?<![\w+/.-])[\w+/.-]{1,256}\Z")
_FIRST_ITEM = re.compile(r"\A(?:[^,;]{0,255}[,;]|[\w+/=.-]{1,256}(?![\w+/=.-]))")
_HEADROOM = 0.9
"""Characters a token are an average: a tenth is left free."""


@dataclass(frozen=True, slots=True)
class Window:
    """What stands around the cursor. Every line end is a newline."""

    prefix: str
    suffix: str
    first_line: int
    """The line where the prefix starts."""
    last_line: int
    """The line where the suffix ends."""
    above: str = ""
    """What stands before the prefix and may tell that it begins within a secret: not to be sent."""
    below: str = ""
    """Likewise what stands behind a suffix that ends within a line."""


def characters(tokens: float, language: Language) -> int:
    """How many characters of `language` fit into `tokens`."""
    return max(int(tokens * language.chars_per_token * _HEADROOM), 0)


def suffix_at(text: Snapshot, position: Position, budget: int) -> tuple[str, int]:
    """The rest of the line and whole lines below, at most `budget` characters; the last line."""
    line, character = text.clamp(position)
    own = text.line(line)[character:]
    suffix = own[:budget]
    if len(own) > budget:  # what is left of a word could be the beginning of a secret
        return _LAST_WORD.sub("", suffix), line
    room = budget - len(suffix)
    end = text.position(text.offset(Position(line, 0)) + len(text.line(line)) + room)
    last = end.line if end == text.end else max(end.line - 1, line)
    return "\n".join((suffix, *_plain(text.lines(line + 1, last + 1)))), last


def prefix_at(text: Snapshot, position: Position, budget: int) -> tuple[str, int]:
    """Whole lines above and the line up to the cursor; the first line. At most `budget` characters.

    What is above the cursor's line does not change while that line is typed on.
    """
    line, character = text.clamp(position)
    own = text.line(line)[:character]
    reserved = max(budget // 4, _up(len(own), _CHARACTERS))
    if reserved >= budget:
        cut = _up(max(len(own) - budget, 0), _CHARACTERS)
        kept = own[min(cut, max(len(own) - budget // 2, 0)) :][-budget:] if budget else ""
        # Half a line could hold a secret without the name that tells it.
        return _FIRST_ITEM.sub("", kept) if len(kept) < len(own) else kept, line
    first = _first_line(text, line, budget - reserved)
    return "\n".join((*_plain(text.lines(first, line)), own)), first


def lines_above(text: Snapshot, line: int) -> str:
    """What tells that the text from `line` on begins within a secret: few lines, or a key's all."""
    first = max(line - _ABOVE, 0)
    while first > 0 and line - first < _LONGEST_KEY and is_key_line(text.line(first).rstrip()):
        first -= 1
    return "".join(f"{above.rstrip()[-_CHARACTERS:]}\n" for above in text.lines(first, line))


def _first_line(text: Snapshot, line: int, room: int) -> int:
    begins = text.position(text.offset(Position(line, 0)) - room)
    first = min(begins.line + (begins.character > 0), line)
    if first == 0:
        return 0
    step = _LINES
    # If only few lines fit, a coarse step would leave none: at least half of them stay.
    while step > 1 and _up(first, step) > line - (line - first) // 2:
        step //= 2
    first = _up(first, step)
    for candidate in range(first, min(first + _NEAR, line - (line - first) // 2)):
        if _begins_definition(text, candidate):
            return candidate
    return first


def _plain(lines: Sequence[str]) -> list[str]:
    """The lines without their line ends."""
    return [line.rstrip("\r\n") for line in lines]


def _begins_definition(text: Snapshot, line: int) -> bool:
    """Whether something of the outermost level seems to begin: no indentation, a blank above."""
    return text.line(line)[:1].strip(" \t})]") != "" and not text.line(line - 1).strip()


def _up(number: int, step: int) -> int:
    """The next multiple of `step`."""
    return -(-number // step) * step


def window_at(text: Snapshot, position: Position, prefix_budget: int, suffix_budget: int) -> Window:
    """What stands around `position`, within budgets in characters.

    What the lines below leave of the suffix's budget goes to the prefix.
    """
    suffix, last = suffix_at(text, position, suffix_budget)
    # Counted in steps: the head may not move with every character right of the cursor.
    unused = (suffix_budget - len(suffix)) // _CHARACTERS * _CHARACTERS
    prefix, first = prefix_at(text, position, prefix_budget + unused)
    line, character = text.clamp(position)
    own = text.line(line)
    start = character - len(prefix) if first == line else 0
    above = lines_above(text, first) + own[max(start - _BEYOND, 0) : start]
    end = character + len(suffix)
    below = own[end : end + _BEYOND] if last == line else ""
    return Window(prefix, suffix, first, last, above, below)
