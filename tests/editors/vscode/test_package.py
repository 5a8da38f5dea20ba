"""What is packed, and the extension's own unit tests."""

import zipfile
from collections.abc import Callable
from pathlib import Path

from editors.vscode.conftest import EXTENSION


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


def test_the_unit_tests(npm: Callable[..., None]) -> None:
    npm("test")
