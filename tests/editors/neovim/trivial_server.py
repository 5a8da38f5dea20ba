"""A server that proposes a text at once: what Neovim itself needs to show ghost text."""

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("trivial", "1")


@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
def complete(params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """Propose the same as the scripted model."""
    return types.InlineCompletionList([types.InlineCompletionItem("price * count")])


if __name__ == "__main__":
    server.start_io()
