"""A real Helix in a terminal, set up with the text of its page."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from editors.pages import block
from editors.screen import PATIENCE_S, Screen

CHECKOUT = Path(__file__).parents[3]
GENERATED = CHECKOUT / "editors" / "helix" / "languages.toml"


class Helix:
    """One running Helix with one file."""

    def __init__(self, screen: Screen, path: Path, log: Path) -> None:
        self.screen = screen
        self.path = path
        self.log = log

    def wait_ready(self) -> None:
        """Wait until the server has been told of the file."""
        wait_for(lambda: "textDocument/didOpen" in self.told(), lambda: self.told()[-3000:])

    def told(self) -> str:
        """What Helix and the server told each other, as Helix' log has it."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return "\n".join(line for line in lines if " twotrack " in line)

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
        children = psutil.Process(self.screen.pid()).children()
        (process,) = (one for one in children if "twotrack" in " ".join(one.cmdline()))
        return process

    def saved(self) -> bytes:
        """Leave the mode, write the file, and give it."""
        before = self._written()
        self.normal()
        self.command("w!")
        wait_for(
            lambda: self.path.exists() and self.path.stat().st_mtime_ns != before, self.screen.text
        )
        self.screen.wait_for(re.compile(r"written|saved"))
        return self.path.read_bytes()

    def _written(self) -> int | None:
        """When the file was written; None in the moment when it is being replaced."""
        return self.path.stat().st_mtime_ns if self.path.exists() else None


def wait_for(condition: Callable[[], object], explain: Callable[[], str]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.02)


Start = Callable[..., Helix]


@pytest.fixture
def start(programs, terminal, home, project, settings) -> Start:  # type: ignore[no-untyped-def]
    """Give a function that opens a file in Helix with the page's set-up.

    `more` is added to it; `config` is Helix' own config.toml.
    """
    program = programs.path("HELIX")
    runtime = programs["HELIX_RUNTIME"]

    def begin(
        file: str,
        text: str | bytes,
        *,
        languages: str | None = None,
        config: str = "",
        ready: bool = True,
    ) -> Helix:
        path = project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        folder = home / ".config" / "helix"
        folder.mkdir()
        (folder / "languages.toml").write_text(languages or block("helix", "languages.toml"))
        (folder / "config.toml").write_text(config)
        screen = terminal([program, "-v", path], variables={"HELIX_RUNTIME": runtime})
        editor = Helix(screen, path, home / ".cache" / "helix" / "helix.log")
        if ready:
            editor.wait_ready()
        return editor

    return begin
