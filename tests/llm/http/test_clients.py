"""Proxies and certificate authorities: from the settings and from the environment."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
import trustme

from fakes.h2_server import H2Server
from fakes.model_server import ModelServer, Reply
from fakes.proxy_server import ProxyServer
from twotrack.errors import Unreachable
from twotrack.llm.http.clients import HttpClients, certificates, environment_proxy
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.keys import Key
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


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("", "https://api.models.test/v1", True),
        ("*", "https://api.models.test/v1", False),
        ("models.test", "https://api.models.test/v1", False),
        (".Models.TEST", "https://API.models.test/v1", False),
        ("othermodels.test, els.test", "https://models.test/v1", True),
        ("models.test:8443", "https://models.test:8443/v1", False),
        ("models.test:8443", "https://models.test/v1", True),
        ("models.test:443", "https://models.test/v1", False),
        ("10.1.2.3", "http://10.1.2.3:8000/v1", False),
        ("fd00::7", "http://[fd00::7]:8000/v1", False),
        ("[fd00::7]", "http://[fd00::7]/v1", False),
    ],
)
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_whom_no_proxy_names(
    no_proxy: str,
    url: str,
    proxied: bool,
    case: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(case("all_proxy"), "proxy.test:3128")
    monkeypatch.setenv(case("no_proxy"), no_proxy)
    found, _ = environment_proxy(url)
    assert found == ("http://proxy.test:3128" if proxied else None)


def test_a_proxy_that_a_web_client_may_have_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a CGI script HTTP_PROXY is the header `Proxy` of whoever asked (CVE-2016-1000110)."""
    monkeypatch.setenv("REQUEST_METHOD", "GET")
    monkeypatch.setenv("HTTP_PROXY", "http://evil.test")
    assert environment_proxy("http://models.test/v1")[0] is None
    monkeypatch.setenv("http_proxy", "http://proxy.test")
    assert environment_proxy("http://models.test/v1")[0] == "http://proxy.test"


@pytest.mark.parametrize(
    ("base_url", "host", "port", "path", "header"),
    [
        ("https://Models.Test/v1", b"models.test", None, b"/v1/m", "models.test"),
        ("https://h.test:8443", b"h.test", 8443, b"/m", "h.test:8443"),
        ("http://[::1]:8080/v1", b"::1", 8080, b"/v1/m", "[::1]:8080"),
        ("https://b\xfccher.test/v1", b"xn--bcher-kva.test", None, b"/v1/m", "xn--bcher-kva.test"),
        (f"https://me:{PASSWORD}@h.test/v1", b"h.test", None, b"/v1/m", "h.test"),
        ("https://h.test/a b/\xe9%20/", b"h.test", None, b"/a%20b/%C3%A9%20/m", "h.test"),
    ],
)
def test_where_a_base_url_leads(
    base_url: str, host: bytes, port: int | None, path: bytes, header: str
) -> None:
    server = HttpClients(NetworkSettings()).server(base_url, local=True)
    url = server.below("m")
    assert (url.raw_host, url.port, url.raw_path) == (host, port, path)
    assert url.netloc.decode() == header
    assert not url.userinfo


def test_no_old_tls() -> None:
    context = certificates(None, {})
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


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
        transport = Transport(network)
        for url in (REMOTE, "https://models.test/v2"):  # which share the connection
            async with aclosing(transport.stream(Endpoint("mine", url), "m", {})) as chunks:
                assert [chunk async for chunk in chunks]
        assert len(proxy.requests) == 1
        await transport.aclose()


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


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", b"220 ready\r\n\r\n", b"x" * 500_000])
async def test_a_proxy_that_speaks_no_http(answer: bytes) -> None:
    async with ProxyServer(0, says=answer) as proxy:
        network = NetworkSettings(proxy=f"http://{proxy.address}")
        expected = r"no connection to models\.test through the proxy 127\.0\.0\.1\. Check"
        with pytest.raises(Unreachable, match=expected):
            await read(network, REMOTE)


async def test_a_key_is_not_proposed_to_be_sent_in_clear_to_another_machine() -> None:
    """Whoever stands between decides what TLS fails with."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.transport.abort()

    async with (
        await asyncio.start_server(refuse, "127.0.0.1", 0) as server,
        ProxyServer(server.sockets[0].getsockname()[1]) as proxy,
    ):
        network = NetworkSettings(proxy=f"http://{proxy.address}")
        with pytest.raises(Unreachable, match=r"TLS with models\.test failed") as failure:
            await read(network, REMOTE)
    assert "plain http" not in failure.value.message


async def test_a_proxy_that_is_silent(remote: H2Server) -> None:
    async with ProxyServer(remote.port, silent=True) as proxy:
        network = NetworkSettings(proxy=f"http://{proxy.address}", connect_s=0.1)
        with pytest.raises(Unreachable, match=r"no connection to models\.test through the proxy"):
            await read(network, REMOTE)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("url", [f"socks5://me:{PASSWORD}@host:1", f"http://{PASSWORD}@host:x"])
async def test_a_proxy_that_is_none(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, url)
    with pytest.raises(Unreachable) as failure:
        await read(NetworkSettings(), REMOTE)
    expected = f"mine: {name} in the environment is no http:// or https:// URL."
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
