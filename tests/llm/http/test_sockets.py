"""What stands between HTTP and asyncio: bounds on what is read ahead and sent ahead."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from fakes.proxy_server import ProxyServer
from patience import patient
from twotrack.llm.http import sockets
from twotrack.llm.http.clients import certificates
from twotrack.settings.schema import NetworkSettings

MEGABYTES = 8 * 2**20


async def test_little_is_read_ahead() -> None:
    async with ProxyServer(0, says=b"x" * MEGABYTES) as server:
        socket = await sockets.connect("127.0.0.1", server.port)
        socket.send(b"GET / HTTP/1.1\r\n\r\n")
        received = 0
        while data := await socket.read():
            received += len(data)
            assert len(socket._received) <= 2**20
            await asyncio.sleep(0)
        assert received == MEGABYTES
        socket.abort()


async def test_a_flood_is_read_in_small_pieces_with_turns_for_others() -> None:
    """What can be done within one read is done in one turn of the event loop."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with ProxyServer(0, says=b"x" * MEGABYTES) as server:
        socket = await sockets.connect("127.0.0.1", server.port)
        socket.send(b"GET / HTTP/1.1\r\n\r\n")
        waiting = asyncio.create_task(others())
        pieces = 0
        while data := await socket.read():
            pieces += 1
            assert len(data) <= 2**13
        assert turns >= pieces >= MEGABYTES // 2**13
        waiting.cancel()
        socket.abort()


async def test_who_sends_waits_for_a_side_that_lags_behind() -> None:
    reading = asyncio.Event()

    async def lag(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reading.wait()
        heard = await reader.readexactly(2 * MEGABYTES)
        writer.write(b"%d" % len(heard))
        await reader.read()
        writer.transport.abort()

    async with await asyncio.start_server(lag, "127.0.0.1", 0) as server:
        socket = await sockets.connect("127.0.0.1", server.sockets[0].getsockname()[1])
        socket.send(b"x" * 2 * MEGABYTES)
        sending = asyncio.create_task(socket.drain())
        await asyncio.sleep(0)
        assert not sending.done()
        reading.set()
        await sending
        assert await socket.read() == b"%d" % (2 * MEGABYTES)
        socket.abort()
        server.close()
        for _ in range(5):  # for the other side to hear of it
            await asyncio.sleep(0)


async def test_plain_text_never_passes_for_tls() -> None:
    """A proxy that sends more than its answer would otherwise speak for the server."""
    async with ProxyServer(0, says=b"x" * 2**14) as proxy:
        socket = await sockets.connect("127.0.0.1", proxy.port)
        socket.send(b"GET / HTTP/1.1\r\n\r\n")
        await socket.read()
        with pytest.raises(ConnectionAbortedError):
            await socket.start_tls(certificates(None, {}), "models.test")
        socket.abort()


@asynccontextmanager
async def secured(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    certified: ssl.SSLContext,
    trusting: NetworkSettings,
) -> AsyncIterator[sockets.Socket]:
    """A connection that speaks TLS with `serve`."""
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certified) as server:
        socket = await sockets.connect("127.0.0.1", server.sockets[0].getsockname()[1])
        trust = certificates(trusting.ca_file, {}, offers_http2=False)
        await socket.start_tls(trust, "127.0.0.1")
        yield socket


async def test_tls_that_holds_nothing_ends_the_connection(
    certified: ssl.SSLContext, trusting: NetworkSettings
) -> None:
    """A server may say new keys, or tickets, for ever; no reader would hear of it."""
    certified.num_tickets = 2_000

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read()
        writer.transport.abort()

    async with secured(serve, certified, trusting) as socket:
        async with asyncio.timeout(patient(5)):
            assert await socket.read() == b""
        assert socket.heard == 0


async def test_records_of_a_byte_each_are_unpacked_a_few_at_a_time(
    certified: ssl.SSLContext, trusting: NetworkSettings
) -> None:
    """Asyncio unpacks all that the system has kept in one turn of the event loop."""
    count = 40_000

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.writelines([b"x"] * count)
        await reader.read()
        writer.transport.abort()

    async with secured(drip, certified, trusting) as socket:
        socket.send(b"?")
        most = before = read = 0
        while read < count:
            if socket.readable:
                read += len(await socket.read())
            await asyncio.sleep(0)
            most, before = max(most, socket.heard - before), socket.heard
        assert most < 6_000
        socket.abort()
