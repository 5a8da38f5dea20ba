"""What questions wait for before they are answered."""

import asyncio
import json
import threading
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from fakes.editor import Heard
from twotrack.bounded_json import MOST_VALUES
from twotrack.lsp.framing import frame
from twotrack.lsp.server import Server
from twotrack.lsp.stream import Incoming


@pytest.mark.parametrize("steps", range(5))
async def test_a_cancellation_that_comes_with_the_settings_is_not_lost(steps: int) -> None:
    server = Server(lambda _: pytest.fail("no session is needed"))
    waiting = asyncio.create_task(server.conversation.has_settings())
    await asyncio.sleep(0)
    server.conversation.configured.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    if waiting.done():
        return
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class Moving:
    """A session that only says where it is."""

    problems: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.places: list[tuple[Path, ...]] = []

    def begin(self, roots: tuple[Path, ...], _: object) -> None:
        self.places.append(roots)

    move = partialmethod(begin, _=None)


async def test_many_moves_of_the_workspace_are_one_by_the_time_it_is_needed(
    tmp_path: Path,
) -> None:
    session = Moving()
    server = Server(lambda _: session)  # type: ignore[arg-type,return-value]
    server.protocol.initialized = True
    assert server.conversation.session.places == [()]
    for number in range(100):
        folder = {"uri": (tmp_path / str(number)).as_uri(), "name": "x"}
        params = {"event": {"added": [folder], "removed": []}}
        message = {"jsonrpc": "2.0", "method": "workspace/didChangeWorkspaceFolders"}
        server.protocol.receive(json.dumps({**message, "params": params}).encode())
    every = tuple(tmp_path / str(number) for number in range(100))
    assert server.conversation.session.places == [(), every]
    await asyncio.sleep(0)
    assert len(session.places) == 2


@pytest.mark.parametrize("later", [False, True])
async def test_a_result_that_cannot_be_written_is_answered_by_an_error(later: bool) -> None:
    server, heard = Server(lambda _: pytest.fail("no session is needed")), Heard()
    server.protocol.set_writer(heard)  # type: ignore[arg-type]
    server.protocol.initialized = True

    async def answered() -> Any:
        return {1, 2}

    server.feature("odd")(lambda _: answered() if later else {1: object()})
    server.protocol.receive(b'{"jsonrpc": "2.0", "id": 7, "method": "odd"}')
    for _ in range(3):
        await asyncio.sleep(0)
    (message,) = heard.messages
    assert message["id"] == 7
    assert "Internal error" in message["error"]["message"]


def test_an_id_of_any_kind_ends_nothing() -> None:
    """What json reads, at that depth, it cannot write again."""
    server, heard = Server(lambda _: pytest.fail("no session is needed")), Heard()
    server.protocol.set_writer(heard)  # type: ignore[arg-type]
    for depth in range(900, 1_000):
        server.protocol.receive(b'{"jsonrpc": "2.0", "id": %b}' % (b"[" * depth + b"]" * depth))
    assert [message["id"] for message in heard.messages] == [None] * 100


@pytest.mark.parametrize(
    ("head", "answered"),
    [
        (b'"jsonrpc":"2.0","id":7,"method":"workspace/executeCommand","params":', [7]),
        (b'"method": "x", "id" : "a b", "params":', ["a b"]),
        (b'"jsonrpc":"2.0","method":"textDocument/didSave","params":', [None]),
        (b'"jsonrpc":"2.0","id":7,"result":', [None]),  # an answer: 7 is an id of ours
    ],
)
def test_a_message_of_too_many_values_is_refused(head: bytes, answered: list[Any]) -> None:
    server, heard = Server(lambda _: pytest.fail("no session is needed")), Heard()
    server.protocol.set_writer(heard)  # type: ignore[arg-type]
    server.protocol.receive(b"{" + head + b"[" + b"[]," * MOST_VALUES + b"[]]}")
    assert [message["id"] for message in heard.messages] == answered
    assert "more than 300000 values" in heard.messages[0]["error"]["message"]


async def test_the_engine_is_made_ready_in_a_thread_after_initialize_is_answered() -> None:
    heard, ready, answered = Heard(), threading.Event(), []

    def prepare() -> None:
        answered.extend(message["id"] for message in heard.messages)
        assert threading.current_thread() is not threading.main_thread()
        ready.wait(10)

    server, incoming = Server(lambda _: pytest.fail("no session is needed"), prepare), Incoming()
    conversing = asyncio.create_task(server.converse(incoming, heard))
    await asyncio.sleep(0)
    asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
    params = {"processId": None, "rootUri": None, "capabilities": {}}
    messages = [{**asked, "params": params}, {**asked, "id": 2, "method": "shutdown"}]
    incoming.data_received(b"".join(frame(json.dumps(each).encode()) for each in messages))
    for _ in range(20):
        await asyncio.sleep(0)
    assert [message["id"] for message in heard.messages] == [1]
    ready.set()
    incoming.eof_received()
    await conversing
    assert answered == [1]
    assert [message["id"] for message in heard.messages] == [1, 2]
