"""Any message that looks like a valid one: each request is answered once, and all goes on.

Messages are mutated from valid ones of every method that the server knows, in any order, also
before `initialize` and after `shutdown`, and taken by a real server with a real session.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.editor import Heard
from odd import CHANGES, ODD, changed, nested, places
from twotrack import events
from twotrack.lsp.server import Server
from twotrack.session import Session

SETTINGS = """
[routes]
fast = ["recall"]
[completion]
debounce_ms = 0
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
"""
"""Recall is the only model, so that no network is needed."""

URI = "file:///tmp/fuzzed/a.py"
TEXT = "total_price = compute(total, rate)\ndef area(width):\n    return width\n\ntotal_"
START = {"line": 0, "character": 0}
SPAN = {"start": START, "end": {"line": 2, "character": 3}}
DOCUMENT = {"uri": URI}
ITEM = {"uri": URI, "languageId": "python", "version": 1, "text": TEXT}
AT = {"textDocument": DOCUMENT, "position": {"line": 4, "character": 6}}
DIAGNOSTIC = {"range": SPAN, "message": "undefined", "severity": 1, "code": 3, "source": "x"}
OFFER = {
    "task": "document",
    "title": "Document area",
    "range": [1, 0, 2, 3],
    "instruction": "",
    "diagnostic": None,
}
DATA = {"uri": URI, "version": 1, "offer": OFFER}
FOLDER = {"uri": "file:///tmp/fuzzed", "name": "fuzzed"}
OPEN = ("textDocument/didOpen", {"textDocument": ITEM})

NOTIFICATIONS: list[tuple[str, Any]] = [
    ("initialized", {}),
    OPEN,
    (
        "textDocument/didChange",
        {
            "textDocument": {"uri": URI, "version": 2},
            "contentChanges": [{"range": SPAN, "text": "x"}, {"text": TEXT}],
        },
    ),
    ("textDocument/didSave", {"textDocument": DOCUMENT, "text": TEXT}),
    ("textDocument/didClose", {"textDocument": DOCUMENT}),
    ("workspace/didChangeConfiguration", {"settings": {"twotrack": {"routes": {"fast": []}}}}),
    ("workspace/didChangeWatchedFiles", {"changes": [{"uri": URI, "type": 2}]}),
    ("workspace/didChangeWorkspaceFolders", {"event": {"added": [FOLDER], "removed": [FOLDER]}}),
    ("twotrack/didChangeDiagnostics", {"uri": URI, "diagnostics": [DIAGNOSTIC]}),
    ("window/workDoneProgress/cancel", {"token": "a"}),
    ("$/setTrace", {"value": "verbose"}),
    ("$/cancelRequest", {"id": 1}),
    ("$/unknown", {}),
]
REQUESTS: list[tuple[str, Any]] = [
    (
        "initialize",
        {
            "processId": None,
            "rootUri": None,
            "capabilities": {"textDocument": {"inlineCompletion": {}}},
            "initializationOptions": {"completion": {"max_lines": 3}},
            "workspaceFolders": [FOLDER],
        },
    ),
    ("textDocument/inlineCompletion", {**AT, "context": {"triggerKind": 1}}),
    ("textDocument/completion", {**AT, "context": {"triggerKind": 1, "triggerCharacter": "."}}),
    (
        "textDocument/codeAction",
        {
            "textDocument": DOCUMENT,
            "range": SPAN,
            "context": {"diagnostics": [DIAGNOSTIC], "only": ["refactor"]},
        },
    ),
    ("codeAction/resolve", {"title": "Document area", "kind": "refactor.rewrite", "data": DATA}),
    ("workspace/executeCommand", {"command": "twotrack.act", "arguments": [DATA]}),
    ("workspace/executeCommand", {"command": "twotrack.pause"}),
    ("workspace/executeCommand", {"command": "twotrack.resume"}),
    ("workspace/executeCommand", {"command": "twotrack.showStatus", "arguments": []}),
    ("workspace/executeCommand", {"command": "twotrack.showRequest"}),
    ("twotrack/status", {}),
    ("twotrack/requests", {}),
    ("twotrack/pause", {"paused": False}),
    ("twotrack/useModel", {"track": "fast", "model": "recall"}),
    ("twotrack/edit", {"textDocument": DOCUMENT, "range": SPAN, "task": "document"}),
    ("textDocument/hover", AT),
    ("shutdown", None),
]
ALL = [(method, params, False) for method, params in NOTIFICATIONS] + [
    (method, params, True) for method, params in REQUESTS
]

ODD_URIS = [
    "",
    "a.py",
    "file:",
    "file://",
    "file://[",
    "file:///%00",
    "file:///%ff%fe.py",
    "file:///tmp/" + "n" * 5000,
    "file:///tmp/../../../etc/passwd",
    "file://host/share/a.py",
    "FILE:///tmp/A.PY",
    "untitled:Untitled-1",
    "http://[::1/a.py",
    "vscode-notebook-cell:/a.ipynb#W0",
    "file:///tmp/\ud800.py",
    "file:///dev/zero",
]
LONE = ["\ud800", "\udfff\ud800"]
"""Halves of characters, which JSON can say and no encoding can."""
ANY = ODD | st.sampled_from([*ODD_URIS, *LONE])


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any, bool]:
    """A method, its parameters, and whether it is a request; two of three are wrong somewhere."""
    method, params, request = draw(st.sampled_from(ALL))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.sampled_from(list(places(params))))
        change = draw(CHANGES)
        params = changed(params, at, change, draw(ANY))
    return method, params, request ^ (draw(st.integers(0, 19)) == 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's own files: settings, and the folder where the ledger comes."""
    home = tmp_path_factory.mktemp("fuzzed")
    (home / "config.toml").write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_DATA_HOME", str(home / "data"))
        yield home


class Conversation:
    """A server that takes messages, and what it said."""

    def __init__(self, folder: Path) -> None:
        environment = {"TWOTRACK_CONFIG": str(folder / "config.toml")}

        def make_session(listener: events.Listener) -> Session:
            return Session(environment, listener)

        self.server = Server(make_session)
        self.heard = Heard()
        self.server.protocol.set_writer(self.heard)  # type: ignore[arg-type]
        self.asked: list[int | str] = []

    def say(self, method: str, params: Any, *, request: bool = False) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        if request:
            message["id"] = len(self.asked) + 1
            self.asked.append(message["id"])
        self.server.protocol.receive(json.dumps(message).encode())

    def begin(self) -> None:
        params = {"processId": None, "capabilities": {}, "rootUri": None}
        self.say("initialize", params, request=True)
        self.say("initialized", {})

    async def answer(self) -> dict[str, Any]:
        """Wait for the answer of the last request."""
        async with asyncio.timeout(30):
            while True:
                for message in self.heard.answers():
                    if message["id"] == self.asked[-1]:
                        return message
                await asyncio.sleep(0)

    def check(self) -> None:
        """Assert that each request was answered once, by words that tell nothing of the inside."""
        counted = Counter(message["id"] for message in self.heard.answers())
        assert counted == Counter(self.asked)
        for message in self.heard.answers():
            if "error" in message:
                text = message["error"]["message"]
                assert text
                assert "Traceback" not in text
                assert "nternal error" not in text, text
                assert type(message["error"]["code"]) is int
            else:
                assert "result" in message


@asynccontextmanager
async def conversation(folder: Path) -> AsyncIterator[Conversation]:
    there = Conversation(folder)
    try:
        yield there
    finally:
        await there.server.conversation.aclose()
    there.check()
    assert "Traceback" not in json.dumps(there.heard.messages)


def talk(folder: Path, messages: list[tuple[str, Any, bool]], *, initialized: bool) -> None:
    async def run() -> None:
        async with conversation(folder) as there:
            if initialized:
                there.begin()
                there.say(*OPEN)
            for number, (method, params, request) in enumerate(messages):
                there.say(method, params, request=request)
                if number % 2:  # some come while others are being worked on
                    await asyncio.sleep(0)
            protocol = there.server.protocol
            if not protocol._shutdown and protocol.initialized:
                await completes(there)

    asyncio.run(run())


async def completes(there: Conversation) -> None:
    """Assert that a valid completion of another document is answered with what it should be."""
    uri = "untitled:after"
    there.say("workspace/executeCommand", {"command": "twotrack.resume"}, request=True)
    there.say("workspace/didChangeConfiguration", {"settings": {"twotrack": {}}})
    there.say("textDocument/didOpen", {"textDocument": {**ITEM, "uri": uri}})
    params = {**AT, "textDocument": {"uri": uri}, "context": {"triggerKind": 1}}
    there.say("textDocument/inlineCompletion", params, request=True)
    answer = await there.answer()
    assert isinstance(answer["result"]["items"], list), answer


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(mutated(), min_size=1, max_size=12), initialized=st.integers(0, 5))
def test_every_request_is_answered_once_and_the_next_as_ever(
    folder: Path, messages: list[tuple[str, Any, bool]], initialized: int
) -> None:
    talk(folder, messages, initialized=initialized > 0)


@pytest.mark.parametrize(("method", "params", "request_"), ALL, ids=lambda value: str(value)[:40])
def test_every_method_with_every_part_replaced_or_left_out(
    folder: Path, method: str, params: Any, request_: bool
) -> None:
    odd = [None, -1, 10**400, float("nan"), "\ud800", [], {}, [None], nested(30)]
    messages = [
        (method, changed(params, at, change, new), request_)
        for at in places(params)
        for change, new in [("leave out", None), *(("replace", new) for new in odd)]
        if method != "shutdown" and (at or change == "replace")
    ]
    talk(folder, messages, initialized=True)


@pytest.mark.parametrize(("method", "params"), REQUESTS[:-1], ids=lambda value: str(value)[:40])
def test_a_request_without_an_id_is_no_notification(folder: Path, method: str, params: Any) -> None:
    talk(folder, [(method, params, False)], initialized=True)


ENVELOPES = st.dictionaries(
    st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "x"]),
    ANY | st.sampled_from([method for method, *_ in ALL]),
    max_size=6,
)


@settings(max_examples=60)
@given(st.lists(ENVELOPES | ANY, max_size=8))
def test_any_envelope_is_endured(folder: Path, bodies: list[Any]) -> None:
    async def run() -> None:
        there = Conversation(folder)
        there.begin()
        for body in bodies:
            there.server.protocol.receive(json.dumps(body).encode())
            await asyncio.sleep(0)
        there.server.protocol._shutdown = False
        await completes(there)
        await there.server.conversation.aclose()

    asyncio.run(run())
