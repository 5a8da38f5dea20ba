"""Raw fill-in-the-middle tokens by a llama.cpp server: ``POST {base}/completions``.

On this path it takes its own parameters too.
"""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from twotrack.llm import llama_infill
from twotrack.llm.api import Chunk, Infill
from twotrack.llm.exchange import Event
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.openai_completions import OpenAICompletions
from twotrack.llm.token_healing import Split, split
from twotrack.llm.wire import Refuses, Warming


class LlamaCompletions(OpenAICompletions):
    """A model whose tokens the settings name. A begun word is written anew (`token_healing`)."""

    def body(self, prompt: Infill, refuses: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        text = split(prompt.prefix)
        body, stops = super().body(_without_tail(prompt, text), refuses)
        return {**body, **text.constraint}, stops

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], prompt: Infill, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer, from the cursor on."""
        return split(prompt.prefix).behind(super().chunks(endpoint, answer, prompt))

    def warming(self, prompt: Infill | None, /) -> Warming | None:
        """Return what has the server read the prompt."""
        if prompt is None:
            return None
        body, _ = super().body(_without_tail(prompt, split(prompt.prefix)), lambda _: False)
        return llama_infill.reading(self.path, body)


def _without_tail(prompt: Infill, text: Split) -> Infill:
    return replace(prompt, prefix=text.head, max_tokens=prompt.max_tokens + text.tokens)
