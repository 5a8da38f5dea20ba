"""From a chosen action to its edit: the part that resolve and the command share."""

import asyncio
from typing import Any

from lsprotocol import types

from twotrack.document import Document
from twotrack.engine.actions.offers import NOT_OPEN, CodeActionOffer, Proposal
from twotrack.engine.actions.test_files import check_on_disk
from twotrack.engine.edits.rebase import rebase, rebase_range
from twotrack.errors import EditConflict, TwotrackError
from twotrack.lsp import explanation, to_proto
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.handlers.keys import ask_for_keys
from twotrack.shown import sentence
from twotrack.text import Edit


async def resolve(conversation: Conversation, title: str, data: Any) -> Proposal:
    """Ask the models, and show what is to be read. Raises TwotrackError."""
    await conversation.has_settings()
    await ask_for_keys(conversation)
    document, offer = _offer_of(conversation, data)
    proposal = await propose(conversation, title, document, offer)
    if proposal.text:
        await explanation.show(conversation, f"# {sentence(title)}\n\n{proposal.text}")
    return proposal


async def propose(
    conversation: Conversation, title: str, document: Document, offer: CodeActionOffer
) -> Proposal:
    """Ask the models, with progress that the person can cancel. Raises TwotrackError."""
    session = conversation.session
    candidates = session.dispatcher.policy.candidates
    if (keys := session.waiting_keys) and not candidates(offer.action.task):
        raise TwotrackError(f"{keys} Answer the question about that, then try again.")
    session.completer.stop_warming()  # a model on this machine does one thing at a time
    shown = conversation.reports.shown(f"twotrack: {title}", supported=conversation.client.progress)
    async with shown as step:
        return await session.actions.propose(
            offer, document, conversation.documents.others(document.uri), step
        )


async def caught_up(conversation: Conversation, proposal: Proposal) -> None:
    """Look that the files of a proposal are as they were, and read all that the editor has sent.

    Raises EditConflict if a file that is not open has changed.
    """
    await asyncio.to_thread(check_on_disk, proposal, conversation.roots)
    await conversation.caught_up()


def workspace_edit(conversation: Conversation, proposal: Proposal) -> types.WorkspaceEdit | None:
    """Return the edit for the documents as they are now; None: nothing to edit.

    `caught_up` comes first. Raises EditConflict.
    """
    if not proposal.edits and not proposal.creates:
        return None
    return to_proto.workspace_edit(
        proposal.title,
        rebased(conversation, proposal),
        proposal.creates,
        conversation.client,
        confirm=proposal.confirm,
    )


def _offer_of(conversation: Conversation, data: Any) -> tuple[Document, CodeActionOffer]:
    """Read what an action carries; it comes back from outside, so all of it is checked."""
    uri = data.get("uri") if isinstance(data, dict) else None
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(uri, str) or not isinstance(version, int):
        raise TwotrackError("This action is not one of twotrack's; ask for code actions again.")
    document = conversation.documents.get(uri)
    offer = CodeActionOffer.from_data(data.get("offer"), conversation.session.actions.known)
    changes = conversation.documents.changes_since(uri, version)
    return document, offer.moved(rebase_range(offer.range, changes))


def rebased(
    conversation: Conversation, proposal: Proposal
) -> dict[str, tuple[Document, tuple[Edit, ...]]]:
    """Move the proposal's edits over what was typed meanwhile. Raises EditConflict."""
    result: dict[str, tuple[Document, tuple[Edit, ...]]] = {}
    for base, edits in proposal.edits:
        present = conversation.documents.find(base.uri)
        if base.version == NOT_OPEN and present is None:
            result[base.uri] = (base, edits)
            continue
        if present is None or base.version == NOT_OPEN:
            what = "closed" if present is None else "opened"
            raise EditConflict(f"{base.uri} was {what} meanwhile; nothing was changed.")
        changes = conversation.documents.changes_since(base.uri, base.version)
        text = base.text
        for edit in changes:
            text = text.replace(edit.range, edit.new_text)
        if text != present.text:  # editors count versions from 1 again
            raise EditConflict(f"{base.uri} was opened anew meanwhile; nothing was changed.")
        result[base.uri] = (present, rebase(edits, changes, base.text))
    return result
