"""What is taken if a setting that only forbids cannot be read as it stands: the strictest value.

Who meant to forbid something and mistyped it has still forbidden it.
"""

import re
from collections.abc import Collection, Mapping

Key = tuple[str, ...]
"""Where a value stands, such as ("models", "codestral", "base_url")."""

EVERYTHING = ("*",)
"""A pattern that every file fits."""

STRICTEST: Mapping[Key, object] = {
    ("privacy", "local_only"): True,
    ("privacy", "redact"): True,
    ("privacy", "exclude"): EVERYTHING,
    ("context", "exclude"): EVERYTHING,
    ("budget", "day"): 0.0,
    ("budget", "month"): 0.0,
    ("discovery", "environment"): False,
    ("discovery", "loopback"): False,
}
"""By the key of each setting that only forbids."""

UNREAD_BY_USER: Mapping[Key, object] = {
    ("privacy", "local_only"): True,
    ("discovery", "environment"): False,
    ("discovery", "loopback"): False,
}
"""For a file of the user of which nothing can be read."""
UNREAD_BY_PROJECT: Mapping[Key, object] = {("privacy", "exclude"): EVERYTHING}
"""For such a file of a project: what it hides is not known."""


def taken_as(key: Key) -> str:
    """Return the end of a message about a value that cannot be read; empty: it is not used."""
    if key not in STRICTEST:
        return ""
    strictest = STRICTEST[key]
    words = "all files" if strictest == EVERYTHING else str(strictest).lower().removesuffix(".0")
    return f"; taken as {words}"


def same_name(name: str, known: Collection[str]) -> str | None:
    """Return the one of `known` that differs only in case, hyphens or underscores."""
    return {_letters(each): each for each in known}.get(_letters(name))


def option_named(name: str) -> Key:
    """Return the setting that only forbids and that a key outside of tables means, or ()."""
    return next((key for key in STRICTEST if _letters(key[-1]) == _letters(name)), ())


def stricter(key: Key, one: object, other: object) -> object:
    """Return what holds if a source says both of a setting that only forbids."""
    strictest = STRICTEST[key]
    if isinstance(one, tuple) and isinstance(other, tuple):
        return tuple(dict.fromkeys((*one, *other)))
    if isinstance(one, float) and isinstance(other, float):
        return min(one, other)
    return strictest if strictest in (one, other) else other


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
