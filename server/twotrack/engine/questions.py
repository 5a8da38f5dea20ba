"""Questions to models that are under way: kept while what is typed may still begin the answer.

Most answers that a key made old would have fitted still: the typist types into them. So a question
goes on without whoever asked it, the request for the next place waits for it too, and it is closed
as soon as its answer cannot fit any more, or nobody wants it. Whoever has its first line already
wants the rest.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from twotrack.document import Document
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.engine.cache import CLOSERS, PAIRS, CacheKey, place_of
from twotrack.engine.insertion_point import InsertionPoint
from twotrack.engine.program import Program, program_at
from twotrack.text import Position

_UNTIL_CHANGE_S = 0.01
"""Editors cancel a request before, or after, they tell the key that made it old."""
_UNTIL_ASKED_S = 0.5
"""Editors ask for the next place so soon after a key."""


Ask = Callable[["Question"], Coroutine[Any, Any, Completion | None]]
"""Asks a model; the question's task runs it."""


class Question:
    """One question, and what was typed at its place since."""

    def __init__(
        self,
        request: CompletionRequest,
        place: CacheKey,
        ask: Ask,
        *,
        at: Position,
        several_lines: bool,
        temperature: float | None = None,
        ahead: bool = False,
    ) -> None:
        """Ask, in a task; cancelling that closes what it has open.

        `request` is for a program that stands `at` a place of its document.
        """
        self.at = at
        self.uri = request.document.uri
        self.several_lines = several_lines
        self.temperature = temperature
        """That of a question for another answer than the likeliest."""
        self.ahead = ahead
        """Whether nobody has asked yet."""
        self._point = InsertionPoint(request.document, request.position, place)
        self._now = place
        """Where what was typed since ends."""
        self._typed: str | None = ""
        """None: something else was changed."""
        self._document, self._end = request.document, at
        """The document as it is now, and where in it what was typed since ends."""
        self._early: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._is_read = False
        """Whether somebody has what was offered: it goes on without being waited for."""
        self.code_so_far: Callable[[], str] = str
        """Returns the code of the answer that has come; it is empty as long as none is known."""
        self._waiting = 0
        self._changed = False
        """Whether a key came since somebody waited last."""
        self._timer: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(ask(self))
        self._task.add_done_callback(self._ended)

    @property
    def under_way(self) -> bool:
        """Whether it is asked still, and its answer may fit."""
        return not self._task.done() and self._fits()

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for its answer."""
        return self._waiting > 0

    def serves(self, place: CacheKey) -> bool:
        """Whether its answer may fit at a place."""
        if not self.under_way or place.anchor != self._now.anchor:
            return False
        return place.prefix + place.closed == self._now.prefix

    async def answer(self, *, early: bool = False) -> Completion | None:
        """Wait for the answer; None if it is closed before. Raises what asking raised.

        `early`: or for what is offered of it before its end.
        """
        self._waiting += 1
        self._changed = False
        self._expect(None)
        try:
            ends: list[asyncio.Future[Any]] = [self._task, *([self._early] if early else [])]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not self._task.done():
                self.read()
                return self._early.result()
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._expect(_UNTIL_ASKED_S if self._changed else _UNTIL_CHANGE_S)
        return None if self._task.cancelled() else self._task.result()

    def offer(self, beginning: Completion) -> None:
        """Let who may be answered early have the beginning of the answer."""
        self._early.set_result(beginning)

    @property
    def offered(self) -> Completion | None:
        """What was offered before the end."""
        return self._early.result() if self._early.done() else None

    def read(self) -> None:
        """Take note that somebody has what was offered, from the cache perhaps."""
        self._is_read = True
        self._expect(None)

    def reader(self) -> tuple[Document, Position] | None:
        """Return where somebody sees what was offered still; None: nobody does."""
        if not self._is_read or self.offered is None or self._typed is None:
            return None
        length = len(self.offered.text.replace("\r\n", "\n"))
        return (self._document, self._end) if len(self._typed) < length else None

    def heard(self) -> None:
        """Take note that more of the answer has come."""
        if self._typed:
            self._close_if_wrong()

    def follow(self, document: Document) -> None:
        """Take note of a change of its document."""
        program = program_at(document, document.text.clamp(self.at))
        self._typed = None if program is None else self._typed_in(program)
        self._document = document
        self._changed = True
        if not self._waiting:
            self._expect(_UNTIL_ASKED_S)
        self._close_if_wrong()

    def close(self) -> None:
        """End it upstream too."""
        self._expect(None)
        self._task.cancel()

    def _typed_in(self, program: Program) -> str | None:
        """Return what stands at its place now, if nothing else was changed."""
        document = program.document
        typed = next(self._point.typed(document), None)
        if typed is None or ("\n" in typed.text and not self.several_lines):
            return None
        self._now, self._end = place_of(document, typed.end), program.outer(typed.end)
        return typed.text

    def _fits(self) -> bool:
        if not self._typed:
            return self._typed is not None
        code, ways = self.code_so_far(), [self._typed]
        # The editor may have closed what was opened: the cursor stands before that.
        opened = self._typed.rstrip(CLOSERS)
        if any(opener in opened for opener in PAIRS):
            ways.append(opened)
        return any(code.startswith(typed) or typed.startswith(code) for typed in ways)

    def _close_if_wrong(self) -> None:
        if not self._fits():
            self.close()

    def _expect(self, within_s: float | None) -> None:
        """Close it if nothing is heard of it for so long; None: it stays."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if within_s is not None and not self._is_read and not self._task.done():
            self._timer = asyncio.get_running_loop().call_later(within_s, self.close)

    def _ended(self, task: asyncio.Task[Completion | None]) -> None:
        self._expect(None)
        if not task.cancelled():
            task.exception()  # whoever waits is told; nobody may


class Questions:
    """Those that are under way: seldom more than one."""

    def __init__(self) -> None:
        self._under_way: list[Question] = []

    def add(self, question: Question) -> None:
        """Take over a question that was just started."""
        self._under_way = [q for q in self._under_way if q.under_way]
        self._under_way.append(question)

    def serving(self, places: Iterable[CacheKey], *, several_lines: bool) -> Question | None:
        """Return one whose answer may fit at a place, which may be called so or so."""
        for question in reversed(self._under_way):
            enough = question.several_lines or not several_lines
            if enough and any(map(question.serves, places)):
                return question
        return None

    def read(self, places: Iterable[CacheKey]) -> None:
        """Take note that somebody at a place has what was offered of an answer."""
        if (question := self.serving(places, several_lines=False)) is not None:
            question.read()

    def follow(self, document: Document) -> None:
        """Take note of a change of a document."""
        for question in self._under_way:
            if question.uri == document.uri and question.under_way:
                question.follow(document)

    def close_unawaited(self, places: Sequence[CacheKey]) -> None:
        """End those that nobody waits for, and whose answer cannot fit at a place.

        A model may take one question at a time: what is asked there would wait for them.
        """
        for question in self._under_way:
            if not question.awaited and not any(map(question.serves, places)):
                question.close()

    def close(self, uri: str) -> None:
        """End those about a document."""
        for question in self._under_way:
            if question.uri == uri:
                question.close()

    async def aclose(self) -> None:
        """End all, and wait until they are closed."""
        for question in self._under_way:
            question.close()
        answers = (question.answer() for question in self._under_way)
        await asyncio.gather(*answers, return_exceptions=True)
