"""The code actions as VS Code's package.json contributes them, made of their declarations.

`python editors/vscode/vscode_menus.py editors/vscode/package.json` writes the commands, the entries
of menus, and the tasks that the commands are for; with `--check` it changes nothing and exits 1
where they are out of date. An action that is there keeps its place and its icon.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from twotrack.engine.actions.action import Action
from twotrack.engine.actions.kinds import Input
from twotrack.engine.actions.registry import BUILT_IN
from twotrack.settings.reference import rewrite

_ICON = "$(sparkle)"

Entry = dict[str, Any]


def updated(text: str, actions: Mapping[str, Action] = BUILT_IN) -> str:
    """Return a package.json with a command for each action; ValueError where it is none."""
    package = json.loads(text)
    try:
        contributes, tasks = package["contributes"], package["twotrack"]["tasks"]
        menus = contributes["menus"]
        lists = contributes["commands"], menus["commandPalette"], menus["twotrack.code"]
    except (KeyError, TypeError):
        raise ValueError("needs twotrack.tasks, contributes.commands and its menus") from None
    there = {entry["command"]: entry for entry in contributes["commands"]}
    made = {_command(action): action for action in actions.values()}
    made = {name: made[name] for name in (*(name for name in tasks if name in made), *made)}
    entries = zip(*(_entries(*one, there) for one in enumerate(made.items())), strict=True)
    for present, new in zip(lists, entries, strict=True):
        rest = [entry for entry in present if entry["command"] not in {*tasks, *made}]
        present[:] = [*new, *rest]
    package["twotrack"]["tasks"] = {name: action.task for name, action in made.items()}
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def _command(action: Action) -> str:
    first, *more = action.label.split()
    return f"twotrack.{first.lower()}{''.join(more)}"


def _entries(
    place: int, one: tuple[str, Action], there: Mapping[str, Entry]
) -> tuple[Entry, Entry, Entry]:
    """Return an action's command, its entry in the palette, and that in the menu of the code."""
    command, action = one
    asks = action.input is Input.INSTRUCTION
    title = f"{action.label} with Instruction" if asks else action.label
    icon = there.get(command, {}).get("icon", _ICON)
    return (
        {"command": command, "title": title, "category": "Twotrack", "icon": icon},
        {"command": command, "when": "editorIsOpen"},
        {"command": command, "group": f"{1 if asks else 2}@{place}"},
    )


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check the actions in a package.json, as `rewrite` does."""
    return rewrite(arguments, "python editors/vscode/vscode_menus.py", updated)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
