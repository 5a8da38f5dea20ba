"""workspace/didChangeConfiguration, and the pull of the section `twotrack`."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

_SECTION = "twotrack"


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        if server.client.configuration:
            server.run_in_background(pull(server))
            return
        pushed = params.settings.get(_SECTION) if isinstance(params.settings, dict) else None
        server.configure(_layers("workspace/didChangeConfiguration", pushed))


async def pull(server: "Server") -> None:
    """Ask the client for our section, if it answers that."""
    if not server.client.configuration:
        return
    params = types.ConfigurationParams([types.ConfigurationItem(section=_SECTION)])

    def take(answer: list[Any]) -> None:
        server.configure(_layers("workspace/configuration", answer[0] if answer else None))

    with suppress(JsonRpcException, TimeoutError):
        await server.protocol.request(types.WORKSPACE_CONFIGURATION, params, at_once=take)


def _layers(name: str, values: Any) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, values)] if isinstance(values, dict) else []
