"""What chat and completions of the OpenAI-compatible servers share: events into chunks."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from twotrack.events import Usage
from twotrack.llm.api import Chunk, Finish
from twotrack.llm.exchange import Event

OPTIONAL = ("stream_options", "temperature", "max_tokens", "stop", "reasoning_effort", "thinking")
"""Parameters that some servers or models refuse by name."""

MOST_STOPS = 4
"""OpenAI takes no more stop strings; the others are cut here."""

_FINISHES: dict[str, Finish] = {"length": "length", "content_filter": "filtered"}


async def chunks(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Chunk, None]:
    """Read `choices[0]`, `usage` and `model` of each event. The model is told once."""
    told = None
    async with aclosing(events):
        async for event in events:
            model = event.get("model")
            new = model if isinstance(model, str) and model != told else None
            told = new or told
            choices = event.get("choices")
            choice = choices[0] if isinstance(choices, list) and choices else {}
            reason = choice.get("finish_reason") if isinstance(choice, dict) else None
            yield Chunk(
                text=_text(choice),
                usage=usage(event.get("usage")),
                finish=_FINISHES.get(reason, "stop") if isinstance(reason, str) else None,
                model=new,
            )


def _text(choice: Any) -> str:
    """Find the text: of a completion, a chat delta, or a whole message; reasoning is left out."""
    if not isinstance(choice, dict):
        return ""
    text = choice.get("text")
    if text is None:
        said = choice.get("delta") or choice.get("message")
        text = said.get("content") if isinstance(said, dict) else None
    if isinstance(text, list):  # Mistral's thinking models send typed parts
        parts = (p.get("text") for p in text if isinstance(p, dict) and p.get("type") == "text")
        return "".join(p for p in parts if isinstance(p, str))
    return text if isinstance(text, str) else ""


def usage(raw: object) -> Usage | None:
    """Read `usage`; cached tokens where OpenAI, or else DeepSeek, puts them."""
    if not isinstance(raw, dict):
        return None
    details = raw.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    cached = raw.get("prompt_cache_hit_tokens") if cached is None else cached
    return Usage(
        input_tokens=count(raw.get("prompt_tokens")),
        cached_tokens=count(cached),
        output_tokens=count(raw.get("completion_tokens")),
    )


def count(value: object) -> int:
    """Give a count of tokens as reported; 0 for anything that is none."""
    return max(value, 0) if isinstance(value, int) else 0
