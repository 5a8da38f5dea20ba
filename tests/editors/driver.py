"""What a person does in every editor: the words that `test_scenarios.py` is written in.

An editor's class stands in its own conftest.py; `drivers.py` lists them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self

import psutil

from editors.screen import Screen, Wanted

CURSOR = "$0"
"""Where the cursor stands in a scenario's text."""


class Can(StrEnum):
    """What not every editor can do; an editor says in `cannot` why it does not take part."""

    COMPLETE_AS_ONE_TYPES = "complete as one types"
    SHOW_GHOST_TEXT = "show ghost text"
    INSERT_SEVERAL_LINES = "insert several lines"
    SHOW_MORE_OF_IT = "show the rest of a block when it comes"
    TYPE_INTO_IT = "keep a completion while one types what it begins with"
    ACCEPT_A_PART = "accept a word or a line"
    DISMISS = "take a completion away by a key, and let one type on"
    TELL_WHAT_WAS_ACCEPTED = "tell the server what was accepted (else the changes show it)"
    TELL_WHAT_WAS_DISMISSED = "tell the server what a person took away"
    REDO = "do again what was undone"
    REPEAT_ITS_MESSAGES = "repeat what it has said"
    TELL_OF_A_REFUSAL = "show why an action changed nothing"
    RESTART = "start a killed server again by itself"


@dataclass(frozen=True)
class Machine:
    """What an editor is started on: the values of conftest's fixtures."""

    programs: Any
    terminal: Callable[..., Screen]
    home: Path
    environment: Mapping[str, str]
    project: Path


class Driver(ABC):
    """One running editor with one file."""

    keys: ClassVar[Mapping[str, Sequence[str]]]
    """Which keys a person presses, by what they are for."""
    cannot: ClassVar[Mapping[Can, str]] = {}
    undo_takes_typing: ClassVar[bool] = False
    """Whether undo takes back with a completion what was typed since insert mode began."""
    unreachable: ClassVar[str] = "quick"
    """What is said of a fast model that is down."""

    screen: Screen
    path: Path

    @classmethod
    @abstractmethod
    def start(cls, machine: Machine, file: str, text: str | bytes, **options: Any) -> Self:
        """Open a file with this text; wait until the server knows it."""

    def open_at_cursor(self, text: str) -> None:
        """Put the cursor where the text has its mark."""
        head, _, tail = text.partition(CURSOR)
        before = head.splitlines(keepends=True)
        column = len(before.pop()) if before and not before[-1].endswith("\n") else 0
        at_end = not tail or tail[0] in "\r\n"
        self.go_to(len(before) + 1, None if at_end else column)

    @abstractmethod
    def go_to(self, line: int, column: int | None = None) -> None:
        """Go to a line and column, for typing there; absent: to the line's end."""

    def type(self, text: str, then: str | None = None) -> None:
        """Type a text, and press a key `then`, before anything else can happen."""
        if then is None:
            self.screen.type(text)
        else:
            self.screen.keys(text, *self.keys[then])

    def key(self, name: str) -> None:
        """Press a key by what it is for."""
        self.screen.keys(*self.keys[name])

    def shows(self, wanted: Wanted) -> None:
        """Wait until it is on the screen."""
        self.screen.wait_for(wanted)

    def hides(self, unwanted: Wanted) -> None:
        """Wait until it is not on the screen."""
        self.screen.wait_gone(unwanted)

    def ask(self) -> None:  # noqa: B027 - most editors ask by themselves
        """Ask for completions, where the editor does so in words alone."""

    def offers(self, completion: str) -> None:
        """Wait until a completion can be accepted."""
        self.screen.wait_for(completion)

    @abstractmethod
    def act(self, title: str) -> None:
        """Choose a code action at the cursor."""

    @abstractmethod
    def saved(self) -> bytes:
        """Save the file and give it."""

    def becomes(self, text: str) -> None:
        """Hold that the text is this; line ends are those of the scenario."""
        assert self.saved().decode() == text

    def saves(self, text: str) -> None:
        """Hold that the file is exactly this."""
        assert self.saved().decode() == text

    def send_changes(self) -> None:  # noqa: B027 - most editors do so with each key
        """Wait until the server has been told of what was typed."""

    def says(self, words: str) -> None:
        """Wait until it has said so."""
        self.screen.wait_for(words)

    def times_said(self, words: str) -> int:
        """How often it has said so."""
        raise NotImplementedError

    def servers(self) -> list[psutil.Process]:
        """The server's processes."""
        below = psutil.Process(self.screen.pid()).children(recursive=True)
        return [one for one in below if _is_server(one)]

    def kill_server(self) -> None:
        """End the server as a crash does."""
        raise NotImplementedError

    def wait_restarted(self) -> None:
        """Wait until the editor has started it again."""
        raise NotImplementedError


class Modal(Driver):
    """An editor with a mode for typing: Neovim, Vim, Helix and Kakoune share these keys."""

    _entering: Sequence[str] = ()

    def go_to(self, line: int, column: int | None = None) -> None:
        self.screen.keys("g", "g", *["j"] * (line - 1))
        if column is None:
            self._entering = ["A"]
        else:
            self._entering = [*["l"] * column, "i"]

    def _enter(self) -> None:
        if self._entering:
            self.screen.keys(*self._entering)
        self._entering = ()

    def type(self, text: str, then: str | None = None) -> None:
        self._enter()
        super().type(text, then)

    def key(self, name: str) -> None:
        if name == "new line":
            self._enter()
        super().key(name)


def _is_server(process: psutil.Process) -> bool:
    try:
        return process.name() == "twotrack" and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # ended since it was listed
        return False
