"""workspace/applyEdit, which we ask for: again, where the editor's text had moved on meanwhile."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.engine.actions.offers import Proposal
from twotrack.errors import TwotrackError
from twotrack.lsp.handlers.carry_out import workspace_edit

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

_TRIES = 5
_CATCH_UP_S = 3.0
"""So long a refused edit waits for the change that may be the reason (Eglot tells of it late)."""
_REST_S, _LONGEST_TYPING_S = 0.5, 60.0


async def apply(server: "Server", proposal: Proposal) -> None:
    """Have the editor apply a proposal to its present texts.

    Raises TwotrackError where the editor refuses, or the texts changed in the same place; nothing
    is changed then.
    """
    reason = ""
    for _ in range(_TRIES):
        if not server.client.answers_apply_edit:
            await _rested(server)
        await server.caught_up()
        edit = workspace_edit(server, proposal)
        if edit is None:
            return
        uris = [document.uri for document, _ in proposal.edits]
        texts = [server.documents.find(uri) for uri in uris]
        reason = await _refusal(server, proposal.title, edit)
        if not reason:
            return
        # Of what creates a file, half may be done.
        if proposal.creates or not await _moved_on(server, uris, texts):
            break
    raise TwotrackError(
        f"the editor refused the edit ({reason}), so nothing was changed. Ask for it again."
    )


async def _refusal(server: "Server", title: str, edit: types.WorkspaceEdit) -> str:
    """Ask the editor; give why it did not apply the edit, empty where it did."""
    params = types.ApplyWorkspaceEditParams(edit=edit, label=title)
    try:
        result = await server.protocol.request(types.WORKSPACE_APPLY_EDIT, params)
    except TimeoutError:
        return "it did not answer" if server.client.answers_apply_edit else ""
    except JsonRpcException as error:
        return error.message or "it gave no reason"
    return "" if result.applied else result.failure_reason or "it gave no reason"


async def _moved_on(server: "Server", uris: list[str], texts: Sequence[object]) -> bool:
    """Whether a document changes, in time, from what it was when the edit was made."""
    try:
        async with asyncio.timeout(_CATCH_UP_S):
            while [server.documents.find(uri) for uri in uris] == list(texts):
                await server.documents.next_change()
    except TimeoutError:
        return False
    return True


async def _rested(server: "Server") -> None:
    """Wait for a pause in typing. Raises TwotrackError where none comes.

    ALE tells of keys late, applies an edit whatever its version, and does not say so: in a pause
    it has most likely told of all.
    """
    try:
        async with asyncio.timeout(_LONGEST_TYPING_S):
            while await _changed_within(server, _REST_S):
                pass
    except TimeoutError:
        raise TwotrackError(
            "the text changed all the time, so the edit was not applied. Ask for it again, and "
            "let the text rest."
        ) from None


async def _changed_within(server: "Server", seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await server.documents.next_change()
    except TimeoutError:
        return False
    return True
