"""What is allowed of each option: the words that people read, and the test.

Options are named by their dotted key, with NAME for a model's name: "models.NAME.base_url".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import UnionType
from typing import Any, get_args, get_origin
from urllib.parse import urlsplit

from twotrack.tasks import TASKS, Task, Track

LONGEST_STRING = 4096
"""Characters; no command, pattern or URL of a real file comes near."""
MOST_ITEMS = 1000
"""Entries of one list or table."""
BUILT_IN_MODELS = ("recall", "embedded")
"""The names that routes may use without an entry in [models]."""
ROUTE_KEYS: Mapping[str, Track | Task] = {
    **{key.value: key for key in dict.fromkeys(task.track for task in TASKS.values())},
    **TASKS,
}
"""What [routes] may hold: the tracks that ask models, and the tasks."""

_TYPE_WORDS: Mapping[object, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string (one line, not empty)",
    Path: "an absolute path (~ is your home directory)",
    tuple: "a list of strings",
}
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limit:
    """A restriction beyond the type. `words` finish the sentence "must be ..."."""

    words: str
    holds: Callable[[Any], bool]


def plain(text: str) -> bool:
    """Whether `text` is a string that any option can take: not empty, short, no control codes."""
    return 0 < len(text) <= LONGEST_STRING and not _CONTROL.search(text)


def without_optional(kind: object) -> object:
    """Return X for the annotation `X | None`, else the annotation itself."""
    if isinstance(kind, UnionType):
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def allowed(option: str, kind: object) -> str:
    """Say what `option`, annotated with `kind`, may be: the rest of "must be ..."."""
    if limit := LIMITS.get(option):
        return limit.words
    kind = without_optional(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        *most, last = (f'"{member.value}"' for member in kind)
        return f"{', '.join(most)} or {last}"
    return _TYPE_WORDS[get_origin(kind) or kind]


def _integer(low: int, high: int) -> Limit:
    return Limit(f"an integer from {low} to {high}", lambda value: low <= value <= high)


def _number(low: float, high: float) -> Limit:
    return Limit(f"a number from {low} to {high}", lambda value: low <= value <= high)


def _is_variable(text: str) -> bool:
    return _ENVIRONMENT_NAME.fullmatch(text) is not None


def _is_web_address(text: str) -> bool:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    return (
        url.scheme in ("http", "https")
        and bool(url.hostname)
        and port != 0
        and "@" not in url.netloc
        and not url.query
        and not url.fragment
        and " " not in text
    )


def _are_headers(headers: Mapping[str, str]) -> bool:
    return all(_HEADER_NAME.fullmatch(k) and v.isascii() for k, v in headers.items())


def _lie_inside(paths: tuple[str, ...]) -> bool:
    """Whether the paths, read by the rules of either system, are relative and never go up."""
    return not any(
        flavour.drive or flavour.root or ".." in flavour.parts
        for path in paths
        for flavour in (PurePosixPath(path), PureWindowsPath(path))
    )


LIMITS: Mapping[str, Limit] = {
    "models.NAME.base_url": Limit(
        "an http:// or https:// URL without user name, password or query", _is_web_address
    ),
    "models.NAME.api_key_env": Limit(
        "the name of an environment variable, never a key itself", _is_variable
    ),
    "models.NAME.api_key_command": Limit(
        "a list of strings: a program and its arguments", lambda words: len(words) > 0
    ),
    "models.NAME.headers": Limit("a table of HTTP headers, names and ASCII values", _are_headers),
    "models.NAME.context_window": _integer(256, 100_000_000),
    "models.NAME.max_output": _integer(1, 10_000_000),
    "models.NAME.temperature": _number(0, 2),
    "models.NAME.timeout_s": _number(0.1, 3600),
    "models.NAME.prices.input": _number(0, 100_000),
    "models.NAME.prices.output": _number(0, 100_000),
    "models.NAME.prices.cached_input": _number(0, 100_000),
    "models.NAME.prices.cache_write": _number(0, 100_000),
    "models.NAME.prices.cache_write_1h": _number(0, 100_000),
    "completion.debounce_ms": _integer(0, 5000),
    "completion.max_lines": _integer(1, 200),
    "context.max_tokens": _integer(64, 200_000),
    "context.rules": Limit(
        'a list of paths inside the project (relative, without "..")', _lie_inside
    ),
    "budget.day": _number(0, 1_000_000),
    "budget.month": _number(0, 1_000_000),
    "cache.entries": _integer(0, 100_000),
    "embedded.threads": _integer(1, 256),
    "embedded.context_window": _integer(256, 1_048_576),
    "embedded.memory_mb": _integer(64, 1_048_576),
    "embedded.nice": _integer(0, 19),
    "embedded.unload_after_s": _number(0, 1_000_000),
    "network.proxy": Limit(
        "an http:// or https:// URL without user name, password or query", _is_web_address
    ),
    "network.connect_s": _number(0.1, 600),
    "network.first_token_s": _number(0.1, 3600),
    "network.idle_s": _number(0.1, 3600),
    "network.total_s": _number(0.1, 3600),
}
