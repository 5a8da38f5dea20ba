"""Chat of OpenAI and of everything compatible: ``POST {base}/chat/completions``."""

import hashlib
from collections.abc import AsyncGenerator
from typing import Any

from twotrack.llm import openai_wire, thinking
from twotrack.llm.api import Chat, Chunk
from twotrack.llm.exchange import Event
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.spec import Spec
from twotrack.llm.wire import Dialect, Refuses


class OpenAIChat(Dialect[Chat]):
    """A chat model."""

    path = "chat/completions"
    form = openai_wire.FORM

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.optional = (
            *openai_wire.OPTIONAL,
            "prompt_cache_key",
            *spec.counting,
            *spec.unthinking,
        )
        self.refused = spec.refused

    def body(self, prompt: Chat, _: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        limit, unthinking = thinking.share(
            prompt.max_tokens,
            self._spec.max_output,
            self._spec.unthinking,
            always=self._spec.thinks,
            room=self._spec.room,
        )
        body = {
            "model": self._spec.model_id,
            "messages": self._turns(prompt),
            "max_tokens": limit,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._spec.counting,
            **unthinking,
        }
        if (temperature := self._spec.temperature_of(prompt)) is not None:
            body["temperature"] = temperature
        if self._spec.keyed and prompt.system:
            body["prompt_cache_key"] = cache_key(prompt.system)
        # Anthropic refuses stop strings of blanks only; those are cut here.
        if stops := [stop for stop in prompt.stop if stop.strip()][: openai_wire.MOST_STOPS]:
            body["stop"] = stops
        return body, prompt.stop

    def _turns(self, prompt: Chat) -> list[dict[str, str]]:
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        if turns and turns[-1]["role"] == "assistant" and not self._spec.prefill:
            turns.pop()
        return [{"role": "system", "content": prompt.system}, *turns] if prompt.system else turns

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], _: Chat, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer."""
        return openai_wire.chunks(endpoint, answer)


def cache_key(head: str) -> str:
    """Name the head of a prompt so that questions with the same one meet on one machine.

    It tells nothing of the user, nor of the text: a hash, in fewer than OpenAI's 64 characters.
    """
    return f"twotrack-{hashlib.sha256(head.encode('utf-8', 'replace')).hexdigest()[:16]}"
