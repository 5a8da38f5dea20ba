"""Google's own chat: ``POST {base}/models/{model}:streamGenerateContent?alt=sse``."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from twotrack.events import Usage
from twotrack.llm import finishes, thinking
from twotrack.llm.api import Chat, Chunk, Finish
from twotrack.llm.exchange import Event, EventFormat
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.reported import count, model_id
from twotrack.llm.spec import Spec
from twotrack.llm.wire import Dialect, Refuses

_OPTIONAL = ("temperature", "stopSequences")
_MOST_STOPS = 5
"""It takes no more stop strings; the others are cut here."""
_ROLES = {"user": "user", "assistant": "model"}


class Gemini(Dialect[Chat]):
    """A Gemini model.

    `refused` and `unthinking` name fields of `generationConfig`, such as `thinkingConfig`.
    """

    within = "generationConfig"
    form = EventFormat(frozenset({"candidates", "promptFeedback"}))

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        # The list of models calls them "models/NAME".
        name = quote(spec.model_id.removeprefix("models/"), safe="")
        self.path = f"models/{name}:streamGenerateContent?alt=sse"
        self.optional = (*_OPTIONAL, *spec.unthinking)
        self.refused = spec.refused

    def body(self, prompt: Chat, refuses: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        turns = list(prompt.messages)
        if turns and turns[-1].role == "assistant":
            turns.pop()  # it wants the last turn to be the user's
        limit, unthinking = thinking.share(
            prompt.max_tokens,
            self._spec.max_output,
            self._spec.unthinking,
            always=self._spec.thinks or refuses(self._spec.unthinking),
            room=self._spec.room,
        )
        config: dict[str, Any] = {"maxOutputTokens": limit, **unthinking}
        if (temperature := self._spec.temperature_of(prompt)) is not None:
            config["temperature"] = temperature
        if prompt.stop:
            config["stopSequences"] = list(prompt.stop[:_MOST_STOPS])
        head = {"systemInstruction": {"parts": [{"text": prompt.system}]}} if prompt.system else {}
        body = {
            **head,
            "contents": [
                {"role": _ROLES[turn.role], "parts": [{"text": turn.content}]}
                for turn in turns
                if turn.content
            ],
            "generationConfig": config,
        }
        return body, prompt.stop

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], _: Chat, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer."""
        return _chunks(endpoint, answer)


async def _chunks(
    endpoint: Endpoint, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Chunk, None]:
    """Read the first candidate of each event; thoughts are left out.

    Every event counts the tokens so far. The end of the body ends the answer: some models name a
    finish with every event.
    """
    told = None
    finish: Finish | None = None
    async with aclosing(events):
        async for event in events:
            candidates = event.get("candidates")
            candidate = candidates[0] if isinstance(candidates, list) and candidates else None
            finish = finishes.worse(finish, _finish(endpoint, event, candidate))
            model = model_id(event.get("modelVersion"))
            new = model if model != told else None
            told = new or told
            yield Chunk(_text(candidate), usage=_usage(event.get("usageMetadata")), model=new)
    yield Chunk(finish=finish)


def _text(candidate: object) -> str:
    content = candidate.get("content") if isinstance(candidate, dict) else None
    parts = content.get("parts") if isinstance(content, dict) else None
    texts = (
        part.get("text")
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and not part.get("thought")
    )
    return "".join(text for text in texts if isinstance(text, str))


def _finish(endpoint: Endpoint, event: Event, candidate: object) -> Finish | None:
    feedback = event.get("promptFeedback")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        return "filtered"
    reason = candidate.get("finishReason") if isinstance(candidate, dict) else None
    return finishes.read(endpoint, reason)


def _usage(raw: object) -> Usage | None:
    """Read `usageMetadata`: the prompt holds what was cached, the candidates hold no thoughts."""
    if not isinstance(raw, dict):
        return None
    thoughts = count(raw.get("thoughtsTokenCount"))
    return Usage(
        input_tokens=count(raw.get("promptTokenCount")),
        cached_tokens=count(raw.get("cachedContentTokenCount")),
        output_tokens=count(raw.get("candidatesTokenCount")) + thoughts,
        reasoning_tokens=thoughts,
    )
