"""textDocument/inlineCompletion: ghost text."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.errors import RouteExhausted, TwotrackError
from twotrack.lsp import from_proto, to_proto
from twotrack.lsp.failures import passing
from twotrack.lsp.reasons import reason
from twotrack.workspace.documents import CONSIDERED

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

_INVOKED = types.InlineCompletionTriggerKind.Invoked


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    def inline_completion(
        params: types.InlineCompletionParams,
    ) -> types.InlineCompletionList | Coroutine[Any, Any, types.InlineCompletionList]:
        request = completion_request(
            server,
            params.text_document.uri,
            params.position,
            invoked=params.context.trigger_kind == _INVOKED,
        )
        if server.paused:
            return to_proto.inline_completions(request.document, None, server.client)
        known = server.session.completer.lookup(request)
        if known is not None:
            return to_proto.inline_completions(request.document, known, server.client)
        return _compute(server, request)


async def _compute(server: "Server", request: CompletionRequest) -> types.InlineCompletionList:
    completion = await compute(server, request)
    return to_proto.inline_completions(request.document, completion, server.client)


def completion_request(
    server: "Server", uri: str, position: types.Position, *, invoked: bool
) -> CompletionRequest:
    """Take the snapshot that a completion is computed on."""
    document = server.documents.get(uri)
    return CompletionRequest(
        document=document,
        position=from_proto.position(document.text, position, server.client.encoding),
        invoked=invoked,
        others=server.documents.others(uri, CONSIDERED),
    )


async def compute(server: "Server", request: CompletionRequest) -> Completion | None:
    """Compute a completion; a failure is said once, and the request is answered empty."""
    await server.settle()
    try:
        return await server.session.completer.complete(request)
    except RouteExhausted as error:
        # A failure that does not pass by itself had a message of its own.
        if all(passing(failure) for failure in error.failures):
            server.notices.warn(
                f"twotrack: {error.message}", once_for="no model answered", why=reason(error)
            )
    except TwotrackError as error:
        kind = type(error).__name__
        server.notices.warn(f"twotrack: {error.message}", once_for=kind, why=reason(error))
    return None
