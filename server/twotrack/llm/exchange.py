"""One question and its streamed answer as JSON events, whatever the dialect."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal

from twotrack.errors import MalformedReply, ModelError
from twotrack.llm import failures, ndjson, sse
from twotrack.llm.api import Chunk
from twotrack.llm.stops import StopCutter
from twotrack.llm.transport import Endpoint, Transport

_DRAIN_S = 0.1
"""How long the end of the body may lag behind the last event."""

_MAX_BYTES = 2**20
"""Of one event, and of a body that is none but plain JSON; an answer is far smaller."""

Event = dict[str, Any]
Framing = Literal["sse", "ndjson"]
"""How the events of an answer are told apart."""

_DONE: Event = {"choices": [{"finish_reason": "stop"}]}
"""What ``[DONE]`` says, in the words of those who send it: OpenAI and all compatible."""


async def events(
    transport: Transport,
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, Any],
    *,
    framing: Framing = "sse",
    is_last: Callable[[Event], bool] | None = None,
) -> AsyncGenerator[Event, None]:
    """POST `body`; yield each JSON object of the answer until its end.

    The end is that of the body, or ``[DONE]`` (given as an event that says so), or the event that
    `is_last` names. A server that does not stream gives one event. Raises ModelError; so does an
    `error` in the stream.
    """
    reader = ndjson.Decoder(_MAX_BYTES) if framing == "ndjson" else _Reader()
    event: Event | None = None
    async with aclosing(transport.stream(endpoint, path, body)) as chunks:
        try:
            async for chunk in chunks:
                for data in reader.feed(chunk):
                    event = _parse(endpoint, data, body, event)
                    yield event
                    if event is _DONE or (is_last is not None and is_last(event)):
                        await _drain(chunks)
                        return
        except sse.Overflow as overflow:
            raise MalformedReply(endpoint.name, f"the reply holds {overflow}.") from None
        for data in reader.close():
            event = _parse(endpoint, data, body, event)
            yield event
    if event is None:
        raise MalformedReply(endpoint.name, "the reply holds no event.")


class _Reader:
    """Finds the data of each server-sent event; the whole body where it is plain JSON."""

    def __init__(self) -> None:
        self._decoder = sse.Decoder(_MAX_BYTES)
        self._plain: bytearray | None = None
        self._started = False

    def feed(self, chunk: bytes) -> list[str]:
        if not self._started and (begun := chunk.lstrip(b"\xef\xbb\xbf \t\r\n")):
            self._started = True
            if begun.startswith((b"{", b"[")):
                chunk, self._plain = begun, bytearray()
        if self._plain is None:
            return [event.data for event in self._decoder.feed(chunk)]
        self._plain += chunk
        if len(self._plain) > _MAX_BYTES:
            raise sse.Overflow(f"a body of more than {_MAX_BYTES} bytes")
        return []

    def close(self) -> list[str]:
        if self._plain is not None:
            return [self._plain.decode("utf-8", "replace")]
        return [event.data for event in self._decoder.close()]


def _parse(endpoint: Endpoint, data: str, body: Mapping[str, Any], previous: Event | None) -> Event:
    if data == "[DONE]" and previous is not None:
        return _DONE
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        event = None
    if isinstance(event, list) and len(event) == 1:
        event = event[0]  # Gemini wraps an error, and an answer that is not streamed, into a list
    if not isinstance(event, dict):
        raise MalformedReply(endpoint.name, "the reply holds an event that is no JSON object.")
    if event.get("error"):
        raise failures.from_event(
            endpoint.name, event, (*endpoint.secrets, *failures.strings(body))
        )
    return event


async def _drain(chunks: AsyncGenerator[bytes, None]) -> None:
    """Read to the end of the body, so that the connection serves the next request too."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass
    except (TimeoutError, ModelError):
        pass  # the answer is whole: a new connection costs less than waiting or failing


async def cut(
    endpoint: Endpoint, chunks: AsyncGenerator[Chunk, None], stops: Iterable[str]
) -> AsyncGenerator[Chunk, None]:
    """End the answer at the first stop string, also where the server let it through.

    The first finish holds. An answer without one is MalformedReply: it was cut on its way.
    """
    cutter = StopCutter(stops)
    finished = False
    async with aclosing(chunks):
        async for chunk in chunks:
            text = cutter.feed(chunk.text)
            finish = None if finished else chunk.finish
            if cutter.stopped and not finished and finish is None:
                yield replace(chunk, text=text, finish="stop")
                return
            if finish is not None:
                finished = True
                text += cutter.flush()
            if text or finish or chunk.usage or chunk.model:
                same = text == chunk.text and finish == chunk.finish
                yield chunk if same else replace(chunk, text=text, finish=finish)
    if not finished:
        raise MalformedReply(endpoint.name, "the answer ended without a finish reason.")
