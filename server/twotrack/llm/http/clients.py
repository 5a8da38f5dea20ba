"""One [network]: whom it trusts, which proxy leads where, and the clients made so far.

Imported lazily, by `transport`: it brings httpx and TLS (0.1 s).
"""

import base64
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import certifi
import httpx

from twotrack import files
from twotrack.llm import listeners
from twotrack.llm.http.connections import (
    KEPT_S,
    RACE_S,
    ConnectionOptions,
    Others,
    PooledTransport,
    Proxy,
)
from twotrack.settings.schema import NetworkSettings

_PORTS = {"http": 80, "https": 443}


class Misconfigured(Exception):
    """What [network] or the environment says cannot be used; the message names the setting."""


@dataclass(frozen=True, slots=True)
class ServerClient:
    """Where a base URL leads."""

    client: httpx.AsyncClient
    transport: PooledTransport
    """Of `client`."""
    url: httpx.URL
    """The base URL, without a name and a password."""
    proxy: str | None
    """Host of the proxy in between."""

    def below(self, path: str) -> httpx.URL:
        """Return the URL of `path`, with its query, below the base."""
        return _below(self.url, path)


@lru_cache(64)
def _below(base: httpx.URL, path: str) -> httpx.URL:
    inner = quote(path, safe=_UNQUOTED).encode("ascii")
    return base.copy_with(raw_path=base.raw_path.removesuffix(b"/") + b"/" + inner)


_UNQUOTED = "/:?@!$&'()*+,;=%~"
"""Characters that mean something in a URL (RFC 3986), and % before what is quoted already."""


_Client = tuple[httpx.AsyncClient, PooledTransport]


class _NoCookies(httpx.Cookies):
    """Takes none, without asking urllib (0.07 ms an answer)."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave the cookies of an answer alone."""


class _CookielessClient(httpx.AsyncClient):
    """Keeps no cookies."""

    _none = _NoCookies()

    @property  # type: ignore[misc]  # nobody sets any
    def cookies(self) -> httpx.Cookies:
        """None, ever."""
        return self._none


class HttpClients:
    """Connections under one [network] and the environment as it was."""

    def __init__(
        self,
        settings: NetworkSettings,
        *,
        kept_s: float = KEPT_S,
        race_s: float = RACE_S,
        offers_http2: bool = True,
        others: Others = listeners.of_others,
    ) -> None:
        self.settings = settings
        self._others = others
        self._clients: dict[ConnectionOptions, _Client] = {}
        self._servers: dict[tuple[str, bool, str], ServerClient] = {}
        self._proxies: dict[str, Proxy] = {}
        self._trusted: ssl.SSLContext | Misconfigured | None = None
        self._plain = ConnectionOptions(
            None, None, settings.connect_s, kept_s, race_s, offers_http2
        )
        self.users = 0
        """Requests and connections that are under way."""

    def lacks_trust(self, base_url: str) -> bool:
        """Whether the first use of `base_url` would block until certificates are read."""
        return self._trusted is None and base_url[:5].lower() == "https"

    def trust(self) -> ssl.SSLContext | Misconfigured:
        """Have the certificates that https needs (2 MB). Blocking at the first time (20 ms)."""
        if self._trusted is None:
            offers = self._plain.offers_http2
            try:
                self._trusted = certificates(self.settings.ca_file, os.environ, offers_http2=offers)
            except Misconfigured as wrong:
                self._trusted = wrong
        return self._trusted

    def server(
        self, base_url: str, *, local: bool, judged: bool = False, path: str = ""
    ) -> ServerClient:
        """Find the way to `base_url`; for `local`, past every proxy.

        `judged`: at each new connection it is asked whose the server is. `path`: its Unix socket.

        Raises ValueError if it is no http or https URL, else Misconfigured.
        """
        server = self._servers.get((base_url, judged, path))
        if server is None:
            server = self._server(base_url, local=local, judged=judged, path=path)
            self._servers[base_url, judged, path] = server
        return server

    def _server(self, base_url: str, *, local: bool, judged: bool, path: str) -> ServerClient:
        parts = urlsplit(base_url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.port == 0:
            raise ValueError
        trusted = None if parts.scheme == "http" else self.trust()
        if isinstance(trusted, Misconfigured):
            raise trusted
        proxy = None if local else self._proxy(base_url)
        others = self._others if judged else None
        options = replace(self._plain, proxy=proxy, certificates=trusted, others=others, path=path)
        client, transport = self._client(options)
        try:
            url = httpx.URL(base_url).copy_with(userinfo=b"", query=None, fragment=None)
        except httpx.InvalidURL as wrong:
            raise ValueError from wrong
        return ServerClient(client, transport, url, None if proxy is None else proxy.host)

    def _proxy(self, base_url: str) -> Proxy | None:
        url, setting = self.settings.proxy, "network.proxy"
        if url is None:
            url, setting = environment_proxy(base_url)
        if url is None:
            return None
        if url not in self._proxies:
            self._proxies[url] = read_proxy(url, setting, self.settings.ca_file)
        return self._proxies[url]

    def _client(self, options: ConnectionOptions) -> _Client:
        if options not in self._clients:
            transport = PooledTransport(options)
            client = _CookielessClient(transport=transport, trust_env=False)
            self._clients[options] = client, transport
        return self._clients[options]

    def close(self) -> None:
        """Close all connections; requests under way fail."""
        for _, transport in self._clients.values():
            transport.close()


def certificates(
    ca_file: Path | None, environment: Mapping[str, str], *, offers_http2: bool = True
) -> ssl.SSLContext:
    """Trust what the system, or SSL_CERT_FILE, trusts, and `ca_file`. Raises Misconfigured.

    Where OpenSSL finds no authorities (a bare container, Python for macOS), certifi's are trusted.
    Blocking (20 ms).
    """
    context = ssl.create_default_context()  # which heeds SSL_CERT_DIR
    context.options |= ssl.OP_NO_RENEGOTIATION  # a server may ask for it without end
    context.set_alpn_protocols(["h2", "http/1.1"] if offers_http2 else ["http/1.1"])
    if given := environment.get("SSL_CERT_FILE"):
        _trust(context, Path(given), "SSL_CERT_FILE")
    elif not _system_has_authorities():
        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        _trust(context, ca_file, "network.ca_file")
    return context


def _system_has_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return True
    try:
        return bool(paths.capath) and bool(files.listed(Path(paths.capath), 1))
    except OSError:
        return False


def _trust(context: ssl.SSLContext, file: Path, setting: str) -> None:
    try:
        with files.opened(file):  # what is no regular file might keep OpenSSL waiting
            context.load_verify_locations(file)
    except files.Refused as error:
        raise Misconfigured(f"{setting} names {file}, which {error.strerror}.") from None
    except ssl.SSLError:
        raise Misconfigured(f"{setting} names {file}, which holds no certificates (PEM).") from None
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "unreadable"
        raise Misconfigured(f"{setting} names {file}, which cannot be read ({why}).") from None


def environment_proxy(base_url: str) -> tuple[str | None, str]:
    """Find the URL of the proxy to `base_url` in the environment or the system's settings.

    Also what set it, for errors. NO_PROXY may name a host, a domain, or either with a port.
    """
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  # lazily: 1.4 MB

    parts = urlsplit(base_url)
    proxies = getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    found, setting = proxies.get(kind), f"{kind.upper()}_PROXY in the environment"
    bare = parts.hostname or ""
    host = f"[{bare}]" if ":" in bare else bare
    if not found or any(map(proxy_bypass, (f"{host}:{parts.port or _PORTS[parts.scheme]}", bare))):
        return None, setting
    return (found if "://" in found else f"http://{found}"), setting


def read_proxy(url: str, setting: str, ca_file: Path | None) -> Proxy:
    """Read the URL of a proxy. Raises Misconfigured, which repeats nothing of it."""
    wrong = Misconfigured(f"{setting} is no http:// or https:// URL.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if not host or parts.scheme not in _PORTS:
        raise wrong
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
    https = parts.scheme == "https"
    tls = certificates(ca_file, os.environ, offers_http2=False) if https else None
    return Proxy(host, port or _PORTS[parts.scheme], tls, authorization)
