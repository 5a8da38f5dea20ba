"""Ollama's own API: chat by ``POST {base}/api/chat``, gaps by ``POST {base}/api/generate``."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from twotrack.errors import ModelError, RequestRejected
from twotrack.events import Usage
from twotrack.llm import fim, finishes, thinking
from twotrack.llm.api import Chat, Chunk, Infill, Prompt
from twotrack.llm.exchange import Event, EventFormat
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.reported import count, model_id
from twotrack.llm.spec import Spec
from twotrack.llm.wire import Dialect, Refuses, Warming

_KEEP_ALIVE = "30m"
"""Loading takes seconds to a minute: a model outlives a pause for thought (Ollama: 5 minutes)."""
_NO_TEMPLATE = (
    "This model has no fill-in-the-middle template; complete with one that has, such as "
    "qwen2.5-coder."
)


def _is_last(event: Event) -> bool:
    return event.get("done") is True


_FORM = EventFormat(frozenset({"message", "response", "done"}), "ndjson", _is_last)


class OllamaChat(Dialect[Chat]):
    """A model that answers chats.

    `context_window` is what it is loaded with; None leaves that to the server. Gaps are asked for
    with the same size, or Ollama loads the model anew each time.
    """

    path = "api/chat"
    form = _FORM
    folds = False

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._fixed = _fixed(spec.model_id)

    def body(self, prompt: Chat, _: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        if prompt.system:
            turns.insert(0, {"role": "system", "content": prompt.system})
        limit, unthinking = thinking.share(
            prompt.max_tokens,
            self._spec.max_output,
            self._spec.unthinking,
            always=self._spec.thinks,
            room=self._spec.room,
        )
        options = {"num_predict": limit, **_options(self._spec, prompt)}
        if prompt.stop:
            options["stop"] = list(prompt.stop)
        body = {**self._fixed, "messages": turns, "options": options, "stream": True, **unthinking}
        return body, prompt.stop

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], _: Chat, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer."""
        return _chunks(endpoint, answer)

    def warming(self, _: Chat | None, /) -> Warming:
        """Return what loads the model."""
        return _loading(self._fixed, _options(self._spec))


class OllamaInfill(Dialect[Infill]):
    """A model that fills gaps, by its own template."""

    path = "api/generate"
    form = _FORM

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        family = fim.family(spec.model_id)
        # A special token that leaks ends the answer too.
        self._special = fim.TEMPLATES[family].stop if family else ()
        self._fixed = _fixed(spec.model_id)

    def body(self, prompt: Infill, _: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        stops = (*prompt.stop, *self._special)
        files = fim.comments(prompt.excerpts, prompt.language)
        # It puts them into the model's template, where special tokens would act.
        before = fim.neutral(self._spec.model_id, files + prompt.prefix)
        after = fim.neutral(self._spec.model_id, prompt.suffix)
        options = {
            "num_predict": min(prompt.max_tokens, self._spec.max_output),
            **_options(self._spec, prompt),
        }
        if stops:
            options["stop"] = list(stops)
        body = {
            **self._fixed,
            # Without a prompt it only loads the model, without a suffix it takes the prompt for a
            # question: an empty side is a line end.
            "prompt": before or "\n",
            "suffix": after or "\n",
            "options": options,
            "stream": True,
            **self._spec.unthinking,
        }
        return body, stops

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], _: Infill, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer."""
        return _chunks(endpoint, answer)

    def warming(self, _: Infill | None, /) -> Warming:
        """Return what loads the model."""
        return _loading(self._fixed, _options(self._spec))

    def explained(self, error: ModelError, /) -> ModelError:
        """Return the error, with what to do about a model that has no template."""
        lacks = isinstance(error, RequestRejected) and "does not support insert" in error.detail
        return RequestRejected(error.model, error.detail, hint=_NO_TEMPLATE) if lacks else error


def _fixed(model_id: str) -> dict[str, Any]:
    return {"model": model_id, "keep_alive": _KEEP_ALIVE}


def _options(spec: Spec, prompt: Prompt | None = None) -> dict[str, Any]:
    temperature = spec.temperature if prompt is None else spec.temperature_of(prompt)
    given = {"temperature": temperature, "num_ctx": spec.context_window}
    return {name: value for name, value in given.items() if value is not None}


def _loading(fixed: dict[str, Any], options: dict[str, Any]) -> Warming:
    """Ask nothing: Ollama then loads the model, with the context size that answers need too."""
    body = {**fixed, "prompt": "", "options": options, "stream": False}
    return Warming("api/generate", body)


async def _chunks(
    endpoint: Endpoint, answer: AsyncGenerator[Event, None]
) -> AsyncGenerator[Chunk, None]:
    """Read the text of each event; thoughts are left out. The last one counts the tokens."""
    told = None
    async with aclosing(answer):
        async for event in answer:
            message, model = event.get("message"), model_id(event.get("model"))
            text = message.get("content") if isinstance(message, dict) else event.get("response")
            new = model if model != told else None
            told = new or told
            done = _is_last(event)
            finish = finishes.read(endpoint, event.get("done_reason"))
            yield Chunk(
                text if isinstance(text, str) else "",
                usage=_usage(event) if done else None,
                finish=(finish or "stop") if done else None,
                model=new,
            )


def _usage(event: Event) -> Usage | None:
    """Read the counts. Ollama leaves out a count of 0, and so that of a prompt from its cache."""
    if not {"prompt_eval_count", "eval_count"} & event.keys():
        return None
    return Usage(
        input_tokens=count(event.get("prompt_eval_count")),
        output_tokens=count(event.get("eval_count")),
    )
