"""Whether a document would parse worse with a completion, whatever the line still lacks."""

import re
from collections.abc import Iterator
from dataclasses import replace

from twotrack.context.syntax import parsed
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.engine.cursor_context import CursorContext, indent_of
from twotrack.engine.postprocess.insertion import Insertion
from twotrack.lexical import LexicalContext, Open
from twotrack.lexis import PREPROCESSOR
from twotrack.text import Position, Range

_MOST_PARSED = 200_000
"""Characters; longer documents take too long to parse between two keys."""
_MACRO = re.compile(r"\b[A-Z][A-Z\d_]+\s+(?=[a-zA-Z_])")
"""What stands before a name in C as only the preprocessor can explain it."""


async def adds_errors(insertion: Insertion, gap: CursorContext, syntax: SyntaxCache) -> bool:
    """Return whether the gap's document parses worse with `insertion`.

    A line that opens a block is judged with its end, one that needs a body, an operand or a
    definition below it with one. What the document had wrong already does not count.
    """
    document = gap.document
    if len(document.text) > _MOST_PARSED:
        return False
    start = Position(gap.line, len(gap.prefix))
    rest = Range(start, Position(gap.line, len(gap.prefix) + len(gap.suffix)))
    lines = continuations(insertion, gap)
    # Most often the text is whole with it, and the document, which is not, needs no parsing.
    whole = replace(document, text=document.text.replace(rest, next(lines)))
    after = await syntax.parsed(whole)
    if after is None or not after.has_error:
        return False
    before = await parsed(after.language, document.text, after)
    if before is None or not after.is_worse_than(before) or before.has_error_beside(gap.line):
        return False
    for line in lines:
        other = await parsed(before.language, document.text.replace(rest, line), before)
        if other is None or not other.is_worse_than(before):
            return False
    return True


def continuations(insertion: Insertion, gap: CursorContext) -> Iterator[str]:
    """Yield the texts for the rest of the cursor's line by which an insertion may be judged.

    As it is; with what it opened closed, or up to where that begins; with a body, an operand or
    the definition that a line of its language may lack; in C, all of that also without macros.
    """
    text = insertion.text + gap.suffix[insertion.replaces :]
    yield text
    if gap.language.lexis.blocks == PREPROCESSOR and (plain := _MACRO.sub("", text)) != text:
        yield plain
        yield from _completed(plain, gap)
    yield from _completed(text, gap)


def _completed(text: str, gap: CursorContext) -> Iterator[str]:
    """Yield the text with what a line of its language may lack."""
    last = text.rpartition("\n")[2] if "\n" in text else gap.prefix + text
    between = gap.eol + indent_of(last)
    opened = _opened(text.replace(gap.eol, "\n"), gap)
    ends = "".join(f"{one.filler}{one.closing}" for one in reversed(opened))
    ends = ends.replace("\n", between)
    fillers = [filler.replace("\n", between) for filler in gap.language.lexis.fillers]
    if gap.lexer.ending(gap.near + text).place is LexicalContext.COMMENT:
        text += gap.eol  # what may follow must not vanish in it
    if ends:
        yield text + ends
        whole = opened[0].line - gap.near.count("\n")
        if whole > 0 and (complete := "\n".join(text.split("\n")[:whole])).strip():
            yield complete
    yield from (text + filler for filler in fillers)
    if ends:
        yield from (text + ends + filler for filler in fillers)
        terminator = gap.language.lexis.terminator
        yield from (text + filler + ends + terminator for filler in fillers)


def _opened(text: str, gap: CursorContext) -> tuple[Open, ...]:
    """What the text leaves open and the line before it did not."""
    before, after = gap.lexer.scan(gap.near).open, gap.lexer.scan(gap.near + text).open
    common = 0
    while common < min(len(before), len(after)) and before[common] == after[common]:
        common += 1
    return after[common:]
