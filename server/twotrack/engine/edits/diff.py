"""The smallest edits that turn one text into another."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

from twotrack.text import Edit, Position, Range, Snapshot, common_head, common_tail

# SequenceMatcher is quadratic at worst: above this product of changed lines, old times new, the
# changed part becomes one hunk (20 ms at worst, measured).
_MOST_PAIRS = 250_000


def minimal_edits(before: Snapshot, span: Range, new_text: str) -> tuple[Edit, ...]:
    r"""Return the edits of `before` that put `new_text` in the place of `span`.

    They are in order, don't touch each other, and applied together they give exactly the text
    that replacing all of `span` gives. No edit starts or ends between a \r and its \n.
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
        for first, last, text in _hunks(old, new_text)
    )


def _hunks(old: str, new: str) -> Iterator[tuple[int, int, str]]:
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
    for a1, a2, b1, b2 in _changed_lines(old_lines, new_lines):
        removed, added = "".join(old_lines[a1:a2]), "".join(new_lines[b1:b2])
        if removed == added:  # the empty line after the last line end
            continue
        head, tail = _common_ends(removed, added)
        yield (
            skipped + offsets[a1] + head,
            skipped + offsets[a2] - tail,
            added[head : len(added) - tail],
        )


def _changed_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Lines `a1:a2` of `old` that became lines `b1:b2` of `new`."""
    head = common_head(old, new)
    tail = min(common_tail(old, new), len(old) - head, len(new) - head)
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(a) == len(b) == 1 or len(a) * len(b) > _MOST_PAIRS:
        yield head, head + len(a), head, head + len(b)
        return
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind != "equal":
            yield head + a1, head + a2, head + b1, head + b2


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
