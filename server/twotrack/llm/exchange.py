"""One question and its streamed answer as JSON events, whatever the dialect."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from twotrack.errors import MalformedReply
from twotrack.llm import failures, sse
from twotrack.llm.api import Chunk
from twotrack.llm.stops import StopCutter
from twotrack.llm.transport import Endpoint, Transport

_DRAIN_S = 0.1
"""How long the end of the body may lag behind the last event."""

Event = dict[str, Any]


async def events(
    transport: Transport, endpoint: Endpoint, path: str, body: Mapping[str, Any]
) -> AsyncGenerator[Event, None]:
    """POST `body`; yield each JSON object of the answer until the end or ``[DONE]``.

    A server that does not stream gives one. Raises ModelError; so does an `error` in the stream.
    """
    reader = _Reader()
    async with aclosing(transport.stream(endpoint, path, body)) as chunks:
        try:
            async for chunk in chunks:
                for data in reader.feed(chunk):
                    if data == "[DONE]":
                        await _drain(chunks)
                        return
                    yield _parse(endpoint, data, body)
        except sse.Overflow as overflow:
            raise MalformedReply(endpoint.name, f"the stream holds {overflow}.") from None
        for data in reader.close():
            yield _parse(endpoint, data, body)


class _Reader:
    """Finds the data of each event; the whole body where it is plain JSON."""

    def __init__(self) -> None:
        self._decoder = sse.Decoder()
        self._plain: list[bytes] | None = None
        self._started = False

    def feed(self, chunk: bytes) -> list[str]:
        if not self._started and chunk.strip():
            self._started = True
            self._plain = [] if chunk.lstrip().startswith(b"{") else None
        if self._plain is None:
            return [event.data for event in self._decoder.feed(chunk)]
        self._plain.append(chunk)
        return []

    def close(self) -> list[str]:
        if self._plain is not None:
            return [b"".join(self._plain).decode("utf-8", "replace")]
        # A last "[DONE]" without its blank line is the end too.
        return [event.data for event in self._decoder.close() if event.data != "[DONE]"]


def _parse(endpoint: Endpoint, data: str, body: Mapping[str, Any]) -> Event:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise MalformedReply(endpoint.name, "the stream holds an event that is no JSON object.")
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
    except TimeoutError:
        pass  # closing costs a new connection, waiting would cost the user


async def cut(
    endpoint: Endpoint, chunks: AsyncGenerator[Chunk, None], stops: Iterable[str]
) -> AsyncGenerator[Chunk, None]:
    """End the answer at the first stop string, also where the server let it through.

    An answer that ends without a finish is MalformedReply: it was cut on its way.
    """
    cutter = StopCutter(stops)
    finished = False
    async with aclosing(chunks):
        async for chunk in chunks:
            text = cutter.feed(chunk.text)
            finished = finished or chunk.finish is not None
            if cutter.stopped and not finished:
                yield replace(chunk, text=text, finish="stop")
                return
            if chunk.finish is not None:
                text += cutter.flush()
            if text != chunk.text:
                chunk = replace(chunk, text=text)  # noqa: PLW2901  # the same chunk, cut
            if text or chunk.finish or chunk.usage or chunk.model:
                yield chunk
    if not finished:
        raise MalformedReply(endpoint.name, "the answer ended without a finish reason.")
