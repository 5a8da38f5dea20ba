"""Ask the models of a task's route, one after another, until one answers in time."""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, fields, replace
from typing import Protocol

from twotrack.errors import (
    BudgetExhausted,
    Declined,
    MalformedReply,
    ModelError,
    NotLocal,
    QuotaExhausted,
    RateLimited,
    RouteExhausted,
    ServerFailed,
    TimedOut,
    Unauthorized,
)
from twotrack.events import Abandoned, Answered, Listener, ModelFailed, Source, Usage
from twotrack.llm.api import Finish, Model, Prompt
from twotrack.routing import costs
from twotrack.routing.accounts import Accounts, Purse
from twotrack.routing.health import Health
from twotrack.tasks import TASKS, Task, Track

logger = logging.getLogger(__name__)

_FIRST_SHARE = 0.4
"""Of the time that is left, for the first token of a model that others follow."""
_LATENCY_FACTOR, _LEAST_PATIENCE_S = 10.0, 1.5
"""A remote model that is this many times slower than usual hangs; never assumed earlier."""
_SHORT_WAIT_S = 1.0
"""The longest Retry-After that is waited for, when no other model is left."""


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


def never(text: str) -> bool:  # noqa: ARG001  # the shape of Ask.enough
    """Let the model speak to its end."""
    return False


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a route."""

    task: Task
    prompt_for: Callable[[Model], Prompt | None]
    """The prompt in the shape that a model takes; None: this model cannot serve."""
    enough: Callable[[str], bool] = never
    """True as soon as the text so far is all that is wanted: the stream is cut there."""
    skip: frozenset[str] = frozenset()
    """Models not to ask (again)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One model that was asked."""

    model: str
    ms: float
    problem: str = ""
    """Why it did not answer; empty: it did."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answered. Times are counted from the question on, failed models included."""

    text: str = field(repr=False)
    finish: Finish | None
    """None where the stream was cut because it was enough."""
    model: str
    """The model's name in the settings."""
    asked_model: str
    """The id that was asked for."""
    answered_model: str
    """The id that the provider says it used."""
    track: Track
    source: Source
    first_token_ms: float
    total_ms: float
    usage: Usage
    cost_usd: float | None
    """None: unknown, or (on the fast track) not known yet; the Answered event has it."""
    attempts: tuple[Attempt, ...] = ()

    def told(self, task: Task) -> Answered:
        """Give the event that says so, without the text."""
        names = [field.name for field in fields(Answered) if field.name != "task"]
        return Answered(task=task, **{name: getattr(self, name) for name in names})


@dataclass(slots=True)
class _Reply:
    """What one model said."""

    text: str = ""
    finish: Finish | None = None
    model_id: str = ""
    usage: Usage | None = None
    first_token_at: float | None = None

    @property
    def begun(self) -> bool:
        """Whether anything came, so that the request is charged for."""
        return bool(self.text) or self.usage is not None


class Dispatcher:
    """The routes and models of one state of the settings; cheap to build anew.

    `first_token_s` bounds the time to the first token of every model, the last and the local ones
    too; absent: a share of the time that is left, of all but the last. `total_s` bounds one
    request, where the model sets no time of its own. Neither extends a route's deadline. `clock`
    gives seconds and never goes back.
    """

    def __init__(
        self,
        routes: Mapping[Task, Route],
        models: Mapping[str, Model],
        listener: Listener,
        *,
        health: Health | None = None,
        purse: Purse | None = None,
        local_only: bool = False,
        first_token_s: float | None = None,
        total_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._routes = routes
        self._models = models
        self.listener = listener
        self.health = health or Health(clock)
        self._purse = purse
        self._local_only = local_only
        self._first_token_s = first_token_s
        self._total_s = total_s
        self._clock = clock
        self._accounts = Accounts(listener, purse)

    async def aclose(self) -> None:
        """Wait for the costs that are still being computed."""
        await self._accounts.aclose()

    def serving(self, task: Task, skip: frozenset[str] = frozenset()) -> list[Model]:
        """The models that a question would be put to now, in order; breakers not considered.

        Raises NotLocal or BudgetExhausted where only these keep the task from a model.
        """
        route = self._routes.get(task)
        named = [self._models[n] for n in route.models if n in self._models] if route else []
        allowed = [m for m in named if not self._local_only or m.capabilities.local]
        if named and not allowed:
            raise NotLocal(
                f"privacy.local_only is set and no model of the route for {task} runs on this "
                "machine. Add a local model to the route or turn local_only off."
            )
        if self._purse is not None and self._purse.left() <= 0:
            free = [m for m in allowed if costs.is_free(m)]
            if allowed and not free:
                raise BudgetExhausted(
                    "The spending limit of [budget] is reached and no local model serves "
                    f"{task}. Raise the limit or add a local model to the route."
                )
            allowed = free
        return [m for m in allowed if m.name not in skip]

    async def ask(self, ask: Ask) -> Answer:
        """Give the first answer of the route's models.

        Raises RouteExhausted with every failure, NotLocal or BudgetExhausted. Cancelling it closes
        the stream within the same cancellation; nothing is asked again then.
        """
        if self._purse is not None:
            await self._purse.counted()
        begun = self._clock()
        models = self.serving(ask.task, ask.skip)
        queue = self._by_health(models, TASKS[ask.task].track)
        deadline = begun + self._routes[ask.task].deadline_s if queue else begun
        failures: list[ModelError] = []
        attempts: list[Attempt] = []
        asked_again = False
        # A model that is left no time has not failed, and costs nothing.
        while queue and (not attempts or self._clock() < deadline):
            model = queue.pop(0)
            prompt = ask.prompt_for(model)
            if prompt is None:
                failures.append(Declined(model.name, f"it is not asked for {ask.task}."))
                continue
            asked = self._clock()
            reply = _Reply(model_id=model.model_id)
            try:
                await self._attempt(ask, model, prompt, reply, deadline, others=bool(queue))
            except ModelError as error:
                attempts.append(Attempt(model.name, (self._clock() - asked) * 1e3, str(error)))
                wait = None
                if not (asked_again or reply.begun):
                    wait = self._again_in(error, model, deadline, last=not queue)
                if wait is not None:
                    asked_again = True
                    await asyncio.sleep(wait)
                    queue.insert(0, model)
                    continue
                failures.append(error)
                if not isinstance(error, Declined):
                    self.health.failed(model.name, error)
                    self._tell_failed(ask.task, model, prompt, reply, error)
                continue
            attempts.append(Attempt(model.name, (self._clock() - asked) * 1e3))
            return await self._answer(
                ask.task, model, prompt, reply, begun=begun, attempts=tuple(attempts)
            )
        if all(isinstance(failure, Declined) for failure in failures):
            problems = (self.health.problem(model.name) for model in models)
            failures += [problem for problem in problems if problem]
        raise RouteExhausted(ask.task, failures)

    def _by_health(self, models: list[Model], track: Track) -> list[Model]:
        """Leave out the models whose breaker is open; where all are, try the first to recover.

        Typing does not try one again that waiting cannot mend (a person who asks for an action
        may just have mended it), nor before the time that was named: a key command may ask the
        person at each try.
        """
        shut = [self.health.shut_for(model.name) for model in models]
        ready = [model for model, wait in zip(models, shut, strict=True) if not wait]
        if ready or not models:
            return ready
        soonest = min(shut)
        first = models[shut.index(soonest)]
        problem = self.health.problem(first.name)
        named = isinstance(problem, RateLimited | Unauthorized | QuotaExhausted)
        if track is Track.FAST and (named or soonest == float("inf")):
            return []
        return [first]

    def _again_in(
        self, error: ModelError, model: Model, deadline: float, *, last: bool
    ) -> float | None:
        """Give the seconds after which the same model may serve, if they are few."""
        wait = error.retry_after_s
        if wait is None:
            return None
        if isinstance(error, Unauthorized):
            # The key worked until now: it has run out, and its command or the keyring is asked for
            # the next one.
            worked = self.health.latency_ms(model.name) is not None
            return 0.0 if worked and self.health.problem(model.name) is None else None
        busy = isinstance(error, RateLimited | ServerFailed) and error.transient
        if not (busy and last) or wait > _SHORT_WAIT_S:
            return None
        return wait if self._clock() + wait < deadline else None

    async def _attempt(
        self,
        ask: Ask,
        model: Model,
        prompt: Prompt,
        reply: _Reply,
        deadline: float,
        *,
        others: bool,
    ) -> None:
        """Stream one model's answer into `reply`. Raises ModelError."""
        costs.check_fits(prompt, model)
        total_s, first_s = self._patience(model, deadline, others)
        began = self._clock()
        limit = asyncio.timeout(first_s)
        try:
            async with limit, aclosing(model.provider.stream(prompt)) as stream:
                async for chunk in stream:
                    reply.model_id = chunk.model or reply.model_id
                    reply.usage = chunk.usage or reply.usage
                    reply.finish = chunk.finish or reply.finish
                    if not chunk.text:
                        continue
                    if reply.first_token_at is None:
                        reply.first_token_at = self._clock()
                        rest_s = total_s - (reply.first_token_at - began)
                        limit.reschedule(asyncio.get_running_loop().time() + rest_s)
                    reply.text += chunk.text
                    if ask.enough(reply.text):
                        reply.finish = None
                        reply.usage = costs.of_cut(prompt, reply.usage, reply.text)
                        break
        except TimeoutError as timeout:
            reply.usage = costs.of_cut(prompt, reply.usage, reply.text)  # it was on its way
            waited = first_s if reply.first_token_at is None else total_s
            raise TimedOut(model.name, f"did not answer within {waited:.1f} s.") from timeout
        except asyncio.CancelledError:
            self._tell_abandoned(ask.task, model, prompt, reply)
            raise
        except ModelError:
            raise
        except Exception as bug:
            where = "".join(traceback.format_tb(bug.__traceback__))  # without values: no code
            logger.error("asking %s raised %s\n%s", model.name, type(bug).__name__, where)
            raise MalformedReply(model.name, f"failed inside ({type(bug).__name__}).") from bug
        ended = self._clock()
        self.health.succeeded(model.name, ((reply.first_token_at or ended) - began) * 1e3)

    def _patience(self, model: Model, deadline: float, others: bool) -> tuple[float, float]:
        """Seconds for the model in all, and to its first token."""
        total_s = max(deadline - self._clock(), 0.0)
        limit_s = self._total_s if model.timeout_s is None else model.timeout_s
        if limit_s is not None:
            total_s = min(total_s, limit_s)
        if self._first_token_s is not None:
            return total_s, min(total_s, self._first_token_s)
        if not others:
            return total_s, total_s
        first_s = _FIRST_SHARE * total_s
        usual_ms = self.health.latency_ms(model.name)
        if usual_ms is not None and not model.capabilities.local:  # a local one may load first
            first_s = min(first_s, max(_LATENCY_FACTOR * usual_ms / 1e3, _LEAST_PATIENCE_S))
        return total_s, first_s

    async def _answer(
        self,
        task: Task,
        model: Model,
        prompt: Prompt,
        reply: _Reply,
        *,
        begun: float,
        attempts: tuple[Attempt, ...],
    ) -> Answer:
        ended = self._clock()
        recall, free = model.name == Track.RECALL, costs.is_free(model)
        answer = Answer(
            text=reply.text,
            finish=reply.finish,
            model=model.name,
            asked_model=model.model_id,
            answered_model=reply.model_id,
            track=Track.RECALL if recall else TASKS[task].track,
            source=Source.RECALL if recall else Source.MODEL,
            first_token_ms=((reply.first_token_at or ended) - begun) * 1e3,
            total_ms=(ended - begun) * 1e3,
            usage=Usage() if recall else reply.usage or costs.estimate(prompt, reply.text),
            cost_usd=0.0 if free else None,
            attempts=attempts,
        )
        if free:
            self.listener(answer.told(task))
            return answer
        settling = self._accounts.settle(answer.told(task), model)
        if TASKS[task].track is Track.FAST:
            return answer
        told = await asyncio.shield(settling)
        return replace(answer, cost_usd=told.cost_usd)

    def _tell_failed(
        self, task: Task, model: Model, prompt: Prompt, reply: _Reply, error: ModelError
    ) -> None:
        failed = ModelFailed(task, error, asked_model=model.model_id, answered_model=reply.model_id)
        if reply.begun:  # what came is charged for, though it broke off
            usage = costs.of_cut(prompt, reply.usage, reply.text)
            self._accounts.settle(replace(failed, usage=usage), model)
        else:
            self.listener(failed)

    def _tell_abandoned(self, task: Task, model: Model, prompt: Prompt, reply: _Reply) -> None:
        usage = costs.of_cut(prompt, reply.usage, reply.text)
        abandoned = Abandoned(task, model.name, usage, None, model.model_id, reply.model_id)
        self._accounts.settle(abandoned, model)
