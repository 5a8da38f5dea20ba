"""Fill-in-the-middle over ``POST {base}/completions``, with raw tokens or prompt and suffix.

The ``/fim/completions`` of Mistral and Inception and DeepSeek's ``/beta/completions`` differ in
the path only.
"""

from collections.abc import AsyncGenerator
from typing import Any

from twotrack.llm import fim, openai_wire
from twotrack.llm.api import Chunk, Infill
from twotrack.llm.exchange import Event
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.openai_chat import cache_key
from twotrack.llm.spec import Spec
from twotrack.llm.wire import Dialect, Refuses


class OpenAICompletions(Dialect[Infill]):
    """A model that fills gaps. `template` is a name of `fim.TEMPLATES`, or `fim.SUFFIX`.

    A key for the prompt cache stands for a file.
    """

    form = openai_wire.FORM

    def __init__(self, spec: Spec, *, template: str, path: str = "completions") -> None:
        self._spec = spec
        self._template = template
        self.path = path
        self.optional = (*openai_wire.OPTIONAL, "prompt_cache_key", *spec.counting, *spec.logprobs)
        self.refused = spec.refused

    def body(self, prompt: Infill, _: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        stops = prompt.stop
        if self._template == fim.SUFFIX:
            files = fim.comments(prompt.excerpts, prompt.language)
            texts = {"prompt": files + prompt.prefix, "suffix": prompt.suffix}
            # Ollama puts them into the model's template, where special tokens would act.
            texts = {name: fim.neutral(self._spec.model_id, text) for name, text in texts.items()}
        else:
            rendered = fim.render(self._template, prompt)
            texts, stops = {"prompt": rendered.prompt}, rendered.stop
        body = {
            "model": self._spec.model_id,
            **texts,
            "max_tokens": min(prompt.max_tokens, self._spec.max_output),
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._spec.counting,
            **(self._spec.logprobs if prompt.logprobs else {}),
        }
        if (temperature := self._spec.temperature_of(prompt)) is not None:
            body["temperature"] = temperature
        if self._spec.keyed:
            body["prompt_cache_key"] = cache_key(prompt.path)
        if stops:
            body["stop"] = list(stops[: openai_wire.MOST_STOPS])
        return body, stops

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], _: Infill, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer."""
        return openai_wire.chunks(endpoint, answer)
