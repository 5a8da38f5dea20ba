"""What the server answers: one file a method, or a group of methods that belong together."""

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.engine.actions.kinds import Kind
from twotrack.lsp.clients import Client
from twotrack.lsp.handlers import (
    code_action,
    completion,
    configuration,
    execute_command,
    inline_completion,
    lifecycle,
    plugin,
    records,
    subject,
    synchronization,
    watched_files,
    workspace_folders,
)

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

__all__ = ["code_action_options", "commands", "register"]

commands = execute_command.commands

_ROOMS = (
    lifecycle,
    synchronization,
    inline_completion,
    completion,
    code_action,
    execute_command,
    configuration,
    watched_files,
    workspace_folders,
    plugin,
    records,
    subject,
)


def register(server: "Server") -> None:
    """Make every method known to the server."""
    for room in _ROOMS:
        room.register(server)


def code_action_options(client: Client) -> dict[str, Any]:
    """Say how code actions work with this client: resolve only if it does not freeze."""
    options = types.CodeActionOptions(
        code_action_kinds=[kind.value for kind in Kind],
        resolve_provider=client.resolves,
    )
    return {types.TEXT_DOCUMENT_CODE_ACTION: options}
