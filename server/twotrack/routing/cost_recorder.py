"""Tells what questions took, each with its cost as soon as that is known."""

import asyncio
from dataclasses import replace
from typing import Protocol, TypeVar

from twotrack.events import Abandoned, Answered, CostUnknown, Listener, ModelFailed
from twotrack.llm.api import Model
from twotrack.routing import costs

_Event = TypeVar("_Event", Answered, ModelFailed, Abandoned)


class SpendingLimit(Protocol):
    """What may still be spent."""

    async def counted(self) -> None:
        """Wait until all is counted that was spent before."""
        ...

    def left(self) -> float:
        """USD; infinite if there is no limit."""
        ...


class CostRecorder:
    """Prices events and gives them to `listener`; nobody has to wait for that.

    With a `limit`, CostUnknown tells of a model whose price is not known: it is not counted.
    """

    def __init__(self, listener: Listener, limit: SpendingLimit | None) -> None:
        self._listener = listener
        self._limit = limit
        self._pending: set[asyncio.Task[object]] = set()

    def record(self, event: _Event, model: Model) -> "asyncio.Task[_Event]":
        """Record `event` when its cost is known; the task gives it with `cost_usd`.

        The task goes on whoever stops waiting for it: the money is spent all the same.
        """
        task = asyncio.ensure_future(self._priced(event, model))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return task

    async def _priced(self, event: _Event, model: Model) -> _Event:
        cost = await costs.usd(model, event.answered_model, event.usage)
        event = replace(event, cost_usd=cost)
        self._listener(event)
        if cost is None and self._limit is not None and self._limit.left() < float("inf"):
            self._listener(CostUnknown(model.name))
        return event

    async def aclose(self) -> None:
        """Wait for the costs that are still being computed."""
        if self._pending:
            await asyncio.wait(self._pending)
