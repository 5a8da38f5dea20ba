"""A real Neovim in a terminal: what a person sees by tmux, what is exact by its RPC."""

import itertools
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

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


class Neovim:
    """One running Neovim."""

    def __init__(self, program: Path, screen: Screen, socket: Path, environment: Any) -> None:
        self.screen = screen
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


def choose(editor: Neovim, word: str) -> None:
    """Press gra and take the action with a word in its title."""
    editor.screen.keys("gra")
    screen = editor.screen.wait_for("Type number")
    (number,) = re.findall(rf"^(\d+): .*{word}", screen, re.MULTILINE)
    editor.screen.keys(number, "Enter")


Start = Callable[..., Neovim]


once = pytest.mark.parametrize("version", ["0.12"], indirect=True)
"""For what the version of Neovim has no part in."""


@pytest.fixture(params=["0.12", "0.11"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(  # noqa: PLR0917 - fixtures
    version: str,
    programs: Any,
    terminal: Callable[..., Screen],
    home: Path,
    environment: dict[str, str],
    project: Path,
    settings: Path,
) -> Iterator[Start]:
    """Return a function that opens a file in Neovim with an init.lua (absent: the page's set-up).

    `more` is added to the set-up; `says` is what Neovim says at the start. The checkout is where
    the page's set-up expects it.
    """
    name = f"NVIM_{version.replace('.', '_')}"
    program = programs.path(name)
    variables = {"VIMRUNTIME": programs[f"{name}_RUNTIME"]}
    (home / "src").mkdir()
    (home / "src" / "twotrack").symlink_to(CHECKOUT)

    numbers = itertools.count(1)
    screens: list[Screen] = []

    def begin(
        file: str,
        text: str | bytes | None = None,
        *,
        init: str | None = None,
        more: str = "",
        variables: Mapping[str, str] = variables,
        ready: bool = True,
        says: str | None = None,
        lines: int = 30,
    ) -> Neovim:
        path = project / file
        if text is not None:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        config = home / ".config" / "nvim"
        config.mkdir(exist_ok=True)
        if init is None:
            init = snippet(PAGE, "## With the plugin")
        (config / "init.lua").write_text(f"{init}\n{more}\n")
        socket = home / ".run" / f"nvim-{next(numbers)}.sock"
        # Neovim would look through every Python for a module that nothing here uses: a second.
        quick = ("--cmd", "let g:loaded_python3_provider = 0")
        command = [program, *quick, "--listen", socket, path]
        screen = terminal(command, variables=variables, lines=lines)
        screens.append(screen)
        if says is not None:
            screen.wait_for(says)
            screen.keys("Enter")
        editor = Neovim(program, screen, socket, {**environment, **variables})
        if ready:
            editor.wait_ready()
        return editor

    yield begin
    for screen in screens:
        # Its inner half may outlive the terminal, and the server with it.
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(screen.pid()).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
