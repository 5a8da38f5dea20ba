"""The wire's values as ours."""

from typing import Any, NamedTuple

from lsprotocol import types
from lsprotocol.validators import UINTEGER_MAX_VALUE

from twotrack.document import Document
from twotrack.engine.actions.offers import Diagnostic
from twotrack.engine.edits.diff import Effort, minimal_edits
from twotrack.lsp.clients import Client
from twotrack.lsp.failures import WrongParams
from twotrack.text import Edit, Encoding, Position, Range, Snapshot


def position(text: Snapshot, value: types.Position, encoding: Encoding) -> Position:
    """Convert a position; one that does not exist becomes the nearest that does."""
    return text.from_units(value.line, value.character, encoding)


def span(text: Snapshot, value: types.Range, encoding: Encoding) -> Range:
    """Convert a range; the end never lies before the start."""
    start = position(text, value.start, encoding)
    return Range(start, max(start, position(text, value.end, encoding)))


def selection(text: Snapshot, value: types.Range, client: Client) -> Range:
    """Convert the range of a code action request; empty if nothing is selected.

    A character that it ends within is selected: ALE ends it behind the last character's first byte.
    """
    chosen = span(text, value, client.encoding)
    line, end = text.line(chosen.end.line), chosen.end.character
    ends_within = client.encoding.units(line[:end]) < value.end.character and end < len(line)
    if ends_within and value.start != value.end and chosen.end.line == value.end.line:
        chosen = Range(chosen.start, Position(chosen.end.line, end + 1))
    if client.one_character_is_none and text.offset(chosen.end) - text.offset(chosen.start) <= 1:
        return Range(chosen.start, chosen.start)
    return chosen


class ContentChange(NamedTuple):
    """A change of a document, as the wire has it: checked, its characters not yet converted."""

    start: tuple[int, int] | None
    """Line and character; None if the whole document is replaced."""
    end: tuple[int, int]
    text: str


def content_change(value: Any) -> ContentChange:
    """Return a change. Raises WrongParams.

    Not by lsprotocol's conversion, which takes ten times as long: an editor that replaces all
    places of a word sends thousands at once.
    """
    try:
        text = value["text"]
        if not isinstance(text, str):
            raise WrongParams
        if "range" not in value:
            return ContentChange(None, (0, 0), text)
        where = value["range"]
        return ContentChange(_place(where["start"]), _place(where["end"]), text)
    except (LookupError, TypeError):
        raise WrongParams from None


def _place(value: Any) -> tuple[int, int]:
    return _unsigned(value["line"]), _unsigned(value["character"])


def _unsigned(value: Any) -> int:
    """Return a number; 4.0 is one to JSON, and true is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= UINTEGER_MAX_VALUE:
        raise WrongParams
    return value


def changes(
    text: Snapshot, value: ContentChange, encoding: Encoding, effort: Effort | None = None
) -> tuple[Edit, ...]:
    """Convert a content change of `text` to what really changed, each edit upon the one before it.

    Some editors send the whole document at every key, or whole lines. The changes of one message
    share an `effort`.
    """
    if value.start is not None:
        start = text.from_units(*value.start, encoding)
        where = Range(start, max(start, text.from_units(*value.end, encoding)))
    else:
        where = Range(Position(0, 0), text.end)
    if where.empty or not value.text:
        return (Edit(where, value.text),)
    return minimal_edits(text, where, value.text, effort)[::-1]


def diagnostics(
    document: Document, values: list[types.Diagnostic], encoding: Encoding
) -> tuple[Diagnostic, ...]:
    """Convert what other servers and this one found."""
    return tuple(
        Diagnostic(
            range=span(document.text, value.range, encoding),
            message=value.message if isinstance(value.message, str) else value.message.value,
            severity=int(value.severity or types.DiagnosticSeverity.Error),
            code=str(value.code) if value.code is not None else "",
            source=value.source or "",
        )
        for value in values
    )
