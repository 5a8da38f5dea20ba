"""initialize, initialized, shutdown, setTrace, progress cancel; exit is the protocol's own."""

from collections.abc import Awaitable
from pathlib import Path

from lsprotocol import types

import twotrack
from twotrack import files
from twotrack.lsp.capabilities import server_capabilities
from twotrack.lsp.clients import recognise
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.ends import process_end
from twotrack.lsp.extensions import Ready
from twotrack.lsp.handlers import configuration, watched_files
from twotrack.lsp.handlers.keys import ask_for_keys
from twotrack.lsp.uris import path_of


def initialize(
    conversation: Conversation, params: types.InitializeParams
) -> types.InitializeResult:
    """Meet the client: learn what it can, say what we can."""
    client = recognise(params)
    conversation.meet(client, _roots(params), params.initialization_options)
    ended = None if params.process_id is None else process_end(params.process_id)
    if ended is not None:
        conversation.run_in_background(_leave_after(conversation, ended))
    features = conversation.protocol.fm
    capabilities = server_capabilities(
        client, params.capabilities, features.features.keys(), features.feature_options
    )
    info = types.ServerInfo("twotrack", twotrack.__version__)
    return types.InitializeResult(capabilities, info)


def initialized(conversation: Conversation, _: types.InitializedParams) -> None:
    """Begin the work that must not delay the answer to initialize."""
    conversation.run_in_background(_start(conversation))


def shutdown(conversation: Conversation, _: None) -> None:
    """End what is under way."""
    conversation.protocol.begin_shutdown()
    conversation.end_background()


def set_trace(conversation: Conversation, params: types.SetTraceParams) -> None:
    """Take note of how much the client wants to be told."""
    conversation.protocol.trace = params.value


def cancel_progress(conversation: Conversation, params: types.WorkDoneProgressCancelParams) -> None:
    """End the work behind a progress report."""
    conversation.reports.cancel(params.token)


async def _start(conversation: Conversation) -> None:
    """Begin the work that must not delay the answer to initialize."""
    await configuration.pull(conversation)
    conversation.configured.set()
    await watched_files.watch(conversation)
    conversation.run_in_background(ask_for_keys(conversation))
    await conversation.session.start()
    if conversation.client.events:
        conversation.protocol.tell(Ready())


async def _leave_after(conversation: Conversation, ended: Awaitable[None]) -> None:
    """End when the editor's process has ended."""
    await ended
    conversation.leave()


def _roots(params: types.InitializeParams) -> tuple[Path, ...]:
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and params.root_uri:
        uris = [params.root_uri]
    paths = [path_of(uri) for uri in uris]
    if not paths and params.root_path:
        paths = [files.named(params.root_path)]
    return tuple(path for path in paths if path is not None)
