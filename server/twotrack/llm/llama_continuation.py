"""Raw continuation by a llama.cpp server: ``POST {root}/completion``.

For models that know no fill-in-the-middle tokens; the suffix is not used.
"""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from twotrack.llm import fim, llama_infill
from twotrack.llm.api import Chunk, Infill
from twotrack.llm.exchange import Event, EventFormat
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.wire import Dialect, Refuses, Warming

_SPECIAL = re.compile(r"<\|(?=\w+\|>)")
"""How SmolLM2, Qwen, Llama 3 and most others begin a special token."""
_TAIL = re.compile(r"(?:[ \t]*\w+|\s*)\Z")
_MOST_TAIL = 80
_TAIL_TOKENS = 8
"""Most tokens that the tail is expected to take; a line's indentation is one or two."""
_FENCE = "\n```"
"""How a chat model says that the code is complete."""


class LlamaContinuation(Dialect[Infill]):
    """The model that a llama.cpp server has loaded. The endpoint's base is the server's root.

    The last word and the blanks before it are not given but written anew, held to the same
    characters by a grammar: the tokens of a word that is cut anywhere are not those that the model
    has learnt ("token healing"). Of 22 lines cut anywhere SmolLM2-135M ends 17 as meant with it, 1
    without; of 9 function bodies 9 parse, not 2.
    """

    path = "completion"
    form = EventFormat(frozenset({"content", "stop"}))

    def body(self, prompt: Infill, _: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        stops = prompt.stop
        if prompt.language != "markdown" and not any("```" in stop for stop in stops):
            stops = (*stops, _FENCE)
        return _body(*_split(prompt), stops, prompt.max_tokens), stops

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], prompt: Infill, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer, and leave out what the model was to write anew."""
        return _after(_split(prompt)[1], llama_infill.chunks(endpoint, answer))

    def warming(self, prompt: Infill | None, /) -> Warming | None:
        """Return what has the server read the prompt."""
        if prompt is None:
            return None
        return llama_infill.reading(self.path, _body(_split(prompt)[0], "", (), 0))


def _split(prompt: Infill) -> tuple[str, str]:
    """Split off what the model writes anew; nothing if that is all there is, or very long."""
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
