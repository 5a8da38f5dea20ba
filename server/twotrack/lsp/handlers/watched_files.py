"""workspace/didChangeWatchedFiles: files that others change, and the project's settings."""

import asyncio
from collections.abc import Iterable, Sequence

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.lsp.conversation import Conversation
from twotrack.lsp.uris import path_of

_SLICE = 50
"""Changes taken in one turn of the event loop: a checkout tells of thousands together."""


def did_change_watched_files(
    conversation: Conversation, params: types.DidChangeWatchedFilesParams
) -> None:
    """Take note of files that others changed, in slices; first of those that may hide others."""
    changes = sorted(params.changes, key=lambda change: ".git" not in change.uri)
    slices = [changes[at : at + _SLICE] for at in range(0, len(changes), _SLICE)]
    _take(conversation, slices[0] if slices else ())
    if len(slices) > 1:
        conversation.run_in_background(_take_rest(conversation, slices[1:]))


async def _take_rest(
    conversation: Conversation, slices: Sequence[Sequence[types.FileEvent]]
) -> None:
    for changes in slices:
        await asyncio.sleep(0)
        _take(conversation, changes)


def _take(conversation: Conversation, changes: Iterable[types.FileEvent]) -> None:
    conversation.session.files_changed(
        (path, change.type == types.FileChangeType.Deleted)
        for change in changes
        if (path := path_of(change.uri)) is not None
    )
    conversation.tell_problems()


async def watch(conversation: Conversation) -> None:
    """Ask the client to tell of changed files, if it can watch."""
    if not conversation.client.watches_files:
        return
    watcher = types.FileSystemWatcher(glob_pattern="**/*")
    registration = types.Registration(
        "twotrack-files",
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        types.DidChangeWatchedFilesRegistrationOptions([watcher]),
    )
    try:
        await conversation.protocol.request(
            types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams([registration])
        )
    except (JsonRpcException, TimeoutError):
        return
