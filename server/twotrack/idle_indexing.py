"""Open documents, read into the indexes one after the other, as soon as typing rests."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from twotrack.document import Document

RunLater = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Runs a coroutine in the background; whoever gives it waits for it in the end."""

_IDLE_S = 0.5
"""Seconds without a key after which a document's text is read anew."""


class IdleIndexing:
    """Reads documents with `index`, one at a time: parsing holds the interpreter, in a thread too.

    The document opened last comes first. `ready` looks at what `index` needs to know of it; what
    is closed or changed meanwhile is not read.
    """

    def __init__(
        self,
        ready: Callable[[Document], Awaitable[None]],
        index: Callable[[Document], Awaitable[None]],
        run: RunLater,
    ) -> None:
        self._ready = ready
        self._index = index
        self._run = run
        self._unread: dict[str, Document] = {}
        self._idle: dict[str, asyncio.TimerHandle] = {}
        self._reader: asyncio.Task[None] | None = None

    def opened(self, document: Document) -> None:
        """Read a document soon."""
        self._stop_waiting(document.uri)
        self._soon(document)

    def changed(self, document: Document) -> None:
        """Read a document when typing in it rests."""
        self._stop_waiting(document.uri)
        loop = asyncio.get_running_loop()
        self._idle[document.uri] = loop.call_later(_IDLE_S, self._soon, document)

    def closed(self, uri: str) -> None:
        """Read a document no more."""
        self._stop_waiting(uri)
        self._unread.pop(uri, None)

    async def settled(self) -> None:
        """Wait until what is being read is read."""
        if self._reader is not None:
            await asyncio.wait({self._reader})

    def stop(self) -> None:
        """Read nothing more than the document that is being read."""
        for handle in self._idle.values():
            handle.cancel()
        self._unread.clear()

    def _stop_waiting(self, uri: str) -> None:
        if handle := self._idle.pop(uri, None):
            handle.cancel()

    def _soon(self, document: Document) -> None:
        self._idle.pop(document.uri, None)
        self._unread[document.uri] = document
        if self._reader is None or self._reader.done():
            self._reader = self._run(self._read())

    async def _read(self) -> None:
        while self._unread:
            uri, document = next(reversed(self._unread.items()))
            await self._ready(document)
            if self._unread.get(uri) is document:
                del self._unread[uri]
                await self._index(document)
