"""A CONNECT proxy on loopback that leads every name to one port of this machine."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """The head of a request, as it came."""

    method: str
    target: str
    headers: dict[str, str]
    """Names in lower case."""


class ProxyServer:
    """The proxy; an async context manager. Plain requests it answers itself, with 200."""

    def __init__(
        self,
        leads_to: int,
        *,
        status: int = 200,
        silent: bool = False,
        says: bytes | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._leads_to = leads_to
        self._status = status
        self._silent = silent
        self._says = says
        """In place of an answer; then it hangs up."""
        self._tls = tls
        self.requests: list[ProxyRequest] = []
        self.port = 0
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
        ):
            await self._serve(reader, writer)
        self._tasks.discard(task)
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip()
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        self.requests.append(ProxyRequest(method, target, headers))
        if self._silent:
            await reader.read()
            return
        if self._says is not None:
            writer.write(self._says)
            writer.write_eof()
            await reader.read()
            return
        if method != "CONNECT":
            await reader.readexactly(int(headers.get("content-length", 0)))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
            await reader.read()
            return
        writer.write(f"HTTP/1.1 {self._status} As scripted\r\n\r\n".encode())
        if self._status == 200:
            onwards, upstream = await asyncio.open_connection("127.0.0.1", self._leads_to)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pass(reader, upstream))
                    both.create_task(_pass(onwards, writer))
            finally:
                upstream.transport.abort()
        await writer.drain()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
