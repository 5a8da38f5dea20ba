"""didOpen, didChange, didClose, didSave: the text only; nothing here waits."""

from typing import TYPE_CHECKING

from lsprotocol import types

from twotrack.document import Document
from twotrack.lsp import from_proto
from twotrack.lsp.uris import path_of
from twotrack.text import Snapshot
from twotrack.workspace.documents import CONSIDERED

if TYPE_CHECKING:
    from twotrack.lsp.server import Server
    from twotrack.text import Edit


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
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.protocol.end_about(uri)
        text = server.documents.get(uri).text
        edits: list[Edit] = []
        for value in params.content_changes:
            for edit in from_proto.changes(text, value, server.client.encoding):
                text = text.replace(edit.range, edit.new_text)
                edits.append(edit)
        document = server.documents.change(uri, params.text_document.version, edits, text)
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
