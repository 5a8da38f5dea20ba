"""Edits that were made for an older version of a text."""

from collections.abc import Iterable, Sequence

from twotrack.errors import EditConflict
from twotrack.text import Edit, Range, Snapshot


def rebase(before: Snapshot, edits: Iterable[Edit], changes: Sequence[Edit]) -> tuple[Edit, ...]:
    """Carry `edits` of `before` over to the text that `changes` made of it.

    `changes` happened one after the other; each speaks of the text that the one before it left.
    Where only the two texts are known, `minimal_edits(before, all of it, now)` in reverse order
    is such a sequence. The result speaks of the present text. Raises EditConflict where a change
    touches an edit, be it only at its border: what was meant there is not known.
    """
    edits = tuple(edits)
    spans = [(before.offset(e.range.start), before.offset(e.range.end)) for e in edits]
    now = before
    for change in changes:
        start, end = sorted((now.offset(change.range.start), now.offset(change.range.end)))
        if start == end and not change.new_text:
            continue
        shift = len(change.new_text) - (end - start)
        spans = [_carry(span, start, end, shift) for span in spans]
        now = now.replace(change.range, change.new_text)
    return tuple(
        Edit(Range(now.position(start), now.position(end)), edit.new_text)
        for (start, end), edit in zip(spans, edits, strict=True)
    )


def _carry(span: tuple[int, int], start: int, end: int, shift: int) -> tuple[int, int]:
    if span[1] < start:
        return span
    if span[0] > end:
        return span[0] + shift, span[1] + shift
    raise EditConflict("The code changed while the answer was made; ask again.")
