"""Code actions whose text moves on before the editor has told of it."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client import Buffer, Client

from e2e.conftest import Start
from fakes.model_server import ModelServer, Reply

TEXT = "def area(width, height):\n    return width * height\n"
DOCUMENTED = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'
REPLY = f"```python\n{DOCUMENTED}```"


async def act(client: Client, buffer: Buffer, word: str = "Document") -> None:
    """Choose an action by its command, as editors do that do not resolve."""
    at = buffer.text.index("area")
    actions = await client.code_actions(buffer, at, at)
    action = next(action for action in actions if word in action["title"])
    command = action["command"]
    if isinstance(command, str):  # a Command, not a CodeAction
        command = action
    wanted = {"command": command["command"], "arguments": command["arguments"]}
    await client.request("workspace/executeCommand", wanted)


def type_untold(client: Client, buffer: Buffer, at: int, text: str) -> Callable[[], None]:
    """Type into the buffer; the function given tells the server, as late as it is called."""
    waiting: list[tuple[str, Any]] = []
    told = client.notify
    client.notify = lambda method, params: waiting.append((method, params))  # type: ignore[method-assign]
    client.change(buffer, at, at, text)
    client.notify = told  # type: ignore[method-assign]
    return lambda: [told(*each) for each in waiting] and None


def edits_asked_for(client: Client) -> list[Any]:
    return [params["edit"] for name, params in client.requests if name == "workspace/applyEdit"]


def said(client: Client) -> str:
    shown = [params for name, params in client.notifications if name == "window/showMessage"]
    return " ".join(params["message"] for params in shown)


async def test_an_edit_that_came_too_early_is_made_again_when_the_editor_tells_why(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(REPLY, hang=True))
    client = await start("emacs-30-eglot")
    buffer = client.open(project / "a.py", "python", TEXT)
    await act(client, buffer)
    request = await models.wait_for(1)
    tell = type_untold(client, buffer, 0, "# typed\n\n")
    request.release()
    await client.wait_for(lambda: edits_asked_for(client))
    assert buffer.text == "# typed\n\n" + TEXT  # refused: outdated
    tell()
    await client.wait_for(lambda: buffer.text != "# typed\n\n" + TEXT)
    assert buffer.text == "# typed\n\n" + DOCUMENTED
    assert len(edits_asked_for(client)) == 2
    assert said(client) == ""
    assert len(models.requests) == 1


async def test_a_change_in_the_same_place_told_late_wins(
    start: Start, models: ModelServer, project: Path
) -> None:
    rewritten = TEXT.replace("width * height", "height * width")
    models.script(Reply(f"```python\n{rewritten}```", hang=True))
    client = await start("helix-25.07")
    buffer = client.open(project / "a.py", "python", TEXT)
    await act(client, buffer, "Simplify")
    request = await models.wait_for(1)
    tell = type_untold(client, buffer, TEXT.index(" * height"), "s")
    request.release()
    await client.wait_for(lambda: edits_asked_for(client))
    tell()
    await client.wait_for(lambda: "nothing was changed" in said(client))
    assert buffer.text == TEXT.replace("width * height", "widths * height")


async def test_a_text_that_changes_at_every_try_is_given_up_with_a_word(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(REPLY))
    client = await start("helix-25.07")
    buffer = client.open(project / "a.py", "python", TEXT)

    def refuse(_: Any) -> Any:
        client.change(buffer, 0, 0, "#\n")
        return {"applied": False, "failureReason": "outdated workspace edit"}

    client.apply = refuse  # type: ignore[method-assign]
    await act(client, buffer)
    await client.wait_for(lambda: "outdated workspace edit" in said(client))
    assert "nothing was changed" in said(client)
    assert len(edits_asked_for(client)) == 5
    assert buffer.text.endswith(f"#\n{TEXT}")


class Ale:
    """Sends whole documents, applies edits whatever their version, and never answers."""

    def __init__(self, client: Client) -> None:
        self.client = client
        write = client._write
        client._write = lambda said: None if "result" in said else write(said)  # type: ignore[method-assign]

    def change(self, buffer: Buffer, text: str) -> None:
        buffer.text = text
        buffer.version += 1
        document = {"uri": buffer.uri, "version": buffer.version}
        self.client.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]}
        )


async def test_typing_elsewhere_in_an_editor_that_sends_whole_documents(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(REPLY, hang=True))
    client = await start("vim-ale")
    ale = Ale(client)
    buffer = client.open(project / "a.py", "python", f"import os\n\n\n{TEXT}\n\nx = 1\n")
    await act(client, buffer)
    request = await models.wait_for(1)
    typed = buffer.text.replace("import os", "import os.path").replace("x = 1", "x = 12")
    ale.change(buffer, typed)
    request.release()
    await client.wait_for(lambda: buffer.text != typed)
    assert buffer.text == f"import os.path\n\n\n{DOCUMENTED}\n\nx = 12\n"
    assert said(client) == ""


@pytest.mark.parametrize("editor", ["vscode", "neovim-0.12"])
async def test_what_lies_in_the_pipe_is_read_before_an_edit_gets_its_version(
    start: Start, models: ModelServer, project: Path, editor: str
) -> None:
    models.script(Reply(REPLY, hang=True))
    client = await start(editor)
    buffer = client.open(project / "a.py", "python", f"{TEXT}\n\n# ")
    at = buffer.text.index("area")
    actions = await client.code_actions(buffer, at, at)
    action = next(action for action in actions if "Document" in action["title"])
    _, resolving = client.send("codeAction/resolve", action)
    request = await models.wait_for(1)
    client.process.send_signal(signal.SIGSTOP)  # the answer and the keys come at the same time
    try:
        for _ in range(100):
            client.change(buffer, len(buffer.text), len(buffer.text), "x")
        assert client.process.stdin is not None
        await client.process.stdin.drain()
        request.release()
        await request.closed()
    finally:
        client.process.send_signal(signal.SIGCONT)
    resolved = await resolving
    (change,) = resolved["edit"]["documentChanges"]
    assert change["textDocument"]["version"] == buffer.version
    assert client.apply(resolved["edit"]) == {"applied": True}
    assert buffer.text == f"{DOCUMENTED}\n\n# " + 100 * "x"


# -- what may be sent changes while a model answers ----------------------------------------------


@pytest.mark.parametrize("rules", ["m.py\n", "beside.py\n"])
@pytest.mark.parametrize("status", [200, 500])
async def test_what_becomes_ignored_while_a_model_answers_is_not_sent_again(
    start: Start, models: ModelServer, project: Path, rules: str, status: int
) -> None:
    """Neither to the same model, for a better answer, nor to the next one."""
    beside = "def area_of(width, height):\n    return area(width, height)\n"
    models.script(Reply("no answer", status=status, hang=True))
    client = await start("helix-25.07")
    buffer = client.open(project / "m.py", "python", TEXT)
    client.open(project / "beside.py", "python", beside)
    await act(client, buffer)
    request = await models.wait_for(1)
    assert "area_of" in request.raw_body.decode()
    ignore = project / ".gitignore"
    ignore.write_text(rules)
    changes = {"changes": [{"uri": ignore.as_uri(), "type": 1}]}
    client.notify("workspace/didChangeWatchedFiles", changes)
    await client.request("twotrack/status", {})
    request.release()
    await client.wait_for(lambda: "ignored or excluded" in said(client))
    assert len(models.requests) == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_no_further_model_is_asked_once_the_settings_say_otherwise_what_may_be_sent(
    start: Start, models: ModelServer, project: Path, status: int
) -> None:
    models.script(Reply("no answer", status=status, hang=True))
    client = await start("helix-25.07")
    await act(client, client.open(project / "m.py", "python", TEXT))
    request = await models.wait_for(1)
    settings = project / ".twotrack.toml"
    settings.write_text('[privacy]\nexclude = ["m.py"]\n')
    changes = {"changes": [{"uri": settings.as_uri(), "type": 1}]}
    client.notify("workspace/didChangeWatchedFiles", changes)
    await client.request("twotrack/status", {})
    request.release()
    await client.wait_for(lambda: "The settings changed" in said(client))
    assert len(models.requests) == 1
