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
        children = psutil.Process(self.screen.pid()).children()
        (process,) = (one for one in children if _is_server(one))
        return process

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


def _is_server(process: psutil.Process) -> bool:
    try:
        named = any(Path(part).name == "twotrack" for part in process.cmdline())
        return named and process.is_running()
    except psutil.NoSuchProcess:  # ended since it was listed
        return False


def wait_for(condition: Callable[[], object], explain: Callable[[], str]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.02)


Start = Callable[..., Helix]


@pytest.fixture
def start(programs, terminal, home, project, settings) -> Start:  # type: ignore[no-untyped-def]
    """Return a function that opens a file in Helix with the page's set-up, or with `languages`.

    `config` is Helix' own config.toml.
    """
    program = programs.path("HELIX")
    runtime = programs["HELIX_RUNTIME"]

    def begin(
        file: str,
        text: str | bytes,
        *,
        languages: str | None = None,
        config: str = "",
        columns: int = 100,
        lines: int = 30,
    ) -> Helix:
        path = project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        folder = home / ".config" / "helix"
        folder.mkdir()
        (folder / "languages.toml").write_text(languages or block("helix", "languages.toml"))
        (folder / "config.toml").write_text(config)
        screen = terminal(
            [program, "-v", path],
            variables={"HELIX_RUNTIME": runtime},
            columns=columns,
            lines=lines,
        )
        editor = Helix(screen, path, home / ".cache" / "helix" / "helix.log")
        editor.wait_ready()
        return editor

    return begin
