"""The commands as a person runs them: a real HTTP model server, folders of their own.

`run` calls the program within this process, which spares a third of a second of imports each time;
what only a process has (signals, terminals, pipes) is tested with `start`.
"""

import asyncio
import io
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply, RequestLog
from twotrack import cli

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

COUNTED = Reply(" ".join(map(str, range(1, 21))), prompt_tokens=30, completion_tokens=40)
FILLED = Reply("amount_due", prompt_tokens=50, completion_tokens=3)
"""What a model answers to the doctor's question, and to its gap in code."""


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
    """Return a function that writes the user's settings; {base_url} is filled in."""

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
) -> Iterator[Run]:
    """Return a function that runs a command in the project to its end."""

    async def to_end(*arguments: str, **variables: str) -> Ended:
        with pytest.MonkeyPatch.context() as process:
            process.chdir(project)
            for name in os.environ.keys() - (environment | variables).keys():
                process.delenv(name)
            for name, value in (environment | variables).items():
                process.setenv(name, value)
            return await asyncio.to_thread(call, arguments)

    handlers = logging.getLogger().handlers[:]
    yield to_end
    logging.getLogger().handlers[:] = handlers


def call(arguments: Sequence[str]) -> Ended:
    """Call the program with standard streams of its own."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n") for _ in range(2)]
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        try:
            status = cli.main(arguments)
        except SystemExit as end:  # as argparse ends
            status = int(end.code or 0)
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
    return Ended(status, out, err)


def is_gap(request: RequestLog) -> bool:
    return request.bare_path.endswith("/v1/completions")


@pytest.fixture
def well(models: ModelServer) -> ModelServer:
    """A server that does all that the doctor asks of it."""
    models.models = ["good-coder-7b", "quick-1", "clever-1"]
    models.default = COUNTED
    models.answer = lambda request: FILLED if is_gap(request) else None
    return models
