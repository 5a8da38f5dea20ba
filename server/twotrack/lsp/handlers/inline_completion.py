"""textDocument/inlineCompletion: ghost text."""

from collections.abc import Callable, Coroutine
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
    )
    return answer(conversation, request, to_proto.inline_completions)


def answer(
    conversation: Conversation,
    request: CompletionRequest,
    present: Callable[[Document, Completion | None, Client], Answer],
) -> Answer | Coroutine[Any, Any, Answer]:
    """Present what is known, or what is computed for it."""

    def shown(completion: Completion | None) -> Answer:
        if completion is not None:
            completion = conversation.session.outcomes.shown(request, completion)
        return present(request.document, completion, conversation.client)

    async def computed() -> Answer:
        return shown(await _compute(conversation, request))

    if conversation.pauses.hold(request.document):
        return shown(None)
    known = conversation.session.completer.lookup(request)
    return computed() if known is None else shown(known)


def completion_request(
    conversation: Conversation, uri: str, position: types.Position, *, invoked: bool
) -> CompletionRequest:
    """Take the snapshot that a completion is computed on."""
    document = conversation.documents.get(uri)
    return CompletionRequest(
        document=document,
        position=from_proto.position(document.text, position, conversation.client.encoding),
        invoked=invoked,
        others=conversation.documents.others(uri, CONSIDERED),
    )


async def _compute(conversation: Conversation, request: CompletionRequest) -> Completion | None:
    """Compute a completion; a failure is said once, and the request is answered empty."""
    await conversation.has_settings()
    try:
        return await conversation.session.completer.complete(request)
    except RouteExhausted as error:
        # A failure that does not pass by itself had a message of its own.
        if all(passing(failure) for failure in error.failures):
            conversation.notices.warn(
                f"twotrack: {error.message}", once_for="no model answered", why=reason(error)
            )
    except TwotrackError as error:
        kind = type(error).__name__
        conversation.notices.warn(f"twotrack: {error.message}", once_for=kind, why=reason(error))
    return None
