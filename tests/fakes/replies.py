"""What a scripted model server is told to answer, and what it notes of each request."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from patience import patient

PATIENCE_S = patient(20.0)
"""Longest wait of any test helper; a test that needs it has failed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer. Counts "after" are counts of chunks."""

    text: str = "ok"
    _: KW_ONLY
    chunks: Sequence[str] | None = None
    """The pieces to stream; absent: `text`, cut after each blank."""
    logprobs: Sequence[float] = ()
    """The log-probability of each piece, which is a token; told where the request asks for it."""
    delay_s: float = 0.0
    """Seconds before the first byte."""
    chunk_delay_s: float = 0.0
    """Seconds before each chunk."""
    finish: str | None = "stop"
    """`finish_reason` as OpenAI says it (other wires translate); None sends none."""
    model: str | None = None
    """The model that claims to have answered; absent: the one asked for."""
    prompt_tokens: int = 10
    """All of the input: what was cached or is written to the cache is part of it."""
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    """Of those written: for an hour."""
    completion_tokens: int | None = None
    """All of the output, thoughts included. Absent: one for each chunk, and the thoughts."""
    reasoning_tokens: int = 0
    """Of the output: thoughts."""
    charged_usd: float | None = None
    """What the answer says that it costs, as OpenRouter does; None: nothing."""
    status: int = 200
    """HTTP status; other than 200, the body is `error`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """More response headers."""
    error: Any = None
    """Body of a failure: an object (sent as JSON) or a string (sent as it is)."""
    raw: str | None = None
    """Body to send instead of any protocol, in one piece."""
    drop: bool = False
    """Close the connection without a byte of answer."""
    hang: bool = False
    """Send nothing until `release` or until the client hangs up."""
    open_end: bool = False
    """Do not end the body after the last event, until `release` or the client hangs up."""
    hang_after: int | None = None
    """Hang there likewise."""
    cut_after: int | None = None
    """Close the connection there, in the middle of the body."""
    error_after: int | None = None
    """Send an error event (`error`) there, and end."""
    malformed_after: int | None = None
    """Send an event there that is no JSON, and end."""
    garbage_bytes: int = 0
    """After the chunks, this many bytes without a line end."""
    done: bool = True
    """Whether the stream ends as it should: ``data: [DONE]``, or ``message_stop``."""
    keep_alive: bool = False
    """Whether a sign of life that says nothing precedes every event."""

    @property
    def pieces(self) -> tuple[str, ...]:
        """The texts to stream."""
        if self.chunks is not None:
            return tuple(self.chunks)
        return tuple(p for p in self.text.replace(" ", " \0").split("\0") if p)

    @property
    def output_tokens(self) -> int:
        """All tokens of the output."""
        given = self.completion_tokens
        return len(self.pieces) + self.reasoning_tokens if given is None else given


@dataclass(slots=True, eq=False)
class RequestLog:
    """One request as it came, and what became of it. Times: `time.monotonic()`."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    """The decoded JSON; None where there was none."""
    received_at: float
    raw_body: bytes = b""
    connection: int = 0
    """Which connection it came on, counted from 1."""
    sent: int = 0
    """Chunks that were written."""
    finished_at: float | None = None
    """When the last byte was written; None where that never happened."""
    aborted_at: float | None = None
    """When the client hung up before the end."""
    _closed: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def bare_path(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    def release(self) -> None:
        """Let this request go on where its reply hangs."""
        self._released.set()

    async def released(self) -> None:
        """Wait for `release`."""
        await self._released.wait()

    def close(self) -> None:
        """Note that nothing more happens to it."""
        self._closed.set()

    async def closed(self) -> None:
        """Wait until it was answered or the client hung up."""
        async with asyncio.timeout(PATIENCE_S):
            await self._closed.wait()

    def as_json(self) -> dict[str, Any]:
        """Return the public fields, for ``GET /log``."""
        names = ("method", "path", "headers", "body", "received_at", "finished_at", "aborted_at")
        return {name: getattr(self, name) for name in names}
