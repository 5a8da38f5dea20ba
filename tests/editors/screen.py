"""A terminal that a test types into and reads, by tmux."""

import html
import io
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pictures import with_font
from rich.console import Console
from rich.text import Text

from patience import patient

PATIENCE_S = patient(20.0)
"""Longest wait; a test that needs it has failed."""

Wanted = str | re.Pattern[str] | Callable[[str], object]
"""A text, a pattern, or a function of what is on the screen."""


class Screen:
    """One program in a terminal of its own, 100 columns by 30 lines unless told otherwise."""

    def __init__(
        self,
        tmux: Path,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        socket: Path,
        columns: int = 100,
        lines: int = 30,
    ) -> None:
        self._tmux = [str(tmux), "-u", "-S", str(socket), "-f", os.devnull]
        self._environment = {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._columns = columns
        words = [str(word) for word in command]
        size = ["-x", str(columns), "-y", str(lines)]
        # Escape must not wait for a sequence, and the screen outlives its program.
        options = ("-g escape-time 0", "-g status off", "-g default-terminal tmux-256color")
        settings = [f"set {option} ;" for option in (*options, "-gw remain-on-exit on")]
        begin = ["new-session", "-d", *size, "-c", str(cwd)]
        self._run("start-server", ";", *" ".join(settings).split(), *begin, *words)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments],
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        return done.stdout

    def keys(self, *names: str) -> None:
        """Press keys by their tmux names ("Escape", "Tab", "C-x"); other words are typed."""
        self._run("send-keys", *(name.replace(";", "\\;") for name in names))

    def type(self, text: str) -> None:
        """Type a text as it is."""
        if text:
            self._run("send-keys", "-l", "--", text[:-1] + "\\;" if text[-1] == ";" else text)

    def text(self) -> str:
        """What is on the screen, without the blanks at the ends of its lines."""
        return self._run("capture-pane", "-p").rstrip("\n")

    def styled(self) -> str:
        """The same with its colours, as escape sequences."""
        return self._run("capture-pane", "-p", "-e").rstrip("\n")

    def picture(self, title: str) -> str:
        """The screen as an SVG picture, without the empty lines at its end."""
        console = Console(record=True, width=self._columns, file=io.StringIO())
        console.print(Text.from_ansi(self.styled()), overflow="crop", no_wrap=True)
        return with_font(console.export_svg(title=title, unique_id="screen"))

    def cursor(self) -> tuple[int, int]:
        """Line and column of the cursor, from 0."""
        line, column = self._run("display", "-p", "#{cursor_y} #{cursor_x}").split()
        return int(line), int(column)

    def wait_for(self, wanted: Wanted, *, within_s: float = PATIENCE_S) -> str:
        """Wait until the screen shows it; give the screen."""
        return self._wait(wanted, True, within_s)

    def wait_gone(self, unwanted: Wanted, *, within_s: float = PATIENCE_S) -> str:
        """Wait until the screen does not show it; give the screen."""
        return self._wait(unwanted, False, within_s)

    def _wait(self, wanted: Wanted, there: bool, within_s: float) -> str:
        end = time.monotonic() + within_s
        while True:
            text = self.text()
            if _shows(text, wanted) is there:
                return text
            if time.monotonic() > end:
                state = "did not show" if there else "still shows"
                raise AssertionError(f"the screen {state} {wanted!r}:\n{text}")
            time.sleep(0.02)

    def wait_ended(self) -> None:
        """Wait until the program has ended."""
        end = time.monotonic() + PATIENCE_S
        while self._run("display", "-p", "#{pane_dead}").strip() != "1":
            assert time.monotonic() < end, f"the program did not end:\n{self.text()}"
            time.sleep(0.02)

    def pid(self) -> int:
        """The program's process id."""
        return int(self._run("display", "-p", "#{pane_pid}"))

    def close(self) -> None:
        """End the program and the terminal."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)


def check_picture(file: Path, screen: Screen, title: str) -> None:
    """Hold that a page's picture shows what the screen does.

    TWOTRACK_PICTURES=1 takes it anew. Styles are not compared, as they follow the programs'
    versions, nor how long a model took.
    """
    if os.environ.get("TWOTRACK_PICTURES") == "1":
        file.write_text(screen.picture(title) + "\n")
    drawn = html.unescape("".join(re.findall(r"<text[^>]*>(.*?)</text>", file.read_text())))
    words, shown = _words(drawn), _words(f"{title}{screen.text()}")
    assert words == shown, f"{file} shows something else; TWOTRACK_PICTURES=1 takes it anew"


def _words(text: str) -> str:
    return re.sub(r"\d+(?:\.\d)?m?s(?=[,·])", "s", "".join(text.split()))


def _shows(text: str, wanted: Wanted) -> bool:
    if isinstance(wanted, str):
        return wanted in text
    if isinstance(wanted, re.Pattern):
        return wanted.search(text) is not None
    return bool(wanted(text))
