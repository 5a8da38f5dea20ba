"""The sources of settings, in order, and how they become one value.

Defaults, the user's file, each project's `.twotrack.toml`, the editor: later sources win key by
key, so where one is wrong the next lower one holds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from twotrack.settings import files, trust
from twotrack.settings.check import (
    Problems,
    SettingsProblem,
    check,
    dotted,
    quoted,
    suggestion,
)
from twotrack.settings.limits import BUILT_IN_MODELS, ROUTE_KEYS
from twotrack.settings.schema import ModelSettings, PriceSettings, Settings
from twotrack.settings.strictness import UNREAD_BY_PROJECT, UNREAD_BY_USER, Key

_USER_UNREAD = "Until it can be read, only models on this machine are asked."
_PROJECT_UNREAD = "Until it can be read, no file is sent: it may hide some."

OPENAI_COMPATIBLE = "openai-compatible"
"""The provider that is no preset: any server, by its base_url."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force and how they came about."""

    settings: Settings
    problems: tuple[SettingsProblem, ...]
    """What was not used, in the order of the sources."""
    origins: Mapping[str, str]
    """Dotted key -> the source of the value in force; a key that is missing has its default."""


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    name: str
    values: Mapping[Key, object]
    problems: Problems
    trusted: bool


def load(
    *,
    environment: Mapping[str, str],
    project_roots: Sequence[Path] = (),
    editor: Sequence[tuple[str, Mapping[str, object]]] = (),
    known_providers: Collection[str] = (),
    known_fim: Collection[str] = (),
) -> Loaded:
    """Read all sources and return the settings in force. Raises for nothing that they hold.

    `editor` is what the editor sent, each layer with the name that a problem gives it, later ones
    winning; null in it means "not set". `known_providers` and `known_fim` are the names of the
    presets and of the fill-in-the-middle templates; empty: any name passes. Reads the files
    (at most 1 MiB, a project's at most 64 KiB) while the caller waits.
    """
    choices = {
        "models.NAME.provider": {*known_providers, OPENAI_COMPATIBLE} if known_providers else (),
        "models.NAME.fim": known_fim,
        "embedded.fim": known_fim,
    }

    def checked(tree: object, problems: Problems, *, trusted: bool = True) -> _Source:
        values = check(tree, problems, choices)
        if problems.is_unread:
            values |= UNREAD_BY_USER if trusted else UNREAD_BY_PROJECT
        return _Source(problems.source, values, problems, trusted)

    user_file = str(files.user_path(environment))
    told = Problems(user_file, _USER_UNREAD)
    sources = [checked(files.user_tree(environment, told), told)]
    for root in dict.fromkeys(project_roots):
        told = Problems(str(root / files.PROJECT_FILE), _PROJECT_UNREAD)
        sources.append(checked(files.project_tree(root, told), told, trusted=False))
    sources += [checked(tree, Problems(name)) for name, tree in editor]
    return _Merge(sources, user_file).loaded()


class _Merge:
    """The values in force and the source of each, while the sources are laid over each other."""

    def __init__(self, sources: Sequence[_Source], user_file: str) -> None:
        self._sources = sources
        self._user_file = user_file
        self._values: dict[Key, object] = {}
        self._origins: dict[Key, _Source] = {}

    def loaded(self) -> Loaded:
        # Models first: a route of any source may name a model of any other.
        for source in self._sources:
            if source.trusted:
                self._lay(source, _within("models", source.values))
        models = self._models()
        added: list[tuple[Key, _Source, tuple[str, ...]]] = []
        for source in self._sources:
            values = {k: v for k, v in source.values.items() if not _is_model(k, source)}
            if not source.trusted:
                values = trust.admitted(values, self._values, source.problems, self._user_file)
                added += [(key, source, _strings(values.pop(key, ()))) for key in trust.ADDED]
            self._lay(source, _known_routes(values, models, source.problems))
        origins = {dotted(key): source.name for key, source in self._origins.items()}
        for key, source, patterns in added:
            self._add(key, source.name, patterns, origins)
        return Loaded(
            self._settings(models),
            tuple(problem for source in self._sources for problem in source.problems),
            origins,
        )

    def _lay(self, source: _Source, values: Mapping[Key, object]) -> None:
        self._values.update(values)
        self._origins.update(dict.fromkeys(values, source))

    def _add(
        self, key: Key, source: str, patterns: tuple[str, ...], origins: dict[str, str]
    ) -> None:
        """Append a project's patterns to those of the user, whichever source these come from."""
        present = _strings(self._values.get(key, ()))
        new = tuple(pattern for pattern in patterns if pattern not in present)
        if new:
            self._values[key] = present + new
            before = origins.get(dotted(key))
            origins[dotted(key)] = f"{before} and {source}" if before else source

    def _models(self) -> dict[str, ModelSettings]:
        """Return the usable models; take what is said of the others out of the values."""
        entries: dict[str, dict[Key, object]] = {}
        for (_, name, *rest), value in self._values.items():
            entries.setdefault(name, {})[tuple(rest)] = value
        models: dict[str, ModelSettings] = {}
        for name, entry in entries.items():
            at = ("models", name)
            prices = {key[1]: value for key, value in entry.items() if key[0] == "prices"}
            if prices and not {"input", "output"} <= prices.keys():
                self._leave_out((*at, "prices"), "needs both input and output; not used")
                prices = {}
            given = {key[0]: value for key, value in entry.items() if key[0] != "prices"}
            if missing := self._missing(given, at):
                self._leave_out(
                    at, f"lacks a valid {' and '.join(missing)}; this model is left out"
                )
            else:
                models[name] = _built(ModelSettings, given | _priced(prices))
        return models

    def _missing(self, given: Mapping[str, object], at: Key) -> list[str]:
        """Return what the model at `at` cannot do without.

        That is its URL too where a wrong one was given: the user's code must not go to the preset's
        server instead.
        """
        needed = ["provider", "model"]
        refused = any(
            source.trusted and (*at, "base_url") in source.problems.keys for source in self._sources
        )
        if refused or given.get("provider") == OPENAI_COMPATIBLE:
            needed.append("base_url")
        return [name for name in needed if name not in given]

    def _leave_out(self, at: Key, message: str) -> None:
        """Forget all values at and below `at`, and tell the last source that set one."""
        gone = [key for key in self._values if key[: len(at)] == at]
        last = max((self._origins[key] for key in gone), key=self._sources.index)
        last.problems.add(at, message)
        for key in gone:
            del self._values[key], self._origins[key]

    def _settings(self, models: Mapping[str, ModelSettings]) -> Settings:
        sections: dict[str, Any] = {
            section.name: _built(type(present), self._section(section.name))
            for section in fields(Settings)
            if is_dataclass(present := getattr(Settings(), section.name))
        }
        routes = {ROUTE_KEYS[key]: _strings(v) for key, v in self._section("routes").items()}
        return Settings(models=models, routes=routes, **sections)

    def _section(self, name: str) -> dict[str, object]:
        return {key[1]: value for key, value in _within(name, self._values).items()}


def _within(section: str, values: Mapping[Key, object]) -> dict[Key, object]:
    return {key: value for key, value in values.items() if key[0] == section}


def _is_model(key: Key, source: _Source) -> bool:
    """Whether the value has been laid already, with the models of the trusted sources."""
    return source.trusted and key[0] == "models"


def _strings(value: object) -> tuple[str, ...]:
    assert isinstance(value, tuple)  # noqa: S101  # what `check` makes of every list
    return value


def _priced(prices: Mapping[str, object]) -> dict[str, object]:
    return {"prices": _built(PriceSettings, prices)} if prices else {}


def _built(section: Any, given: Mapping[str, object]) -> Any:
    """Make a section of values that `check` has found to be of its types."""
    return section(**given)


def _known_routes(
    values: Mapping[Key, object], models: Collection[str], problems: Problems
) -> dict[Key, object]:
    """Return `values` with unknown models taken out of the routes.

    A route of which nothing is left is taken out too, so that the next lower source's holds.
    """
    known = (*models, *BUILT_IN_MODELS)
    kept = dict(values)
    for key, route in _within("routes", values).items():
        unknown = [name for name in _strings(route) if name not in known]
        for name in unknown:
            problems.add(
                key,
                f"names an unknown model, {quoted(name)}{suggestion(name, known)}; "
                f"known are {', '.join(known)}",
            )
        if unknown:
            kept[key] = tuple(name for name in _strings(route) if name in known)
            if not kept[key]:
                del kept[key]
    return kept
