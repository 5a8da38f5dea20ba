"""Proxies and certificate authorities: from the settings and from the environment."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import trustme

from fakes.h2_server import H2Server
from fakes.model_server import ModelServer, Reply
from fakes.proxy_server import ProxyServer
from twotrack.errors import Unreachable
from twotrack.llm.keys import Key
from twotrack.llm.transport import Endpoint, Transport
from twotrack.settings.schema import NetworkSettings

KEY = "sk-canary-0123456789abcdef"
PASSWORD = "hunter2-canary"
REMOTE = "https://models.test/v1"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def remote(authority: trustme.CA) -> AsyncIterator[H2Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "models.test").configure_cert(context)
    async with H2Server(context) as running:
        yield running


@pytest.fixture
async def proxy(remote: H2Server) -> AsyncIterator[ProxyServer]:
    async with ProxyServer(remote.port) as running:
        yield running


async def read(network: NetworkSettings, url: str) -> bytes:
    transport = Transport(network)
    asked = Endpoint("mine", url, Key("K", environment={"K": KEY}))
    try:
        async with aclosing(transport.stream(asked, "completions", {})) as chunks:
            return b"".join([chunk async for chunk in chunks])
    finally:
        await transport.aclose()


async def test_the_environments_proxy_with_its_password(
    remote: H2Server, proxy: ProxyServer, trusting: NetworkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@{proxy.address}")
    assert b"data" in await read(trusting, REMOTE)
    (request,) = proxy.requests
    assert (request.method, request.target) == ("CONNECT", "models.test:443")
    expected = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    assert request.headers["proxy-authorization"] == f"Basic {expected}"
    assert "authorization" not in request.headers
    assert "proxy-authorization" not in remote.requests[0].headers


async def test_the_settings_proxy_comes_first(
    remote: H2Server, proxy: ProxyServer, trusting: NetworkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "models.test")
    network = NetworkSettings(ca_file=trusting.ca_file, proxy=f"http://{proxy.address}")
    assert b"data" in await read(network, REMOTE)
    assert len(proxy.requests) == 1


async def test_no_proxy_is_heeded(
    remote: H2Server, proxy: ProxyServer, trusting: NetworkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv("NO_PROXY", "elsewhere.invalid,.models.invalid")
    with pytest.raises(Unreachable, match=r"no connection to api\.models\.invalid\."):
        await read(trusting, "https://api.models.invalid/v1")
    assert proxy.requests == []


async def test_this_machine_is_reached_directly(
    remote: H2Server, proxy: ProxyServer, trusting: NetworkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://{proxy.address}")
    network = NetworkSettings(ca_file=trusting.ca_file, proxy=f"http://{proxy.address}")
    assert b"data" in await read(network, remote.url)
    assert proxy.requests == []


async def test_plain_http_is_forwarded(proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{PASSWORD}@{proxy.address}")
    assert await read(NetworkSettings(), "http://models.test:8080/v1") == b"{}"
    (request,) = proxy.requests
    assert request.method == "POST"
    assert request.target == "http://models.test:8080/v1/completions"
    assert request.headers["host"] == "models.test:8080"
    assert request.headers["proxy-authorization"].startswith("Basic ")


async def test_a_proxy_that_speaks_tls_itself(
    remote: H2Server, trusting: NetworkSettings, authority: trustme.CA
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with ProxyServer(remote.port, tls=context) as proxy:
        network = NetworkSettings(ca_file=trusting.ca_file, proxy=f"https://{proxy.address}")
        assert b"data" in await read(network, REMOTE)
        assert len(proxy.requests) == 1


async def test_a_proxy_that_refuses(
    remote: H2Server, trusting: NetworkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ProxyServer(remote.port, status=407) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@{proxy.address}")
        with pytest.raises(Unreachable) as failure:
            await read(trusting, REMOTE)
    said = "no connection to models.test through the proxy 127.0.0.1, which answered 407."
    assert said in str(failure.value)
    assert PASSWORD not in str(failure.value)


async def test_a_proxy_that_is_silent(remote: H2Server) -> None:
    async with ProxyServer(remote.port, silent=True) as proxy:
        network = NetworkSettings(proxy=f"http://{proxy.address}", connect_s=0.1)
        with pytest.raises(Unreachable, match=r"no connection to models\.test through the proxy"):
            await read(network, REMOTE)


@pytest.mark.parametrize("url", [f"socks5://me:{PASSWORD}@host:1", f"http://{PASSWORD}@host:x"])
async def test_a_proxy_that_is_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(Unreachable) as failure:
        await read(NetworkSettings(), REMOTE)
    expected = "mine: HTTPS_PROXY in the environment is no http:// or https:// URL."
    assert str(failure.value) == expected


async def test_an_unknown_authority_is_not_trusted(remote: H2Server) -> None:
    with pytest.raises(Unreachable, match=r"not trusted\. Name its authority in network\.ca_file"):
        await read(NetworkSettings(), remote.url)
    assert remote.requests == []


async def test_the_environments_authorities(
    remote: H2Server, trusting: NetworkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusting.ca_file))
    assert b"data" in await read(NetworkSettings(), remote.url)


async def test_a_name_that_is_not_in_the_certificate(
    remote: H2Server, proxy: ProxyServer, trusting: NetworkSettings
) -> None:
    network = NetworkSettings(ca_file=trusting.ca_file, proxy=f"http://{proxy.address}")
    with pytest.raises(Unreachable, match=r"certificate of other\.test is not trusted"):
        await read(network, "https://other.test/v1")


@pytest.mark.parametrize("broken", ["absent", "text", "folder"])
@pytest.mark.parametrize("setting", ["network.ca_file", "SSL_CERT_FILE"])
async def test_a_file_of_authorities_that_is_none(
    server: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    broken: str,
) -> None:
    file = tmp_path / "authorities.pem"
    if broken == "text":
        file.write_text("no certificate")
    elif broken == "folder":
        file.mkdir()
    if setting == "SSL_CERT_FILE":
        monkeypatch.setenv(setting, str(file))
    network = NetworkSettings(ca_file=file if setting == "network.ca_file" else None)
    with pytest.raises(Unreachable, match=f"^mine: {setting} names {file}, which ") as failure:
        await read(network, REMOTE)
    assert "base_url" not in str(failure.value)
    assert b"pass" in await read(network, server.base_url)  # this machine needs none


async def test_new_settings_hold_for_new_requests(
    remote: H2Server, server: ModelServer, trusting: NetworkSettings
) -> None:
    transport = Transport()
    with pytest.raises(Unreachable):
        await transport.connect(Endpoint("mine", remote.url))
    transport.configure(trusting)
    await transport.connect(Endpoint("mine", remote.url))
    await transport.aclose()


async def test_new_settings_cut_nothing(server: ModelServer) -> None:
    transport = Transport()
    asked = Endpoint("mine", server.base_url)
    server.script(Reply("a b", hang_after=1))
    chunks = transport.stream(asked, "completions", {"stream": True})
    await anext(chunks)
    transport.configure(NetworkSettings(idle_s=5))
    async with aclosing(transport.stream(asked, "completions", {"stream": True})) as others:
        assert [chunk async for chunk in others]
    server.release()
    assert b"[DONE]" in b"".join([chunk async for chunk in chunks])
    assert server.connections == 2
    await transport.aclose()


async def test_equal_settings_change_nothing(server: ModelServer) -> None:
    transport = Transport()
    asked = Endpoint("mine", server.base_url)
    await transport.connect(asked)
    transport.configure(NetworkSettings())
    await transport.connect(asked)
    assert server.connections == 1
    await transport.aclose()


async def test_connecting_in_vain_is_bounded() -> None:
    """A server that accepts and says nothing is not there."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.transport.abort()

    transport = Transport(NetworkSettings(connect_s=0.1))
    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match=f"no connection to 127.0.0.1:{port}"):
            await transport.connect(Endpoint("mine", f"https://127.0.0.1:{port}"))
        await transport.aclose()
