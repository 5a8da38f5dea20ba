"""Shows a page of Markdown: in the editor where it can, else as a message."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.lsp.uris import uri_of

if TYPE_CHECKING:
    from twotrack.lsp.server import Server


async def show(server: "Server", page: str) -> None:
    """Open `page`, which begins with a heading, as a document of the user's own, or tell it."""
    if server.client.shows_documents and await _open(server, page):
        return
    server.notices.tell(page.partition("\n\n")[2])


async def _open(server: "Server", page: str) -> bool:
    try:
        path = await asyncio.to_thread(server.pages.write, f"{page.rstrip()}\n")
    except OSError:  # the disk is full, or something has tidied the folder away
        return False
    params = types.ShowDocumentParams(uri_of(path), external=False, take_focus=True)
    try:
        result = await server.protocol.request(types.WINDOW_SHOW_DOCUMENT, params)
    except (JsonRpcException, TimeoutError):
        return False
    return bool(result.success)


class Pages:
    """The files that were written to be read; they go with the server."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def write(self, text: str) -> Path:
        """Write a file that only this user can read."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="twotrack-")
        descriptor, name = tempfile.mkstemp(suffix=".md", dir=self._folder.name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        return Path(name)

    def close(self) -> None:
        """Take them away."""
        if self._folder is not None:
            self._folder.cleanup()
