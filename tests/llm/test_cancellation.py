"""Cancelled at any moment, once or twice: nothing is left behind, the next request is served."""

import asyncio
import ssl
from contextlib import aclosing
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.h2_server import PIECE, Answer, H2Server
from fakes.model_server import ModelServer, Reply
from fakes.proxy_server import ProxyServer
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.settings.schema import NetworkSettings

WHOLE = PIECE * 2
ANSWERS = [Answer.WHOLE, Answer.HANG, Answer.HANG_AFTER_PIECE, Answer.FLOOD, Answer.FLOOD_WHOLE]
REPLIES = [Reply("a"), Reply(hang=True), Reply("a b", hang_after=1)]

Moment = tuple[int, int | None, bool]
"""Turns of the event loop until a request is cancelled, and from then until it is cancelled again;
whether the next one begins before."""
moments = st.lists(
    st.tuples(st.integers(0, 150), st.none() | st.integers(0, 6), st.booleans()),
    min_size=1,
    max_size=5,
)
sizes = st.sampled_from([1, 200_000])
"""Of a prompt; the longer one is more than the server's window."""


async def read(transport: Transport, url: str, body: dict[str, Any]) -> bytes:
    asked = Endpoint("mine", url)
    async with aclosing(transport.stream(asked, "completions", body)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def pause(n_turns: int) -> None:
    for _ in range(n_turns):
        await asyncio.sleep(0)


async def give_up(asking: asyncio.Task[bytes], after: int, once_more: int | None) -> None:
    await pause(after)
    asking.cancel()
    if once_more is not None:
        await pause(once_more)
        asking.cancel()
    await asyncio.wait((asking,))
    if not asking.cancelled():
        asking.result()


async def check(transport: Transport, url: str, moments: list[Moment], body: Any) -> None:
    """Ask and give up; then nothing waits, nothing is held, and nobody complains."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    await transport.warm()
    running = []
    for after, once_more, at_once in moments:
        asking = asyncio.create_task(read(transport, url, body))
        running.append(asyncio.create_task(give_up(asking, after, once_more)))
        if not at_once:
            await running[-1]
    await asyncio.gather(*running)
    network = transport._network
    assert network is not None
    for _, below in network._clients.values():
        assert below._waiting == []
        async with asyncio.timeout(10):
            while not all(c.is_idle() or c.is_closed() for c in below._connections):
                await asyncio.sleep(0)  # the last one may still be opening
    assert complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("proxied", [False, True])
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(moments=moments, answers=st.lists(st.sampled_from(ANSWERS), max_size=5), size=sizes)
def test_over_http_2(
    authority: trustme.CA,
    trusting: NetworkSettings,
    *,
    proxied: bool,
    moments: list[Moment],
    answers: list[Answer],
    size: int,
) -> None:
    async def run() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "models.test").configure_cert(context)
        async with H2Server(context) as server, ProxyServer(server.port) as proxy:
            through = f"http://{proxy.address}" if proxied else None
            transport = Transport(NetworkSettings(ca_file=trusting.ca_file, proxy=through))
            url = "https://models.test/v1" if proxied else server.url
            server.script(*answers)
            await check(transport, url, moments, {"prompt": "x" * size})
            server.answers.clear()
            assert await read(transport, url, {}) == WHOLE
            assert server.connections == 1
            await transport.aclose()
            await server.left_alone()

    asyncio.run(run())


@pytest.mark.slow
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(moments=moments, replies=st.lists(st.sampled_from(REPLIES), max_size=5))
def test_over_http_1(moments: list[Moment], replies: list[Reply]) -> None:
    async def run() -> None:
        async with ModelServer() as server:
            transport = Transport()
            server.script(*replies)
            await check(transport, server.base_url, moments, {"stream": True})
            for request in server.requests:
                await request.closed()
            server.replies.clear()
            assert b"[DONE]" in await read(transport, server.base_url, {"stream": True})
            await transport.aclose()

    asyncio.run(run())
