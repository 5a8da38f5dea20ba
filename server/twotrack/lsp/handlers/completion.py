"""textDocument/completion: for editors without ghost text."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.engine.completion import CompletionRequest
from twotrack.lsp import to_proto
from twotrack.lsp.handlers.inline_completion import completion_request, compute

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

_INVOKED = types.CompletionTriggerKind.Invoked
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
            # Editors call typing a word "invoked" too, so it says little: nothing waits longer.
            invoked=params.context is not None and params.context.trigger_kind == _INVOKED,
        )
        known = server.session.completer.lookup(request)
        if known is not None:
            return to_proto.completion_menu(request.document, known, server.client)
        return _compute(server, request)


async def _compute(server: "Server", request: CompletionRequest) -> types.CompletionList:
    completion = await compute(server, request)
    return to_proto.completion_menu(request.document, completion, server.client)
