"""didOpen, didChange, didClose, didSave: the text only; nothing here waits."""

import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.document import Document, Notebook
from twotrack.draft import Draft
from twotrack.engine.asked import CompletionRequest
from twotrack.engine.edits.diff import Effort
from twotrack.lsp import from_proto
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.from_proto import ContentChange
from twotrack.lsp.uris import path_of
from twotrack.text import Chunk, Snapshot
from twotrack.workspace.documents import CONSIDERED, MOST_CHANGES

if TYPE_CHECKING:
    from twotrack.text import Edit

_STEP_S = 0.01
"""So long the changes of one notification keep others waiting, if there are many."""


def did_open(conversation: Conversation, params: types.DidOpenTextDocumentParams) -> None:
    """Take a document over."""
    open_text(conversation, params.text_document)


def open_text(
    conversation: Conversation, item: types.TextDocumentItem, notebook: Notebook | None = None
) -> None:
    """Take a text over, be it a document or a cell of a notebook."""
    conversation.protocol.end_about(item.uri)  # some editors open anew what is open
    # LSP's union lets a number through here.
    language = item.language_id if isinstance(item.language_id, str) else ""
    path, text = path_of(item.uri) if notebook is None else None, Snapshot(item.text)
    document = Document(item.uri, path, language, item.version, text, notebook)
    conversation.documents.open(document)
    document = conversation.documents.get(item.uri)
    conversation.session.opened(document, conversation.documents.others(item.uri, CONSIDERED))


def did_change(
    conversation: Conversation, params: types.DidChangeTextDocumentParams
) -> Iterator[None]:
    """Change a document; many changes, and those that take long, are made in steps."""
    return change_text(conversation, params.text_document, params.content_changes)


def change_text(
    conversation: Conversation,
    about: types.VersionedTextDocumentIdentifier,
    values: Sequence[Any],
) -> Iterator[None]:
    """Change a text by `values`, as they came: the protocol leaves them to us."""
    uri, version = about.uri, about.version
    if len(values) <= MOST_CHANGES:
        few = [from_proto.content_change(value) for value in values]
        yield from _changed(conversation, uri, version, few)
    else:
        many = yield from _converted(values)
        yield from _replaced(conversation, uri, version, many)


def did_close(conversation: Conversation, params: types.DidCloseTextDocumentParams) -> None:
    """Give a document back to the disk."""
    close_text(conversation, params.text_document.uri)


def close_text(conversation: Conversation, uri: str) -> None:
    """Give a text back to the disk."""
    document = conversation.documents.get(uri)
    conversation.protocol.end_about(document.uri)
    conversation.documents.close(document.uri)
    conversation.session.closed(document)


def did_save(conversation: Conversation, params: types.DidSaveTextDocumentParams) -> None:
    """Read settings again that were saved."""
    conversation.session.saved(conversation.documents.get(params.text_document.uri))
    conversation.tell_problems()


def _changed(
    conversation: Conversation, uri: str, version: int, changes: Sequence[ContentChange]
) -> Iterator[None]:
    """Change a document, and remember how; if that takes long, with turns for others."""
    conversation.protocol.end_about(uri)
    text = conversation.documents.get(uri).text
    edits: list[Edit] = []
    encoding, effort = conversation.client.encoding, Effort()
    turns = turns_for_others()
    next(turns)
    for change in changes:
        if next(turns):
            yield
        for edit in from_proto.changes(text, change, encoding, effort):
            text = text.replace(edit.range, edit.new_text)
            edits.append(edit)
    conversation.protocol.end_about(uri)  # what was asked meanwhile
    _tell(conversation, conversation.documents.change(uri, version, edits, text), edits)


def _converted(values: Sequence[Any]) -> Generator[None, None, list[ContentChange]]:
    """Convert many changes, with turns for others. Raises WrongParams."""
    changes: list[ContentChange] = []
    turns = turns_for_others()
    for value in values:
        if next(turns):
            yield
        changes.append(from_proto.content_change(value))
    return changes


def _replaced(
    conversation: Conversation, uri: str, version: int, changes: Sequence[ContentChange]
) -> Iterator[None]:
    """Change a document in many places, with turns for others."""
    conversation.protocol.end_about(uri)
    draft = Draft(conversation.documents.get(uri).text, conversation.client.encoding)
    turns = turns_for_others()
    for start, end, new_text in changes:
        if next(turns):
            yield
        if start is None:
            draft.replace_all(new_text)
        else:
            draft.replace(start, end, new_text)
    chunks: list[Chunk] = []
    for chunk in draft.chunks():
        if next(turns):
            yield
        chunks.append(chunk)
    text = Snapshot.of(chunks)
    conversation.protocol.end_about(uri)  # what was asked meanwhile
    _tell(conversation, conversation.documents.replace(uri, version, text), None)


def _tell(conversation: Conversation, document: Document, edits: "Sequence[Edit] | None") -> None:
    """Tell the session of a change; what follows a completion that it accepts is asked for."""
    accepted = conversation.session.changed(document, edits)
    if accepted is not None and not conversation.pauses.hold(document):
        others = conversation.documents.others(document.uri, CONSIDERED)
        request = CompletionRequest(document, accepted, invoked=False, others=others)
        conversation.session.completer.prefetch(request)


def turns_for_others() -> Iterator[bool]:
    """Say each time whether it is the turn of others; it is at first."""
    yield True
    until = time.monotonic() + _STEP_S
    while True:
        over = time.monotonic() > until
        yield over
        if over:
            until = time.monotonic() + _STEP_S
