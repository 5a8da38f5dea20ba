"""twotrack/subject: what an edit would be about, so that an editor can name it when it asks."""

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.lsp import from_proto

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature("twotrack/subject")
    async def subject(given: Any) -> dict[str, Any]:
        params = given if isinstance(given, dict) else {}
        uri = server.protocol.structured(
            params.get("textDocument"), types.TextDocumentIdentifier
        ).uri
        document = server.documents.get(uri)
        chosen = server.protocol.structured(params.get("range"), types.Range)
        selection = from_proto.selection(document.text, chosen, server.client)
        await server.session.actions.look(document)
        named = server.session.actions.subject(document, selection)
        return {"subject": named or "the code at the cursor"}
