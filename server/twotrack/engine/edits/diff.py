"""The smallest edits that turn one text into another."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from os.path import commonprefix

from twotrack.text import Edit, Range, Snapshot

# SequenceMatcher is quadratic at worst: beyond this many pairs of changed lines (about 0.3 s)
# the changed part becomes one hunk.
_MOST_PAIRS = 1_000_000


def minimal_edits(before: Snapshot, span: Range, new_text: str) -> tuple[Edit, ...]:
    r"""Give the edits of `before` that put `new_text` in the place of `span`.

    They are in order, don't touch each other, and applied together they give exactly the text
    that replacing all of `span` gives. No edit starts or ends between a \r and its \n.
    """
    start = before.offset(span.start)
    old = before.slice(span)
    return tuple(
        Edit(Range(before.position(start + first), before.position(start + last)), text)
        for first, last, text in _hunks(old, new_text)
    )


def _hunks(old: str, new: str) -> Iterator[tuple[int, int, str]]:
    """What changes in `old`: from and to (offsets), and the text to put there."""
    old_lines, new_lines = Snapshot(old).lines(), Snapshot(new).lines()
    old_at = _offsets(old_lines)
    for a1, a2, b1, b2 in _changed_lines(old_lines, new_lines):
        removed, added = "".join(old_lines[a1:a2]), "".join(new_lines[b1:b2])
        if removed == added:
            continue
        head, tail = _common_ends(removed, added)
        yield (
            old_at[a1] + head,
            old_at[a1] + len(removed) - tail,
            added[head : len(added) - tail],
        )


def _offsets(lines: Sequence[str]) -> list[int]:
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    return offsets


def _changed_lines(
    old: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[int, int, int, int]]:
    """Lines `a1:a2` of `old` that became lines `b1:b2` of `new`."""
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(a) * len(b) > _MOST_PAIRS:
        yield head, head + len(a), head, head + len(b)
        return
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind != "equal":
            yield head + a1, head + a2, head + b1, head + b2


def _common_ends(old: str, new: str) -> tuple[int, int]:
    """Lengths of the common prefix and of the common suffix after it, off any line end."""
    head = len(commonprefix((old, new)))
    if _inside_line_end(old, head):
        head -= 1
    most = min(len(old), len(new)) - head
    tail = min(len(commonprefix((old[:-most - 1:-1], new[:-most - 1:-1]))), most)
    if _inside_line_end(old, len(old) - tail):
        tail -= 1
    return head, tail


def _inside_line_end(text: str, offset: int) -> bool:
    return text[max(offset - 1, 0) : offset + 1] == "\r\n"
