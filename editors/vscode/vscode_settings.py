"""The settings as VS Code's package.json contributes them, made of the schema.

`python editors/vscode/vscode_settings.py editors/vscode/package.json` rewrites all categories of
settings but the first, which is the extension's own, and the list of those that an untrusted
workspace may not set; with `--check` it changes nothing and exits 1 where they are out of date.

What a project's file may not set freely has machine or application scope, which no repository can
set: its .vscode/settings.json comes from the same hands as its .twotrack.toml, and the server
trusts what the editor says.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any, get_origin

from twotrack.llm.presets import PRESETS
from twotrack.settings.limits import LIMITS
from twotrack.settings.reference import Option, options, rewrite
from twotrack.settings.trust import PROJECT_FILE

SECTION = "twotrack"

_FREELY = PROJECT_FILE["context.rules"]
"""How far a project is trusted with what it may set to any value."""
_RANGE = re.compile(r"an? (?:integer|number) from (\S+) to (\S+)")
_TYPES: Mapping[object, str] = {bool: "boolean", int: "integer", float: "number"}


def categories() -> list[dict[str, Any]]:
    """Return the categories of settings, a table each; the models are one setting."""
    every = list(options())
    models = [option for option in every if option.table.startswith("models.")]
    rest = [option for option in every if option not in models]
    found = [_category("models", {f"{SECTION}.models": _models(models)})]
    for table, section in groupby(rest, key=lambda option: option.table):
        properties = {f"{SECTION}.{option.key}": _property(option) for option in section}
        found.append(_category(table, properties))
    return found


def updated(text: str) -> str:
    """Return a package.json with the settings of the schema; ValueError where it is none."""
    package = json.loads(text)
    try:
        contributes, trust = package["contributes"], package["capabilities"]["untrustedWorkspaces"]
        own = contributes["configuration"][:1]
    except (KeyError, TypeError):
        raise ValueError(
            "needs contributes.configuration and capabilities.untrustedWorkspaces"
        ) from None
    made = categories()
    contributes["configuration"] = own + made
    trust["restrictedConfigurations"] = [
        key
        for category in own + made
        for key, schema in category["properties"].items()
        if schema.get("scope", "window") in ("window", "language-overridable")
    ]
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check the settings in a package.json, as `rewrite` does."""
    return rewrite(arguments, "python editors/vscode/vscode_settings.py", updated)


def _category(table: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"{SECTION}.{table}", "title": table.capitalize(), "properties": properties}


def _property(option: Option) -> dict[str, Any]:
    schema = _schema(option)
    if option.table == "routes":
        said = {**schema, "default": []}
    elif option.default != "absent":
        said = {**schema, "default": json.loads(option.default)}
    elif schema["type"] == "string":  # the settings editor has a field for it, not for null
        said = {**schema, "default": ""}
    else:
        said = {**schema, "type": [schema["type"], "null"], "default": None}
    return {**said, "scope": _scope(option.key)}


def _scope(key: str) -> str:
    """Return how far a setting reaches.

    What a project may only make stricter protects the person, so it holds in all their windows:
    remote windows read no setting of machine scope from the settings at home.
    """
    trust = PROJECT_FILE.get(key)
    return "machine" if trust is None else "window" if trust is _FREELY else "application"


def _models(entries: Iterable[Option]) -> dict[str, Any]:
    """Return the setting that holds all models by their names."""
    entry: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    for option in entries:
        within = entry
        *tables, name = option.key.split(".")[2:]
        for table in tables:
            empty = {"type": "object", "properties": {}, "additionalProperties": False}
            within = within["properties"].setdefault(table, empty)
        within["properties"][name] = _schema(option)
        if option.default == "required":
            within.setdefault("required", []).append(name)
        elif option.default != "absent":
            within["properties"][name]["default"] = json.loads(option.default)
    return {
        "markdownDescription": "The models, by a name of your choice. "
        "No key is written here: the command `Twotrack: Set API Key` keeps it.",
        "type": "object",
        "additionalProperties": entry,
        "default": {},
        "scope": "machine",
    }


def _schema(option: Option) -> dict[str, Any]:
    """Return the JSON schema of one option, without its default."""
    kind = _providers() if option.key == "models.NAME.provider" else _type(option.kind)
    return {"markdownDescription": _words(option), **kind, **_limits(option.key)}


def _providers() -> dict[str, Any]:
    titles = [preset.title for preset in PRESETS.values()]
    return {"type": "string", "enum": list(PRESETS), "markdownEnumDescriptions": titles}


def _type(kind: object) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"type": "string", "enum": [member.value for member in kind]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": {"type": "string", "minLength": 1}}
    if get_origin(kind) is not None:  # a table of strings
        return {"type": "object", "additionalProperties": {"type": "string"}}
    return {"type": _TYPES.get(kind, "string")}


def _limits(key: str) -> dict[str, Any]:
    limit = LIMITS.get(key)
    found = _RANGE.fullmatch(limit.words) if limit else None
    if found is None:
        return {}
    low, high = (json.loads(number) for number in found.groups())
    return {"minimum": low, "maximum": high}


def _words(option: Option) -> str:
    words = option.meaning[:1].upper() + option.meaning[1:]
    if option.table == "routes":
        return f"{words}: the names of the models to try, in order. Empty: {option.default}."
    limit = LIMITS.get(option.key)
    if limit and not _RANGE.fullmatch(limit.words):
        words += f" Must be {limit.words}."
    elif option.kind is Path:
        words += f" Must be {option.allowed}."
    return words


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
