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
    async with aclosing(transport.stream(endpoint, path, body)) as chunks:
        async for data in _data(endpoint, chunks):
            if data == "[DONE]":
                await _drain(chunks)
                return
            event = _parse(endpoint, data)
            if event.get("error"):
                secret = tuple(failures.strings(body))
                raise failures.from_event(endpoint.name, event, secret)
            yield event


async def _data(
    endpoint: Endpoint, chunks: AsyncGenerator[bytes, None]
) -> AsyncGenerator[str, None]:
    """Yield the data of each event; the whole body where it is plain JSON."""
    decoder = sse.Decoder()
    plain: list[bytes] | None = None
    first = True
    try:
        async for chunk in chunks:
            if first and chunk.strip():
                first = False
                plain = [] if chunk.lstrip()[:1] in (b"{", b"[") else None
            if plain is not None:
                plain.append(chunk)
                continue
            for event in decoder.feed(chunk):
                yield event.data
    except sse.Overflow as overflow:
        raise MalformedReply(endpoint.name, f"the stream holds {overflow}.") from None
    if plain is not None:
        yield b"".join(plain).decode("utf-8", "replace")
    for event in decoder.close():
        yield event.data


def _parse(endpoint: Endpoint, data: str) -> Event:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise MalformedReply(endpoint.name, "the stream holds an event that is no JSON object.")
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
            shown = chunk if text == chunk.text else replace(chunk, text=text)
            if shown != Chunk():
                yield shown
    if not finished:
        raise MalformedReply(endpoint.name, "the answer ended without a finish reason.")
