"""The wire's values as ours."""

from lsprotocol import types

from twotrack.document import Document
from twotrack.engine.actions.offers import Diagnostic
from twotrack.engine.edits.diff import minimal_edits
from twotrack.lsp.clients import Client
from twotrack.text import Edit, Encoding, Position, Range, Snapshot


def position(text: Snapshot, value: types.Position, encoding: Encoding) -> Position:
    """Convert a position; one that does not exist becomes the nearest that does."""
    return text.from_units(value.line, value.character, encoding)


def span(text: Snapshot, value: types.Range, encoding: Encoding) -> Range:
    """Convert a range; the end never lies before the start."""
    start = position(text, value.start, encoding)
    return Range(start, max(start, position(text, value.end, encoding)))


def selection(text: Snapshot, value: types.Range, client: Client) -> Range:
    """Convert the range of a code action request; empty where nothing is selected."""
    chosen = span(text, value, client.encoding)
    if client.one_character_is_none and text.offset(chosen.end) - text.offset(chosen.start) <= 1:
        return Range(chosen.start, chosen.start)
    return chosen


def changes(
    text: Snapshot, value: types.TextDocumentContentChangeEvent, encoding: Encoding
) -> tuple[Edit, ...]:
    """Convert a content change of `text` to what really changed, each edit upon the one before it.

    Some editors send the whole document at every key, or whole lines.
    """
    if isinstance(value, types.TextDocumentContentChangePartial):
        where = span(text, value.range, encoding)
    else:
        where = Range(Position(0, 0), text.end)
    if where.empty or not value.text:
        return (Edit(where, value.text),)
    return minimal_edits(text, where, value.text)[::-1]


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
