"""Ask the models of a task's route, one after another, until one answers in time."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from twotrack.errors import (
    BudgetExhausted,
    Declined,
    EmptyReply,
    ModelError,
    NotLocal,
    RouteExhausted,
    Unauthorized,
)
from twotrack.events import Abandoned, AnswerSource, Listener, ModelFailed, Usage
from twotrack.llm.api import Model
from twotrack.routing import costs, retries
from twotrack.routing.ask import Answer, Ask, Tried
from twotrack.routing.attempt import Attempt, Reply
from twotrack.routing.cost_recorder import CostRecorder, SpendingLimit
from twotrack.routing.health import Health
from twotrack.routing.patience import Patience
from twotrack.routing.request_log import RequestLog
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


@dataclass(slots=True)
class _Course:
    """The state of a question."""

    ask: Ask
    begun: float
    deadline: float
    queue: list[Model]
    """Still to be asked."""
    attempts: list[Attempt] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    failures: dict[str, ModelError] = field(default_factory=dict)
    """The last one of each model."""
    repeated: bool = False
    """Whether a model was asked a second time: no more than one is."""
    spare: Attempt | None = None
    """The best of what failed but may serve; it is not recorded as a failure yet."""


class Dispatcher:
    """The routes and models of one state of the settings; cheap to build anew.

    `first_token_s` bounds the time to the first token of every model, the last and the local ones
    too; absent: a share of the time that is left, of all but the last. `total_s` bounds one
    request, if the model sets no time of its own. Neither extends a route's deadline. `clock`
    gives seconds and never goes back; `sleep` waits for some before a repetition, of which `chance`
    varies the number by values in [0, 1).
    """

    def __init__(
        self,
        routes: Mapping[Task, Route],
        models: Mapping[str, Model],
        listener: Listener,
        *,
        health: Health | None = None,
        limit: SpendingLimit | None = None,
        sent: RequestLog | None = None,
        local_only: bool = False,
        first_token_s: float | None = None,
        total_s: float | None = None,
        patience: Patience = _PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._routes = routes
        self._models = models
        self.listener = listener
        self.health = health or Health(clock)
        self._limit = limit
        self._sent = sent or RequestLog()
        self._local_only = local_only
        self._first_token_s = first_token_s
        self._total_s = total_s
        self._patience = patience
        self._clock = clock
        self._chance = chance
        self._sleep = sleep
        self._budget = retries.RetryBudget(clock)
        self._accounts = CostRecorder(listener, limit)

    async def aclose(self) -> None:
        """Wait for the costs that are still being computed."""
        await self._accounts.aclose()

    def serving(self, task: Task, skip: frozenset[str] = frozenset()) -> list[Model]:
        """The models that a question would be put to now, in order; breakers not considered.

        Raises NotLocal or BudgetExhausted if only these keep the task from a model.
        """
        route = self._routes.get(task)
        named = [self._models[n] for n in route.models if n in self._models] if route else []
        allowed = [m for m in named if not self._local_only or m.capabilities.local]
        if named and not allowed:
            raise NotLocal(
                f"privacy.local_only is set and no model of the route for {task} runs on this "
                "machine. Add a local model to the route or turn local_only off."
            )
        if self._limit is not None and self._limit.left() <= 0:
            free = [m for m in allowed if costs.is_free(m)]
            if allowed and not free:
                raise BudgetExhausted(
                    "The spending limit of [budget] is reached and no local model serves "
                    f"{task}. Raise the limit or add a local model to the route."
                )
            allowed = free
        return [m for m in allowed if m.name not in skip]

    def longest_prompt(self, task: Task) -> int:
        """Characters that certainly fit no model of a task's route; 0: it has none."""
        route = self._routes.get(task)
        models = [self._models[n] for n in route.models if n in self._models] if route else []
        return max((costs.most_characters(model) for model in models), default=0)

    async def ask(self, ask: Ask) -> Answer:
        """Return the first answer of the route's models.

        If none answers, what of a broken answer is whole enough, or an empty one. Raises
        RouteExhausted with every failure, NotLocal or BudgetExhausted. Cancelling it closes the
        stream within the same cancellation; nothing is asked again then.
        """
        if self._limit is not None:
            await self._limit.counted()
        begun = self._clock()
        models = self.serving(ask.task, ask.skip)
        deadline = begun + self._routes[ask.task].deadline_s if models else begun
        course = _Course(ask, begun, deadline, self._by_health(models, ask.task.track))
        self._budget.deposit()
        try:
            while course.queue and (not course.attempts or self._clock() < deadline):
                if (attempt := await self._next(course)) is not None:
                    return await self._answer(course, attempt)
            if (spare := course.spare) is not None:
                course.spare = None
                return await self._answer(course, spare)
        finally:
            if course.spare is not None:
                self._record_failed(ask, course.spare)
        failures = [*course.failures.values()]
        if all(isinstance(failure, Declined) for failure in failures):
            problems = (self.health.problem(model.name) for model in models)
            failures += [problem for problem in problems if problem]
        raise RouteExhausted(ask.task, failures)

    async def _next(self, course: _Course) -> Attempt | None:
        """Ask the next model of the queue; None if it did not answer."""
        ask, model = course.ask, course.queue.pop(0)
        prompt = ask.prompt_for(model)
        if prompt is None:
            problem = f"it is not asked for {ask.task}."
            course.failures[model.name] = Declined(model.name, problem)
            return None
        attempt = Attempt(model, prompt, self._clock(), Reply(model_id=model.model_id))
        try:
            await self._run(course, attempt)
        except ModelError as error:
            attempt.error = error
        ms = (self._clock() - attempt.began) * 1e3
        course.attempts.append(attempt)
        course.tried.append(Tried(model.name, ms, str(attempt.error or "")))
        if attempt.error is None:
            return attempt
        again, wait_s = self._again(course)
        if again is not attempt or attempt.charged:
            self._failed(course, attempt, attempt.error)
        if again is not None:
            course.repeated = True
            course.queue.insert(0, again.model)
            await self._sleep(wait_s)
        return None

    async def _run(self, course: _Course, attempt: Attempt) -> None:
        """Stream one model's answer. Raises ModelError."""
        model, reply, track = attempt.model, attempt.reply, course.ask.task.track
        left_s = max(course.deadline - attempt.began, 0.0)
        limit_s = self._total_s if model.timeout_s is None else model.timeout_s
        pace = self.health.pace(model.name, track)
        limits = self._patience.limits(
            model,
            track,
            pace,
            attempt.began,
            left_s if limit_s is None else min(left_s, limit_s),
            follows=bool(course.queue),
            first_token_s=self._first_token_s,
        )
        self.health.asked(model.name)
        try:
            with self._sent.taking_down(course.ask.task, attempt):
                await attempt.run(limits, course.ask.enough, self._clock)
        except asyncio.CancelledError:
            if attempt.sent:
                self._record_abandoned(course.ask, attempt)
            raise
        ended = self._clock()
        first_s = (reply.first_token_at or ended) - attempt.began
        self.health.succeeded(model.name, first_s * 1e3)
        pace.note(first_s, reply.longest_gap_s, ended - attempt.began, ended)

    def _by_health(self, models: list[Model], track: Track) -> list[Model]:
        """Put last those whose breaker is open, the first to recover first.

        Typing leaves out who would refuse it: it asks at every key. A person who asks for an
        action may just have mended it.
        """
        shut = {model.name: self.health.shut_for(model.name) for model in models}
        ordered = sorted(models, key=lambda model: shut[model.name])
        if track is not Track.FAST:
            return ordered
        return [model for model in ordered if not self.health.held_for(model.name)]

    def _again(self, course: _Course) -> tuple[Attempt | None, float]:
        """Choose whom to ask once more, after so many seconds; None: nobody.

        That is the model just asked, if its key has run out: its command or the keyring is asked
        for the next one. Else, after all others, the last one asked whose breaker is closed, or
        the last one.
        """
        last = course.attempts[-1]
        if course.repeated:
            return None, 0.0
        renewable = isinstance(last.error, Unauthorized) and last.error.retry_after_s is not None
        if renewable and not last.charged and self._worked(last):
            return last, 0.0
        if course.queue:
            return None, 0.0
        closed_last = sorted(
            course.attempts, key=lambda each: not self.health.shut_for(each.model.name)
        )
        for attempt in reversed(closed_last):
            if attempt.error is None or not attempt.reply.blank:
                continue
            wait_s = retries.wait_s(attempt.error, self._chance(), worked=self._worked(attempt))
            if wait_s is None or self._clock() + wait_s >= course.deadline:
                continue
            return (attempt, wait_s) if self._budget.take() else (None, 0.0)
        return None, 0.0

    def _worked(self, attempt: Attempt) -> bool:
        """Whether the model answered until this attempt."""
        problem = self.health.problem(attempt.model.name)
        known = self.health.latency_ms(attempt.model.name) is not None
        return known and problem in (None, attempt.error)

    def _failed(self, course: _Course, attempt: Attempt, error: ModelError) -> None:
        """Count a failure, and tell it, or keep for later what may still serve."""
        course.failures[attempt.model.name] = error
        if isinstance(error, Declined):
            return
        self.health.failed(attempt.model.name, error)
        spare, reply = course.spare, attempt.reply
        usable = "" if reply.blank else course.ask.usable(reply.text)
        if spare is not None and not len(usable) > len(spare.reply.text):
            self._record_failed(course.ask, attempt)
        elif usable or isinstance(error, EmptyReply):
            attempt.use(usable)
            course.spare = attempt
            if spare is not None:
                self._record_failed(course.ask, spare)
        else:
            self._record_failed(course.ask, attempt)

    async def _answer(self, course: _Course, attempt: Attempt) -> Answer:
        ended, begun, task = self._clock(), course.begun, course.ask.task
        model, reply = attempt.model, attempt.reply
        recall, free = model.name == Track.RECALL, costs.is_free(model)
        answer = Answer(
            text=reply.text,
            finish=reply.finish,
            model=model.name,
            asked_model=model.model_id,
            answered_model=reply.model_id,
            track=Track.RECALL if recall else task.track,
            source=AnswerSource.RECALL if recall else AnswerSource.MODEL,
            first_token_ms=((reply.first_token_at or ended) - begun) * 1e3,
            total_ms=(ended - begun) * 1e3,
            usage=Usage() if recall else attempt.usage(),
            cost_usd=0.0 if free else None,
            attempts=tuple(course.tried),
        )
        if free:
            self.listener(answer.event(course.ask))
            return answer
        recording = self._accounts.record(answer.event(course.ask), model)
        if task.track is Track.FAST:
            return answer
        event = await asyncio.shield(recording)
        return replace(answer, cost_usd=event.cost_usd)

    def _record_failed(self, ask: Ask, attempt: Attempt) -> None:
        model, error = attempt.model, attempt.error
        if error is None:
            return
        failed = ModelFailed(
            ask.task,
            error,
            asked_model=model.model_id,
            answered_model=attempt.reply.model_id,
            language=ask.language,
        )
        if attempt.charged:
            self._accounts.record(replace(failed, usage=attempt.usage()), model)
        else:
            self.listener(failed)

    def _record_abandoned(self, ask: Ask, attempt: Attempt) -> None:
        model, reply = attempt.model, attempt.reply
        usage = costs.of_cut(attempt.prompt, reply.usage, reply.text)
        abandoned = Abandoned(
            ask.task, model.name, usage, None, model.model_id, reply.model_id, ask.language
        )
        self._accounts.record(abandoned, model)
