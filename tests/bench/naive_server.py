"""The floor: a language server as pygls's tutorial would write it, one httpx call a completion.

It keeps no cache, attaches no context, routes nothing and checks nothing.
"""

import os

import httpx
from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("naive", "1")
http = httpx.AsyncClient(base_url=os.environ["MODEL_URL"])


@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
async def complete(params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """Send the last 8,000 characters before the cursor, whole answer."""
    document = server.workspace.get_text_document(params.text_document.uri)
    offset = document.offset_at_position(params.position)
    prompt = document.source[max(offset - 8000, 0) : offset]
    body = {"model": "m", "prompt": prompt, "max_tokens": 64, "temperature": 0.1}
    answer = await http.post("/completions", json=body)
    text = answer.json()["choices"][0]["text"]
    return types.InlineCompletionList([types.InlineCompletionItem(text)])


if __name__ == "__main__":
    server.start_io()
