"""Code actions through the wire: listed without a model, carried out by resolve or by command."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from client import Buffer, Client, ResponseError

from e2e.conftest import Start
from fakes.model_server import ModelServer, Reply

TEXT = "def area(width, height):\n    return width * height\n"
DOCUMENTED = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'
REPLY = Reply(f"```python\n{DOCUMENTED}```")


async def choose(client: Client, buffer: Buffer, word: str, at: int = 5) -> dict[str, Any]:
    """Return the listed action whose title has `word`."""
    actions = await client.code_actions(buffer, at, at)
    return next(action for action in actions if word in action["title"])


async def execute(client: Client, action: dict[str, Any]) -> None:
    command = action["command"]
    answer = await client.request(
        "workspace/executeCommand",
        {"command": command["command"], "arguments": command["arguments"]},
    )
    assert answer is None


async def test_listing_asks_no_model(start: Start, models: ModelServer, project: Path) -> None:
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", TEXT)
    actions = await client.code_actions(buffer, 5, 5)
    titles = " ".join(action["title"] for action in actions)
    for word in ("Document", "Simplify", "test", "Explain"):
        assert word in titles
    assert models.requests == []


async def test_resolve_gives_the_smallest_versioned_edit(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(REPLY)
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", TEXT)
    action = await choose(client, buffer, "Document")
    assert "edit" not in action
    assert "command" not in action
    resolved = await client.request("codeAction/resolve", action)
    (change,) = resolved["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": buffer.uri, "version": 1}
    (edit,) = change["edits"]
    assert edit["newText"].strip() == '"""Return the area."""'
    assert client.apply(resolved["edit"]) == {"applied": True}
    assert buffer.text == DOCUMENTED


async def test_helix_gets_a_command_that_is_answered_at_once_and_then_an_edit(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(REPLY.text, hang=True))
    client = await start("helix-25.07")
    assert not client.server_capabilities["codeActionProvider"].get("resolveProvider")
    buffer = client.open(project / "a.py", "python", TEXT)
    action = await choose(client, buffer, "Document")
    await execute(client, action)
    request = await models.wait_for(1)
    assert buffer.text == TEXT
    request.release()
    await client.wait_for(lambda: buffer.text == DOCUMENTED)


@pytest.mark.parametrize("editor", ["neovim-0.11", "neovim-0.12", "vscode"])
async def test_editors_that_resolve_lazily_are_offered_it(
    start: Start, models: ModelServer, project: Path, editor: str
) -> None:
    models.script(REPLY)
    client = await start(editor)
    buffer = client.open(project / "a.py", "python", TEXT)
    resolved = await client.request("codeAction/resolve", await choose(client, buffer, "Document"))
    assert client.apply(resolved["edit"]) == {"applied": True}
    assert buffer.text == DOCUMENTED


async def test_an_edit_made_elsewhere_meanwhile_is_kept(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(REPLY.text, hang=True))
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", TEXT)
    action = await choose(client, buffer, "Document")
    _, resolving = client.send("codeAction/resolve", action)
    request = await models.wait_for(1)
    client.change(buffer, 0, 0, "# typed meanwhile\n\n")
    request.release()
    resolved = await resolving
    assert client.apply(resolved["edit"]) == {"applied": True}
    assert buffer.text == "# typed meanwhile\n\n" + DOCUMENTED


async def test_an_edit_made_in_the_same_place_meanwhile_wins(
    start: Start, models: ModelServer, project: Path
) -> None:
    rewritten = "```python\ndef area(width, height):\n    return height * width\n```"
    models.script(Reply(rewritten, hang=True))
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", TEXT)
    action = await choose(client, buffer, "Simplify")
    _, resolving = client.send("codeAction/resolve", action)
    request = await models.wait_for(1)
    at = TEXT.index("width * height")
    client.change(buffer, at, at + len("width * height"), "width * height * 2")
    request.release()
    with pytest.raises(ResponseError, match="changed"):
        await resolving


async def test_the_file_is_not_touched_when_the_answer_does_not_parse(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("```python\ndef area(width, height:\n    return width *\n```")
    client = await start("helix-25.07")
    buffer = client.open(project / "a.py", "python", TEXT)
    action = await choose(client, buffer, "Simplify")
    await execute(client, action)
    message = await client.wait_for_notification("window/showMessage")
    assert "Simplify" in message["message"]
    assert buffer.text == TEXT
    assert 1 < len(models.requests) <= 3  # repaired once, never more than three calls


@pytest.mark.slow  # a change may come late that says why
async def test_a_refused_edit_is_told(start: Start, models: ModelServer, project: Path) -> None:
    models.script(REPLY)
    client = await start("helix-25.07")
    client.refuse_edits = True
    buffer = client.open(project / "a.py", "python", TEXT)
    await execute(client, await choose(client, buffer, "Document"))
    message = await client.wait_for_notification("window/showMessage")
    assert "read-only" in message["message"]


async def test_an_instruction_comment_is_carried_out_and_taken_away(
    start: Start, models: ModelServer, project: Path
) -> None:
    text = "# ai: use keyword names a and b\n" + TEXT
    after = "def area(a, b):\n    return a * b\n"
    models.script(Reply(f"```python\n{after}```"))
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", text)
    action = await choose(client, buffer, "use keyword names", at=3)
    resolved = await client.request("codeAction/resolve", action)
    assert client.apply(resolved["edit"]) == {"applied": True}
    assert buffer.text == after
    assert "use keyword names a and b" in models.requests[0].raw_body.decode()


async def test_a_diagnostic_is_fixed(start: Start, models: ModelServer, project: Path) -> None:
    text = "def area(width, height):\n    return widht * height\n"
    models.script(Reply(f"```python\n{TEXT}```"))
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", text)
    at = text.index("widht")
    diagnostic = {
        "range": {
            "start": buffer.position(at, client.encoding),
            "end": buffer.position(at + 5, client.encoding),
        },
        "message": "Undefined name `widht`",
        "severity": 1,
        "source": "ruff",
    }
    actions = await client.code_actions(buffer, at, at, [diagnostic])
    fix = next(action for action in actions if action["kind"] == "quickfix")
    resolved = await client.request("codeAction/resolve", fix)
    assert client.apply(resolved["edit"]) == {"applied": True}
    assert buffer.text == TEXT
    assert "Undefined name `widht`" in models.requests[0].raw_body.decode()


async def test_tests_go_into_a_new_file(start: Start, models: ModelServer, project: Path) -> None:
    (project / "a.py").write_text(TEXT)
    code = "from a import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"
    models.script(Reply(f"```python\n{code}```"))
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", TEXT)
    resolved = await client.request("codeAction/resolve", await choose(client, buffer, "test"))
    assert client.apply(resolved["edit"]) == {"applied": True}
    assert buffer.text == TEXT
    (new,) = [b for b in client.buffers.values() if b is not buffer]
    assert "test" in new.uri
    assert new.text == code


async def test_an_editor_that_announces_no_new_files_gets_the_text_as_an_edit(
    start: Start, models: ModelServer, project: Path
) -> None:
    (project / "a.py").write_text(TEXT)
    code = "from a import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"
    models.script(Reply(f"```python\n{code}```"))
    client = await start("emacs-30-eglot")
    buffer = client.open(project / "a.py", "python", TEXT)
    command = (await choose(client, buffer, "test"))["command"]
    await client.request(
        "workspace/executeCommand",
        {"command": command["command"], "arguments": command["arguments"]},
    )
    await client.wait_for(
        lambda: [b for b in client.buffers.values() if b is not buffer and b.text == code]
    )
    (edit,) = [p["edit"] for method, p in client.requests if method == "workspace/applyEdit"]
    assert all("kind" not in change for change in edit["documentChanges"])


async def test_an_explanation_is_shown_and_changes_nothing(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("It multiplies width and height."))
    client = await start(capabilities={})
    buffer = client.open(project / "a.py", "python", TEXT)
    (command,) = [a for a in await client.code_actions(buffer, 5, 5) if "Explain" in a["title"]]
    await client.request(
        "workspace/executeCommand",
        {"command": command["command"], "arguments": command["arguments"]},
    )
    message = await client.wait_for_notification("window/showMessage")
    assert "multiplies width and height" in message["message"]
    assert buffer.text == TEXT


async def test_what_a_check_says_back_to_the_model_quotes_no_secret(
    start: Start, models: ModelServer, project: Path
) -> None:
    line = 'password = "hunter2-Zx9Qw7Lm"\n'
    (project / "b.py").write_text(f"b = 1\na = 2\n{line}d = 3\n{line}print(d)\n")
    repeating = Reply('<answer>\na = 2\nd = 3\npassword = "<redacted-1>"\n</answer>')
    models.script(repeating, repeating)
    client = await start()
    buffer = client.open(project / "b.py", "python")
    span = {"start": {"line": 1, "character": 0}, "end": {"line": 3, "character": 5}}
    with pytest.raises(ResponseError):
        await client.request(
            "twotrack/edit",
            {
                "textDocument": {"uri": buffer.uri},
                "range": span,
                "task": "refactor",
                "instruction": "sort it",
            },
        )
    sent = [str(request.body) for request in models.requests]
    assert "repeats what stands outside the code." in sent[1]
    assert not any("hunter2" in body for body in sent)


async def test_an_explanation_goes_with_the_server(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("It multiplies width and height."))
    client = await start(capabilities={"window": {"showDocument": {"support": True}}})
    buffer = client.open(project / "a.py", "python", TEXT)
    (command,) = [a for a in await client.code_actions(buffer, 5, 5) if "Explain" in a["title"]]
    await client.request(
        "workspace/executeCommand",
        {"command": command["command"], "arguments": command["arguments"]},
    )

    def shown() -> Any:
        return next((p for method, p in client.requests if method == "window/showDocument"), None)

    uri = (await client.wait_for(shown))["uri"]
    page = Path(url2pathname(urlsplit(uri).path))
    assert "multiplies width and height" in page.read_text()
    await client.stop()
    assert not page.parent.exists()


async def test_resolving_an_action_that_has_its_command_gives_it_back(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", TEXT)
    (explain,) = [a for a in await client.code_actions(buffer, 5, 5) if "Explain" in a["title"]]
    assert await client.request("codeAction/resolve", explain) == explain
    assert models.requests == []


async def test_an_explanation_that_cannot_be_written_is_a_message(
    start: Start, models: ModelServer, project: Path, tmp_path: Path
) -> None:
    """It was paid for. Where the disk is full the folder is missing too."""
    models.script(*(Reply("It multiplies width and height.") for _ in range(2)))
    client = await start(
        capabilities={"window": {"showDocument": {"support": True}}},
        variables={"TMPDIR": str(tmp_path)},
    )
    buffer = client.open(project / "a.py", "python", TEXT)
    (command,) = [a for a in await client.code_actions(buffer, 5, 5) if "Explain" in a["title"]]
    asked = {"command": command["command"], "arguments": command["arguments"]}
    await client.request("workspace/executeCommand", asked)

    def shown() -> Any:
        return next((p for method, p in client.requests if method == "window/showDocument"), None)

    page = Path(url2pathname(urlsplit((await client.wait_for(shown))["uri"]).path))
    assert page.is_relative_to(tmp_path)
    shutil.rmtree(page.parent)  # as what tidies temporary folders does
    await client.request("workspace/executeCommand", asked)

    def told() -> Any:
        messages = [p for method, p in client.notifications if method == "window/showMessage"]
        return next((p["message"] for p in messages), None)

    assert "multiplies width and height" in await client.wait_for(told)


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        {},
        {"uri": "file:///nowhere.py", "version": 1, "offer": {}},
        {"uri": 3, "version": "x", "offer": None},
    ],
)
async def test_an_action_that_is_not_ours_is_refused_with_a_word(
    start: Start, models: ModelServer, project: Path, data: Any
) -> None:
    client = await start("vscode")
    client.open(project / "a.py", "python", TEXT)
    with pytest.raises(ResponseError) as refused:
        await client.request("codeAction/resolve", {"title": "x", "data": data})
    assert refused.value.code in (-32803, -32602)
    assert "Traceback" not in refused.value.message


async def test_an_unknown_command_is_refused(start: Start) -> None:
    client = await start("vscode")
    with pytest.raises(ResponseError, match=r"rm\.all is not a command"):
        await client.request("workspace/executeCommand", {"command": "rm.all", "arguments": []})
