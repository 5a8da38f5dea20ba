"""Thousands of changes in one notification, as an editor sends them that replaces all of a word."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.editor import Heard
from twotrack.errors import EditConflict
from twotrack.lsp.server import Server
from twotrack.session import Session
from twotrack.workspace.documents import MOST_CHANGES

URI = "file:///tmp/many/a.py"
COUNT = 4 * MOST_CHANGES
TEXT = "".join(f"x = word({number}, 'é')\n" for number in range(COUNT))
ABOUT = {"uri": URI, "version": 2}


def _change(line: int, text: Any = "name") -> dict[str, Any]:
    start, end = {"line": line, "character": 4}, {"line": line, "character": 8}
    return {"range": {"start": start, "end": end}, "text": text}


class Talk:
    """A server that has a document open."""

    def __init__(self, settings: Path) -> None:
        settings.write_text("[discovery]\nenvironment = false\nloopback = false\n")
        environment = {"TWOTRACK_CONFIG": str(settings)}
        self.heard = Heard()
        self.server = Server(lambda listener: Session(environment, listener))
        self.server.protocol.set_writer(self.heard)  # type: ignore[arg-type]
        self.server.protocol.initialized = True
        item = {"uri": URI, "languageId": "python", "version": 1, "text": TEXT}
        assert self.say("textDocument/didOpen", {"textDocument": item}) is None

    def say(self, method: str, params: Any) -> Iterator[None] | None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        return self.server.protocol.receive(json.dumps(message).encode())

    def change(self, changes: list[Any]) -> Iterator[None] | None:
        params = {"textDocument": ABOUT, "contentChanges": changes}
        return self.say("textDocument/didChange", params)

    @property
    def text(self) -> str:
        return self.server.conversation.documents.get(URI).text.text


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    there = Talk(tmp_path / "config.toml")
    try:
        yield there
    finally:
        await there.server.conversation.aclose()


@pytest.mark.parametrize("order", [1, -1])
async def test_many_changes_are_made_in_steps(talk: Talk, order: int) -> None:
    steps = talk.change([_change(line) for line in range(COUNT)][::order])
    assert steps is not None
    assert talk.text == TEXT
    assert list(steps)
    assert talk.text == TEXT.replace("word", "name")
    assert talk.server.conversation.documents.get(URI).version == 2
    with pytest.raises(EditConflict):
        talk.server.conversation.documents.changes_since(URI, 1)


async def test_a_change_is_read_however_many_places_it_has(talk: Talk) -> None:
    """Without it the text would be another one than the editor's from then on."""
    changes = [{**_change(number % COUNT), "rangeLength": 4} for number in range(32_000)]
    list(talk.change(changes) or ())
    assert talk.text == TEXT.replace("word", "name")


async def test_some_changes_are_remembered(talk: Talk) -> None:
    list(talk.change([_change(line) for line in range(MOST_CHANGES)]) or ())
    assert talk.text == TEXT.replace("word", "name", MOST_CHANGES)
    assert len(talk.server.conversation.documents.changes_since(URI, 1)) == MOST_CHANGES


async def test_one_change_is_made_at_once(talk: Talk) -> None:
    assert talk.change([_change(0)]) is None
    assert talk.text == TEXT.replace("word", "name", 1)


async def test_some_changes_that_take_long_are_made_in_steps(talk: Talk) -> None:
    word = "var é=foo(1);"
    list(talk.change([{"text": word * 80_000}]) or ())
    changes = []
    for number in reversed(range(MOST_CHANGES)):
        start, end = ({"line": 0, "character": 13 * number + at} for at in (6, 9))
        changes.append({"range": {"start": start, "end": end}, "text": "fooo"})
    assert list(talk.change(changes) or ())
    assert talk.text == (word * 80_000).replace("foo", "fooo", MOST_CHANGES)


@pytest.mark.parametrize("count", [1, COUNT])
async def test_one_change_that_is_none_refuses_all(talk: Talk, count: int) -> None:
    steps = talk.change([*(_change(line) for line in range(count)), _change(0, 1)])
    list(steps or ())
    assert talk.text == TEXT
    (told,) = (m for m in talk.heard.messages if m["method"] == "window/logMessage")
    assert "didChange are wrong" in told["params"]["message"]


async def test_a_whole_text_among_many_changes(talk: Talk) -> None:
    changes = [_change(line) for line in range(COUNT)]
    list(talk.change([*changes, {"text": "a = word\n"}, _change(0)]) or ())
    assert talk.text == "a = name\n"


async def test_many_changes_of_a_document_that_is_not_open_do_no_harm(talk: Talk) -> None:
    talk.say("textDocument/didClose", {"textDocument": {"uri": URI}})
    list(talk.change([_change(line) for line in range(COUNT)]) or ())
    assert talk.server.conversation.documents.find(URI) is None
