"""The extension, packed and installed in code-server, in one browser for all tests."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from editors.models import Models, Reply
from editors.vscode.workbench import CodeServer, Workbench

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHECKOUT = Path(__file__).parents[3]
EXTENSION = CHECKOUT / "editors" / "vscode"
FAILURES = Path(__file__).parents[1] / "failures"

SETTINGS = """
[models.quick]
provider = "openai-compatible"
base_url = "{base_url}"
model = "quick-1"
fim = "qwen"
[models.clever]
provider = "openai-compatible"
base_url = "{base_url}"
model = "clever-1"
[models.clever.prices]
input = 1000
output = 1000
[routes]
fast = ["quick"]
strong = ["clever"]
[completion]
debounce_ms = 0
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
"""

USER_SETTINGS = """{
  "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
  "editor.wordBasedSuggestions": "off",
  "editor.autoClosingBrackets": "never",
  "editor.autoIndent": "none",
  "editor.minimap.enabled": false,
  "editor.inlineSuggest.minShowDelay": 0,
  "files.autoSave": "off",
  "files.eol": "\\n",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "git.enabled": false,
  "update.mode": "none",
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true
}
"""
"""A VS Code that does nothing of its own accord, so that what happens is the extension's."""

WINDOW = {"width": 1100, "height": 700}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep a picture of the window of a test that failed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # what pluggy sends
    windows = [v for v in getattr(item, "funcargs", {}).values() if isinstance(v, Workbench)]
    if report.when == "call" and report.failed:
        FAILURES.mkdir(exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", item.nodeid.partition("editors/")[2])
        for window in windows:
            window.page.screenshot(path=FAILURES / f"{name}.png")


@pytest.fixture(scope="session")
def node(programs: Any) -> Path:
    """The Node that packs the extension and runs code-server."""
    return programs.path("VSCODE_NODE")


@pytest.fixture(scope="session")
def npm(node: Path) -> Callable[..., None]:
    """Give a function that runs npm in the extension's folder."""
    program = shutil.which("npm")
    if program is None:
        pytest.fail("npm is missing: run tests/editors/setup vscode", pytrace=False)
    path = os.pathsep.join((str(node.parent), os.environ["PATH"]))

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [program, "--silent", *arguments],
            cwd=EXTENSION,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    present = EXTENSION / "node_modules" / ".package-lock.json"
    package = EXTENSION / "package.json"
    if not present.exists() or present.stat().st_mtime < package.stat().st_mtime:
        run("install", "--no-audit", "--no-fund")
        present.touch()
    return run


@pytest.fixture(scope="session")
def vsix(npm: Callable[..., None]) -> Path:
    """The packed extension."""
    npm("run", "package")
    return EXTENSION / "dist" / "twotrack.vsix"


@pytest.fixture(scope="session")
def browser(programs: Any, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Browser]":
    """One Chromium for all windows."""
    chromium = programs["VSCODE_CHROMIUM"]
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # lazily: not everybody has it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu"],
            env={**os.environ, "HOME": str(tmp_path_factory.mktemp("chromium"))},
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def scripted() -> Iterator[Models]:
    """The scripted model server of all windows."""
    with Models() as server:
        yield server


@pytest.fixture
def models(scripted: Models) -> Models:
    """The same, as if nobody had ever spoken to it."""
    scripted.release()
    scripted.server.requests.clear()
    scripted.server.replies.clear()
    scripted.server.default = Reply("")
    scripted.server.answer = None
    return scripted


Serve = Callable[..., CodeServer]


@pytest.fixture(scope="session")
def serve(
    programs: Any,
    node: Path,
    vsix: Path,
    scripted: Models,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Serve]:
    """Give a function that starts a code-server with the extension and a home of its own.

    `settings` are VS Code's user settings. twotrack is looked for in `path`, and where programs
    usually are, but for `only`.
    """
    running: list[CodeServer] = []

    def start(
        *arguments: str,
        settings: str = USER_SETTINGS,
        path: tuple[Path, ...] = (Path(sys.executable).parent,),
        only: bool = False,
    ) -> CodeServer:
        home = tmp_path_factory.mktemp("code")
        config = home / ".config" / "twotrack" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(SETTINGS.replace("{base_url}", scripted.base_url))
        user = home / "data" / "User" / "settings.json"
        user.parent.mkdir(parents=True)
        user.write_text(settings)
        # Few programs are to be found: no twotrack but the one of `path`. VS Code takes the PATH
        # of a login shell.
        folders = path if only else (*path, node.parent, Path("/usr/bin"), Path("/bin"))
        search = os.pathsep.join(map(str, folders))
        (home / ".bash_profile").write_text(f"export PATH='{search}'\n")
        environment = {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "PATH": f"{search}:/usr/bin:/bin",
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TWOTRACK_CONFIG": str(config),
        }
        command = (str(node), programs["VSCODE_CODE_SERVER"])
        server = CodeServer(command, home, environment, *arguments)
        server.install(vsix)
        running.append(server.__enter__())
        return server

    yield start
    for server in running:
        server.__exit__()


@pytest.fixture(scope="session")
def window(
    serve: Serve, browser: "Browser", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    """The window that most tests use one after the other."""
    folder = tmp_path_factory.mktemp("project")
    server = serve("--disable-workspace-trust")
    context = browser.new_context(viewport=WINDOW)  # type: ignore[arg-type]
    workbench = Workbench.open(context, server, folder)
    workbench.running()
    yield workbench
    context.close()


@pytest.fixture
def workbench(window: Workbench, models: Models) -> Iterator[Workbench]:
    """That window, with nothing open."""
    yield window
    models.release()
    window.close_all()
