"""A real Helix in a terminal, set up with the text of its page."""

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

import psutil
import pytest

from editors.driver import Can, Machine, Modal
from editors.pages import block
from editors.screen import PATIENCE_S, Screen

CHECKOUT = Path(__file__).parents[3]
PAGE = CHECKOUT / "editors" / "helix" / "README.md"
GENERATED = PAGE.with_name("languages.toml")

ALONE = """
[language-server.twotrack]
command = "twotrack"
[[language]]
name = "python"
language-servers = ["twotrack"]
"""
"""No other server, whose diagnostics would come on the screen at a time of their own."""

PLAIN = 'theme = "base16_transparent"\n'
"""For pictures: a terminal does not say how far a line's background goes."""


class Helix(Modal):
    """One running Helix with one file."""

    keys = {
        "accept": ["Tab", "Enter"],
        "leave": ["Escape"],
        "new line": ["Enter"],
        "undo": ["u"],
        "redo": ["U"],
    }
    cannot = {
        Can.TELL_WHAT_WAS_ACCEPTED: "it runs no command of an item",
        Can.SHOW_GHOST_TEXT: "it has none",
        Can.SHOW_MORE_OF_IT: "its menu has all of it",
        Can.ACCEPT_A_PART: "an item of its menu is one",
        Can.DISMISS: "what takes its menu away leaves insert mode",
        Can.RESTART: "a person types :lsp-restart (helix/test_menu.py)",
    }

    @classmethod
    def start(
        cls,
        machine: Machine,
        file: str,
        text: str | bytes,
        *,
        languages: str | None = None,
        config: str = "",
        columns: int = 100,
        lines: int = 30,
    ) -> Self:
        """Open a file with the page's set-up, or with `languages`; `config` is its config.toml."""
        home = machine.home
        path = machine.project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        folder = home / ".config" / "helix"
        folder.mkdir()
        (folder / "languages.toml").write_text(languages or block("helix", "languages.toml"))
        (folder / "config.toml").write_text(config)
        screen = machine.terminal(
            [machine.programs.path("HELIX"), "-v", path],
            variables={"HELIX_RUNTIME": machine.programs["HELIX_RUNTIME"]},
            columns=columns,
            lines=lines,
        )
        editor = cls(screen, path, home / ".cache" / "helix" / "helix.log")
        editor.wait_ready()
        return editor

    def __init__(self, screen: Screen, path: Path, log: Path) -> None:
        self.screen = screen
        self.path = path
        self.log = log

    def wait_ready(self) -> None:
        """Wait until the server has been told of the file, and has begun its work.

        What is typed while it starts Helix asks for once, and not again: the menu stays shut.
        """

        def ready() -> bool:
            told = self.told()
            return "textDocument/didOpen" in told and "twotrack-files" in told

        wait_for(ready, lambda: self.told()[-3000:])

    def told(self) -> str:
        """What Helix and the server told each other, as Helix' log has it."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return "\n".join(line for line in lines if " twotrack " in line)

    def wait_answered(self, n_asked: int) -> None:
        """Wait until so many completions were asked for, and all of them answered."""

        def answered() -> bool:
            told = self.told()
            asked = re.findall(r'-> .*"method":"textDocument/completion".*"id":(\d+)', told)
            got = set(re.findall(r'<- .*"id":(\d+),"result"', told))
            return len(asked) >= n_asked and set(asked) <= got

        wait_for(answered, lambda: self.told()[-3000:])

    def command(self, text: str) -> None:
        """Run a command from normal mode."""
        self.screen.type(f":{text}")
        self.screen.keys("Enter")

    def normal(self) -> None:
        """Go to normal mode."""
        self.screen.keys("Escape")  # alone: with the next key it would be Alt
        self.screen.wait_for(re.compile(r"^ NOR ", re.MULTILINE))

    def server(self) -> psutil.Process:
        """The server's process."""
        (process,) = self.servers()
        return process

    def ask(self) -> None:
        self.screen.keys("C-x")

    def offers(self, completion: str) -> None:
        """Wait for the menu; where Helix opened none for a short word, as now and then, ask."""
        try:
            self.screen.wait_for(completion, within_s=5)
        except AssertionError:
            self.ask()
            self.screen.wait_for(completion)

    def act(self, title: str) -> None:
        """Choose a code action for the cursor's place; the first is marked already."""
        self.screen.keys("Space", "a")
        self.screen.wait_for(title)
        rows = self.screen.text().splitlines()
        cursor, _ = self.screen.cursor()  # the menu stands right below it
        place = next(n for n, row in enumerate(rows[cursor + 1 :]) if title in row)
        self.screen.keys(*["Tab"] * place, "Enter")

    def times_said(self, words: str) -> int:
        return sum("window/showMessage" in line for line in self.told().splitlines())

    def saved(self) -> bytes:
        """Leave the mode, write the file, and give it."""
        before = self._written()
        self.normal()
        self.command("w!")
        wait_for(lambda: self._written() not in (None, before), self.screen.text)
        self.screen.wait_for(re.compile(r"written|saved"))
        return self.path.read_bytes()

    def _written(self) -> int | None:
        """When the file was written; None in the moment when it is being replaced."""
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return None


def wait_for(condition: Callable[[], object], explain: Callable[[], str]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.02)


@pytest.fixture
def start(machine: Machine) -> Callable[..., Helix]:
    """Return a function that opens a file in Helix; see `Helix.start`."""
    return partial(Helix.start, machine)
