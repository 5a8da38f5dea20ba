"""twotrack/*: what the plug-ins of editors ask for beyond LSP."""

from collections.abc import Coroutine, Sequence
from typing import Any

from lsprotocol import types

from twotrack.document import Document
from twotrack.engine.actions.offers import Diagnostic, shortened
from twotrack.errors import TwotrackError
from twotrack.lsp import from_proto
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.extensions import (
    EditParams,
    EditResult,
    PartlyAcceptedParams,
    PauseParams,
    ShownParams,
    Status,
    SubjectParams,
    UseModelParams,
)
from twotrack.lsp.handlers.keys import ask_for_keys
from twotrack.lsp.handlers.resolve import caught_up, propose, workspace_edit
from twotrack.lsp.pauses import Scope
from twotrack.text import Range


def get_status(conversation: Conversation, _: Any) -> Status:
    """Say what is being done, with which models, and what was spent."""
    return conversation.status()


def pause(conversation: Conversation, params: PauseParams) -> Status:
    """Pause completions, or go on."""
    scope = Scope(params.language or None, params.files or None)
    if params.paused:
        conversation.pause(scope, params.minutes)
    else:
        conversation.pauses.end(scope)
    return conversation.status()


def use_model(conversation: Conversation, params: UseModelParams) -> Status:
    """Put a model first."""
    conversation.session.use_model(params.track, params.model)
    conversation.status_line.changed()
    return conversation.status()


def edit(conversation: Conversation, params: EditParams) -> Coroutine[Any, Any, EditResult]:
    """Begin an edit, to be shown and applied by the plug-in."""
    document, selection = selected(conversation, params)
    known = conversation.session.actions.known
    if params.task not in known:
        raise TwotrackError(f"`task` must be one of {', '.join(known)}.")
    reported = _line(params.diagnostic)
    found = [Diagnostic(selection, reported)] if reported else []
    found += conversation.foreign.at(document, selection, conversation.client.encoding)
    words = _line(params.instruction)
    return _edit(conversation, document, selection, params.task, instruction=words, found=found)


def did_change_diagnostics(
    conversation: Conversation, params: types.PublishDiagnosticsParams
) -> None:
    """Take note of what other servers' diagnostics say."""
    conversation.foreign.put(params.uri, list(params.diagnostics))


def did_show_completion(conversation: Conversation, params: ShownParams) -> None:
    """Take note that a completion is on the screen."""
    conversation.session.outcomes.displayed(proposal_id(params.item.command))


def did_partially_accept_completion(
    conversation: Conversation, params: PartlyAcceptedParams
) -> None:
    """Take note that the beginning of a completion was accepted."""
    proposal = proposal_id(params.item.command)
    conversation.session.outcomes.partly_accepted(proposal, params.accepted_length)


def did_reject_completion(conversation: Conversation, params: ShownParams) -> None:
    """Take note that the person dismissed a completion."""
    conversation.session.dismissed(proposal_id(params.item.command))


def proposal_id(command: types.Command) -> str:
    """Return which completion a command speaks of; empty: none of ours."""
    [proposal, *_] = command.arguments or [""]
    return proposal if isinstance(proposal, str) else ""


async def _edit(
    conversation: Conversation,
    document: Document,
    selection: Range,
    task: str,
    *,
    instruction: str,
    found: Sequence[Diagnostic],
) -> EditResult:
    await conversation.has_settings()
    await ask_for_keys(conversation)
    await conversation.session.actions.look(document)
    offer = conversation.session.actions.chosen(
        task, document, selection, instruction=instruction, diagnostics=found
    )
    proposal = await propose(conversation, offer.title, document, offer)
    await caught_up(conversation, proposal)
    origin = proposal.origin
    return EditResult(
        title=proposal.title,
        edit=workspace_edit(conversation, proposal),
        text=proposal.text or None,
        model=origin.model,
        ms=origin.total_ms,
        cost_usd=origin.cost_usd,
    )


def selected(conversation: Conversation, params: SubjectParams) -> tuple[Document, Range]:
    """Return the open document of a request and what is selected in it. Raises TwotrackError."""
    document = conversation.documents.get(params.text_document.uri)
    return document, from_proto.selection(document.text, params.range, conversation.client)


def _line(text: str | None) -> str:
    return shortened(" ".join((text or "").split()))
