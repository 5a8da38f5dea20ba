"""A real Vim in a terminal, set up with the text of its page."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from editors.pages import block
from editors.screen import PATIENCE_S, Screen

CHECKOUT = Path(__file__).parents[3]
PAGE = CHECKOUT / "editors" / "vim" / "README.md"


def wait_for(condition: Callable[[], object], explain: Callable[[], str]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.02)


class Vim:
    """One running Vim with one file."""

    def __init__(self, screen: Screen, path: Path, log: Path) -> None:
        self.screen = screen
        self.path = path
        self.log = log

    def normal(self) -> None:
        """Go to normal mode."""
        self.screen.keys("Escape")
        self.screen.wait_for(re.compile(rf"^{self.path.name} .*NORMAL$", re.MULTILINE))

    def servers(self) -> list[psutil.Process]:
        """The server's processes."""
        below = psutil.Process(self.screen.pid()).children(recursive=True)
        return [one for one in below if _is_server(one)]

    def told(self) -> str:
        """What Vim and its servers told each other, as its log has it."""
        return self.log.read_text() if self.log.exists() else ""

    def saved(self) -> bytes:
        """Write the file under another name and give it."""
        copy = self.path.with_name("saved")
        copy.unlink(missing_ok=True)
        self.normal()
        self.screen.keys("F5")
        wait_for(lambda: copy.exists() and copy.stat().st_size, self.screen.text)
        return copy.read_bytes()


def _is_server(process: psutil.Process) -> bool:
    try:
        return process.name() == "twotrack" and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # ended since it was listed, such as one of ALE's shells
        return False


PLAIN = """
set nocompatible nomore shortmess+=c laststatus=2 noruler
set statusline=%t\\ %m%=%{mode()=='n'?'NORMAL':''}
nnoremap <F5> :write! %:h/saved<CR>
call ch_logfile($HOME .. '/vim.log', 'w')
"""
"""What shows the mode, saves under another name, and writes down what is sent."""

Start = Callable[..., Vim]


@pytest.fixture
def start(programs, terminal, home, project, settings) -> Start:  # type: ignore[no-untyped-def]
    """Return a function that opens a file in Vim with the page's set-up for ALE, and `more`."""
    program = programs.path("VIM_PROGRAM")
    packages = home / ".vim" / "pack" / "plugins" / "opt"
    packages.mkdir(parents=True)
    (packages / "ale").symlink_to(programs.path("VIM_ALE"))

    def begin(
        file: str, text: str | bytes, *, more: str = "", columns: int = 100, lines: int = 30
    ) -> Vim:
        path = project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        (home / ".vim" / "vimrc").write_text(f"{PLAIN}{block('vim', 'vimrc, ALE')}{more}\n")
        editor = Vim(
            terminal([program, path], columns=columns, lines=lines), path, home / "vim.log"
        )
        wait_for(editor.servers, editor.screen.text)
        return editor

    return begin
