"""Messages come out of the stream as they went in, however it is cut."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growth import MOST, growth
from twotrack.lsp.stream import (
    MAX_GARBAGE_BYTES,
    Decoder,
    FrameError,
    Incoming,
    LostError,
    TransportWriter,
    _Closing,
    frame,
)


def read_all(*parts: bytes) -> list[bytes | FrameError]:
    decoder = Decoder()
    return [body for part in parts for body in decoder.feed(part)]


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(1, 40))
def test_bodies_survive_any_cut_of_the_stream(bodies: list[bytes], size: int) -> None:
    stream = b"".join(frame(body) for body in bodies)
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert read_all(*parts) == bodies


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 2\r\n\r\n",
        b"CONTENT-LENGTH:2\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_header_names_are_read_in_any_case_and_order(header: bytes) -> None:
    assert read_all(header + b"{}") == [b"{}"]


def test_a_message_without_length_is_reported_and_the_next_one_read() -> None:
    first, second = read_all(b"Content-Type: text\r\n\r\n" + frame(b"{}"))
    assert isinstance(first, FrameError)
    assert "Content-Length" in str(first)
    assert second == b"{}"


def test_an_oversized_message_is_skipped_without_being_kept() -> None:
    size = 64 * 1024 * 1024 + 1
    decoder = Decoder()
    (first,) = decoder.feed(b"Content-Length: %d\r\n\r\n" % size)
    for start in range(0, size, 1 << 20):
        assert decoder.partial
        assert decoder.feed(b"x" * min(1 << 20, size - start)) == []
    assert not decoder.partial
    assert decoder.feed(frame(b"{}")) == [b"{}"]
    assert isinstance(first, FrameError)
    assert "longer than 64 MiB" in str(first)


def test_a_header_without_end_is_reported_and_the_stream_goes_on() -> None:
    decoder = Decoder()
    (first,) = decoder.feed(b"x" * (64 * 1024 + 1))
    assert isinstance(first, FrameError)
    assert "64 KiB" in str(first)
    assert decoder.feed(b"y\r\n\r\n" + frame(b"{}")) == [b"{}"]


MESSAGE = b'{"jsonrpc":"2.0","id":1}'


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"Traceback (most recent call last)\n", id="a stray line"),
        pytest.param(b"Content-Length: -5\r\n\r\n" + MESSAGE, id="a negative length"),
        pytest.param(b"Content-Length: five\r\n\r\n" + MESSAGE, id="a length that is no number"),
        pytest.param(b"Content-Type: text\r\n\r\n" + MESSAGE, id="no length"),
        pytest.param(b"\r\n\r\n\r\n", id="empty lines"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", id="another protocol"),
        pytest.param(bytes(range(256)), id="any bytes"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_after_garbage_the_next_message_is_found(broken: bytes, size: int) -> None:
    stream = broken + frame(MESSAGE) + frame(b"{}")
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    error, *messages = read_all(*parts)
    assert isinstance(error, FrameError)
    assert messages == [MESSAGE, b"{}"]


@pytest.mark.parametrize("length", [30, 60, 500, 100_000, 10**12])
def test_a_length_that_is_too_large_costs_no_other_message(length: int) -> None:
    stream = b"Content-Length: %d\r\n\r\n" % length + MESSAGE + frame(MESSAGE) + frame(MESSAGE)
    assert [body for body in read_all(stream) if body == MESSAGE][-2:] == [MESSAGE, MESSAGE]


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("length", [500, 100_000, 10**12])
def test_messages_within_a_body_that_is_too_long_are_found_however_it_is_cut(
    size: int, length: int
) -> None:
    begin = b"Content-Length: %d\r\nContent-Type: x\r\n\r\n" % length
    stream = begin + MESSAGE + frame(MESSAGE) + begin.replace(b"%d" % length, b"24") + MESSAGE
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert [body for body in read_all(*parts) if body == MESSAGE][-2:] == [MESSAGE, MESSAGE]


def test_any_number_of_messages_that_are_too_long_is_skipped() -> None:
    found = read_all(b"Content-Length: 99999999\r\n\r\n{" * 3000 + frame(MESSAGE))
    assert len(found) == 3001
    assert found[-1] == MESSAGE


HEADER_LINES = b"Content-Length: 1\r\n" * 100


@pytest.mark.parametrize(
    ("head", "piece", "size"),
    [
        pytest.param(b"", b"a", 4_000, id="a header that comes byte by byte"),
        pytest.param(b"Content-Length: 60000000\r\n\r\n", b"a", 4_000, id="such a body"),
        pytest.param(b"Content-Length: 60000000\r\n\r\n", HEADER_LINES, 500, id="lines of headers"),
        pytest.param(b"Content-Length: 60000000\r\n\r\n", b"\r\n\r\n{", 4_000, id="begins"),
        pytest.param(b"Content-Length: 99999999\r\n\r\n", HEADER_LINES, 500, id="skipped"),
    ],
)
def test_the_work_grows_with_the_length_of_what_comes(head: bytes, piece: bytes, size: int) -> None:
    def work(count: int) -> None:
        read_all(head, *[piece] * count)
        read_all(head + piece * count)

    assert growth(work, int, size) < MOST


def test_a_length_that_is_too_small_costs_its_own_message_only() -> None:
    stream = b"Content-Length: 5\r\n\r\n" + MESSAGE + frame(MESSAGE)
    cut, error, message = read_all(stream)
    assert cut == MESSAGE[:5]
    assert isinstance(error, FrameError)
    assert message == MESSAGE


@given(st.binary(max_size=300), st.integers(1, 40))
def test_whatever_comes_before_them_two_messages_are_enough(garbage: bytes, size: int) -> None:
    stream = garbage + frame(MESSAGE) + frame(MESSAGE)
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert MESSAGE in read_all(*parts)


def test_garbage_without_end_is_given_up_within_a_bound() -> None:
    decoder = Decoder()
    pieces = range(MAX_GARBAGE_BYTES // 10_000 + 20)
    found = [body for _ in pieces for body in decoder.feed(b"x" * 10_000)]
    assert any(isinstance(body, LostError) for body in found)
    assert len(found) < 20


def test_a_stream_that_ends_inside_a_message_just_ends() -> None:
    assert read_all(frame(b"{}") + b"Content-Length: 10\r\n\r\n{") == [b"{}"]


class Pipe:
    """What the other side sends through a pipe, and what was taken of it."""

    def __init__(self) -> None:
        self.taken: list[bytes | FrameError] = []
        self.incoming = Incoming()
        source, self._sink = os.pipe()
        self._source = os.fdopen(source, "rb", buffering=0)

    async def open(self) -> "asyncio.Task[None]":
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: self.incoming, self._source)
        return asyncio.create_task(self.incoming.deliver(self.taken.append))

    def send(self, *bodies: bytes) -> None:
        os.write(self._sink, b"".join(map(frame, bodies)))

    def send_raw(self, data: bytes) -> None:
        os.write(self._sink, data)

    def end(self) -> None:
        os.close(self._sink)


async def test_what_lies_in_the_pipe_is_taken_before_one_is_caught_up() -> None:
    pipe = Pipe()
    delivering = await pipe.open()
    await pipe.incoming.caught_up()
    bodies = [b"%d" % number for number in range(1000)]
    pipe.send(*bodies)
    await pipe.incoming.caught_up()
    assert pipe.taken == bodies
    pipe.end()
    await delivering


async def test_a_message_of_which_half_has_come_is_waited_for() -> None:
    pipe = Pipe()
    delivering = await pipe.open()
    pipe.send_raw(frame(b"whole")[:-2])
    waiting = asyncio.create_task(pipe.incoming.caught_up())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    pipe.send_raw(b"le")
    await waiting
    assert pipe.taken == [b"whole"]
    pipe.end()
    await delivering


async def test_a_burst_leaves_turns_to_others_and_is_taken_in_order_to_its_end() -> None:
    pipe = Pipe()
    bodies = [b"%d" % number for number in range(2000)]
    delivering = await pipe.open()
    pipe.send(*bodies)
    pipe.end()
    seen = []
    while not delivering.done():
        await asyncio.sleep(0)
        seen.append(len(pipe.taken))
    assert pipe.taken == bodies
    assert len(set(seen)) > 10


@pytest.mark.parametrize("later", [b"", b"last"])
async def test_what_comes_meanwhile_waits_and_comes_in_order(later: bytes) -> None:
    pipe, held = Pipe(), asyncio.get_running_loop().create_future()
    delivering = await pipe.open()
    pipe.send(b"first")
    await pipe.incoming.caught_up()
    pipe.incoming.hold(held)
    pipe.send(b"second", b"third")
    for _ in range(20):
        await asyncio.sleep(0)
    if later:
        pipe.send(later)
    pipe.end()
    for _ in range(20):
        await asyncio.sleep(0)
    assert pipe.taken == [b"first"]
    held.set_result(None)
    await delivering
    assert pipe.taken == [b"first", b"second", b"third", *filter(None, [later])]


async def test_the_next_message_waits_for_the_steps_of_one_while_others_go_on() -> None:
    pipe, done = Pipe(), []

    def take(body: bytes | FrameError) -> Iterator[None] | None:
        if body != b"long":
            done.append(body)
            return None
        return (done.append(b"step") for _ in range(10))

    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: pipe.incoming, pipe._source)
    pipe.send(b"first", b"long", b"last")
    pipe.end()
    delivering, seen = asyncio.ensure_future(pipe.incoming.deliver(take)), set()
    while not delivering.done():
        await asyncio.sleep(0)
        seen.add(len(done))
    assert done == [b"first", *[b"step"] * 10, b"last"]
    assert len(seen) > 10
    transport.close()
    await pipe.incoming.closed


@pytest.mark.parametrize("number", [1, 1000])
async def test_a_message_that_cannot_be_taken_ends_the_conversation(number: int) -> None:
    pipe = Pipe()

    def take(body: bytes | FrameError) -> None:
        pipe.taken.append(body)
        if body == b"%d" % number:
            raise RuntimeError("a defect")

    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: pipe.incoming, pipe._source)
    pipe.send(*(b"%d" % each for each in range(2000)))
    try:
        with pytest.raises(RuntimeError, match="a defect"):
            async with asyncio.timeout(5):
                await pipe.incoming.deliver(take)
    finally:
        pipe.end()
        transport.close()
        await pipe.incoming.closed
    assert len(pipe.taken) == number + 1


async def test_nothing_is_taken_after_stop() -> None:
    pipe = Pipe()
    taken: list[bytes | FrameError] = []

    def take(body: bytes | FrameError) -> None:
        taken.append(body)
        pipe.incoming.stop()

    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: pipe.incoming, pipe._source)
    pipe.send(b"exit", b"more")
    await pipe.incoming.deliver(take)
    await pipe.incoming.caught_up()
    assert taken == [b"exit"]
    pipe.end()
    await pipe.incoming.closed


async def test_closing_waits_until_all_is_read() -> None:
    source, sink = os.pipe()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(_Closing, os.fdopen(sink, "wb"))
    writer = TransportWriter(transport, protocol.closed)
    writer.write(b"x" * (1 << 20))  # more than a pipe holds
    closing = asyncio.ensure_future(writer.close())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not closing.done()
    with os.fdopen(source, "rb") as file:
        assert len(await asyncio.to_thread(file.read)) == 1 << 20
    await closing
