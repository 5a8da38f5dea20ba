"""Answers that go round in a circle."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_WORD = re.compile(r"\w")
_REST_OF_WORD = re.compile(r"(?:(?<=\w)\w+)?")
_LETTERS = re.compile(r"(?=([^\W\d_]{3}))")
"""Three letters; whatever goes round holds some."""
_LONGEST_BLOCK = 20
"""Lines of a block that may come again."""
_BEGUN_AGAIN = 3
"""So many first lines that come again are the beginning of the next time round."""
_MOST_TIMES = 3
"""So often a line stands there by intention; more is a model that goes round in a circle."""
_SURE_TIMES = 6
"""After so many times of a line nothing else comes any more."""
_TIMES_OF_WORDS = 6
_CYCLE_CHARS = re.compile(r"([^\s,][^,]{1,39}?)\1{5,}|(\S.{1,39}?)\2{8,}", re.DOTALL)


def without_repetition(
    text: str, lead: str = "", *, going_on: bool = False, cut: bool = False
) -> str:
    """Return `text` up to the first time round, if it goes round in a circle up to its end.

    `lead`: the indentation before its first line. `going_on`: more of it may come. `cut`: it did
    not come to its own end, so that the last time round may have just begun.
    """
    lines = text.split("\n")
    written = [(lead + lines[0]).rstrip(), *(line.rstrip() for line in lines[1:])]
    while written and not written[-1]:
        written.pop()
    least = _Least(
        lines=_SURE_TIMES if going_on else _MOST_TIMES + (not cut),
        blocks=3 if going_on else 2,
        begun_again=cut,
    )
    # A blank line between two blocks is missing behind the last.
    for tried in (written, [*written, ""]) if "" in written else (written,):
        if (end := _first_time_round(tried, least)) is not None:
            return "\n".join(lines[:end]).rstrip("\n")
    return _without_repeated_words(text)


class _Least(NamedTuple):
    """How often something has to come to be a circle."""

    lines: int
    blocks: int
    begun_again: bool
    """Whether the last time may have just begun."""


def _first_time_round(written: Sequence[str], least: _Least) -> int | None:
    """How many lines are the first time round; None: they are no circle."""
    longest = len(written) - 1 if least.begun_again else len(written) // 2
    for size in range(1, min(_LONGEST_BLOCK, longest) + 1):
        start = _periodic_from(written, size)
        times = (len(written) - start) / size
        begun = least.begun_again and size > 1 and not start and len(written) - size >= _BEGUN_AGAIN
        round_ = times >= (least.lines if size == 1 else least.blocks) or begun
        if round_ and any(map(_WORD.search, written[start : start + size])):
            return start + size
    return None


def _without_repeated_words(text: str) -> str:
    most = max(Counter(_LETTERS.findall(text)).values(), default=0)
    if most < _TIMES_OF_WORDS:  # most often: a look is cheaper than the search
        return text
    cycle = _CYCLE_CHARS.search(text)
    if cycle is None or not _LETTERS.search(cycle[1] or cycle[2]):
        return text
    whole = not cycle.start() and len(cycle[0]) >= len(text.rstrip()) - len(cycle[1] or "")
    if whole and not re.search(r"\s", text):
        return ""  # nothing but the one word
    end = cycle.end(cycle.lastindex or 0)
    rest = _REST_OF_WORD.match(text, end)
    return text[: rest.end() if rest else end]


def _periodic_from(lines: Sequence[str], size: int) -> int:
    """The first line from which each line comes again `size` lines later, up to the end."""
    start = len(lines) - size
    while start and lines[start - 1] == lines[start - 1 + size]:
        start -= 1
    return start
