"""Edits that make a file, change another than the open one, change several, or are small."""

import sys
from pathlib import Path

import pytest

from editors.models import Models, Reply
from editors.vscode.conftest import Open, Serve
from editors.vscode.steps import HALVED, REPLY, TEXT, ask, preview, with_settings
from editors.vscode.workbench import USER_SETTINGS, Workbench, until

pytestmark = pytest.mark.timeout(300)

TESTS = "from {name} import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"


def add_tests(workbench: Workbench, models: Models, name: str, tests: str) -> None:
    """Ask for tests of a new file's function."""
    models.script(Reply(f"```python\n{tests}```"))
    workbench.open_file(f"{name}.py", TEXT)
    workbench.press("Control+Home", "ArrowRight")
    workbench.command("Twotrack: Add Tests")


def test_tests_in_a_new_file_are_previewed_made_and_undone(
    workbench: Workbench, models: Models
) -> None:
    tests = TESTS.format(name="fresh")
    file = workbench.folder / "tests" / "test_fresh.py"
    add_tests(workbench, models, "fresh", tests)
    preview(workbench, "test_fresh.py")
    assert not file.parent.exists()
    workbench.press("Control+Enter")
    until(lambda: workbench.tabs() == ["fresh.py", "test_fresh.py"], "the new file")
    until(file.exists, "the file on the disk")
    assert file.read_text() == tests
    workbench.wait_text("test_fresh.py", "assert area(2, 3) == 6")
    workbench.focused()
    workbench.press("Control+z")
    until(lambda: workbench.tabs() == ["fresh.py"], "the new file to go")
    assert not file.exists()


@pytest.mark.parametrize("way", ["button", "closing"])
def test_discarding_a_new_file_makes_none(workbench: Workbench, models: Models, way: str) -> None:
    name = f"unwanted_{way}"
    add_tests(workbench, models, name, TESTS.format(name=name))
    preview(workbench, f"test_{name}.py")
    if way == "button":
        workbench.page.locator('.editor-actions [aria-label="Discard"]').click()
    else:
        workbench.page.locator(".tab.active").click(button="middle")
    until(lambda: workbench.tabs() == [f"{name}.py"], "the diff to close")
    workbench.wait_saved(f"{name}.py", TEXT)
    assert not list(workbench.folder.rglob(f"test_{name}.py"))


def test_tests_that_come_to_others_are_shown_there(workbench: Workbench, models: Models) -> None:
    present = TESTS.format(name="tested")
    more = f"{present}\n\ndef test_nothing():\n    assert area(0, 3) == 0\n"
    file = workbench.folder / "tests" / "test_tested.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(present)
    add_tests(workbench, models, "tested", more)
    preview(workbench, "test_tested.py")
    workbench.press("Control+Enter")
    until(lambda: workbench.tabs() == ["tested.py", "test_tested.py"], "the tests")
    workbench.focused()
    assert file.read_text() == present  # to be saved by the person
    workbench.wait_saved("tests/test_tested.py", more)
    workbench.press("Control+z")
    workbench.wait_saved("tests/test_tested.py", present)


def test_small_edits_apply_at_once_where_only_large_ones_are_previewed(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    large = USER_SETTINGS.replace("{", '{"twotrack.preview": "large",', 1)
    workbench = open_window(serve("--disable-workspace-trust", settings=large), tmp_path / "files")
    workbench.running()
    models.script(Reply(REPLY))
    workbench.open_file("small.py", TEXT)
    ask(workbench)
    workbench.wait_saved("small.py", HALVED)
    workbench.press("Control+z")
    workbench.wait_saved("small.py", TEXT)

    longer = "".join(f"    part_{number} = {number}\n" for number in range(11))
    models.script(Reply(f"```python\ndef area(width, height):\n{longer}```"))
    workbench.open_file("large.py", TEXT)
    ask(workbench)
    preview(workbench, "large.py")
    assert (workbench.folder / "large.py").read_text() == TEXT


NEW = {"new.py": "new = 1\n", "one.py": "one = 11\n", "two.py": "two = 22\n"}
OLD = {"one.py": "one = 1\n", "two.py": "two = 2\n"}


def test_several_files_change_all_or_none(serve: Serve, open_window: Open, tmp_path: Path) -> None:
    program = tmp_path / "several-files"
    script = Path(__file__).with_name("several_files.py")
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {script}\n")
    program.chmod(0o755)
    server = serve("--disable-workspace-trust")
    with_settings(server, server__path=str(program))
    workbench = open_window(server, tmp_path / "files")
    workbench.status.wait_for()
    for name, text in OLD.items():
        (workbench.folder / name).write_text(text)
    workbench.open_file("one.py")

    ask(workbench)
    until(lambda: len(workbench.tabs()) == 4, "a diff of each file")
    workbench.page.locator(".tab").nth(1).click(button="middle")
    until(lambda: workbench.tabs() == ["one.py"], "the other diffs to close")
    assert files(workbench) == OLD

    ask(workbench)
    until(lambda: len(workbench.tabs()) == 4, "a diff of each file")
    workbench.page.locator(".tab").nth(1).click()
    workbench.press("Control+Enter")
    until(lambda: len([t for t in workbench.tabs() if ":" not in t]) == 2, "the diffs to close")
    wait_saved(workbench, NEW)
    workbench.focused()
    workbench.press("Control+z")
    until(lambda: not (workbench.folder / "new.py").exists(), "the new file to go")
    wait_saved(workbench, OLD)


def wait_saved(workbench: Workbench, wanted: dict[str, str]) -> None:
    """Save all files until this is on the disk."""

    def met() -> bool:
        workbench.command("File: Save All Files")
        return files(workbench) == wanted

    until(met, f"{wanted}")


def files(workbench: Workbench) -> dict[str, str]:
    """What is on the disk."""
    return {path.name: path.read_text() for path in workbench.folder.glob("*.py")}
