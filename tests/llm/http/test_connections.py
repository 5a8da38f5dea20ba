"""Connections over HTTP/1.1: made ahead, kept, made anew, closed when an answer is given up."""

import asyncio
import json
import socket
import ssl
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import MalformedReply, RequestRejected, Unreachable
from twotrack.llm.embedded_socket import SocketPlace, reached
from twotrack.llm.http.clients import HttpClients
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.settings.schema import NetworkSettings

BODY = b'{"prompt":"x","stream":true}'


def endpoint(url: str) -> Endpoint:
    return Endpoint("mine", url)


async def read(transport: Transport, url: str) -> bytes:
    asked = json.loads(BODY)
    async with aclosing(transport.stream(endpoint(url), "completions", asked)) as chunks:
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


async def test_a_connection_is_not_kept_for_ever(server: ModelServer) -> None:
    transport = Transport(build=partial(HttpClients, kept_s=-1.0))
    await transport.connect(endpoint(server.base_url))
    for number in (2, 3):
        await read(transport, server.base_url)
        assert server.connections == number
    await transport.aclose()


@pytest.mark.parametrize("kept", [False, True])
async def test_a_request_is_charged_once(
    server: ModelServer, transport: Transport, kept: bool
) -> None:
    """Only a kept connection may have been closed before the request came."""
    if kept:
        await read(transport, server.base_url)
    server.script(*([Reply(drop=True)] * (2 if kept else 1)), Reply("not asked for"))
    with pytest.raises(Unreachable, match="closed the connection without an answer"):
        await read(transport, server.base_url)
    assert len(server.requests) == (3 if kept else 1)


async def test_a_server_that_worked_before_it_hung_up_is_not_asked_again(
    server: ModelServer,
) -> None:
    transport = Transport(build=partial(HttpClients, race_s=0.0))
    await read(transport, server.base_url)
    server.script(Reply(drop=True))
    with pytest.raises(Unreachable, match="closed the connection without an answer"):
        await read(transport, server.base_url)
    assert len(server.requests) == 2
    await transport.aclose()


@pytest.mark.parametrize("answer", [b"H", b"HTTP/1.1 101 Upgrade\r\n\r\n", b"\x15\x03\x01\r\n\r\n"])
async def test_what_is_no_answer_is_not_asked_for_again(
    transport: Transport, answer: bytes
) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await reader.readexactly(len(BODY))
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        assert await read(transport, url) == b"{}"
        with pytest.raises((Unreachable, RequestRejected)):
            await read(transport, url)
    assert len(heads) == 2


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply("a b", hang_after=1)])
@pytest.mark.parametrize("kept", [False, True])
async def test_closing_ends_requests_and_asks_nothing_again(
    server: ModelServer, transport: Transport, reply: Reply, kept: bool
) -> None:
    if kept:
        await read(transport, server.base_url)
    server.script(reply)
    asking = asyncio.create_task(read(transport, server.base_url))
    request = await server.wait_for(1 + kept)
    await transport.aclose()
    with pytest.raises((Unreachable, MalformedReply)):
        await asking
    await request.closed()
    assert request.aborted_at is not None
    assert (len(server.requests), server.connections) == (1 + kept, 1)
    await read(transport, server.base_url)


async def test_new_settings_while_connecting(server: ModelServer, transport: Transport) -> None:
    await transport.warm()
    connecting = asyncio.create_task(transport.connect(endpoint(server.base_url)))
    await asyncio.sleep(0)
    transport.configure(NetworkSettings(idle_s=5))
    await connecting
    await read(transport, server.base_url)
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


@pytest.mark.parametrize("offered", [None, ["h2", "http/1.1"]])
async def test_http_1_over_tls(
    certified: ssl.SSLContext,
    trusting: NetworkSettings,
    offered: list[str] | None,
) -> None:
    """A server may have no other."""
    if offered is not None:
        certified.set_alpn_protocols(offered)
    spoken: list[str | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"GET /v1/models HTTP/1.1\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await reader.read()
        writer.transport.abort()

    build = partial(HttpClients, offers_http2=offered is None)
    transport = Transport(trusting, build=build)
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=certified) as server:
        asked = endpoint(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        for _ in range(2):
            async with aclosing(transport.stream(asked, "models", None, "GET")) as chunks:
                assert [chunk async for chunk in chunks] == [b"{}"]
        await transport.aclose()
    assert spoken == ["http/1.1" if offered else None]


HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@asynccontextmanager
async def raw_server(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives `answer` to whatever comes; its base URL, and what came at first."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(2**16))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1", heard


async def test_a_request_goes_out_in_one_piece(transport: Transport) -> None:
    async with raw_server(HEAD + b"2\r\nok\r\n0\r\n\r\n") as (url, heard):
        assert await read(transport, url) == b"ok"
    assert heard[0].startswith(b"POST /v1/completions HTTP/1.1\r\n")
    assert heard[0].endswith(BODY)


async def test_what_came_at_once_is_given_in_one_piece(transport: Transport) -> None:
    async with (
        raw_server(HEAD + b"2\r\nab\r\n" * 3 + b"0\r\n\r\n") as (url, _),
        aclosing(transport.stream(endpoint(url), "completions", {})) as chunks,
    ):
        assert [chunk async for chunk in chunks] == [b"ababab"]


async def test_what_came_before_a_broken_chunk_is_given(transport: Transport) -> None:
    async with (
        raw_server(HEAD + b"2\r\nab\r\n" * 2 + b"none\r\n") as (url, _),
        aclosing(transport.stream(endpoint(url), "completions", {})) as chunks,
    ):
        assert await anext(chunks) == b"abab"
        with pytest.raises(MalformedReply, match="ended the reply in the middle"):
            await anext(chunks)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")
async def test_what_comes_behind_an_answer_is_no_answer_to_the_next_request(
    transport: Transport,
) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%d\n"
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while await reader.readuntil(BODY):
            asked += 1
            writer.write(said % asked + (said % 9 if asked == 1 else b""))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await read(transport, url) == b"1\n"
        assert await read(transport, url) == b"2\n"
        await transport.aclose()


async def test_a_server_at_a_unix_socket(transport: Transport) -> None:
    """What no other user reaches is asked by its path; nothing goes to the URL's port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    place = SocketPlace()
    path = place.path()
    assert place.path() == path
    assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700
    url, found = reached(f"unix://{path}")
    asked = Endpoint("mine", url, socket=found)
    for _ in range(2):  # also where the server was started again
        server = await asyncio.start_unix_server(answer, path)
        async with aclosing(transport.stream(asked, "health", None, "GET")) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == b"ok"
        server.close()
    place.remove()
    assert not Path(path).parent.exists()
    with pytest.raises(Unreachable):
        await transport.connect(Endpoint("mine", url, socket=found))
