"""workspace/executeCommand: answered at once; the work goes on and ends in applyEdit."""

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack.errors import TwotrackError
from twotrack.lsp import explanation
from twotrack.lsp.clients import Client
from twotrack.lsp.extensions import Command, Status
from twotrack.lsp.failures import response_error
from twotrack.lsp.handlers.apply_edit import apply
from twotrack.lsp.handlers.resolve import resolve
from twotrack.lsp.reasons import reason

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

FOR_PEOPLE = tuple(command for command in Command if command is not Command.ACT)
"""Where the editor has no plug-in of ours."""


def commands(client: Client) -> list[str]:
    """Return the commands that are announced.

    Helix lists them for people, and runs those of code actions without an announcement.
    """
    internal: list[str] = [] if client.name == "helix" else [Command.ACT]
    return internal if client.events else [*internal, *FOR_PEOPLE]


def register(server: "Server") -> None:
    """Add the method to the server."""

    @server.feature(types.WORKSPACE_EXECUTE_COMMAND)
    def execute_command(params: types.ExecuteCommandParams) -> None:
        match params.command:
            case Command.ACT:
                data = params.arguments[0] if params.arguments else None
                server.run_in_background(_act(server, data))
            case Command.PAUSE | Command.RESUME:
                server.pause(paused=params.command == Command.PAUSE)
                server.notices.tell(
                    "twotrack: completions are paused." if server.paused else "twotrack is back."
                )
            case Command.SHOW_REQUEST:
                server.run_in_background(_show_request(server))
            case Command.SHOW_STATUS:
                server.notices.tell(status_text(server.status()))
            case _:
                raise TwotrackError(f"{params.command} is not a command of twotrack.")


async def _show_request(server: "Server") -> None:
    from twotrack.lsp.records import sent_page  # noqa: PLC0415  # lazily: seldom wanted

    questions = await server.session.sent.questions()
    if not questions:
        server.notices.tell("twotrack: nothing was sent yet.")
        return
    page = await asyncio.to_thread(sent_page, questions[:1])
    await explanation.show(server, page)


def status_text(now: Status) -> str:
    """Say a status in a line of 95 characters or so: what matters most comes first."""
    state = "paused" if now.paused else "busy" if now.busy else "ready"
    spent = now.spent_today
    money = "<$0.01" if 0 < spent < 0.01 else f"${spent:.2f}"
    # The model of each track, then the tasks that another one serves.
    using: dict[str, str] = {}
    for name, task in now.tasks.items():
        model = task.using or "no model"
        if using.setdefault(task.track, model) != model:
            using[name] = model
    models = ", ".join(f"{name}: {model}" for name, model in using.items())
    poor = f"{now.no_model} " if now.no_model else ""
    return f"{poor}twotrack is {state}. Spent today: {money}. {models}."


async def _act(server: "Server", data: Any) -> None:
    title = server.session.actions.title(data)
    try:
        await apply(server, await resolve(server, title, data))
    except TwotrackError as error:
        server.notices.error(f"{title}: {error.message}", reason(error))
    except Exception as error:
        server.notices.error(f"{title}: {response_error(error)[1]}", reason(error))
        raise  # for the log
