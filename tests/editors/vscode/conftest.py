"""The extension, packed and installed in code-server, in one browser for all tests."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from editors.models import Models, Reply
from editors.outcomes import Outcomes
from editors.pages import block
from editors.vscode.workbench import (
    USER_SETTINGS,
    CodeServer,
    Workbench,
    make_home,
    run_lines,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from editors.conftest import Programs

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

WINDOW = {"width": 1100, "height": 700}

INSTALL = block("vscode", "install")
"""The page's commands: all but the last make the .vsix, the last one installs it."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep a picture of the window of a test that failed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # what pluggy sends
    windows = item.stash.get(_WINDOWS, [])
    if report.when == "call" and report.failed:
        FAILURES.mkdir(exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", item.nodeid.partition("editors/")[2])
        for number, window in enumerate(windows):
            window.page.screenshot(path=FAILURES / f"{name}-{number}.png")


_WINDOWS = pytest.StashKey[list[Workbench]]()
"""Those that a test uses."""


@pytest.fixture(scope="session")
def node(programs: "Programs") -> Path:
    """The Node that packs the extension and runs code-server."""
    return programs.path("VSCODE_NODE")


@pytest.fixture(scope="session")
def developer(node: Path) -> dict[str, str]:
    """The environment of somebody who makes the extension."""
    if shutil.which("npm") is None:
        pytest.fail("npm is missing: run tests/editors/setup vscode", pytrace=False)
    return {**os.environ, "PATH": os.pathsep.join((str(node.parent), os.environ["PATH"]))}


@pytest.fixture(scope="session")
def vsix(developer: dict[str, str]) -> Path:
    """The packed extension, made by the commands of the page."""
    run_lines(INSTALL.splitlines()[:-1], cwd=CHECKOUT, environment=developer)
    return EXTENSION / "dist" / "twotrack.vsix"


@pytest.fixture(scope="session")
def browser(programs: "Programs", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Browser]":
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
    programs: "Programs",
    node: Path,
    vsix: Path,
    scripted: Models,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Serve]:
    """Return a function that starts a code-server with the extension and a home of its own.

    `settings` are VS Code's user settings, `config` is twotrack's file. twotrack is looked for in
    `path`, and where programs usually are, but for `only`. `package` is the extension's file.
    """
    running: list[CodeServer] = []

    def start(
        *arguments: str,
        settings: str = USER_SETTINGS,
        config: str = SETTINGS,
        path: tuple[Path, ...] = (Path(sys.executable).parent,),
        only: bool = False,
        package: str = "twotrack.vsix",
        variables: Mapping[str, str] | None = None,
    ) -> CodeServer:
        home = tmp_path_factory.mktemp("code")
        folders = path if only else (*path, node.parent, Path("/usr/bin"), Path("/bin"))
        config = config.replace("{base_url}", scripted.base_url)
        environment = make_home(home, settings=settings, config=config, path=folders)
        environment |= variables or {}
        command = (str(node), programs["VSCODE_CODE_SERVER"])
        server = CodeServer(command, home, environment, *arguments)
        server.install(INSTALL.splitlines()[-1].replace("twotrack.vsix", package), EXTENSION)
        running.append(server.__enter__())
        return server

    yield start
    for server in running:
        server.__exit__()


Open = Callable[..., Workbench]


@pytest.fixture
def open_window(request: pytest.FixtureRequest, browser: "Browser") -> Iterator[Open]:
    """Return a function that opens a folder, or a workspace's file, in a window of its own."""
    contexts = []
    windows: list[Workbench] = request.node.stash.setdefault(_WINDOWS, [])

    def begin(server: CodeServer, folder: Path) -> Workbench:
        if not folder.exists():
            folder.mkdir()
        contexts.append(browser.new_context(viewport=WINDOW))  # type: ignore[arg-type]
        windows.append(Workbench.open(contexts[-1], server, folder))
        return windows[-1]

    yield begin
    for context in contexts:
        context.close()


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
def outcomes(window: Workbench) -> Outcomes:
    """What the ledger of that window says became of completions."""
    return Outcomes(window.server.home)


@pytest.fixture
def workbench(
    request: pytest.FixtureRequest, window: Workbench, models: Models
) -> Iterator[Workbench]:
    """That window, with nothing open."""
    request.node.stash.setdefault(_WINDOWS, []).append(window)
    yield window
    models.release()
    window.close_all()
