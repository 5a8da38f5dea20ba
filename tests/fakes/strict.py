"""What the real APIs refuse, in their own words; None where they would answer.

By their documentation (2026): Anthropic's and Gemini's take no field that they do not know.
"""

from collections.abc import Iterator
from typing import Any

from fakes.replies import RequestLog

Refusal = tuple[int, Any]
"""HTTP status and body."""

_ANTHROPIC_FIELDS = {
    *("model", "messages", "max_tokens", "system", "metadata", "stop_sequences", "stream"),
    *("temperature", "top_p", "top_k", "tools", "tool_choice", "thinking", "service_tier"),
    *("container", "context_management", "mcp_servers", "output_config", "cache_control"),
}
_GEMINI_FIELDS = {
    *("contents", "systemInstruction", "generationConfig", "safetySettings"),
    *("tools", "toolConfig", "cachedContent"),
}
_GENERATION_FIELDS = {
    *("stopSequences", "candidateCount", "maxOutputTokens", "temperature", "topP", "topK"),
    *("seed", "thinkingConfig", "responseMimeType", "responseSchema", "responseJsonSchema"),
    *("presencePenalty", "frequencyPenalty", "responseModalities", "mediaResolution"),
}
_OLLAMA_FIELDS = {
    *("model", "prompt", "suffix", "images", "format", "system", "template", "raw", "stream"),
    *("keep_alive", "options", "think", "messages", "tools", "context"),
}
_MOST_BREAKPOINTS = 4
_MOST_STOPS = 4


def unauthorized(request: RequestLog, key: str) -> Refusal | None:
    """Look for the key where the dialect has it; Ollama needs none."""
    path, headers = request.bare_path, request.headers
    if "/v1beta/" in path and "/openai/" not in path:
        given = headers.get("x-goog-api-key")
        refusal = _bad_gemini_key() if given else _missing_gemini_key()
    elif "anthropic-version" in headers or path.endswith("/messages"):
        given = headers.get("x-api-key")
        refusal = 401, _anthropic("authentication_error", "invalid x-api-key")
    else:
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        given = headers.get("x-portkey-api-key", bearer)
        message = "Incorrect API key provided."
        refusal = 401, _openai(message, "invalid_request_error", "invalid_api_key")
    return None if given == key or path.startswith("/api/") else refusal


def _missing_gemini_key() -> Refusal:
    message = "Method doesn't allow unregistered callers."
    return 403, {"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED"}}


def _bad_gemini_key() -> Refusal:
    error = {
        "code": 400,
        "message": "API key not valid. Please pass a valid API key.",
        "status": "INVALID_ARGUMENT",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
            }
        ],
    }
    return 400, {"error": error}


def anthropic(request: RequestLog) -> Refusal | None:
    """Check a question to ``/v1/messages``."""
    problem = next(_anthropic_problems(request), None)
    return problem and (400, _anthropic("invalid_request_error", problem))


def _anthropic_problems(request: RequestLog) -> Iterator[str]:
    body = request.body or {}
    if "anthropic-version" not in request.headers:
        yield "anthropic-version: header is required"
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            yield f"{name}: Field required"
    for name in sorted(body.keys() - _ANTHROPIC_FIELDS):
        yield f"{name}: Extra inputs are not permitted"
    if body["max_tokens"] < 1:
        yield "max_tokens: Input should be greater than or equal to 1"
    if not all(stop.strip() for stop in body.get("stop_sequences", ())):
        yield "stop_sequences: each stop sequence must contain non-whitespace"
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled" and thinking.get("budget_tokens", 0) < 1024:
        yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    yield from _content_problems(body)


def _content_problems(body: dict[str, Any]) -> Iterator[str]:
    messages = body["messages"]
    if not messages:
        yield "messages: at least one message is required"
    for n, message in enumerate(messages):
        if message["role"] not in ("user", "assistant"):
            yield f"messages.{n}.role: Input should be 'user' or 'assistant'"
        if not message["content"]:
            yield f"messages.{n}: all messages must have non-empty content"
    blocks = list(_blocks(body))
    if not all(block["text"].strip() for block in blocks if block["type"] == "text"):
        yield "messages: text content blocks must contain non-whitespace text"
    yield from _prefill_problems(messages)
    yield from _breakpoint_problems([b["cache_control"] for b in blocks if "cache_control" in b])


def _prefill_problems(messages: list[dict[str, Any]]) -> Iterator[str]:
    content = messages[-1]["content"]
    text = content if isinstance(content, str) else content[-1].get("text", "")
    if messages[-1]["role"] == "assistant" and text != text.rstrip():
        yield "messages: final assistant content cannot end with trailing whitespace"


def _breakpoint_problems(marks: list[dict[str, Any]]) -> Iterator[str]:
    if len(marks) > _MOST_BREAKPOINTS:
        yield (f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    lifetimes = [mark.get("ttl", "5m") for mark in marks]
    for mark, lifetime in zip(marks, lifetimes, strict=True):
        if mark.get("type") != "ephemeral" or lifetime not in ("5m", "1h"):
            yield "cache_control: Input should be 'ephemeral' with a ttl of '5m' or '1h'"
    if lifetimes != sorted(lifetimes):  # "1h" comes before "5m"
        yield "cache_control.ttl: a '1h' block must not come after a '5m' block"


def _blocks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All blocks of content, in the order in which the cache sees them."""
    contents = [body.get("system", ()), *(message["content"] for message in body["messages"])]
    for content in contents:
        yield from ({"type": "text", "text": content},) if isinstance(content, str) else content


def gemini(request: RequestLog) -> Refusal | None:
    """Check a question to ``/v1beta/models/{m}:generateContent``."""
    problem = next(_gemini_problems(request.body or {}), None)
    error = {"code": 400, "message": problem, "status": "INVALID_ARGUMENT"}
    return problem and (400, {"error": error})


def _gemini_problems(body: dict[str, Any]) -> Iterator[str]:
    config = body.get("generationConfig", {})
    unknown = [(name, "") for name in sorted(body.keys() - _GEMINI_FIELDS)]
    unknown += [(n, " at 'generation_config'") for n in sorted(config.keys() - _GENERATION_FIELDS)]
    for name, place in unknown:
        yield f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
    if not body.get("contents"):
        yield "* GenerateContentRequest.contents: contents is not specified"
    for turn in body.get("contents", ()):
        if turn.get("role") not in ("user", "model"):
            yield "Please use a valid role: user, model."
        if not turn.get("parts"):
            yield "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty."
    if len(config.get("stopSequences", ())) > 5:
        yield "* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed"
    thinking = config.get("thinkingConfig", {})
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        yield "You can only set only one of thinking budget and thinking level."


def ollama(request: RequestLog, *, infill: bool) -> Refusal | None:
    """Check a question to ``/api/chat`` or ``/api/generate``; errors are bare strings there."""
    body = request.body or {}
    if not body.get("model"):
        return 400, {"error": "model is required"}
    if body.get("raw") and (body.get("suffix") or body.get("system") or body.get("template")):
        return 400, {"error": "raw mode does not support template, system, or context"}
    if body.get("suffix") and not infill:
        return 400, {"error": f'"{body["model"]}" does not support insert'}
    # Ollama ignores what it does not know; whoever sends it did not mean to.
    unknown = body.keys() - _OLLAMA_FIELDS
    return (400, {"error": f"unknown: {sorted(unknown)}"}) if unknown else None


def llama(request: RequestLog, *, infill: bool) -> Refusal | None:
    """Check a question to ``/infill``."""
    if infill or not request.bare_path.endswith("/infill"):
        return None
    message = "Infill is not supported by this model: prefix token is missing."
    error = {"code": 501, "message": message, "type": "not_supported_error"}
    return 501, {"error": error}


def openai(request: RequestLog, *, infill: bool) -> Refusal | None:
    """Check a question to ``/chat/completions`` or ``/completions``."""
    body = request.body or {}
    if len(body.get("stop", ())) > _MOST_STOPS:
        message = "Invalid 'stop': array too long. Expected an array with maximum length 4."
        return 400, _openai(message, "invalid_request_error", "array_above_max_length")
    if infill or "suffix" not in body:
        return None
    # Ollama says so where a model has no template.
    message = f'"{body.get("model")}" does not support insert'
    return 400, _openai(message, "invalid_request_error", None)


def _anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def _openai(message: str, kind: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
