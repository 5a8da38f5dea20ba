"""twotrack/*: what the plug-ins of editors ask for beyond LSP."""

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.document import Document
from twotrack.engine.actions.offers import Diagnostic, shortened
from twotrack.errors import TwotrackError
from twotrack.lsp import from_proto
from twotrack.lsp.extensions import (
    EditParams,
    EditResult,
    PauseParams,
    Status,
    SubjectParams,
    UseModelParams,
)
from twotrack.lsp.handlers.resolve import caught_up, propose, workspace_edit
from twotrack.text import Range

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


def register(server: "Server") -> None:
    """Add the methods to the server."""

    @server.feature("twotrack/status")
    def get_status(_: Any) -> Status:
        return server.status()

    @server.feature("twotrack/pause")
    def pause(params: PauseParams) -> Status:
        server.pause(paused=params.paused)
        return server.status()

    @server.feature("twotrack/useModel")
    def use_model(params: UseModelParams) -> Status:
        server.session.use_model(params.track, params.model)
        server.status_line.changed()
        return server.status()

    @server.feature("twotrack/edit")
    def edit(params: EditParams) -> Coroutine[Any, Any, EditResult]:
        document, selection = selected(server, params)
        known = server.session.actions.known
        if params.task not in known:
            raise TwotrackError(f"`task` must be one of {', '.join(known)}.")
        reported = _line(params.diagnostic)
        found = [Diagnostic(selection, reported)] if reported else []
        found += server.foreign.at(document, selection, server.client.encoding)
        words = _line(params.instruction)
        return _edit(server, document, selection, params.task, instruction=words, found=found)

    @server.feature("twotrack/didChangeDiagnostics")
    def did_change_diagnostics(params: types.PublishDiagnosticsParams) -> None:
        server.foreign.put(params.uri, list(params.diagnostics))


async def _edit(
    server: "Server",
    document: Document,
    selection: Range,
    task: str,
    *,
    instruction: str,
    found: Sequence[Diagnostic],
) -> EditResult:
    await server.settle()
    await server.ask_for_keys()
    await server.session.actions.look(document)
    offer = server.session.actions.chosen(
        task, document, selection, instruction=instruction, diagnostics=found
    )
    proposal = await propose(server, offer.title, document, offer)
    await caught_up(server, proposal)
    origin = proposal.origin
    return EditResult(
        title=proposal.title,
        edit=workspace_edit(server, proposal),
        text=proposal.text or None,
        model=origin.model,
        ms=origin.total_ms,
        cost_usd=origin.cost_usd,
    )


def selected(server: "Server", params: SubjectParams) -> tuple[Document, Range]:
    """Return the open document of a request and what is selected in it. Raises TwotrackError."""
    document = server.documents.get(params.text_document.uri)
    return document, from_proto.selection(document.text, params.range, server.client)


def _line(text: str | None) -> str:
    return shortened(" ".join((text or "").split()))
