"""A completion's reply, read while it comes and when it has ended: what of it may be shown."""

import asyncio
from collections.abc import Awaitable, Callable

from twotrack.context.syntax_cache import SyntaxCache
from twotrack.engine.asked import CompletionRequest
from twotrack.engine.commit_message import within_subject
from twotrack.engine.cursor_context import CursorContext
from twotrack.engine.parse_check import adds_errors
from twotrack.engine.postprocess import Insertion, Watch, proposal
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing.ask import Answer

GRACE_S = 0.1
"""So long the rest of a block is awaited once its first line is there: what is shown within a tenth
of a second is seen at once, and a model of 500 tokens a second has said six lines by then."""


class Reading:
    """Reads what the models of a route say for a gap, one after another."""

    def __init__(
        self, request: CompletionRequest, gap: CursorContext, max_lines: int, syntax: SyntaxCache
    ) -> None:
        self._request = request
        self._gap = gap
        self._max_lines = max_lines
        self._syntax = syntax
        self._watch = Watch(gap, max_lines)
        self._modes: dict[str, Mode] = {}

    def asks(self, model: Model, prompt: Prompt | None) -> None:
        """Take note of what a model is asked: what comes from now on is its reply."""
        self._modes.pop(model.name, None)
        self._watch.first_line = ""
        if prompt is not None:
            self._modes[model.name] = prompt.mode

    @property
    def model(self) -> str:
        """The model that was asked last."""
        return next(reversed(self._modes))

    @property
    def _chat(self) -> bool:
        return self._modes[self.model] is Mode.CHAT

    def so_far(self, text: str) -> str:
        """Return the code of a reply that is coming."""
        return self._watch.so_far(text, chat=self._chat)

    def is_complete(self, text: str) -> bool:
        """Whether a reply that is coming holds all that will be shown of it."""
        return self._watch.is_complete(text, chat=self._chat)

    @property
    def has_first_line(self) -> bool:
        """Whether the first line of the reply that is coming is whole."""
        return bool(self._watch.first_line)

    async def first_line(self) -> Insertion | None:
        """Return what the first line of the reply that is coming inserts; None: not by itself."""
        line, gap = self._watch.first_line, self._gap
        around = (*gap.far_above, *gap.below)
        if _words(line) in map(_words, around):
            return None  # an echo of the document may begin so, which goes as a whole
        found = proposal(line, gap, max_lines=1, chat=self._chat, begun=line)
        return await self._checked(found)

    async def whole(self, answer: Answer) -> Insertion | None:
        """Return what an answer inserts; None: nothing worth showing."""
        found = proposal(
            answer.text,
            self._gap,
            max_lines=self._max_lines,
            cut=answer.finish == "length" or self._watch.done,
            chat=self._modes.get(answer.model) is Mode.CHAT,
            begun=self._watch.begun(answer.text),
        )
        return await self._checked(found)

    async def _checked(self, insertion: Insertion | None) -> Insertion | None:
        request = self._request
        if insertion is not None and request.changes is not None:
            insertion = within_subject(insertion, request.document, request.position)
        if insertion is not None and await adds_errors(insertion, self._gap, self._syntax):
            return None
        return insertion


def _words(line: str) -> str:
    """Return a line whose blanks may be others."""
    return " ".join(line.split())


class EarlyLine:
    """Offers the first line of a reply if the rest takes longer than a moment.

    `offer` takes it once at most. `sleep` waits for some seconds.
    """

    def __init__(
        self,
        reading: Reading,
        offer: Callable[[Insertion], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._reading = reading
        self._offer = offer
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def heard(self) -> None:
        """Take note that more of the reply has come."""
        if self._task is None and self._reading.has_first_line:
            self._task = asyncio.create_task(self._offer_later())

    def end(self) -> None:
        """Offer nothing more of this reply: it is whole, or another one begins."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _offer_later(self) -> None:
        await self._sleep(GRACE_S)
        insertion = await self._reading.first_line()
        if insertion is not None:
            self._offer(insertion)
