"""Where typing alone asks. A person who asks is answered anywhere."""

from collections.abc import Callable
from typing import NamedTuple

from twotrack.engine.cursor_context import CursorContext
from twotrack.engine.program import Program
from twotrack.languages import language_of
from twotrack.lexical import LexicalContext
from twotrack.schemes import Use, use_of
from twotrack.settings.schema import CompletionSettings, Eagerness, Trigger


class QuietPlace(NamedTuple):
    """A kind of place at which little is wanted."""

    name: str
    holds: Callable[[CursorContext], bool]
    asked_from: Eagerness | None
    """The least eagerness that asks there; None: none does."""


_SENTENCES = frozenset({"markdown", "restructuredtext"})
"""Languages of prose. LaTeX is written by commands; a text without a name may be any code yet."""
_CLOSING_SIGNS, _MOST_SIGNS = ")]}>*_`~|'\"", 8
LONGEST_LINE = 1_000
"""Characters. Of 4.2 million lines in 13,000 files of many languages 1,242 are longer, and none of
those in C, Go, Lua, Perl or shell: they are minified, generated, or data."""


def may_ask(program: Program, completion: CompletionSettings) -> bool:
    """Whether typing asks anywhere in a program.

    In prose only if the person has said so, or between signs that are closed behind the cursor (a
    link, an emphasis): the next word of a sentence is anybody's guess.
    """
    document = program.document
    written = document.notebook is not None or use_of(document.uri) is Use.WRITTEN
    if completion.trigger is not Trigger.AUTOMATIC or not written:
        return False
    if program.asks or completion.prose or document.language in completion.languages:
        return True
    if language_of(document.language, document.path).id not in _SENTENCES:
        return True
    line, character = program.position
    rest = document.text.line(line)[character : character + _MOST_SIGNS + 1].rstrip()
    return bool(rest) and not rest.strip(_CLOSING_SIGNS) and len(rest) <= _MOST_SIGNS


def typing_asks(gap: CursorContext, eagerness: Eagerness) -> bool:
    """Whether typing at a gap asks for a completion."""
    for place in QUIET_PLACES:
        asked = place.asked_from is not None and _ORDER[eagerness] >= _ORDER[place.asked_from]
        if not asked and place.holds(gap):
            return False
    return True


def _is_data(gap: CursorContext) -> bool:
    """Whether the cursor's line or one beside it is longer than people write them."""
    beside = (*gap.above[-1:], *gap.below[:1])
    own = len(gap.prefix) + len(gap.suffix)
    return max(own, *map(len, beside), 0) > LONGEST_LINE


QUIET_PLACES = (
    QuietPlace("within a word", lambda gap: gap.within_word, None),
    QuietPlace("at a line of data", _is_data, None),
    QuietPlace("amid code", lambda gap: not gap.only_closers_follow, Eagerness.HIGH),
    QuietPlace("after the end of a statement", lambda gap: gap.statement_ended, Eagerness.HIGH),
    QuietPlace("in a comment", lambda gap: gap.place is LexicalContext.COMMENT, Eagerness.MEDIUM),
    QuietPlace("in a string", lambda gap: gap.place is LexicalContext.STRING, Eagerness.MEDIUM),
)
"""By the dial `completion.eagerness`."""
_ORDER = {eagerness: place for place, eagerness in enumerate(Eagerness)}
