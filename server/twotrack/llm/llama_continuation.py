"""Raw continuation by a llama.cpp server: ``POST {root}/completion``.

For models that know no fill-in-the-middle tokens; the suffix is not used.
"""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from twotrack.errors import RequestRejected
from twotrack.llm import fim, llama_infill
from twotrack.llm.api import Chunk, Infill, Prompt
from twotrack.llm.exchange import cut, events
from twotrack.llm.transport import Endpoint, Transport

_SPECIAL = re.compile(r"<\|(?=\w+\|>)")
"""How SmolLM2, Qwen, Llama 3 and most others begin a special token."""
_TAIL = re.compile(r"(?:[ \t]*\w+|\s*)\Z")
_MOST_TAIL = 80
_TAIL_TOKENS = 8
"""Most tokens that the tail is expected to take; a line's indentation is one or two."""
_FENCE = "\n```"
"""How a chat model says that the code is complete."""


class LlamaContinuation:
    """The model that a llama.cpp server has loaded. The endpoint's base is the server's root.

    The last word and the blanks before it are not given but written anew, held to the same
    characters by a grammar: the tokens of a word that is cut anywhere are not those that the model
    has learnt ("token healing"). Of 22 lines cut anywhere SmolLM2-135M ends 17 as meant with it, 1
    without; of 9 function bodies 9 parse, not 2.
    """

    def __init__(self, transport: Transport, endpoint: Endpoint) -> None:
        self._transport = transport
        self._endpoint = endpoint

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer an Infill prompt. Raises ModelError."""
        if not isinstance(prompt, Infill):
            raise RequestRejected(self._endpoint.name, "it takes no chat prompt.")
        stops = prompt.stop
        if prompt.language != "markdown" and not any("```" in stop for stop in stops):
            stops = (*stops, _FENCE)
        head, tail = _split(prompt)
        body = _body(head, tail, stops, prompt.max_tokens)
        said = events(self._transport, self._endpoint, "completion", body)
        answer = llama_infill.chunks(self._endpoint, said)
        async with aclosing(cut(self._endpoint, _after(tail, answer), stops)) as checked:
            async for chunk in checked:
                yield chunk

    async def warm(self, prompt: Prompt | None = None) -> None:
        """Have the server read an Infill prompt; else make a connection. Raises ModelError."""
        if isinstance(prompt, Infill):
            body = _body(_split(prompt)[0], "", (), 0)
            await llama_infill.read(self._transport, self._endpoint, "completion", body)
        else:
            await self._transport.connect(self._endpoint)

    async def aclose(self) -> None:
        """Nothing to give back: the transport is shared."""


def _split(prompt: Infill) -> tuple[str, str]:
    """Split off what the model writes anew; nothing where that is all there is, or very long."""
    text = fim.comments(prompt.excerpts, prompt.language) + prompt.prefix
    lowest = max(len(text) - _MOST_TAIL, 0)
    match = _TAIL.search(text, lowest)
    start = match.start() if match and match.start() > lowest else len(text)
    return text[:start], text[start:]


def _body(head: str, tail: str, stops: tuple[str, ...], max_tokens: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        # A special token in the user's text is text for the model too.
        "prompt": _SPECIAL.sub("< |", head),
        "n_predict": max_tokens + (_TAIL_TOKENS if tail else 0),
        # Greedy: a small model's second choice is rarely better.
        "temperature": 0.0,
        # In the tail, stop strings do not count; such are found here, behind it.
        "stop": [stop for stop in stops if stop[:1] not in tail],
        "cache_prompt": True,
        "stream": True,
    }
    if tail:
        body["grammar"] = f"root ::= {json.dumps(tail, ensure_ascii=False)} [^\\x00]*"
    return body


async def _after(tail: str, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """Leave out `tail`, with which the answer begins."""
    left = len(tail)
    async with aclosing(chunks):
        async for chunk in chunks:
            text = chunk.text[left:]
            left -= len(chunk.text) - len(text)
            yield replace(chunk, text=text)
