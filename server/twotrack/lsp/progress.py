"""Work-done progress that the user can cancel."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.lsp.protocol import Protocol
from twotrack.shown import sentence

Step = Callable[[str], None]


class Progress:
    """The progress reports that are being shown."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._numbers = itertools.count(1)
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    @asynccontextmanager
    async def shown(self, title: str, *, supported: bool) -> AsyncIterator[Step]:
        """Show `title` while the body runs; give a function that tells its present step.

        The user's cancel cancels the current task.
        """
        token = f"twotrack-{next(self._numbers)}"
        if not supported or not await self._create(token):
            yield lambda _: None
            return
        task = asyncio.current_task()
        if task is not None:
            self._tasks[token] = task
        try:
            self._send(token, types.WorkDoneProgressBegin(title=sentence(title), cancellable=True))
            yield lambda step: self._send(
                token, types.WorkDoneProgressReport(message=sentence(step))
            )
        finally:
            self._tasks.pop(token, None)
            self._send(token, types.WorkDoneProgressEnd())

    async def _create(self, token: str) -> bool:
        params = types.WorkDoneProgressCreateParams(token=token)
        try:
            await self._protocol.request(
                types.WINDOW_WORK_DONE_PROGRESS_CREATE, params, timeout_s=2.0
            )
        except (JsonRpcException, TimeoutError):
            return False
        return True

    def _send(self, token: str, value: Any) -> None:
        self._protocol.notify(types.PROGRESS, types.ProgressParams(token=token, value=value))

    def cancel(self, token: int | str) -> None:
        """End the work behind a token; unknown ones are ignored."""
        task = self._tasks.get(str(token))
        if task is not None:
            task.cancel()
