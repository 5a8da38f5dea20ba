"""What a provider's failure means: from HTTP status and error body to the tree of errors.

What the server says (see `error_bodies`) is shown cut to 200 characters, and not at all where it
repeats a piece of a key or of the prompt.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isnan
from typing import Any
from urllib.parse import unquote, urlsplit

from twotrack.errors import (
    Complaint,
    MalformedReply,
    ModelError,
    ModelNotFound,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
    Unauthorized,
)
from twotrack.llm.error_bodies import Said, decoded, is_markup
from twotrack.llm.keys import Key

_SHOWN = 200
_READ = 300
"""Of the beginning and the end of what a server says, for programs."""
_ECHO = 20
"""A message that shares this many characters in a row with the prompt is not shown."""
_KEY_ECHO = 8
"""As many are enough of what may be a key: without blanks, and not long."""
_LONGEST_KEY = 512
_LONGEST_WAIT_S = 86_400.0
_RENEWAL_S = 60.0
"""When to ask again with a key that a command or the keyring may give anew."""
_LOADING_S = 1.0
"""When to ask a server again that is loading its model, where it does not say."""

_STATUSES: dict[int, type[ModelError]] = {
    401: Unauthorized,
    402: QuotaExhausted,
    403: Unauthorized,
    404: ModelNotFound,
    405: ModelNotFound,
    408: TimedOut,
    409: ServerFailed,
    410: ModelNotFound,
    425: ServerFailed,
    429: RateLimited,
    # llama.cpp: the model has no fill-in-the-middle tokens. Asking again does not help.
    501: RequestRejected,
    504: TimedOut,
}

_EVENTS = {
    "invalid_request_error": 400,
    "permission_error": 403,
    "not_found_error": 404,
    "timeout_error": 504,
}
"""The HTTP status that an event's `type` stands for, where it gives no number (Anthropic)."""

_WORDS: tuple[tuple[str, type[ModelError]], ...] = (
    # Found in `type`, `code` or `status`, whatever the HTTP status.
    ("insufficient_quota", QuotaExhausted),  # OpenAI
    ("insufficient_balance", QuotaExhausted),
    ("exceeded_current_quota", QuotaExhausted),  # Moonshot
    ("arrearage", QuotaExhausted),  # Qwen
    ("billing", QuotaExhausted),  # Anthropic
    ("model_not_found", ModelNotFound),  # OpenAI, Groq, Qwen
    ("model_decommissioned", ModelNotFound),  # Groq
    ("model_not_available", ModelNotFound),  # Together
    ("invalid_model", ModelNotFound),  # Mistral
    ("exceed_context_size", RequestRejected),  # llama.cpp, which says 400 or 500
    ("context_length_exceeded", RequestRejected),
    ("invalid_api_key", Unauthorized),
    ("authentication_error", Unauthorized),
    ("no_db_connection", Unauthorized),  # LiteLLM without a database, for any key but its own
    ("rate_limit", RateLimited),
    ("overloaded", ServerFailed),  # Anthropic, with 529 or after 200
)
_SAID: tuple[tuple[re.Pattern[str], type[ModelError]], ...] = (
    # Found in the message of a 4xx that says no more than "bad request".
    (re.compile(r"credit balance|insufficient balance", re.IGNORECASE), QuotaExhausted),
    (re.compile(r"api key not valid", re.IGNORECASE), Unauthorized),  # Gemini
    (
        # DeepSeek, OpenRouter, LiteLLM, Portkey and whoever says the same in a sentence. A
        # parameter that "is deprecated for this model" is none of it.
        re.compile(
            r"\bmodel:? (\S+ )?(has been|is|was) "
            r"(deprecated|decommissioned|retired|no longer|not found)"
            r"|\bmodel:? \S+ (does not exist|not found)"
            r"|\bmodel (does )?not (exist|found)|\b(invalid|unknown) model( name| id)?\b(?! param)"
            r"|not a valid model",
            re.IGNORECASE,
        ),
        ModelNotFound,
    ),
)
_LEFT_OUT = re.compile(
    r"\b(invalid|incorrect|wrong|expired|missing) (api[ -]?key|(\w+ )?token|credentials?)\b"
    r"|\bnot (authenticated|authori[sz]ed|logged in)|\bunauthori[sz]ed|\blog-?in (failed|fail)\b",
    re.IGNORECASE,
)
"""How gateways which answer 200 say that they refuse the key."""
_VERSION = re.compile(r"/v\d")
NO_VERSION = "It has no /v1 at its end, which most servers want."
"""What may be wrong with a base URL where nothing is found."""
_BLANK = re.compile(r"\\[nrt]|[\s\\]+")
_NAMES_THE_MODEL = re.compile(r"\bmodels?\b", re.IGNORECASE)


def from_status(
    model: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    secret: Iterable[str],
    *,
    key: Key | None = None,
    base_url: str = "",
) -> ModelError:
    """Return the error of a response other than 200; `secret` are the strings not to repeat."""
    said = Said(decoded(body))
    kind = _kind(status, said)
    detail = f"the server answered {status}"
    if 300 <= status < 400:
        detail = f"the server sent a redirect ({status}), which is not followed"
    elif is_markup(body):
        detail += " with a web page"
    wait = retry_after_s(headers)
    if wait is None:
        wait = _retry_info(said.details)
    if kind is Unauthorized and wait is None and key is not None and key.renewable:
        wait = _RENEWAL_S
    # OpenAI's and Anthropic's word on whether this very request may succeed later.
    final = headers.get("x-should-retry", "").strip().lower() == "false"
    return _error(
        model,
        kind,
        said,
        detail,
        secret,
        wait=wait,
        hint=_hint(
            model, kind, status, said, key_source=key.source if key else "", base_url=base_url
        ),
        transient=False if final else None,
    )


def from_event(model: str, event: Mapping[str, Any], secret: Iterable[str]) -> ModelError:
    """Return the error of an event `{"error": ...}` that came after HTTP 200."""
    said = Said(event)
    words = said.words.split()
    status = said.status or next((s for word, s in _EVENTS.items() if word in words), 500)
    kind, detail = _kind(status, said), f"the server answered {status}"
    hint, wait = _hint(model, kind, status, said), _retry_info(said.details)
    return _error(model, kind, said, detail, secret, wait=wait, hint=hint)


def from_complaint(
    model: str, event: Mapping[str, Any], secret: Iterable[str]
) -> ModelError | None:
    """Return the error of an event that is no answer, where it holds a reason; else None."""
    said = Said(event)
    if not said.certain:
        return None
    kind = _kind(said.status or 400, said)
    if said.status is None and kind is RequestRejected:
        kind = Unauthorized if _LEFT_OUT.search(said.message) else ServerFailed
    hint, detail = _hint(model, kind, 400, said), "the server answered without a result"
    return _error(model, kind, said, detail, secret, wait=_retry_info(said.details), hint=hint)


def _kind(status: int, said: Said) -> type[ModelError]:
    """Choose by the words of the body, then by its message, then by the status."""
    for word, kind in _WORDS:
        if word in said.words:
            return kind
    if status in (400, 404, 422, 429):
        for pattern, kind in _SAID:
            if pattern.search(said.message):
                return kind
    if status < 300:
        return MalformedReply  # accepted, and no answer
    if 300 <= status < 400:
        return ModelNotFound
    return _STATUSES.get(status, ServerFailed if status >= 500 else RequestRejected)


def _hint(
    model: str,
    kind: type[ModelError],
    status: int,
    said: Said,
    *,
    key_source: str = "",
    base_url: str = "",
) -> str | None:
    """Say what to do where more is known than the kind's own hint says."""
    if kind is Unauthorized and key_source:
        return f"Check the key from {key_source}."
    if kind is not ModelNotFound:
        return None
    if 300 <= status < 400:
        return f"Change models.{model}.base_url in the settings."
    if _NAMES_THE_MODEL.search(f"{said.message} {said.words.replace('_', ' ')}"):
        return (
            f"Change models.{model}.model in the settings; "
            "`twotrack doctor` lists the ids that the provider has."
        )
    if base_url and not _VERSION.search(urlsplit(base_url).path):
        return f"{ModelNotFound.hint.format(model=model)} {NO_VERSION}"
    return None


def _error(
    model: str,
    kind: type[ModelError],
    said: Said,
    detail: str,
    secret: Iterable[str],
    *,
    wait: float | None,
    hint: str | None,
    transient: bool | None = None,
) -> ModelError:
    secret = tuple(secret)
    detail += _shown(said.sentences, secret)
    if kind is ServerFailed and "loading" in said.message.lower():  # llama.cpp's 503
        detail, wait = "the server is loading the model", _LOADING_S if wait is None else wait
    error = kind(
        model,
        detail if detail.endswith(".") else f"{detail}.",
        retry_after_s=wait,
        hint=hint,
        transient=transient,
    )
    read = said.message
    if len(read) > 2 * _READ:  # a template's error shows the template first
        read = f"{read[:_READ]} {read[-_READ:]}"
    if kind in {RequestRejected, ServerFailed}:  # which may be negotiated
        error.complaint = Complaint("" if repeats(read, secret) else read, said.fields)
    return error


def _shown(sentences: Iterable[str], secret: Iterable[str]) -> str:
    """Join what may be shown of the reason."""
    printable = ("".join(c if c.isprintable() else " " for c in text) for text in sentences)
    texts = (" ".join(text.split())[:_SHOWN] for text in printable)
    shown = [text for text in texts if text and not repeats(text, secret)]
    joined = ": ".join([*(text.rstrip(".:") for text in shown[:-1]), *shown[-1:]])
    return f": {joined[:_SHOWN]}" if joined else ""


def repeats(message: str, secret: Iterable[str], key_echo: int = _KEY_ECHO) -> bool:
    """Whether `message` holds a string of `secret`, or a piece of one that tells something.

    That is 20 characters of code in a row, or `key_echo` of a key. Blanks and escapes do not count:
    messages quote in many ways.
    """
    forms = {_squashed(message), _squashed(unquote(message))}
    for text in secret:
        is_key = len(text) <= _LONGEST_KEY and not any(char.isspace() for char in text)
        bare = _squashed(text)
        length = min(key_echo if is_key else _ECHO, len(bare))
        if length and any(
            form[i : i + length] in bare for form in forms for i in range(len(form) - length + 1)
        ):
            return True
    return False


def _squashed(text: str) -> str:
    return _BLANK.sub("", text)


def strings(body: object) -> Iterator[str]:
    """Yield the strings of a request body that may hold code: all but the model's name."""
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
        value = headers.get("retry-after") or headers.get("llm_provider-retry-after")  # LiteLLM
        if value is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return _bounded(float(value))
        from email.utils import parsedate_to_datetime  # noqa: PLC0415  # lazily: 1 MB, for a date

        date = parsedate_to_datetime(value)
        return _bounded((date - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError, ArithmeticError):  # the latter of a year beyond all numbers
        return None


def _retry_info(details: object) -> float | None:
    """Read `retryDelay` ("17s") of Google's RetryInfo."""
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and delay.endswith("s"):
            try:
                return _bounded(float(delay[:-1]))
            except (ValueError, ArithmeticError):
                return None
    return None


def _bounded(seconds: float) -> float | None:
    return None if isnan(seconds) else min(max(seconds, 0.0), _LONGEST_WAIT_S)
