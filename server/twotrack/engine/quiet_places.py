"""Where typing asks for nothing, by the dial `completion.eagerness`. A person may ask anywhere."""

from collections.abc import Callable
from typing import NamedTuple

from twotrack.engine.cursor_context import CursorContext
from twotrack.lexical import LexicalContext
from twotrack.settings.schema import Eagerness


class QuietPlace(NamedTuple):
    """A kind of place at which little is wanted."""

    name: str
    holds: Callable[[CursorContext], bool]
    asked_from: Eagerness | None
    """The least eagerness that asks there; None: none does."""


QUIET_PLACES = (
    QuietPlace("within a word", lambda gap: gap.within_word, None),
    QuietPlace("amid code", lambda gap: not gap.only_closers_follow, Eagerness.HIGH),
    QuietPlace("after the end of a statement", lambda gap: gap.statement_ended, Eagerness.HIGH),
    QuietPlace("in a comment", lambda gap: gap.place is LexicalContext.COMMENT, Eagerness.MEDIUM),
    QuietPlace("in a string", lambda gap: gap.place is LexicalContext.STRING, Eagerness.MEDIUM),
)
_ORDER = tuple(Eagerness)


def asks(gap: CursorContext, eagerness: Eagerness) -> bool:
    """Whether typing at a place asks for a completion."""
    for place in QUIET_PLACES:
        enough = place.asked_from is not None and _ORDER.index(eagerness) >= _ORDER.index(
            place.asked_from
        )
        if not enough and place.holds(gap):
            return False
    return True
