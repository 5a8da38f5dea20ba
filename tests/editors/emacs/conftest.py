"""A real Emacs in a terminal: what a person sees by tmux, what is exact by emacsclient."""

import base64
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest

from editors.driver import Can, Driver, Machine
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


class Emacs(Driver):
    """One running Emacs, with twotrack.el unless told otherwise."""

    keys = {
        "accept": ["Tab"],
        "accept word": ["M-Right"],
        "accept line": ["M-Down"],
        "dismiss": ["C-g"],
        "leave": ["Up"],
        "new line": ["Enter"],
        "undo": ["C-/"],
    }
    cannot = {Can.REDO: "it undoes its undoing, which is its own affair"}
    unreachable = "twotrack: The server of quick cannot be reached. M-x twotrack-model"

    @classmethod
    def start(
        cls,
        machine: Machine,
        file: str,
        text: str | bytes,
        *,
        init: str = PLUGIN,
        before: str = "",
        more: str = "",
        ready: str = "(and (eglot-current-server) (bound-and-true-p twotrack-mode))",
        lines: int = 30,
    ) -> Self:
        """Open a file with a set-up, and wait until that is `ready`.

        `before` and `more` stand around the set-up. The checkout is where the page's expects it.
        """
        home = machine.home
        (home / "src").mkdir()
        (home / "src" / "twotrack").symlink_to(CHECKOUT)
        sockets = home / ".run" / "emacs"
        sockets.mkdir(mode=0o700)
        path = machine.project / file
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        config = home / ".config" / "emacs"
        config.mkdir()
        plain = PLAIN.replace("{sockets}", str(sockets))
        (config / "init.el").write_text(f"{plain}\n{before}\n{init}\n{more}\n")
        client = machine.programs.path("EMACSCLIENT")
        screen = machine.terminal([machine.programs.path("EMACS"), "-nw", path], lines=lines)
        evaluate = [str(client), "-s", str(sockets / "server"), "--eval"]
        editor = cls(evaluate, machine.environment, path, screen)
        editor.wait_until(ready)
        return editor

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

    def go_to(self, line: int, column: int | None = None) -> None:
        across = ["End"] if column is None else ["Right"] * column
        self.screen.keys("M-<", *["Down"] * (line - 1), *across)

    def act(self, title: str) -> None:
        self.run("eglot-code-actions")
        self.screen.wait_for("Pick an action")
        self.screen.type(title)
        self.screen.keys("Enter")

    def becomes(self, text: str) -> None:
        self.wait_text(text.replace("\r\n", "\n"))

    def saves(self, text: str) -> None:
        self.becomes(text)
        super().saves(text)

    def times_said(self, words: str) -> int:
        return self.messages().count(words)

    def kill_server(self) -> None:
        self._killed = self.eval("(process-id (jsonrpc--process (eglot-current-server)))")
        # Eglot starts a server again that lived for three seconds; until then it holds this timer.
        self.wait_until("(null (eglot--inhibit-autoreconnect (eglot-current-server)))")
        os.kill(self._killed, signal.SIGKILL)

    def wait_restarted(self) -> None:
        self.wait_until(
            "(let ((server (eglot-current-server))) (and server (eglot-managed-p)"
            f" (/= (process-id (jsonrpc--process server)) {self._killed})))"
        )


class Eglot(Emacs):
    """Emacs with Eglot and nothing else."""

    keys = {
        "accept": ["C-M-i"],  # the only completion is inserted at once
        "new line": ["Enter"],
        "undo": ["C-/"],
    }
    cannot = {
        **Emacs.cannot,
        Can.TELL_WHAT_WAS_ACCEPTED: "Eglot runs no command of an item",
        Can.COMPLETE_AS_ONE_TYPES: "Eglot asks at C-M-i",
        Can.SHOW_GHOST_TEXT: "Eglot has none",
        Can.SHOW_MORE_OF_IT: "Eglot shows nothing of it before",
        Can.ACCEPT_A_PART: "Eglot inserts all of it",
        Can.DISMISS: "nothing is shown before it is inserted",
        Can.REPEAT_ITS_MESSAGES: "it completes only when asked, and says so each time",
    }

    @classmethod
    def start(cls, machine: Machine, file: str, text: str | bytes, **options: Any) -> Self:
        """Open a file with the page's set-up for Eglot alone."""
        alone = {"init": ALONE, "ready": "(eglot-current-server)", **options}
        return super().start(machine, file, text, **alone)

    def offers(self, completion: str) -> None:
        """Show nothing: the key is what asks."""


class LspMode(Emacs):
    """Emacs with lsp-mode, which has ghost text of its own."""

    keys = {**Emacs.keys, "accept": ["Tab"]}
    cannot = {
        **Emacs.cannot,
        Can.ACCEPT_A_PART: "lsp-mode inserts all of it",
        Can.SHOW_MORE_OF_IT: "lsp-mode is told of nothing: the next key shows it",
        Can.TELL_WHAT_WAS_DISMISSED: "lsp-mode tells nothing of its menu",
        Can.TYPE_INTO_IT: "lsp-mode asks anew at each key",
        Can.RESTART: "lsp-mode asks the person first",
    }
    unreachable = "quick"

    @classmethod
    def start(cls, machine: Machine, file: str, text: str | bytes, **options: Any) -> Self:
        """Open a file with the page's set-up, in a project that lsp-mode need not ask for."""
        set_up = {
            "init": LSP_MODE,
            "before": packages_of(machine.programs),
            # What package.el would load when it is needed.
            "more": "(dolist (one '(lsp-lens lsp-headerline lsp-modeline lsp-diagnostics"
            " lsp-completion)) (require one))"
            " (setq lsp-auto-guess-root t lsp-enable-suggest-server-download nil)",
            "ready": "(seq-some (lambda (one) (and (eq (lsp--workspace-status one) 'initialized)"
            " (eq (lsp--workspace-server-id one) 'twotrack))) (lsp-workspaces))",
        }
        return super().start(machine, file, text, **set_up, **options)

    def act(self, title: str) -> None:
        self.run("lsp-execute-code-action")
        self.screen.wait_for("Select code action")
        self.screen.type(title.split(":", maxsplit=1)[0])
        self.screen.keys("Tab")
        self.screen.wait_for(title)
        self.screen.keys("Enter")

    def send_changes(self) -> None:
        """Do nothing: lsp-mode sends each key."""


def packages_of(programs: Any) -> str:
    """Return what makes the packages that setup installed known to Emacs."""
    folder = programs["EMACS_PACKAGES"]
    return f'(dolist (one (directory-files "{folder}" t "^[a-z]")) (add-to-list \'load-path one))'


@pytest.fixture
def packages(programs: Any) -> str:
    return packages_of(programs)


@pytest.fixture
def start(machine: Machine) -> Callable[..., Emacs]:
    """Return a function that opens a file in Emacs; see `Emacs.start`."""
    return partial(Emacs.start, machine)
