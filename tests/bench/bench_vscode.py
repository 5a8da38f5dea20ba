"""VS Code, against itself with the least that an extension can be, in the same run.

    python tests/bench/bench_vscode.py             every part
    python tests/bench/bench_vscode.py start       one of them: keys, start

Real windows of code-server in one headless Chromium, which tests/editors/setup installs. The
model answers at once. Machines are noisy, so the ratios count; the windows take turns.
"""

import contextlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import psutil  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from editors.conftest import SETTINGS  # noqa: E402
from editors.models import Models, Reply  # noqa: E402
from editors.vscode.workbench import (  # noqa: E402
    USER_SETTINGS,
    CodeServer,
    Workbench,
    make_home,
    run_lines,
    until,
)
from fakes.model_server import RequestLog  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

EXTENSION = HERE.parents[1] / "editors" / "vscode"

FLOOR = """
const { commands, workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');
exports.activate = () => {
  const [command, ...args] = workspace.getConfiguration('floor').get('command');
  const options = { documentSelector: [{ scheme: 'file' }] };
  return new LanguageClient('floor', { command, args }, options).start();
};
"""
"""What vscode-languageclient's documentation begins with."""

PACKAGE = {
    "name": "floor",
    "publisher": "floor",
    "version": "0.0.1",
    "engines": {"vscode": "^1.91.0"},
    "main": "./dist.js",
    "activationEvents": ["onStartupFinished"],
    "contributes": {"configuration": {"properties": {"floor.command": {"type": "array"}}}},
}

CONSTANT = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("constant", "1")


@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
def complete(params: types.InlineCompletionParams) -> types.InlineCompletionList:
    text = f"count_{params.position.character}"
    return types.InlineCompletionList([types.InlineCompletionItem(text)])


server.start_io()
"""

WATCH = """
(() => {
  const shown = () => [...document.querySelectorAll('.ghost-text-decoration')]
    .map((node) => node.textContent).join('');
  let key = 0;
  addEventListener('keydown', (event) => (key = event.timeStamp), { capture: true });
  window.ghostOf = (wanted) => {
    window.ghost = new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (shown() === wanted) {
          observer.disconnect();
          resolve(performance.now() - key);
        }
      }).observe(document, { childList: true, subtree: true, characterData: true });
    });
  };
})();
"""
"""Milliseconds from the last key to the ghost text that belongs to it, as the page sees them."""

REST_MS = 700
"""Long enough that the next key begins a burst."""

KINDS = {"key after a rest": 0, "key of a burst": 90}
"""Milliseconds from key to key."""

STARTED = """
(() => {
  const lines = () => [...document.querySelectorAll('.editor-instance .view-line')]
    .map((node) => node.textContent).join('\\n');
  const when = (part) => new Promise((resolve) => {
    const look = (_, observer) => {
      if (lines().includes(part)) {
        observer?.disconnect();
        resolve(performance.now());
        return true;
      }
    };
    look() || new MutationObserver(look)
      .observe(document, { childList: true, subtree: true, characterData: true });
  });
  window.textShown = when('price');
  window.echoed = when('zq');
  let key = 0;
  addEventListener('keydown', (event) => (key = event.timeStamp), { capture: true });
  window.echo = (text) => (window.next = when(text).then((now) => now - key));
})();
"""
"""Milliseconds until the file is read and until a key shows; from a later key until it shows."""

NEXT_KEYS = 25
KEY_MS = 80
"""Two seconds after the first key, in which the server starts."""


def say(what: str, figure: object, goal: str = "") -> None:
    print(f"{what:<62} {figure!s:<24} {goal}", flush=True)


@dataclass(frozen=True)
class Figures:
    """Milliseconds."""

    p50: float
    p90: float

    @classmethod
    def of(cls, times: Sequence[float]) -> "Figures":
        ordered = sorted(times)
        return cls(statistics.median(ordered), ordered[int(len(ordered) * 0.9)])

    def __str__(self) -> str:
        return f"{self.p50:.0f} / {self.p90:.0f} ms"

    def over(self, floor: "Figures") -> str:
        """Return both quotients."""
        return f"{self.p50 / floor.p50:.2f} / {self.p90 / floor.p90:.2f}"


class Lab:
    """What the parts share: programs, the packed extensions, a model, a browser."""

    def __init__(
        self, folder: Path, programs: dict[str, str], browser: "Browser", models: Models
    ) -> None:
        self.node, self.code_server = programs["VSCODE_NODE"], programs["VSCODE_CODE_SERVER"]
        self.folder, self.browser, self.models = folder, browser, models
        self._numbers = iter(range(1000))
        self._path = (Path(self.node).parent, Path(sys.executable).parent)
        path = os.pathsep.join((*map(str, self._path), os.environ["PATH"]))
        self._environment = {**os.environ, "PATH": path}
        run_lines(["npm install", "npm run package"], cwd=EXTENSION, environment=self._environment)
        self.ours = EXTENSION / "dist" / "twotrack.vsix"
        self.floor = self._floor()

    def _floor(self) -> Path:
        at = self.folder / "floor"
        at.mkdir()
        (at / "extension.js").write_text(FLOOR)
        (at / "package.json").write_text(json.dumps(PACKAGE))
        (at / "node_modules").symlink_to(EXTENSION / "node_modules")
        self.constant = at / "constant.py"
        self.constant.write_text(CONSTANT)
        tools = EXTENSION / "node_modules" / ".bin"
        bundle = "--bundle --platform=node --external:vscode --minify --outfile=dist.js"
        flags = "--no-dependencies --allow-missing-repository --skip-license --out floor.vsix"
        lines = [f"{tools}/esbuild extension.js {bundle}", "echo '*/**' >.vscodeignore"]
        run_lines([*lines, f"{tools}/vsce package {flags}"], cwd=at, environment=self._environment)
        return at / "floor.vsix"

    @contextlib.contextmanager
    def server(
        self, vsix: Path | None, *, config: str = SETTINGS, script: Path | None = None
    ) -> Iterator[CodeServer]:
        """Start a code-server with one extension, or with none. `script`: the floor's server."""
        home = self.folder / f"home_{next(self._numbers)}"
        user = json.loads(USER_SETTINGS) | {"floor.command": [sys.executable, str(script)]}
        path = (*self._path, Path("/usr/bin"), Path("/bin"))
        config = config.replace("{base_url}", self.models.base_url)
        environment = make_home(home, settings=json.dumps(user), config=config, path=path)
        environment |= {"MODEL_URL": self.models.base_url, "NO_PROXY": "127.0.0.1"}
        server = CodeServer(
            (self.node, self.code_server), home, environment, "--disable-workspace-trust"
        )
        if vsix is not None:
            server.install(f"code --install-extension {vsix}", self.folder)
        with server:
            yield server

    def context(self, script: str) -> "BrowserContext":
        context = self.browser.new_context(viewport={"width": 1100, "height": 700})
        context.add_init_script(script)
        return context


def answer(request: RequestLog) -> Reply | None:
    """Name the column of the cursor: no two keys of a line have the same ghost text."""
    prompt = str(request.body.get("prompt", "")) if request.body else ""
    before = prompt.partition("<|fim_suffix|>")[0].rpartition("\n")[2]
    return Reply(chunks=[f"count_{len(before.removeprefix('<|fim_prefix|>'))}\n"])


def typed(workbench: Workbench) -> str:
    """Type something, for a server that may not be there yet; give the ghost text."""
    workbench.press("Control+End", "Enter", "x", "=", "Space")
    workbench.page.wait_for_timeout(300)
    return workbench.ghost()


def key(workbench: Workbench, number: int, pause_ms: int) -> float:
    """Begin a statement, and give the time from its last key to the ghost text.

    Each key comes `pause_ms` after the one before it; 0: the last one comes after a rest.
    """
    statement = f"total_{number:03} ="
    workbench.page.bring_to_front()
    workbench.press("Control+End", "Enter")
    workbench.page.keyboard.type(statement, delay=pause_ms)
    if not pause_ms:
        workbench.page.wait_for_timeout(REST_MS)
    workbench.page.evaluate("(wanted) => ghostOf(wanted)", f"count_{len(statement) + 1}")
    workbench.page.keyboard.press("Space")
    return float(workbench.page.evaluate("() => ghost"))


def keys(lab: Lab, rounds: int = 25) -> None:
    """From a key to its ghost text."""
    lab.models.server.answer = answer
    hasty = SETTINGS + "[completion]\ndebounce_ms = 0\n"
    with contextlib.ExitStack() as stack:

        def window(vsix: Path, *, config: str = SETTINGS, script: Path | None = None) -> Workbench:
            server = stack.enter_context(lab.server(vsix, config=config, script=script))
            folder = server.home / "project"
            folder.mkdir()
            context = lab.context(WATCH)
            stack.callback(context.close)
            workbench = Workbench.open(context, server, folder)
            workbench.open_file("bench.py", "price = 1\n")
            until(lambda: typed(workbench), "the server")
            return workbench

        windows = {
            "a constant": window(lab.floor, script=lab.constant),
            "naive pygls + httpx": window(lab.floor, script=HERE / "naive_server.py"),
            "twotrack": window(lab.ours),
            "twotrack, debounce_ms = 0": window(lab.ours, config=hasty),
        }
        for kind, pause_ms in KINDS.items():
            times: dict[str, list[float]] = {name: [] for name in windows}
            for number in range(rounds + 3):
                for name, workbench in windows.items():
                    took = key(workbench, number, pause_ms)
                    if number >= 3:
                        times[name].append(took)
            result = {name: Figures.of(of) for name, of in times.items()}
            for name, figure in result.items():
                say(f"{kind}: {name}", figure)
            for ours in ("twotrack", "twotrack, debounce_ms = 0"):
                for floor in ("a constant", "naive pygls + httpx"):
                    # Within a burst, twotrack waits on purpose for the keys to pause.
                    aimed = pause_ms == 0 or "debounce" in ours
                    goal = "goal <= 1.5" if aimed else "the pause that it waits for"
                    say(f"  {ours} / {floor}", result[ours].over(result[floor]), goal)


def start(lab: Lab, rounds: int = 25) -> None:
    """From the navigation to a window that can be used."""
    with contextlib.ExitStack() as stack:
        servers = {
            "no extension": stack.enter_context(lab.server(None)),
            "trivial extension": stack.enter_context(lab.server(lab.floor, script=lab.constant)),
            "twotrack": stack.enter_context(lab.server(lab.ours)),
        }
        windows = {name: (server, lab.context(STARTED)) for name, server in servers.items()}
        times: dict[str, list[tuple[float, ...]]] = {name: [] for name in windows}
        for number in range(rounds + 1):
            turn = number % len(windows)  # nobody always comes after the same one
            names = [*windows][turn:] + [*windows][:turn]
            for name, (server, context) in ((name, windows[name]) for name in names):
                took = opened(server, context, number)
                if number:  # the first fills the browser's cache
                    times[name].append(took)
        for _, context in windows.values():
            context.close()
    whats = ("start to the file's text", "start to a typed key", "slowest of the next keys")
    for at, what in enumerate(whats):
        columns = {name: [each[at] for each in of] for name, of in times.items()}
        base = columns["no extension"]
        for name, column in columns.items():
            # The least tells most: a busy machine only ever adds.
            least, median = min(column) - min(base), statistics.median(column)
            more = f"{least:+.0f} ms, {median - statistics.median(base):+.0f} ms"
            figure = f"{min(column):.0f}, {median:.0f} ms"
            goal = f"{more}; goal <= +50 ms" if name == "twotrack" else more
            say(f"{what}, least and median: {name}", figure, goal)


def opened(server: CodeServer, context: "BrowserContext", number: int) -> tuple[float, ...]:
    """Open a window on a file; give when its text and a key showed, and what the next keys took."""
    folder = server.home / f"project_{number}"  # nothing is known of it
    folder.mkdir()
    (folder / "bench.py").write_text("price = 1\n")
    page = context.new_page()
    file = f"vscode-remote://{server.url.removeprefix('http://')}{folder}/bench.py"
    payload = json.dumps([["openFile", file]])
    page.goto(f"{server.url}/?folder={folder}&payload={payload}", wait_until="commit")
    shown = float(page.evaluate("() => textShown"))
    page.locator(".editor-instance .monaco-editor.focused").wait_for()
    page.keyboard.type("zq")
    echoed = float(page.evaluate("() => echoed"))
    slowest, text = 0.0, "zq"
    for _ in range(NEXT_KEYS):
        text += "z"
        page.evaluate("(text) => { echo(text); }", text)
        page.keyboard.press("z")
        slowest = max(slowest, float(page.evaluate("() => next")))
        page.wait_for_timeout(KEY_MS)
    page.close()
    end_windows(server)
    return shown, echoed, slowest


def end_windows(server: CodeServer) -> None:
    """End what a closed window leaves running, should it come back."""
    hosts = []
    for process in psutil.Process(server.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "--type=extensionHost" in process.cmdline():
                hosts += [process, *process.children(recursive=True)]
    for process in hosts:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(hosts, 10)


PARTS: dict[str, Callable[[Lab], None]] = {"keys": keys, "start": start}


def main(names: list[str]) -> None:
    at = Path(os.environ.get("TWOTRACK_EDITORS") or Path.home() / ".cache" / "twotrack-editors")
    lines = (at / "env").read_text().splitlines()
    programs = dict(line.split("=", 1) for line in lines)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        sync_playwright() as playwright,
        Models() as models,
    ):
        browser = playwright.chromium.launch(
            executable_path=programs["VSCODE_CHROMIUM"],
            args=["--no-sandbox", "--disable-gpu"],
        )
        lab = Lab(Path(folder), programs, browser, models)
        for name in names or list(PARTS):
            PARTS[name](lab)
        browser.close()


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    main(sys.argv[1:])
