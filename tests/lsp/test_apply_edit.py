"""Edits for an editor that applies them blindly wait for a pause in typing."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from twotrack.errors import TwotrackError
from twotrack.lsp.documents import Documents
from twotrack.lsp.handlers import apply_edit
from twotrack.text import Snapshot

URI = "file:///w/a.py"


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def server() -> Any:
    documents = Documents()
    documents.open(URI, "python", 1, "")
    return SimpleNamespace(documents=documents)


def typed(server: Any) -> None:
    version = server.documents.get(URI).version + 1
    server.documents.change(URI, version, [], Snapshot("x" * version))


async def test_as_long_as_keys_come_it_waits(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_edit, "_REST_S", 5.0)
    rested = asyncio.create_task(apply_edit._rested(server))
    for _ in range(5):
        await settle()
        typed(server)
    await settle()
    assert not rested.done()
    rested.cancel()


async def test_after_a_pause_it_goes_on(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_edit, "_REST_S", 0.01)
    typed(server)
    await apply_edit._rested(server)


async def test_where_no_pause_comes_it_says_so(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply_edit, "_REST_S", 5.0)
    monkeypatch.setattr(apply_edit, "_LONGEST_TYPING_S", 0.01)
    with pytest.raises(TwotrackError, match="let the text rest"):
        await apply_edit._rested(server)
