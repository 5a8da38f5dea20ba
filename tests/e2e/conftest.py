"""A real server process, a real HTTP model server, and a real project on the disk."""

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from client import Client

from fakes.model_server import ModelServer

CLIENTS = Path(__file__).parents[1] / "clients"

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
[completion]
debounce_ms = 0
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
"""
"""One model a track, both on the fake server; {base_url} is filled in."""

Start = Callable[..., Awaitable[Client]]


def recorded(name: str) -> dict[str, Any]:
    """Return the initialize params that the real editor `name` sent."""
    params: dict[str, Any] = json.loads((CLIENTS / f"{name}.json").read_text())
    return params


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Folders of the test's own, and the settings file that `start` fills."""
    return {
        "TWOTRACK_CONFIG": str(tmp_path / "config.toml"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project folder."""
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
async def start(
    environment: dict[str, str], models: ModelServer, project: Path
) -> AsyncIterator[Start]:
    """Return a function that starts a server and opens a session with it."""
    clients: list[Client] = []

    async def begin(
        editor: str | None = None,
        *,
        settings: str = SETTINGS,
        initialize: bool = True,
        capabilities: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Client:
        config = Path(environment["TWOTRACK_CONFIG"])
        config.write_text(settings.replace("{base_url}", models.base_url))
        variables = {**environment, **(variables or {})}
        client = await Client.start(sys.executable, "-m", "twotrack", environment=variables)
        clients.append(client)
        if initialize:
            params = recorded(editor) if editor else {"capabilities": dict(capabilities or {})}
            await client.initialize(
                root=project,
                capabilities=params["capabilities"],
                # ALE gives no name, which the client's own must not stand in for.
                client_info=params.get("clientInfo", {"name": ""} if editor else None),
                options=dict(options) if options else None,
            )
        return client

    yield begin
    for client in clients:
        if client.process.returncode is None and not client.process.stdin.is_closing():
            status = await client.stop()
            assert status == 0 or not client.server_capabilities  # never initialized
        await client.kill()
