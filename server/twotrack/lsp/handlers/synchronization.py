"""didOpen, didChange, didClose, didSave: the text only; nothing here waits."""

import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.document import Document
from twotrack.draft import Draft
from twotrack.lsp import from_proto
from twotrack.lsp.from_proto import ContentChange
from twotrack.lsp.uris import path_of
from twotrack.text import Snapshot
from twotrack.workspace.documents import CONSIDERED, MOST_CHANGES

if TYPE_CHECKING:
    from twotrack.lsp.server import Server
    from twotrack.text import Edit

_STEP_S = 0.01
"""So long the changes of one notification keep others waiting, if there are many."""


def register(server: "Server") -> None:
    """Add the methods to the server."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        server.protocol.end_about(item.uri)  # some editors open anew what is open
        # LSP's union lets a number through here.
        language = item.language_id if isinstance(item.language_id, str) else ""
        path, text = path_of(item.uri), Snapshot(item.text)
        document = Document(item.uri, path, language, item.version, text)
        server.documents.open(document)
        server.session.opened(document, server.documents.others(item.uri, CONSIDERED))

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> Iterator[None]:
        # As they came: the protocol leaves them to us.
        values: Sequence[Any] = params.content_changes
        uri, version = params.text_document.uri, params.text_document.version
        if len(values) <= MOST_CHANGES:
            few = [from_proto.content_change(value) for value in values]
            document = _changed(server, uri, version, few)
        else:
            many = yield from _converted(values)
            document = yield from _replaced(server, uri, version, many)
        server.session.changed(document)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        document = server.documents.get(params.text_document.uri)
        server.protocol.end_about(document.uri)
        server.documents.close(document.uri)
        server.session.closed(document)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.session.saved(server.documents.get(params.text_document.uri))
        server.tell_problems()


def _changed(
    server: "Server", uri: str, version: int, changes: Sequence[ContentChange]
) -> "Document":
    """Change a document, and remember how."""
    server.protocol.end_about(uri)
    text = server.documents.get(uri).text
    edits: list[Edit] = []
    for change in changes:
        for edit in from_proto.changes(text, change, server.client.encoding):
            text = text.replace(edit.range, edit.new_text)
            edits.append(edit)
    return server.documents.change(uri, version, edits, text)


def _converted(values: Sequence[Any]) -> Generator[None, None, list[ContentChange]]:
    """Convert many changes, with turns for others. Raises WrongParams."""
    changes: list[ContentChange] = []
    turns = _turns()
    for value in values:
        if next(turns):
            yield
        changes.append(from_proto.content_change(value))
    return changes


def _replaced(
    server: "Server", uri: str, version: int, changes: Sequence[ContentChange]
) -> Generator[None, None, "Document"]:
    """Change a document in many places, with turns for others."""
    server.protocol.end_about(uri)
    draft, encoding = Draft(server.documents.get(uri).text), server.client.encoding
    turns = _turns()
    for start, end, new_text in changes:
        if next(turns):
            yield
        if start is None:
            draft.replace_all(new_text)
        else:
            draft.replace(start, end, new_text, encoding)
    text = draft.snapshot()
    server.protocol.end_about(uri)  # what was asked meanwhile
    return server.documents.replace(uri, version, text)


def _turns() -> Iterator[bool]:
    """Say each time whether it is the turn of others; it is at first."""
    yield True
    until = time.monotonic() + _STEP_S
    while True:
        over = time.monotonic() > until
        yield over
        if over:
            until = time.monotonic() + _STEP_S
