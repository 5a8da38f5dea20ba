"""What pygls 2.1.1 gets wrong, each through the wire: none of it may reach a user."""

import asyncio
import json
from pathlib import Path
from typing import Any

import psutil
import pytest
from client import Buffer, Client, ResponseError

from e2e.conftest import SETTINGS, Start
from fakes.model_server import ModelServer, Reply

INLINE = {"textDocument": {"inlineCompletion": {"dynamicRegistration": False}}}


async def sent_prompt(client: Client, models: ModelServer, buffer: Buffer, offset: int) -> str:
    """Ask for a completion and give the prompt that reached the model."""
    count = len(models.requests)
    await client.complete(buffer, offset, invoked=True)
    request = await models.wait_for(count + 1)
    prompt: str = request.body["prompt"]
    return prompt


# 1. Capabilities that pygls leaves out unless told.


async def test_inline_completion_and_resolve_are_advertised(start: Start) -> None:
    client = await start(
        capabilities=INLINE
        | {
            "textDocument": {
                **INLINE["textDocument"],
                "codeAction": {"resolveSupport": {"properties": ["edit"]}},
            }
        }
    )
    assert client.server_capabilities["inlineCompletionProvider"] == {}
    assert client.server_capabilities["codeActionProvider"]["resolveProvider"] is True


# 2. and 3. The text that the model sees is the text that the editor has.


@pytest.mark.parametrize("strange", ["\x0c", "\x0b", "\x85", "\u2028", "\u2029", "\x1c"])
@pytest.mark.parametrize("encodings", [["utf-8"], ["utf-16"], ["utf-32"]])
async def test_only_lsp_line_ends_end_a_line(
    start: Start, models: ModelServer, project: Path, strange: str, encodings: list[str]
) -> None:
    client = await start(capabilities={"general": {"positionEncodings": encodings}})
    assert client.encoding == encodings[0]
    text = f'first = "{strange}😀"\nsecond = 2\nthird = 3\n'
    buffer = client.open(project / "a.py", "python", text)
    at = buffer.text.index("2\n") + 1
    client.change(buffer, at, at, "0")
    at = buffer.text.index("third")
    client.change(buffer, at, at + 5, "value_of_third")
    at = len(buffer.text)
    client.change(buffer, at, at, "fourth = value_of_")
    prompt = await sent_prompt(client, models, buffer, len(buffer.text))
    assert buffer.text.endswith("second = 20\nvalue_of_third = 3\nfourth = value_of_")
    assert buffer.text in prompt


async def test_an_edit_at_the_end_of_a_last_line_without_newline(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start()
    buffer = client.open(project / "a.py", "python", "total_amount = 1\nresult = tot")
    at = len(buffer.text)
    client.change(buffer, at, at, "al_")
    prompt = await sent_prompt(client, models, buffer, len(buffer.text))
    assert "result = total_<" in prompt


async def test_a_position_beyond_the_end_is_the_end(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start()
    buffer = client.open(project / "a.py", "python", "total_amount = 1\nresult = tot")
    params = client.inline_params(buffer, 0, invoked=True)
    params["position"] = {"line": 9, "character": 99}
    await client.request("textDocument/inlineCompletion", params)
    request = await models.wait_for(1)
    assert "result = tot<" in request.body["prompt"]


async def test_an_empty_document_can_be_typed_into(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start()
    buffer = client.open(project / "a.py", "python", "")
    client.change(buffer, 0, 0, "def first_function():\n    ")
    prompt = await sent_prompt(client, models, buffer, len(buffer.text))
    assert "def first_function():\n    <" in prompt


# 4. Nothing is kept for a change or a progress token.


@pytest.mark.slow
async def test_twenty_thousand_changes_leave_no_memory_behind(start: Start, project: Path) -> None:
    client = await start(capabilities={"experimental": {"twotrack": {"events": True}}})
    await client.wait_for_notification("twotrack/ready")  # what it loads in the background is there
    process = psutil.Process(client.process.pid)
    buffer = client.open(project / "a.py", "python", "x = 1\n" * 100)

    async def change(times: int) -> int:
        for number in range(times):
            client.change(buffer, 5, 6, str(number % 10))
        await client.request("textDocument/codeAction", whole(buffer))  # all are taken in
        return process.memory_info().rss

    before = await change(16_000)  # until its buffers have their size
    after = await change(20_000)
    assert after - before < 2 * 1024 * 1024


def whole(buffer: Buffer) -> dict[str, Any]:
    start = {"line": 0, "character": 0}
    return {
        "textDocument": {"uri": buffer.uri},
        "range": {"start": start, "end": start},
        "context": {"diagnostics": []},
    }


# 5. and 11. A cancelled request stops working.


async def test_cancel_answers_at_once_and_closes_the_connection_upstream(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(hang=True))
    client = await start()
    buffer = client.open(project / "a.py", "python", "def first_function():\n    ")
    number, answer = client.send(
        "textDocument/inlineCompletion",
        client.inline_params(buffer, len(buffer.text), invoked=True),
    )
    request = await models.wait_for(1)
    client.cancel(number)
    with pytest.raises(ResponseError) as refused:
        await answer
    assert refused.value.code == -32800
    await request.closed()
    assert request.aborted_at is not None


async def test_cancelling_the_progress_of_a_command_ends_its_work(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(hang=True))
    client = await start("helix-25.07")
    buffer = client.open(project / "a.py", "python", "def first(a):\n    return a\n")
    actions = await client.code_actions(buffer, 5, 5)
    command = next(a["command"] for a in actions if "Document" in a["title"])
    answer = await client.request(
        "workspace/executeCommand",
        {"command": command["command"], "arguments": command["arguments"]},
    )
    assert answer is None
    request = await models.wait_for(1)
    begun = await client.wait_for_notification("$/progress")
    client.notify("window/workDoneProgress/cancel", {"token": begun["token"]})
    await request.closed()
    assert request.aborted_at is not None
    await client.wait_for(lambda: [1 for m, p in client.notifications if is_end(m, p)])
    assert not [m for m, _ in client.requests if m == "workspace/applyEdit"]


def is_end(method: str, params: Any) -> bool:
    return method == "$/progress" and params["value"]["kind"] == "end"


# 6. Slow requests leave the server its ears.


async def test_the_server_listens_while_many_requests_wait(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply(hang=True)
    client = await start()
    buffers = [
        client.open(project / f"a{n}.py", "python", "def first_function():\n    ")
        for n in range(40)
    ]
    waiting = [
        client.send("textDocument/inlineCompletion", client.inline_params(b, 26, invoked=True))
        for b in buffers
    ]
    await models.wait_for(10)
    assert await client.code_actions(buffers[0], 5, 5)
    for number, _ in waiting:
        client.cancel(number)
    answers = await asyncio.gather(*(answer for _, answer in waiting), return_exceptions=True)
    assert {getattr(answer, "code", None) for answer in answers} == {-32800}


# 7. Every request is answered, also a wrong one, and also out of turn.


@pytest.mark.parametrize(
    "params",
    [None, [], {}, {"textDocument": 3}, {"textDocument": {"uri": "a"}, "position": "x"}, "x", 5],
)
async def test_wrong_parameters_are_answered(start: Start, params: Any) -> None:
    client = await start()
    with pytest.raises(ResponseError) as refused:
        await client.request("textDocument/inlineCompletion", params)
    assert refused.value.code == -32602
    assert "textDocument/inlineCompletion" in refused.value.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"shutdown"}', -32600),
        (b'{"jsonrpc":"2.0","id":5}', -32600),
    ],
)
async def test_a_broken_message_is_answered_and_the_session_goes_on(
    start: Start, project: Path, body: bytes, code: int
) -> None:
    client = await start()
    client.write_raw(body)
    message = await client.wait_for_notification("(unasked)")
    assert message["error"]["code"] == code
    buffer = client.open(project / "a.py", "python", "def first():\n    pass\n")
    assert await client.code_actions(buffer, 5, 5)


async def test_an_unknown_method_is_answered(start: Start) -> None:
    client = await start()
    with pytest.raises(ResponseError) as refused:
        await client.request("textDocument/magic", {"a": [1]})
    assert refused.value.code == -32601


async def test_a_request_before_initialize_is_refused(start: Start) -> None:
    client = await start(initialize=False)
    with pytest.raises(ResponseError) as refused:
        await client.request("textDocument/codeAction", {})
    assert refused.value.code == -32002


async def test_a_request_after_shutdown_is_refused_and_exit_is_clean(start: Start) -> None:
    client = await start()
    await client.request("shutdown", None)
    with pytest.raises(ResponseError) as refused:
        await client.request("textDocument/codeAction", {})
    assert refused.value.code == -32600
    client.notify("exit", None)
    assert await asyncio.wait_for(client.process.wait(), 10) == 0


async def test_exit_without_shutdown_ends_with_one(start: Start) -> None:
    client = await start()
    client.notify("exit", None)
    assert await asyncio.wait_for(client.process.wait(), 10) == 1


async def test_an_editor_that_vanishes_takes_the_server_with_it(start: Start) -> None:
    client = await start()
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert await asyncio.wait_for(client.process.wait(), 10) == 1


async def test_shutdown_answers_what_is_still_waiting(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply(hang=True)
    client = await start()
    buffer = client.open(project / "a.py", "python", "def first_function():\n    ")
    _, answer = client.send(
        "textDocument/inlineCompletion", client.inline_params(buffer, 26, invoked=True)
    )
    await models.wait_for(1)
    await client.request("shutdown", None)
    with pytest.raises(ResponseError):
        await answer


# 8. Header names are case-insensitive.


async def test_a_lower_case_header_is_read(start: Start) -> None:
    client = await start()
    body = json.dumps({"jsonrpc": "2.0", "id": 77, "method": "nothing/known"}).encode()
    client.write_raw(body, b"content-length: %d\r\n\r\n" % len(body))
    message = await client.wait_for_notification("(unasked)")
    assert message["id"] == 77


# 9. The log holds neither code nor keys, at any level.


async def test_code_and_keys_appear_in_no_log_message_or_ledger(
    start: Start, models: ModelServer, project: Path, tmp_path: Path
) -> None:
    code, key = "canary_of_the_code", "sk-canary-of-the-key-0123456789"
    log = tmp_path / "all.log"
    settings = SETTINGS.replace('model = "quick-1"', 'model = "quick-1"\napi_key_env = "CANARY"')
    settings += f'[log]\nlevel = "debug"\nfile = "{log}"\n'
    models.script(
        Reply(status=500, error={"error": {"message": f"no {key}, no {code}"}}), Reply("pass")
    )
    client = await start(settings=settings, variables={"CANARY": key})
    buffer = client.open(project / "a.py", "python", f"def {code}():\n    ")
    await client.complete(buffer, len(buffer.text), invoked=True)
    await client.complete(buffer, len(buffer.text), invoked=True)
    client.write_raw(f'{{"jsonrpc": "2.0", "id": 1, "method": "{code}", "params": 5'.encode())
    await client.wait_for_notification("(unasked)")
    await client.stop()
    assert models.requests[0].headers["authorization"] == f"Bearer {key}"
    written = [
        path for path in tmp_path.rglob("*") if path.is_file() and path.name != "config.toml"
    ]
    assert log in written
    assert any(path.name.startswith("ledger") for path in written)
    said = json.dumps(client.notifications)
    for content in (*(path.read_bytes() for path in written), said.encode()):
        assert code.encode() not in content
        assert key.encode() not in content


# 10. Fields that lsprotocol does not know do no harm; custom methods keep their JSON shape.


async def test_additional_fields_are_let_through(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start()
    buffer = client.open(project / "a.py", "python", "def first_function():\n    ")
    params = client.inline_params(buffer, 26, invoked=True)
    params["textDocument"]["version"] = 1
    params["formattingOptions"] = {"tabSize": 4, "insertSpaces": True}
    result = await client.request("textDocument/inlineCompletion", params)
    assert [item["insertText"] for item in result["items"]] == ["pass"]


async def test_events_are_sent_as_objects_to_a_client_that_asked(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities={"experimental": {"twotrack": {"events": True}}})
    buffer = client.open(project / "a.py", "python", "def first_function():\n    ")
    await client.complete(buffer, 26, invoked=True)
    event = await client.wait_for_notification("twotrack/didAnswer")
    assert (event["model"], event["track"], event["source"]) == ("quick", "fast", "model")
    assert event["usage"]["inputTokens"] == 10


# 12. A client that does not read keeps nobody waiting.


async def test_the_server_goes_on_while_its_answers_are_not_read(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start()
    buffer = client.open(project / "a.py", "python", "def first_function():\n    ")
    client.pause_reading()
    for _ in range(3000):  # their answers are more than a pipe holds
        client.send("textDocument/codeAction", whole(buffer))
    client.send("textDocument/inlineCompletion", client.inline_params(buffer, 26, invoked=True))
    await models.wait_for(1)
    client.resume_reading()
    await client.wait_for(lambda: not client.waiting)
    assert client.waiting == 0


# 13. What is computed belongs to the text at the time of the request.


async def test_a_completion_whose_document_moved_on_is_answered_with_null(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(hang=True))
    client = await start()
    buffer = client.open(project / "a.py", "python", "def first_function():\n    ")
    _, answer = client.send(
        "textDocument/inlineCompletion", client.inline_params(buffer, 26, invoked=True)
    )
    request = await models.wait_for(1)
    client.change(buffer, 0, 0, "# a comment\n")
    assert await answer is None
    await request.closed()
    assert request.aborted_at is not None


async def test_a_newer_request_of_the_document_ends_the_older_one_in_order(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("pass", hang=True))
    client = await start()
    buffer = client.open(project / "a.py", "python", "def first_function():\n    ")
    params = client.inline_params(buffer, 26, invoked=True)
    order: list[str] = []
    _, older = client.send("textDocument/inlineCompletion", params)
    older.add_done_callback(lambda _: order.append("older"))
    await models.wait_for(1)
    _, newer = client.send("textDocument/inlineCompletion", params)
    newer.add_done_callback(lambda _: order.append("newer"))
    assert await older is None
    models.release()  # the newer one waits for the same answer
    assert (await newer)["items"][0]["insertText"] == "pass"
    assert order == ["older", "newer"]
