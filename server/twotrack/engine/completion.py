"""Completions: from a place in a document to the text that goes there."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from twotrack.context.assembly import Share
from twotrack.context.privacy import PrivacyPolicy, files_of
from twotrack.context.prompt import gather
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.acceptance import Features
from twotrack.engine.asked import Completion, CompletionRequest, Origin
from twotrack.engine.cache import Cached, CacheKey, CompletionCache, Hit, places_of
from twotrack.engine.chat_infill import chat_for
from twotrack.engine.cursor_context import CursorContext, gap_at
from twotrack.engine.debounce import AdaptiveDebounce
from twotrack.engine.outcomes import Outcomes
from twotrack.engine.parse_check import adds_errors
from twotrack.engine.postprocess import Insertion, Watch, proposal, whole_part
from twotrack.engine.questions import Question, Questions
from twotrack.engine.quiet_places import asks
from twotrack.errors import Declined, RouteExhausted, TwotrackError
from twotrack.events import Answered, AnswerSource, Usage
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing.ask import Answer, Ask
from twotrack.routing.dispatch import Dispatcher
from twotrack.settings.schema import Settings, Trigger
from twotrack.tasks import BLOCK, COMPLETE, Task
from twotrack.text import Position, Range

logger = logging.getLogger(__name__)

_FRAME_TOKENS = 256
"""Left free in a model's context window for what a template or a chat adds."""
_RETRIEVAL_READS = 2
"""So many times as much of the file as a model that is paid by the token."""


class _Place(NamedTuple):
    """What a model is asked about."""

    key: CacheKey
    gap: CursorContext
    features: Features


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
        self._looked_up: tuple[CompletionRequest, tuple[CacheKey, ...]] | None = None
        self._asked: tuple[str, Position] | None = None
        """Document and place of the last question to a model."""
        self._warming: asyncio.Task[None] | None = None

    def lookup(self, request: CompletionRequest) -> Completion | None:
        """Return what is already known for this place, within a millisecond; asks nobody."""
        if not self._wanted(request):
            return None
        return self._known(request, self._clock())

    async def complete(self, request: CompletionRequest) -> Completion | None:
        """Return a completion; None: there is nothing to propose.

        Raises RouteExhausted and BudgetExhausted. Cancelling it ends the request upstream, unless
        its answer may fit what is typed meanwhile: `changed` says so.
        """
        begun = self._clock()
        if not self._wanted(request) or not await self._may_send(request):
            return None
        if (known := await self._soon_known(request, begun)) is not None:
            return known
        if not self._syntax.holds(request.document):
            await self._syntax.ready(request.document)
        gap = gap_at(request.document, request.position, self._syntax)
        features = self._outcomes.acceptance.features(gap)
        if not request.invoked:
            eagerness = self._settings.completion.eagerness
            if not asks(gap, eagerness) or not self._outcomes.acceptance.shows(features, eagerness):
                return None
            if await self._paused(request, gap) and (
                known := await self._soon_known(request, begun)
            ):
                return known
        place = self._places(request)[0]
        asked_for = request.invoked and (gap.only_closers_follow or gap.in_pair)
        several_lines = gap.wants_lines or asked_for
        if not request.invoked and self._cache.is_empty(place, several_lines=several_lines):
            return None
        question = Question(
            request,
            place,
            lambda question: self._ask(request, _Place(place, gap, features), question, begun),
            several_lines=several_lines,
        )
        self._questions.add(question)
        return await question.answer()

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

    async def _may_send(self, request: CompletionRequest) -> bool:
        """Whether the document may be sent; what is asked of the disk is asked off the loop."""
        document = request.document
        await self._policy.look((document, *request.others))
        return self._policy.may_send(*files_of(document))

    async def warm(self, document: Document, others: Sequence[Document] = ()) -> None:
        """Make the model that would be asked ready for completions in `document`.

        A connection; a model on this machine also reads the prompt as it would be for the place
        asked about last, or else for the end of the file. Never raises; ends early if a model
        on this machine is asked meanwhile, and keeps what it has read.
        """
        await self._policy.look((document, *others))
        self.stop_warming()
        if not self._policy.may_send(*files_of(document)):
            return
        languages = self._settings.completion.languages
        if languages and document.language not in languages:
            return
        warming = self._warming = asyncio.create_task(self._warm(document, others))
        try:
            await asyncio.wait({warming})
        finally:
            warming.cancel()
            await asyncio.wait({warming})  # its connection is closed then

    async def connect(self) -> None:
        """Open the connection to the first model elsewhere that would be asked."""
        with suppress(TwotrackError):  # whoever asks a question is told
            models = self._routing.candidates(COMPLETE)
            remote = (model for model in models if not model.capabilities.local)
            if (first := next(remote, None)) is not None:
                await first.warm()

    def stop_warming(self) -> None:
        """Let a model on this machine go at once; what it has read it keeps."""
        if self._warming is not None:
            self._warming.cancel()
            self._warming = None

    async def _warm(self, document: Document, others: Sequence[Document]) -> None:
        try:
            model = self._first_to_ask()
            if model is None:
                return
            reads = model.capabilities.local and self._settings.completion.trigger is (
                Trigger.AUTOMATIC
            )
            prompt = self._likely_prompt(document, others, model) if reads else None
            await model.warm(prompt)
        except Exception as error:  # noqa: BLE001  # the question itself will say what is wrong
            logger.debug("warming failed: %s", type(error).__name__)

    def _first_to_ask(self) -> Model | None:
        """Return the model that a completion would be put to first, after retrieval."""
        shut_for = self._routing.health.shut_for
        for model in self._routing.candidates(COMPLETE):
            if not model.capabilities.retrieval and not shut_for(model.name):
                return model
        return None

    def _likely_prompt(
        self, document: Document, others: Sequence[Document], model: Model
    ) -> Prompt | None:
        """Return a prompt whose beginning the next question's will share.

        A window that holds the whole file up to its end begins like the window of every place in
        it. That of a longer file does not begin with the file: there it is a window at the start.
        """
        text = document.text

        def at(position: Position) -> Prompt | None:
            request = CompletionRequest(document, position, invoked=False, others=others)
            return self._prompt(request, COMPLETE, model)

        if self._asked is not None and self._asked[0] == document.uri:
            return at(text.clamp(self._asked[1]))
        prompt = at(text.end)
        if prompt is None or prompt.mode is not Mode.FILL:
            return prompt
        if prompt.prefix.count("\n") == text.line_count - 1:
            return prompt
        # Higher up, lines below take what was free for the prefix here: a quarter at most.
        room, line = len(prompt.prefix) * 3 // 4, 0
        while (room := room - len(text.line(line)) - 1) >= 0:
            line += 1
        return at(Position(line, 0))

    def _wanted(self, request: CompletionRequest) -> bool:
        """Whether the settings, and what was rejected here, leave something to propose."""
        options = self._settings.completion
        if options.languages and request.document.language not in options.languages:
            return False
        if request.invoked:
            return True
        automatic = options.trigger is Trigger.AUTOMATIC
        return automatic and not self._outcomes.rejected(self._places(request)[0])

    def _places(self, request: CompletionRequest) -> tuple[CacheKey, ...]:
        """The request's place, as it may be called; remembered from `lookup` to `complete`."""
        if self._looked_up is None or self._looked_up[0] is not request:
            self._looked_up = request, tuple(places_of(request.document, request.position))
        return self._looked_up[1]

    def _found(self, request: CompletionRequest) -> Hit | None:
        hits = (self._cache.find(p, several_lines=request.invoked) for p in self._places(request))
        return next(filter(None, hits), None)

    def _known(self, request: CompletionRequest, begun: float) -> Completion | None:
        hit = self._found(request)
        if hit is None:
            return None
        ms = (self._clock() - begun) * 1e3
        source = AnswerSource.TYPED_THROUGH if hit.typed_through else AnswerSource.CACHE
        task = BLOCK if hit.answer.several_lines else COMPLETE
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
        origin = Origin(source, hit.answer.model, task, hit.answer.track, ms)
        insertion = Insertion(hit.text, hit.replaces)
        return _completion(
            request, insertion, origin, self._places(request)[0], hit.answer.features
        )

    async def _ask(
        self,
        request: CompletionRequest,
        place: _Place,
        question: Question,
        begun: float,
    ) -> Completion | None:
        key, gap, features = place
        several_lines = question.several_lines
        task = BLOCK if several_lines else COMPLETE
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
        kept = Cached(*insertion, answer.model, answer.track, several_lines, features)
        self._cache.add(request.document, request.position, key, kept)
        ms = (self._clock() - begun) * 1e3
        origin = Origin(answer.source, answer.model, task, answer.track, ms)
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
        max_lines = self._settings.completion.max_lines if task is BLOCK else 1
        modes: dict[str, Mode] = {}

        def prompt_for(model: Model) -> Prompt | None:
            prompt = self._prompt_to_ask(request, task, model)
            modes.pop(model.name, None)
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
        if insertion is not None and await adds_errors(insertion, gap, self._syntax):
            insertion = None
        return answer, insertion

    def _prompt_to_ask(self, request: CompletionRequest, task: Task, model: Model) -> Prompt | None:
        if not model.capabilities.retrieval:
            self._asked = request.document.uri, request.position
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
        )
        if context is None:
            return None
        # A stop that the server knows leaves the connection open for the next request.
        stop = ("\n",) if task is COMPLETE else ()
        infill = context.infill(stop, task.max_tokens)
        return infill if model.fills else chat_for(infill) if model.chats else None


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
