"""One source of settings, checked: what it validly says, and a message for all the rest.

The schema's classes are the only description of the shape; the walk follows their annotations.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from twotrack.languages import meant
from twotrack.settings.limits import (
    BUILT_IN_MODELS,
    LIMITS,
    MOST_ITEMS,
    ROUTE_KEYS,
    allowed,
    plain,
    without_optional,
)
from twotrack.settings.schema import Settings
from twotrack.settings.strictness import (
    EVERYTHING,
    STRICTEST,
    Key,
    option_named,
    same_name,
    stricter,
    taken_as,
)
from twotrack.shown import printable

MOST_PROBLEMS = 50
"""Problems of one source that are told one by one."""
_LONGEST_KEY = 60
_FORBIDDING = {key[:1] for key in STRICTEST}
_BARE = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """A part of a source that is not used, and why.

    `key` is dotted, such as "completion.debounce_ms", or empty if the whole source is meant.
    Never holds a value: it may be a key that was pasted into the wrong place.
    """

    source: str
    key: str
    message: str

    def __str__(self) -> str:
        parts = (self.source, self.key, self.message)
        return printable(": ".join(part for part in parts if part))


class Problems:
    """Collects the problems of one source, the first `MOST_PROBLEMS` in words."""

    def __init__(self, source: str, unread: str = "") -> None:
        self.source = source
        self.unread = unread
        """What is done if nothing of it can be read, as a sentence."""
        self.is_unread = False
        self.keys: set[Key] = set()
        """Where they are, also those that are only counted."""
        self._listed: list[SettingsProblem] = []
        self._unlisted = 0

    @property
    def full(self) -> bool:
        """Whether further problems are only counted."""
        return len(self._listed) >= MOST_PROBLEMS

    def add(self, key: Key, message: str) -> None:
        """Note that what stands at `key` is not used because of `message`."""
        self.keys.add(key)
        if self.full:
            self._unlisted += 1
        else:
            self._listed.append(SettingsProblem(self.source, dotted(key), message))

    def cannot_read(self, message: str) -> None:
        """Note that nothing of the source can be read because of `message`."""
        self.is_unread = True
        self.add((), f"{message.removesuffix('.')}. {self.unread}".rstrip())

    def __iter__(self) -> Iterator[SettingsProblem]:
        yield from self._listed
        if self._unlisted:
            yield SettingsProblem(self.source, "", f"and {self._unlisted} more problems")


def dotted(key: Key) -> str:
    """Write a key as TOML does; a strange part is quoted, escaped and cut."""
    return ".".join(
        part if _BARE.fullmatch(part) and len(part) <= _LONGEST_KEY else quoted(part)
        for part in key
    )


def option_of(key: Key) -> str:
    """Return the option that `key` sets: a model's name becomes NAME."""
    return ".".join((*key[:1], "NAME", *key[2:]) if key[0] == "models" else key)


def suggestion(word: str, known: Collection[str]) -> str:
    """Return ' (did you mean "x"?)' for a near miss in any case, else an empty string."""
    near = nearest(word, known)
    return f' (did you mean "{near}"?)' if near else ""


def nearest(word: str, known: Collection[str]) -> str | None:
    """Return the one of `known` that `word` misses nearly, in any case."""
    import difflib  # noqa: PLC0415  # lazily: only a typo needs it

    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:_LONGEST_KEY].casefold(), folded, n=1)
    return folded[near[0]] if near else None


def check(
    tree: object, problems: Problems, choices: Mapping[str, Collection[str]] | None = None
) -> dict[Key, object]:
    """Return the valid values of `tree`, a table of tables as TOML or JSON brings it, by key.

    `choices` names, for an option, the only strings it may be. What is wrong is left out and told
    to `problems`, but for what only forbids: there the strictest value is taken. Null (an
    editor's "not set") is left out silently. Never raises.
    """
    values: dict[Key, object] = {}
    for key, value in _Walk(problems, choices or {}).table(Settings, tree, ()):
        twice = key in values and key in STRICTEST
        values[key] = stricter(key, values[key], value) if twice else value
    return values


@cache
def annotations(section: type) -> Mapping[str, object]:
    """Return the fields of a schema class with their types, None taken out."""
    return {name: without_optional(kind) for name, kind in get_type_hints(section).items()}


class _Walk:
    def __init__(self, problems: Problems, choices: Mapping[str, Collection[str]]) -> None:
        self._problems = problems
        self._choices = choices

    def table(self, section: type, raw: object, at: Key) -> Iterator[tuple[Key, object]]:
        """Yield the valid values of one table of the schema and of those within it."""
        known = annotations(section)
        for name, value in self._entries(raw, at):
            key = (*at, name)
            if name not in known:
                yield from self._unknown(section, key, value)
            elif is_dataclass(kind := known[name]):
                yield from self.table(kind, value, key)  # type: ignore[arg-type]
            elif key == ("models",):
                yield from self._models(kind, value)
            elif key == ("routes",):
                yield from self._routes(value)
            else:
                yield from self._leaf(kind, value, key)

    def _models(self, kind: object, raw: object) -> Iterator[tuple[Key, object]]:
        section: type = get_args(kind)[1]
        for name, value in self._entries(raw, ("models",)):
            key = ("models", name)
            if not plain(name) or name in BUILT_IN_MODELS:
                self._problems.add(key, "cannot name a model; choose another name")
            elif value == {}:
                self._problems.add(key, "is empty: a model needs provider and model")
            else:
                yield from self.table(section, value, key)

    def _routes(self, raw: object) -> Iterator[tuple[Key, object]]:
        for name, value in self._entries(raw, ("routes",)):
            if name in ROUTE_KEYS:
                yield from self._leaf(tuple[str, ...], value, ("routes", name))
            else:
                self._tell_unknown(("routes", name), ROUTE_KEYS)

    def _entries(self, raw: object, at: Key) -> Iterator[tuple[str, object]]:
        """Yield the entries of a table that are set; anything but a table is a problem."""
        if raw == []:  # how Lua may write an empty table
            return
        if not isinstance(raw, Mapping):
            self._problems.add(at, "must be a table")
            return
        for name, value in raw.items():
            if value is not None:
                yield str(name), value

    def _unknown(self, section: type, key: Key, value: object) -> Iterator[tuple[Key, object]]:
        """Tell of an unknown option; if it seems to mean one that only forbids, it counts."""
        known = annotations(section)
        near = same_name(key[-1], known)
        if near is None and not self._problems.full:
            near = nearest(key[-1], known)
        self._tell_unknown(key, known)
        meant = (*key[:-1], near) if near else option_named(key[-1]) if len(key) == 1 else ()
        if meant in STRICTEST:
            of: type = type(getattr(Settings(), meant[0]))
            yield from self._leaf(annotations(of)[meant[1]], value, meant)
        elif meant in _FORBIDDING and isinstance(value, Mapping):
            within = self.table(known[meant[0]], value, meant)  # type: ignore[arg-type]
            yield from (found for found in within if found[0] in STRICTEST)

    def _tell_unknown(self, key: Key, known: Collection[str]) -> None:
        if self._problems.full:  # what a typo meant is not worth finding out then
            self._problems.add(key, "")
            return
        hint = suggestion(key[-1], known) or f" (allowed: {', '.join(known)})"
        self._problems.add(key, "unknown option" + hint)

    def _leaf(self, kind: object, raw: object, key: Key) -> Iterator[tuple[Key, object]]:
        option = option_of(key)
        if STRICTEST.get(key) == EVERYTHING:
            raw = self._patterns(raw, key)
        value = _converted(kind, raw)
        limit = LIMITS.get(option)
        if value is None or (limit and not limit.holds(value)):
            self._problems.add(key, f"must be {allowed(option, kind)}{taken_as(key)}")
            if key in STRICTEST:
                yield key, STRICTEST[key]
            return
        known = self._choices.get(option)
        if known and value not in known:
            near = suggestion(str(value), known)
            self._problems.add(key, f"must be one of {', '.join(sorted(known))}{near}")
            return
        if option == "completion.languages":
            for word in value:
                if identifier := meant(word):
                    near = f'(did you mean "{identifier}"?)'
                    self._problems.add(key, f"{quoted(word)} is no language id {near}")
        yield key, value

    def _patterns(self, raw: object, key: Key) -> object:
        """Return a list of patterns without those that are none; one alone is a list too."""
        if isinstance(raw, str):
            raw = [raw]
        if not isinstance(raw, list | tuple) or len(raw) > MOST_ITEMS:
            return raw
        good = [item for item in raw if isinstance(item, str) and plain(item)]
        if len(good) < len(raw):
            self._problems.add(key, "holds what is no pattern; the others are used")
            return good or None
        return good


def _converted(kind: object, raw: object) -> Any:
    """Return `raw` as the schema's type `kind`, or None if it is something else."""
    if kind is bool:
        return raw if isinstance(raw, bool) else None
    if kind in (int, float):
        return _as_number(kind, raw)
    if get_origin(kind) is tuple:
        return _as_strings(raw)
    if get_origin(kind) is Mapping:
        return _as_string_table(raw)
    return _as_string(kind, raw)


def _as_string(kind: object, raw: object) -> str | Path | None:
    if not isinstance(raw, str) or not plain(raw):
        return None
    if kind is Path:
        return _as_path(raw)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(raw) if raw in list(kind) else None
    return raw


def _as_number(kind: object, raw: object) -> int | float | None:
    """Return a number; some editors (Lua, Emacs Lisp) write an integer as 150.0."""
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    if kind is int:
        return int(raw) if isinstance(raw, int) or raw.is_integer() else None
    try:
        return float(raw)
    except OverflowError:  # an integer of more than 308 digits
        return None


def _as_strings(raw: object) -> tuple[str, ...] | None:
    if raw == {}:  # how Lua may write an empty list
        return ()
    if not isinstance(raw, list | tuple) or len(raw) > MOST_ITEMS:
        return None
    return tuple(raw) if all(isinstance(item, str) and plain(item) for item in raw) else None


def _as_string_table(raw: object) -> dict[str, str] | None:
    if not isinstance(raw, Mapping) or len(raw) > MOST_ITEMS:
        return None
    good = all(isinstance(x, str) and plain(x) for entry in raw.items() for x in entry)
    return dict(raw) if good else None


def _as_path(raw: str) -> Path | None:
    try:
        path = Path(raw).expanduser()
    except RuntimeError:  # the home directory of a user who does not exist
        return None
    return path if path.is_absolute() else None


def quoted(part: str) -> str:
    """Write a string for a message: escaped, cut to `_LONGEST_KEY` characters."""
    cut = part if len(part) <= _LONGEST_KEY else part[: _LONGEST_KEY - 1] + "…"
    return json.dumps(cut, ensure_ascii=not cut.isprintable())


def default(key: Key) -> object:
    """Return the value of `key`, a leaf outside of [models], where no source sets it."""
    if key[0] == "routes":
        return ()
    return getattr(getattr(Settings(), key[0]), key[1])
