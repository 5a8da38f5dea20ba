"""Chat of OpenAI and of everything compatible: ``POST {base}/chat/completions``."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from twotrack.errors import RequestRejected
from twotrack.llm import openai_wire
from twotrack.llm.api import Chat, Chunk, Prompt
from twotrack.llm.exchange import cut
from twotrack.llm.negotiation import Negotiated
from twotrack.llm.transport import Endpoint, Transport

_SHORT = 1_024
"""Thinking would use up an answer of no more tokens, and the time of a completion."""
_THOUGHTS = 8_192
"""Tokens that thinking may take before a longer answer; providers count both as output."""


class OpenAIChat:
    """A chat model. `refused` names the parameters that its server is known not to take.

    `unthinking` holds the parameters that keep its models from thinking; empty: they do not think.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        model_id: str,
        *,
        temperature: float = 0.1,
        max_output: int = 8_192,
        refused: Iterable[str] = (),
        unthinking: Mapping[str, Any] | None = None,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._model_id = model_id
        self._temperature = temperature
        self._max_output = max_output
        self._unthinking = dict(unthinking or {})
        self._negotiated = Negotiated(openai_wire.OPTIONAL, refused)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer a Chat prompt. Raises ModelError."""
        if not isinstance(prompt, Chat):
            raise RequestRejected(self._endpoint.name, "it takes no fill-in-the-middle prompt.")
        events = self._negotiated.events(
            self._transport, self._endpoint, "chat/completions", self._body(prompt)
        )
        async with aclosing(cut(self._endpoint, openai_wire.chunks(events), prompt.stop)) as answer:
            async for chunk in answer:
                yield chunk

    def _body(self, prompt: Chat) -> dict[str, Any]:
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        if prompt.system:
            turns.insert(0, {"role": "system", "content": prompt.system})
        short = prompt.max_tokens <= _SHORT
        thoughts = 0 if short or not self._unthinking else _THOUGHTS
        body = {
            "model": self._model_id,
            "messages": turns,
            "max_tokens": min(prompt.max_tokens, self._max_output) + thoughts,
            "temperature": self._temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            **(self._unthinking if short else {}),
        }
        # Anthropic refuses stop strings of blanks only; those are cut here.
        stops = [stop for stop in prompt.stop if stop.strip()][: openai_wire.MOST_STOPS]
        return {**body, "stop": stops} if stops else body

    async def warm(self, prompt: Prompt | None = None) -> None:  # noqa: ARG002  # keeps no prompt
        """Make a connection. Raises ModelError."""
        await self._transport.connect(self._endpoint)

    async def aclose(self) -> None:
        """Nothing to give back: the transport is shared."""
