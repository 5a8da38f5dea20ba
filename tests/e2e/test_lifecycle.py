"""The life of a session and of its documents, with clients that are odd, hasty or newer than we."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from client import Client, ResponseError

from e2e.conftest import SETTINGS, Start
from fakes.model_server import ModelServer, Reply

HEAD = "def first_function():\n    "
TEXT = "def area(width, height):\n    return width * height\n"
REPLY = '```python\ndef area(width, height):\n    """Area."""\n    return width * height\n```'
EVENTS = {"experimental": {"twotrack": {"events": True}}}
CONFIGURATION = {"workspace": {"configuration": True}}


def told(client: Client) -> list[str]:
    return [p["message"] for m, p in client.notifications if m == "twotrack/notice"]


# -- the start


async def test_what_a_start_compiled_is_kept_for_the_next_one(
    start: Start, project: Path, tmp_path: Path
) -> None:
    pycache = tmp_path / "pycache"
    variables = {"PYTHONPYCACHEPREFIX": str(pycache), "PYTHONDONTWRITEBYTECODE": ""}
    kept = []
    for _ in range(3):
        client = await start(variables=variables)
        assert await client.code_actions(client.open(project / "a.py", "python", TEXT), 5, 5)
        (file,) = pycache.rglob("*.codes")
        kept.append((file.stat().st_ino, file.stat().st_size))
        await client.stop()
    assert kept[1] == kept[2]


# -- messages


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (b'{"jsonrpc":"2.0","id":[1],"result":null}', None),
        (b"", b"Content-Length: " + b"1" * 5000 + b"\r\n\r\n"),
    ],
)
async def test_a_broken_message_does_not_end_the_session(
    start: Start, project: Path, body: bytes, header: bytes | None
) -> None:
    client = await start()
    client.write_raw(body, header)
    buffer = client.open(project / "a.py", "python", TEXT)
    assert await client.code_actions(buffer, 5, 5)


async def test_a_second_initialize_is_refused(start: Start) -> None:
    client = await start()
    with pytest.raises(ResponseError, match="initialize"):
        await client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})


async def test_initialized_may_come_without_parameters(start: Start) -> None:
    client = await start(initialize=False)
    params = {"processId": None, "rootUri": None, "capabilities": EVENTS}
    await client.request("initialize", params)
    client.write_raw(b'{"jsonrpc":"2.0","method":"initialized"}')
    assert await client.wait_for_notification("twotrack/ready") == {}


async def test_what_a_newer_client_adds_to_an_enumeration_does_no_harm(
    start: Start, project: Path
) -> None:
    client = await start(
        capabilities={
            "workspace": {
                "workspaceEdit": {"resourceOperations": ["create", "new"], "failureHandling": "new"}
            },
            "textDocument": {"codeAction": {"tagSupport": {"valueSet": [1, 99]}}},
        }
    )
    buffer = client.open(project / "a.py", "python", TEXT)
    place = {"line": 0, "character": 4}
    found = {"range": {"start": place, "end": place}, "message": "x", "severity": 9, "tags": [9]}
    assert await client.code_actions(buffer, 5, 5, [found])


async def test_a_client_that_answers_nonsense_is_served(start: Start, project: Path) -> None:
    client = await start(initialize=False)
    client._serve = lambda _method, _params: None  # type: ignore[method-assign]
    await client.initialize(root=project, capabilities=EVENTS | CONFIGURATION)
    assert await client.wait_for_notification("twotrack/ready") == {}


# -- documents


@pytest.mark.parametrize("reopened", [False, True])
async def test_a_completion_ends_with_its_document(
    start: Start, models: ModelServer, project: Path, reopened: bool
) -> None:
    models.script(Reply(hang=True))
    client = await start()
    buffer = client.open(project / "a.py", "python", HEAD)
    _, answer = client.send(
        "textDocument/inlineCompletion", client.inline_params(buffer, len(HEAD), invoked=True)
    )
    request = await models.wait_for(1)
    if reopened:
        client.open(project / "a.py", "python", "other = 1\n")
    else:
        client.notify("textDocument/didClose", {"textDocument": {"uri": buffer.uri}})
    assert await answer is None
    await request.closed()
    assert request.aborted_at is not None


async def test_an_edit_of_a_document_that_was_opened_anew_is_refused(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(REPLY, hang=True))
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", TEXT)
    actions = await client.code_actions(buffer, 5, 5)
    action = next(a for a in actions if "Document" in a["title"])
    _, resolving = client.send("codeAction/resolve", action)
    request = await models.wait_for(1)
    client.notify("textDocument/didClose", {"textDocument": {"uri": buffer.uri}})
    client.open(project / "a.py", "python", "import os\nx = 1\ny = 2\n")  # version 1 again
    request.release()
    with pytest.raises(ResponseError, match="opened anew"):
        await resolving


async def test_a_document_opened_before_the_session_is_ready_is_known_to_recall(
    start: Start, project: Path
) -> None:
    settings = SETTINGS.replace('fast = ["quick"]', 'fast = ["recall"]')
    client = await start(capabilities=EVENTS | CONFIGURATION, settings=settings)
    lines = [f"registry.enrol(name_{n}, colour_{n})\n" for n in range(9)]
    client.open(project / "unsaved.py", "python", "".join(lines))
    await client.wait_for_notification("twotrack/ready")
    text = "".join(lines[:3]) + "registry.enrol(name_3"
    buffer = client.open(project / "a.py", "python", text)
    async with asyncio.timeout(20):  # it is indexed in the background
        while not (items := await client.complete(buffer, len(text), invoked=True)):
            pass
    assert "colour_3" in items[0]["insertText"]


# -- settings and folders


async def test_a_problem_of_the_settings_is_told_once(start: Start, project: Path) -> None:
    settings = SETTINGS.replace("debounce_ms", "debouce_ms")
    client = await start(capabilities=EVENTS | CONFIGURATION, settings=settings)
    await client.wait_for_notification("twotrack/ready")
    asked = len(client.requests)
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.wait_for(lambda: len(client.requests) > asked)
    buffer = client.open(project / "a.py", "python", TEXT)
    await client.code_actions(buffer, 5, 5)
    assert len(told(client)) == 1


async def test_a_problem_of_the_project_file_is_told_when_it_is_saved(
    start: Start, project: Path
) -> None:
    client = await start(capabilities=EVENTS)
    await client.wait_for_notification("twotrack/ready")
    file = project / ".twotrack.toml"
    file.write_text("[completion]\ndebouce_ms = 3\n")
    buffer = client.open(file, "toml")
    client.notify("textDocument/didSave", {"textDocument": {"uri": buffer.uri}})
    assert "debouce_ms" in (await client.wait_for_notification("twotrack/notice"))["message"]


async def test_a_folder_that_is_added_brings_its_settings_and_one_that_goes_takes_them(
    start: Start, models: ModelServer, project: Path, tmp_path: Path
) -> None:
    models.default = Reply("<completion>return width</completion>")
    client = await start()
    second = tmp_path / "second"
    second.mkdir()
    (second / ".twotrack.toml").write_text('[routes]\nfast = ["clever"]\n')
    folder = {"uri": second.as_uri(), "name": "second"}
    buffer = client.open(project / "a.py", "python", HEAD)
    for number, (added, removed, model) in enumerate(
        [([folder], [], "clever-1"), ([], [folder], "quick-1")], 1
    ):
        event = {"event": {"added": added, "removed": removed}}
        client.notify("workspace/didChangeWorkspaceFolders", event)
        client.change(buffer, 0, 0, f"# {number}\n")
        await client.complete(buffer, len(buffer.text), invoked=True)
        assert (await models.wait_for(number)).body["model"] == model


# -- the end, and the streams


async def test_shutdown_ends_a_command_that_runs(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(REPLY, hang=True))
    client = await start("helix-25.07")
    buffer = client.open(project / "a.py", "python", TEXT)
    actions = await client.code_actions(buffer, 5, 5)
    command = next(a["command"] for a in actions if "Document" in a["title"])
    arguments = {"command": command["command"], "arguments": command["arguments"]}
    await client.request("workspace/executeCommand", arguments)
    request = await models.wait_for(1)
    await client.request("shutdown", None)
    await request.closed()
    assert request.aborted_at is not None


def framed(*messages: Mapping[str, Any]) -> bytes:
    bodies = [json.dumps({"jsonrpc": "2.0", **message}).encode() for message in messages]
    return b"".join(b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies)


INITIALIZE = {
    "id": 1,
    "method": "initialize",
    "params": {"processId": None, "rootUri": None, "capabilities": {}},
}


@pytest.mark.parametrize("source", ["pipe", "file"])
@pytest.mark.parametrize("sink", ["pipe", "file"])
async def test_standard_streams_may_be_files(
    environment: dict[str, str], tmp_path: Path, source: str, sink: str
) -> None:
    said = framed(INITIALIZE, {"id": 2, "method": "shutdown"}, {"method": "exit"})
    (tmp_path / "in").write_bytes(said)
    with (tmp_path / "in").open("rb") as file, (tmp_path / "out").open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "twotrack"),
            stdin=asyncio.subprocess.PIPE if source == "pipe" else file,
            stdout=asyncio.subprocess.PIPE if sink == "pipe" else out,
            env={**os.environ, **environment},
        )
        heard, _ = await asyncio.wait_for(
            process.communicate(said if source == "pipe" else None), 20
        )
    assert process.returncode == 0
    answers = heard if sink == "pipe" else (tmp_path / "out").read_bytes()
    assert answers.count(b"Content-Length") == 2


async def test_no_input_at_all_ends_the_server(environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twotrack"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1


@pytest.mark.parametrize("line", ["0", 0.5, True, None, -1e999])
async def test_a_position_that_is_none_is_refused(
    start: Start, project: Path, line: object
) -> None:
    client = await start()
    buffer = client.open(project / "a.py", "python", TEXT)
    params = client.inline_params(buffer, 0)
    params["position"]["line"] = line
    with pytest.raises(ResponseError, match=r"inlineCompletion are wrong: `position.line`"):
        await client.request("textDocument/inlineCompletion", params)


async def test_a_language_that_is_no_text_harms_no_other_document(
    start: Start, project: Path, models: ModelServer
) -> None:
    client = await start(capabilities={"textDocument": {"inlineCompletion": {}}})
    models.script(Reply("return 1"))
    odd = {"uri": (project / "b").as_uri(), "languageId": 5, "version": 1, "text": "x = "}
    client.notify("textDocument/didOpen", {"textDocument": odd})
    buffer = client.open(project / "a.py", "python", HEAD)
    where = client.inline_params(buffer, len(HEAD), invoked=True)
    answer = await client.request("textDocument/inlineCompletion", where)
    assert answer["items"][0]["insertText"] == "return 1"
