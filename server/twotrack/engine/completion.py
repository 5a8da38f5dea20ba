"""Completions: from a place in a document to the text that goes there."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from twotrack.context.excerpts import ExcerptPicker
from twotrack.context.privacy import Shield, file_of
from twotrack.context.prompt import gather
from twotrack.context.syntax import SyntaxCache, parse
from twotrack.document import Document
from twotrack.engine.cache import Cached, CompletionCache, Place, place_of
from twotrack.engine.gap import Gap, gap_at
from twotrack.engine.pace import Pace
from twotrack.engine.replies import Insertion, complete_at, proposal
from twotrack.engine.snippet import chat_for
from twotrack.errors import Declined, RouteExhausted
from twotrack.events import Answered, Source, Usage
from twotrack.llm.api import Model, Prompt
from twotrack.routing.dispatch import Ask, Dispatcher
from twotrack.settings.schema import Settings, Trigger
from twotrack.tasks import TASKS, Task, Track
from twotrack.text import Position, Range

_FRAME_TOKENS = 256
"""Left free in a model's context window for what a template or a chat adds."""
_MOST_PARSED = 200_000
"""Characters; longer documents take too long to parse between two keys."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A cursor in a document, at one moment."""

    document: Document
    position: Position
    invoked: bool
    """Whether the person asked for it; else it is typing that asks."""
    others: Sequence[Document] = ()
    """The other open documents, the last used first."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a completion came from."""

    source: Source
    model: str
    """The model's name in the settings."""
    track: Track
    ms: float
    """From the request to here."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A text for a range that begins at the cursor and ends on its line."""

    text: str = field(repr=False)
    range: Range
    origin: Origin


class Completer:
    """Completes with one state of the settings. `clock` gives seconds, `sleep` waits for some."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        settings: Settings,
        *,
        shield: Shield,
        syntax: SyntaxCache,
        excerpts: ExcerptPicker,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._dispatcher = dispatcher
        self._settings = settings
        self._shield = shield
        self._syntax = syntax
        self._excerpts = excerpts
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._cache = CompletionCache(settings.cache.entries, clock)
        self._looked_up: tuple[CompletionRequest, Place] | None = None

    def lookup(self, request: CompletionRequest) -> Completion | None:
        """Give what is already known for this place, within a millisecond; asks nobody."""
        if not self._enabled(request):
            return None
        return self._known(request, self._place(request), self._clock())

    async def complete(self, request: CompletionRequest) -> Completion | None:
        """Give a completion; None: there is nothing to propose.

        Raises RouteExhausted and BudgetExhausted. Cancelling it ends the request upstream.
        """
        begun = self._clock()
        if not self._enabled(request) or not self._shield.may_send(file_of(request.document)):
            return None
        place = self._place(request)
        if (known := self._known(request, place, begun)) is not None:
            return known
        gap = gap_at(request.document, request.position)
        if not request.invoked:
            if not gap.only_closers_follow or gap.statement_ended:
                return None
            wait_s = self._pace.wait_s(
                (request.document.uri, request.position.line),
                fresh=gap.fresh,
                longest_ms=self._settings.completion.debounce_ms,
            )
            if wait_s > 0:
                await self._sleep(wait_s)
                if (known := self._known(request, place, begun)) is not None:
                    return known
        several_lines = gap.wants_lines or (request.invoked and gap.only_closers_follow)
        if not request.invoked and self._cache.is_empty(place, several_lines=several_lines):
            return None
        return await self._ask(request, place, gap, several_lines, begun)

    def _enabled(self, request: CompletionRequest) -> bool:
        options = self._settings.completion
        if options.languages and request.document.language not in options.languages:
            return False
        return request.invoked or options.trigger is Trigger.AUTOMATIC

    def _place(self, request: CompletionRequest) -> Place:
        """The request's place; remembered from `lookup` to `complete`."""
        if self._looked_up is None or self._looked_up[0] is not request:
            self._looked_up = request, place_of(request.document, request.position)
        return self._looked_up[1]

    def _known(self, request: CompletionRequest, place: Place, begun: float) -> Completion | None:
        hit = self._cache.find(place, several_lines=request.invoked)
        if hit is None:
            return None
        ms = (self._clock() - begun) * 1e3
        source = Source.TYPED_THROUGH if hit.typed_through else Source.CACHE
        self._dispatcher.listener(
            Answered(
                task=Task.BLOCK if hit.answer.several_lines else Task.COMPLETE,
                track=hit.answer.track,
                source=source,
                model=hit.answer.model,
                asked_model="",
                answered_model="",
                first_token_ms=ms,
                total_ms=ms,
                usage=Usage(),
                cost_usd=0.0,
            )
        )
        origin = Origin(source, hit.answer.model, hit.answer.track, ms)
        return _completion(request, Insertion(hit.text, hit.answer.replaces), origin)

    async def _ask(
        self,
        request: CompletionRequest,
        place: Place,
        gap: Gap,
        several_lines: bool,
        begun: float,
    ) -> Completion | None:
        max_lines = self._settings.completion.max_lines if several_lines else 1
        task = Task.BLOCK if several_lines else Task.COMPLETE
        enough = partial(complete_at, gap=gap, max_lines=max_lines)
        try:
            answer = await self._dispatcher.ask(
                Ask(task, partial(self._prompt, request, task), enough)
            )
        except RouteExhausted as exhausted:
            if exhausted.failures and all(isinstance(f, Declined) for f in exhausted.failures):
                return None
            raise
        insertion = proposal(
            answer.text,
            gap,
            max_lines=max_lines,
            cut=answer.finish == "length" or enough(answer.text),
            adds_errors=partial(self._adds_errors, request),
        )
        if insertion is None:
            self._cache.add_empty(place, several_lines=several_lines)
            return None
        kept = Cached(*insertion, answer.model, answer.track, several_lines)
        self._cache.add(request.document, request.position, place, kept)
        ms = (self._clock() - begun) * 1e3
        return _completion(
            request, insertion, Origin(answer.source, answer.model, answer.track, ms)
        )

    def _prompt(self, request: CompletionRequest, task: Task, model: Model) -> Prompt | None:
        can, most = model.capabilities, self._settings.context.max_tokens
        context = gather(
            request.document,
            request.position,
            request.others,
            shield=self._shield,
            excerpts=self._excerpts,
            max_tokens=min(
                most // 2 if can.local else most,
                can.context_window - TASKS[task].max_tokens - _FRAME_TOKENS,
            ),
        )
        if context is None:
            return None
        # A stop that the server knows leaves the connection open for the next request.
        stop = ("\n",) if task is Task.COMPLETE else ()
        infill = context.infill(stop, TASKS[task].max_tokens)
        return infill if can.infill else chat_for(infill) if can.chat else None

    def _adds_errors(self, request: CompletionRequest, insertion: Insertion) -> bool:
        document = request.document
        if len(document.text) > _MOST_PARSED:
            return False
        text = document.text.replace(_span(request, insertion), insertion.text)
        after = self._syntax.of(replace(document, text=text))
        if after is None or not after.has_error:
            return False
        before = parse(after.language, document.text, after)
        return before is not None and after.error_count > before.error_count


def _span(request: CompletionRequest, insertion: Insertion) -> Range:
    line, character = request.position
    return Range(request.position, Position(line, character + insertion.replaces))


def _completion(request: CompletionRequest, insertion: Insertion, origin: Origin) -> Completion:
    return Completion(insertion.text, _span(request, insertion), origin)
