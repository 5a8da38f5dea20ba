"""workspace/applyEdit, which we ask for: again, if the editor's text had moved on meanwhile."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.document import Document
from twotrack.engine.actions.offers import NOT_OPEN, Proposal
from twotrack.errors import TwotrackError
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.handlers.resolve import caught_up, rebased, workspace_edit
from twotrack.text import Edit

_TRIES = 5


class Waits(NamedTuple):
    """How long things are waited for, in seconds."""

    answer: float = 30.0
    """What the editor says of an edit."""
    change: float = 3.0
    """What an edit made, or why it was refused (Eglot tells late)."""
    pause: float = 0.5
    """Without a key."""
    typing: float = 60.0
    """At most for such a pause."""


_WAITS = Waits()


async def apply(conversation: Conversation, proposal: Proposal, waits: Waits = _WAITS) -> None:
    """Have the editor apply a proposal to its present texts, once.

    Raises TwotrackError if the editor refuses, or the texts changed in the same place.
    """
    async with conversation.applying:
        reason = ""
        for _ in range(_TRIES):
            if not conversation.client.answers_apply_edit:
                await _rested(conversation, waits)
            await caught_up(conversation, proposal)
            edit = workspace_edit(conversation, proposal)
            if edit is None:
                return
            edits = rebased(conversation, proposal)
            texts = {uri: conversation.documents.find(uri) for uri in edits}
            reason = await _refusal(conversation, proposal.title, edit, waits)
            if reason and proposal.creates:  # half of it may be done
                raise TwotrackError(f"the editor refused the new file ({reason}).")
            moved_on = bool(texts) and await _moved_on(conversation, texts, waits)
            if not reason or any(_made(conversation, *each) for each in edits.values()):
                return
            if not moved_on:
                break
    raise TwotrackError(
        f"the editor refused the edit ({reason}), so nothing was changed. Ask for it again."
    )


async def _refusal(
    conversation: Conversation, title: str, edit: types.WorkspaceEdit, waits: Waits
) -> str:
    """Ask the editor; give why it did not apply the edit, empty if it did.

    Raises TwotrackError if it does not answer: it may still apply it.
    """
    params = types.ApplyWorkspaceEditParams(edit=edit, label=title)
    answers = conversation.client.answers_apply_edit
    timeout_s = waits.answer if answers else waits.change
    try:
        result = await conversation.protocol.request(
            types.WORKSPACE_APPLY_EDIT, params, timeout_s=timeout_s
        )
    except TimeoutError:
        if not answers:
            return ""
        raise TwotrackError("the editor has not said whether it applied the edit.") from None
    except JsonRpcException as error:
        return error.message or "it gave no reason"
    return "" if result.applied else result.failure_reason or "it gave no reason"


async def _moved_on(
    conversation: Conversation, texts: Mapping[str, Document | None], waits: Waits
) -> bool:
    """Whether a document changes, in time, from what it was when the edit was made."""
    try:
        async with asyncio.timeout(waits.change):
            while texts == {uri: conversation.documents.find(uri) for uri in texts}:
                await conversation.documents.next_change()
    except TimeoutError:
        return False
    return True


def _made(conversation: Conversation, document: Document, edits: Sequence[Edit]) -> bool:
    """Whether the document has been, since then, as `edits` make it: they were applied after all.

    A change need not stand where the edit stood: of equal lines, which one is new?
    """
    if document.version == NOT_OPEN or conversation.documents.find(document.uri) is None:
        return False
    text, wanted = document.text, document.text.apply(edits)
    for change in conversation.documents.changes_since(document.uri, document.version):
        text = text.replace(change.range, change.new_text)
        if text == wanted:
            return True
    return False


async def _rested(conversation: Conversation, waits: Waits) -> None:
    """Wait for a pause in typing. Raises TwotrackError if none comes.

    ALE tells of keys late, applies an edit whatever its version, and does not say so: in a pause
    it has most likely told of all.
    """
    try:
        async with asyncio.timeout(waits.typing):
            while await _changed_within(conversation, waits.pause):
                pass
    except TimeoutError:
        raise TwotrackError(
            "the text changed all the time, so the edit was not applied. Ask for it again, and "
            "let the text rest."
        ) from None


async def _changed_within(conversation: Conversation, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await conversation.documents.next_change()
    except TimeoutError:
        return False
    return True
