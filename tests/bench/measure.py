"""What the benchmarks share: servers to drive, a file to edit, and figures."""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "editors" / "terminal")]

from client import Buffer, Client  # noqa: E402

PYTHON = sys.executable
INLINE: dict[str, Any] = {"textDocument": {"inlineCompletion": {}}}

SETTINGS = """
[models.quick]
provider = "openai-compatible"
base_url = "{base_url}"
model = "m"
fim = "qwen"
[routes]
fast = ["quick"]
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
"""


@dataclass(frozen=True)
class Figures:
    """Milliseconds."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.p50:.2f} / {self.p99:.2f} ms"

    def over(self, floor: "Figures") -> str:
        """Return both quotients."""
        return f"{self.p50 / floor.p50:.2f} / {self.p99 / floor.p99:.2f}"


def say(what: str, figure: object, goal: str = "") -> None:
    print(f"{what:<58} {figure!s:<22} {goal}", flush=True)


def figures(seconds: Sequence[float]) -> Figures:
    ordered = sorted(seconds)
    return Figures(
        statistics.median(ordered) * 1e3,
        ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)] * 1e3,
    )


class Model:
    """The fake model server in a process of its own, so that it costs the others nothing."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.base_url = f"{self.url}/v1"
        self._http = httpx.AsyncClient()

    async def answer_with(self, **reply: Any) -> None:
        """Set what every request is answered from now on."""
        await self._http.post(f"{self.url}/control", json={"default": reply})

    async def log(self, n_requests: int = 0) -> list[dict[str, Any]]:
        """Return every request so far, as soon as there are that many."""
        got = await self._http.get(
            f"{self.url}/log", params={"wait": n_requests} if n_requests else {}
        )
        rows: list[dict[str, Any]] = got.json()
        return rows

    async def aclose(self) -> None:
        await self._http.aclose()
        self.process.terminate()
        await self.process.wait()


@asynccontextmanager
async def model_server() -> AsyncIterator[Model]:
    process = await asyncio.create_subprocess_exec(
        PYTHON, str(TESTS / "fakes" / "model_server.py"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    model = Model(process, int((await process.stdout.readline()).split()[-1]))
    try:
        yield model
    finally:
        await model.aclose()


@asynccontextmanager
async def naive(model: Model) -> AsyncIterator[Client]:
    """The naive server, initialized."""
    script = str(TESTS / "bench" / "naive_server.py")
    client = await Client.start(
        PYTHON,
        script,
        environment={"MODEL_URL": model.base_url, "NO_PROXY": "127.0.0.1"},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await client.initialize(capabilities=INLINE)
        yield client
    finally:
        await client.kill()


@asynccontextmanager
async def twotrack(
    model: Model, settings: str = SETTINGS, capabilities: dict[str, Any] = INLINE
) -> AsyncIterator[Client]:
    """This server, initialized, with everything on."""
    with tempfile.TemporaryDirectory() as folder:
        client = await Client.start(
            PYTHON, "-m", "twotrack", environment=home(folder, settings, model)
        )
        try:
            await client.initialize(capabilities=capabilities, root=Path(folder))
            yield client
        finally:
            await client.kill()


def home(folder: str, settings: str, model: Model) -> dict[str, str]:
    config = Path(folder, "config.toml")
    config.write_text(settings.replace("{base_url}", model.base_url))
    return {"TWOTRACK_CONFIG": str(config), "XDG_DATA_HOME": folder, "NO_PROXY": "127.0.0.1"}


def source(lines: int) -> str:
    """A Python file of so many lines."""
    block = (
        "def area_{n}(width, height):\n"
        '    """Return the area of a rectangle."""\n'
        "    if width < 0 or height < 0:\n"
        "        raise ValueError(width, height)\n"
        "    return width * height * {n}\n"
        "\n\n"
    )
    return "".join(block.replace("{n}", str(n)) for n in range(lines // 7 + 1))


def open_file(client: Client, lines: int) -> tuple[Buffer, int]:
    """Open a file of so many lines with a line begun in its middle; give the cursor."""
    text = source(lines)
    middle = text.index("\n\n\n", len(text) // 2) + 2
    head = "def total(items):\n    result = "
    text = text[:middle] + head + "\n" + text[middle:]
    path = Path(tempfile.gettempdir(), "bench.py")
    return client.open(path, "python", text), middle + len(head)


async def timed(awaitable: Any) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = await awaitable
    return time.perf_counter() - begun, result


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
