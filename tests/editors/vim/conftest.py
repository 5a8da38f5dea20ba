"""A real Vim in a terminal, set up with the text of its page."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from editors.pages import block
from editors.screen import PATIENCE_S, Screen


def wait_for(condition: Callable[[], object], explain: Callable[[], str]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.02)


class Vim:
    """One running Vim with one file."""

    def __init__(self, screen: Screen, path: Path) -> None:
        self.screen = screen
        self.path = path

    def normal(self) -> None:
        """Go to normal mode."""
        self.screen.keys("Escape")
        self.screen.wait_gone("-- INSERT --")

    def command(self, text: str) -> None:
        """Run a command."""
        self.normal()
        self.screen.type(f":{text}")
        self.screen.keys("Enter")

    def servers(self) -> list[psutil.Process]:
        """The server's processes."""
        below = psutil.Process(self.screen.pid()).children(recursive=True)
        return [one for one in below if one.name() == "twotrack" and one.status() != "zombie"]

    def saved(self) -> bytes:
        """Write the file under another name and give it."""
        copy = self.path.with_name("saved")
        copy.unlink(missing_ok=True)
        self.command("write! %:h/saved")
        wait_for(lambda: copy.exists() and copy.stat().st_size, self.screen.text)
        return copy.read_bytes()


Start = Callable[..., Vim]


@pytest.fixture
def start(programs, terminal, home, project, settings) -> Start:  # type: ignore[no-untyped-def]
    """Give a function that opens a file in Vim with the page's set-up for ALE."""
    program = programs.path("VIM_PROGRAM")
    packages = home / ".vim" / "pack" / "plugins" / "opt"
    packages.mkdir(parents=True)
    (packages / "ale").symlink_to(programs.path("VIM_ALE"))

    def begin(file: str, text: str | bytes, *, more: str = "") -> Vim:
        path = project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        plain = "set nocompatible nomore shortmess+=c\nfiletype plugin indent on\n"
        (home / ".vim" / "vimrc").write_text(f"{plain}{block('vim', 'vimrc, ALE')}{more}\n")
        editor = Vim(terminal([program, path]), path)
        wait_for(editor.servers, editor.screen.text)
        return editor

    return begin
