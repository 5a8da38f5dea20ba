"""textDocument/completion: for editors without ghost text."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.engine.asked import CompletionRequest
from twotrack.lsp import to_proto
from twotrack.lsp.handlers.inline_completion import completion_request, compute

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

_TRIGGERS = [".", "(", "[", "{", ":", " ", "=", ",", ">"]


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=_TRIGGERS)
    )
    def completion(
        params: types.CompletionParams,
    ) -> types.CompletionList | Coroutine[Any, Any, types.CompletionList]:
        request = completion_request(
            server,
            params.text_document.uri,
            params.position,
            invoked=_by_hand(server, params.context),
        )
        if server.paused:
            return to_proto.completion_menu(request.document, None, server.client)
        known = server.session.completer.lookup(request)
        if known is not None:
            return to_proto.completion_menu(request.document, known, server.client)
        return _compute(server, request)


def _by_hand(server: "Server", context: types.CompletionContext | None) -> bool:
    """Whether a person opened the menu: editors call typing a word "invoked" too."""
    kind = types.CompletionTriggerKind.Invoked if context is None else context.trigger_kind
    return kind == types.CompletionTriggerKind.Invoked and not server.session.typing


async def _compute(server: "Server", request: CompletionRequest) -> types.CompletionList:
    completion = await compute(server, request)
    return to_proto.completion_menu(request.document, completion, server.client)
