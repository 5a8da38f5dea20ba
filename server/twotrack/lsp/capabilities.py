"""What the server announces to a client."""

from collections.abc import Mapping, Set
from typing import Any

from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder

from twotrack.engine.actions.kinds import Kind
from twotrack.lsp.clients import Client
from twotrack.lsp.extensions import Command

_INTERNAL = (Command.ACT, Command.DID_ACCEPT)
FOR_PEOPLE = tuple(command for command in Command if command not in _INTERNAL)
"""Commands for an editor that has no plug-in of ours."""

NOTEBOOKS = types.NotebookDocumentSyncOptions(
    [types.NotebookDocumentFilterWithNotebook(notebook="*")]
)
"""All notebooks, with all their cells. Nothing is to be done when one is saved."""


def server_capabilities(
    client: Client,
    capabilities: types.ClientCapabilities,
    methods: Set[str],
    options: Mapping[str, Any],
) -> types.ServerCapabilities:
    """Return what is announced of `methods`, with their `options`.

    Only a client that does not freeze on it resolves code actions.
    """
    hidden = set() if client.menu else {types.TEXT_DOCUMENT_COMPLETION}
    kinds: list[types.CodeActionKind | str] = [kind.value for kind in Kind]
    actions = types.CodeActionOptions(kinds, resolve_provider=client.resolves)
    builder = ServerCapabilitiesBuilder(
        capabilities,
        set(methods - hidden),
        {**options, types.TEXT_DOCUMENT_CODE_ACTION: actions},
        commands(client),
        types.TextDocumentSyncKind.Incremental,
        NOTEBOOKS,
        client.encoding.value,
    )
    built: types.ServerCapabilities = builder.build()  # type: ignore[no-untyped-call]
    return built


def commands(client: Client) -> list[str]:
    """Return the commands that are announced.

    Helix lists them for people, and runs those of code actions without an announcement.
    """
    internal = () if client.name == "helix" else _INTERNAL
    return [*internal] if client.events else [*internal, *FOR_PEOPLE]
