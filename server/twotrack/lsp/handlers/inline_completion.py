"""textDocument/inlineCompletion: ghost text."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from lsprotocol import types

from twotrack.document import Document
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.errors import RouteExhausted, TwotrackError
from twotrack.lsp import from_proto, to_proto
from twotrack.lsp.clients import Client
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.failures import passing
from twotrack.lsp.reasons import reason
from twotrack.workspace.documents import CONSIDERED

Answer = TypeVar("Answer")

_INVOKED = types.InlineCompletionTriggerKind.Invoked


def inline_completion(
    conversation: Conversation,
    params: types.InlineCompletionParams,
) -> types.InlineCompletionList | Coroutine[Any, Any, types.InlineCompletionList]:
    """Answer with what is known, or ask."""
    request = completion_request(
        conversation,
        params.text_document.uri,
        params.position,
        invoked=params.context.trigger_kind == _INVOKED,
        early=True,
    )
    return answer(conversation, request, to_proto.inline_completions)


def answer(
    conversation: Conversation,
    request: CompletionRequest,
    present: Callable[[Document, Sequence[Completion], Client], Answer],
) -> Answer | Coroutine[Any, Any, Answer]:
    """Present what is known, or what is computed for it; a person who asks gets several."""

    def shown(*completions: Completion) -> Answer:
        followed = conversation.session.outcomes.shown(request, completions)
        return present(request.document, followed, conversation.client)

    async def computed() -> Answer:
        return shown(*await _compute(conversation, request))

    if conversation.pauses.hold(request.document):
        return shown()
    known = None if request.invoked else conversation.session.completer.lookup(request)
    return computed() if known is None else shown(known)


def completion_request(
    conversation: Conversation,
    uri: str,
    position: types.Position,
    *,
    invoked: bool,
    early: bool = False,
) -> CompletionRequest:
    """Take the snapshot that a completion is computed on."""
    document = conversation.documents.get(uri)
    return CompletionRequest(
        document=document,
        position=from_proto.position(document.text, position, conversation.client.encoding),
        invoked=invoked,
        others=conversation.documents.others(uri, CONSIDERED),
        early=early,
    )


async def _compute(conversation: Conversation, request: CompletionRequest) -> Sequence[Completion]:
    """Compute completions; a failure is said once, and the request is answered empty."""
    await conversation.has_settings()
    try:
        return await conversation.session.completer.candidates(request)
    except RouteExhausted as error:
        # A failure that does not pass by itself had a message of its own.
        if all(passing(failure) for failure in error.failures):
            conversation.notices.warn(
                f"twotrack: {error.message}", once_for="no model answered", why=reason(error)
            )
    except TwotrackError as error:
        kind = type(error).__name__
        conversation.notices.warn(f"twotrack: {error.message}", once_for=kind, why=reason(error))
    return ()
