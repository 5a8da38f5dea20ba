"""Fill-in-the-middle over ``POST {base}/completions``, with raw tokens or prompt and suffix.

The ``/fim/completions`` of Mistral and Inception and DeepSeek's ``/beta/completions`` differ in
the path only.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from twotrack.errors import RequestRejected
from twotrack.llm import fim, openai_wire
from twotrack.llm.api import Chunk, Infill, Prompt
from twotrack.llm.exchange import cut
from twotrack.llm.negotiation import Negotiated
from twotrack.llm.openai_chat import cache_key
from twotrack.llm.transport import Endpoint, Transport


class OpenAICompletions:
    """A model that fills gaps. `template` is a name of `fim.TEMPLATES`, or `fim.SUFFIX`.

    `temperature`, `refused` and `keyed` are as for `OpenAIChat`; a key stands for a file.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        model_id: str,
        *,
        template: str,
        path: str = "completions",
        temperature: float | None = 0.1,
        max_output: int = 8_192,
        refused: Iterable[str] = (),
        keyed: bool = False,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._model_id = model_id
        self._template = template
        self._path = path
        self._temperature = temperature
        self._max_output = max_output
        self._keyed = keyed
        self._negotiated = Negotiated((*openai_wire.OPTIONAL, "prompt_cache_key"), refused)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer an Infill prompt. Raises ModelError."""
        if not isinstance(prompt, Infill):
            raise RequestRejected(self._endpoint.name, "it takes no chat prompt.")
        body, stops = self._body(prompt)
        events = self._negotiated.events(self._transport, self._endpoint, self._path, body)
        said = openai_wire.chunks(self._endpoint, events)
        async with aclosing(cut(self._endpoint, said, stops)) as answer:
            async for chunk in answer:
                yield chunk

    def _body(self, prompt: Infill) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Give the request and what ends its answer."""
        stops = prompt.stop
        if self._template == fim.SUFFIX:
            files = fim.comments(prompt.excerpts, prompt.language)
            texts = {"prompt": files + prompt.prefix, "suffix": prompt.suffix}
            # Ollama puts them into the model's template, where special tokens would act.
            texts = {name: fim.neutral(self._model_id, text) for name, text in texts.items()}
        else:
            rendered = fim.render(self._template, prompt)
            texts, stops = {"prompt": rendered.prompt}, rendered.stop
        body = {
            "model": self._model_id,
            **texts,
            "max_tokens": min(prompt.max_tokens, self._max_output),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._temperature is not None:
            body["temperature"] = self._temperature
        if self._keyed:
            body["prompt_cache_key"] = cache_key(prompt.path)
        if stops:
            body["stop"] = list(stops[: openai_wire.MOST_STOPS])
        return body, stops

    async def warm(self, prompt: Prompt | None = None) -> None:  # noqa: ARG002  # keeps no prompt
        """Make a connection. Raises ModelError."""
        await self._transport.connect(self._endpoint)

    async def aclose(self) -> None:
        """Nothing to give back: the transport is shared."""
