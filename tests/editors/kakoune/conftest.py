"""A real Kakoune in a terminal, with the set-up of the page."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from editors.driver import Can, Machine, Modal
from editors.pages import block
from editors.screen import Screen


class Kakoune(Modal):
    """One running Kakoune with one file."""

    keys = {
        "accept": ["C-n"],
        "leave": ["Escape"],
        "new line": ["Enter"],
        "undo": ["u"],
        "redo": ["U"],
    }
    cannot = {
        Can.TELL_WHAT_WAS_ACCEPTED: "kakoune-lsp runs no command of an item",
        Can.SHOW_GHOST_TEXT: "kakoune-lsp has none",
        Can.SHOW_MORE_OF_IT: "its menu has one line",
        Can.INSERT_SEVERAL_LINES: "its menu opens in a word, where one line is offered",
        Can.TYPE_INTO_IT: "kakoune-lsp may ask anew in the middle of a word",
        Can.ACCEPT_A_PART: "an item of its menu is one",
        Can.DISMISS: "what takes its menu away leaves insert mode",
        Can.REPEAT_ITS_MESSAGES: "a message is gone with the next",
        Can.TELL_OF_A_REFUSAL: "kakoune-lsp keeps the text, and shows nothing",
        Can.RESTART: "kakoune-lsp does not do so",
    }
    undo_takes_typing = True

    @classmethod
    def start(cls, machine: Machine, file: str, text: str | bytes, *, more: str = "") -> Self:
        """Open a file with the page's set-up and `more`."""
        program = machine.programs.path("KAKOUNE")
        lsp = machine.programs.path("KAKOUNE_LSP").parent
        path = (str(program.parent), str(lsp), machine.environment["PATH"])
        variables = {
            "KAKOUNE_RUNTIME": machine.programs["KAKOUNE_RUNTIME"],
            "PATH": os.pathsep.join(path),
            "KAKOUNE_POSIX_SHELL": "/bin/sh",
        }
        opened = machine.project / file
        opened.write_bytes(text.encode() if isinstance(text, str) else text)
        config = machine.home / ".config" / "kak"
        config.mkdir()
        (config / "kakrc").write_text(f"{block('kakoune', 'kakrc')}\n{more}\n")
        screen = machine.terminal([program, opened], variables=variables)
        # What stands in the mode line once the set-up was read.
        screen.wait_for(f"{file} 1:1")
        return cls(opened, screen)

    def __init__(self, path: Path, screen: Screen) -> None:
        self.screen = screen
        self.path = path

    def key(self, name: str) -> None:
        super().key(name)
        if name == "accept":
            self.screen.wait_for("twotrack · quick")

    def saved(self) -> bytes:
        """Leave insert mode, save the file and give it."""
        self.screen.keys("Escape")
        self.screen.wait_gone(" insert ")
        self.command("write")
        self.screen.wait_gone("[+]")
        return self.path.read_bytes()

    def command(self, line: str) -> None:
        """Type a command."""
        self.screen.type(f":{line}")
        self.screen.wait_for(
            re.compile(rf"^:{re.escape(line)} +\S+ \d+:\d+ .*prompt", re.MULTILINE)
        )
        self.screen.keys("Enter")
        self.screen.wait_gone(re.compile(rf"^:{re.escape(line)} ", re.MULTILINE))

    def send_changes(self) -> None:
        self.screen.keys("Escape")
        self.screen.wait_gone(" insert ")
        self.command("lsp-did-change")

    def act(self, title: str) -> None:
        self.command("lsp-code-actions")
        self.screen.wait_for(title)
        self.screen.type(title)
        self.screen.wait_for(re.compile(rf"^{title} .* prompt", re.MULTILINE))
        self.screen.keys("Enter")


@pytest.fixture
def start(machine: Machine) -> Callable[..., Kakoune]:
    """Return a function that opens a file in Kakoune; see `Kakoune.start`."""
    return partial(Kakoune.start, machine)
