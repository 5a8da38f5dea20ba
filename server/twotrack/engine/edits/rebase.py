"""Edits that were made for an older version of a text."""

from collections.abc import Iterable, Sequence

from twotrack.errors import EditConflict
from twotrack.text import Edit, Position, Range, Snapshot


def rebase(edits: Iterable[Edit], changes: Sequence[Edit], before: Snapshot) -> tuple[Edit, ...]:
    r"""Carry `edits` of `before` over to the text that `changes` made of it.

    `changes` happened one after the other; each speaks of the text that the one before it left.
    The result speaks of the present text. Raises EditConflict if a change touches an edit, be
    it only at its border: what was meant there is not known.

    It counts in characters of the real text, because lines alone mislead if a change joins a
    \r and a \n to one line end.
    """
    edits = tuple(edits)
    if not changes:
        return edits
    spans = [(before.offset(e.range.start), before.offset(e.range.end)) for e in edits]
    now = before
    for change in changes:
        start, end = sorted((now.offset(change.range.start), now.offset(change.range.end)))
        if start == end and not change.new_text:
            continue
        grown = len(change.new_text) - (end - start)
        spans = [_carried(span, start, end, grown) for span in spans]
        now = now.replace(change.range, change.new_text)
    return tuple(
        Edit(Range(now.position(start), now.position(end)), edit.new_text)
        for (start, end), edit in zip(spans, edits, strict=True)
    )


def _carried(span: tuple[int, int], start: int, end: int, grown: int) -> tuple[int, int]:
    if span[1] < start:
        return span
    if span[0] > end:
        return span[0] + grown, span[1] + grown
    raise EditConflict("The code changed while the answer was made; nothing was changed.")


def rebase_range(span: Range, changes: Iterable[Edit]) -> Range:
    """Carry a selection over to the text that `changes` made.

    A change inside it belongs to it afterwards; of a part that was replaced, nothing is left.
    """
    start, end = span
    for change in changes:
        start, end = _moved(start, change, after=False), _moved(end, change, after=True)
    return Range(start, max(start, end))


def _moved(position: Position, change: Edit, *, after: bool) -> Position:
    """Where `position` is after `change`; one inside what was replaced goes to its border."""
    start, end = change.range
    if position < start or (position == start and not after):
        return position
    lines = Snapshot(change.new_text).lines()
    last = Position(
        start.line + len(lines) - 1, len(lines[-1]) + (start.character if len(lines) == 1 else 0)
    )
    if position <= end:
        return last if after else start
    if position.line == end.line:
        return Position(last.line, last.character + position.character - end.character)
    return Position(position.line + last.line - end.line, position.character)
