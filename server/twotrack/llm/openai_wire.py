"""What chat and completions of the OpenAI-compatible servers share: events into chunks."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from twotrack.events import Usage
from twotrack.llm import finishes
from twotrack.llm.api import Chunk, Finish
from twotrack.llm.exchange import Event, EventFormat
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.reported import count, logprobs, model_id

FORM = EventFormat(frozenset({"choices"}))

OPTIONAL = ("stream_options", "temperature", "max_tokens", "stop", "reasoning_effort", "thinking")
"""Parameters that some servers or models refuse by name."""

CONTINUOUS = {"stream_options": {"include_usage": True, "continuous_usage_stats": True}}
"""Has vLLM (June 2024) and SGLang (October 2025) count with every event; OpenAI refuses it.

What was cached may be told at the end only.
"""
TIMINGS = {"timings_per_token": True}
"""Has llama.cpp count with every event (December 2024), in `timings`."""

LOGPROBS = {"logprobs": 1}
"""Has completions bring the log-probability of each token, and of the likeliest one beside it.

With 0 vLLM leaves the latter out, but llama.cpp and older SGLang give nothing.
"""

MOST_STOPS = 4
"""OpenAI takes no more stop strings; the others are cut here."""

_MOST_USD = 1e6
"""No request costs as much."""


async def chunks(
    endpoint: Endpoint, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Chunk, None]:
    """Read `choices[0]`, `usage` and `model` of each event. The model is told once.

    Raises ServerFailed if the server says that the answer broke off.
    """
    told = None
    refused, by_delta = False, False
    async with aclosing(events):
        async for event in events:
            model = model_id(event.get("model"))
            new = model if model != told else None
            told = new or told
            choices = event.get("choices")
            choice = choices[0] if isinstance(choices, list) and choices else None
            choice = choice if isinstance(choice, dict) else {}
            delta = _mapping(choice.get("delta"))
            said = delta or _mapping(choice.get("message"))
            refused = refused or bool(said.get("refusal"))
            finish = _finish(endpoint, choice)
            text = _text(said.get("content") if said else choice.get("text"))
            if by_delta and not delta:  # some repeat the whole answer at its end
                text = ""
            by_delta = by_delta or bool(delta and text)
            yield Chunk(
                text=text,
                usage=_reported(event, choice),
                finish="filtered" if finish and refused else finish,
                model=new,
                logprobs=_logprobs(choice.get("logprobs")),
            )


def _finish(endpoint: Endpoint, choice: Event) -> Finish | None:
    """Read why it ended; OpenRouter also tells what the provider behind it said."""
    reasons = (choice.get(name) for name in ("finish_reason", "native_finish_reason"))
    return finishes.read(endpoint, *reasons)


def _text(text: object) -> str:
    """Read the text of a completion, a chat delta, or a message; reasoning is left out."""
    if isinstance(text, list):  # Mistral's thinking models send typed parts
        parts = (p.get("text") for p in text if isinstance(p, dict) and p.get("type") == "text")
        return "".join(p for p in parts if isinstance(p, str))
    return text if isinstance(text, str) else ""


def _logprobs(raw: object) -> tuple[float, ...]:
    """Read `token_logprobs`, as OpenAI has them; llama.cpp's stand in `content`, as in a chat."""
    holder = _mapping(raw)
    listed = holder.get("token_logprobs")
    return logprobs(listed) or logprobs(holder.get("content"), "logprob")


def _reported(event: Event, choice: Event) -> Usage | None:
    """Find the usage: in the event, or where Moonshot (the choice) and Groq (`x_groq`) put it.

    Before the last event llama.cpp has `timings` only.
    """
    for holder in (event, choice, event.get("x_groq")):
        found = usage(holder.get("usage")) if isinstance(holder, dict) else None
        if found is not None:
            return found
    timings = _mapping(event.get("timings"))
    if not {"prompt_n", "cache_n"} <= timings.keys():
        return None
    cached = count(timings.get("cache_n"))
    return Usage(
        input_tokens=count(timings.get("prompt_n")) + cached,
        cached_tokens=cached,
        output_tokens=count(timings.get("predicted_n")),
    )


def usage(raw: object) -> Usage | None:
    """Read `usage`: cached tokens are part of the prompt, reasoning is part of the completion.

    Where what stands: OpenAI, OpenRouter, Mistral and Groq have details; DeepSeek counts hits of
    its cache; Moonshot has `cached_tokens`; LiteLLM passes on Anthropic's names. In the total only
    stand what Portkey's Claude has in its cache, and what Gemini thinks behind its compatible API.
    """
    if not isinstance(raw, dict) or not {"prompt_tokens", "completion_tokens"} & raw.keys():
        return None
    details = _mapping(raw.get("prompt_tokens_details"))
    lifetimes = _mapping(details.get("cache_creation_token_details"))
    thoughts = count(_mapping(raw.get("completion_tokens_details")).get("reasoning_tokens"))
    hits = (details.get("cached_tokens"), raw.get("prompt_cache_hit_tokens"))
    cached = _first(*hits, raw.get("cached_tokens"), raw.get("cache_read_input_tokens"))
    written = _first(details.get("cache_write_tokens"), raw.get("cache_creation_input_tokens"))
    read, completed = count(raw.get("prompt_tokens")), count(raw.get("completion_tokens"))
    beside = max(count(raw.get("total_tokens")) - read - completed, 0)
    if beside == cached + written:
        read, beside = read + beside, 0
    return Usage(
        input_tokens=read,
        cached_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=count(lifetimes.get("ephemeral_1h_input_tokens")),
        output_tokens=completed + beside,
        reasoning_tokens=max(thoughts, beside),
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
    """Return the first count that is there and not zero."""
    return next((n for n in map(count, values) if n), 0)
