"""Our values as the wire's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lsprotocol import types

from twotrack.document import Document
from twotrack.engine.actions.offers import NOT_OPEN
from twotrack.engine.asked import Completion
from twotrack.languages import language_of
from twotrack.lsp.clients import Client
from twotrack.lsp.extensions import Command
from twotrack.lsp.uris import uri_of
from twotrack.shown import fenced
from twotrack.text import Edit, Encoding, Position, Range, Snapshot

_ANNOTATION = "twotrack"
_LONGEST_LABEL = 80
_LONGEST_WORD = 256
"""Characters before the cursor that a menu's item begins with; a longer word is data."""


def position(text: Snapshot, value: Position, encoding: Encoding) -> types.Position:
    """Convert a position of `text`."""
    return types.Position(value.line, text.to_units(value, encoding))


def span(text: Snapshot, value: Range, encoding: Encoding) -> types.Range:
    """Convert a range of `text`."""
    return types.Range(position(text, value.start, encoding), position(text, value.end, encoding))


def inline_completions(
    document: Document, completions: Sequence[Completion], client: Client
) -> types.InlineCompletionList:
    """Return ghost text, the likeliest first; an empty list clears what is shown."""

    def text(completion: Completion) -> str:
        return completion.text.replace("\r\n", "\n") if client.bare_newlines else completion.text

    return types.InlineCompletionList(
        items=[
            types.InlineCompletionItem(
                insert_text=text(completion),
                range=span(document.text, completion.range, client.encoding),
                command=_did_accept(completion, client),
            )
            for completion in completions
        ]
    )


def completion_menu(
    document: Document, completions: Sequence[Completion], client: Client
) -> types.CompletionList:
    """Return items of the completion menu; the list is asked again at every key."""
    if client.one_line_items:
        cut = (replace(one, text=one.text.partition("\n")[0].rstrip("\r")) for one in completions)
        completions = [completion for completion in cut if completion.text]
    items = [
        _menu_item(document, completion, client, place)
        for place, completion in enumerate(completions)
    ]
    return types.CompletionList(is_incomplete=True, items=items)


def _menu_item(
    document: Document, completion: Completion, client: Client, place: int
) -> types.CompletionItem:
    # Editors match the item against the word before the cursor, so it begins with that word.
    line = document.text.line(completion.range.start.line)
    cursor = completion.range.start.character
    start, earliest = cursor, max(cursor - _LONGEST_WORD, 0)
    while start > earliest and (line[start - 1].isalnum() or line[start - 1] == "_"):
        start -= 1
    text = line[start:cursor] + completion.text
    first, *more = text.split("\n")
    indent = line[: len(line) - len(line.lstrip())]
    # Editors indent a snippet's further lines like its first: that indentation is left out.
    relative = all(not row.strip() or row.startswith(indent) for row in more)
    snippet = (bool(more) or client.cuts_plain_items) and client.snippets and relative
    if snippet:
        text = _snippet("\n".join((first, *(row.removeprefix(indent) for row in more))))
    where = Range(Position(completion.range.start.line, start), completion.range.end)
    label = first.strip() or next((row.strip() for row in more if row.strip()), "")
    return types.CompletionItem(
        # Neovim may insert the label, so there it stays whole.
        label=label if client.cuts_plain_items else _shortened(label, more=bool(more)),
        kind=types.CompletionItemKind.Snippet,
        detail=_detail(completion),
        documentation=_documentation(document, completion, client),
        sort_text="~" * (place + 1),
        filter_text=first.rstrip("\r") or label,
        insert_text_format=types.InsertTextFormat.Snippet
        if snippet
        else types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(span(document.text, where, client.encoding), text),
        command=_did_accept(completion, client),
    )


def _detail(completion: Completion) -> str:
    """Say who answered, and whether it is paid; the same at each key, so that nothing flickers."""
    origin = completion.origin
    return f"twotrack · {origin.model} · {'free' if origin.free else 'paid'}"


def _documentation(
    document: Document, completion: Completion, client: Client
) -> types.MarkupContent | None:
    """Return the lines as they will be, where the label does not say it all."""
    start, end = completion.range
    line = document.text.line(start.line)
    head = line[max(start.character - _LONGEST_WORD, 0) : start.character]
    tail = line[end.character : end.character + _LONGEST_WORD]
    text = (head + completion.text + tail).replace("\r\n", "\n")
    if "\n" not in text and len(completion.text) <= _LONGEST_LABEL:
        return None
    if client.markdown_items:
        language = language_of(document.language, document.path).id
        return types.MarkupContent(types.MarkupKind.Markdown, fenced(text, language))
    return types.MarkupContent(types.MarkupKind.PlainText, text)


def _did_accept(completion: Completion, client: Client) -> types.Command | None:
    """Return what an editor runs when the completion was accepted."""
    if not completion.id or not client.runs_item_commands:
        return None
    return types.Command("Accepted", Command.DID_ACCEPT, arguments=[completion.id])


def _shortened(label: str, *, more: bool) -> str:
    return label[:_LONGEST_LABEL] + ("…" if more or len(label) > _LONGEST_LABEL else "")


def _snippet(text: str) -> str:
    """Escape what snippet syntax would read as its own."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")


def workspace_edit(
    title: str,
    edits: Mapping[str, tuple[Document, Sequence[Edit]]],
    creates: Mapping[Path, str],
    client: Client,
    *,
    confirm: bool = False,
) -> types.WorkspaceEdit:
    """Return edits of open documents at their version, and new files.

    A client that takes no versioned edits gets plain ones. One that does not announce CreateFile
    gets the text of a new file as an edit: Emacs opens the file for it. `confirm`: the user
    should look at it first.
    """
    annotation = _ANNOTATION if client.annotations else None
    converted = {
        uri: [
            types.TextEdit(span(document.text, edit.range, client.encoding), edit.new_text)
            for edit in changes
        ]
        for uri, (document, changes) in edits.items()
    }
    start = types.Position(0, 0)
    new = {
        uri_of(path): [types.TextEdit(types.Range(start, start), text)]
        for path, text in creates.items()
    }
    if not client.document_changes:
        return types.WorkspaceEdit(changes=new | converted)
    operations: list[types.TextDocumentEdit | types.CreateFile] = []
    if client.creates_files:
        operations += [types.CreateFile(uri, annotation_id=annotation) for uri in new]
    operations += [_document_edit(uri, None, edit, annotation) for uri, edit in new.items()]
    operations += [
        _document_edit(uri, _version(edits[uri][0]), changes, annotation)
        for uri, changes in converted.items()
    ]
    why = types.ChangeAnnotation(title, needs_confirmation=confirm, description="twotrack")
    return types.WorkspaceEdit(
        document_changes=operations, change_annotations={_ANNOTATION: why} if annotation else None
    )


def _version(document: Document) -> int | None:
    return None if document.version == NOT_OPEN else document.version


def _document_edit(
    uri: str, version: int | None, changes: list[types.TextEdit], annotation: str | None
) -> types.TextDocumentEdit:
    edits: list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit] = [
        types.AnnotatedTextEdit(annotation, change.range, change.new_text) if annotation else change
        for change in changes
    ]
    return types.TextDocumentEdit(
        types.OptionalVersionedTextDocumentIdentifier(uri, version), edits
    )
