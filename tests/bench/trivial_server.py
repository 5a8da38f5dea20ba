"""The least that pygls can be: what the start of this server is measured against."""

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("trivial", "1")


@server.feature(types.TEXT_DOCUMENT_COMPLETION)
def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
    """Propose nothing."""
    return []


if __name__ == "__main__":
    server.start_io()
