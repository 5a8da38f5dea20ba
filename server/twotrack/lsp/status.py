"""What the server is doing, for the status line of an editor's plug-in."""

import asyncio
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING

from twotrack import events
from twotrack.errors import TwotrackError
from twotrack.lsp.extensions import LastAnswer, ModelInfo, Status, TaskRoute
from twotrack.lsp.pauses import Pauses
from twotrack.tasks import Task

if TYPE_CHECKING:
    from twotrack.llm.api import Model
    from twotrack.session import Session

_LEAST_PAUSE_S = 0.2
"""Between two notifications: a status line is no ticker."""
_AFTER_S = 0.05
"""After the change: the answer goes first, and a question that ends sooner does not flicker."""


class StatusLine:
    """Sends a status after each change, a few a second at most, and always the last one."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._waiting: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._closed = False

    def changed(self) -> None:
        """Send it soon."""
        if self._waiting is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_at(max(self._next_at, loop.time() + _AFTER_S), self._now)

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _now(self) -> None:
        self._waiting = None
        self._next_at = asyncio.get_running_loop().time() + _LEAST_PAUSE_S
        self._send()


def status(session: "Session", last: events.Answered | None, pauses: Pauses) -> Status:
    """Return what is being done, with which models, and what was spent."""
    limits = session.loaded.settings.budget
    models = [each for each in session.models.values() if not each.capabilities.retrieval]
    return Status(
        busy=session.sent.busy,
        paused=pauses.everything,
        pauses=pauses.all(),
        spent_today=session.ledger.spent("day"),
        spent_month=session.ledger.spent("month"),
        budget_day=limits.day,
        budget_month=limits.month,
        last=_answer(last) if last else None,
        tasks={task: _task(session, task) for task in session.routes},
        models=[_model(session, model) for model in models],
        no_model=session.no_model(),
        problems=list(session.problems),
        ledger=str(session.ledger.path),
    )


def _answer(last: events.Answered) -> LastAnswer:
    return LastAnswer(
        task=last.task,
        track=last.track,
        model=last.model,
        ms=last.total_ms,
        cost_usd=last.cost_usd,
    )


def _task(session: "Session", task: Task) -> TaskRoute:
    track = task.track
    try:
        asked = session.dispatcher.policy.candidates(task)
    except TwotrackError:
        asked = []
    health = session.dispatcher.policy.health
    # recall stands before the embedded model, where it is sure: what a person has is a model.
    asked = sorted(asked, key=lambda model: model.capabilities.retrieval)
    ready = (model.name for model in asked if not health.shut_for(model.name))
    last = (model.name for model in asked if not health.held_for(model.name))
    return TaskRoute(
        track=track,
        models=list(session.routes[task].models),
        using=next(chain(ready, last), None),
        chosen=track in session.chosen,
    )


def _model(session: "Session", model: "Model") -> ModelInfo:
    entry = session.entry(model.name)
    problem = session.dispatcher.policy.health.problem(model.name)
    return ModelInfo(
        name=model.name,
        provider=entry.provider if entry else "twotrack",
        model=model.model_id,
        local=model.capabilities.local,
        problem=problem.message if problem else None,
    )
