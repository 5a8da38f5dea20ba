"""What a project's file may set. It comes from whoever wrote the repository, not from the user.

It may choose among the user's models, leave files out, set the style of completions and turn
things off. Everything that is not named here is refused, so a new option starts out safe.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twotrack.settings.check import Problems, default, option_of
from twotrack.settings.limits import ROUTE_KEYS
from twotrack.settings.schema import Eagerness
from twotrack.settings.strictness import Key


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a project's file is trusted with one option.

    `permits` takes the file's value and the one in force without it. `words` finish the sentence
    "a project file may ...".
    """

    words: str
    permits: Callable[[Any, Any], bool]


def _narrows(languages: tuple[str, ...], present: tuple[str, ...]) -> bool:
    """Whether `languages` are some of the present ones; an empty tuple means all."""
    return bool(languages) and (not present or set(languages) <= set(present))


def _excludes(patterns: tuple[str, ...], _: tuple[str, ...]) -> bool:
    """Whether no pattern takes back an exclusion of the user, as "!" does in gitignore syntax."""
    return not any(pattern.strip().startswith("!") for pattern in patterns)


def _lowers(value: float, present: float | None) -> bool:
    return present is None or value <= present


def _is_less_eager(value: str, present: str) -> bool:
    order = list(Eagerness)
    return order.index(Eagerness(value)) <= order.index(Eagerness(present))


_SET = Trust("set it", lambda _value, _present: True)
_ADD = Trust('only add patterns to it, and none that starts with "!"', _excludes)
_LOWER = Trust("only lower it", _lowers)
_TURN_OFF = Trust("only turn it off", lambda value, _present: value is False)
_TURN_ON = Trust("only turn it on", lambda value, _present: value is True)

ADDED = frozenset({("context", "exclude"), ("privacy", "exclude")})
"""The options that a project file adds to instead of replacing."""

PROJECT_FILE: Mapping[str, Trust] = {
    **{f"routes.{key}": _SET for key in ROUTE_KEYS},
    "completion.debounce_ms": _SET,
    "completion.max_lines": _SET,
    "completion.trigger": Trust(
        'only set it to "invoke"', lambda value, present: value in ("invoke", present)
    ),
    "completion.eagerness": Trust("only lower it", _is_less_eager),
    "completion.languages": Trust("only narrow it", _narrows),
    "completion.prose": _TURN_OFF,
    "context.max_tokens": _LOWER,
    "context.exclude": _ADD,
    "context.rules": _SET,
    "budget.day": _LOWER,
    "budget.month": _LOWER,
    "privacy.local_only": _TURN_ON,
    "privacy.redact": _TURN_ON,
    "privacy.exclude": _ADD,
    "embedded.enabled": _TURN_OFF,
    "discovery.environment": _TURN_OFF,
    "discovery.loopback": _TURN_OFF,
}


def _without_exceptions(
    key: Key, value: tuple[str, ...], trust: Trust, problems: Problems
) -> tuple[str, ...]:
    """Return the patterns but those that take back an exclusion."""
    kept = tuple(pattern for pattern in value if trust.permits((pattern,), ()))
    if len(kept) < len(value):
        problems.add(key, f"a project file may {trust.words}; the others hold")
    return kept


def admitted(
    values: Mapping[Key, object], present: Mapping[Key, object], problems: Problems, user_file: str
) -> dict[Key, object]:
    """Return those `values` of a project's file that it is trusted with.

    `present` are the values in force without it. Each refusal is told to `problems` and points
    to `user_file`.
    """
    admitted: dict[Key, object] = {}
    for key, given in values.items():
        trust, value = PROJECT_FILE.get(option_of(key)), given
        if trust is not None and key in ADDED and isinstance(given, tuple) and len(given) > 1:
            value = _without_exceptions(key, given, trust, problems)
        if trust is None:
            problems.add(key, f"a project file is not trusted with it; put it into {user_file}")
        elif trust.permits(value, present[key] if key in present else default(key)):
            admitted[key] = value
        else:
            problems.add(
                key, f"a project file may {trust.words}; put anything else into {user_file}"
            )
    return admitted
