"""The life of a request: answered exactly once, whatever happens to it.

A request ends by its handler's result or error, by `$/cancelRequest`, or because a newer one of
the same document took its place (Helix never cancels, Neovim not always).
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

MessageId = int | str
Finished = Callable[[Any, BaseException | None], None]
"""Takes the result, or why there is none (CancelledError: it was cancelled)."""


@dataclass(eq=False, slots=True)
class _Request:
    id: MessageId
    key: str | None
    finished: Finished
    task: asyncio.Task[None] | None = None
    answered: bool = False
    """What is said of it from then on is dropped."""


class Inflight:
    """The requests that are being worked on."""

    def __init__(self) -> None:
        self._requests: dict[MessageId, _Request] = {}
        self._by_key: dict[str, _Request] = {}

    def __len__(self) -> int:
        return len(self._requests)

    def start(
        self,
        message_id: MessageId,
        work: Coroutine[Any, Any, Any],
        *,
        key: str | None,
        finished: Finished,
    ) -> None:
        """Run `work`; `finished` hears of its end unless the request was withdrawn.

        It hears so within the step that ends the work: what that left to `call_soon` comes later.
        `key` names what it can be superseded in (a document and a method).
        """
        request = _Request(message_id, key, finished)
        request.task = asyncio.create_task(self._run(request, work))
        self._requests[message_id] = request
        if key is not None:
            self._by_key[key] = request

        def done(task: asyncio.Task[None]) -> None:
            work.close()  # it may have been cancelled before it began
            if task.cancelled():
                self._end(request, None, asyncio.CancelledError())

        request.task.add_done_callback(done)

    async def _run(self, request: _Request, work: Coroutine[Any, Any, Any]) -> None:
        try:
            result = await work
        except Exception as error:  # noqa: BLE001 - every request is answered
            self._end(request, None, error)
        else:
            self._end(request, result, None)

    def _end(self, request: _Request, result: Any, error: BaseException | None) -> None:
        self._forget(request)
        if not request.answered:
            request.answered = True
            request.finished(result, error)

    def supersede(self, key: str) -> MessageId | None:
        """End the request of `key`, if one runs, and give its id: the caller answers it now."""
        request = self._by_key.get(key)
        if request is None:
            return None
        self._withdraw(request)
        return request.id

    def cancel(self, message_id: MessageId) -> bool:
        """End a request; true: the caller answers it now. False: unknown or answered."""
        request = self._requests.get(message_id)
        if request is None:
            return False
        self._withdraw(request)
        return True

    def _withdraw(self, request: _Request) -> None:
        request.answered = True
        if request.task is not None:
            request.task.cancel()
        self._forget(request)

    def _forget(self, request: _Request) -> None:
        if self._requests.get(request.id) is request:
            del self._requests[request.id]
        if request.key is not None and self._by_key.get(request.key) is request:
            del self._by_key[request.key]

    def cancel_all(self) -> list[MessageId]:
        """End every request; the caller answers those given."""
        ids = list(self._requests)
        for message_id in ids:
            self.cancel(message_id)
        return ids
