"""workspace/executeCommand: answered at once; the work goes on and ends in applyEdit."""

import asyncio
from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from twotrack.errors import TwotrackError
from twotrack.lsp import explanation
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.extensions import Command, Status
from twotrack.lsp.failures import response_error
from twotrack.lsp.handlers.apply_edit import apply
from twotrack.lsp.handlers.resolve import resolve
from twotrack.lsp.pauses import EVERYTHING
from twotrack.lsp.reasons import reason

_SNOOZE_MIN = 5


def execute_command(conversation: Conversation, params: types.ExecuteCommandParams) -> None:
    """Begin what the command asks for."""
    match params.command:
        case Command.ACT:
            data = params.arguments[0] if params.arguments else None
            conversation.run_in_background(_act(conversation, data))
        case Command.DID_ACCEPT:
            [proposal, *_] = params.arguments or [""]
            if isinstance(proposal, str):
                conversation.session.outcomes.accepted(proposal)
        case Command.PAUSE:
            _pause(conversation, ())
        case Command.SNOOZE:
            _pause(conversation, params.arguments or (_SNOOZE_MIN,))
        case Command.RESUME:
            conversation.pauses.end(EVERYTHING)
            conversation.notices.tell("twotrack is back.")
        case Command.SHOW_REQUEST:
            conversation.run_in_background(_show_request(conversation))
        case Command.SHOW_STATUS:
            conversation.notices.tell(status_text(conversation.status()))
        case _:
            raise TwotrackError(f"{params.command} is not a command of twotrack.")


def _pause(conversation: Conversation, arguments: Sequence[Any]) -> None:
    """Pause completions, for a time where one is given. Raises TwotrackError."""
    minutes = arguments[0] if arguments else None
    if minutes is not None and (isinstance(minutes, bool) or not isinstance(minutes, int | float)):
        raise TwotrackError("The argument must be a number of minutes.")
    conversation.pause(EVERYTHING, minutes)
    time = "" if minutes is None else f" for {minutes:g} minutes"
    conversation.notices.tell(f"twotrack: completions are paused{time}.")


async def _show_request(conversation: Conversation) -> None:
    from twotrack.lsp.records import sent_page  # noqa: PLC0415  # lazily: seldom wanted

    questions = await conversation.session.sent.questions()
    if not questions:
        conversation.notices.tell("twotrack: nothing was sent yet.")
        return
    page = await asyncio.to_thread(sent_page, questions)
    await explanation.show(conversation, page)


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


async def _act(conversation: Conversation, data: Any) -> None:
    title = conversation.session.actions.title(data)
    try:
        await apply(conversation, await resolve(conversation, title, data))
    except TwotrackError as error:
        conversation.notices.error(f"{title}: {error.message}", reason(error))
    except Exception as error:
        conversation.notices.error(f"{title}: {response_error(error)[1]}", reason(error))
        raise  # for the log
