"""textDocument/completion: for editors without ghost text."""

from collections.abc import Coroutine
from typing import Any

from lsprotocol import types

from twotrack.lsp import to_proto
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.handlers.inline_completion import answer, completion_request

TRIGGERS = [".", "(", "[", "{", ":", " ", "=", ",", ">"]


def completion(
    conversation: Conversation,
    params: types.CompletionParams,
) -> types.CompletionList | Coroutine[Any, Any, types.CompletionList]:
    """Answer with what is known, or ask."""
    request = completion_request(
        conversation,
        params.text_document.uri,
        params.position,
        invoked=_by_hand(conversation, params.context),
    )
    return answer(conversation, request, to_proto.completion_menu)


def _by_hand(conversation: Conversation, context: types.CompletionContext | None) -> bool:
    """Whether a person opened the menu: editors call typing a word "invoked" too."""
    kind = types.CompletionTriggerKind.Invoked if context is None else context.trigger_kind
    return kind == types.CompletionTriggerKind.Invoked and not conversation.session.typing
