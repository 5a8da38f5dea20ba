"""The code actions of the VS Code extension, made of their declarations."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from vscode_menus import main, updated

from twotrack.engine.actions.registry import BUILT_IN
from twotrack.tasks import Task, Track

PACKAGE = Path(__file__).parents[2] / "editors" / "vscode" / "package.json"
NEW = replace(
    BUILT_IN["simplify"],
    task=Task("loud", Track.STRONG, 30.0, 400, "make names loud"),
    label="Make Loud",
)


def read(text: str) -> dict[str, Any]:
    """Return a package.json's commands, what its palette and its menu hold, and its tasks."""
    package = json.loads(text)
    contributes = package["contributes"]
    menus = contributes["menus"]
    return {
        "commands": {entry["command"]: entry for entry in contributes["commands"]},
        "palette": [entry["command"] for entry in menus["commandPalette"]],
        "menu": [entry["command"] for entry in menus["twotrack.code"]],
        "tasks": package["twotrack"]["tasks"],
    }


def test_the_extensions_package_is_up_to_date() -> None:
    assert main(["--check", str(PACKAGE)]) == 0, "make format writes it"


def test_every_action_is_in_every_menu() -> None:
    package = read(PACKAGE.read_text())
    assert set(package["tasks"].values()) == set(BUILT_IN)
    assert package["menu"] == list(package["tasks"])
    assert package["palette"][: len(BUILT_IN)] == list(package["tasks"])


def test_a_new_action_comes_last_and_the_rest_stays() -> None:
    before = PACKAGE.read_text()
    old, new = read(before), read(updated(before, {NEW.task: NEW, **BUILT_IN}))
    assert new["tasks"] == old["tasks"] | {"twotrack.makeLoud": "loud"}
    assert new["menu"] == [*old["menu"], "twotrack.makeLoud"]
    made = new["commands"].pop("twotrack.makeLoud")
    assert (made["title"], made["icon"]) == ("Make Loud", "$(sparkle)")
    assert new["commands"] == old["commands"]


def test_an_action_that_is_gone_goes_from_every_menu() -> None:
    with_it = updated(PACKAGE.read_text(), {**BUILT_IN, NEW.task: NEW})
    assert updated(with_it) == PACKAGE.read_text()


@pytest.mark.parametrize("text", ["{}", "[]", '{"contributes": {}}', "no JSON"])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    package = tmp_path / "package.json"
    package.write_text(text)
    assert main([str(package)]) == 2
    assert package.read_text() == text
