"""Which models answer a question, in which order, for how long, and who is asked once more.

Decides and asks nobody; `dispatch` runs what is decided here.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twotrack.errors import BudgetExhausted, NotLocal, Unauthorized
from twotrack.llm.api import Model
from twotrack.routing import costs, retries
from twotrack.routing.ask import Ask
from twotrack.routing.attempt import Attempt
from twotrack.routing.cost_recorder import SpendingLimit
from twotrack.routing.health import Health
from twotrack.routing.patience import Limits, Patience
from twotrack.tasks import Task, Track

_PATIENCE = Patience()


class Route(Protocol):
    """The models of a task, best first, and the seconds they have together."""

    @property
    def models(self) -> Sequence[str]:
        """Names of the settings."""
        ...

    @property
    def deadline_s(self) -> float:
        """Seconds for all of them."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One model of a plan, asked when the step before it has failed."""

    model: Model
    after_s: float = 0.0
    """Seconds after that failure."""
    sure: bool = False
    """Whether it answers only what is nearly certain (`Infill.sure`)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask. The first answer that ends well is accepted, or what `Ask.usable` leaves."""

    steps: tuple[Step, ...]
    deadline_s: float
    """Seconds for all steps together."""


@dataclass(frozen=True, slots=True)
class Round:
    """One more question, after an answer that was checked and refused."""

    skip: frozenset[str] = frozenset()
    """Models that are not asked (again)."""

    @property
    def repairs(self) -> bool:
        """Whether the model that gave the answer may mend it."""
        return not self.skip


class RoutingPolicy:
    """Decides by the routes and models of one state of the settings; cheap to build anew.

    `first_token_s` bounds the time to the first token of every model, the last and the local ones
    too; absent: a share of the time that is left, of all but the last. `total_s` bounds one
    request, if the model sets no time of its own. Neither extends a route's deadline. `clock`
    gives seconds and never goes back; `chance` varies waits by values in [0, 1).
    """

    def __init__(
        self,
        routes: Mapping[Task, Route],
        models: Mapping[str, Model],
        *,
        health: Health | None = None,
        limit: SpendingLimit | None = None,
        local_only: bool = False,
        first_token_s: float | None = None,
        total_s: float | None = None,
        patience: Patience = _PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._routes = routes
        self._models = models
        self.health = health or Health(clock)
        self.limit = limit
        self._local_only = local_only
        self._first_token_s = first_token_s
        self._total_s = total_s
        self._patience = patience
        self.clock = clock
        self._chance = chance
        self._budget = retries.RetryBudget(clock)

    def _named(self, task: Task) -> list[Model]:
        route = self._routes.get(task)
        return [self._models[n] for n in route.models if n in self._models] if route else []

    def is_free(self, model: str) -> bool:
        """Whether asking a model is known to cost nothing."""
        return costs.is_free(self._models[model])

    def candidates(self, task: Task, skip: frozenset[str] = frozenset()) -> list[Model]:
        """Return the models that may be asked now, in the route's order; breakers not considered.

        Raises NotLocal or BudgetExhausted if only these keep the task from a model.
        """
        named = self._named(task)
        allowed = [m for m in named if not self._local_only or m.capabilities.local]
        if named and not allowed:
            raise NotLocal(
                f"privacy.local_only is set and no model of the route for {task} runs on this "
                "machine. Add a local model to the route or turn local_only off."
            )
        if self.limit is not None and self.limit.left() <= 0:
            free = [m for m in allowed if costs.is_free(m)]
            if allowed and not free:
                raise BudgetExhausted(
                    "The spending limit of [budget] is reached and no local model serves "
                    f"{task}. Raise the limit or add a local model to the route."
                )
            allowed = free
        return [m for m in allowed if m.name not in skip]

    def longest_prompt(self, task: Task) -> int:
        """Return the characters that certainly fit no model of a task's route; 0: it has none."""
        return max((costs.most_characters(model) for model in self._named(task)), default=0)

    def plan(self, ask: Ask, candidates: Sequence[Model]) -> Plan:
        """Return whom to ask: in order, but those last whose breaker is open, by when it closes.

        Retrieval that shares a route with models goes first, where it is sure. What it finds
        likely is worth less than a model's answer: that is asked for when no model answers,
        before those whose breaker is open.

        Typing leaves out who would refuse it: it asks at every key. A person who asks for an
        action may just have mended it.
        """
        self._budget.deposit()
        shut = {model.name: self.health.shut_for(model.name) for model in candidates}
        ordered = sorted(candidates, key=lambda model: shut[model.name])
        if ask.task.track is Track.FAST:
            ordered = [model for model in ordered if not self.health.held_for(model.name)]
        retrieval = [model for model in ordered if model.capabilities.retrieval]
        models = [model for model in ordered if not model.capabilities.retrieval]
        ready = [Step(model) for model in models if not shut[model.name]]
        steps = (
            *(Step(model, sure=True) for model in retrieval if ready),
            *ready,
            *map(Step, retrieval),
            *(Step(model) for model in models if shut[model.name]),
        )
        deadline_s = self._routes[ask.task].deadline_s if candidates else 0.0
        return Plan(steps, deadline_s)

    def limits(self, attempt: Attempt, track: Track, left_s: float, *, follows: bool) -> Limits:
        """Return how long a model is waited for; `follows`: other models can still be asked."""
        model = attempt.model
        limit_s = self._total_s if model.timeout_s is None else model.timeout_s
        return self._patience.limits(
            model,
            track,
            self.health.pace(model.name, track),
            attempt.began,
            left_s if limit_s is None else min(left_s, limit_s),
            follows=follows,
            first_token_s=self._first_token_s,
        )

    def again(self, attempts: Sequence[Attempt], deadline: float, *, follows: bool) -> Step | None:
        """Choose whom to ask once more after these failures; None: nobody.

        That is the model just asked, if its key has run out: its command or the keyring is asked
        for the next one. Else, after all others, the last one asked whose breaker is closed, or
        the last one.
        """
        last = attempts[-1]
        renewable = isinstance(last.error, Unauthorized) and last.error.retry_after_s is not None
        if renewable and not last.charged and self._worked(last):
            return Step(last.model)
        if follows:
            return None
        closed_last = sorted(attempts, key=lambda each: not self.health.shut_for(each.model.name))
        for attempt in reversed(closed_last):
            if attempt.error is None or not attempt.reply.blank:
                continue
            wait_s = retries.wait_s(attempt.error, self._chance(), worked=self._worked(attempt))
            if wait_s is None or self.clock() + wait_s >= deadline:
                continue
            return Step(attempt.model, wait_s) if self._budget.take() else None
        return None

    def rounds(self, answered: str) -> tuple[Round, ...]:
        """Return what is asked after a refused answer of the model `answered`, in this order."""
        return Round(), Round(frozenset({answered}))

    def _worked(self, attempt: Attempt) -> bool:
        """Whether the model answered until this attempt."""
        problem = self.health.problem(attempt.model.name)
        known = self.health.latency_ms(attempt.model.name) is not None
        return known and problem in (None, attempt.error)
