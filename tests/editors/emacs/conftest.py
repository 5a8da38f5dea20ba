"""A real Emacs in a terminal: what a person sees by tmux, what is exact by emacsclient."""

import base64
import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from editors.pages import block
from editors.screen import PATIENCE_S, Screen

CHECKOUT = Path(__file__).parents[3]
PAGE = CHECKOUT / "editors" / "emacs" / "README.md"

PLUGIN = block("emacs", "init.el, with twotrack.el")
ALONE = block("emacs", "init.el, Eglot alone")
LSP_MODE = block("emacs", "init.el, lsp-mode")

PLAIN = """\
(setq native-comp-jit-compilation nil native-comp-enable-subr-trampolines nil)
(setq inhibit-startup-screen t make-backup-files nil)
(setq server-socket-dir "{sockets}")
(require 'server)
(server-start)
"""
"""What only a test needs of Emacs: a socket, and no compiling meanwhile."""

THEME = """(load-theme 'modus-vivendi t) (set-face-background 'default "unspecified-bg")"""
"""The colours of the page's pictures, on the terminal's own background."""


class Emacs:
    """One running Emacs."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], path: Path, screen: Screen
    ) -> None:
        self.screen = screen
        self.path = path
        self._command = command
        self._environment = environment

    def eval(self, expression: str) -> Any:
        """Evaluate in the file's buffer; give a number, a string, True, None (nil) or a list."""
        code = f'(with-current-buffer (get-file-buffer "{self.path}") {expression})'
        value = f"(json-serialize (vector {code}) :null-object nil)"
        done = subprocess.run(
            [*self._command, f"(base64-encode-string {value} t)"],
            check=False,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        if done.returncode:
            raise RuntimeError(done.stderr + done.stdout)
        return json.loads(base64.b64decode(done.stdout.strip().strip('"')))[0]

    def wait_until(self, condition: str) -> None:
        """Wait until an expression is neither nil nor an error."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                value = self.eval(f"(if {condition} 1 0)")
            except RuntimeError as error:
                value, said = 0, str(error)
            else:
                said = condition
            if value:
                return
            assert time.monotonic() < end, f"{said}\n{self.screen.text()}"
            time.sleep(0.02)

    def text(self) -> str:
        """The buffer's text."""
        return str(self.eval("(save-restriction (widen) (buffer-string))"))

    def wait_text(self, text: str) -> None:
        """Wait until the buffer holds exactly this."""
        end = time.monotonic() + PATIENCE_S
        while (present := self.text()) != text:
            assert time.monotonic() < end, f"{present!r} is not {text!r}\n{self.screen.text()}"
            time.sleep(0.02)

    def messages(self) -> str:
        """Everything that Emacs said."""
        return str(self.eval("(with-current-buffer (messages-buffer) (buffer-string))"))

    def run(self, command: str) -> None:
        """Run a command by its name."""
        self.screen.keys("M-x")
        self.screen.wait_for(re.compile(r"^M-x", re.MULTILINE))
        self.screen.type(command)
        self.screen.wait_for(f"M-x {command}")
        self.screen.keys("Enter")

    def send_changes(self) -> None:
        """Let Eglot send what was typed now, instead of when Emacs has been idle."""
        self.eval("(progn (eglot--signal-textDocument/didChange) t)")

    def saved(self) -> bytes:
        """Save the file and give it."""
        self.screen.keys("C-x", "C-s")
        self.wait_until("(not (buffer-modified-p))")
        return self.path.read_bytes()


Start = Callable[..., Emacs]


@pytest.fixture
def packages(programs) -> str:  # type: ignore[no-untyped-def]
    """What makes the packages that setup installed known to Emacs."""
    folder = programs["EMACS_PACKAGES"]
    return f'(dolist (one (directory-files "{folder}" t "^[a-z]")) (add-to-list \'load-path one))'


@pytest.fixture
def start(programs, terminal, home, environment, project, settings) -> Start:  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Return a function that opens a file in Emacs with a set-up, and waits until that is `ready`.

    `before` and `more` stand around the set-up. The checkout is where the page's expects it.
    """
    program, client = programs.path("EMACS"), programs.path("EMACSCLIENT")
    (home / "src").mkdir()
    (home / "src" / "twotrack").symlink_to(CHECKOUT)
    sockets = home / ".run" / "emacs"
    sockets.mkdir(mode=0o700)

    def begin(
        file: str,
        text: str | bytes,
        *,
        init: str = PLUGIN,
        before: str = "",
        more: str = "",
        ready: str = "(and (eglot-current-server) (bound-and-true-p twotrack-mode))",
        lines: int = 30,
    ) -> Emacs:
        path = project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        config = home / ".config" / "emacs"
        config.mkdir()
        plain = PLAIN.replace("{sockets}", str(sockets))
        (config / "init.el").write_text(f"{plain}\n{before}\n{init}\n{more}\n")
        screen = terminal([program, "-nw", path], lines=lines)
        evaluate = [str(client), "-s", str(sockets / "server"), "--eval"]
        editor = Emacs(evaluate, environment, path, screen)
        editor.wait_until(ready)
        return editor

    return begin
