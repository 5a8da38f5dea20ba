"""textDocument/codeAction lists titles without asking a model; resolve does the work."""

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.engine.actions.kinds import Scope
from twotrack.engine.actions.offers import CodeActionOffer
from twotrack.lsp import from_proto
from twotrack.lsp.extensions import Command
from twotrack.lsp.handlers.resolve import caught_up, resolve, workspace_edit

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


def register(server: "Server") -> None:
    """Add the methods to the server."""

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions())
    async def code_action(
        params: types.CodeActionParams,
    ) -> list[types.CodeAction | types.Command]:
        document = server.documents.get(params.text_document.uri)
        selection = from_proto.selection(document.text, params.range, server.client)
        found = from_proto.diagnostics(
            document, list(params.context.diagnostics), server.client.encoding
        )
        known = server.foreign.at(document, selection, server.client.encoding)
        found = tuple(dict.fromkeys((*found, *known)))
        await server.session.actions.look(document)
        offers = server.session.actions.offers(document, selection, found)
        wanted = params.context.only
        return [
            _action(server, document.uri, document.version, offer)
            for offer in offers
            if wanted is None or any(_within(offer.action.kind, kind) for kind in wanted)
        ]

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def code_action_resolve(action: types.CodeAction) -> types.CodeAction:
        if action.command is not None:  # VS Code asks about each, also if nothing is missing
            return action
        proposal = await resolve(server, action.title, action.data)
        await caught_up(server, proposal)
        action.edit = workspace_edit(server, proposal)
        return action


def _within(kind: str, wanted: str) -> bool:
    return wanted in ("", kind) or kind.startswith(wanted + ".")


def _action(
    server: "Server", uri: str, version: int, offer: CodeActionOffer
) -> types.CodeAction | types.Command:
    client = server.client
    data: dict[str, Any] = {"uri": uri, "version": version, "offer": offer.to_data()}
    command = types.Command(offer.title, Command.ACT, arguments=[data])
    if not client.code_action_literals:
        return command
    # What changes nothing has no edit to resolve.
    by_command = not client.resolves or offer.action.scope is Scope.NOTHING
    return types.CodeAction(
        title=offer.title,
        kind=offer.action.kind,
        command=command if by_command else None,
        data=None if by_command else data,
        tags=[types.CodeActionTag.LlmGenerated] if client.tags else None,
    )
