"""Google's own chat: ``POST {base}/models/{model}:streamGenerateContent?alt=sse``."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from twotrack.errors import RequestRejected
from twotrack.events import Usage
from twotrack.llm import finishes, thinking
from twotrack.llm.api import Chat, Chunk, Finish, Prompt
from twotrack.llm.exchange import Event, cut
from twotrack.llm.negotiation import Negotiated, folded
from twotrack.llm.reported import count, model_id
from twotrack.llm.transport import Endpoint, Transport

_OPTIONAL = ("temperature", "stopSequences")
_MOST_STOPS = 5
"""It takes no more stop strings; the others are cut here."""
_ROLES = {"user": "user", "assistant": "model"}


class Gemini:
    """A Gemini model.

    `refused` and `unthinking` name fields of `generationConfig`, such as `thinkingConfig`; else
    they, `thinks` and `room` are as for `OpenAIChat`. A `temperature` of None is left out.
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
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        # The list of models calls them "models/NAME".
        name = quote(model_id.removeprefix("models/"), safe="")
        self._path = f"models/{name}:streamGenerateContent?alt=sse"
        self._temperature = temperature
        self._max_output = max_output
        self._unthinking = dict(unthinking or {})
        self._thinks = thinks
        self._room = room
        self._negotiated = Negotiated(
            (*_OPTIONAL, *self._unthinking), refused, within="generationConfig"
        )

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer a Chat prompt. Raises ModelError."""
        if not isinstance(prompt, Chat):
            raise RequestRejected(self._endpoint.name, "it takes no fill-in-the-middle prompt.")
        events = self._negotiated.events(
            self._transport,
            self._endpoint,
            self._path,
            self._body(prompt),
            folded=(lambda: self._body(folded(prompt))) if prompt.system else None,
        )
        async with aclosing(
            cut(self._endpoint, _chunks(self._endpoint, events), prompt.stop)
        ) as answer:
            async for chunk in answer:
                yield chunk

    def _body(self, prompt: Chat) -> dict[str, Any]:
        turns = list(prompt.messages)
        if turns and turns[-1].role == "assistant":
            turns.pop()  # it wants the last turn to be the user's
        limit, unthinking = thinking.share(
            prompt.max_tokens,
            self._max_output,
            self._unthinking,
            always=self._thinks or self._negotiated.refuses(self._unthinking),
            room=self._room,
        )
        config: dict[str, Any] = {"maxOutputTokens": limit, **unthinking}
        if self._temperature is not None:
            config["temperature"] = self._temperature
        if prompt.stop:
            config["stopSequences"] = list(prompt.stop[:_MOST_STOPS])
        head = {"systemInstruction": {"parts": [{"text": prompt.system}]}} if prompt.system else {}
        return {
            **head,
            "contents": [
                {"role": _ROLES[turn.role], "parts": [{"text": turn.content}]}
                for turn in turns
                if turn.content
            ],
            "generationConfig": config,
        }

    async def warm(self, prompt: Prompt | None = None) -> None:  # noqa: ARG002  # keeps no prompt
        """Make a connection. Raises ModelError."""
        await self._transport.connect(self._endpoint)

    async def aclose(self) -> None:
        """Nothing to give back: the transport is shared."""


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
