"""Messages come out of the stream as they went in, however it is cut."""

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.lsp.stream import FrameError, TransportWriter, _Closing, frame, read_frames


async def read_all(*parts: bytes) -> list[bytes | FrameError]:
    reader = asyncio.StreamReader(limit=64 * 1024)
    for part in parts:
        reader.feed_data(part)
    reader.feed_eof()
    return [body async for body in read_frames(reader)]


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(1, 40))
def test_bodies_survive_any_cut_of_the_stream(bodies: list[bytes], size: int) -> None:
    stream = b"".join(frame(body) for body in bodies)
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert asyncio.run(read_all(*parts)) == bodies


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 2\r\n\r\n",
        b"CONTENT-LENGTH:2\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
    ],
)
async def test_header_names_are_read_in_any_case_and_order(header: bytes) -> None:
    assert await read_all(header + b"{}") == [b"{}"]


async def test_a_message_without_length_is_reported_and_the_next_one_read() -> None:
    first, second = await read_all(b"Content-Type: text\r\n\r\n" + frame(b"{}"))
    assert isinstance(first, FrameError)
    assert "Content-Length" in str(first)
    assert second == b"{}"


async def test_an_oversized_message_is_skipped_without_being_kept() -> None:
    size = 64 * 1024 * 1024 + 1
    reader = asyncio.StreamReader(limit=64 * 1024)

    async def feed() -> None:
        reader.feed_data(b"Content-Length: %d\r\n\r\n" % size)
        for start in range(0, size, 1 << 20):
            reader.feed_data(b"x" * min(1 << 20, size - start))
            await asyncio.sleep(0)
        reader.feed_data(frame(b"{}"))
        reader.feed_eof()

    feeding = asyncio.create_task(feed())
    first, second = [body async for body in read_frames(reader)]
    await feeding
    assert isinstance(first, FrameError)
    assert "longer than 64 MiB" in str(first)
    assert second == b"{}"


async def test_a_stream_that_ends_inside_a_message_just_ends() -> None:
    assert await read_all(frame(b"{}") + b"Content-Length: 10\r\n\r\n{") == [b"{}"]


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
