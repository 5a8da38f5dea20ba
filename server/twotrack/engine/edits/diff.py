"""The smallest edits that turn one text into another."""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

from twotrack.text import Edit, Position, Range, Snapshot, common_head, common_tail

_MOST_STEPS = 250_000
_LINE_STEPS = 8
"""What each line costs, however few are compared."""
_MATCH_STEPS = 250
"""What a search costs beside its comparisons: it may give an edit more."""

Match = tuple[int, int, int]
"""From where lines are the same in each of two texts, and how many."""


class Effort:
    """What the comparison of texts may cost in all.

    Each of the searches of SequenceMatcher may compare all lines with all lines, and there may be
    as many as lines. What is left when the effort is spent becomes one edit.
    """

    def __init__(self, steps: int = _MOST_STEPS) -> None:
        self._left = steps

    def affords(self, steps: int) -> bool:
        """Return whether so many steps are left; if so, they are spent."""
        if steps > self._left:
            return False
        self._left -= steps
        return True


def minimal_edits(
    before: Snapshot, span: Range, new_text: str, effort: Effort | None = None
) -> tuple[Edit, ...]:
    r"""Return the edits of `before` that put `new_text` in the place of `span`.

    They are in order, don't touch each other, and applied together they give exactly the text
    that replacing all of `span` gives. No edit starts or ends between a \r and its \n.
    Several calls may share an `effort`.
    """
    old, (line, first) = before.slice(span), span.start
    alone = line == span.end.line and not any(end in new_text for end in "\r\n")
    if alone and len(old) == span.end.character - first:  # most often
        head, tail = _common_ends(old, new_text)
        where = Range(Position(line, first + head), Position(line, first + len(old) - tail))
        return () if old == new_text else (Edit(where, new_text[head : len(new_text) - tail]),)
    start = before.offset(span.start)
    return tuple(
        Edit(Range(before.position(start + first), before.position(start + last)), text)
        for first, last, text in _hunks(old, new_text, effort or Effort())
    )


def _hunks(old: str, new: str, effort: Effort) -> Iterator[tuple[int, int, str]]:
    """What changes in `old`: from and to (offsets), and the text to put there."""
    # Only the lines between the first difference and the last one are looked at.
    skipped = old.rfind("\n", 0, common_head(old, new)) + 1
    old, new = old[skipped:], new[skipped:]
    last = old.find("\n", len(old) - common_tail(old, new)) + 1
    if last:
        old, new = old[:last], new[: last + len(new) - len(old)]
    alone = not any(end in text for text in (old, new) for end in "\r\n")  # most often
    old_lines = [old] if alone else Snapshot(old).lines()
    new_lines = [new] if alone else Snapshot(new).lines()
    offsets = [0, *accumulate(map(len, old_lines))]
    for a1, a2, b1, b2 in _changed_lines(old_lines, new_lines, effort):
        removed, added = "".join(old_lines[a1:a2]), "".join(new_lines[b1:b2])
        if removed == added:  # the empty line after the last line end
            continue
        head, tail = _common_ends(removed, added)
        yield (
            skipped + offsets[a1] + head,
            skipped + offsets[a2] - tail,
            added[head : len(added) - tail],
        )


def _changed_lines(
    old: Sequence[str], new: Sequence[str], effort: Effort
) -> Iterator[tuple[int, int, int, int]]:
    """Lines `a1:a2` of `old` that became lines `b1:b2` of `new`."""
    head = common_head(old, new)
    tail = min(common_tail(old, new), len(old) - head, len(new) - head)
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    same = [] if len(a) == len(b) == 1 else _same_lines(a, b, effort)
    for (a1, b1, size), (a2, b2, _) in pairwise([(0, 0, 0), *same, (len(a), len(b), 0)]):
        if a1 + size < a2 or b1 + size < b2:
            yield head + a1 + size, head + a2, head + b1 + size, head + b2


def _same_lines(a: Sequence[str], b: Sequence[str], effort: Effort) -> list[Match]:
    """The lines that `a` and `b` have in common, in order, as far as the effort goes."""
    same: list[Match] = []
    if not effort.affords(_LINE_STEPS * (len(a) + len(b))):
        return same
    a1 = b1 = 0
    for a2, b2 in [*_anchors(a, b), (len(a), len(b))]:
        if a1 < a2 or b1 < b2:
            if not effort.affords(_MATCH_STEPS):
                break
            between = _longest(a[a1:a2], b[b1:b2], effort)
            same += [(a1 + at, b1 + there, size) for at, there, size in between]
        same.append((a2, b2, 1))
        a1, b1 = a2 + 1, b2 + 1
    return same


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Where lines stand that are once in `a` and once in `b`: the most that are in order in both.

    As in a patience diff: what lies between them is short, and its comparison cheap.
    """
    counts = Counter(a), Counter(b)
    places = {line: there for there, line in enumerate(b) if all(c[line] == 1 for c in counts)}
    pairs = [(at, places[line]) for at, line in enumerate(a) if line in places]
    ends: list[int] = []  # the least place in `b` where a sequence of each length ends
    chosen: list[int] = []  # the pair of each
    before: list[int] = []  # the one before each pair, -1 for none
    for number, (_, there) in enumerate(pairs):
        length = bisect_left(ends, there)
        before.append(chosen[length - 1] if length else -1)
        ends[length : length + 1] = [there]
        chosen[length : length + 1] = [number]
    found: list[tuple[int, int]] = []
    number = chosen[-1] if chosen else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _longest(a: Sequence[str], b: Sequence[str], effort: Effort) -> list[Match]:
    """The longest run of lines that `a` and `b` share, then those to both sides of it."""
    same: list[Match] = []
    matcher, count = SequenceMatcher(None, a, b, autojunk=False), Counter(b)
    costs = [0, *accumulate(1 + count[line] for line in a)]
    parts = deque([(0, len(a), 0, len(b))])
    while parts:
        a1, a2, b1, b2 = parts.popleft()
        empty = a1 == a2 or b1 == b2
        if empty or not effort.affords(_MATCH_STEPS + costs[a2] - costs[a1]):
            continue
        at, there, size = matcher.find_longest_match(a1, a2, b1, b2)
        if size:
            same.append((at, there, size))
            parts += (a1, at, b1, there), (at + size, a2, there + size, b2)
    return sorted(same)


def _common_ends(old: str, new: str) -> tuple[int, int]:
    """Lengths of the common start and of the common end after it, off any line end."""
    head = common_head(old, new)
    if old[max(head - 1, 0) : head + 1] == "\r\n":
        head -= 1
    tail = min(common_tail(old, new), len(old) - head, len(new) - head)
    cut = len(old) - tail
    if old[max(cut - 1, 0) : cut + 1] == "\r\n":
        tail -= 1
    return head, tail
