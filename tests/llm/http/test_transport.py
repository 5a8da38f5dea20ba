"""The transport against a real server: what fails and how, and who closes what."""

import asyncio
import gzip
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import (
    MalformedReply,
    ModelError,
    ModelNotFound,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from twotrack.llm.http.transport import Endpoint, Transport, is_loopback
from twotrack.llm.keys import Key
from twotrack.settings.schema import NetworkSettings

CANARY = "sk-canary-0123456789abcdef"
CODE = "def payroll(employees): return sum(e.salary for e in employees)"
BODY: dict[str, Any] = {"model": "m", "prompt": CODE, "stream": True}


def endpoint(url: str) -> Endpoint:
    return Endpoint("mine", url, Key("K", environment={"K": CANARY}))


async def read(
    transport: Transport, url: str, path: str = "completions", body: Any = BODY
) -> bytes:
    async with aclosing(transport.stream(endpoint(url), path, body)) as chunks:
        return b"".join([chunk async for chunk in chunks])


def said(message: str, **fields: object) -> dict[str, object]:
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (301, {}, ModelNotFound),
        (400, said("bad"), RequestRejected),
        (400, said("Your credit balance is too low"), QuotaExhausted),
        (400, said("unknown", code="model_not_found"), ModelNotFound),
        (401, said("no"), Unauthorized),
        (402, said("pay"), QuotaExhausted),
        (403, "<html>", Unauthorized),
        (404, said("who?"), ModelNotFound),
        (405, {}, ModelNotFound),
        (408, {}, TimedOut),
        (413, {}, RequestRejected),
        (418, {}, RequestRejected),
        (422, {"detail": [{"msg": "x", "input": CODE}]}, RequestRejected),
        (429, said("slow", type="rate_limit_error"), RateLimited),
        (429, said("empty", type="insufficient_quota"), QuotaExhausted),
        (429, [said("gemini", code=429, status="RESOURCE_EXHAUSTED")], RateLimited),
        (500, "not json", ServerFailed),
        (501, said("no fim"), RequestRejected),
        (503, said("Loading model"), ServerFailed),
        (504, {}, TimedOut),
        (529, said("overloaded"), ServerFailed),
    ],
)
async def test_every_status_has_its_error(
    server: ModelServer, transport: Transport, status: int, error: Any, kind: type[ModelError]
) -> None:
    server.script(Reply(status=status, error=error, headers={"Location": server.base_url}))
    with pytest.raises(kind) as failure:
        await read(transport, server.base_url)
    assert type(failure.value) is kind
    assert failure.value.model == "mine"
    assert len(server.requests) == 1  # nothing is asked twice, no redirect is followed


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "99999999999"}, 86_400.0),
        ({}, None),
    ],
)
async def test_the_time_to_wait(
    server: ModelServer, transport: Transport, headers: dict[str, str], seconds: float | None
) -> None:
    server.script(Reply(status=429, headers=headers))
    with pytest.raises(RateLimited) as failure:
        await read(transport, server.base_url)
    assert failure.value.retry_after_s == seconds


async def test_google_puts_the_time_to_wait_into_the_body(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(status=429, error=said("x", details=[{"retryDelay": "17s"}])))
    with pytest.raises(RateLimited) as failure:
        await read(transport, server.base_url)
    assert failure.value.retry_after_s == 17.0


async def test_the_providers_words_are_shown_short(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(status=400, error=said("too long:\n" + "x" * 500)))
    with pytest.raises(RequestRejected) as failure:
        await read(transport, server.base_url)
    assert "the server answered 400: too long: xxx" in str(failure.value)
    assert len(str(failure.value)) < 300


@pytest.mark.parametrize(
    "message",
    [
        f"Incorrect API key provided: {CANARY}.",
        f"Incorrect API key provided: {CANARY[:-2]}...",
        f"cannot parse: {CODE[10:40]}",
        f"cannot parse: {CODE}",
    ],
)
async def test_no_key_and_no_code_is_repeated(
    server: ModelServer,
    transport: Transport,
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "twotrack")
    server.script(Reply(status=400, error=said(message)))
    with pytest.raises(RequestRejected) as failure:
        await read(transport, server.base_url)
    shown = f"{failure.value} {failure.value!r} {failure.value.__cause__!r} {caplog.text}"
    assert "canary" not in shown
    assert "employees" not in shown
    assert "the server answered 400." in shown


def test_no_repr_shows_the_key() -> None:
    asked = Endpoint("m", "http://h", Key("K", environment={"K": CANARY}), {"x-key": CANARY})
    assert CANARY not in repr(asked)


async def test_nobody_listens(transport: Transport) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Unreachable, match=f"no connection to 127.0.0.1:{port}"):
            await read(transport, f"http://127.0.0.1:{port}/v1")


@pytest.mark.parametrize(
    ("scheme", "answer", "said"),
    [
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "may speak plain http: write http:// in"),
        ("https", b"\x15\x03\x01\x00\x02\x02\x46", "TLS with 127.0.0.1:{port} failed. Name its"),
        ("http", b"\x15\x03\x01\x00\x02\x02\x46", "may speak TLS: write https:// in base_url"),
    ],
)
async def test_the_wrong_scheme_is_named(
    transport: Transport, scheme: str, answer: bytes, said: str
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable) as failure:
            await read(transport, f"{scheme}://127.0.0.1:{port}/v1")
    assert said.format(port=port) in failure.value.message


async def test_a_head_without_end_is_read_up_to_a_bound(transport: Transport) -> None:
    """All of it is parsed in one turn of the event loop."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10_000)
        await reader.read()
        writer.transport.abort()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable):
            await read(transport, f"http://127.0.0.1:{port}/v1")
        await transport.aclose()


async def test_cut_in_the_middle(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("a b c", cut_after=2))
    with pytest.raises(MalformedReply, match="in the middle"):
        await read(transport, server.base_url)


async def test_silence_ends(server: ModelServer) -> None:
    transport = Transport(NetworkSettings(idle_s=0.05))
    server.script(Reply("a b c", hang_after=1))
    with pytest.raises(TimedOut, match="sent nothing in time"):
        await read(transport, server.base_url)
    await server.requests[0].closed()
    assert server.requests[0].aborted_at is not None
    await transport.aclose()


@pytest.mark.parametrize("reply", [Reply("a b", delay_s=0.2), Reply("a b", hang_after=0)])
async def test_a_slow_first_byte_is_no_silence(server: ModelServer, reply: Reply) -> None:
    transport = Transport(NetworkSettings(idle_s=0.05))
    server.script(reply)
    asyncio.get_running_loop().call_later(0.2, server.release)
    assert b"[DONE]" in await read(transport, server.base_url)
    await transport.aclose()


async def test_size_is_bounded(server: ModelServer) -> None:
    transport = Transport(max_bytes=100_000)
    server.script(Reply("a", garbage_bytes=5_000_000))
    with pytest.raises(MalformedReply, match="larger than 100000 bytes"):
        await read(transport, server.base_url)
    await transport.aclose()


async def test_a_huge_error_body_is_not_read(server: ModelServer, transport: Transport) -> None:
    server.script(Reply(status=500, error="x" * 5_000_000))
    with pytest.raises(ServerFailed):
        await read(transport, server.base_url)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/v1", "http://127.0.0.1:99999/v1", "nonsense"])
async def test_a_url_that_is_none(transport: Transport, url: str) -> None:
    with pytest.raises(Unreachable):
        await read(transport, url)


async def test_a_path_that_is_too_long(server: ModelServer, transport: Transport) -> None:
    with pytest.raises(RequestRejected, match="URL cannot be sent"):
        await read(transport, server.base_url, "models/" + "x" * 100_000)
    assert server.requests == []


async def test_a_header_that_cannot_be_sent(server: ModelServer, transport: Transport) -> None:
    for value in (f"{CANARY}\r\nx: y", f"{CANARY}é"):
        asked = Endpoint("m", server.base_url, headers={"x-key": value})
        with pytest.raises(RequestRejected) as failure:
            async with aclosing(transport.stream(asked, "completions", BODY)) as chunks:
                await anext(chunks)
        assert CANARY not in str(failure.value)
    assert server.requests == []


async def test_closing_the_generator_closes_the_connection(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply("a b c", hang_after=1))
    chunks = transport.stream(endpoint(server.base_url), "completions", BODY)
    assert b'"a ' in await anext(chunks)
    await chunks.aclose()
    await server.requests[0].closed()
    assert server.requests[0].aborted_at is not None


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply("a b", hang_after=1)])
async def test_cancelling_closes_the_connection(
    server: ModelServer, transport: Transport, reply: Reply
) -> None:
    server.script(reply)
    asking = asyncio.create_task(read(transport, server.base_url))
    request = await server.wait_for(1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await request.closed()
    assert request.aborted_at is not None


async def test_what_is_sent(server: ModelServer, transport: Transport) -> None:
    asked = Endpoint(
        "m", server.base_url, Key("K", environment={"K": CANARY}), {"x-portkey-config": "c"}
    )
    body = {"prompt": "é🎉\ud800"}  # a lone surrogate has no UTF-8
    async with aclosing(transport.stream(asked, "completions", body)) as chunks:
        async for _ in chunks:
            pass
    request = server.requests[0]
    assert request.body == {"prompt": "é🎉?"}
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert request.headers["x-portkey-config"] == "c"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"


async def test_a_users_header_replaces_the_bearer(
    server: ModelServer, transport: Transport
) -> None:
    key = Key("K", environment={"K": CANARY})
    asked = Endpoint("m", server.base_url, key, {"authorization": "Basic x"})
    async with aclosing(transport.stream(asked, "completions", BODY)) as chunks:
        async for _ in chunks:
            pass
    assert server.requests[0].headers["authorization"] == "Basic x"


@pytest.mark.parametrize(
    ("name", "value"), [("authorization", f"Bearer {CANARY}"), ("x-api-key", CANARY)]
)
async def test_the_key_goes_where_the_provider_wants_it(
    server: ModelServer, transport: Transport, name: str, value: str
) -> None:
    key = Key("K", environment={"K": CANARY})
    asked = Endpoint("m", server.base_url, key, key_header=name)
    async with aclosing(transport.stream(asked, "completions", BODY)) as chunks:
        async for _ in chunks:
            pass
    sent = server.requests[0].headers
    assert {n: v for n, v in sent.items() if CANARY in v} == {name: value}


@asynccontextmanager
async def packing(packed: bytes, *, endless: bytes = b"") -> AsyncIterator[str]:
    """A server that packs unasked; `endless` follows without end."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        length = "" if endless else f"Content-Length: {len(packed)}\r\n"
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n{length}\r\n"
        writer.write(head.encode() + packed)
        with suppress(ConnectionError):
            while endless:
                writer.write(endless)
                await writer.drain()
        await reader.read()
        writer.transport.abort()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_what_is_packed_unasked_is_unpacked(transport: Transport) -> None:
    async with packing(gzip.compress(b'{"data": []}')) as url:
        assert await read(transport, url, "models") == b'{"data": []}'
        await transport.aclose()


async def test_what_is_packed_a_thousandfold_comes_in_small_pieces(transport: Transport) -> None:
    """Each piece is worked on in one turn of the event loop."""
    whole = b"\n" * 10_000_000
    async with packing(gzip.compress(whole)) as url:
        pieces = []
        async with aclosing(transport.stream(endpoint(url), "models", BODY)) as chunks:
            pieces = [chunk async for chunk in chunks]
        assert b"".join(pieces) == whole
        assert max(map(len, pieces)) <= 2**13
        await transport.aclose()


async def test_what_follows_a_packed_answer_is_not_kept(transport: Transport) -> None:
    async with packing(gzip.compress(b'{"data": []}'), endless=b"x" * 2**16) as url:
        assert await read(transport, url, "models") == b'{"data": []}'
        await transport.aclose()


async def test_loopback_goes_through_no_proxy(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ModelServer() as proxy:
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        transport = Transport()
        await read(transport, server.base_url)
        await read(transport, "http://models.invalid/v1")
        assert [request.path for request in server.requests] == ["/v1/completions"]
        assert [r.headers["host"] for r in proxy.requests] == ["models.invalid"]
        await transport.aclose()


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://127.9.9.9", True),
        ("http://localhost:11434/v1", True),
        ("http://[::1]:80", True),
        ("http://ollama.localhost", True),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("http://192.168.0.2", False),
        ("https://api.openai.com/v1", False),
        ("", False),
    ],
)
def test_what_is_this_machine(url: str, local: bool) -> None:
    assert is_loopback(url) is local


async def test_a_key_that_was_refused_is_asked_for_again(
    server: ModelServer, transport: Transport, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    program = "import sys; print(open(sys.argv[1]).read())"
    key = Key(command=(sys.executable, "-c", program, str(file)))
    mine = Endpoint("mine", server.base_url, key)
    file.write_text("old-key-0123456789")
    server.api_key = "new-key-0123456789"
    for refused in (True, False):
        with pytest.raises(Unauthorized) if refused else nullcontext():
            async with aclosing(transport.stream(mine, "completions", BODY)) as chunks:
                assert [chunk async for chunk in chunks]
        file.write_text(server.api_key)
