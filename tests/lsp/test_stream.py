"""Messages over pipes: read in their order, written without waiting for who reads them."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from twotrack.lsp.framing import FrameError, frame
from twotrack.lsp.stream import Incoming, TransportWriter, _Closing


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
