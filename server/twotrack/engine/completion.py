"""Completions: from a place in a document to the text that goes there."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from twotrack.context.privacy import files_of
from twotrack.document import Document
from twotrack.engine.asked import Completion, CompletionRequest, Origin
from twotrack.engine.asking import Asking, Place, completion_of, task_of
from twotrack.engine.cache import CacheKey, Hit, place_of, places_of
from twotrack.engine.confidence import of_beginning
from twotrack.engine.cursor_context import CursorContext, gap_at
from twotrack.engine.debounce import AdaptiveDebounce
from twotrack.engine.postprocess import Insertion
from twotrack.engine.program import Program, program_at
from twotrack.engine.questions import Question, Questions
from twotrack.engine.trigger import may_ask, typing_asks
from twotrack.events import Answered, AnswerSource, Usage
from twotrack.schemes import Use, use_of
from twotrack.settings.schema import Eagerness
from twotrack.text import Position

_OTHER_TEMPERATURES = (0.7, 1.0)
"""Of the questions for other answers than the likeliest: high enough to differ."""
_OTHERS_S = 2.0
"""So long they are waited for, at most."""


class Completer:
    """Completes at the typist's pace, with what is known or by asking."""

    def __init__(self, asking: Asking, pace: AdaptiveDebounce) -> None:
        self._asking = asking
        self._settings = asking.settings
        self._policy = asking.policy
        self._syntax = asking.syntax
        self._outcomes = asking.outcomes
        self._cache = asking.cache
        self._clock = asking.clock
        self._pace = pace
        self._questions = Questions()
        self._seen: tuple[CompletionRequest, CompletionRequest, Program | None] | None = None
        self._looked_up: tuple[CompletionRequest, tuple[CacheKey, ...]] | None = None

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
        known = request.invoked and any(map(self._cache.find, self._places(inner)))
        likeliest = await self.complete(replace(request, early=False) if known else request)
        if likeliest is None:
            return []
        found = [likeliest]
        if known:
            found += await self._others(request)
        texts = [completion.text.rstrip() for completion in found]
        return [one for n, one in enumerate(found) if texts[n] not in texts[:n]]

    async def _others(self, request: CompletionRequest) -> list[Completion]:
        """Return other answers than the likeliest, as far as they come in time."""
        inner, _ = self._in_program(request)
        place = self._asked_about(inner, request.position, self._clock())
        asked = [self._asking.question(place, temperature=one) for one in _OTHER_TEMPERATURES]
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
        self._questions.close_unawaited(self._places(request))
        if not await self._may_send(request):
            return None
        if (known := await self._soon_known(request, begun)) or self._is_quiet(request):
            return known
        if not self._syntax.holds(request.document):
            await self._syntax.ready(request.document)
        place = self._asked_about(request, at, begun)
        if not request.invoked:
            eagerness = self._settings.completion.eagerness
            if not typing_asks(place.gap, eagerness) or not self._outcomes.acceptance.asks(
                place.features, eagerness
            ):
                return None
            if await self._paused(request, place.gap) and (
                (known := await self._soon_known(request, begun)) or self._is_quiet(request)
            ):
                return known
        several_lines = place.wants_lines
        if not request.invoked and self._cache.is_empty(place.key, several_lines=several_lines):
            return None
        question = self._asking.question(place)
        self._questions.add(question)
        return await question.answer(early=request.early)

    def prefetch(self, request: CompletionRequest) -> None:
        """Ask for what follows a text that was just accepted, ahead of the editor.

        Then, not while the text is shown: the document is as it will be asked about, and nothing is
        asked for the many that are not accepted.
        """
        inner, _ = self._in_program(request)
        places = self._places(inner)
        eager = self._settings.completion.eagerness is not Eagerness.LOW
        if not eager or not self._cache.keeps or inner.changes is not None:
            return
        if not self._wanted(request):
            return
        if self._found(inner) or self._questions.serving(places, several_lines=False):
            return

        async def ask(question: Question) -> Completion | None:
            if not await self._may_send(inner):
                return None
            await self._syntax.ready(inner.document)
            place = self._asked_about(inner, request.position, self._clock())
            return await self._asking.ask_ahead(place, question)

        self._questions.close_unawaited(places)
        at, key = request.position, places[0]
        self._questions.add(Question(inner, key, ask, at=at, several_lines=True, ahead=True))

    def _asked_about(self, request: CompletionRequest, at: Position, begun: float) -> Place:
        gap = gap_at(request.document, request.position, self._syntax)
        features = self._outcomes.acceptance.features(gap)
        return Place(request, at, self._places(request)[0], gap, features, begun)

    async def _paused(self, request: CompletionRequest, gap: CursorContext) -> bool:
        """Wait for a pause in typing; return whether there was something to wait for."""
        wait_s = self._pace.wait_s(
            (request.document.uri, request.position.line),
            fresh=gap.fresh,
            longest_ms=self._settings.completion.debounce_ms,
        )
        if wait_s > 0:
            await self._asking.sleep(wait_s)
        return wait_s > 0

    def changed(self, document: Document) -> None:
        """Take note of a document's change: what is asked about it goes on as long as it fits."""
        self._questions.follow(document)

    def close(self, uri: str) -> None:
        """End what is asked about a document."""
        self._questions.close(uri)

    async def aclose(self) -> None:
        """End all that is asked."""
        await self._questions.aclose()

    async def _soon_known(self, request: CompletionRequest, begun: float) -> Completion | None:
        """Return what is known, or is once a question under way is answered."""
        places = self._places(request)
        known, early = self._known(request, begun), request.early
        while known is None:
            question = self._questions.serving(places, several_lines=request.invoked)
            if question is None:
                return None
            await question.answer(early=early)
            known, early = self._known(request, begun), False
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
        await self._asking.warming.warm(document, others)

    async def connect(self) -> None:
        """Open the connection to the first model elsewhere that would be asked."""
        await self._asking.warming.connect()

    def stop_warming(self) -> None:
        """Let a model on this machine go at once; what it has read it keeps."""
        self._asking.warming.stop()

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
        several, whole = request.invoked, not request.early
        find = partial(self._cache.find, several_lines=several, whole=whole)
        return next(filter(None, map(find, self._places(request))), None)

    def _is_quiet(self, request: CompletionRequest) -> bool:
        """Whether an answer is known that is kept for a person who asks."""
        return not request.invoked and self._found(request) is not None

    def _known(self, request: CompletionRequest, begun: float) -> Completion | None:
        hit = self._found(request)
        if hit is None:
            return None
        logprob = of_beginning(hit.answer.logprobs, len(hit.answer.text) - len(hit.text))
        features = self._outcomes.acceptance.sure(hit.answer.features, logprob)
        if not self._asking.shows(request, hit.text, features):
            return None
        if not hit.answer.whole:
            self._questions.read(self._places(request))
        ms = (self._clock() - begun) * 1e3
        source = AnswerSource.TYPED_THROUGH if hit.typed_through else AnswerSource.CACHE
        task = task_of(request, several_lines=hit.answer.several_lines)
        if self._asking.extension != (hit.answer, request.document.version):  # it has its row
            self._asking.dispatcher.listener(
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
        free = self._asking.routing.is_free(hit.answer.model)
        origin = Origin(source, hit.answer.model, task, hit.answer.track, ms, free=free)
        insertion = Insertion(hit.text, hit.replaces)
        return completion_of(request, insertion, origin, self._places(request)[0], features)
