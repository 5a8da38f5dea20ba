"""workspace/executeCommand: answered at once; the work goes on and ends in applyEdit."""

from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.errors import TwotrackError
from twotrack.lsp.failures import response_error
from twotrack.lsp.handlers.carry_out import carry_out
from twotrack.lsp.handlers.code_action import ACT

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

COMMANDS = (ACT,)


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature(types.WORKSPACE_EXECUTE_COMMAND)
    def execute_command(params: types.ExecuteCommandParams) -> None:
        if params.command != ACT:
            raise TwotrackError(f"{params.command} is not a command of twotrack.")
        data = params.arguments[0] if params.arguments else None
        server.run_in_background(_act(server, data))


async def _act(server: "Server", data: Any) -> None:
    title = server.session.actions.title(data)
    try:
        edit = await carry_out(server, title, data)
        if edit is not None:
            await _apply(server, title, edit)
    except TwotrackError as error:
        server.notices.error(f"{title}: {error.message}")
    except Exception as error:
        server.notices.error(f"{title}: {response_error(error)[1]}")
        raise  # for the log


async def _apply(server: "Server", title: str, edit: types.WorkspaceEdit) -> None:
    params = types.ApplyWorkspaceEditParams(edit=edit, label=title)
    try:
        result = await server.protocol.request(types.WORKSPACE_APPLY_EDIT, params)
    except (JsonRpcException, TimeoutError):
        raise TwotrackError("the editor did not apply the edit.") from None
    if not result.applied:
        reason = result.failure_reason or "it gave no reason"
        raise TwotrackError(f"the editor refused the edit ({reason}).")
