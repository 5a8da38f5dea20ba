"""A person's machine on which nothing is installed yet, and its only index of wheels."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
PYTHON = Path(sys.base_prefix) / "bin" / "python3"
SOURCE = 'def area(width, height):\n    """Return the area of a rectangle."""\n    return '


def commands() -> list[str]:
    """The commands of the README's section "Install", as they stand there."""
    section = (CHECKOUT / "README.md").read_text(encoding="utf-8").partition("## Install\n")[2]
    lines = section.partition("\n## ")[0]
    return re.findall(r"^    (\S.* install .*?)(?:  +#.*)?$", lines, re.MULTILINE)


def collect_wheels(folder: Path) -> None:
    """Put the wheels of this checkout and of all that they need into a folder."""
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


@dataclass
class Home:
    """A person's machine: an empty home folder, a Python, an installer, and no network."""

    path: Path
    index: Path
    tools: tuple[str, ...]

    def __post_init__(self) -> None:
        self.bin.mkdir(parents=True)
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

    def complete(self, file: str = "app.py", text: str = SOURCE) -> dict[str, Any]:
        """Write a file and ask for a completion at its end."""
        (self.path / file).write_text(text)
        at = f"{file}:{text.count(chr(10)) + 1}:{len(text) - text.rindex(chr(10))}"
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
