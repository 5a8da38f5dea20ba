"""The commands as a person runs them: a real process, a real HTTP model server, own folders."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.model_server import ModelServer

SETTINGS = """
[models.quick]
provider = "openai-compatible"
base_url = "{base_url}"
model = "quick-1"
fim = "qwen"
prices = {{ input = 1.0, output = 2.0 }}
[models.clever]
provider = "openai-compatible"
base_url = "{base_url}"
model = "clever-1"
prices = {{ input = 3.0, output = 4.0 }}
[routes]
fast = ["quick"]
strong = ["clever"]
[embedded]
enabled = false
"""
"""One model a track, both on the fake server, with prices of their own."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended. The texts are bytes decoded, with their line ends."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed, where that is one JSON value and nothing else."""
        return json.loads(self.out)


Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project folder."""
    root = tmp_path / "project"
    root.mkdir()
    (root / ".git").mkdir()
    return root


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Folders of the test's own, and no keys."""
    keep = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_PROXY", "_proxy"))}
    return keep | {
        "HOME": str(tmp_path),
        "TWOTRACK_CONFIG": str(tmp_path / "config.toml"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


async def start(environment: dict[str, str], folder: Path, *arguments: str) -> Any:
    """Start a command; give its process."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twotrack", *arguments),
        env=environment,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.fixture
def configure(environment: dict[str, str], models: ModelServer) -> Callable[[str], None]:
    """Give a function that writes the user's settings; {base_url} is filled in."""

    def write(settings: str) -> None:
        text = settings.format(base_url=models.base_url, url=models.url)
        Path(environment["TWOTRACK_CONFIG"]).write_text(text)

    write(SETTINGS)
    return write


@pytest.fixture
def run(
    environment: dict[str, str],
    project: Path,
    configure: Callable[[str], None],  # writes the settings
) -> Run:
    """Give a function that runs a command in the project to its end."""

    async def to_end(*arguments: str, **variables: str) -> Ended:
        process = await start(environment | variables, project, *arguments)
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        return Ended(process.returncode, out.decode(), err.decode())

    return to_end
