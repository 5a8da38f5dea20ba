"""Fill-in-the-middle over ``POST {base}/completions``, with raw tokens or prompt and suffix.

The ``/fim/completions`` of Mistral and Inception and DeepSeek's ``/beta/completions`` differ in
the path only.
"""

from collections.abc import AsyncGenerator, Iterable
from typing import Any

from twotrack.llm import fim, openai_wire
from twotrack.llm.api import Chunk, Infill
from twotrack.llm.exchange import Event
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.openai_chat import cache_key
from twotrack.llm.wire import Dialect, Refuses


class OpenAICompletions(Dialect[Infill]):
    """A model that fills gaps. `template` is a name of `fim.TEMPLATES`, or `fim.SUFFIX`.

    `temperature`, `refused` and `keyed` are as for `OpenAIChat`; a key stands for a file.
    """

    def __init__(
        self,
        model_id: str,
        *,
        template: str,
        path: str = "completions",
        temperature: float | None = 0.1,
        max_output: int = 8_192,
        refused: Iterable[str] = (),
        keyed: bool = False,
    ) -> None:
        self._model_id = model_id
        self._template = template
        self.path = path
        self._temperature = temperature
        self._max_output = max_output
        self._keyed = keyed
        self.optional = (*openai_wire.OPTIONAL, "prompt_cache_key")
        self.refused = tuple(refused)

    def body(self, prompt: Infill, _: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
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

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], _: Infill, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer."""
        return openai_wire.chunks(endpoint, answer)
