"""What a person sees while typing, through the wire."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from client import Buffer, Client

from e2e.conftest import Start
from fakes.model_server import ModelServer, Reply

HEAD = "def area(width, height):\n    "
INLINE = {"textDocument": {"inlineCompletion": {}}}


def shown(client: Client, text: str, items: list[dict]) -> str:
    """Return the document after the first item was accepted."""
    buffer = next(iter(client.buffers.values()))
    assert buffer.text == text
    edit = {"range": items[0]["range"], "newText": items[0]["insertText"]}
    return buffer.edited([edit], client.encoding)


async def menu(client: Client, buffer: Buffer, offset: int) -> dict[str, Any]:
    """Ask for the completion menu at an index of the text."""
    result: dict[str, Any] = await client.request(
        "textDocument/completion",
        {
            "textDocument": {"uri": buffer.uri},
            "position": buffer.position(offset, client.encoding),
            "context": {"triggerKind": 1},
        },
    )
    return result


async def test_ghost_text_continues_the_line(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("return width * height"))
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", HEAD)
    items = await client.complete(buffer, len(HEAD))
    assert shown(client, HEAD, items) == HEAD + "return width * height"


@pytest.mark.parametrize("first", ["cancel", "change"])
async def test_an_answer_that_is_typed_into_while_it_comes_is_kept(
    start: Start, models: ModelServer, project: Path, first: str
) -> None:
    models.script(Reply("return width * height", hang=True))
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", HEAD)
    where = client.inline_params(buffer, len(HEAD))
    message_id, answer = client.send("textDocument/inlineCompletion", where)
    await models.wait_for(1)
    if first == "cancel":
        client.cancel(message_id)
    client.change(buffer, len(HEAD), len(HEAD), "r")
    if first == "change":
        client.cancel(message_id)
    where = client.inline_params(buffer, len(buffer.text))
    _, answer_to_the_next = client.send("textDocument/inlineCompletion", where)
    await asyncio.wait({answer})
    models.release()
    assert (await answer_to_the_next)["items"][0]["insertText"] == "eturn width * height"
    assert len(models.requests) == 1


async def test_what_is_typed_otherwise_closes_the_question_upstream(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(chunks=["return ", "width"], hang_after=1))
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", HEAD)
    client.send("textDocument/inlineCompletion", client.inline_params(buffer, len(HEAD)))
    request = await models.wait_for(1)
    client.change(buffer, len(HEAD), len(HEAD), "p")
    await request.closed()
    assert request.aborted_at is not None


async def test_text_typed_through_and_taken_back_asks_nothing_again(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("return width * height"))
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", HEAD)
    await client.complete(buffer, len(HEAD))
    for count, char in enumerate("retur", 1):
        client.change(buffer, len(buffer.text), len(buffer.text), char)
        items = await client.complete(buffer, len(buffer.text))
        assert items[0]["insertText"] == "return width * height"[count:]
    for count in range(4, -1, -1):
        client.change(buffer, len(buffer.text) - 1, len(buffer.text), "")
        items = await client.complete(buffer, len(buffer.text))
        assert items[0]["insertText"] == "return width * height"[count:]
    assert len(models.requests) == 1


async def test_what_was_asked_before_is_not_asked_again(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("return width * height"))
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", HEAD)
    [first] = await client.complete(buffer, len(HEAD))
    client.change(buffer, 0, 0, "# the area\n")  # and undone
    client.change(buffer, 0, len("# the area\n"), "")
    [again] = await client.complete(buffer, len(HEAD))
    assert (again["insertText"], again["range"]) == (first["insertText"], first["range"])
    assert len(models.requests) == 1


async def test_a_changed_context_is_asked_anew(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("return width * height"), Reply("return (width, depth)"))
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", HEAD)
    await client.complete(buffer, len(HEAD))
    client.change(buffer, HEAD.index("height"), HEAD.index("height") + 6, "depth")
    items = await client.complete(buffer, len(buffer.text))
    assert items[0]["insertText"] == "return (width, depth)"


@pytest.mark.parametrize("encodings", [["utf-8"], ["utf-16"], ["utf-32"]])
async def test_crlf_and_emoji_before_the_cursor(
    start: Start, models: ModelServer, project: Path, encodings: list[str]
) -> None:
    text = 'name = "😀é"\r\n# done\r\ntotal = "😀" + \r\nlast = 1\r\n'
    models.script(Reply("name"))
    client = await start(capabilities=INLINE | {"general": {"positionEncodings": encodings}})
    buffer = client.open(project / "a.py", "python", text)
    offset = text.index("\r\nlast")
    items = await client.complete(buffer, offset, invoked=True)
    assert shown(client, text, items) == text.replace("+ \r\n", "+ name\r\n")


async def test_several_lines_keep_the_documents_line_ends(
    start: Start, models: ModelServer, project: Path
) -> None:
    text = "def area(width, height):\r\n    "
    models.script(Reply("result = width * height\n    return result\n"))
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", text)
    items = await client.complete(buffer, len(text), invoked=True)
    assert shown(client, text, items) == (
        "def area(width, height):\r\n    result = width * height\r\n    return result"
    )


async def test_the_second_model_answers_when_the_first_fails(
    start: Start, models: ModelServer, project: Path
) -> None:
    settings = """
[models.broken]
provider = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
model = "m"
fim = "qwen"
[models.works]
provider = "openai-compatible"
base_url = "{base_url}"
model = "works-1"
fim = "qwen"
[routes]
fast = ["broken", "works"]
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
"""
    models.script(Reply("return width"))
    client = await start(capabilities=INLINE, settings=settings)
    buffer = client.open(project / "a.py", "python", HEAD)
    items = await client.complete(buffer, len(HEAD), invoked=True)
    assert items[0]["insertText"] == "return width"
    message = await client.wait_for_notification("window/showMessage")
    assert "broken" in message["message"]


async def test_a_model_that_was_renamed_is_told_and_the_next_one_answers(
    start: Start, models: ModelServer, project: Path
) -> None:
    settings = """
[models.old]
provider = "openai-compatible"
base_url = "{base_url}"
model = "coder-1"
fim = "qwen"
[models.works]
provider = "openai-compatible"
base_url = "{base_url}"
model = "works-1"
fim = "qwen"
[routes]
fast = ["old", "works"]
[completion]
debounce_ms = 0
[embedded]
enabled = false
"""
    gone = {"error": {"message": "The model `coder-1` is gone", "code": "model_not_found"}}
    models.script(Reply(status=404, error=gone), Reply("width"), Reply("height"))
    client = await start(capabilities=INLINE, settings=settings)
    buffer = client.open(project / "a.py", "python", HEAD)
    assert (await client.complete(buffer, len(HEAD), invoked=True))[0]["insertText"] == "width"
    message = await client.wait_for_notification("window/showMessage")
    assert "models.old.model" in message["message"]
    # It is not asked again, and nothing more is said.
    at = len(HEAD)
    client.change(buffer, at, at, "return x * ")
    at = len(buffer.text)
    assert (await client.complete(buffer, at, invoked=True))[0]["insertText"] == "height"
    assert [request.body["model"] for request in models.requests] == ["coder-1", *["works-1"] * 2]
    said = [params for method, params in client.notifications if method == "window/showMessage"]
    assert len(said) == 1


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        (Reply(status=401, error={"error": {"message": "bad key"}}), "key"),
        (Reply(status=404, error={"error": {"message": "no such model"}}), "models.quick.model"),
        (Reply(status=500, error={"error": {"message": "oops"}}), "quick"),
        (Reply(status=429, headers={"Retry-After": "60"}), "quick"),
        (Reply("abc", malformed_after=0), "quick"),
        (Reply("return 1 + 2", cut_after=1, finish=None), "quick"),
        (Reply(drop=True), "quick"),
    ],
    ids=["401", "404", "500", "429", "malformed", "cut", "dropped"],
)
async def test_when_all_models_fail_the_user_is_told_once_and_the_request_answered(
    start: Start, models: ModelServer, project: Path, reply: Reply, named: str
) -> None:
    models.default = reply
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", HEAD)
    for number in range(3):
        client.change(buffer, len(buffer.text), len(buffer.text), f"value_{number} ")
        assert await client.complete(buffer, len(buffer.text), invoked=True) == []
    told = [p["message"] for m, p in client.notifications if m == "window/showMessage"]
    assert any(named in message for message in told)
    assert len(told) == len(set(told)) <= 2


@pytest.mark.parametrize("editor", ["neovim-0.11", "helix-25.07", "emacs-30-eglot"])
async def test_editors_without_ghost_text_get_a_menu_item_that_inserts_exactly(
    start: Start, models: ModelServer, project: Path, editor: str
) -> None:
    text = "def area(width, height):\n    result = wid\n"
    models.script(Reply("th * height"))
    client = await start(editor)
    assert "completionProvider" in client.server_capabilities
    buffer = client.open(project / "a.py", "python", text)
    at = text.index("wid\n") + 3
    result = await menu(client, buffer, at)
    assert result["isIncomplete"] is True
    (item,) = result["items"]
    assert item["filterText"].startswith("wid")
    assert buffer.edited([item["textEdit"]], client.encoding) == text.replace(
        "wid\n", "width * height\n"
    )


async def test_neovim_gets_even_one_line_as_a_snippet_because_it_cuts_plain_text_at_a_blank(
    start: Start, models: ModelServer, project: Path
) -> None:
    text = "def area(width, height):\n    return "
    models.script(Reply("width * height"))
    client = await start("neovim-0.11")
    buffer = client.open(project / "a.py", "python", text)
    result = await menu(client, buffer, len(text))
    (item,) = result["items"]
    assert item["insertTextFormat"] == 2
    assert item["textEdit"]["newText"] == "width * height"


async def test_a_menu_item_of_several_lines_is_a_snippet_with_everything_escaped(
    start: Start, models: ModelServer, project: Path
) -> None:
    text = "def area(width, height):\n    "
    models.script(Reply('cost = "${price}"\n    return cost'))
    client = await start("helix-25.07")
    buffer = client.open(project / "a.py", "python", text)
    result = await menu(client, buffer, len(text))
    (item,) = result["items"]
    assert item["insertTextFormat"] == 2
    # Editors indent the further lines of a snippet like its first.
    assert item["textEdit"]["newText"] == 'cost = "\\${price\\}"\nreturn cost'


async def test_visual_studio_code_gets_ghost_text_and_no_second_menu(start: Start) -> None:
    client = await start("vscode")
    assert "inlineCompletionProvider" in client.server_capabilities
    assert "completionProvider" not in client.server_capabilities


async def test_the_fast_track_serves_completions_and_the_strong_one_actions(
    start: Start, models: ModelServer, project: Path
) -> None:
    text = "def area(width, height):\n    return width * height\n"
    models.script(Reply("x"), Reply('```python\ndef area(width, height):\n    """Return."""\n```'))
    client = await start("vscode")
    buffer = client.open(project / "a.py", "python", text + "y = ")
    await client.complete(buffer, len(buffer.text), invoked=True)
    actions = await client.code_actions(buffer, 5, 5)
    document = next(a for a in actions if "Document" in a["title"])
    _, resolving = client.send("codeAction/resolve", document)
    await models.wait_for(2)
    client.notify("$/cancelRequest", {"id": 0})
    assert [request.body["model"] for request in models.requests[:2]] == ["quick-1", "clever-1"]
    resolving.cancel()


async def test_a_secret_of_the_document_is_not_sent(
    start: Start, models: ModelServer, project: Path
) -> None:
    secret = "ghp_" + "a1B2" * 9
    text = f'token = "{secret}"\ndef login():\n    '
    client = await start(capabilities=INLINE)
    buffer = client.open(project / "a.py", "python", text)
    await client.complete(buffer, len(text), invoked=True)
    request = await models.wait_for(1)
    assert secret not in request.raw_body.decode()
    assert "def login():" in request.body["prompt"]


async def test_a_secret_file_is_not_sent_at_all(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=INLINE)
    secret = client.open(project / ".env", "shellscript", "API_KEY=1234567890abcdef\nOTHER=")
    assert await client.complete(secret, len(secret.text), invoked=True) == []
    buffer = client.open(project / "a.py", "python", "API_KEY = 1\nvalue = API")
    await client.complete(buffer, len(buffer.text), invoked=True)
    assert len(models.requests) == 1
    assert "1234567890abcdef" not in models.requests[0].raw_body.decode()
