"""The README's first screen in VS Code, on a fresh machine, as `editors/test_first_screen.py`.

VS Code is as it comes: no settings, other suggestions, a folder that nobody said to trust.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from editors.newcomer import BODY, HEAD_LINES, LONGEST_S, PICKED, Newcomer
from editors.vscode.conftest import EXTENSION, INSTALL, Open
from editors.vscode.workbench import CodeServer, until

if TYPE_CHECKING:
    from editors.conftest import Programs

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(400)]


@pytest.fixture
def code(newcomer: Newcomer, programs: "Programs", node: Path, vsix: Path) -> Iterator[CodeServer]:
    """VS Code with the extension: the last of the README's commands, with what the others made."""
    environment = {**newcomer.environment, "SHELL": "/bin/bash"}
    command = (str(node), programs["VSCODE_CODE_SERVER"])
    server = CodeServer(command, newcomer.path, environment)
    server.install(INSTALL.splitlines()[-1], EXTENSION)
    for line in INSTALL.splitlines():
        newcomer.step(line)
    with server:
        yield server


def test_vscode(
    newcomer: Newcomer, code: CodeServer, open_window: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    workbench = open_window(code, newcomer.project)
    newcomer.step("open a folder, type")
    workbench.running()
    workbench.open_file(newcomer.file.name)
    workbench.press("Enter", "Enter")
    for line in HEAD_LINES:
        workbench.type(line.strip())
        workbench.press("Enter")
    workbench.type(BODY)
    until(lambda: PICKED in workbench.ghost(), "ghost text", within_s=LONGEST_S)
    workbench.wait_status("fast: embedded")
    with capsys.disabled():
        print(newcomer.saw("VS Code"))
