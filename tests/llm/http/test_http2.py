"""HTTP/2: what is given up is reset on the wire, and the connection goes on."""

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

import httpx
import pytest
from h2.errors import ErrorCodes
from hyperframe.frame import (
    DataFrame,
    ExtensionFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.h2_server import PIECE, Answer, H2Request, H2Server
from patience import patient
from twotrack.errors import MalformedReply, RequestRejected, TimedOut, Unreachable
from twotrack.llm.http.clients import HttpClients
from twotrack.llm.http.frames import Frames
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.keys import Key
from twotrack.settings.schema import NetworkSettings

KEY = "sk-canary-0123456789abcdef"
BODY: dict[str, Any] = {"prompt": "def payroll():"}
WHOLE = PIECE * 2


@pytest.fixture
async def transport(trusting: NetworkSettings) -> AsyncIterator[Transport]:
    opened = Transport(trusting)
    yield opened
    await opened.aclose()


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
@pytest.mark.parametrize("answer", [Answer.FLOOD, Answer.FLOOD_WHOLE])
async def test_unread_data_given_up_leaves_the_window_open(
    remote: H2Server, transport: Transport, answer: Answer
) -> None:
    """16 MiB may be under way in all; as much as was given up unread would be missing for ever."""
    for _ in range(800):
        remote.script(answer)
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


async def test_what_is_refused_twice_has_failed(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.REFUSED, Answer.REFUSED)
    with pytest.raises(Unreachable, match="without an answer"):
        await read(transport, remote)
    assert len(remote.requests) == 2


async def test_a_server_that_takes_its_leave_ends_what_it_has_begun(
    remote: H2Server, transport: Transport
) -> None:
    """Nginx does so after 1000 requests, of which some are under way."""
    remote.script(Answer.HANG, Answer.HANG_AFTER_PIECE)
    waiting = asyncio.create_task(read(transport, remote))
    first = await remote.wait_for(1)
    chunks, second = await begun(transport, remote)
    second.leave()
    first.finish()
    assert await waiting == WHOLE
    assert await read(transport, remote) == WHOLE
    assert [request.connection for request in remote.requests] == [1, 1, 2]
    second.finish()
    assert b"".join([chunk async for chunk in chunks]) == WHOLE
    assert not any(request.reset.done() for request in (first, second))


async def test_a_server_may_answer_and_hang_up(remote: H2Server, transport: Transport) -> None:
    for _ in range(3):
        remote.script(Answer.LAST)
        assert await read(transport, remote) == WHOLE
    assert remote.connections == len(remote.requests) == 3


async def test_an_answer_before_the_prompt_is_there(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.EARLY)
    with pytest.raises(RequestRejected, match="the server answered 413"):
        await read(transport, remote, {"prompt": "x" * 500_000})
    assert await read(transport, remote) == WHOLE
    assert remote.connections == 1


async def test_a_server_that_sets_no_limit(remote: H2Server, transport: Transport) -> None:
    remote.allow(None)
    remote.script(Answer.HANG)
    waiting = asyncio.create_task(read(transport, remote))
    request = await remote.wait_for(1)
    assert await read(transport, remote) == WHOLE
    request.finish()
    assert await waiting == WHOLE
    assert remote.connections == 1


async def test_a_server_that_lowers_its_limit(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.HANG, Answer.HANG)
    under_way = [asyncio.create_task(read(transport, remote)) for _ in range(2)]
    await remote.wait_for(2)
    remote.allow(1)
    waiting = asyncio.create_task(read(transport, remote))
    for request in remote.requests:
        request.finish()
    assert await asyncio.gather(*under_way, waiting) == [WHOLE] * 3
    assert remote.connections == 1


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


async def test_a_connection_is_kept_while_it_is_in_use(
    remote: H2Server, trusting: NetworkSettings
) -> None:
    transport = Transport(trusting, build=partial(HttpClients, kept_s=-1.0))
    remote.script(Answer.HANG_AFTER_PIECE)
    chunks, request = await begun(transport, remote)
    await read(transport, remote)
    assert remote.connections == 1
    request.finish()
    assert b"".join([chunk async for chunk in chunks]) == WHOLE
    await read(transport, remote)
    assert remote.connections == 2
    await transport.aclose()


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


async def test_a_status_that_is_no_number(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.NO_STATUS)
    with pytest.raises(Unreachable, match="without an answer"):
        await read(transport, remote)
    assert await read(transport, remote) == WHOLE


async def test_a_connection_without_room_keeps_nobody(
    remote: H2Server, transport: Transport
) -> None:
    """Nobody would read on it, and so nobody hear of room that comes later."""
    assert await read(transport, remote) == WHOLE
    remote.allow(0)
    assert await read(transport, remote) == WHOLE  # which hears of it
    assert await read(transport, remote) == WHOLE
    assert remote.connections == 2


FRAMES = {
    "ping": PingFrame(0, b"12345678"),
    "settings": SettingsFrame(0),
    "window": WindowUpdateFrame(1, window_increment=1),
    "priority": PriorityFrame(1, depends_on=3),
    "unknown": ExtensionFrame(0x42, 1),
    "empty data": DataFrame(1),
    "padding": DataFrame(1, b"", pad_length=2, flags=["PADDED"]),
    "interim heads": HeadersFrame(1, b"\x48\x03103", flags=["END_HEADERS"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMES)
async def test_a_flood_of_what_is_no_answer_ends_the_connection(
    remote: H2Server, transport: Transport, name: str
) -> None:
    remote.script(Answer.HANG)
    asking = asyncio.create_task(read(transport, remote))
    request = await remote.wait_for(1)
    request.flood(FRAMES[name].serialize(), 2**20)
    with pytest.raises((Unreachable, MalformedReply)):
        await asking
    await remote.left_alone()
    assert await read(transport, remote) == WHOLE


async def test_a_flood_that_nobody_asked_for_ends_the_connection(
    remote: H2Server, transport: Transport
) -> None:
    """Nobody would ever close it: it is looked at when the next request comes."""
    await read(transport, remote)
    remote.requests[0].flood(FRAMES["ping"].serialize(), 2**20)
    await remote.left_alone()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        pytest.param(SettingsFrame(0).serialize() * 1_001, "settings", id="frames without any"),
        pytest.param(
            b"".join(
                SettingsFrame(0, settings=dict.fromkeys(range(n, n + 100), 1)).serialize()
                for n in range(100, 1_200, 100)
            ),
            "settings",
            id="of which no standard knows",
        ),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "longer", id="another protocol"),
    ],
)
def test_frames_that_h2_would_be_lost_in_are_refused(sent: bytes, said: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match=said):
        Frames().without_goodbye(sent)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(GoAwayFrame(0).serialize(), id="it leaves"),
        pytest.param(SettingsFrame(0, settings={3: 0}).serialize(), id="it has no room"),
    ],
)
async def test_a_server_whose_connections_take_no_request_is_given_up(
    certified: ssl.SSLContext, transport: Transport, said: bytes
) -> None:
    """Under TLS 1.2 it can say so together with the end of the handshake: nothing is asked yet."""
    certified.maximum_version = ssl.TLSVersion.TLSv1_2
    certified.set_alpn_protocols(["h2"])
    connections = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        came, leaves = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = certified.wrap_bio(came, leaves, server_side=True)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(leaves.read())
                came.write(await reader.read(2**16))
            else:
                break
        tls.write(SettingsFrame(0).serialize() + said)
        writer.write(leaves.read())
        with suppress(OSError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        asked = transport.stream(Endpoint("mine", url), "completions", BODY)
        with pytest.raises(Unreachable):
            async with aclosing(asked), asyncio.timeout(patient(5)):
                await anext(asked)
        assert connections == 3


async def test_garbage_instead_of_an_answer(remote: H2Server, transport: Transport) -> None:
    remote.script(Answer.GARBAGE)
    with pytest.raises(Unreachable, match="without an answer"):
        await read(transport, remote)
    assert await read(transport, remote) == WHOLE
    assert len(remote.requests) == 2


async def test_a_long_prompt_passes_the_servers_window(
    remote: H2Server, transport: Transport
) -> None:
    body = {"prompt": "x" * 500_000}
    assert await read(transport, remote, body) == WHOLE
    assert json.loads(remote.requests[0].body) == body


async def test_a_long_prompt_waits_for_no_other_answer(
    remote: H2Server, transport: Transport
) -> None:
    """Whoever waits longest reads for all, also what makes room for the prompt of another."""
    remote.script(Answer.HANG)
    waiting = asyncio.create_task(read(transport, remote))
    request = await remote.wait_for(1)
    body = {"prompt": "x" * 500_000}
    assert await asyncio.gather(*(read(transport, remote, body) for _ in range(3))) == [WHOLE] * 3
    request.finish()
    assert await waiting == WHOLE


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


_FRAME = st.tuples(st.sampled_from([0, 1, 4, 6, 7, 200]), st.binary(min_size=8, max_size=40))


@settings(max_examples=200)
@given(st.lists(_FRAME, max_size=12), st.lists(st.integers(1, 30), min_size=1, max_size=80))
def test_goodbye_is_kept_from_h2_however_it_comes(
    frames: list[tuple[int, bytes]], pieces: list[int]
) -> None:
    def whole(kind: int, content: bytes) -> bytes:
        return len(content).to_bytes(3) + bytes([kind, 0, 0, 0, 0, 1]) + content

    data, filtered, passed, last = b"".join(whole(*f) for f in frames), Frames(), b"", None
    sizes = itertools.cycle(pieces)
    while data:
        size = next(sizes)
        frames_of_piece, left_at = filtered.without_goodbye(data[:size])
        passed, data = passed + frames_of_piece, data[size:]
        last = last if left_at is None else left_at
    assert passed == b"".join(whole(*frame) for frame in frames if frame[0] != 7)
    goodbyes = [content for kind, content in frames if kind == 7]
    assert last == (int.from_bytes(goodbyes[-1][:4]) & 0x7FFFFFFF if goodbyes else None)
