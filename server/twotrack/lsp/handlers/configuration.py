"""workspace/didChangeConfiguration, and the pull of the section `twotrack`."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.lsp.conversation import Conversation

_SECTION = "twotrack"


def did_change_configuration(
    conversation: Conversation, params: types.DidChangeConfigurationParams
) -> None:
    """Take the settings that came, or ask for them."""
    if conversation.client.configuration:
        conversation.run_in_background(pull(conversation))
        return
    pushed = params.settings.get(_SECTION) if isinstance(params.settings, dict) else None
    conversation.configure(_layers("workspace/didChangeConfiguration", pushed))


async def pull(conversation: Conversation) -> None:
    """Ask the client for our section, if it answers that."""
    if not conversation.client.configuration:
        return
    params = types.ConfigurationParams([types.ConfigurationItem(section=_SECTION)])

    def take(answer: list[Any]) -> None:
        conversation.configure(_layers("workspace/configuration", answer[0] if answer else None))

    with suppress(JsonRpcException, TimeoutError):
        await conversation.protocol.request(types.WORKSPACE_CONFIGURATION, params, at_once=take)


def _layers(name: str, values: Any) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, values)] if isinstance(values, dict) else []
