"""HTTP: the only file that imports httpx.

One `Transport` serves all models of a process. Its two clients keep a pool of connections per
origin: one goes through the proxies of the environment, the other, for this machine, never does.
"""

import asyncio
import ipaddress
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twotrack.errors import (
    MalformedReply,
    ModelError,
    RequestRejected,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from twotrack.llm import failures
from twotrack.llm.keys import Key, KeyMissing, Secret

if TYPE_CHECKING:
    import httpx

_ERROR_BYTES = 65_536
"""Of an error body no more is read."""
_SECRET_LENGTH = 8
"""A shorter header value, such as a version, may be repeated."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom a model is asked."""

    name: str
    """The model's name in the settings, for errors."""
    base_url: str
    """Without a slash at the end."""
    key: Key = field(default_factory=Key)
    """Sent as a bearer token, unless `headers` sets `Authorization`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """More headers; they may hold secrets too."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat: the key in use, and the values of the headers."""
        key = self.key.used
        values = (value for value in self.headers.values() if len(value) >= _SECRET_LENGTH)
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


class Transport:
    """Pooled connections with bounds; one for all models.

    `connect_s` bounds making a connection, `idle_s` the silence between two reads, `max_bytes` one
    response after decompression. How long an answer may take in all is the caller's to say.
    """

    def __init__(
        self, *, connect_s: float = 5.0, idle_s: float = 60.0, max_bytes: int = 32 * 2**20
    ) -> None:
        self._connect_s = connect_s
        self._idle_s = idle_s
        self._max_bytes = max_bytes
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._building = asyncio.Lock()

    async def warm(self) -> None:
        """Import httpx and read the certificates, in a thread (0.1 s); the first request would."""
        async with self._building:
            if not self._clients:
                self._clients = await asyncio.to_thread(self._build)

    def _build(self) -> "dict[bool, httpx.AsyncClient]":
        import anyio  # noqa: PLC0415  # lazily, as httpx
        import httpx  # noqa: PLC0415  # lazily: 60 ms that no start should pay

        anyio.run(anyio.sleep, 0)  # loads what httpx would load at the first connection (20 ms)
        timeout = httpx.Timeout(self._idle_s, connect=self._connect_s)
        # Connections outlive a pause for thought: a new one to a cloud costs three round trips.
        limits = httpx.Limits(max_connections=64, keepalive_expiry=55.0)
        # Uncompressed: a compressing proxy may hold events back.
        headers = {"Accept-Encoding": "identity", "User-Agent": "twotrack"}
        certificates = httpx.create_ssl_context()
        # A client that is given its transport looks for no proxy.
        direct = httpx.AsyncHTTPTransport(verify=certificates, limits=limits)
        return {
            local: httpx.AsyncClient(
                timeout=timeout,
                limits=limits,
                headers=headers,
                verify=certificates,
                transport=direct if local else None,
            )
            for local in (False, True)
        }

    async def connect(self, endpoint: Endpoint) -> None:  # noqa: ARG002
        """Make a connection to `endpoint` for the next request. Raises ModelError."""
        await self.warm()

    async def aclose(self) -> None:
        """Close all connections. A later request opens new ones."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def stream(
        self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None, method: str = "POST"
    ) -> AsyncGenerator[bytes, None]:
        """Send `body` as JSON to `{base_url}/{path}`; yield the bytes of the answer as they come.

        Closing the generator before the end closes the connection. Redirects are not followed.
        Raises ModelError.
        """
        try:
            key = await endpoint.key.get()
        except KeyMissing as missing:
            raise Unauthorized(endpoint.name, f"{missing}.") from None
        if not self._clients:
            await self.warm()
        client = self._clients[endpoint.local]
        async with AsyncExitStack() as stack:
            stack.enter_context(_Mapped(endpoint, answered=False))
            request = client.build_request(
                method,
                f"{endpoint.base_url}/{path}",
                content=None if body is None else _encode(body),
                headers=_headers(endpoint, key),
            )
            response = await _send(client, request)
            stack.push_async_callback(response.aclose)
            stack.enter_context(_Mapped(endpoint, answered=True))
            if response.status_code != 200:
                said = await _read(response)
                secret = (*endpoint.secrets, *failures.strings(body))
                error = failures.from_status(
                    endpoint.name, response.status_code, response.headers, said, secret
                )
                if isinstance(error, Unauthorized):
                    endpoint.key.forget()
                raise error
            received = 0
            async for chunk in response.aiter_bytes():
                received += len(chunk)
                if received > self._max_bytes:
                    raise MalformedReply(
                        endpoint.name, f"the reply is larger than {self._max_bytes} bytes."
                    )
                yield chunk


async def _send(client: "httpx.AsyncClient", request: "httpx.Request") -> "httpx.Response":
    """Send, once more where the other side hung up without a byte of answer.

    Some servers (llama.cpp) close a connection after a stream without announcing it, and a request
    on its way meets the closed end.
    """
    import httpx  # noqa: PLC0415  # lazily: loaded by now

    try:
        return await client.send(request, stream=True)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        return await client.send(request, stream=True)


def _encode(body: Mapping[str, Any]) -> bytes:
    # A lone surrogate, which an editor may send, has no UTF-8.
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _headers(endpoint: Endpoint, key: Secret | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key.reveal()}"
    given = {name.lower() for name in endpoint.headers}
    kept = {name: value for name, value in headers.items() if name.lower() not in given}
    return {**kept, **endpoint.headers}


async def _read(response: "httpx.Response") -> bytes:
    """Read the beginning of an error body."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _ERROR_BYTES:
            break
    return body[:_ERROR_BYTES]


class _Mapped:
    """Turns httpx's exceptions into ours; their texts may hold headers, so none is kept."""

    def __init__(self, endpoint: Endpoint, *, answered: bool) -> None:
        self._endpoint = endpoint
        self._answered = answered

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, ModelError):
            return
        mapped = _map(self._endpoint, error, answered=self._answered)
        if mapped is not None:
            raise mapped from None


def _map(endpoint: Endpoint, error: Exception, *, answered: bool) -> ModelError | None:
    import httpx  # noqa: PLC0415  # lazily: loaded by now

    host = urlsplit(endpoint.base_url).netloc.rpartition("@")[2]
    kind: type[ModelError] = Unreachable
    match error:
        # anyio, beneath httpx, lets some failures to connect through as a group.
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError() | ExceptionGroup():
            detail = f"no connection to {host}."
        case httpx.TimeoutException():
            kind, detail = TimedOut, f"{host} sent nothing in time."
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            detail = "base_url is no http or https URL."
        case httpx.LocalProtocolError() | UnicodeEncodeError():
            kind, detail = RequestRejected, "a header holds characters that cannot be sent."
        case httpx.HTTPError() if answered:
            kind, detail = MalformedReply, f"{host} ended the reply in the middle."
        case httpx.HTTPError():
            detail = f"{host} closed the connection without an answer."
        case _:
            return None
    return kind(endpoint.name, detail)
