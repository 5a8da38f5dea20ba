"""workspace/didChangeWatchedFiles: files that others change, and the project's settings."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.lsp.uris import path_of

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

_SLICE = 50
"""Changes taken in one turn of the event loop: a checkout tells of thousands together."""


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        slices = [params.changes[at : at + _SLICE] for at in range(0, len(params.changes), _SLICE)]
        _take(server, slices[0] if slices else ())
        if len(slices) > 1:
            server.run_in_background(_take_rest(server, slices[1:]))


async def _take_rest(server: "Server", slices: Sequence[Sequence[types.FileEvent]]) -> None:
    for changes in slices:
        await asyncio.sleep(0)
        _take(server, changes)


def _take(server: "Server", changes: Iterable[types.FileEvent]) -> None:
    server.session.files_changed(
        (path, change.type == types.FileChangeType.Deleted)
        for change in changes
        if (path := path_of(change.uri)) is not None
    )
    server.tell_problems()


async def watch(server: "Server") -> None:
    """Ask the client to tell of changed files, if it can watch."""
    if not server.client.watches_files:
        return
    watcher = types.FileSystemWatcher(glob_pattern="**/*")
    registration = types.Registration(
        "twotrack-files",
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        types.DidChangeWatchedFilesRegistrationOptions([watcher]),
    )
    try:
        await server.protocol.request(
            types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams([registration])
        )
    except (JsonRpcException, TimeoutError):
        return
