"""HTTP to models, as the rest of the package sees it: one `Transport` serves a process.

The client is httpx's; `connections` is the transport below it.
"""

import asyncio
import ipaddress
import json
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from twotrack.errors import (
    MalformedReply,
    ModelError,
    NoKey,
    RequestRejected,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from twotrack.llm import failures
from twotrack.llm.keys import Key, KeyMissing, Secret
from twotrack.settings.schema import NetworkSettings

if TYPE_CHECKING:
    import httpx

    from twotrack.llm.http.clients import HttpClients, ServerClient

_DEFAULT = NetworkSettings()
_ERROR_BYTES = 65_536
"""Of an error body no more is read."""
_PIECE = 8 * 1024
"""Bytes that are unpacked at a time."""
_BELOW_VERSION = ("chat/completions", "completions", "messages", "models")
"""Paths that most servers have below /v1."""
_SECRET_LENGTH = 8
"""A shorter header value, such as a version, may be repeated."""
_UNSENDABLE = "a header holds characters that cannot be sent."
_PLAIN = "It may speak plain http: write http:// in base_url then."
_NO_TLS = "Check base_url; a proxy or a login page may have answered."
_TLS = "It may speak TLS: write https:// in base_url then."
_OF_ANOTHER = "Name it in [models] if it is to be asked all the same."
_CERTIFICATES = "Name its authority in network.ca_file, or check base_url."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom a model is asked."""

    name: str
    """The model's name in the settings, for errors."""
    base_url: str
    """Without a slash at the end."""
    key: Key = field(default_factory=Key)
    """Sent in `key_header`, unless `headers` sets that."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """More headers; they may hold secrets too."""
    key_header: str = "Authorization"
    """`Authorization` says ``Bearer KEY``, any other header the bare key."""
    query: str = field(default="", repr=False)
    """Of every request, as Azure wants it; it may hold a key."""
    socket: str = ""
    """Path of the Unix socket at which the server listens; empty: at the port of `base_url`."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat: the key in use, and the values of the headers."""
        key = self.key.used
        given = (*self.headers.values(), *dict(parse_qsl(self.query)).values())
        values = (value for value in given if len(value) >= _SECRET_LENGTH)
        return (*values, key.reveal()) if key else tuple(values)

    @property
    def local(self) -> bool:
        """Whether requests stay on this machine."""
        return is_loopback(self.base_url)


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _build(settings: NetworkSettings) -> "HttpClients":
    from twotrack.llm.http.clients import HttpClients  # noqa: PLC0415  # lazily: 80 ms no start should pay

    return HttpClients(settings)


class Transport:
    """Pooled connections with bounds; one for all models.

    `network` says how servers are reached. Its `connect_s` bounds making a connection, `idle_s` the
    silence within an answer: it counts from the first byte of the body on, because a local server
    sends headers at once and then loads its model or reads the prompt. `max_bytes` bounds one
    answer. How long the first byte, and the answer in all, may take is the caller's to say.
    `build` makes the connections' owner, in a thread.
    """

    def __init__(
        self,
        network: NetworkSettings = _DEFAULT,
        *,
        max_bytes: int = 32 * 2**20,
        build: "Callable[[NetworkSettings], HttpClients]" = _build,
    ) -> None:
        self._settings = network
        self._max_bytes = max_bytes
        self._build = build
        self.unnamed: frozenset[str] = frozenset()
        """Base URLs on this machine that were found and that no setting names: whose the server is
        is asked at each new connection, for another person may have taken its port."""
        self._network: HttpClients | None = None
        self._building = asyncio.Lock()

    def configure(self, network: NetworkSettings) -> None:
        """Reach servers so from now on; answers that are under way go on."""
        if network == self._settings:
            return
        self._settings = network
        old, self._network = self._network, None
        if old is not None and not old.users:
            old.close()

    async def warm(self) -> None:
        """Import httpx, in a thread (0.1 s); a request would."""
        await self._ready("")

    async def _ready(self, base_url: str) -> "HttpClients":
        """Have what `base_url` is reached with, made in a thread where it is not there yet."""
        network = self._network
        if network is not None and not network.lacks_trust(base_url):
            return network
        async with self._building:
            while (network := self._network) is None or network.lacks_trust(base_url):
                if network is not None:
                    await asyncio.to_thread(network.trust)
                    continue
                settings = self._settings
                network = await asyncio.to_thread(self._build, settings)
                if settings == self._settings:  # else they changed meanwhile
                    self._network = network
            return network

    async def connect(self, endpoint: Endpoint) -> None:
        """Have a connection for the next request: DNS, TCP, proxy, TLS; nothing is asked or told.

        It is kept for 55 s; where there is one, nothing is done. Raises ModelError.
        """
        network = await self._ready(endpoint.base_url)
        server = _server(network, endpoint, self.unnamed)
        with self._using(network):
            try:
                async with asyncio.timeout(network.settings.connect_s + 1):  # also for a full pool
                    await server.transport.connect(server.url)
            except _errors() as error:
                raise _mapped(endpoint, server, error, answered=False) from None

    async def aclose(self) -> None:
        """Close all connections; requests under way fail. A later one opens new connections."""
        network, self._network = self._network, None
        if network is not None:
            network.close()
            await asyncio.sleep(0)  # for asyncio to close the sockets

    @contextmanager
    def _using(self, network: "HttpClients") -> Iterator[None]:
        """Keep the connections of `network` open, even where settings change meanwhile."""
        network.users += 1
        try:
            yield
        finally:
            network.users -= 1
            if network is not self._network and not network.users:
                network.close()

    async def stream(
        self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None, method: str = "POST"
    ) -> AsyncGenerator[bytes, None]:
        """Send `body` as JSON to `{base_url}/{path}`; yield the bytes of the answer as they come.

        Closing the generator before the end closes the connection, or under HTTP/2 resets the
        request. A request is sent once more where a kept connection turns out to be closed, or the
        server says that it did not begin. Redirects are not followed. Raises ModelError.
        """
        try:
            key = await endpoint.key.get()
        except KeyMissing as missing:
            wait = missing.retry_after_s
            raise NoKey(endpoint.name, f"{missing}.", retry_after_s=wait) from None
        network = await self._ready(endpoint.base_url)
        server = _server(network, endpoint, self.unnamed)
        request = _request(server, endpoint, key, path, body, method)
        response = None
        with self._using(network):
            try:
                response = await server.client.send(request, stream=True, auth=None)
                if response.status_code != 200:
                    raise await self._failure(endpoint, path, response, body)
                chunks = _body(response)
                received, idle_s = 0, None
                while True:
                    async with asyncio.timeout(idle_s):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        break
                    received += len(chunk)
                    if received > self._max_bytes:
                        detail = f"the reply is larger than {self._max_bytes} bytes."
                        raise MalformedReply(endpoint.name, detail)
                    idle_s = network.settings.idle_s
                    yield chunk
            except _errors() as error:
                raise _mapped(endpoint, server, error, answered=response is not None) from None
            finally:
                if response is not None:  # hangs up, or resets, where the answer has not ended
                    await response.aclose()

    async def _failure(
        self,
        endpoint: Endpoint,
        path: str,
        response: "httpx.Response",
        body: Mapping[str, Any] | None,
    ) -> ModelError:
        """Read the beginning of an error body, and say what it means."""
        said = b""
        async with asyncio.timeout(self._settings.idle_s):
            async for chunk in _body(response):
                said += chunk
                if len(said) >= _ERROR_BYTES:
                    break
        secret = (*endpoint.secrets, *failures.strings(body))
        error = failures.from_status(
            endpoint.name,
            response.status_code,
            response.headers,
            said[:_ERROR_BYTES],
            secret,
            key=endpoint.key,
            base_url=endpoint.base_url if path in _BELOW_VERSION else "",
        )
        if isinstance(error, Unauthorized):
            endpoint.key.forget()
        return error


def _server(network: "HttpClients", endpoint: Endpoint, unnamed: Collection[str]) -> "ServerClient":
    """Find the way to an endpoint. Raises Unreachable."""
    from twotrack.llm.http.clients import Misconfigured  # noqa: PLC0415  # lazily: loaded by now

    try:
        url = endpoint.base_url
        local, judged = endpoint.local, url in unnamed
        return network.server(url, local=local, judged=judged, path=endpoint.socket)
    except Misconfigured as wrong:
        raise Unreachable(endpoint.name, str(wrong), hint="") from None
    except ValueError:
        raise Unreachable(endpoint.name, "base_url is no http or https URL.") from None


def _request(  # noqa: PLR0917  # what a request consists of
    server: "ServerClient",
    endpoint: Endpoint,
    key: Secret | None,
    path: str,
    body: Mapping[str, Any] | None,
    method: str,
) -> "httpx.Request":
    """Raises RequestRejected if a header cannot be sent."""
    import httpx  # noqa: PLC0415  # lazily: loaded by now

    headers = {
        "User-Agent": "twotrack",
        "Accept": "text/event-stream, application/json",
        "Accept-Encoding": "identity",  # a compressing proxy may hold events back
    }
    content = None
    if body is not None:
        content = _encode(body)
        headers["Content-Type"] = "application/json"
    if key is not None:
        bearer = endpoint.key_header.lower() == "authorization"
        headers[endpoint.key_header] = f"Bearer {key.reveal()}" if bearer else key.reveal()
    if endpoint.headers:
        given = {name.lower() for name in endpoint.headers}
        kept = {name: value for name, value in headers.items() if name.lower() not in given}
        headers = {**kept, **endpoint.headers}
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise RequestRejected(endpoint.name, _UNSENDABLE)
    if endpoint.query:
        path = f"{path}{'&' if '?' in path else '?'}{endpoint.query}"
    try:
        url = server.below(path)
    except httpx.InvalidURL:  # such as one that is too long
        raise RequestRejected(endpoint.name, "its URL cannot be sent.") from None
    none: dict[str, Any] = {"timeout": {}}  # who waits is cancelled instead
    return httpx.Request(method, url, headers=headers, content=content, extensions=none)


def _encode(body: Mapping[str, Any]) -> bytes:
    # A lone surrogate, which an editor may send, has no UTF-8.
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _body(response: "httpx.Response") -> AsyncIterator[bytes]:
    """Yield the bytes of an answer, unpacked if a server packed it unasked."""
    packed = response.headers.get("content-encoding", "").lower() in ("gzip", "deflate")
    return _unpacked(response.aiter_raw()) if packed else response.aiter_raw()


async def _unpacked(packed: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Unpack in small pieces, with turns for others: a thousand times as much may be in there.

    httpx unpacks all at once, and keeps what follows the end.
    """
    decoder = zlib.decompressobj(wbits=47)  # gzip or zlib, as the bytes say
    async for chunk in packed:
        if decoder.eof:  # what follows is no part of it, and may have no end
            return
        rest, full = chunk, True
        while full and not decoder.eof:
            if data := decoder.decompress(rest, _PIECE):
                yield data
            rest, full = decoder.unconsumed_tail, len(data) == _PIECE
            await asyncio.sleep(0)


def _errors() -> tuple[type[Exception], ...]:
    import httpx  # noqa: PLC0415  # lazily: loaded by now

    return httpx.TransportError, TimeoutError, zlib.error


def _about_tls(failed: ssl.SSLError, *, alone: bool) -> str:
    """Return what may help where TLS failed; `alone`: nobody stands between."""
    if "ALERT" in (failed.reason or ""):  # so it does speak TLS
        return _CERTIFICATES
    return _PLAIN if alone else _NO_TLS  # in clear, a key is told to whoever stands between


def _mapped(
    endpoint: Endpoint, server: "ServerClient", error: Exception, *, answered: bool
) -> ModelError:
    """Turn httpx's errors into ours; their texts may hold headers, so none is kept."""
    import httpx  # noqa: PLC0415  # lazily: loaded by now

    from twotrack.llm.http.connections import OfAnother, TlsFailed  # noqa: PLC0415  # the same

    host = urlsplit(endpoint.base_url).netloc.rpartition("@")[2]
    through = f" through the proxy {server.proxy}" if server.proxy else ""
    kind: type[ModelError] = Unreachable
    match error:
        case TlsFailed(why=ssl.SSLCertVerificationError()):
            detail = f"the certificate of {host} is not trusted{through}."
            return kind(endpoint.name, detail, hint=_CERTIFICATES)
        case TlsFailed(why=failed):
            detail = f"TLS with {host} failed{through}."
            alone = endpoint.local and not server.proxy
            return kind(endpoint.name, detail, hint=_about_tls(failed, alone=alone))
        case OfAnother():
            detail = f"another user's program is at {host}; nothing was sent."
            return kind(endpoint.name, detail, hint=_OF_ANOTHER)
        case httpx.ConnectError() | httpx.ConnectTimeout():
            detail = f"no connection to {host}{through}."
        case httpx.ProxyError(args=(status,)):
            detail = f"no connection to {host}{through}, which answered {status}."
        case httpx.LocalProtocolError():
            kind, detail = RequestRejected, _UNSENDABLE
        case httpx.TimeoutException() | TimeoutError():
            kind, detail = TimedOut, f"{host} sent nothing in time."
        case httpx.RemoteProtocolError() if not answered and "illegal" in str(error):
            detail = f"{host} sent no answer in HTTP."
            return kind(endpoint.name, detail, hint=_TLS)
        case _ if answered:
            kind, detail = MalformedReply, f"{host} ended the reply in the middle."
        case _:
            detail = f"{host} closed the connection without an answer."
    return kind(endpoint.name, detail)
