"""What the server is doing, for the status line of an editor's plug-in."""

import asyncio
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from twotrack import events
from twotrack.errors import TwotrackError
from twotrack.tasks import Task, Track

if TYPE_CHECKING:
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


def status(session: "Session", last: events.Answered | None, *, paused: bool) -> dict[str, Any]:
    """Return the parameters of `twotrack/didChangeStatus`, which also answer `twotrack/status`."""
    limits = session.loaded.settings.budget
    return {
        "busy": session.sent.busy,
        "paused": paused,
        "spentToday": session.ledger.spent("day"),
        "spentMonth": session.ledger.spent("month"),
        "budgetDay": limits.day,
        "budgetMonth": limits.month,
        "last": last and _answer(last),
        "tasks": {task: _task(session, task) for task in session.routes},
        "models": [_model(session, name) for name in session.models if name != Track.RECALL],
        "noModel": session.no_model(),
        "problems": list(session.problems),
        "ledger": str(session.ledger.path),
    }


def _answer(last: events.Answered) -> dict[str, Any]:
    return {
        "task": str(last.task),
        "track": last.track.value,
        "model": last.model,
        "ms": last.total_ms,
        "costUsd": last.cost_usd,
    }


def _task(session: "Session", task: Task) -> dict[str, Any]:
    track = task.track
    try:
        asked = session.dispatcher.serving(task)
    except TwotrackError:
        asked = []
    health = session.dispatcher.health
    # recall stands before the embedded model, where it is sure: what a person has is a model.
    asked = sorted(asked, key=lambda model: model.name == Track.RECALL)
    ready = (model.name for model in asked if not health.shut_for(model.name))
    last = (model.name for model in asked if not health.held_for(model.name))
    return {
        "track": track.value,
        "models": list(session.routes[task].models),
        "using": next(chain(ready, last), None),
        "chosen": track in session.chosen,
    }


def _model(session: "Session", name: str) -> dict[str, Any]:
    model, entry = session.models[name], session.entry(name)
    problem = session.dispatcher.health.problem(name)
    return {
        "name": name,
        "provider": entry.provider if entry else "twotrack",
        "model": model.model_id,
        "local": model.capabilities.local,
        "problem": problem.message if problem else None,
    }
