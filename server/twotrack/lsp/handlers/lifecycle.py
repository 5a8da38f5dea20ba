"""initialize, initialized, shutdown, setTrace, progress cancel; exit is the protocol's own."""

from typing import TYPE_CHECKING

from lsprotocol import types

from twotrack.lsp.extensions import Ready
from twotrack.lsp.handlers import configuration, watched_files

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


def register(server: "Server") -> None:
    """Add the methods to the server."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> types.InitializeResult:
        return server.begin(params)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        server.run_in_background(_start(server))

    @server.feature(types.SHUTDOWN)
    def shutdown(_: None) -> None:
        server.protocol.begin_shutdown()
        server.end_background()

    @server.feature(types.SET_TRACE)
    def set_trace(params: types.SetTraceParams) -> None:
        server.protocol.trace = params.value

    @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancel_progress(params: types.WorkDoneProgressCancelParams) -> None:
        server.reports.cancel(params.token)


async def _start(server: "Server") -> None:
    """Begin the work that must not delay the answer to initialize."""
    await configuration.pull(server)
    server.configured.set()
    await watched_files.watch(server)
    server.run_in_background(server.ask_for_keys())
    await server.session.start()
    if server.client.events:
        server.protocol.tell(Ready())
