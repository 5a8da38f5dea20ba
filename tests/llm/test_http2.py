"""HTTP/2: what is given up is reset on the wire, and the connection goes on."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import trustme
from h2.errors import ErrorCodes

from fakes.h2_server import PIECE, Answer, H2Request, H2Server
from fakes.model_server import ModelServer
from twotrack.errors import MalformedReply, TimedOut, Unreachable
from twotrack.llm import http2
from twotrack.llm.keys import Key
from twotrack.llm.transport import Endpoint, Transport
from twotrack.settings.schema import NetworkSettings

KEY = "sk-canary-0123456789abcdef"
BODY: dict[str, Any] = {"prompt": "def payroll():"}
WHOLE = PIECE * 2


@pytest.fixture
async def remote(authority: trustme.CA) -> AsyncIterator[H2Server]:
    async with H2Server(tls(authority)) as running:
        yield running


@pytest.fixture
async def transport(trusting: NetworkSettings) -> AsyncIterator[Transport]:
    opened = Transport(trusting)
    yield opened
    await opened.aclose()


def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "models.test").configure_cert(context)
    return context


def endpoint(server: H2Server) -> Endpoint:
    return Endpoint("mine", server.url, Key("K", environment={"K": KEY}))


async def read(transport: Transport, server: H2Server, body: dict[str, Any] = BODY) -> bytes:
    async with aclosing(transport.stream(endpoint(server), "completions", body)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def begun(transport: Transport, server: H2Server) -> tuple[Any, H2Request]:
    """Ask, and read the first piece."""
    chunks = transport.stream(endpoint(server), "completions", BODY)
    await anext(chunks)
    return chunks, server.requests[-1]


async def test_requests_share_a_connection(remote: H2Server, transport: Transport) -> None:
    await read(transport, remote)
    answers = await asyncio.gather(*(read(transport, remote) for _ in range(20)))
    assert answers == [WHOLE] * 20
    assert remote.connections == 1
    sent = remote.requests[0]
    assert json.loads(sent.body) == BODY
    assert sent.headers[":path"] == "/v1/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"


async def test_first_requests_share_the_connection_that_is_being_made(
    remote: H2Server, transport: Transport
) -> None:
    await asyncio.gather(*(read(transport, remote) for _ in range(5)))
    assert remote.connections == 1


@pytest.mark.parametrize("answer", [Answer.HANG, Answer.HANG_AFTER_PIECE])
async def test_cancelled_is_reset(remote: H2Server, transport: Transport, answer: Answer) -> None:
    remote.script(answer)
    asking = asyncio.create_task(read(transport, remote))
    request = await remote.wait_for(1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await request.reset_code() == ErrorCodes.CANCEL
    assert await read(transport, remote) == WHOLE
    assert remote.connections == 1


async def test_cancelled_twice_is_reset(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.HANG)
    asking = asyncio.create_task(read(transport, remote))
    request = await remote.wait_for(1)
    asking.cancel()
    asyncio.get_running_loop().call_soon(asking.cancel)  # while it is being closed
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await request.reset_code() == ErrorCodes.CANCEL
    assert await read(transport, remote) == WHOLE


async def test_closed_early_is_reset(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.HANG_AFTER_PIECE)
    chunks, request = await begun(transport, remote)
    await chunks.aclose()
    assert await request.reset_code() == ErrorCodes.CANCEL


async def test_the_others_survive(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.HANG_AFTER_PIECE, Answer.HANG_AFTER_PIECE)
    survivor, first = await begun(transport, remote)
    given_up, second = await begun(transport, remote)
    await given_up.aclose()
    await second.reset_code()
    first.finish()
    assert b"".join([chunk async for chunk in survivor]) == WHOLE
    assert remote.connections == 1
    assert not first.reset.done()


async def test_the_one_that_reads_for_all_may_be_given_up(
    remote: H2Server, transport: Transport
) -> None:
    remote.script(Answer.HANG, Answer.HANG)
    reader = asyncio.create_task(read(transport, remote))
    await remote.wait_for(1)
    waiter = asyncio.create_task(read(transport, remote))
    request = await remote.wait_for(2)
    reader.cancel()
    await remote.requests[0].reset_code()
    request.finish()
    assert await waiter == WHOLE


@pytest.mark.parametrize("answer", [Answer.HANG, Answer.HANG_AFTER_PIECE])
async def test_many_given_up_leave_room(
    remote: H2Server, transport: Transport, answer: Answer
) -> None:
    for number in range(1, 151):
        remote.script(answer)
        asking = asyncio.create_task(read(transport, remote))
        await remote.wait_for(number)
        asking.cancel()
        await asyncio.wait((asking,))
    assert await read(transport, remote) == WHOLE
    assert remote.connections == 1


@pytest.mark.slow
async def test_unread_data_given_up_leaves_the_window_open(
    remote: H2Server, transport: Transport
) -> None:
    """16 MiB may be under way in all; as much as was given up unread would be missing for ever."""
    for _ in range(600):
        remote.script(Answer.FLOOD)
        chunks = transport.stream(endpoint(remote), "completions", BODY)
        await anext(chunks)
        await chunks.aclose()
    assert await read(transport, remote) == WHOLE
    assert remote.connections == 1


async def test_silence_ends_one_request_only(remote: H2Server, trusting: NetworkSettings) -> None:
    transport = Transport(NetworkSettings(ca_file=trusting.ca_file, idle_s=0.1))
    remote.script(Answer.HANG, Answer.HANG_AFTER_PIECE)
    patient = asyncio.create_task(read(transport, remote))
    first = await remote.wait_for(1)
    with pytest.raises(TimedOut):
        await read(transport, remote)
    assert await remote.requests[1].reset_code() == ErrorCodes.CANCEL
    first.finish()
    assert await patient == WHOLE
    await transport.aclose()


@pytest.mark.parametrize("answer", [Answer.GO_AWAY, Answer.REFUSED])
@pytest.mark.parametrize("before", [0, 1])
async def test_what_was_not_begun_is_asked_once_more(
    remote: H2Server, transport: Transport, answer: Answer, before: int
) -> None:
    for _ in range(before):
        await read(transport, remote)
    remote.script(answer)
    assert await read(transport, remote) == WHOLE
    assert len(remote.requests) == before + 2


async def test_what_may_have_been_begun_is_not_asked_again(
    remote: H2Server, transport: Transport
) -> None:
    remote.script(Answer.FAILED)
    with pytest.raises(Unreachable, match="without an answer"):
        await read(transport, remote)
    assert len(remote.requests) == 1


async def test_a_connection_that_was_closed_meanwhile_is_made_anew(
    remote: H2Server, transport: Transport
) -> None:
    await read(transport, remote)
    remote.hang_up()
    assert await read(transport, remote) == WHOLE
    assert remote.connections == 2


async def test_hung_up_in_the_middle(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.HANG_AFTER_PIECE)
    chunks, _ = await begun(transport, remote)
    remote.hang_up()
    with pytest.raises(MalformedReply, match="in the middle"):
        await anext(chunks)


async def test_garbage_in_the_middle(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.HANG_AFTER_PIECE)
    chunks, request = await begun(transport, remote)
    request.garble()
    with pytest.raises(MalformedReply, match="in the middle"):
        await anext(chunks)
    assert await read(transport, remote) == WHOLE


async def test_garbage_instead_of_an_answer(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.GARBAGE, Answer.GARBAGE)
    with pytest.raises(Unreachable, match="without an answer"):
        await read(transport, remote)
    assert await read(transport, remote) == WHOLE


async def test_a_long_prompt_passes_the_servers_window(
    remote: H2Server, transport: Transport
) -> None:
    body = {"prompt": "x" * 500_000}
    assert await read(transport, remote, body) == WHOLE
    assert json.loads(remote.requests[0].body) == body


async def test_a_cancelled_upload_harms_nobody(remote: H2Server, transport: Transport) -> None:
    """Cancelled at every step of sending: each byte counts for TLS and for compressed headers."""
    await read(transport, remote)
    for turns in range(40):
        asking = asyncio.create_task(read(transport, remote, {"prompt": "x" * 200_000}))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait((asking,))
    assert await read(transport, remote) == WHOLE
    assert remote.connections == 1


async def test_a_connection_is_made_ahead(remote: H2Server, transport: Transport) -> None:
    await asyncio.gather(*(transport.connect(endpoint(remote)) for _ in range(5)))
    await transport.connect(endpoint(remote))
    assert remote.connections == 1
    assert remote.requests == []
    await read(transport, remote)
    assert remote.connections == 1
    await transport.connect(endpoint(remote))
    assert len(remote.requests) == 1


async def test_a_cancelled_request_leaves_its_connection_to_the_next(
    remote: H2Server, transport: Transport
) -> None:
    await transport.warm()
    asking = asyncio.create_task(read(transport, remote))
    for _ in range(3):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait((asking,))
    assert await read(transport, remote) == WHOLE
    assert remote.connections == 1


async def test_a_server_that_speaks_http_1_only(
    authority: trustme.CA, transport: Transport
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"GET /v1/models HTTP/1.1\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls(authority))
    async with server:
        port = server.sockets[0].getsockname()[1]
        asked = Endpoint("mine", f"https://127.0.0.1:{port}/v1")
        for _ in range(2):
            async with aclosing(transport.stream(asked, "models", None, "GET")) as chunks:
                assert [chunk async for chunk in chunks] == [b"{}"]
        await transport.aclose()


async def test_plain_http_stays_http_1(server: ModelServer, transport: Transport) -> None:
    asked = Endpoint("mine", server.base_url)
    async with aclosing(transport.stream(asked, "completions", BODY)) as chunks:
        async for _ in chunks:
            pass
    assert len(server.requests) == 1


async def test_where_httpcore_has_changed_http_1_is_spoken(
    authority: trustme.CA, trusting: NetworkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never an HTTP/2 that leaves requests running."""
    monkeypatch.setattr(http2, "SUPPORTED", False)
    offered: list[str | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        offered.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await reader.read()
        writer.transport.abort()

    context = tls(authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    transport = Transport(trusting)
    async with server:
        port = server.sockets[0].getsockname()[1]
        asked = Endpoint("mine", f"https://127.0.0.1:{port}/v1")
        async with aclosing(transport.stream(asked, "models", None, "GET")) as chunks:
            assert [chunk async for chunk in chunks] == [b"{}"]
        await transport.aclose()
    assert offered == ["http/1.1"]
