"""What the tests of real editors share: the programs, the models, a home, a project, a terminal.

`tests/editors/setup` installs the programs. A test whose program is missing is skipped, or fails
where TWOTRACK_EDITORS_REQUIRED=1 (as in CI). Screens of failed tests are kept in failures/.
"""

import itertools
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from editors.driver import Machine
from editors.models import Models
from editors.newcomer import Newcomer, processes_of
from editors.outcomes import Outcomes
from editors.recording import CODE, record
from editors.screen import Screen
from install.home import collect_wheels

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
FAILURES = HERE / "failures"

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
[routes]
fast = ["quick"]
strong = ["clever"]
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
"""
"""One model a track, both on the scripted server; {base_url} is filled in."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.editor)
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep the screens of a test that failed, while they are still there."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # what pluggy sends
    screens = item.stash.get(_SCREENS, [])
    if report.when == "call" and report.failed and screens:
        FAILURES.mkdir(exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", item.nodeid.partition("editors/")[2])
        texts = "\n\n".join(screen.text() for screen in screens)
        (FAILURES / f"{name}.txt").write_text(texts + "\n")


_SCREENS = pytest.StashKey[list[Screen]]()


class Programs:
    """The programs that `tests/editors/setup` found or installed, by the name in its env file."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        """Return a value; without it, the test is skipped, or fails where editors are required."""
        value = self._values.get(name)
        if value is None or (value.startswith("/") and not Path(value).exists()):
            reason = f"{name} is missing: run tests/editors/setup"
            if os.environ.get("TWOTRACK_EDITORS_REQUIRED") == "1":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
        return value

    def path(self, name: str) -> Path:
        """The same as a path."""
        return Path(self[name])


@pytest.fixture(scope="session")
def programs() -> Programs:
    folder = os.environ.get("TWOTRACK_EDITORS") or Path.home() / ".cache" / "twotrack-editors"
    env = Path(folder) / "env"
    lines = env.read_text().splitlines() if env.exists() else []
    return Programs(dict(line.split("=", 1) for line in lines if "=" in line))


@pytest.fixture
def models() -> Iterator[Models]:
    """The scripted model server."""
    with Models() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder of the test's own."""
    folder = tmp_path / "home"
    for name in (".config", ".cache", ".local/share", ".local/state", ".run"):
        (folder / name).mkdir(parents=True)
    (folder / ".run").chmod(0o700)
    return folder


@pytest.fixture
def outcomes(home: Path) -> Outcomes:
    """What became of the completions in the test's home."""
    return Outcomes(home)


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """What programs see: the test's home, this environment's `twotrack` first on PATH, no keys."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "XDG_RUNTIME_DIR": str(home / ".run"),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def settings(home: Path, models: Models) -> Path:
    """The person's settings file where it belongs, with both tracks on the scripted server."""
    path = home / ".config" / "twotrack" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(SETTINGS.replace("{base_url}", models.base_url))
    return path


@pytest.fixture
def project(home: Path) -> Path:
    """A project folder with a repository's mark."""
    folder = home / "project"
    (folder / ".git").mkdir(parents=True)
    return folder


@pytest.fixture
def recording(project: Path, environment: dict[str, str], home: Path) -> Path:
    """What a real server said about project/a.py, for `editors/replay.py`."""
    (project / "a.py").write_text(CODE)
    path = home / "recording.json"
    path.write_text(json.dumps(record(project, SETTINGS, environment)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of this checkout and of all that they need: the only index."""
    folder = tmp_path_factory.mktemp("index")
    collect_wheels(folder)
    return folder


@pytest.fixture
def newcomer(index: Path, tmp_path: Path) -> Iterator[Newcomer]:
    """Somebody who has just installed twotrack as the README says, on a machine of their own."""
    person = Newcomer(tmp_path / "newcomer", index)
    person.install()
    yield person
    person.leave()


Terminal = Callable[..., Screen]


@pytest.fixture
def terminal(
    request: pytest.FixtureRequest,
    programs: Programs,
    project: Path,
    environment: dict[str, str],
) -> Iterator[Terminal]:
    """Return a function that starts a program in a terminal: `terminal([nvim, "a.py"])`.

    It runs in the project folder with `environment`; `variables` adds to that.
    """
    screens: list[Screen] = []
    request.node.stash[_SCREENS] = screens
    numbers = itertools.count(1)
    # A socket's path has 107 bytes at most, which pytest's own folders exceed.
    with tempfile.TemporaryDirectory(prefix="tt-", dir="/tmp") as sockets:

        def start(
            command: Sequence[str | Path],
            *,
            cwd: Path | None = None,
            variables: Mapping[str, str] | None = None,
            columns: int = 100,
            lines: int = 30,
        ) -> Screen:
            screen = Screen(
                programs.path("TMUX_PROGRAM"),
                command,
                cwd=cwd or project,
                environment={**environment, **(variables or {})},
                socket=Path(sockets) / str(next(numbers)),
                columns=columns,
                lines=lines,
            )
            screens.append(screen)
            return screen

        yield start
        for screen in screens:
            screen.close()
        # What outlives the terminal: Neovim's inner half with its server, an Emacs whose
        # lsp-mode would wait for ever, the daemon of kakoune-lsp.
        for process in processes_of(Path(environment["HOME"])):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.fixture
def machine(  # noqa: PLR0917 - fixtures
    programs: Programs,
    terminal: Terminal,
    home: Path,
    environment: dict[str, str],
    project: Path,
    settings: Path,  # written
) -> Machine:
    """What an editor is started on."""
    return Machine(programs, terminal, home, environment, project)
