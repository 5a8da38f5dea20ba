"""One question and its streamed answer as JSON events, whatever the dialect."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Literal

from twotrack import bounded_json
from twotrack.errors import MalformedReply, ModelError, WebPage
from twotrack.events import Usage
from twotrack.llm import failures, ndjson, sse
from twotrack.llm.api import Chunk
from twotrack.llm.error_bodies import is_markup
from twotrack.llm.finishes import BrokenOff, Ending
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.stops import StopCutter
from twotrack.llm.surrogates import SurrogateJoiner

_DRAIN_S = 0.1
"""How long the end of the body may lag behind the last event."""

_MAX_BYTES = 2**20
"""Of one event, and of a body that is none but plain JSON; an answer is far smaller."""

_CHARS_PER_TOKEN = 4

_SNIFFED = 256
"""Bytes that tell a web page."""
_NOTHING: tuple[Any, ...] = (None, [])

Event = dict[str, Any]
Framing = Literal["sse", "ndjson"]
"""How the events of an answer are told apart."""


@dataclass(frozen=True, slots=True)
class EventFormat:
    """How the answers of a dialect come."""

    answers: frozenset[str]
    """The fields that are part of an answer; an event without is a notice, or a complaint."""
    framing: Framing = "sse"
    is_last: Callable[[Event], bool] | None = None
    """Whether the answer ends with an event; it ends with the body in any case."""


_DONE: Event = {"choices": [{"finish_reason": "stop"}]}
"""What ``[DONE]`` says, in the words of those who send it: OpenAI and all compatible."""


async def events(
    transport: Transport,
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, Any],
    form: EventFormat,
) -> AsyncGenerator[Event, None]:
    """POST `body`; yield each JSON object of the answer until its end.

    The end is that of the body, or ``[DONE]`` (given as an event that says so), or the event that
    `form` names. Events without data are skipped. A server that does not stream gives one
    event. Raises ModelError; so does an `error` in the stream.
    """
    reader = ndjson.Decoder(_MAX_BYTES) if form.framing == "ndjson" else _Reader()
    answer, head = _Answer(endpoint, body, form.answers), b""
    try:
        async with aclosing(transport.stream(endpoint, path, body)) as chunks:
            async for chunk in chunks:
                if len(head) < _SNIFFED:
                    head += chunk[:_SNIFFED]
                    if is_markup(head):
                        raise WebPage(endpoint.name, "the server answered with a web page.")
                for said in reader.feed(chunk):
                    event = answer.read(said)
                    if event is None:
                        continue
                    yield event
                    if event is _DONE or (form.is_last is not None and form.is_last(event)):
                        await _drain(chunks)
                        return
        for said in reader.close():
            event = answer.read(said)
            if event is not None:
                yield event
    except sse.Overflow as overflow:
        raise MalformedReply(endpoint.name, f"the reply holds {overflow}.") from None
    answer.end()


class _Reader:
    """Finds each server-sent event; the whole body is one where it is plain JSON."""

    def __init__(self) -> None:
        self._decoder = sse.Decoder(_MAX_BYTES)
        self._plain: bytearray | None = None
        self._started = False

    def feed(self, chunk: bytes) -> list[sse.Event]:
        if not self._started and (begun := chunk.lstrip(b"\xef\xbb\xbf \t\r\n")):
            self._started = True
            if begun.startswith((b"{", b"[")):
                chunk, self._plain = begun, bytearray()
        if self._plain is None:
            return self._decoder.feed(chunk)
        self._plain += chunk
        if len(self._plain) > _MAX_BYTES:
            raise sse.Overflow(f"a body of more than {_MAX_BYTES} bytes")
        return []

    def close(self) -> list[sse.Event]:
        if self._plain is not None:
            return [sse.Event("", self._plain.decode("utf-8", "replace"))]
        return self._decoder.close()


class _Answer:
    """Reads the events of one answer, and hears what a server says instead of one."""

    def __init__(self, endpoint: Endpoint, body: Mapping[str, Any], parts: frozenset[str]) -> None:
        self._endpoint = endpoint
        self._body = body
        self._parts = parts
        self._begun = False
        self._answered = False
        self._complaint: Event | None = None

    def read(self, said: sse.Event) -> Event | None:
        """Return the object that an event holds; None if it holds nothing. Raises ModelError."""
        try:
            event = bounded_json.loads(said.data)
        except bounded_json.TooManyValuesError as many:
            raise MalformedReply(self._endpoint.name, f"an event is not read: {many}.") from None
        except (ValueError, RecursionError):
            data = said.data.strip()
            if not data:
                return None
            if data == "[DONE]" and self._begun:
                if not self._answered:
                    self.end()
                return _DONE
            event = None
        if isinstance(event, list) and len(event) == 1:
            event = event[0]  # Gemini wraps an error, and an answer that is not streamed, so
        if not isinstance(event, dict):
            name = self._endpoint.name
            raise MalformedReply(name, "the reply holds an event that is no JSON object.")
        self._begun = True
        # vLLM said so in `object` until 2025, llama.cpp in the event's name.
        if event.get("error") or said.name == "error" or event.get("object") == "error":
            raise failures.from_event(self._endpoint.name, event, self._secrets)
        self._hear(event)
        return event

    def _hear(self, event: Event) -> None:
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict) and choice.get("error"):  # OpenRouter's, of who is behind it
            raise failures.from_event(self._endpoint.name, choice, self._secrets)
        if any(event[name] not in _NOTHING for name in self._parts & event.keys()):
            self._answered, self._complaint = True, None
        else:
            self._complaint = event

    def end(self) -> None:
        """Look at what came last; raises ModelError where it is no answer."""
        if not self._begun:
            raise MalformedReply(self._endpoint.name, "the reply holds no event.")
        if self._complaint is not None:
            name = self._endpoint.name
            error = failures.from_complaint(name, self._complaint, self._secrets)
            if error is not None:
                raise error

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (*self._endpoint.secrets, *failures.strings(self._body))


async def _drain(chunks: AsyncGenerator[bytes, None]) -> None:
    """Read to the end of the body, so that the connection serves the next request too."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass
    except (TimeoutError, ModelError):
        pass  # the answer is whole: a new connection costs less than waiting or failing


_ID_ECHO = 12
"""Characters of a key in a model's id that are no chance: both may name the provider."""


async def cut(
    endpoint: Endpoint, chunks: AsyncGenerator[Chunk, None], stops: Iterable[str]
) -> AsyncGenerator[Chunk, None]:
    """End the answer at the first stop string, also if the server let it through.

    The usage is an estimate then: what the server has counted so far is not all. The text comes in
    whole characters. The worst finish holds (see `finishes`), and what breaks after the last one
    does no harm. An answer without one is MalformedReply: it was cut on its way. Before the text,
    thoughts are signs of life: chunks that hold nothing.
    """
    joiner, cutter, ending = SurrogateJoiner(), StopCutter(stops), Ending()
    usage, length = None, 0
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                text = cutter.feed(joiner.feed(chunk.text))
                if chunk.model and failures.repeats(chunk.model, endpoint.secrets, _ID_ECHO):
                    chunk = replace(chunk, model=None)  # noqa: PLW2901  # the key, sent back
                usage = chunk.usage or usage
                length += len(text)
                finish = ending.note(chunk.text, chunk.finish)
                if cutter.stopped and ending.finish is None:
                    yield replace(chunk, text=text, finish="stop", usage=_estimated(usage, length))
                    return
                if finish and not chunk.text:
                    text += cutter.feed(joiner.flush()) + cutter.flush()
                if text or finish or chunk.usage or chunk.model or not length:
                    same = text == chunk.text and finish == chunk.finish
                    yield chunk if same else replace(chunk, text=text, finish=finish)
    except ModelError as error:
        if not ending.certain or isinstance(error, BrokenOff):
            raise
    if not ending.ended:
        raise MalformedReply(endpoint.name, "the answer ended without a finish reason.")
    if rest := cutter.feed(joiner.flush()) + cutter.flush():
        yield Chunk(rest)


def _estimated(usage: Usage | None, length: int) -> Usage | None:
    """Complete what was counted so far of an answer of so many characters."""
    if usage is None:
        return None
    written = max(usage.output_tokens, -(-length // _CHARS_PER_TOKEN))
    return replace(usage, output_tokens=written, estimated=True)
