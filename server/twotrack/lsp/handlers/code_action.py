"""textDocument/codeAction lists titles without asking a model; resolve does the work."""

from typing import Any

from lsprotocol import types

from twotrack.engine.actions.kinds import Scope
from twotrack.engine.actions.offers import CodeActionOffer
from twotrack.lsp import from_proto
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.extensions import Command
from twotrack.lsp.handlers.resolve import caught_up, resolve, workspace_edit


async def code_action(
    conversation: Conversation,
    params: types.CodeActionParams,
) -> list[types.CodeAction | types.Command]:
    """List what can be done, without asking a model."""
    document = conversation.documents.get(params.text_document.uri)
    selection = from_proto.selection(document.text, params.range, conversation.client)
    found = from_proto.diagnostics(
        document, list(params.context.diagnostics), conversation.client.encoding
    )
    known = conversation.foreign.at(document, selection, conversation.client.encoding)
    found = tuple(dict.fromkeys((*found, *known)))
    await conversation.session.actions.look(document)
    offers = conversation.session.actions.offers(document, selection, found)
    wanted = params.context.only
    return [
        _action(conversation, document.uri, document.version, offer)
        for offer in offers
        if wanted is None or any(_within(offer.action.kind, kind) for kind in wanted)
    ]


async def code_action_resolve(
    conversation: Conversation, action: types.CodeAction
) -> types.CodeAction:
    """Do the work of an action that was chosen."""
    if action.command is not None:  # VS Code asks about each, also if nothing is missing
        return action
    proposal = await resolve(conversation, action.title, action.data)
    await caught_up(conversation, proposal)
    action.edit = workspace_edit(conversation, proposal)
    return action


def _within(kind: str, wanted: str) -> bool:
    return wanted in ("", kind) or kind.startswith(wanted + ".")


def _action(
    conversation: Conversation, uri: str, version: int, offer: CodeActionOffer
) -> types.CodeAction | types.Command:
    client = conversation.client
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
