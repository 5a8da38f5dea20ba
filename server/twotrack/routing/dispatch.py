"""Runs a plan: asks its models, one after another, until one answers in time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from twotrack.errors import Declined, EmptyReply, ModelError, RouteExhausted, SettingsChanged
from twotrack.events import Abandoned, AnswerSource, Listener, ModelFailed, Usage
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing import costs
from twotrack.routing.ask import Answer, Ask, Tried
from twotrack.routing.attempt import Attempt, Reply
from twotrack.routing.cost_recorder import CostRecorder
from twotrack.routing.policy import RoutingPolicy, Step
from twotrack.routing.request_log import RequestLog
from twotrack.tasks import Track


@dataclass(slots=True)
class _Course:
    """The state of a question."""

    ask: Ask
    begun: float
    deadline: float
    steps: deque[Step]
    """Still to be taken."""
    attempts: list[Attempt] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    failures: dict[str, ModelError] = field(default_factory=dict)
    """The last one of each model."""
    repeated: bool = False
    """Whether a model was asked a second time: no more than one is."""
    spare: Attempt | None = None
    """The best of what failed but may serve; it is not recorded as a failure yet."""


class Dispatcher:
    """Asks as `policy` decides, tells `listener` what came of it, and takes it down in `sent`.

    `sleep` waits for some seconds before a repetition.
    """

    def __init__(
        self,
        policy: RoutingPolicy,
        listener: Listener,
        *,
        sent: RequestLog | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.policy = policy
        self._health = policy.health
        self.listener = listener
        self._sent = sent or RequestLog()
        self._clock = policy.clock
        self._sleep = sleep
        self._accounts = CostRecorder(listener, policy.limit)
        self._retired = False

    def retire(self) -> None:
        """Ask no further model: what may be sent, or to whom, was settled anew."""
        self._retired = True

    async def aclose(self) -> None:
        """Wait for the costs that are still being computed."""
        await self._accounts.aclose()

    async def ask(self, ask: Ask) -> Answer:
        """Return the first answer of the plan's models.

        If none answers, what of a broken answer is whole enough, or an empty one. Raises
        RouteExhausted with every failure, NotLocal, BudgetExhausted or SettingsChanged. Cancelling
        it closes the stream within the same cancellation; nothing is asked again then.
        """
        policy = self.policy
        if policy.limit is not None:
            await policy.limit.counted()
        begun = self._clock()
        models = policy.candidates(ask.task, ask.skip)
        plan = policy.plan(ask, models)
        deadline = begun + plan.deadline_s
        course = _Course(ask, begun, deadline, deque(plan.steps))
        try:
            while course.steps and (not course.attempts or self._clock() < deadline):
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
            problems = (self._health.problem(model.name) for model in models)
            failures += [problem for problem in problems if problem]
        raise RouteExhausted(ask.task, failures)

    async def _next(self, course: _Course) -> Attempt | None:
        """Take the next step; None if its model did not answer."""
        ask, step = course.ask, course.steps.popleft()
        model = step.model
        if step.after_s:
            await self._sleep(step.after_s)
            if self._clock() >= course.deadline:
                return None
        prompt = self._prompt(ask, model)
        if prompt is None:
            problem = f"it is not asked for {ask.task}."
            course.failures[model.name] = Declined(model.name, problem)
            return None
        if prompt.mode is Mode.FILL:
            prompt = replace(prompt, sure=step.sure)
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
        again = None
        if not course.repeated:
            again = self.policy.again(course.attempts, course.deadline, follows=bool(course.steps))
        if again is None or again.model is not attempt.model or attempt.charged:
            self._failed(course, attempt, attempt.error)
        if again is not None:
            course.repeated = True
            course.steps.appendleft(again)
        return None

    def _prompt(self, ask: Ask, model: Model) -> Prompt | None:
        if self._retired:
            raise SettingsChanged("The settings changed while models were asked; ask again.")
        return ask.prompt_for(model)

    async def _run(self, course: _Course, attempt: Attempt) -> None:
        """Stream one model's answer. Raises ModelError."""
        model, reply, track = attempt.model, attempt.reply, course.ask.task.track
        left_s = max(course.deadline - attempt.began, 0.0)
        # What is only likely is no model's answer: a model is not given up early for it.
        follows = any(not step.model.capabilities.retrieval for step in course.steps)
        limits = self.policy.limits(attempt, track, left_s, follows=follows)
        self._health.asked(model.name)
        try:
            with self._sent.taking_down(course.ask.task, attempt):
                await attempt.run(limits, course.ask.enough, self._clock)
        except asyncio.CancelledError:
            if attempt.sent:
                self._record_abandoned(course.ask, attempt)
            raise
        ended = self._clock()
        first_s = (reply.first_token_at or ended) - attempt.began
        self._health.succeeded(model.name, first_s * 1e3)
        pace = self._health.pace(model.name, track)
        pace.note(first_s, reply.longest_gap_s, ended - attempt.began, ended)

    def _failed(self, course: _Course, attempt: Attempt, error: ModelError) -> None:
        """Count a failure, and tell it, or keep for later what may still serve."""
        course.failures[attempt.model.name] = error
        if isinstance(error, Declined):
            return
        self._health.failed(attempt.model.name, error)
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
        recall, free = model.capabilities.retrieval, costs.is_free(model)
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
            logprobs=tuple(reply.logprobs),
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
