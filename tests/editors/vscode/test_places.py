"""Ghost text wherever code is written: several folders, files that have no name yet."""

import json
from pathlib import Path

import pytest

from editors.models import Models
from editors.vscode.conftest import Open, Serve
from editors.vscode.steps import completes
from editors.vscode.workbench import Workbench

pytestmark = pytest.mark.timeout(300)


def test_several_folders_in_one_window(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    (tmp_path / "second" / ".twotrack.toml").write_text("[completion]\nmax_lines = 2\n")
    file = tmp_path / "both.code-workspace"
    file.write_text(json.dumps({"folders": [{"path": "first"}, {"path": "second"}]}))
    workbench = open_window(serve("--disable-workspace-trust"), file)
    workbench.running()
    completes(workbench, models, "first/alpha")
    completes(workbench, models, "second/beta")


def test_a_file_without_a_name(workbench: Workbench, models: Models) -> None:
    models.answer_at("unnamed = ", "42")
    workbench.command("File: New Untitled Text File")
    workbench.focused()
    workbench.type("unnamed = ")
    workbench.wait_ghost("42")
    workbench.press("Tab")
    workbench.wait_text("Untitled-1", "unnamed = 42")
    assert models.requests[-1].body["model"] == "quick-1"
    workbench.command("View: Revert and Close Editor")
    workbench.page.locator(".tabs-container .tab").wait_for(state="detached")
