"""Ghost text in the real Neovim, against the same plug-in with servers that do next to nothing.

    python tests/bench/bench_neovim.py                   every part
    python tests/bench/bench_neovim.py ghost 0.11        one of them, on one version

It needs what `tests/editors/setup neovim` installs. The model answers at once (0 ms). Machines are
noisy, so the ratios count: all editors run at the same time, and the keys go to them in turn.

ghost: from the key that Neovim hears to the ghost text that it is given to draw. The servers:

    constant    pygls with one constant answer: what the editor and the pipe take
    naive       pygls with one plain httpx POST a completion: with the model's share
    twotrack    with the settings that a person has
    at once     twotrack with `completion.debounce_ms = 0`

The single key comes after a pause. The burst's keys come 0.1 s apart, and its last one is timed:
there twotrack's learnt pause in typing counts, which the others do not have.

start: Neovim's own --startuptime with a file, with and without the set-up of the plug-in's page.
"""

import asyncio
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from measure import PYTHON, SETTINGS, Model, model_server, say  # noqa: E402

from editors.screen import Screen  # noqa: E402

CHECKOUT = HERE.parents[1]
PLUGIN = CHECKOUT / "editors" / "neovim"
PAGE = PLUGIN / "README.md"
SCRIPTS = {
    "constant": CHECKOUT / "tests" / "editors" / "neovim" / "trivial_server.py",
    "naive": HERE / "naive_server.py",
}
SERVERS = ("constant", "naive", "twotrack", "at once")
WAYS = [  # who shows ghost text, by the version of Neovim
    ("0.12", "by vim.lsp.inline_completion", True),
    ("0.12", "by the plug-in", False),
    ("0.11", "by the plug-in", False),
]
ANSWER = "price * count"
ROUNDS, WARM = 40, 3
BURST, KEY_S = "one + ", 0.1
PAUSE_S = 0.5
"""Longer than what counts as a pause in typing (engine/debounce.py)."""
PATIENCE_S = 10.0

# Writes down the first answer that is drawn in each state of a line, with the time since the last
# key (what is drawn anew before the answer is older); F2 begins a statement without typing.
WATCH = f"""
local log, at, last, answer = assert(io.open(vim.env.BENCH_LOG, "w")), 0, nil, false
vim.on_key(function() at = vim.uv.hrtime() end)
vim.api.nvim_create_autocmd("LspAttach", {{ callback = function(event)
  local rpc = vim.lsp.get_client_by_id(event.data.client_id).rpc
  local request = rpc.request
  rpc.request = function(method, params, take, ...)
    return request(method, params, function(...)
      answer = method == "textDocument/inlineCompletion"
      take(...)
      answer = false
    end, ...)
  end
end }})
local draw = vim.api.nvim_buf_set_extmark
vim.api.nvim_buf_set_extmark = function(buffer, namespace, row, col, options)
  local text = options.virt_text and options.virt_text[1] and options.virt_text[1][1]
  local line = vim.api.nvim_get_current_line()
  if answer and text == "{ANSWER}" and line ~= last then
    last = line
    log:write(("%s\\t%.3f\\n"):format(line, (vim.uv.hrtime() - at) / 1e6))
    log:flush()
  end
  return draw(buffer, namespace, row, col, options)
end
local number = 0
vim.keymap.set("i", "<F2>", function()
  local text = ("total_%d ="):format(number)
  number = number + 1
  vim.api.nvim_buf_set_lines(0, -1, -1, false, {{ text }})
  vim.api.nvim_win_set_cursor(0, {{ vim.fn.line("$"), #text }})
end)
"""


@dataclass(frozen=True)
class Times:
    """Milliseconds of one server."""

    p50: float
    p90: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Times":
        return cls(statistics.median(values), statistics.quantiles(values, n=10)[-1])

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p90:.1f} ms"

    def over(self, floor: "Times") -> str:
        """Return both quotients."""
        return f"{self.p50 / floor.p50:.2f} / {self.p90 / floor.p90:.2f}"


def programs() -> dict[str, str]:
    """Return what `tests/editors/setup` installed."""
    folder = os.environ.get("TWOTRACK_EDITORS") or Path.home() / ".cache" / "twotrack-editors"
    env = Path(folder, "env")
    if not env.exists():
        sys.exit("Neovim is not installed: run tests/editors/setup neovim")
    return dict(line.split("=", 1) for line in env.read_text().splitlines() if "=" in line)


def neovim(version: str) -> tuple[str, dict[str, str]]:
    """Return the program and its variables."""
    known = programs()
    name = f"NVIM_{version.replace('.', '_')}"
    return known[name], {"VIMRUNTIME": known[f"{name}_RUNTIME"]}


@contextmanager
def home(model: Model, init: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A person's home with the settings, Neovim's init.lua and a project; its environment."""
    with tempfile.TemporaryDirectory(prefix="tt-", dir="/tmp") as folder:
        at = Path(folder)
        for name in (".config/nvim", ".config/twotrack", "project/.git", "src"):
            (at / name).mkdir(parents=True)
        (at / "src" / "twotrack").symlink_to(CHECKOUT)
        # Neovim would look through every Python for a module that nothing here uses: a second.
        init = f"vim.g.loaded_python3_provider = 0\n{init}"
        (at / ".config" / "nvim" / "init.lua").write_text(init)
        settings = SETTINGS.replace("{base_url}", model.base_url)
        (at / ".config" / "twotrack" / "config.toml").write_text(settings)
        (at / "project" / "a.py").write_text("price, count = 1, 2\n")
        yield (
            at,
            {
                "HOME": folder,
                "XDG_RUNTIME_DIR": folder,
                "PATH": os.pathsep.join((str(Path(PYTHON).parent), os.environ["PATH"])),
                "LANG": "C.UTF-8",
                "NO_PROXY": "127.0.0.1",
                "MODEL_URL": model.base_url,
                "BENCH_LOG": str(at / "log"),
            },
        )


@dataclass
class Editor:
    """One Neovim with one server."""

    screen: Screen
    log: Path

    def times(self) -> dict[str, float]:
        """Milliseconds to ghost text, by the line that it was shown in."""
        rows = (row.split("\t") for row in self.log.read_text().splitlines(keepends=True))
        return {line: float(ms) for line, ms in rows if ms.endswith("\n")}

    async def shown(self, line: str) -> float:
        """Wait until there is ghost text in this state of a line."""
        end = time.monotonic() + PATIENCE_S
        while line not in (times := self.times()):
            if time.monotonic() > end:
                raise TimeoutError(f"no ghost text in {line!r}:\n{self.screen.text()}")
            await asyncio.sleep(0.02)
        return times[line]


def end(screen: Screen) -> None:
    """End Neovim and its server: its inner half may outlive the terminal."""
    for process in psutil.Process(screen.pid()).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.kill()


@contextmanager
def editor(model: Model, version: str, server: str, *, native: bool) -> Iterator[Editor]:
    options = [f"ghost = {{ native = {str(native).lower()} }}"]
    if server == "at once":
        options.append("settings = { completion = { debounce_ms = 0 } }")
    elif server in SCRIPTS:
        options.append(f'cmd = {{ "{PYTHON}", "{SCRIPTS[server]}" }}')
    init = f'vim.opt.rtp:append("{PLUGIN}")\nrequire("twotrack").setup({{ {", ".join(options)} }})'
    program, variables = neovim(version)
    with home(model, WATCH + init) as (at, environment):
        screen = Screen(
            Path(programs()["TMUX_PROGRAM"]),
            [program, "a.py"],
            cwd=at / "project",
            environment={**environment, **variables},
            socket=at / "tmux",
        )
        try:
            yield Editor(screen, at / "log")
        finally:
            end(screen)
            screen.close()


async def up(one: Editor) -> None:
    """Go into insert mode, and wait until the server answers."""
    one.screen.wait_for("price, count")
    one.screen.keys("o")
    end, text = time.monotonic() + PATIENCE_S, ""
    while not one.times():
        if time.monotonic() > end:
            raise TimeoutError(one.screen.text())
        one.screen.type("x")
        text += "x"
        await asyncio.sleep(PAUSE_S)


async def ghost(model: Model, versions: Sequence[str]) -> None:
    """From key to ghost text."""
    await model.answer_with(chunks=[ANSWER])
    ways = [way for way in WAYS if way[0] in versions]
    keys = [(way, server) for way in ways for server in SERVERS]
    single: dict[object, list[float]] = {key: [] for key in keys}
    burst: dict[object, list[float]] = {key: [] for key in keys}
    with ExitStack() as stack:
        editors = {}
        for way, server in keys:
            version, _, native = way
            one = stack.enter_context(editor(model, version, server, native=native))
            await up(one)
            editors[way, server] = one
        for number in range(ROUNDS + WARM):
            line = f"total_{number} = "
            # What a server does after its answer must not always fall into the same one's time.
            turns = random.sample(list(editors.items()), len(editors))
            for one in editors.values():
                one.screen.keys("F2")
            await asyncio.sleep(PAUSE_S)
            for key, one in turns:
                one.screen.keys("Space")
                single[key].append(await one.shown(line))
            await asyncio.sleep(PAUSE_S)
            for key, one in turns:
                for char in BURST:
                    one.screen.type(char)
                    await asyncio.sleep(KEY_S)
                burst[key].append(await one.shown(line + BURST))
    for way in ways:
        version, shows, _ = way
        for what, times in (("a single key", single), ("the last of a burst", burst)):
            say(f"Neovim {version}, {shows}: {what} (p50 / p90)", "")
            ours = {server: Times.of(times[way, server][WARM:]) for server in SERVERS}
            for server, figure in ours.items():
                over = "" if server == "constant" else figure.over(ours["constant"])
                goal = "" if server != "twotrack" else f"{figure.over(ours['naive'])} of naive, "
                goal += "goal <= 1.5: both ask the model" if goal else ""
                say(f"  {server}, and over constant", f"{figure!s:<22} {over:<14}", goal)


async def start(model: Model, versions: Sequence[str]) -> None:
    """Neovim's start-up, with the plug-in and without."""
    match = re.search(r"## With the plugin.*?```lua\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert match is not None
    for version in versions:
        program, variables = neovim(version)
        times: dict[str, list[float]] = {"without": [], "with": []}
        with home(model, "") as without, home(model, match[1]) as with_it:
            for _ in range(20):
                for name, (at, environment) in (("without", without), ("with", with_it)):
                    await asyncio.sleep(1)  # the server of the one before must have ended
                    log = at / "startup"
                    log.unlink(missing_ok=True)
                    subprocess.run(
                        [program, "--headless", "--startuptime", log, "a.py", "+qall"],
                        cwd=at / "project",
                        env={**environment, **variables},
                        check=True,
                        capture_output=True,
                        timeout=60,
                    )
                    lines = [row for row in log.read_text().splitlines() if "NVIM STARTED" in row]
                    times[name].append(float(lines[-1].split()[0]))
        for name, values in times.items():
            figure = f"{statistics.median(values):.1f} / {min(values):.1f} ms"
            say(f"Neovim {version} starts {name} twotrack (median / least)", figure)
        pair = [(statistics.median(values), min(values)) for values in times.values()]
        more = f"{pair[1][0] - pair[0][0]:+.1f} / {pair[1][1] - pair[0][1]:+.1f} ms"
        say("  more with it", more, "goal <= 50 ms")


PARTS = {"ghost": ghost, "start": start}


async def main(words: Sequence[str]) -> None:
    versions = [word for word in words if word not in PARTS] or ["0.12", "0.11"]
    for name in [word for word in words if word in PARTS] or list(PARTS):
        async with model_server() as model:
            await PARTS[name](model, versions)


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    asyncio.run(main(sys.argv[1:]))
