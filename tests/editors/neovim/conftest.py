"""A real Neovim in a terminal: what a person sees by tmux, what is exact by its RPC."""

import itertools
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from editors.driver import Machine, Modal
from editors.screen import PATIENCE_S, Screen

CHECKOUT = Path(__file__).parents[3]
PAGE = CHECKOUT / "editors" / "neovim" / "README.md"
PLAIN = """
vim.o.ruler = false
vim.o.shortmess = vim.o.shortmess .. "F"
for _, group in ipairs({ "Normal", "NormalFloat", "FloatBorder", "FloatTitle" }) do
  vim.cmd.highlight(group .. " guibg=NONE")
end
"""
"""For pictures: nothing that changes, and the terminal's own background, as far as it reaches."""


def snippet(page: Path, heading: str, language: str = "lua") -> str:
    """Return the first block of code under a heading (or a bold word) of a page."""
    text = page.read_text()
    at = text.index(heading)
    match = re.search(rf"```{language}\n(.*?)```", text[at:], re.DOTALL)
    assert match is not None, f"{page} has no {language} under {heading}"
    return match[1]


class Neovim(Modal):
    """One running Neovim, with the plug-in unless told otherwise."""

    keys = {
        "accept": ["Tab"],
        "accept word": ["M-Right"],
        "accept line": ["M-Down"],
        "dismiss": ["C-]"],
        "leave": ["Escape"],
        "new line": ["Enter"],
        "undo": ["Escape", "u"],
        "redo": ["C-r"],
    }
    version: ClassVar[str] = "0.12"
    _numbers = itertools.count(1)
    unreachable = "twotrack: The server of quick cannot be reached. :Twotrack model"

    @classmethod
    def start(
        cls,
        machine: Machine,
        file: str,
        text: str | bytes | None = None,
        *,
        init: str | None = None,
        more: str = "",
        variables: Mapping[str, str] | None = None,
        ready: bool = True,
        says: str | None = None,
        lines: int = 30,
    ) -> Self:
        """Open a file with an init.lua (absent: the page's set-up).

        `more` is added to the set-up; `says` is what Neovim says at the start. The checkout is
        where the page's set-up expects it.
        """
        home, name = machine.home, f"NVIM_{cls.version.replace('.', '_')}"
        program = machine.programs.path(name)
        if variables is None:
            variables = {"VIMRUNTIME": machine.programs[f"{name}_RUNTIME"]}
        (home / "src").mkdir(exist_ok=True)
        if not (home / "src" / "twotrack").exists():
            (home / "src" / "twotrack").symlink_to(CHECKOUT)
        path = machine.project / file
        if text is not None:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        config = home / ".config" / "nvim"
        config.mkdir(exist_ok=True)
        if init is None:
            init = snippet(PAGE, "## With the plugin")
        (config / "init.lua").write_text(f"{init}\n{more}\n")
        socket = home / ".run" / f"nvim-{next(cls._numbers)}.sock"
        # Neovim would look through every Python for a module that nothing here uses: a second.
        quick = ("--cmd", "let g:loaded_python3_provider = 0")
        command = [program, *quick, "--listen", socket, path]
        screen = machine.terminal(command, variables=variables, lines=lines)
        if says is not None:
            screen.wait_for(says)
            screen.keys("Enter")
        editor = cls(program, screen, socket, {**machine.environment, **variables}, path)
        if ready:
            editor.wait_ready()
        return editor

    def __init__(
        self, program: Path, screen: Screen, socket: Path, environment: Any, path: Path
    ) -> None:
        self.screen = screen
        self.path = path
        self._command = [str(program), "--clean", "--server", str(socket), "--remote-expr"]
        self._environment = environment
        self.wait_until("1 == 1")

    def eval(self, expression: str) -> Any:
        """Evaluate a Lua expression."""
        return self.run(f"return {expression}")

    def run(self, code: str) -> Any:
        """Run Lua; give what it returns."""
        code = f"vim.json.encode({{ (function() {code} end)() }})".replace("\n", " ")
        quoted = code.replace("'", "''")
        command = [*self._command, f"luaeval('{quoted}')"]
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                done = subprocess.run(
                    command,
                    env=self._environment,
                    check=False,
                    capture_output=True,
                    text=True,
                    timeout=3,
                )
                break
            except subprocess.TimeoutExpired:
                # Behind a message that waits for Enter, Neovim answers nobody.
                assert time.monotonic() < end, self.screen.text()
                if "Press ENTER" in self.screen.text():
                    self.screen.keys("Enter")
        if done.returncode:
            raise RuntimeError(done.stderr)
        values = json.loads(done.stdout)
        return values[0] if values else None

    def wait_until(self, condition: str) -> None:
        """Wait until a Lua expression is true."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                value = self.eval(condition)
            except RuntimeError as error:
                value, said = None, str(error)
            else:
                said = repr(value)
            if value:
                return
            assert time.monotonic() < end, f"{condition}: {said}\n{self.screen.text()}"
            time.sleep(0.02)

    def wait_text(self, text: str) -> None:
        """Wait until the buffer holds exactly this."""
        end = time.monotonic() + PATIENCE_S
        while (present := self.text()) != text:
            assert time.monotonic() < end, f"{present!r} is not {text!r}\n{self.screen.text()}"
            time.sleep(0.02)

    def text(self) -> str:
        """The present buffer's text; every line ends with a newline."""
        lines = self.eval("vim.api.nvim_buf_get_lines(0, 0, -1, false)")
        return "".join(f"{line}\n" for line in lines)

    def messages(self) -> str:
        """Everything that Neovim said."""
        return str(self.eval("vim.fn.execute('messages')"))

    def wait_heard(self) -> None:
        """Wait until the server has read everything that Neovim sent."""
        self.run(
            "vim.lsp.buf_request_sync(0, 'textDocument/codeAction', "
            "vim.tbl_extend('force', vim.lsp.util.make_range_params(0, 'utf-8'), "
            "{ context = { diagnostics = {} } }))"
        )

    def client(self) -> int:
        """The number of the client that serves the present buffer; 0: none does."""
        number = "vim.lsp.get_clients({ name = 'twotrack', bufnr = 0 })[1]"
        return int(self.eval(f"({number} and {number}.initialized) and {number}.id or 0"))

    def wait_ready(self, *, not_client: int = 0) -> None:
        """Wait until the server serves the present buffer, by another client than that one."""
        end = time.monotonic() + PATIENCE_S
        while self.client() in (0, not_client):
            assert time.monotonic() < end, f"no server serves this file\n{self.screen.text()}"
            time.sleep(0.02)

    def act(self, title: str) -> None:
        """Press gra and take the action with these words in its title."""
        self.screen.keys("gra")
        screen = self.screen.wait_for("Type number")
        (number,) = re.findall(rf"^(\d+): .*{title}", screen, re.MULTILINE)
        self.screen.keys(number, "Enter")

    def saved(self) -> bytes:
        self.screen.keys("Escape", ":w", "Enter")
        self.wait_until("not vim.bo.modified")
        return self.path.read_bytes()

    def becomes(self, text: str) -> None:
        self.wait_text(text.replace("\r\n", "\n"))

    def saves(self, text: str) -> None:
        self.becomes(text)
        super().saves(text)

    def send_changes(self) -> None:
        self.screen.keys("Escape")
        self.wait_heard()

    def says(self, words: str) -> None:
        self.wait_until(f"vim.fn.execute('messages'):find('{words}', 1, true) ~= nil")

    def times_said(self, words: str) -> int:
        return sum(words in line for line in self.messages().splitlines())

    def kill_server(self) -> None:
        self._killed = self.client()
        (server,) = self.servers()
        os.kill(server.pid, signal.SIGKILL)
        self.screen.wait_for("quit with exit code")
        self.screen.keys("Enter")

    def wait_restarted(self) -> None:
        self.wait_ready(not_client=self._killed)


class Neovim011(Neovim):
    """The oldest Neovim that is supported."""

    version = "0.11"


Start = Callable[..., Neovim]


once = pytest.mark.parametrize("version", ["0.12"], indirect=True)
"""For what the version of Neovim has no part in."""


@pytest.fixture(params=["0.12", "0.11"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(version: str, machine: Machine) -> Start:
    """Return a function that opens a file in Neovim; see `Neovim.start`."""
    (kind,) = (one for one in (Neovim, Neovim011) if one.version == version)
    return partial(kind.start, machine)
