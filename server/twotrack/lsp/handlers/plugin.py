"""twotrack/*: what the plug-ins of editors ask for beyond LSP."""

from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.document import Document
from twotrack.engine.actions.offers import Diagnostic, shortened
from twotrack.errors import TwotrackError
from twotrack.lsp import from_proto
from twotrack.lsp.handlers.resolve import caught_up, propose, workspace_edit
from twotrack.tasks import Track
from twotrack.text import Range

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


def register(server: "Server") -> None:
    """Add the methods to the server."""

    @server.feature("twotrack/status")
    def get_status(_: Any) -> dict[str, Any]:
        return server.status()

    @server.feature("twotrack/pause")
    def pause(given: Any) -> dict[str, Any]:
        paused = _object(given).get("paused")
        if not isinstance(paused, bool):
            raise TwotrackError("`paused` must be true or false.")
        server.pause(paused=paused)
        return server.status()

    @server.feature("twotrack/useModel")
    def use_model(given: Any) -> dict[str, Any]:
        params = _object(given)
        track, model = params.get("track"), params.get("model")
        if track not in (Track.FAST, Track.STRONG) or not isinstance(model, str | None):
            raise TwotrackError('`track` must be "fast" or "strong", and `model` a name or null.')
        server.session.use_model(Track(track), model)
        server.status_line.changed()
        return server.status()

    @server.feature("twotrack/edit")
    def edit(given: Any) -> Coroutine[Any, Any, dict[str, Any]]:
        params = _object(given)
        document, selection = selected(server, params)
        task = params.get("task")
        known = server.session.actions.known
        if not isinstance(task, str) or task not in known:
            raise TwotrackError(f"`task` must be one of {', '.join(known)}.")
        reported = _text(params, "diagnostic")
        found = [Diagnostic(selection, reported)] if reported else []
        found += server.foreign.at(document, selection, server.client.encoding)
        words = _text(params, "instruction")
        return _edit(server, document, selection, task, instruction=words, found=found)

    @server.feature("twotrack/didChangeDiagnostics")
    def did_change_diagnostics(given: Any) -> None:
        told = server.protocol.structured(_object(given), types.PublishDiagnosticsParams)
        server.foreign.put(told.uri, list(told.diagnostics))


async def _edit(
    server: "Server",
    document: Document,
    selection: Range,
    task: str,
    *,
    instruction: str,
    found: Sequence[Diagnostic],
) -> dict[str, Any]:
    await server.settle()
    await server.ask_for_keys()
    await server.session.actions.look(document)
    offer = server.session.actions.chosen(
        task, document, selection, instruction=instruction, diagnostics=found
    )
    proposal = await propose(server, offer.title, document, offer)
    await caught_up(server, proposal)
    origin = proposal.origin
    return {
        "title": proposal.title,
        "edit": workspace_edit(server, proposal),
        "text": proposal.text or None,
        "model": origin.model,
        "ms": origin.total_ms,
        "costUsd": origin.cost_usd,
    }


def selected(server: "Server", params: Mapping[str, Any]) -> tuple[Document, Range]:
    """Read the open document of a request and what is selected in it. Raises TwotrackError."""
    uri = server.protocol.structured(params.get("textDocument"), types.TextDocumentIdentifier).uri
    document = server.documents.get(uri)
    chosen = server.protocol.structured(params.get("range"), types.Range)
    return document, from_proto.selection(document.text, chosen, server.client)


def _object(params: Any) -> Mapping[str, Any]:
    return params if isinstance(params, dict) else {}


def _text(params: Mapping[str, Any], key: str) -> str:
    value = params.get(key) or ""
    if not isinstance(value, str):
        raise TwotrackError(f"`{key}` must be a text.")
    return shortened(" ".join(value.split()))
