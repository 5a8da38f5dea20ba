"""workspace/didChangeWorkspaceFolders."""

from typing import TYPE_CHECKING

from lsprotocol import types

from twotrack.lsp.uris import path_of

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_workspace_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        gone = {path_of(folder.uri) for folder in params.event.removed}
        kept = [root for root in server.roots if root not in gone]
        added = [path_of(folder.uri) for folder in params.event.added]
        server.move(tuple(dict.fromkeys(p for p in (*kept, *added) if p is not None)))
