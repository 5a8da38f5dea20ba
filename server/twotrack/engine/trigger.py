"""Where typing alone asks. A person who asks is answered anywhere."""

from twotrack.engine.cursor_context import CursorContext
from twotrack.engine.program import Program
from twotrack.languages import language_of
from twotrack.schemes import Use, use_of
from twotrack.settings.schema import CompletionSettings, Trigger

LONGEST_LINE = 1_000
"""Characters. Of 4.2 million lines in 13,000 files of many languages 1,242 are longer, and none of
those in C, Go, Lua, Perl or shell: they are minified, generated, or data."""


def may_ask(program: Program, completion: CompletionSettings) -> bool:
    """Whether typing asks anywhere in a program.

    In prose only if the person has said so: the next word of a sentence is anybody's guess.
    """
    document = program.document
    written = document.notebook is not None or use_of(document.uri) is Use.WRITTEN
    if completion.trigger is not Trigger.AUTOMATIC or not written:
        return False
    if program.asks or completion.prose or document.language in completion.languages:
        return True
    return not language_of(document.language, document.path).lexis.prose


def typing_asks(gap: CursorContext) -> bool:
    """Whether typing at a gap is worth a question."""
    if not gap.only_closers_follow or gap.statement_ended:
        return False
    return not _is_data(gap)


def _is_data(gap: CursorContext) -> bool:
    """Whether the cursor's line or one beside it is longer than people write them."""
    beside = (*gap.above[-1:], *gap.below[:1])
    own = len(gap.prefix) + len(gap.suffix)
    return max(own, *map(len, beside), 0) > LONGEST_LINE
