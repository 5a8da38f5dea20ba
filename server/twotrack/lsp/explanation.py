"""Shows a page of Markdown: in the editor where it can, else as a message."""

import asyncio

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.lsp.conversation import Conversation
from twotrack.lsp.uris import uri_of


async def show(conversation: Conversation, page: str) -> None:
    """Open `page`, which begins with a heading, as a document of the user's own, or tell it."""
    if conversation.client.shows_documents and await _open(conversation, page):
        return
    conversation.notices.tell(page.partition("\n\n")[2])


async def _open(conversation: Conversation, page: str) -> bool:
    try:
        path = await asyncio.to_thread(conversation.pages.write, f"{page.rstrip()}\n")
    except OSError:  # the disk is full, or something has tidied the folder away
        return False
    params = types.ShowDocumentParams(uri_of(path), external=False, take_focus=True)
    try:
        result = await conversation.protocol.request(types.WINDOW_SHOW_DOCUMENT, params)
    except (JsonRpcException, TimeoutError):
        return False
    return bool(result.success)
