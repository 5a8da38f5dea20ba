"""What a session does of its own accord: connections are there before the first key."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fakes.model_server import ModelServer
from twotrack.document import Document
from twotrack.session import Session
from twotrack.text import Snapshot

FAR = """
[models.far]
provider = "openai-compatible"
base_url = "http://models.invalid/v1"
model = "far-1"
[routes]
fast = ["far"]
strong = ["far"]
[network]
proxy = "{url}"
[embedded]
enabled = false
"""
"""A model on another machine, which the fake server stands in for as a proxy."""
NEAR = """
[models.near]
provider = "llama.cpp"
base_url = "{url}/v1"
model = "qwen2.5-coder-1.5b"
[embedded]
enabled = false
"""

Begin = Callable[[str], Session]


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: ModelServer
) -> AsyncIterator[Begin]:
    """Give a function that makes a session with these settings, not yet started."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    sessions: list[Session] = []

    def make(settings: str) -> Session:
        config = tmp_path / "config.toml"
        config.write_text(settings.format(url=models.url))
        session = Session({"TWOTRACK_CONFIG": str(config)}, lambda _: None)
        session.begin([tmp_path], [])
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        await session.aclose()


def document(folder: Path, text: str = "def area(w, h):\n    return ") -> Document:
    path = folder / "area.py"
    return Document(path.as_uri(), path, "python", 1, Snapshot(text))


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


async def test_the_fast_models_connection_is_made_before_anything_is_typed(
    begin: Begin, models: ModelServer
) -> None:
    await begin(FAR).start()
    await eventually(lambda: models.connections == 1)
    assert models.requests == []


async def test_nobody_is_met_before_the_editor_has_said_its_own_settings(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    session = begin(FAR)
    session.opened(document(tmp_path))
    session.configure([("editor", {"privacy": {"local_only": True}})])
    await session.start()
    session.opened(document(tmp_path))
    await session.aclose()
    assert models.connections == 0


async def test_a_model_on_this_machine_reads_what_is_open_before_the_first_key(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    session = begin(NEAR)
    session.opened(document(tmp_path))
    await session.start()
    request = await models.wait_for(1)
    assert request.body["n_predict"] == 0
    assert "def area(w, h):" in request.body["input_prefix"]


async def test_the_document_opened_last_is_the_one_that_is_read(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    session = begin(NEAR)
    await session.start()
    first, last = document(tmp_path, "first = 1\n"), document(tmp_path, "last = 2\n")
    session.opened(first)
    session.opened(last)
    request = await models.wait_for(1)
    assert "last = 2" in request.raw_body.decode()
    assert "first = 1" not in request.raw_body.decode()


async def test_new_settings_of_the_network_hold_at_once(
    begin: Begin, models: ModelServer, unused_tcp_port: int
) -> None:
    session = begin(FAR)
    session.configure([("editor", {"network": {"proxy": f"http://127.0.0.1:{unused_tcp_port}"}})])
    await session.start()
    session.configure([])
    session.opened(document(Path("/nowhere")))
    await eventually(lambda: models.connections == 1)
