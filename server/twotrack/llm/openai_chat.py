"""Chat of OpenAI and of everything compatible: ``POST {base}/chat/completions``."""

import hashlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from twotrack.errors import RequestRejected
from twotrack.llm import openai_wire, thinking
from twotrack.llm.api import Chat, Chunk, Prompt
from twotrack.llm.exchange import cut
from twotrack.llm.negotiation import Negotiated, folded
from twotrack.llm.transport import Endpoint, Transport


class OpenAIChat:
    """A chat model. `refused` names the parameters that its server is known not to take.

    `unthinking` holds the parameters that keep its models from thinking; empty: they do not think,
    unless one `thinks` all the same. `room` is what thinking may take, in tokens. A `temperature`
    of None is left out. With `prefill` a last turn of the assistant begins the answer; else it is
    left out. `keyed` says that the provider takes a ``prompt_cache_key``.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        model_id: str,
        *,
        temperature: float | None = 0.1,
        max_output: int = 8_192,
        refused: Iterable[str] = (),
        unthinking: Mapping[str, Any] | None = None,
        thinks: bool = False,
        room: int = thinking.ROOM,
        prefill: bool = False,
        keyed: bool = False,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._model_id = model_id
        self._temperature = temperature
        self._max_output = max_output
        self._unthinking = dict(unthinking or {})
        self._thinks = thinks
        self._room = room
        self._prefill = prefill
        self._keyed = keyed
        optional = (*openai_wire.OPTIONAL, "prompt_cache_key", *self._unthinking)
        self._negotiated = Negotiated(optional, refused)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer a Chat prompt. Raises ModelError."""
        if not isinstance(prompt, Chat):
            raise RequestRejected(self._endpoint.name, "it takes no fill-in-the-middle prompt.")
        events = self._negotiated.events(
            self._transport,
            self._endpoint,
            "chat/completions",
            self._body(prompt),
            folded=(lambda: self._body(folded(prompt))) if prompt.system else None,
        )
        said = openai_wire.chunks(self._endpoint, events)
        async with aclosing(cut(self._endpoint, said, prompt.stop)) as answer:
            async for chunk in answer:
                yield chunk

    def _body(self, prompt: Chat) -> dict[str, Any]:
        limit, unthinking = thinking.share(
            prompt.max_tokens,
            self._max_output,
            self._unthinking,
            always=self._thinks,
            room=self._room,
        )
        body = {
            "model": self._model_id,
            "messages": self._turns(prompt),
            "max_tokens": limit,
            "stream": True,
            "stream_options": {"include_usage": True},
            **unthinking,
        }
        if self._temperature is not None:
            body["temperature"] = self._temperature
        if self._keyed and prompt.system:
            body["prompt_cache_key"] = cache_key(prompt.system)
        # Anthropic refuses stop strings of blanks only; those are cut here.
        if stops := [stop for stop in prompt.stop if stop.strip()][: openai_wire.MOST_STOPS]:
            body["stop"] = stops
        return body

    def _turns(self, prompt: Chat) -> list[dict[str, str]]:
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        if turns and turns[-1]["role"] == "assistant" and not self._prefill:
            turns.pop()
        return [{"role": "system", "content": prompt.system}, *turns] if prompt.system else turns

    async def warm(self, prompt: Prompt | None = None) -> None:  # noqa: ARG002  # keeps no prompt
        """Make a connection. Raises ModelError."""
        await self._transport.connect(self._endpoint)

    async def aclose(self) -> None:
        """Nothing to give back: the transport is shared."""


def cache_key(head: str) -> str:
    """Name the head of a prompt so that questions with the same one meet on one machine.

    It tells nothing of the user, nor of the text: a hash, in fewer than OpenAI's 64 characters.
    """
    return f"twotrack-{hashlib.sha256(head.encode('utf-8', 'replace')).hexdigest()[:16]}"
