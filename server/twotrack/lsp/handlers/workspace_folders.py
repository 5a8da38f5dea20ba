"""workspace/didChangeWorkspaceFolders."""

from lsprotocol import types

from twotrack.lsp.conversation import Conversation
from twotrack.lsp.uris import path_of


def did_change_workspace_folders(
    conversation: Conversation, params: types.DidChangeWorkspaceFoldersParams
) -> None:
    """Go on in other folders."""
    gone = {path_of(folder.uri) for folder in params.event.removed}
    kept = [root for root in conversation.roots if root not in gone]
    added = [path_of(folder.uri) for folder in params.event.added]
    conversation.move(tuple(dict.fromkeys(p for p in (*kept, *added) if p is not None)))
