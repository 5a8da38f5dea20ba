"""twotrack/subject: what an edit would be about, so that an editor can name it when it asks."""

from typing import TYPE_CHECKING

from twotrack.lsp.extensions import Subject, SubjectParams
from twotrack.lsp.handlers.plugin import selected

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature("twotrack/subject")
    async def subject(params: SubjectParams) -> Subject:
        document, selection = selected(server, params)
        await server.session.actions.look(document)
        named = server.session.actions.subject(document, selection)
        return Subject(named or "the code at the cursor")
