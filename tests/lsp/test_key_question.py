"""Nobody waits for good for the answer whether a key may be used."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fakes.editor import Heard
from twotrack.document import Document
from twotrack.engine.actions.offers import CodeActionOffer
from twotrack.engine.actions.registry import BUILT_IN
from twotrack.errors import TwotrackError
from twotrack.lsp.clients import Client
from twotrack.lsp.handlers.keys import ask_for_keys
from twotrack.lsp.handlers.resolve import propose
from twotrack.lsp.server import Server
from twotrack.session import Session
from twotrack.text import Position, Range, Snapshot

TEXT = "def area(width):\n    return width\n"
DOCUMENT = Document("file:///p/a.py", Path("/p/a.py"), "python", 1, Snapshot(TEXT))
OFFER = CodeActionOffer(
    BUILT_IN["explain"], "Explain area", Range(Position(0, 0), Position(2, 0)), None, ""
)


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """A server that found a key, and no model beside it."""
    config = tmp_path / "config.toml"
    config.write_text("[discovery]\nloopback = false\n[embedded]\nenabled = false\n")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    environment = {"TWOTRACK_CONFIG": str(config), "OPENAI_API_KEY": "sk-found"}
    server = Server(lambda heard: Session(environment, heard, asks_for_keys=True))
    server.protocol.initialized = True
    server.conversation.client = Client(asks=True)
    yield server
    server.conversation.end_background()
    await server.conversation.session.aclose()


async def question(heard: Heard) -> int | str:
    """Wait until the editor was asked; give the id of that."""
    while not (asked := [m for m in heard.messages if m["method"] == "window/showMessageRequest"]):
        await asyncio.sleep(0)
    (message,) = asked
    number: int | str = message["id"]
    return number


def answer(server: Server, number: int | str) -> None:
    body = {"jsonrpc": "2.0", "id": number, "result": {"title": "Use"}}
    server.protocol.receive(json.dumps(body).encode())


async def test_an_action_does_not_wait_for_good_and_a_late_answer_counts(server: Server) -> None:
    heard = Heard()
    server.protocol.set_writer(heard)  # type: ignore[arg-type]
    server.conversation.key_question.longest_s = 0.0
    await ask_for_keys(server.conversation)
    number = await question(heard)
    with pytest.raises(TwotrackError) as caught:
        await propose(server.conversation, "Explain", DOCUMENT, OFFER)
    assert caught.value.message == (
        "OPENAI_API_KEY was found and waits for your yes. "
        "Answer the question about that, then try again."
    )
    server.conversation.key_question.longest_s = 1e6
    await ask_for_keys(server.conversation)  # waits no second time, and asks no second question
    assert await question(heard) == number
    answer(server, number)
    while server.conversation.session.undecided.models:
        await asyncio.sleep(0)
    assert "openai-strong" in server.conversation.session.models


async def test_an_answer_in_time_is_waited_for(server: Server) -> None:
    heard = Heard()
    server.protocol.set_writer(heard)  # type: ignore[arg-type]
    server.conversation.key_question.longest_s = 1e6
    waiting = asyncio.ensure_future(ask_for_keys(server.conversation))
    number = await question(heard)
    assert not waiting.done()
    answer(server, number)
    await waiting
    assert not server.conversation.session.undecided.models
