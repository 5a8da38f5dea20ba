"""Models are asked about a place: their prompts, and what becomes of their answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from twotrack.context.assembly import Share
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.prompt import gather
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.engine.acceptance import Features
from twotrack.engine.asked import Completion, CompletionRequest, Origin
from twotrack.engine.cache import Cached, CacheKey, CompletionCache
from twotrack.engine.chat_infill import CODE, COMMIT_MESSAGE, chat_for
from twotrack.engine.confidence import TokenLogprobs, of_beginning, of_first_line
from twotrack.engine.cursor_context import CursorContext
from twotrack.engine.outcomes import Outcomes
from twotrack.engine.postprocess import Insertion, whole_part
from twotrack.engine.questions import Question
from twotrack.engine.reading import EarlyLine, Reading
from twotrack.engine.trigger import typing_asks
from twotrack.engine.warming import Warming
from twotrack.errors import Declined, RouteExhausted, SettingsChanged, TwotrackError
from twotrack.events import AnswerSource, Extended
from twotrack.lexical import LexicalContext
from twotrack.llm.api import Model, Prompt
from twotrack.routing.ask import Answer, Ask
from twotrack.routing.attempt import Reply
from twotrack.routing.dispatch import Dispatcher
from twotrack.settings.schema import Eagerness, Settings
from twotrack.tasks import BLOCK, COMMIT, COMPLETE, Task, Track
from twotrack.text import Position, Range

_FRAME_TOKENS = 256
"""Left free in a model's context window for what a template or a chat adds."""
_RETRIEVAL_READS = 2
"""So many times as much of the file as a model that is paid by the token."""


class Place(NamedTuple):
    """What a model is asked about."""

    request: CompletionRequest
    """For a program that stands `at` a place of its document."""
    at: Position
    key: CacheKey
    gap: CursorContext
    features: Features
    begun: float
    """When it was asked for, in seconds."""

    @property
    def wants_lines(self) -> bool:
        """Whether several lines are asked for."""
        gap = self.gap
        asked_for = self.request.invoked and (gap.only_closers_follow or gap.in_pair)
        return gap.wants_lines or asked_for


class _Output(NamedTuple):
    """What a model has answered, to its end or so far."""

    text: str
    logprobs: TokenLogprobs
    model: str
    track: Track
    source: AnswerSource


class Asking:
    """Asks with one state of the settings; what is answered goes to the `cache`.

    `clock` gives seconds, `sleep` waits for some.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        settings: Settings,
        *,
        policy: PrivacyPolicy,
        syntax: SyntaxCache,
        sources: Sequence[Share],
        outcomes: Outcomes,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.dispatcher = dispatcher
        self.routing = dispatcher.policy
        self.settings = settings
        self.policy = policy
        self.syntax = syntax
        self._sources = sources
        self.outcomes = outcomes
        self.cache = CompletionCache(settings.cache.entries, clock)
        self.clock = clock
        self.sleep = sleep
        self.extension: tuple[Cached, int] | None = None
        """The answer whose first line is shown, and the document's version then."""
        self.warming = Warming(self.routing, policy, settings.completion, self._prompt)

    def question(self, place: Place, *, temperature: float | None = None) -> Question:
        """Ask a model; with a temperature, for another answer than the likeliest."""
        return Question(
            place.request,
            place.key,
            lambda question: self._ask(place, question),
            at=place.at,
            several_lines=place.wants_lines,
            temperature=temperature,
        )

    async def ask_ahead(self, place: Place, question: Question) -> Completion | None:
        """Ask what follows a text that was just accepted, where that costs nothing.

        None: models that cost something come first, or little is missing there. Never raises.
        """
        gap, eagerness = place.gap, self.settings.completion.eagerness
        if gap.suffix.strip() or gap.place is not LexicalContext.CODE:
            return None
        if not self.outcomes.acceptance.asks(place.features, eagerness):
            return None
        with suppress(TwotrackError):  # whoever asks is told
            models = self.routing.candidates(task_of(place.request, several_lines=True))
            paid = frozenset(m.name for m in models if not self.routing.is_free(m.name))
            first = next((m for m in models if not m.capabilities.retrieval), None)
            if first is not None and first.name not in paid:
                follows = place._replace(gap=replace(gap, leaves_block=True))
                return await self._ask(follows, question, paid)
        return None

    def shows(self, request: CompletionRequest, text: str, features: Features) -> bool:
        """Whether an answer is worth showing to somebody who types."""
        outcomes, eagerness = self.outcomes, self.settings.completion.eagerness
        if request.invoked or not features.confidence:
            return True
        return outcomes.acceptance.shows(features, eagerness) or outcomes.continues(
            request.document, request.position, text
        )

    async def _ask(
        self, place: Place, question: Question, skip: frozenset[str] = frozenset()
    ) -> Completion | None:
        task = task_of(place.request, several_lines=question.several_lines)
        try:
            answer, insertion = await self._proposed(place, question, skip)
            if insertion is None and answer.source is AnswerSource.RECALL:
                skip |= {answer.model}
                if self.routing.candidates(task, skip):  # retrieval stands in no model's way
                    answer, insertion = await self._proposed(place, question, skip)
        except SettingsChanged:
            return question.offered  # whoever still wants more asks with the new ones
        except RouteExhausted as exhausted:
            declined = all(isinstance(f, Declined) for f in exhausted.failures)
            if question.offered is not None or (exhausted.failures and declined):
                return question.offered
            raise
        offered = question.offered
        if offered is not None and not _begins(offered, insertion):
            return offered  # what is shown stays as it is
        if insertion is None:
            self.cache.add_empty(place.key, several_lines=question.several_lines)
            return None
        output = _Output(answer.text, answer.logprobs, answer.model, answer.track, answer.source)
        completion = self._keep(place, question, output, insertion)
        if offered is not None and completion is not None and completion.text != offered.text:
            self._extend(place, question)
        return completion

    def _keep(
        self,
        place: Place,
        question: Question,
        output: _Output,
        insertion: Insertion,
        *,
        whole: bool = True,
    ) -> Completion | None:
        """Remember what is proposed, all or its first line; None: it is not to be shown."""
        request, features, several_lines = place.request, place.features, question.several_lines
        eagerness = self.settings.completion.eagerness
        on_its_line = not insertion.text.startswith(("\r", "\n"))
        if question.ahead and on_its_line and not typing_asks(place.gap, eagerness):
            return None
        logprobs = of_first_line(output.text, output.logprobs, insertion.text)
        kept = Cached(
            *insertion, output.model, output.track, several_lines, features, logprobs, whole
        )
        self.outcomes.acceptance.has_logprobs = bool(logprobs)
        first = question.temperature is None
        self.cache.add(request.document, request.position, place.key, kept, first=first)
        features = self.outcomes.acceptance.sure(features, of_beginning(logprobs))
        if not self.shows(request, insertion.text, features):
            return None
        ms = (self.clock() - place.begun) * 1e3
        task = task_of(request, several_lines=several_lines)
        free = self.routing.is_free(output.model)
        origin = Origin(output.source, output.model, task, output.track, ms, free=free)
        return completion_of(request, insertion, origin, place.key, features)

    def _extend(self, place: Place, question: Question) -> None:
        """Tell that there is more of what somebody sees the first line of."""
        hit, reader = self.cache.find(place.key), question.reader()
        if hit is not None and reader is not None:
            document, position = reader
            self.extension = hit.answer, document.version
            self.dispatcher.listener(Extended(document.uri, document.version, position))

    async def _proposed(
        self, place: Place, question: Question, skip: frozenset[str] = frozenset()
    ) -> tuple[Answer, Insertion | None]:
        """Return what the route's models but `skip` answer, and what of it may be shown."""
        request, several_lines = place.request, question.several_lines
        task = task_of(request, several_lines=several_lines)
        max_lines = self.settings.completion.max_lines if several_lines else 1
        reading = Reading(request, place.gap, max_lines, self.syntax)
        reply = Reply()

        def offer(line: Insertion) -> None:
            tokens = tuple(reply.logprobs)
            output = _Output(reply.text, tokens, reading.model, task.track, AnswerSource.MODEL)
            if (completion := self._keep(place, question, output, line, whole=False)) is not None:
                question.offer(completion)

        early = EarlyLine(reading, offer, self.sleep)

        def prompt_for(model: Model) -> Prompt | None:
            early.end()
            if question.offered is not None:
                return None  # the rest of what is shown is no other model's
            prompt = self._prompt_to_ask(place, task, model)
            if question.temperature is not None:
                # recall has said its own already
                prompt = prompt and replace(prompt, temperature=question.temperature)
                prompt = None if model.capabilities.retrieval else prompt
            reading.asks(model, prompt)
            return prompt

        def enough(coming: Reply) -> bool:
            nonlocal reply
            reply = coming
            question.code_so_far = lambda: reading.so_far(coming.text)
            question.heard()
            if reading.is_complete(coming.text):
                return True
            if several_lines and question.temperature is None and self.cache.keeps:
                early.heard()  # else the rest would be lost
            return False

        try:
            ask = Ask(task, prompt_for, enough, whole_part, skip, request.document.language)
            answer = await self.dispatcher.ask(ask)
        finally:
            early.end()
        return answer, await reading.whole(answer)

    def _prompt_to_ask(self, place: Place, task: Task, model: Model) -> Prompt | None:
        if not model.capabilities.retrieval:
            self.warming.asked = place.request.document.uri, place.at
            if model.capabilities.local:
                self.warming.stop()
        return self._prompt(place.request, task, model)

    def _prompt(self, request: CompletionRequest, task: Task, model: Model) -> Prompt | None:
        can, most = model.capabilities, self.settings.context.max_tokens
        if can.retrieval:  # it looks at the file alone, which costs no tokens
            most *= _RETRIEVAL_READS
        elif can.local:
            most //= 2
        context = gather(
            request.document,
            request.position,
            request.others,
            policy=self.policy,
            sources=() if can.retrieval else self._sources,
            max_tokens=min(most, can.context_window - task.max_tokens - _FRAME_TOKENS),
            changes=request.changes or (),
        )
        if context is None:
            return None
        # A stop that the server knows leaves the connection open for the next request.
        stop = ("\n",) if task is COMPLETE else ()
        judged = not request.invoked and self.settings.completion.eagerness is not Eagerness.HIGH
        infill = context.infill(stop, task.max_tokens, logprobs=judged)
        if model.fills:
            return infill
        system = CODE if request.changes is None else COMMIT_MESSAGE
        return chat_for(infill, system) if model.chats else None


def task_of(request: CompletionRequest, *, several_lines: bool) -> Task:
    """Return what a request asks for."""
    if request.changes is not None:
        return COMMIT
    return BLOCK if several_lines else COMPLETE


def completion_of(
    request: CompletionRequest,
    insertion: Insertion,
    origin: Origin,
    place: CacheKey,
    features: Features,
) -> Completion:
    """Return an insertion as the completion of a request."""
    line, character = request.position
    span = Range(request.position, Position(line, character + insertion.replaces))
    return Completion(insertion.text, span, origin, place, features)


def _begins(offered: Completion, insertion: Insertion | None) -> bool:
    """Whether an insertion begins with what was offered of it, in the same place."""
    if insertion is None or not insertion.text.startswith(offered.text):
        return False
    start, end = offered.range
    return insertion.replaces == end.character - start.character
