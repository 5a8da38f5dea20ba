"""From what a model said to what is inserted.

Each rule is a small pure function; `proposal` applies them in order. The rules are exact:
comparisons of "similar" lines drop answers that were right. Inside, lines end at a newline; the
document's line end comes back at the end.
"""

import re

from twotrack.engine.cursor_context import CursorContext
from twotrack.engine.postprocess.echo import without_echo
from twotrack.engine.postprocess.ending import (
    closed,
    closes_what_is_closed,
    first_lines,
    repeats_lines_above,
    repeats_lines_below,
    whole_part,
    without_cut_line,
    without_lines_below,
)
from twotrack.engine.postprocess.indentation import indented
from twotrack.engine.postprocess.insertion import Insertion
from twotrack.engine.postprocess.overlap import on_own_line, over_suffix, without_trailing_comment
from twotrack.engine.postprocess.repetition import without_repetition
from twotrack.engine.postprocess.scope import within_scope
from twotrack.engine.postprocess.unwrap import TAG, unwrapped
from twotrack.lexical import LexicalContext
from twotrack.shown import hidden

__all__ = [
    "TAG",
    "Insertion",
    "Watch",
    "proposal",
    "whole_part",
    "without_repetition",
]

_PERHAPS_MORE = re.compile(r"\s*\w*")
_WORD = re.compile(r"\w")
_BEGINS_MARKED = re.compile(rf"\s*(?:<{TAG}>|```|~~~)")
_MOST_CODE = 8_000
"""Characters of code that are looked at, in whole lines: no more than some hundred were wanted."""
_LONGEST_WORD = 200
_STEPS, _SMALL = 16, 64
"""A long reply is looked at again when a sixteenth of it is new, less so many characters."""
_TRIPLE_QUOTES = ('"""', "'''")


def proposal(
    reply: str,
    gap: CursorContext,
    *,
    max_lines: int,
    cut: bool = False,
    chat: bool = False,
    begun: str | None = None,
) -> Insertion | None:
    """Return what to insert for `reply`, at most `max_lines` lines; None: nothing worth showing.

    `cut`: the reply ended because it was too long, in the middle of something. `chat`: it comes
    from a model that was asked in a conversation. `begun`: what a `Watch` has read of it already.
    """
    text = _begun(reply, gap, chat=chat, going_on=cut) if begun is None else begun
    if cut:
        text = without_cut_line(text)
    lead = "" if gap.prefix.strip() else gap.prefix
    text = without_repetition(text, lead, cut=cut)
    text = within_scope(text, gap)
    text = without_lines_below(text, gap)
    text = closed("\n".join(first_lines(text, max_lines)), gap)
    text = without_lines_below(text, gap)
    if repeats_lines_below(text, gap) or repeats_lines_above(text, gap):
        return None
    if closes_what_is_closed(text, gap):
        return None
    if gap.suffix[:3] in _TRIPLE_QUOTES and gap.place is LexicalContext.STRING:
        text = text.partition(gap.suffix[:3])[0]
    broken = text.endswith("\n")
    insertion = on_own_line(over_suffix(text.rstrip("\n"), gap), gap, broken=broken)
    if "\n" not in insertion.text[-1:] and gap.suffix[insertion.replaces :].strip():
        insertion = insertion._replace(text=without_trailing_comment(insertion.text, gap))
    if not insertion.text.strip() or hidden(insertion.text, gap.document.text):
        return None
    return insertion._replace(text=insertion.text.replace("\n", gap.eol))


class Watch:
    """Looks at a reply while it comes: where a line has ended, or its first word is known."""

    def __init__(self, gap: CursorContext, max_lines: int) -> None:
        self._gap = gap
        self._max_lines = max_lines
        self._looked_at: tuple[int, bool] | None = None
        self._seen = 0
        self._read: tuple[str, str] | None = None
        self.done = False
        """Whether a reply was complete before its end."""
        self.first_line = ""
        """The first line of the code, once it is whole; blank lines may stand before it."""

    def is_complete(self, text: str, *, chat: bool) -> bool:
        """Return whether `text`, the reply so far, holds all that will be shown of it."""
        last_line = text[text.rfind("\n") + 1 :]
        now = text.count("\n"), _PERHAPS_MORE.fullmatch(last_line[:_LONGEST_WORD]) is None
        if now == self._looked_at or 0 <= len(text) - self._seen < len(text) // _STEPS - _SMALL:
            return False
        self._looked_at, self._seen = now, len(text)
        # What a chat model says without a tag or a fence may still turn out to be words.
        if "\n" in text and (not chat or _BEGINS_MARKED.match(text)):
            body = _begun(text, self._gap, chat=chat, going_on=True)
            line = "\n".join(first_lines(body.rpartition("\n")[0], 1))
            self.first_line = line if line.strip() else ""
            self.done = _is_complete(body, self._gap, self._max_lines)
            # An echo in a conversation is read otherwise once the reply has ended.
            self._read = (text, body) if self.done or not chat else None
        return self.done

    def so_far(self, text: str, *, chat: bool) -> str:
        """Return the code of a reply that is coming; empty: it cannot be told from words yet."""
        if chat and not _BEGINS_MARKED.match(text):
            return ""
        return _begun(text, self._gap, chat=chat, going_on=True)

    def begun(self, reply: str) -> str | None:
        """Return the code of `reply` if it was read already."""
        return self._read[1] if self._read is not None and self._read[0] == reply else None


def _is_complete(body: str, gap: CursorContext, max_lines: int) -> bool:
    """Whether code that may be going on holds all that will be shown of it."""
    whole, newline, last_line = body.rpartition("\n")
    if not newline or not whole.strip():
        return False
    lines = first_lines(whole, max_lines + 1)
    if sum(1 for line in lines if line.strip()) >= max_lines and not _inside(whole, gap):
        return True
    last = next(line for line in reversed(lines) if line.strip())
    if len(lines) > 1 and last == gap.next_line and _WORD.search(last):
        return True
    lead = "" if gap.prefix.strip() else gap.prefix
    if len(without_repetition(whole, lead, going_on=True)) < len(whole):
        return True
    # A line that is still coming counts when its first word is known.
    seen = whole if _PERHAPS_MORE.fullmatch(last_line) else body
    return len(within_scope(seen, gap)) < len(seen)


def _inside(text: str, gap: CursorContext) -> bool:
    return closed(text, gap) != text


def _begun(reply: str, gap: CursorContext, *, chat: bool, going_on: bool) -> str:
    """The code of a reply that may still be coming, from the cursor on."""
    code = unwrapped(reply.replace("\r\n", "\n").replace("\r", "\n"), gap, chat=chat)
    if len(code.text) > _MOST_CODE:
        code = code._replace(text=code.text[:_MOST_CODE].rpartition("\n")[0])
    answer = without_echo(code, gap, chat=chat, going_on=going_on)
    return indented(answer, gap, chat=chat)
