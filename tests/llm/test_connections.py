"""Connections over HTTP/1.1: made ahead, kept, made anew, closed when an answer is given up."""

import asyncio
import socket
from contextlib import aclosing

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import Unreachable
from twotrack.llm.transport import Endpoint, Transport


def endpoint(url: str) -> Endpoint:
    return Endpoint("mine", url)


async def read(transport: Transport, url: str) -> bytes:
    body = {"prompt": "x", "stream": True}
    async with aclosing(transport.stream(endpoint(url), "completions", body)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_connection_is_made_ahead(server: ModelServer, transport: Transport) -> None:
    asked = endpoint(server.base_url)
    await asyncio.gather(*(transport.connect(asked) for _ in range(5)))
    await transport.connect(asked)
    assert server.requests == []  # nothing is asked, and nothing told
    await read(transport, server.base_url)
    await transport.connect(asked)
    assert server.connections == 1
    assert len(server.requests) == 1


async def test_nothing_to_connect_to(transport: Transport) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Unreachable, match=f"no connection to 127.0.0.1:{port}"):
            await transport.connect(endpoint(f"http://127.0.0.1:{port}/v1"))


async def test_a_connection_made_ahead_and_closed_meanwhile_is_made_anew(
    transport: Transport,
) -> None:
    async with ModelServer() as first:
        asked = endpoint(first.base_url)
        await transport.connect(asked)
    second = ModelServer()
    second.port = first.port
    async with second:
        await read(transport, first.base_url)
        assert second.connections == 1


async def test_a_finished_answer_keeps_the_connection(
    server: ModelServer, transport: Transport
) -> None:
    for _ in range(3):
        await read(transport, server.base_url)
    assert [request.connection for request in server.requests] == [1, 1, 1]


async def test_a_connection_that_was_closed_meanwhile_is_made_anew(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply("first"), Reply(drop=True), Reply("second"))
    await read(transport, server.base_url)
    await read(transport, server.base_url)
    assert len(server.requests) == 3
    assert server.connections == 2


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply("a b", hang_after=1)])
@pytest.mark.parametrize("turns", range(4))
async def test_cancelling_twice_closes_the_connection(
    server: ModelServer, transport: Transport, reply: Reply, turns: int
) -> None:
    """The second time while it is being closed."""
    server.script(reply)
    asking = asyncio.create_task(read(transport, server.base_url))
    request = await server.wait_for(1)
    asking.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait((asking,))
    await request.closed()
    assert request.aborted_at is not None
    await read(transport, server.base_url)
