"""From the bytes of an answer to its events, whatever a server or a network does to them."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.model_server import ModelServer
from twotrack.bounded_json import MOST_VALUES
from twotrack.errors import (
    MalformedReply,
    ModelError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    Unauthorized,
)
from twotrack.events import Usage
from twotrack.llm.api import Chunk
from twotrack.llm.exchange import Event, EventFormat, Framing, cut, events
from twotrack.llm.http.transport import Endpoint, Transport

HERE = Endpoint("mine", "http://127.0.0.1:1")
DONE = {"choices": [{"finish_reason": "stop"}]}


class Bytes(Transport):
    """A transport whose answer is these bytes; `read` counts the pieces that were taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self.read = 0

    async def stream(
        self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None, method: str = "POST"
    ) -> AsyncGenerator[bytes, None]:
        for chunk in self._chunks:
            self.read += 1
            yield chunk


def form(framing: Framing = "sse") -> EventFormat:
    return EventFormat(frozenset({"choices"}), framing)


def given_by(*chunks: bytes, framing: Framing = "sse") -> list[Event]:
    async def collect() -> list[Event]:
        answer = events(Bytes(chunks), HERE, "x", {}, form(framing))
        async with aclosing(answer):
            return [event async for event in answer]

    return asyncio.run(collect())


def sse(*data: str, end: str = "\n") -> bytes:
    return "".join(f"data: {one}{end}{end}" for one in data).encode()


@pytest.mark.parametrize(
    ("framing", "stream", "expected"),
    [
        ("sse", sse('{"a":1}', '{"b":"é"}'), [{"a": 1}, {"b": "é"}]),
        ("sse", sse('{"a":1}', '{"b":"é"}', end="\r\n"), [{"a": 1}, {"b": "é"}]),
        ("sse", sse('{"a":1}', '{"b":"é"}', end="\r"), [{"a": 1}, {"b": "é"}]),
        ("sse", b"\xef\xbb\xbf" + sse('{"a":1}'), [{"a": 1}]),
        ("sse", b": keep-alive\n\n" + sse('{"a":1}') + b": keep-alive\n\n", [{"a": 1}]),
        ("sse", b'event: x\ndata: {"a":1}\n\n', [{"a": 1}]),
        ("sse", b'data: {"a":\ndata: 1}\n\n', [{"a": 1}]),
        ("sse", b'data: {"a":1}', [{"a": 1}]),
        ("sse", sse('{"a":1}', "[DONE]"), [{"a": 1}, DONE]),
        ("sse", sse('{"a":1}', "[DONE] "), [{"a": 1}, DONE]),
        ("sse", sse("", '{"a":1}', " ", ""), [{"a": 1}]),
        ("sse", sse('{"a":1}') + b"data: [DONE]", [{"a": 1}, DONE]),
        ("sse", sse('{"a":1}', "[DONE]", "no JSON"), [{"a": 1}, DONE]),
        ("sse", b' \n{"a":\n1}', [{"a": 1}]),
        ("sse", b'\xef\xbb\xbf[{"a":1}]', [{"a": 1}]),
        ("ndjson", b'{"a":1}\n{"b":2}\n', [{"a": 1}, {"b": 2}]),
        ("ndjson", b'{"a":1}\r\n\r\n{"b":"\xf0\x9f\x8e\x89"}', [{"a": 1}, {"b": "🎉"}]),
        ("ndjson", b'\xef\xbb\xbf{"a":1}\n', [{"a": 1}]),
    ],
)
def test_events_whole_and_byte_by_byte(
    framing: Framing, stream: bytes, expected: list[Event]
) -> None:
    assert given_by(stream, framing=framing) == expected
    assert given_by(*(bytes([byte]) for byte in stream), framing=framing) == expected


_OBJECTS = st.lists(
    st.dictionaries(st.sampled_from("ab"), st.text() | st.integers() | st.none(), max_size=2)
)


@pytest.mark.parametrize("framing", ["sse", "ndjson"])
@given(_OBJECTS, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.data())
def test_cutting_an_answer_changes_nothing(
    framing: Framing, objects: list[Event], end: str, alive: bool, data: st.DataObject
) -> None:
    lines = [json.dumps(one, ensure_ascii=data.draw(st.booleans())) for one in objects]
    if framing == "sse":
        comment = f": keep-alive{end}{end}" if alive else ""
        stream = "".join(f"{comment}event: e{end}data: {line}{end}{end}" for line in lines)
    else:
        stream = "".join(f"{line}\n" + ("\n" if alive else "") for line in lines)
    raw = stream.encode("utf-8", "replace")
    places = data.draw(st.lists(st.integers(0, len(raw)), max_size=12).map(sorted))
    pieces = [raw[i:j] for i, j in zip([0, *places], [*places, len(raw)], strict=True)]
    if not objects:
        with pytest.raises(MalformedReply):
            given_by(*pieces, framing=framing)
        return
    received = given_by(*pieces, framing=framing)
    assert received == given_by(raw, framing=framing)
    assert len(received) == len(objects)


@pytest.mark.parametrize("framing", ["sse", "ndjson"])
@given(st.lists(st.binary(max_size=40), max_size=12))
def test_any_bytes_give_objects_or_a_model_error(framing: Framing, chunks: list[bytes]) -> None:
    try:
        received = given_by(*chunks, framing=framing)
    except ModelError:
        return
    assert received
    assert all(isinstance(event, dict) for event in received)


@pytest.mark.parametrize(
    ("framing", "event", "kind"),
    [
        ("sse", 'data: {"error":{"message":"no","code":429}}\n\n', RateLimited),
        (
            "sse",
            'data: {"error":{"message":"no","type":"server_error","code":null}}\n\n',
            ServerFailed,
        ),
        (
            "sse",
            'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n',
            ServerFailed,
        ),
        (
            "sse",
            'event: error\ndata: {"type":"error","error":{"type":"authentication_error"}}\n\n',
            Unauthorized,
        ),
        (
            "sse",
            'data: {"error":{"code":503,"message":"no","status":"UNAVAILABLE"}}\n\n',
            ServerFailed,
        ),
        ("sse", 'data: [{"error":{"code":503,"status":"UNAVAILABLE"}}]\n\n', ServerFailed),
        ("sse", '[{\n  "error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}\n}]\n', RateLimited),
        ("sse", '{"error": "boom"}', ServerFailed),
        # llama.cpp until late 2025, without an object `error`; then [DONE] all the same
        (
            "sse",
            'error: {"code":400,"message":"too long","type":"invalid_request_error"}\n\n',
            RequestRejected,
        ),
        ("sse", 'event: error\ndata: {"message":"slow","code":429}\n\n', RateLimited),
        # vLLM until 2025
        ("sse", 'data: {"object":"error","message":"no","code":429}\n\n', RateLimited),
        ("ndjson", '{"error":"an error was encountered while running the model"}\n', ServerFailed),
    ],
)
def test_an_error_after_200(framing: Framing, event: str, kind: type[ModelError]) -> None:
    with pytest.raises(ModelError) as failure:
        given_by(event.encode(), framing=framing)
    assert type(failure.value) is kind
    if not event.startswith(("{", "[")):
        before = sse('{"a":1}')
        with pytest.raises(kind):
            given_by(before, event.encode())


@pytest.mark.parametrize(
    "data",
    [
        *("[1]", "[]", '[{"a":1},{"b":2}]', "7", "null", '"text"', "{", '{"a":"\x00"}'),
        *("[" * 100_000, '{"a":' * 100_000, "9" * 100_000),
    ],
    ids=lambda data: data[:12],
)
def test_what_is_no_object_is_refused(data: str) -> None:
    for stream, framing in ((sse(data), "sse"), (f"{data}\n".encode(), "ndjson")):
        with pytest.raises(MalformedReply, match="no JSON object"):
            given_by(stream, framing=framing)  # type: ignore[arg-type]
    with pytest.raises(MalformedReply, match="no JSON object"):
        given_by(sse('{"a":1}', data))


@pytest.mark.parametrize("shape", ["[]", "[[]]", "{}", "1,1"])
def test_more_values_than_any_answer_has_are_refused(shape: str) -> None:
    data = '{"choices":[' + ",".join([shape] * (MOST_VALUES // 2 + 1)) + "]}"
    for stream, framing in ((sse(data), "sse"), (f"{data}\n".encode(), "ndjson")):
        with pytest.raises(MalformedReply, match="more than 300000 values"):
            given_by(stream, framing=framing)  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", [b"", b"\n\n", b": alive\n\n"])
def test_an_answer_without_an_event_is_refused(stream: bytes) -> None:
    with pytest.raises(MalformedReply, match="no event"):
        given_by(stream)


def test_a_bare_done_is_no_answer() -> None:
    with pytest.raises(MalformedReply):
        given_by(sse("[DONE]"))


@pytest.mark.parametrize(
    ("framing", "block", "said"),
    [
        ("sse", b"x" * 65_536, "a line of more than"),
        ("sse", b"data: " + b"x" * 65_530, "a line of more than"),
        ("sse", b"data: " + b"x" * 1_000 + b"\n", "an event of more than"),
        ("sse", b"{" + b" " * 65_535, "a body of more than"),
        ("sse", b"garbage in many short lines" * 30 + b"\n", "no event"),
        ("ndjson", b"{" + b" " * 65_535, "a line of more than"),
        ("ndjson", b"garbage in many short lines" * 30 + b"\n", "no JSON object"),
    ],
)
def test_ten_megabytes_of_garbage(framing: Framing, block: bytes, said: str) -> None:
    many = (block for _ in range(10 * 2**20 // len(block)))
    transport = Bytes(many)

    async def collect() -> None:
        async with aclosing(events(transport, HERE, "x", {}, form(framing))) as answer:
            async for _ in answer:
                pass

    tracemalloc.start()
    try:
        with pytest.raises(MalformedReply, match=said):
            asyncio.run(collect())
        assert tracemalloc.get_traced_memory()[1] < 5 * 2**20
    finally:
        tracemalloc.stop()
    if "more than" in said:
        assert transport.read * len(block) < 1.2 * 2**20, "it stops reading at once"


def test_the_end_of_the_body_may_be_too_much_too() -> None:
    half = b"data: " + b"x" * 600_000
    with pytest.raises(MalformedReply, match="an event of more than"):
        given_by(half + b"\n", half)


def test_the_last_event_ends_the_answer_and_the_rest_is_read() -> None:
    chunks = [b'{"n":1}\n', b'{"n":2,"done":true}\n', b'{"n":3}\n', b""]
    transport = Bytes(chunks)

    async def collect() -> list[Event]:
        ending = replace(form("ndjson"), is_last=lambda event: "done" in event)
        answer = events(transport, HERE, "x", {}, ending)
        async with aclosing(answer):
            return [event async for event in answer]

    assert asyncio.run(collect()) == [{"n": 1}, {"n": 2, "done": True}]
    assert transport.read == len(chunks)


def test_what_breaks_after_the_end_does_no_harm() -> None:
    def broken() -> Iterator[bytes]:
        yield sse('{"a":1}', "[DONE]")
        raise MalformedReply("mine", "the server ended the reply in the middle.")

    async def collect() -> list[Event]:
        async with aclosing(events(Bytes(broken()), HERE, "x", {}, form())) as answer:
            return [event async for event in answer]

    assert asyncio.run(collect()) == [{"a": 1}, DONE]


async def test_an_answer_that_ended_leaves_its_connection(
    server: ModelServer, transport: Transport
) -> None:
    endpoint, body = Endpoint("mine", server.base_url), {"model": "m", "stream": True}
    for _ in range(2):
        async with aclosing(
            events(transport, endpoint, "chat/completions", body, form())
        ) as answer:
            assert [event async for event in answer][-1] == DONE
    assert server.connections == 1


async def test_an_answer_is_cut_at_a_stop_and_keeps_its_first_finish() -> None:
    async def told(*chunks: Chunk) -> AsyncGenerator[Chunk, None]:
        for chunk in chunks:
            yield chunk

    async def after(*chunks: Chunk) -> list[Chunk]:
        return [chunk async for chunk in cut(HERE, told(*chunks), ("END",))]

    usage = Usage(input_tokens=3)
    assert await after(Chunk("a E"), Chunk("ND b"), Chunk(finish="stop")) == [
        Chunk("a "),
        Chunk(finish="stop"),
    ]
    assert await after(Chunk("a E"), Chunk(finish="length"), Chunk(finish="stop", usage=usage)) == [
        Chunk("a "),
        Chunk("E", finish="length"),
        Chunk(usage=usage),
    ]


async def test_what_was_counted_before_a_cut_is_an_estimate() -> None:
    async def told() -> AsyncGenerator[Chunk, None]:
        yield Chunk("", usage=Usage(input_tokens=30, cached_tokens=20, output_tokens=1))
        yield Chunk("twelve chars")
        yield Chunk("END and much more")

    chunks = [chunk async for chunk in cut(HERE, told(), ("END",))]
    assert chunks[-1] == Chunk(
        finish="stop",
        usage=Usage(input_tokens=30, cached_tokens=20, output_tokens=3, estimated=True),
    )


async def test_what_fails_after_the_finish_does_no_harm() -> None:
    async def told(*chunks: Chunk) -> AsyncGenerator[Chunk, None]:
        for chunk in chunks:
            yield chunk
        raise ServerFailed("mine", "no usage today.")

    whole = [Chunk("a"), Chunk(finish="stop")]
    assert [chunk async for chunk in cut(HERE, told(*whole), ())] == whole
    with pytest.raises(ServerFailed):
        _ = [chunk async for chunk in cut(HERE, told(Chunk("a")), ())]
