"""workspace/didChangeWatchedFiles: files that others change, and the project's settings."""

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.lsp.documents import path_of

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            path = path_of(change.uri)
            if path is not None:
                gone = change.type == types.FileChangeType.Deleted
                server.session.file_changed(path, deleted=gone)
        server.tell_problems()


async def watch(server: "Server") -> None:
    """Ask the client to tell of changed files, where it can watch."""
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
