"""What a provider's failure means: from HTTP status and error body to the tree of errors.

Of an error body only `message` (or FastAPI's `detail`), `type` and `code` are read; the message is
shown cut to 200 characters, and not at all where it repeats a secret or a piece of the prompt.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isnan
from typing import Any

from twotrack.errors import (
    ModelError,
    ModelNotFound,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
    Unauthorized,
)

_SHOWN = 200
_ECHO = 20
"""A message that shares this many characters in a row with the prompt is not shown."""
_LONGEST_WAIT_S = 86_400.0

_STATUSES: dict[int, type[ModelError]] = {
    401: Unauthorized,
    402: QuotaExhausted,
    403: Unauthorized,
    404: ModelNotFound,
    405: ModelNotFound,
    408: TimedOut,
    429: RateLimited,
    # llama.cpp: the model has no fill-in-the-middle tokens. Asking again does not help.
    501: RequestRejected,
    504: TimedOut,
}

_WORDS: tuple[tuple[str, type[ModelError]], ...] = (
    # Found in `type` or `code`, at any status: OpenAI, DeepSeek, Together, Anthropic.
    ("insufficient_quota", QuotaExhausted),
    ("insufficient_balance", QuotaExhausted),
    ("billing", QuotaExhausted),
    ("model_not_found", ModelNotFound),
    ("invalid_api_key", Unauthorized),
    ("authentication_error", Unauthorized),
    ("rate_limit", RateLimited),
)


class Said:
    """What an error body says: `message` and the words of `type` and `code`."""

    def __init__(self, body: object) -> None:
        """Take a decoded body: an object with `error`, a bare error object, or anything else."""
        if isinstance(body, list) and body:
            body = body[0]  # Gemini wraps its error into a list.
        error = body.get("error", body) if isinstance(body, dict) else None
        if isinstance(error, str):
            error = {"message": error}
        fields: dict[str, Any] = error if isinstance(error, dict) else {}
        message = fields.get("message")
        self.message = message if isinstance(message, str) else _detail(message or fields)
        self.words = " ".join(
            str(fields[key]).lower() for key in ("type", "code", "status") if fields.get(key)
        )
        code = fields.get("code")
        self.status = code if isinstance(code, int) else None
        self.retry_after_s = _retry_info(fields.get("details"))


def from_status(
    model: str, status: int, headers: Mapping[str, str], body: bytes, secret: Iterable[str]
) -> ModelError:
    """Give the error of a response other than 200; `secret` are the strings not to repeat."""
    try:
        said = Said(json.loads(body))
    except (ValueError, RecursionError):
        said = Said(None)
    wait = retry_after_s(headers)
    return _error(model, status, said, wait if wait is not None else said.retry_after_s, secret)


def from_event(model: str, event: Mapping[str, Any], secret: Iterable[str]) -> ModelError:
    """Give the error of an event `{"error": ...}` that came after HTTP 200."""
    said = Said(event)
    return _error(model, said.status or 500, said, said.retry_after_s, secret)


def _error(
    model: str, status: int, said: Said, wait: float | None, secret: Iterable[str]
) -> ModelError:
    kind = next((kind for word, kind in _WORDS if word in said.words), None)
    if kind is None and "credit balance" in said.message:  # Anthropic, with status 400
        kind = QuotaExhausted
    if kind is None:
        default = ServerFailed if status >= 500 else RequestRejected
        kind = ModelNotFound if 300 <= status < 400 else _STATUSES.get(status, default)
    detail = f"the server answered {status}"
    if 300 <= status < 400:
        detail = f"the server sent a redirect ({status}), which is not followed"
    shown = " ".join(said.message.split())[:_SHOWN]
    if shown and not repeats(shown, secret):
        detail += f": {shown}"
    return kind(model, detail if detail.endswith(".") else f"{detail}.", retry_after_s=wait)


def repeats(message: str, secret: Iterable[str]) -> bool:
    """Whether `message` holds a string of `secret`, or 20 characters in a row of a longer one."""
    for text in secret:
        if len(text) <= _ECHO:
            if text and text in message:
                return True
            continue
        # Blanks were joined in the message; a piece with line breaks is found by its lines.
        if any(message[i : i + _ECHO] in text for i in range(len(message) - _ECHO + 1)):
            return True
    return False


def strings(body: object) -> Iterator[str]:
    """Give the strings of a request body that may hold code: all but the model's name."""
    if isinstance(body, str):
        if len(body) > _ECHO:
            yield body
    elif isinstance(body, Mapping):
        for key, value in body.items():
            if key not in ("model", "role"):
                yield from strings(value)
    elif isinstance(body, list | tuple):
        for value in body:
            yield from strings(value)


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read `retry-after-ms` and `retry-after` (seconds or HTTP date, RFC 9110 10.2.3)."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return _bounded(float(milliseconds) / 1000)
        if (value := headers.get("retry-after")) is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return _bounded(float(value))
        date = parsedate_to_datetime(value)
        return _bounded((date - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):
        return None


def _detail(body: object) -> str:
    """Read the `detail` of FastAPI: a string, or the first finding's `msg` and place."""
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        place = detail[0].get("loc")
        last = place[-1] if isinstance(place, list) and place else "request"
        return f"{last}: {detail[0].get('msg')}"
    return detail if isinstance(detail, str) else ""


def _retry_info(details: object) -> float | None:
    """Read `retryDelay` ("17s") of Google's RetryInfo."""
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and delay.endswith("s"):
            try:
                return _bounded(float(delay[:-1]))
            except ValueError:
                return None
    return None


def _bounded(seconds: float) -> float | None:
    return None if isnan(seconds) else min(max(seconds, 0.0), _LONGEST_WAIT_S)
