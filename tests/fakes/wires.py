"""A scripted reply in the words of each dialect: the wires of OpenAI's kind and of llama.cpp."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fakes.invoices import Counts
from fakes.replies import Reply, RequestLog

_LLAMA = {"stop": "eos", "length": "limit"}

Flavour = Literal["openai", "deepseek", "groq", "mistral", "moonshot"]
"""Whose servers an OpenAI-compatible one takes after: where they put the usage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A reply in the words of one dialect."""

    events: list[Any]
    """One for each piece of text."""
    whole: Any
    """The answer to a request that asks for no stream."""
    streamed: bool
    """Whether the request asks for a stream."""
    counts: Counts
    """What the provider charges."""
    model: str
    """The model that answered."""
    first: tuple[Any, ...] = ()
    """What comes before the pieces."""
    last: tuple[Any, ...] = ()
    """What comes after them."""
    end: bytes = b""
    """What closes the stream."""
    alive: bytes = b": keep-alive\n\n"
    """A sign of life that says nothing."""
    failure: Any = None
    """An error in the midst of the stream."""
    frame: Callable[[Any], bytes]
    """An event as bytes."""
    content_type: str = "text/event-stream"


def sse(event: Any) -> bytes:
    """Frame an event of a server-sent stream."""
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def counts(reply: Reply, shown: int | None = None) -> Counts:
    """Count as most providers do; `shown` replaces the tokens of the text."""
    written = reply.cache_write_tokens
    return Counts(
        fresh=reply.prompt_tokens - reply.cached_tokens - written,
        read=reply.cached_tokens,
        write=written - reply.cache_write_1h_tokens,
        write_1h=reply.cache_write_1h_tokens,
        thoughts=reply.reasoning_tokens,
        shown=reply.output_tokens - reply.reasoning_tokens if shown is None else shown,
    )


def openai(request: RequestLog, reply: Reply, flavour: Flavour = "openai") -> Wire:
    """Chat, completions, and Mistral's ``/fim/completions``, which answers in a chat's shape."""
    body = request.body or {}
    chat = request.bare_path.endswith(("/chat/completions", "/fim/completions"))
    kind = "chat.completion" if chat else "text_completion"
    model = reply.model or body.get("model", "fake-model")
    base = {"id": "r-1", "object": kind, "model": model}
    usage = _openai_usage(reply, flavour)

    def choice(text: str, finish: str | None, key: str = "delta") -> dict[str, Any]:
        content = {"role": "assistant", "content": text}
        said = {key: content} if chat else {"text": text}
        return {"index": 0, **said, "finish_reason": finish}

    def with_logprob(said: dict[str, Any], n: int) -> dict[str, Any]:
        if not body.get("logprobs") or not reply.logprobs:
            return said
        token, number = reply.pieces[n], reply.logprobs[n]
        told = {"tokens": [token], "token_logprobs": [number], "top_logprobs": [{token: number}]}
        return {**said, "logprobs": told}

    last = {**base, "choices": [choice("", reply.finish)]}
    if flavour == "mistral":
        last |= {"usage": usage}
    elif flavour == "moonshot":
        last["choices"][0]["usage"] = usage
    elif flavour == "groq":
        last |= {"x_groq": {"id": "q-1", "usage": usage}}
    options = body.get("stream_options") or {}
    at_end = options.get("include_usage") and flavour in ("openai", "deepseek")

    def so_far(n: int) -> dict[str, Any]:
        """Return what vLLM (`continuous_usage_stats`) and llama.cpp count with each event."""
        if options.get("continuous_usage_stats"):
            read = reply.prompt_tokens  # what of it was cached is not told before the end
            counted = {"prompt_tokens": read, "completion_tokens": n, "total_tokens": read + n}
            return {"usage": counted}
        return {"timings": _timings(reply, n)} if body.get("timings_per_token") else {}

    return Wire(
        events=[
            {**base, "choices": [with_logprob(choice(piece, None), n - 1)], **so_far(n)}
            for n, piece in enumerate(reply.pieces, 1)
        ],
        last=(
            *((last,) if reply.finish else ()),
            *(({**base, "choices": [], "usage": usage},) if at_end else ()),
        ),
        whole={
            **base,
            "choices": [choice("".join(reply.pieces), reply.finish, "message")],
            "usage": usage,
        },
        streamed=bool(body.get("stream")),
        counts=counts(reply),
        model=model,
        end=b"data: [DONE]\n\n",
        failure={"error": {"message": "scripted failure", "code": 500}},
        frame=sse,
    )


def _openai_usage(reply: Reply, flavour: Flavour) -> dict[str, Any]:
    """Put the counts where each server has them."""
    cached, written = reply.cached_tokens, reply.cache_write_tokens
    usage: dict[str, Any] = {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.prompt_tokens + reply.output_tokens,
    }
    if flavour == "deepseek":
        usage |= {
            "prompt_cache_hit_tokens": cached,
            "prompt_cache_miss_tokens": reply.prompt_tokens - cached,
        }
    elif flavour == "moonshot":
        usage |= {"cached_tokens": cached}
    else:
        details = {"cached_tokens": cached} | ({"cache_write_tokens": written} if written else {})
        usage |= {"prompt_tokens_details": details}
    if reply.reasoning_tokens:
        usage |= {"completion_tokens_details": {"reasoning_tokens": reply.reasoning_tokens}}
    if reply.charged_usd is not None:
        usage |= {"cost": reply.charged_usd, "is_byok": False}
    return usage


def llama(request: RequestLog, reply: Reply) -> Wire:
    """``/infill`` and ``/completion`` of llama.cpp; ``n_predict: 0`` only reads the prompt."""
    body = request.body or {}
    warming = body.get("n_predict") == 0
    pieces = () if warming else reply.pieces
    written = 0 if warming else reply.output_tokens
    model = reply.model or "fake-model"
    end = {
        "content": "",
        "stop": True,
        "model": model,
        "stop_type": "limit" if warming else _LLAMA.get(reply.finish or "", reply.finish),
        "tokens_evaluated": reply.prompt_tokens,
        "tokens_cached": reply.prompt_tokens + written,
        "tokens_predicted": written,
        "timings": _timings(reply, written),
    }

    def so_far(n: int) -> dict[str, Any]:
        counted: dict[str, Any] = {"tokens_predicted": n, "tokens_evaluated": reply.prompt_tokens}
        if body.get("timings_per_token"):
            counted |= {"timings": _timings(reply, n)}
        if body.get("n_probs") and reply.logprobs:
            told = {"id": 1, "token": pieces[n - 1], "bytes": [], "logprob": reply.logprobs[n - 1]}
            counted |= {"completion_probabilities": [{**told, "top_logprobs": [told]}]}
        return counted

    return Wire(
        events=[
            {"content": piece, "stop": False, **so_far(n)} for n, piece in enumerate(pieces, 1)
        ],
        last=(end,) if reply.finish else (),
        whole={**end, "content": "".join(pieces)},
        streamed=bool(body.get("stream")),
        counts=counts(reply, written),
        model=model,
        failure={"error": {"message": "scripted failure", "code": 500, "type": "server_error"}},
        frame=sse,
    )


def _timings(reply: Reply, written: int) -> dict[str, Any]:
    """What llama.cpp has read, and written so far."""
    cached = reply.cached_tokens
    return {"cache_n": cached, "prompt_n": reply.prompt_tokens - cached, "predicted_n": written}
