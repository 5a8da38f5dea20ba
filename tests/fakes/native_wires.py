"""A scripted reply in the words of each dialect that is not OpenAI's: Anthropic, Gemini, Ollama.

A new one is a function and a row of `NATIVE`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fakes import strict
from fakes.invoices import Counts
from fakes.replies import Reply, RequestLog
from fakes.wires import Wire, counts, sse

_ANTHROPIC = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
_GEMINI = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_CREATED = "2026-05-09T12:00:00.000000Z"


def named_sse(event: Any) -> bytes:
    """Frame an event whose type stands in an ``event:`` line too."""
    name = event.get("type", "error") if isinstance(event, dict) else "error"
    return b"event: " + str(name).encode() + b"\n" + sse(event)


def ndjson(event: Any) -> bytes:
    """Frame an object on a line of its own."""
    return json.dumps(event, ensure_ascii=False).encode() + b"\n"


def anthropic(request: RequestLog, reply: Reply) -> Wire:
    """``POST /v1/messages``: the input is told first, the output at the end."""
    body = request.body or {}
    model = reply.model or body.get("model", "")
    billed = counts(reply)
    read = {
        "input_tokens": billed.fresh,
        "cache_creation_input_tokens": billed.write + billed.write_1h,
        "cache_read_input_tokens": billed.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": billed.write,
            "ephemeral_1h_input_tokens": billed.write_1h,
        },
        "service_tier": "standard",
    }
    written: dict[str, Any] = {"output_tokens": reply.output_tokens}
    if billed.thoughts:
        written["output_tokens_details"] = {"thinking_tokens": billed.thoughts}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model}
    start = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    reason = _ANTHROPIC.get(reply.finish or "", reply.finish)
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": written,
    }
    return Wire(
        first=(
            {"type": "message_start", "message": {**start, "usage": {**read, "output_tokens": 1}}},
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            },
            {"type": "ping"},
        ),
        events=[
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": piece},
            }
            for piece in reply.pieces
        ],
        last=({"type": "content_block_stop", "index": 0}, *((end,) if reply.finish else ())),
        end=named_sse({"type": "message_stop"}),
        alive=named_sse({"type": "ping"}),
        failure={
            "type": "error",
            "error": {"type": "overloaded_error", "message": "scripted failure"},
        },
        whole={
            **message,
            "content": [{"type": "text", "text": "".join(reply.pieces)}],
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": {**read, **written},
        },
        streamed=bool(body.get("stream")),
        counts=billed,
        model=model,
        frame=named_sse,
    )


def gemini(request: RequestLog, reply: Reply) -> Wire:
    """``POST /v1beta/models/{m}:streamGenerateContent?alt=sse``: every event counts all so far."""
    called, _, method = request.bare_path.rpartition("/models/")[2].partition(":")
    model = reply.model or called
    billed = counts(reply)

    def event(text: str, shown: int, finish: str | None = None) -> dict[str, Any]:
        usage = {
            "promptTokenCount": reply.prompt_tokens,
            "candidatesTokenCount": shown,
            "totalTokenCount": reply.prompt_tokens + shown + billed.thoughts,
        }
        if billed.read:
            usage["cachedContentTokenCount"] = billed.read
        if billed.thoughts:
            usage["thoughtsTokenCount"] = billed.thoughts
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        return {
            "candidates": [candidate | ({"finishReason": finish} if finish else {})],
            "usageMetadata": usage,
            "modelVersion": model,
            "responseId": "r-1",
        }

    finish = _GEMINI.get(reply.finish or "", reply.finish)
    whole = event("".join(reply.pieces), billed.shown, finish)
    streamed = method == "streamGenerateContent"
    return Wire(
        events=[event(piece, min(n, billed.shown)) for n, piece in enumerate(reply.pieces, 1)],
        last=(event("", billed.shown, finish),) if finish else (),
        failure={
            "error": {"code": 500, "message": "scripted failure", "status": "INTERNAL"},
        },
        whole=[whole] if streamed else whole,  # the stream without alt=sse is one JSON array
        streamed=streamed and "alt=sse" in request.path,
        counts=billed,
        model=model,
        frame=sse,
    )


def ollama(request: RequestLog, reply: Reply) -> Wire:
    """``POST /api/chat`` and ``/api/generate``; an empty question loads the model."""
    body = request.body or {}
    model = reply.model or body.get("model", "")
    chat = request.bare_path.endswith("/chat")
    loading = not (body.get("messages") or body.get("prompt") or body.get("suffix"))
    pieces = () if loading else reply.pieces

    def event(text: str, **more: Any) -> dict[str, Any]:
        said = {"message": {"role": "assistant", "content": text}} if chat else {"response": text}
        return {"model": model, "created_at": _CREATED, **said, "done": False} | more

    billed = Counts() if loading else Counts(fresh=reply.prompt_tokens, shown=reply.output_tokens)
    timings = {
        "total_duration": 5_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": reply.prompt_tokens,
        "prompt_eval_duration": 1_000_000,
        "eval_count": reply.output_tokens,
        "eval_duration": 3_000_000,
    }
    reason = {"done_reason": "load" if loading else reply.finish}
    ended = {"done": True} | reason | ({} if loading else timings)
    return Wire(
        events=[event(piece) for piece in pieces],
        last=(event("", **ended),) if reply.finish else (),
        alive=b"\n",
        failure={"error": "scripted failure"},
        whole=event("".join(pieces), **ended),
        streamed=bool(body.get("stream", True)) and not loading,
        counts=billed,
        model=model,
        frame=ndjson,
        content_type="application/x-ndjson",
    )


@dataclass(frozen=True, slots=True)
class Native:
    """One dialect of a provider's own."""

    paths: tuple[str, ...]
    """How the paths of its questions end."""
    wire: Callable[[RequestLog, Reply], Wire]
    """Says the reply."""
    refusal: Callable[[RequestLog, bool], strict.Refusal | None] = lambda _request, _infill: None
    """What the real server would refuse; `infill`: whether its model fills gaps."""


NATIVE = (
    Native(("/v1/messages",), anthropic, lambda request, _: strict.anthropic(request)),
    Native(
        (":streamGenerateContent", ":generateContent"),
        gemini,
        lambda request, _: strict.gemini(request),
    ),
    Native(
        ("/api/chat", "/api/generate"),
        ollama,
        lambda request, infill: strict.ollama(request, infill=infill),
    ),
)


def of(path: str) -> Native | None:
    """Return the dialect that a path belongs to, if it is one of these."""
    return next((native for native in NATIVE if path.endswith(native.paths)), None)
