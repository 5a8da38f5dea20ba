"""Completions on and off for a language, and what the status bar says of it."""

import json
from pathlib import Path

import pytest

from editors.models import Models
from editors.vscode.conftest import Open, Serve
from editors.vscode.workbench import USER_SETTINGS, Workbench

pytestmark = pytest.mark.timeout(300)

TOGGLE = "Twotrack: Turn Completions On or Off for This Language"


def user_settings(workbench: Workbench) -> dict[str, object]:
    """What stands in the person's settings."""
    text = (workbench.server.home / "data" / "User" / "settings.json").read_text()
    settings: dict[str, object] = json.loads(text)
    return settings


def test_a_language_is_turned_off_and_on(workbench: Workbench, models: Models) -> None:
    before = user_settings(workbench)
    workbench.open_file("on.py", "left_on")
    workbench.open_file("off.lua", "turned_off")
    workbench.wait_status("quick")
    workbench.command(TOGGLE)
    workbench.wait_status("off for lua")
    assert user_settings(workbench) == before | {"[lua]": {"twotrack.completions": False}}
    workbench.focused()
    models.answer_at(" = ", "42")
    workbench.type(" = ")
    assert models.quiet_for(0.5)

    workbench.open_file("on.py")
    workbench.wait_status("fast: quick")
    workbench.type(" = ")
    workbench.wait_ghost("42")

    workbench.open_file("off.lua")
    workbench.wait_status("off for lua")
    workbench.status.click()
    workbench.choose("Turn On for lua")
    workbench.wait_status("fast: quick")
    assert user_settings(workbench).get("[lua]", {}) == {}
    workbench.press("Control+1")  # back into the editor
    workbench.focused()
    workbench.press("Enter")
    workbench.type("on_again = ")
    workbench.wait_ghost("42")


def test_a_list_of_languages_is_heeded_and_added_to(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    listed = {**json.loads(USER_SETTINGS), "twotrack.completion.languages": ["python"]}
    server = serve("--disable-workspace-trust", settings=json.dumps(listed))
    workbench = open_window(server, tmp_path / "project")
    workbench.running()
    workbench.open_file("listed.py", "")
    workbench.wait_status("quick")
    workbench.open_file("unlisted.md", "unlisted")
    workbench.wait_status("off for markdown")
    workbench.command(TOGGLE)
    workbench.wait_status("quick")
    models.answer_at("unlisted = ", "42")
    workbench.focused()
    workbench.type(" = ")
    workbench.wait_ghost("42")


def test_a_repository_turns_off_and_not_on(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    off = json.loads(USER_SETTINGS) | {"[python]": {"twotrack.completions": False}}
    folder = tmp_path / "project"
    (folder / ".vscode").mkdir(parents=True)
    repository = {
        "[python]": {"twotrack.completions": True},
        "[markdown]": {"twotrack.completions": False},
    }
    (folder / ".vscode" / "settings.json").write_text(json.dumps(repository))
    workbench = open_window(serve("--disable-workspace-trust", settings=json.dumps(off)), folder)
    workbench.running()
    workbench.open_file("mine.py", "")
    workbench.wait_status("off for python")
    workbench.open_file("theirs.md", "")
    workbench.wait_status("off for markdown")
    workbench.command(TOGGLE)
    workbench.wait_notification("settings of this workspace")
    workbench.wait_status("off for markdown")
