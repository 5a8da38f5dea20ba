"""Ollama's own API: chat by ``POST {base}/api/chat``, gaps by ``POST {base}/api/generate``."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from twotrack.errors import RequestRejected
from twotrack.events import Usage
from twotrack.llm import fim, finishes, thinking
from twotrack.llm.api import Chat, Chunk, Infill, Prompt
from twotrack.llm.exchange import Event, cut, events
from twotrack.llm.reported import count, model_id
from twotrack.llm.transport import Endpoint, Transport

_KEEP_ALIVE = "30m"
"""Loading takes seconds to a minute: a model outlives a pause for thought (Ollama: 5 minutes)."""
_NO_TEMPLATE = (
    "This model has no fill-in-the-middle template; complete with one that has, such as "
    "qwen2.5-coder."
)


class OllamaChat:
    """A model that answers chats.

    `context_window` is the size in tokens to load it with; None leaves that to the server. Ask for
    gaps with the same size, or Ollama loads the model anew each time. `unthinking`, `thinks` and
    `room`: as for `OpenAIChat`. A `temperature` of None is left out.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        model_id: str,
        *,
        temperature: float | None = 0.1,
        max_output: int = 8_192,
        unthinking: Mapping[str, Any] | None = None,
        thinks: bool = False,
        room: int = thinking.ROOM,
        context_window: int | None = None,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._fixed = _fixed(model_id)
        self._options = _options(temperature, context_window)
        self._max_output = max_output
        self._unthinking = dict(unthinking or {})
        self._thinks = thinks
        self._room = room

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer a Chat prompt. Raises ModelError."""
        if not isinstance(prompt, Chat):
            raise RequestRejected(self._endpoint.name, "it takes no fill-in-the-middle prompt.")
        answer = _chunks(
            self._endpoint,
            _ask(self._transport, self._endpoint, "api/chat", self._body(prompt)),
        )
        async with aclosing(cut(self._endpoint, answer, prompt.stop)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _body(self, prompt: Chat) -> dict[str, Any]:
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        if prompt.system:
            turns.insert(0, {"role": "system", "content": prompt.system})
        limit, unthinking = thinking.share(
            prompt.max_tokens,
            self._max_output,
            self._unthinking,
            always=self._thinks,
            room=self._room,
        )
        options = {"num_predict": limit, **self._options}
        if prompt.stop:
            options["stop"] = list(prompt.stop)
        return {**self._fixed, "messages": turns, "options": options, "stream": True, **unthinking}

    async def warm(self, prompt: Prompt | None = None) -> None:  # noqa: ARG002  # keeps no prompt
        """Load the model. Raises ModelError."""
        await _load(self._transport, self._endpoint, self._fixed, self._options)

    async def aclose(self) -> None:
        """Nothing to give back: the transport is shared."""


class OllamaInfill:
    """A model that fills gaps, by its own template. Parameters as for `OllamaChat`."""

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        model_id: str,
        *,
        temperature: float | None = 0.1,
        max_output: int = 8_192,
        unthinking: Mapping[str, Any] | None = None,
        context_window: int | None = None,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._model_id = model_id
        family = fim.family(model_id)
        # A special token that leaks ends the answer too.
        self._special = fim.TEMPLATES[family].stop if family else ()
        self._fixed = _fixed(model_id)
        self._options = _options(temperature, context_window)
        self._max_output = max_output
        self._unthinking = dict(unthinking or {})

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer an Infill prompt. Raises ModelError."""
        if not isinstance(prompt, Infill):
            raise RequestRejected(self._endpoint.name, "it takes no chat prompt.")
        stops = (*prompt.stop, *self._special)
        body = self._body(prompt, stops)
        answer = _chunks(
            self._endpoint, _ask(self._transport, self._endpoint, "api/generate", body)
        )
        try:
            async with aclosing(cut(self._endpoint, answer, stops)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except RequestRejected as rejected:
            if "does not support insert" not in rejected.detail:
                raise
            name = self._endpoint.name
            raise RequestRejected(name, rejected.detail, hint=_NO_TEMPLATE) from None

    def _body(self, prompt: Infill, stops: tuple[str, ...]) -> dict[str, Any]:
        files = fim.comments(prompt.excerpts, prompt.language)
        # It puts them into the model's template, where special tokens would act.
        before = fim.neutral(self._model_id, files + prompt.prefix)
        after = fim.neutral(self._model_id, prompt.suffix)
        options = {"num_predict": min(prompt.max_tokens, self._max_output), **self._options}
        if stops:
            options["stop"] = list(stops)
        return {
            **self._fixed,
            # Without a prompt it only loads the model, without a suffix it takes the prompt for a
            # question: an empty side is a line end.
            "prompt": before or "\n",
            "suffix": after or "\n",
            "options": options,
            "stream": True,
            **self._unthinking,
        }

    async def warm(self, prompt: Prompt | None = None) -> None:  # noqa: ARG002  # keeps no prompt
        """Load the model. Raises ModelError."""
        await _load(self._transport, self._endpoint, self._fixed, self._options)

    async def aclose(self) -> None:
        """Nothing to give back: the transport is shared."""


def _fixed(model_id: str) -> dict[str, Any]:
    return {"model": model_id, "keep_alive": _KEEP_ALIVE}


def _options(temperature: float | None, context_window: int | None) -> dict[str, Any]:
    given = {"temperature": temperature, "num_ctx": context_window}
    return {name: value for name, value in given.items() if value is not None}


def _ask(
    transport: Transport, endpoint: Endpoint, path: str, body: Mapping[str, Any]
) -> AsyncGenerator[Event, None]:
    return events(transport, endpoint, path, body, framing="ndjson", is_last=_is_last)


def _is_last(event: Event) -> bool:
    return event.get("done") is True


async def _load(
    transport: Transport, endpoint: Endpoint, fixed: dict[str, Any], options: dict[str, Any]
) -> None:
    """Ask nothing: Ollama then loads the model, with the context size that answers need too."""
    body = {**fixed, "prompt": "", "options": options, "stream": False}
    async with aclosing(_ask(transport, endpoint, "api/generate", body)) as answer:
        async for _ in answer:
            pass


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
