"""The scripted model server in a thread of its own, for tests that wait on an editor's screen."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from fakes.model_server import ModelServer, Reply, RequestLog
from fakes.replies import PATIENCE_S

__all__ = ["Models", "Reply"]

T = TypeVar("T")

_CURSOR = "<|fim_suffix|>"
"""Where the cursor stands in the prompt of conftest's fast model (`fim = "qwen"`)."""


class Models:
    """A `ModelServer` whose methods may be called from a test's thread; a context manager."""

    def __init__(self) -> None:
        self.server = ModelServer()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self.server.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self.server.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S + 5)

    @property
    def base_url(self) -> str:
        """The OpenAI-compatible base."""
        return self.server.base_url

    @property
    def requests(self) -> list[RequestLog]:
        """What was asked so far."""
        return list(self.server.requests)

    def script(self, *replies: Reply) -> None:
        """Append replies for the next requests."""

        async def append() -> None:
            self.server.script(*replies)

        self._call(append())

    def answer_always(self, reply: Reply) -> None:
        """Return this where no scripted reply is left."""
        self.server.default = reply

    def answer_at(self, before: str, answer: str | Reply) -> None:
        """Complete so where the code before the cursor ends so; elsewhere with nothing.

        Keys that are typed on the way to that place may be asked about too, or not.
        """
        reply = Reply(answer) if isinstance(answer, str) else answer

        def answered(request: RequestLog) -> Reply | None:
            prompt = request.body.get("prompt") if request.body else None
            if prompt is None:
                return None
            return reply if f"{before}{_CURSOR}" in prompt else Reply("")

        self.server.answer = answered

    def wait_for(self, n_requests: int) -> RequestLog:
        """Wait until that many requests have come; give the last of them."""
        return self._call(self.server.wait_for(n_requests))

    def wait_closed(self, request: RequestLog) -> None:
        """Wait until the request was answered or the client hung up."""
        self._call(request.closed())

    def release(self) -> None:
        """Let every hanging request go on."""

        async def go_on() -> None:
            self.server.release()

        self._call(go_on())

    def stop_listening(self) -> None:
        """Go away like a server that crashed; the port refuses from now on."""
        self._call(self.server.__aexit__())

    def listen_again(self) -> None:
        """Come back on the same port."""
        self._call(self.server.__aenter__())

    def quiet_for(self, seconds: float) -> bool:
        """Watch for that long whether nobody asks; False at the first request."""
        seen, end = len(self.server.requests), time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.server.requests) > seen:
                return False
            time.sleep(0.01)
        return True
