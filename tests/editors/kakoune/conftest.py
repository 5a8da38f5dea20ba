"""A real Kakoune in a terminal, with the set-up of the page."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from editors.pages import block
from editors.screen import Screen


class Kakoune:
    """One running Kakoune."""

    def __init__(self, path: Path, screen: Screen) -> None:
        self.screen = screen
        self._path = path

    def saved(self) -> bytes:
        """Leave insert mode, save the file and give it."""
        self.screen.keys("Escape")
        self.screen.wait_gone(" insert ")
        self.command("write")
        self.screen.wait_gone("[+]")
        return self._path.read_bytes()

    def command(self, line: str) -> None:
        """Type a command."""
        self.screen.type(f":{line}")
        self.screen.wait_for(re.compile(rf"^:{line} +\S+ \d+:\d+ .*prompt", re.MULTILINE))
        self.screen.keys("Enter")
        self.screen.wait_gone(re.compile(rf"^:{line} ", re.MULTILINE))


Start = Callable[..., Kakoune]


@pytest.fixture
def start(programs, terminal, home, environment, project, settings) -> Start:  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Return a function that opens a file in Kakoune, and waits until the server knows it."""
    program = programs.path("KAKOUNE")
    lsp = programs.path("KAKOUNE_LSP").parent
    variables = {
        "KAKOUNE_RUNTIME": programs["KAKOUNE_RUNTIME"],
        "PATH": os.pathsep.join((str(program.parent), str(lsp), environment["PATH"])),
        "KAKOUNE_POSIX_SHELL": "/bin/sh",
    }

    def begin(file: str, text: str | bytes, *, more: str = "") -> Kakoune:
        path = project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        config = home / ".config" / "kak"
        config.mkdir()
        (config / "kakrc").write_text(f"{block('kakoune', 'kakrc')}\n{more}\n")
        screen = terminal([program, path], variables=variables)
        # What stands in the mode line once the set-up was read.
        screen.wait_for(f"{file} 1:1")
        return Kakoune(path, screen)

    return begin
