"""A real Vim in a terminal, set up with the text of its page."""

import re
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from editors.driver import Can, Machine, Modal
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


PLAIN = """
set nocompatible nomore shortmess+=c laststatus=2 noruler
set statusline=%t\\ %m%=%{mode()=='n'?'NORMAL':''}
nnoremap <F5> :write! %:h/saved<CR>
call ch_logfile($HOME .. '/vim.log', 'w')
"""
"""What shows the mode, saves under another name, and writes down what is sent."""


class Vim(Modal):
    """One running Vim with one file and ALE."""

    keys = {
        "accept": ["C-n", "C-y"],
        "dismiss": ["C-e"],
        "leave": ["Escape"],
        "new line": ["Enter"],
        "undo": ["u"],
        "redo": ["C-r"],
    }
    cannot = {
        Can.TELL_WHAT_WAS_ACCEPTED: "ALE runs no command of an item",
        Can.TELL_WHAT_WAS_DISMISSED: "ALE tells nothing of its menu",
        Can.SHOW_GHOST_TEXT: "ALE has none",
        Can.SHOW_MORE_OF_IT: "its menu has one line",
        Can.INSERT_SEVERAL_LINES: "its menu would write NUL for a line end",
        Can.ACCEPT_A_PART: "an item of its menu is one",
    }
    undo_takes_typing = True

    @classmethod
    def start(
        cls,
        machine: Machine,
        file: str,
        text: str | bytes,
        *,
        more: str = "",
        columns: int = 100,
        lines: int = 30,
    ) -> Self:
        """Open a file with the page's set-up for ALE, and `more`."""
        home, program = machine.home, machine.programs.path("VIM_PROGRAM")
        packages = home / ".vim" / "pack" / "plugins" / "opt"
        packages.mkdir(parents=True)
        (packages / "ale").symlink_to(machine.programs.path("VIM_ALE"))
        path = machine.project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        (home / ".vim" / "vimrc").write_text(f"{PLAIN}{block('vim', 'vimrc, ALE')}{more}\n")
        screen = machine.terminal([program, path], columns=columns, lines=lines)
        editor = cls(screen, path, home / "vim.log")
        wait_for(editor.servers, editor.screen.text)
        return editor

    def __init__(self, screen: Screen, path: Path, log: Path) -> None:
        self.screen = screen
        self.path = path
        self.log = log

    def normal(self) -> None:
        """Go to normal mode."""
        self.screen.keys("Escape")
        self.screen.wait_for(re.compile(rf"^{self.path.name} .*NORMAL$", re.MULTILINE))

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

    def act(self, title: str) -> None:
        self.screen.type(":ALECodeAction")
        self.screen.keys("Enter")
        screen = self.screen.wait_for("Type number")
        (number,) = re.findall(rf"^(\d+)\) {title}", screen, re.MULTILINE)
        self.screen.keys(number, "Enter")

    def times_said(self, words: str) -> int:
        return self.told().count("window/showMessage")

    def kill_server(self) -> None:
        (server,) = self.servers()
        server.send_signal(signal.SIGKILL)
        wait_for(lambda: not self.servers(), self.screen.text)

    def wait_restarted(self) -> None:
        wait_for(self.servers, self.screen.text)


@pytest.fixture
def start(machine: Machine) -> Callable[..., Vim]:
    """Return a function that opens a file in Vim; see `Vim.start`."""
    return partial(Vim.start, machine)
