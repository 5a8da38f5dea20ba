"""Where settings come from, in order, and how they become one value.

Defaults, the user's file, each project's `.twotrack.toml`, the editor: later sources win key by
key, so a wrong value leaves the next lower source's in force.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from twotrack.settings import trust
from twotrack.settings.check import (
    Key,
    Problems,
    SettingsProblem,
    annotations,
    check,
    dotted,
    suggestion,
)
from twotrack.settings.limits import BUILT_IN_MODELS, ROUTE_KEYS, printable
from twotrack.settings.schema import ModelSettings, PriceSettings, Settings

PROJECT_FILE = ".twotrack.toml"
CONFIG_VARIABLE = "TWOTRACK_CONFIG"
OPENAI_COMPATIBLE = "openai-compatible"
"""The provider that is no preset: any server, by its base_url."""

USER_FILE_BYTES = 1 << 20
PROJECT_FILE_BYTES = 64 << 10
PROJECT_LINE_CHARACTERS = 1000
"""Python's TOML parser takes quadratic time in the parts of a dotted key, which stands on one
line: 17 s for one of 64 KiB, 4 ms for one of this length (measured, Python 3.11)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force and how they came about."""

    settings: Settings
    problems: tuple[SettingsProblem, ...]
    """What was not used, in the order of the sources."""
    origins: Mapping[str, str]
    """Dotted key -> the source of the value in force; a key that is missing has its default."""


@dataclass(frozen=True, slots=True)
class _Source:
    problems: Problems
    values: Mapping[Key, object]
    trusted: bool = True

    @property
    def name(self) -> str:
        return self.problems.source


def load(
    *,
    environment: Mapping[str, str],
    project_roots: Sequence[Path] = (),
    editor: Sequence[tuple[str, Mapping[str, object]]] = (),
    known_providers: Collection[str] = (),
    known_fim: Collection[str] = (),
) -> Loaded:
    """Read all sources and return the settings in force. Never raises for what they hold.

    `editor` holds what the editor sent, each with the name to call it by in a problem, later ones
    winning; null in it means "not set". `known_providers` and `known_fim` are the names of the
    presets and of the fill-in-the-middle templates; empty: any name passes. Reads files of at
    most 1 MiB, synchronously.
    """
    choices = {
        "models.NAME.provider": {*known_providers, OPENAI_COMPATIBLE} if known_providers else (),
        "models.NAME.fim": known_fim,
        "embedded.fim": known_fim,
    }
    user_file = user_path(environment)
    trees: list[tuple[Problems, object, bool]] = []
    required = bool(environment.get(CONFIG_VARIABLE))
    problems = Problems(str(user_file))
    trees.append((problems, _read(user_file, problems, required=required), True))
    for root in dict.fromkeys(project_roots):
        problems = Problems(str(root / PROJECT_FILE))
        trees.append((problems, _read(root / PROJECT_FILE, problems, trusted=False), False))
    trees.extend((Problems(name), tree, True) for name, tree in editor)
    sources = [_Source(p, check(tree, p, choices), trusted) for p, tree, trusted in trees]
    return _merged(sources, str(user_file))


def user_path(environment: Mapping[str, str]) -> Path:
    """Return where the user's file is: TWOTRACK_CONFIG, else the system's usual folder."""
    if named := environment.get(CONFIG_VARIABLE):
        try:
            return Path(named).expanduser()
        except RuntimeError:  # no such home directory; reading it tells so
            return Path(named)
    import platformdirs  # noqa: PLC0415  # lazily: not needed where the variable is set

    return Path(platformdirs.user_config_dir("twotrack", appauthor=False)) / "config.toml"
