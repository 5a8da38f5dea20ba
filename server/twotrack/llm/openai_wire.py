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

_MOST_TOKENS = 2**40
"""No provider counts as many: more is nonsense, and the ledger could not hold it."""
_MOST_USD = 1e6
"""No request costs as much."""

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
                usage=_reported(event, choice),
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


def _reported(event: Event, choice: Any) -> Usage | None:
    """Find the usage: in the event, or where Moonshot (the choice) and Groq (`x_groq`) put it."""
    for holder in (event, choice, event.get("x_groq")):
        found = usage(holder.get("usage")) if isinstance(holder, dict) else None
        if found is not None:
            return found
    return None


def usage(raw: object) -> Usage | None:
    """Read `usage`: cached tokens are part of the prompt, reasoning is part of the completion.

    Where what stands: OpenAI, OpenRouter, Mistral and Groq have details; DeepSeek counts hits of
    its cache; Moonshot has `cached_tokens`; LiteLLM passes on Anthropic's names.
    """
    if not isinstance(raw, dict) or not {"prompt_tokens", "completion_tokens"} & raw.keys():
        return None
    details = _mapping(raw.get("prompt_tokens_details"))
    lifetimes = _mapping(details.get("cache_creation_token_details"))
    thoughts = _mapping(raw.get("completion_tokens_details")).get("reasoning_tokens")
    cached = (details.get("cached_tokens"), raw.get("prompt_cache_hit_tokens"))
    written = (details.get("cache_write_tokens"), raw.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=count(raw.get("prompt_tokens")),
        cached_tokens=_first(*cached, raw.get("cached_tokens")),
        cache_write_tokens=_first(*written),
        cache_write_1h_tokens=count(lifetimes.get("ephemeral_1h_input_tokens")),
        output_tokens=count(raw.get("completion_tokens")),
        reasoning_tokens=count(thoughts),
        charged_usd=_charged_usd(raw),
    )


def _charged_usd(raw: Event) -> float | None:
    """Read what OpenRouter charges (its credits are USD).

    With a key of the user's own at the model's provider, `cost` is OpenRouter's fee only:
    https://openrouter.ai/docs/use-cases/usage-accounting
    """
    cost = _money(raw.get("cost"))
    if cost is None or raw.get("is_byok") is not True:
        return cost
    return cost + (_money(_mapping(raw.get("cost_details")).get("upstream_inference_cost")) or 0.0)


def _money(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _MOST_USD else None


def _mapping(value: object) -> Event:
    return value if isinstance(value, dict) else {}


def _first(*values: object) -> int:
    """Give the first count that is there and not zero."""
    return next((n for n in map(count, values) if n), 0)


def count(value: object) -> int:
    """Give a count of tokens as reported; 0 for anything that is none."""
    if isinstance(value, float) and value.is_integer():  # as some servers write it: 12.0
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value < _MOST_TOKENS else 0
