"""A dispatcher over scripted models, for the tests of routing."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fake_models import FakeProvider
from twotrack import errors
from twotrack.events import Answered, Event, ModelFailed
from twotrack.llm.api import Infill, Model, Prompt
from twotrack.routing.ask import Answer, Ask, never, nothing
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.health import Health
from twotrack.routing.patience import Patience
from twotrack.routing.policy import RoutingPolicy
from twotrack.routing.request_log import RequestLog
from twotrack.tasks import TASKS, Task

PROMPT = Infill(prefix="x" * 40, suffix="y" * 8, path="a.py", language="python")


@dataclass(frozen=True)
class Route:
    models: tuple[str, ...]
    deadline_s: float = 5.0


class Clock:
    """Moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class SpendingLimit:
    usd: float

    async def counted(self) -> None:
        """All is."""

    def left(self) -> float:
        return self.usd


class Desk:
    """A dispatcher over models in the order given, and what it told."""

    def __init__(
        self,
        *models: Model,
        task: Task = TASKS["complete"],
        deadline_s: float = 5.0,
        health: Health | None = None,
        usd: float | None = None,
        local_only: bool = False,
        first_token_s: float | None = None,
        total_s: float | None = None,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
        usable: Callable[[str], str] = nothing,
        busy: Callable[[int], None] = lambda _: None,
        sent: RequestLog | None = None,
    ) -> None:
        self.sent = sent or RequestLog(lambda: busy(self.sent.busy))
        self.events: list[Event] = []
        self.task = task
        policy = RoutingPolicy(
            {task: Route(tuple(m.name for m in models), deadline_s)},
            {m.name: m for m in models},
            health=health or Health(clock),
            limit=None if usd is None else SpendingLimit(usd),
            local_only=local_only,
            first_token_s=first_token_s,
            total_s=total_s,
            patience=patience or Patience(),
            clock=clock,
            chance=lambda: 0.0,
        )
        self.dispatcher = Dispatcher(policy, self.events.append, sent=self.sent, sleep=self._sleep)
        self.slept: list[float] = []
        """Seconds before repetitions; nobody waits for them here."""
        self.usable = usable

    async def ask(
        self, skip: Iterable[str] = (), enough: str | None = None, prompt: Prompt = PROMPT
    ) -> Answer:
        wanted = never if enough is None else lambda reply: enough in reply.text
        ask = Ask(self.task, lambda _: prompt, wanted, self.usable, frozenset(skip))
        try:
            return await self.dispatcher.ask(ask)
        finally:
            await self.dispatcher.aclose()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @property
    def answered(self) -> list[Answered]:
        return [event for event in self.events if isinstance(event, Answered)]

    @property
    def failures(self) -> list[ModelFailed]:
        return [event for event in self.events if isinstance(event, ModelFailed)]

    @property
    def failed(self) -> list[errors.ModelError]:
        return [event.error for event in self.failures]


def says(*steps: object) -> FakeProvider:
    return FakeProvider(steps)


def fails(kind: type[errors.ModelError] = errors.ServerFailed, **more: float) -> FakeProvider:
    return FakeProvider([kind("a", "went wrong.", **more)])
