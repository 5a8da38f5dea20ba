"""What is made ready before the next completion is asked for: connections, and local prompts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from twotrack.document import Document
from twotrack.engine.completion import Completer
from twotrack.idle_indexing import RunLater

_Front = tuple[Document, Sequence[Document]]
"""The document opened last, and the other open ones."""

_TYPING_S = 1.0
_COLD_S = 50.0
"""Seconds without a question after which a connection may be closed: the pool keeps it for 55."""


class WarmUp:
    """Follows what a person does and makes one thing ready at a time.

    `completer` gives the present one. `settled` waits until open documents are read, because a
    prompt begins with them.
    """

    def __init__(
        self,
        completer: Callable[[], Completer],
        settled: Callable[[], Awaitable[None]],
        run: RunLater,
    ) -> None:
        self._completer = completer
        self._settled = settled
        self._run = run
        self._started = False
        self._typed_at = self._warmed_at = float("-inf")
        self._front: _Front | None = None
        """None as soon as something else has happened."""
        self._task: asyncio.Task[None] | None = None
        self._uri = ""
        """Of the document that is being made ready."""

    @property
    def typing(self) -> bool:
        """Whether a key came within the last second."""
        return asyncio.get_running_loop().time() - self._typed_at < _TYPING_S

    def start(self) -> None:
        """Begin; before, nothing is made ready: the editor may still forbid a model."""
        self._started = True
        self.again()

    def again(self) -> None:
        """Make ready anew; what was being made ready before is given up."""
        if not self._started:
            return
        self.stop()
        self._warmed_at = asyncio.get_running_loop().time()
        self._task = self._run(self._warm(self._front))
        self._uri = self._front[0].uri if self._front else ""

    def opened(self, document: Document, others: Sequence[Document]) -> None:
        """Make ready for a completion in `document`; `others` are open too, the last used first."""
        self._front = document, others
        self.again()

    def changed(self) -> None:
        """Open a connection again, if the last key lies so far back that it may be closed."""
        now = asyncio.get_running_loop().time()
        rested_s = now - max(self._typed_at, self._warmed_at)
        self._typed_at = now
        self._front = None
        if rested_s > _COLD_S:
            self.again()

    def closed(self, uri: str) -> None:
        """Give up what is made ready for a document."""
        if self._front is not None and self._front[0].uri == uri:
            self._front = None
        if self._uri == uri:
            self.stop()

    def stop(self) -> None:
        """Give up what is being made ready."""
        if self._task is not None:
            self._task.cancel()

    async def _warm(self, front: _Front | None) -> None:
        if front is None:
            await self._completer().connect()
            return
        await self._settled()
        await self._completer().warm(*front)
