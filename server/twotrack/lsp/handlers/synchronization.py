"""didOpen, didChange, didClose, didSave: the text only; nothing here waits."""

from typing import TYPE_CHECKING

from lsprotocol import types

from twotrack.lsp import from_proto
from twotrack.lsp.protocol import SUPERSEDING

if TYPE_CHECKING:
    from twotrack.lsp.server import Server
    from twotrack.text import Edit


def register(server: "Server") -> None:
    """Add the methods to the server."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        document = server.documents.open(item.uri, item.language_id, item.version, item.text)
        server.session.opened(document)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        # Their document has moved on: what was asked about the old text is answered now.
        for method in SUPERSEDING:
            server.protocol.end_superseded(f"{method} {uri}")
        text = server.documents.get(uri).text
        edits: list[Edit] = []
        for value in params.content_changes:
            edit = from_proto.change(text, value, server.client.encoding)
            text = text.replace(edit.range, edit.new_text)
            edits.append(edit)
        document = server.documents.change(uri, params.text_document.version, edits, text)
        server.session.changed(document)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        document = server.documents.get(params.text_document.uri)
        server.documents.close(document.uri)
        server.session.closed(document)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.session.saved(server.documents.get(params.text_document.uri))
