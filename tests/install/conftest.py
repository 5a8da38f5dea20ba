"""An index of wheels for this Python, and homes in which nothing is installed yet."""

import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
PYTHON = Path(sys.base_prefix) / "bin" / "python3"
SOURCE = 'def area(width, height):\n    """Return the area of a rectangle."""\n    return '


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of this checkout and of all that they need: the only index."""
    folder = tmp_path_factory.mktemp("index")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    [server] = folder.glob("twotrack-*.whl")
    download = [sys.executable, "-m", "pip", "download", "--dest", folder, "--only-binary", ":all:"]
    links = ["--find-links", CHECKOUT / "dist"]  # where make puts the model's wheel
    done = subprocess.run(
        [*download, *links, f"{server}[local]", "pip"], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        reason = f"the wheels that twotrack needs cannot be had: {done.stderr}"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return folder


@dataclass
class Home:
    """A person's machine: a home folder, a Python, an installer, and no network."""

    path: Path
    index: Path
    tools: tuple[str, ...]
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.bin.mkdir(parents=True)
        (self.path / "app.py").write_text(SOURCE)
        for tool in self.tools:
            (self.bin / tool).symlink_to(Path(sys.executable).with_name(tool))

    @property
    def bin(self) -> Path:
        return self.path / "bin"

    @property
    def environment(self) -> dict[str, str]:
        programs = (self.path / "venv/bin", self.path / ".local/bin", self.bin, PYTHON.parent)
        return {
            "HOME": str(self.path),
            "PATH": os.pathsep.join([*map(str, programs), "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.index),
            "UV_OFFLINE": "1",
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(self.index),
            "UV_PYTHON": str(PYTHON),
            "PIPX_DEFAULT_PYTHON": str(PYTHON),
        }

    def run(self, command: str, status: int = 0) -> str:
        """Run one line of a shell; give what it printed."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.path,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=110,
        )
        assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def complete(self) -> dict[str, Any]:
        """Ask for a completion at the end of the only file."""
        at = f"app.py:{SOURCE.count(chr(10)) + 1}:{len(SOURCE) - SOURCE.rindex(chr(10))}"
        answer: dict[str, Any] = json.loads(self.run(f"twotrack complete --json {at}"))
        return answer

    def program(self) -> Path:
        """Where the twotrack that is run lies: in this home."""
        found = Path(self.run("command -v twotrack").strip())
        assert found.is_relative_to(self.path), found
        return found


def venv(home: Home, tool: str) -> None:
    """Make "an environment of your own"."""
    with_pip = f"{shlex.quote(str(PYTHON))} -m venv venv"
    home.run("uv venv --quiet venv" if tool == "uv" else with_pip)
