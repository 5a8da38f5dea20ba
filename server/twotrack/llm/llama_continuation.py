"""Raw continuation by a llama.cpp server: ``POST {root}/completion``.

For models that know no fill-in-the-middle tokens; the suffix is not used.
"""

import re
from collections.abc import AsyncGenerator
from typing import Any

from twotrack.llm import fim, llama_infill, openai_wire, token_healing
from twotrack.llm.api import Chunk, Infill
from twotrack.llm.exchange import Event, EventFormat
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.token_healing import Split
from twotrack.llm.wire import Dialect, Refuses, Warming

_SPECIAL = re.compile(r"<\|(?=\w+\|>)")
"""How SmolLM2, Qwen, Llama 3 and most others begin a special token."""
_FENCE = "\n```"
"""How a chat model says that the code is complete."""


class LlamaContinuation(Dialect[Infill]):
    """The model that a llama.cpp server has loaded. The endpoint's base is the server's root.

    The last word and the blanks before it are not given but written anew (`token_healing`), also
    blanks alone: of 22 lines cut anywhere SmolLM2-135M ends 17 as meant with it, 1 without; of 9
    function bodies 9 parse, not 2.
    """

    path = "completion"
    form = EventFormat(frozenset({"content", "stop"}))

    def body(self, prompt: Infill, _: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        stops = prompt.stop
        if prompt.language != "markdown" and not any("```" in stop for stop in stops):
            stops = (*stops, _FENCE)
        body = _body(_split(prompt), stops, prompt.max_tokens)
        return {**body, **(llama_infill.N_PROBS if prompt.logprobs else {})}, stops

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], prompt: Infill, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer, and leave out what the model was to write anew."""
        return _split(prompt).behind(llama_infill.chunks(endpoint, answer))

    def warming(self, prompt: Infill | None, /) -> Warming | None:
        """Return what has the server read the prompt."""
        if prompt is None:
            return None
        return llama_infill.reading(self.path, _body(Split(_split(prompt).head, ""), (), 0))


def _split(prompt: Infill) -> Split:
    text = fim.comments(prompt.excerpts, prompt.language) + prompt.prefix
    return token_healing.split(text, token_healing.WORD_OR_BLANKS)


def _body(text: Split, stops: tuple[str, ...], max_tokens: int) -> dict[str, Any]:
    return {
        # A special token in the user's text is text for the model too.
        "prompt": _SPECIAL.sub("< |", text.head),
        "n_predict": max_tokens + text.tokens,
        # Greedy: a small model's second choice is rarely better.
        "temperature": 0.0,
        # In the tail, stop strings do not count; such are found here, behind it.
        "stop": [stop for stop in stops if stop[:1] not in text.tail],
        "cache_prompt": True,
        "stream": True,
        **openai_wire.TIMINGS,
        **text.constraint,
    }
