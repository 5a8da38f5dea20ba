"""A cursor in a document with what a good model says there."""

from dataclasses import dataclass

from answer_sources import Source

from answer_place import Place
from twotrack.languages import language_of
from twotrack.lexical import LexicalContext, lexer_of

CUTTING = "lines of a body, cutting a block"
"""The kind of cursor where no model and no rule can know where the gold ends."""


@dataclass(frozen=True)
class Case:
    """A cursor and what a good model says there."""

    kind: str
    where: str
    place: Place
    rest: str
    """What the document goes on with behind the gold."""
    missing: str
    """Further lines of the block, which are not there yet and may be shown, too."""
    replies: tuple[str, ...]
    """Clean replies: the gold, and the gold with what follows it."""
    ambiguous: bool = False
    """Whether nobody could know where the answer ends."""


def case_at(  # noqa: PLR0917 - the parts of a document, in their order
    kind: str,
    source: Source,
    before: str,
    gold: str,
    after: str,
    tail: str | None = None,
    *,
    missing: str = "",
    more: str = "",
    prose: bool = False,
    ambiguous: bool = False,
) -> Case:
    """Return the case of a cursor.

    `tail`: what the document goes on with after the gold, where that differs from `after`.
    `missing`: the block's further lines; `more`: what a model writes past them.
    """
    row = before.count("\n") + 1
    place = Place(source.language, before, after, gold, prose, closed=tail is not None)
    rest = after if tail is None else tail
    goes_on = gold + missing + more if more else ""
    return Case(
        kind,
        f"{source.package.name}/{source.name}:{row}",
        place,
        rest,
        missing,
        tuple(dict.fromkeys(reply for reply in (gold, goes_on) if reply)),
        ambiguous
        or repeats_below(before + gold, rest)
        or opens_string(before, gold, place.language),
    )


def opens_string(before: str, gold: str, language: str) -> bool:
    """Whether the gold leaves a string over lines open, which is never shown."""
    lexer = lexer_of(language_of(language, None))
    near = before[before.rfind("\n") + 1 :]
    begins_in_code = lexer.ending(near).place is LexicalContext.CODE
    return begins_in_code and lexer.ending(f"{near}{gold}\n").place is LexicalContext.STRING


def repeats_below(text: str, rest: str) -> bool:
    """Whether the line so written is the document's next line, too."""
    line = text[text.rfind("\n") + 1 :].strip()
    below = next((x.strip() for x in rest.split("\n")[1:] if x.strip()), "")
    return line == below


def ends_unclear(gold: str, rest: str) -> bool:
    """Whether an end of the gold is what the line goes on with."""
    rest = rest.lstrip()
    for at in range(len(gold)):
        end = gold[at:].strip()
        # Brackets tell where it ends: without this end they would not be balanced.
        if end and rest.startswith(end) and (not _depth(end) or _depth(gold)):
            return True
    return False


def _depth(text: str) -> int:
    return sum((c in "([{") - (c in ")]}") for c in text)
