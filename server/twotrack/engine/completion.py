"""Completions: from a place in a document to the text that goes there."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from twotrack.context.assembly import Share
from twotrack.context.privacy import PrivacyPolicy, files_of
from twotrack.context.prompt import gather
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.acceptance import Features
from twotrack.engine.asked import Completion, CompletionRequest, Origin
from twotrack.engine.cache import Cached, CacheKey, CompletionCache, Hit, place_of, places_of
from twotrack.engine.chat_infill import CODE, COMMIT_MESSAGE, chat_for
from twotrack.engine.commit_message import within_subject
from twotrack.engine.confidence import of_beginning, of_first_line
from twotrack.engine.cursor_context import CursorContext, gap_at
from twotrack.engine.debounce import AdaptiveDebounce
from twotrack.engine.outcomes import Outcomes
from twotrack.engine.parse_check import adds_errors
from twotrack.engine.postprocess import Insertion, Watch, proposal, whole_part
from twotrack.engine.program import Program, program_at
from twotrack.engine.questions import Question, Questions
from twotrack.engine.trigger import may_ask, typing_asks
from twotrack.engine.warming import Warming
from twotrack.errors import Declined, RouteExhausted
from twotrack.events import Answered, AnswerSource, Usage
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing.ask import Answer, Ask
from twotrack.routing.dispatch import Dispatcher
from twotrack.schemes import Use, use_of
from twotrack.settings.schema import Eagerness, Settings
from twotrack.tasks import BLOCK, COMMIT, COMPLETE, Task
from twotrack.text import Position, Range

logger = logging.getLogger(__name__)

_OTHER_TEMPERATURES = (0.7, 1.0)
"""Of the questions for other answers than the likeliest: high enough to differ."""
_OTHERS_S = 2.0
"""So long they are waited for, at most."""
_FRAME_TOKENS = 256
"""Left free in a model's context window for what a template or a chat adds."""
_RETRIEVAL_READS = 2
"""So many times as much of the file as a model that is paid by the token."""


class _Place(NamedTuple):
    """What a model is asked about."""

    key: CacheKey
    gap: CursorContext
    features: Features

    def wants_lines(self, request: CompletionRequest) -> bool:
        """Whether several lines are asked for."""
        gap = self.gap
        asked_for = request.invoked and (gap.only_closers_follow or gap.in_pair)
        return gap.wants_lines or asked_for


class Completer:
    """Completes with one state of the settings. `clock` gives seconds, `sleep` waits for some."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        settings: Settings,
        *,
        policy: PrivacyPolicy,
        syntax: SyntaxCache,
        sources: Sequence[Share],
        pace: AdaptiveDebounce,
        outcomes: Outcomes,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._dispatcher = dispatcher
        self._routing = dispatcher.policy
        self._settings = settings
        self._policy = policy
        self._syntax = syntax
        self._sources = sources
        self._pace = pace
        self._outcomes = outcomes
        self._clock = clock
        self._sleep = sleep
        self._cache = CompletionCache(settings.cache.entries, clock)
        self._questions = Questions()
        self._seen: tuple[CompletionRequest, CompletionRequest, Program | None] | None = None
        self._looked_up: tuple[CompletionRequest, tuple[CacheKey, ...]] | None = None
        self._warming = Warming(self._routing, policy, settings.completion, self._prompt)

    def lookup(self, request: CompletionRequest) -> Completion | None:
        """Return what is already known for this place, within a millisecond; asks nobody."""
        if not self._wanted(request):
            return None
        inner, _ = self._in_program(request)
        return self._back(self._known(inner, self._clock()), request)

    async def complete(self, request: CompletionRequest) -> Completion | None:
        """Return a completion; None: there is nothing to propose.

        Raises RouteExhausted and BudgetExhausted. Cancelling it ends the request upstream, unless
        its answer may fit what is typed meanwhile: `changed` says so.
        """
        if not self._wanted(request):
            return None
        inner, _ = self._in_program(request)
        return self._back(await self._complete(inner, request.position), request)

    async def candidates(self, request: CompletionRequest) -> list[Completion]:
        """Return what may stand there, the likeliest first.

        Several only for a person who asks for what is known already: they want to see others, and
        each costs a request. Raises what `complete` raises.
        """
        inner, _ = self._in_program(request)
        known = any(map(self._cache.find, self._places(inner)))
        likeliest = await self.complete(request)
        if likeliest is None:
            return []
        found = [likeliest]
        if request.invoked and known:
            found += await self._others(request)
        texts = [completion.text.rstrip() for completion in found]
        return [one for n, one in enumerate(found) if texts[n] not in texts[:n]]

    async def _others(self, request: CompletionRequest) -> list[Completion]:
        """Return other answers than the likeliest, as far as they come in time."""
        inner, _ = self._in_program(request)
        gap = gap_at(inner.document, inner.position, self._syntax)
        place = _Place(self._places(inner)[0], gap, self._outcomes.acceptance.features(gap))
        asked = [
            self._question(inner, request.position, place, self._clock(), temperature=temperature)
            for temperature in _OTHER_TEMPERATURES
        ]
        answers = [asyncio.ensure_future(one.answer()) for one in asked]
        try:
            await asyncio.wait(answers, timeout=_OTHERS_S)
        finally:
            for one, answer in zip(asked, answers, strict=True):
                one.close()
                answer.cancel()
            await asyncio.wait(answers)
        come = (answer for answer in answers if not answer.cancelled() and not answer.exception())
        found = (self._back(answer.result(), request) for answer in come)
        return [completion for completion in found if completion is not None]

    async def _complete(self, request: CompletionRequest, at: Position) -> Completion | None:
        """Return a completion in the program that stands `at` a place of its document."""
        begun = self._clock()
        if not await self._may_send(request):
            return None
        if (known := await self._soon_known(request, begun)) or self._is_quiet(request):
            return known
        if not self._syntax.holds(request.document):
            await self._syntax.ready(request.document)
        gap = gap_at(request.document, request.position, self._syntax)
        features = self._outcomes.acceptance.features(gap)
        if not request.invoked:
            eagerness = self._settings.completion.eagerness
            if not typing_asks(gap, eagerness) or not self._outcomes.acceptance.asks(
                features, eagerness
            ):
                return None
            if await self._paused(request, gap) and (
                (known := await self._soon_known(request, begun)) or self._is_quiet(request)
            ):
                return known
        place = _Place(self._places(request)[0], gap, features)
        several_lines = place.wants_lines(request)
        if not request.invoked and self._cache.is_empty(place.key, several_lines=several_lines):
            return None
        question = self._question(request, at, place, begun)
        self._questions.add(question)
        return await question.answer()

    def _question(
        self,
        request: CompletionRequest,
        at: Position,
        place: _Place,
        begun: float,
        *,
        temperature: float | None = None,
    ) -> Question:
        """Ask a model; with a temperature, for another answer than the likeliest."""
        return Question(
            request,
            place.key,
            lambda question: self._ask(request, place, question, begun),
            at=at,
            several_lines=place.wants_lines(request),
            temperature=temperature,
        )

    async def _paused(self, request: CompletionRequest, gap: CursorContext) -> bool:
        """Wait for a pause in typing; return whether there was something to wait for."""
        wait_s = self._pace.wait_s(
            (request.document.uri, request.position.line),
            fresh=gap.fresh,
            longest_ms=self._settings.completion.debounce_ms,
        )
        if wait_s > 0:
            await self._sleep(wait_s)
        return wait_s > 0

    def changed(self, document: Document) -> None:
        """Take note of a document's change: what is asked about it goes on as long as it fits."""
        self._questions.follow(document)

    def closed(self, document: Document) -> None:
        """End what is asked about a document."""
        self._questions.close(document.uri)

    async def aclose(self) -> None:
        """End all that is asked."""
        await self._questions.aclose()

    async def _soon_known(self, request: CompletionRequest, begun: float) -> Completion | None:
        """Return what is known, or is once a question under way is answered."""
        places = self._places(request)
        known = self._known(request, begun)
        while known is None:
            question = self._questions.serving(places, several_lines=request.invoked)
            if question is None:
                return None
            await question.answer()
            known = self._known(request, begun)
        return known

    def _in_program(self, request: CompletionRequest) -> tuple[CompletionRequest, Program | None]:
        """Return a request for the program at the cursor; remembered as `_places` are."""
        if self._seen is None or self._seen[0] is not request:
            program = program_at(request.document, request.position)
            inner = request if program is None else program.inner(request)
            self._seen = request, inner, program
        return self._seen[1:]

    async def _may_send(self, request: CompletionRequest) -> bool:
        """Whether the document may be sent; what is asked of the disk is asked off the loop."""
        document = request.document
        await self._policy.look((document, *request.others, *(request.changes or ())))
        return self._policy.may_send(*files_of(document))

    async def warm(self, document: Document, others: Sequence[Document] = ()) -> None:
        """Make the model that would be asked ready for completions in `document`. Never raises."""
        await self._warming.warm(document, others)

    async def connect(self) -> None:
        """Open the connection to the first model elsewhere that would be asked."""
        await self._warming.connect()

    def stop_warming(self) -> None:
        """Let a model on this machine go at once; what it has read it keeps."""
        self._warming.stop()

    def _wanted(self, request: CompletionRequest) -> bool:
        """Whether the settings, and what was rejected here, leave something to propose."""
        options = self._settings.completion
        inner, program = self._in_program(request)
        if program is None or use_of(request.document.uri) is Use.READ:
            return False
        if options.languages and inner.document.language not in options.languages:
            return False
        if request.invoked:
            return True
        return may_ask(program, options) and not self._outcomes.rejected(self._place(request))

    def _place(self, request: CompletionRequest) -> CacheKey:
        """Return the request's place in its document."""
        inner, _ = self._in_program(request)
        if inner is request:
            return self._places(request)[0]
        return place_of(request.document, request.position)

    def _back(self, completion: Completion | None, request: CompletionRequest) -> Completion | None:
        """Return a completion of a program as one of its document."""
        inner, program = self._in_program(request)
        if completion is None or program is None or inner is request:
            return completion
        return replace(program.back(completion), place=self._place(request))

    def _places(self, request: CompletionRequest) -> tuple[CacheKey, ...]:
        """The request's place, as it may be called; remembered from `lookup` to `complete`."""
        if self._looked_up is None or self._looked_up[0] is not request:
            self._looked_up = request, tuple(places_of(request.document, request.position))
        return self._looked_up[1]

    def _found(self, request: CompletionRequest) -> Hit | None:
        hits = (self._cache.find(p, several_lines=request.invoked) for p in self._places(request))
        return next(filter(None, hits), None)

    def _is_quiet(self, request: CompletionRequest) -> bool:
        """Whether an answer is known that is kept for a person who asks."""
        return not request.invoked and self._found(request) is not None

    def _shows(self, request: CompletionRequest, text: str, features: Features) -> bool:
        """Whether an answer is worth showing to somebody who types."""
        outcomes, eagerness = self._outcomes, self._settings.completion.eagerness
        if request.invoked or not features.confidence:
            return True
        return outcomes.acceptance.shows(features, eagerness) or outcomes.continues(
            request.document, request.position, text
        )

    def _known(self, request: CompletionRequest, begun: float) -> Completion | None:
        hit = self._found(request)
        if hit is None:
            return None
        logprob = of_beginning(hit.answer.logprobs, len(hit.answer.text) - len(hit.text))
        features = self._outcomes.acceptance.sure(hit.answer.features, logprob)
        if not self._shows(request, hit.text, features):
            return None
        ms = (self._clock() - begun) * 1e3
        source = AnswerSource.TYPED_THROUGH if hit.typed_through else AnswerSource.CACHE
        task = _task(request, several_lines=hit.answer.several_lines)
        self._dispatcher.listener(
            Answered(
                task=task,
                track=hit.answer.track,
                source=source,
                model=hit.answer.model,
                asked_model="",
                answered_model="",
                first_token_ms=ms,
                total_ms=ms,
                usage=Usage(),
                cost_usd=0.0,
                language=request.document.language,
            )
        )
        free = self._routing.is_free(hit.answer.model)
        origin = Origin(source, hit.answer.model, task, hit.answer.track, ms, free=free)
        insertion = Insertion(hit.text, hit.replaces)
        return _completion(request, insertion, origin, self._places(request)[0], features)

    async def _ask(
        self,
        request: CompletionRequest,
        place: _Place,
        question: Question,
        begun: float,
    ) -> Completion | None:
        key, gap, features = place
        several_lines = question.several_lines
        task = _task(request, several_lines=several_lines)
        try:
            answer, insertion = await self._proposed(request, gap, question, task)
            if insertion is None and answer.source is AnswerSource.RECALL:
                skip = frozenset({answer.model})
                if self._routing.candidates(task, skip):  # retrieval stands in no model's way
                    answer, insertion = await self._proposed(request, gap, question, task, skip)
        except RouteExhausted as exhausted:
            if exhausted.failures and all(isinstance(f, Declined) for f in exhausted.failures):
                return None
            raise
        if insertion is None:
            self._cache.add_empty(key, several_lines=several_lines)
            return None
        logprobs = of_first_line(answer.text, answer.logprobs, insertion.text)
        kept = Cached(*insertion, answer.model, answer.track, several_lines, features, logprobs)
        self._outcomes.acceptance.told = bool(logprobs)
        first = question.temperature is None
        self._cache.add(request.document, request.position, key, kept, first=first)
        features = self._outcomes.acceptance.sure(features, of_beginning(logprobs))
        if not self._shows(request, insertion.text, features):
            return None
        ms = (self._clock() - begun) * 1e3
        free = self._routing.is_free(answer.model)
        origin = Origin(answer.source, answer.model, task, answer.track, ms, free=free)
        return _completion(request, insertion, origin, key, features)

    async def _proposed(
        self,
        request: CompletionRequest,
        gap: CursorContext,
        question: Question,
        task: Task,
        skip: frozenset[str] = frozenset(),
    ) -> tuple[Answer, Insertion | None]:
        """Return what the route's models but `skip` answer, and what of it may be shown."""
        max_lines = self._settings.completion.max_lines if question.several_lines else 1
        modes: dict[str, Mode] = {}

        def prompt_for(model: Model) -> Prompt | None:
            prompt = self._prompt_to_ask(request, question.at, task, model)
            modes.pop(model.name, None)
            if question.temperature is not None:
                # recall has said its own already
                prompt = prompt and replace(prompt, temperature=question.temperature)
                prompt = None if model.capabilities.retrieval else prompt
            if prompt is not None:
                modes[model.name] = prompt.mode
            return prompt

        watch = Watch(gap, max_lines)

        def enough(text: str) -> bool:
            chat = next(reversed(modes.values())) is Mode.CHAT  # of the model that was asked last
            question.code_so_far = lambda: watch.so_far(text, chat=chat)
            question.heard()
            return watch.is_complete(text, chat=chat)

        answer = await self._dispatcher.ask(
            Ask(task, prompt_for, enough, whole_part, skip, request.document.language)
        )
        insertion = proposal(
            answer.text,
            gap,
            max_lines=max_lines,
            cut=answer.finish == "length" or watch.done,
            chat=modes.get(answer.model) is Mode.CHAT,
            begun=watch.begun(answer.text),
        )
        if insertion is not None and request.changes is not None:
            insertion = within_subject(insertion, request.document, request.position)
        if insertion is not None and await adds_errors(insertion, gap, self._syntax):
            insertion = None
        return answer, insertion

    def _prompt_to_ask(
        self, request: CompletionRequest, at: Position, task: Task, model: Model
    ) -> Prompt | None:
        if not model.capabilities.retrieval:
            self._warming.asked = request.document.uri, at
            if model.capabilities.local:
                self.stop_warming()
        return self._prompt(request, task, model)

    def _prompt(self, request: CompletionRequest, task: Task, model: Model) -> Prompt | None:
        can, most = model.capabilities, self._settings.context.max_tokens
        if can.retrieval:  # it looks at the file alone, which costs no tokens
            most *= _RETRIEVAL_READS
        elif can.local:
            most //= 2
        context = gather(
            request.document,
            request.position,
            request.others,
            policy=self._policy,
            sources=() if can.retrieval else self._sources,
            max_tokens=min(most, can.context_window - task.max_tokens - _FRAME_TOKENS),
            changes=request.changes or (),
        )
        if context is None:
            return None
        # A stop that the server knows leaves the connection open for the next request.
        stop = ("\n",) if task is COMPLETE else ()
        judged = not request.invoked and self._settings.completion.eagerness is not Eagerness.HIGH
        infill = context.infill(stop, task.max_tokens, logprobs=judged)
        if model.fills:
            return infill
        system = CODE if request.changes is None else COMMIT_MESSAGE
        return chat_for(infill, system) if model.chats else None


def _task(request: CompletionRequest, *, several_lines: bool) -> Task:
    if request.changes is not None:
        return COMMIT
    return BLOCK if several_lines else COMPLETE


def _span(request: CompletionRequest, insertion: Insertion) -> Range:
    line, character = request.position
    return Range(request.position, Position(line, character + insertion.replaces))


def _completion(
    request: CompletionRequest,
    insertion: Insertion,
    origin: Origin,
    place: CacheKey,
    features: Features,
) -> Completion:
    return Completion(insertion.text, _span(request, insertion), origin, place, features)
