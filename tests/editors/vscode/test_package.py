"""What is packed, and the extension's own unit tests."""

import zipfile
from pathlib import Path

import pytest

from editors.vscode.conftest import EXTENSION
from editors.vscode.workbench import run_lines

pytestmark = pytest.mark.timeout(300)


def test_the_package_is_small_and_holds_what_it_needs(vsix: Path) -> None:
    assert vsix.stat().st_size < 1_000_000
    with zipfile.ZipFile(vsix) as archive:
        names = {name.removeprefix("extension/") for name in archive.namelist()}
        text = b"".join(archive.read(name) for name in archive.namelist())
    assert {
        "package.json",
        "dist/extension.js",
        "images/icon.png",
        "images/ghost-text.png",
    } <= names
    assert not [name for name in names if name.endswith((".ts", ".map", ".vsix"))]
    assert str(EXTENSION).encode() not in text


def test_the_unit_tests(developer: dict[str, str], vsix: Path, recording: Path) -> None:
    environment = {**developer, "TWOTRACK_RECORDING": str(recording)}
    run_lines(["npm test"], cwd=EXTENSION, environment=environment)
