"""Anthropic's own chat: ``POST {base}/messages``, with breakpoints for its prompt cache."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from twotrack.events import Usage
from twotrack.llm import finishes, thinking
from twotrack.llm.api import Chat, Chunk, Finish, Message
from twotrack.llm.exchange import Event, EventFormat
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.reported import count, model_id
from twotrack.llm.spec import Spec
from twotrack.llm.wire import Dialect, Refuses
from twotrack.settings.schema import PromptCache

_OPTIONAL = ("temperature", "stop_sequences")
"""Newer models refuse sampling parameters; what keeps one from thinking may be refused too."""
_CHARS_PER_TOKEN = 4
"""An estimate: whether a head is long enough to be kept is known to the provider only."""
_CACHE_CONTROL = {
    PromptCache.MINUTES: {"type": "ephemeral"},
    PromptCache.HOUR: {"type": "ephemeral", "ttl": "1h"},
}


class AnthropicMessages(Dialect[Chat]):
    """A Claude model; one that takes no beginning of its answer (`prefill`) is asked without."""

    path = "messages"
    form = EventFormat(
        frozenset({"content", "content_block", "delta"}),
        is_last=lambda event: event.get("type") == "message_stop",
    )

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.optional = (*_OPTIONAL, *spec.unthinking)
        self.refused = spec.refused

    def body(self, prompt: Chat, refuses: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""
        limit, unthinking = thinking.share(
            prompt.max_tokens,
            self._spec.max_output,
            self._spec.unthinking,
            always=self._spec.thinks or refuses(self._spec.unthinking),
            room=self._spec.room,
        )
        body: dict[str, Any] = {"model": self._spec.model_id, "max_tokens": limit, "stream": True}
        if prompt.system.strip():
            mark = self._mark(len(prompt.system))
            block = {"type": "text", "text": prompt.system, **mark}
            body["system"] = [block] if mark else prompt.system
        body["messages"] = self._turns(prompt)
        if (temperature := self._spec.temperature_of(prompt)) is not None:
            body["temperature"] = temperature
        # It refuses stop strings of blanks only; those are cut here.
        if stops := [stop for stop in prompt.stop if stop.strip()]:
            body["stop_sequences"] = stops
        return {**body, **unthinking}, prompt.stop

    def _turns(self, prompt: Chat) -> list[dict[str, Any]]:
        """Write the turns; blank texts, which are refused, are left out."""
        turns = list(prompt.messages)
        if turns and turns[-1].role == "assistant":
            begun = turns.pop().content.rstrip()  # trailing blanks are refused too
            turns += [Message("assistant", begun)] if self._spec.prefill else []
        first = next((turn for turn in turns if turn.role == "user"), None)
        return [
            {
                "role": turn.role,
                "content": self._headed(turn, len(prompt.system))
                if turn is first
                else turn.content,
            }
            for turn in turns
            if turn.content.strip()
        ]

    def _headed(self, turn: Message, before: int) -> str | list[dict[str, Any]]:
        """Put a breakpoint behind the head of `turn`, before which stand `before` characters."""
        head, rest = turn.content[: turn.head], turn.content[turn.head :]
        mark = self._mark(before + len(head))
        if not mark or not head.strip():
            return turn.content
        blocks: list[dict[str, Any]] = [{"type": "text", "text": head, **mark}]
        return [*blocks, {"type": "text", "text": rest}] if rest.strip() else blocks

    def _mark(self, chars: int) -> dict[str, Any]:
        """Return the breakpoint of a head of so many characters; two of four are used at most."""
        enough = chars >= self._spec.cache_minimum * _CHARS_PER_TOKEN
        control = _CACHE_CONTROL.get(self._spec.cache)
        return {"cache_control": control} if control and enough else {}

    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], _: Chat, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer."""
        return _chunks(endpoint, answer)


async def _chunks(
    endpoint: Endpoint, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Chunk, None]:
    """Read the text blocks; thoughts are left out.

    The usage of the input comes at the start, so that an aborted answer is not free; the counts of
    `message_delta` are those of the whole answer so far.
    """
    counts: dict[str, Any] = {}
    by_delta = False
    async with aclosing(events):
        async for event in events:
            match event.get("type"):
                case "content_block_delta":
                    text = _text(event.get("delta"), "text_delta")
                    by_delta = by_delta or bool(text)
                    yield Chunk(text)
                case "content_block_start":
                    yield Chunk(_text(event.get("content_block"), "text"))
                case "message_start":
                    yield _message(endpoint, event.get("message"), counts)
                case "message":  # from a server that does not stream
                    whole = _message(endpoint, event, counts)
                    yield replace(whole, text="") if by_delta else whole
                case "message_delta":
                    finish = _finish(endpoint, event.get("delta"))
                    yield Chunk(usage=_usage(event.get("usage"), counts), finish=finish)


def _message(endpoint: Endpoint, message: object, counts: dict[str, Any]) -> Chunk:
    if not isinstance(message, dict):
        return Chunk()
    blocks = message.get("content")
    return Chunk(
        "".join(_text(block, "text") for block in (blocks if isinstance(blocks, list) else ())),
        usage=_usage(message.get("usage"), counts),
        finish=_finish(endpoint, message),
        model=model_id(message.get("model")),
    )


def _text(part: object, kind: str) -> str:
    text = part.get("text") if isinstance(part, dict) and part.get("type") == kind else None
    return text if isinstance(text, str) else ""


def _finish(endpoint: Endpoint, said: object) -> Finish | None:
    reason = said.get("stop_reason") if isinstance(said, dict) else None
    return finishes.read(endpoint, reason)


def _usage(raw: object, counts: dict[str, Any]) -> Usage | None:
    """Add `raw` to the counts so far. `input_tokens` leaves out what the cache read or wrote."""
    if not isinstance(raw, dict):
        return None
    counts.update({name: value for name, value in raw.items() if value is not None})
    read = count(counts.get("cache_read_input_tokens"))
    written = count(counts.get("cache_creation_input_tokens"))
    lifetimes, details = counts.get("cache_creation"), counts.get("output_tokens_details")
    hour = lifetimes.get("ephemeral_1h_input_tokens") if isinstance(lifetimes, dict) else None
    thoughts = details.get("thinking_tokens") if isinstance(details, dict) else None
    return Usage(
        input_tokens=count(counts.get("input_tokens")) + read + written,
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(count(hour), written),
        output_tokens=count(counts.get("output_tokens")),
        reasoning_tokens=count(thoughts),
    )
