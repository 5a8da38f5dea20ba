"""Fill-in-the-middle of the llama.cpp server: ``POST {root}/infill``.

The server knows the model's tokens and keeps the KV cache of the common beginning
(`cache_prompt`), so the excerpts, which change least, stand first. A begun word is written anew
(`token_healing`): as long as it is typed the prompt stays the same, the suffix behind it too.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from twotrack.events import Usage
from twotrack.llm import finishes, openai_wire
from twotrack.llm.api import Chunk, Finish, Infill
from twotrack.llm.exchange import Event, EventFormat
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.reported import count, logprobs, model_id
from twotrack.llm.token_healing import Split, split
from twotrack.llm.wire import Dialect, Refuses, Warming

N_PROBS = {"n_probs": 1}
"""Has each event bring the log-probability of its token (December 2024)."""

_READ_S = 60.0
"""Most seconds for reading a prompt that nobody has asked about yet."""


class LlamaInfill(Dialect[Infill]):
    """The model that a llama.cpp server has loaded. The endpoint's base is the server's root.

    A server with several (llama-swap) chooses by `model_id`; any other does not look at it.
    """

    path = "infill"
    form = EventFormat(frozenset({"content", "stop"}))

    def __init__(
        self,
        model_id: str,
        *,
        temperature: float = 0.1,
        max_output: int = 8_192,
    ) -> None:
        self._model_id = model_id
        self._temperature = temperature
        self._max_output = max_output

    def body(self, prompt: Infill, _: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        return self._body(prompt, split(prompt.prefix)), prompt.stop

    def _body(self, prompt: Infill, text: Split) -> dict[str, Any]:
        return {
            "model": self._model_id,
            "input_prefix": text.head,
            "input_suffix": prompt.suffix,
            "input_extra": [{"filename": e.path, "text": e.text} for e in prompt.excerpts],
            "n_predict": min(prompt.max_tokens + text.tokens, self._max_output),
            "temperature": max(self._temperature, prompt.temperature or 0.0),
            "stop": list(prompt.stop),
            "cache_prompt": True,
            "stream": True,
            **openai_wire.TIMINGS,
            **(N_PROBS if prompt.logprobs else {}),
            **text.constraint,
        }

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], prompt: Infill, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer, from the cursor on."""
        return split(prompt.prefix).behind(chunks(endpoint, answer))

    def warming(self, prompt: Infill | None, /) -> Warming | None:
        """Return what has the server read the prompt."""
        if prompt is None:
            return None
        return reading(self.path, self._body(prompt, Split(split(prompt.prefix).head, "")))


def reading(path: str, body: Mapping[str, Any]) -> Warming:
    """Return what has the server read the prompt of `body` into its KV cache, within a minute.

    It makes one token all the same (10 ms), which nobody hears. What it has read when this is
    cancelled stays in the cache.
    """
    return Warming(path, {**body, "n_predict": 0, "stream": False}, _READ_S)


async def chunks(
    endpoint: Endpoint, answer: AsyncGenerator[Event, None]
) -> AsyncGenerator[Chunk, None]:
    """Read the events of ``/infill`` and ``/completion``; each counts what there is so far."""
    async with aclosing(answer):
        async for event in answer:
            text = event.get("content")
            text = text if isinstance(text, str) else ""
            if not event.get("stop"):
                probabilities = logprobs(event.get("completion_probabilities"), "logprob")
                yield Chunk(text, usage=_usage(event), logprobs=probabilities)
                continue
            yield Chunk(
                text,
                usage=_usage(event),
                finish=_finish(endpoint, event),
                model=model_id(event.get("model")),
            )


def _finish(endpoint: Endpoint, event: Event) -> Finish:
    """Read `stop_type`; older servers have a flag for each reason instead.

    Where none of them holds it stopped, but not because the answer was complete.
    """
    if event.get("stopped_limit") is True:
        return "length"
    flags = [event[name] for name in ("stopped_eos", "stopped_word") if name in event]
    none = event.get("stop_type") == "none" or (flags and not any(flags))
    return finishes.read(endpoint, event.get("stop_type")) or ("length" if none else "stop")


def _usage(event: Mapping[str, Any]) -> Usage | None:
    """Read an event: `timings.cache_n` is what of the prompt the cache held.

    Older servers send no `cache_n`. Their `tokens_cached` is no substitute: it counts what lies
    in the cache after the answer. Some count in the last event only.
    """
    if "tokens_evaluated" not in event:
        return None
    timings = event.get("timings")
    cached = timings.get("cache_n") if isinstance(timings, dict) else None
    return Usage(
        input_tokens=count(event.get("tokens_evaluated")),
        cached_tokens=count(cached),
        output_tokens=count(event.get("tokens_predicted")),
    )
