"""The first line of a block comes before the rest, which the editor is told of."""

import sqlite3
from pathlib import Path

from client import Buffer, Client

from e2e.conftest import Start
from fakes.model_server import ModelServer, Reply

HEAD = "# 😀\ndef area(width, height):\n    "
FIRST, REST = "a = width * 2\n", "    return a * height"
PLUGIN = {
    "textDocument": {"inlineCompletion": {}},
    "experimental": {"twotrack": {"events": True}},
}


async def first_line(
    start: Start, models: ModelServer, project: Path, capabilities: dict[str, object]
) -> tuple[Client, Buffer]:
    """Ask for a block of which only the first line comes."""
    models.script(Reply(chunks=[FIRST, REST], hang_after=1))
    client = await start(capabilities=capabilities)
    buffer = client.open(project / "a.py", "python", HEAD)
    [item] = await client.complete(buffer, len(HEAD))
    assert item["insertText"] == FIRST.rstrip()
    return client, buffer


async def test_the_rest_is_told_of_and_known(
    start: Start, models: ModelServer, project: Path, environment: dict[str, str]
) -> None:
    client, buffer = await first_line(start, models, project, PLUGIN)
    models.release()
    told = await client.wait_for_notification("twotrack/didExtend")
    assert told == {
        "textDocument": {"uri": buffer.uri, "version": buffer.version},
        "position": {"line": 2, "character": 4},
    }
    [item] = await client.complete(buffer, len(HEAD))
    assert item["insertText"] == FIRST + REST
    assert len(models.requests) == 1
    await client.stop()
    ledger = sqlite3.connect(Path(environment["XDG_DATA_HOME"]) / "twotrack" / "ledger.sqlite3")
    [(source, output_tokens)] = ledger.execute("SELECT source, output_tokens FROM requests")
    outcomes = ledger.execute("SELECT kind FROM outcomes").fetchall()
    ledger.close()
    assert (source, output_tokens > 1) == ("model", True)
    assert outcomes == [("shown",)]


async def test_who_does_not_know_of_it_has_the_rest_at_the_next_key(
    start: Start, models: ModelServer, project: Path
) -> None:
    capabilities = {"textDocument": {"inlineCompletion": {}}}
    client, buffer = await first_line(start, models, project, capabilities)
    models.release()
    where = client.inline_params(buffer, len(HEAD))
    await client.request("textDocument/completion", where)  # a menu has all of it
    client.change(buffer, len(HEAD), len(HEAD), "a")
    [item] = await client.complete(buffer, len(buffer.text))
    assert item["insertText"] == (FIRST + REST)[1:]
    assert len(models.requests) == 1
    assert [name for name, _ in client.notifications if name == "twotrack/didExtend"] == []


async def test_what_is_typed_otherwise_closes_the_rest_upstream(
    start: Start, models: ModelServer, project: Path
) -> None:
    client, buffer = await first_line(start, models, project, PLUGIN)
    client.change(buffer, len(HEAD), len(HEAD), "pass")
    request = await models.wait_for(1)
    await request.closed()
    assert request.aborted_at is not None


async def test_who_dismisses_the_first_line_closes_the_rest_upstream(
    start: Start, models: ModelServer, project: Path
) -> None:
    client, buffer = await first_line(start, models, project, PLUGIN)
    [item] = await client.complete(buffer, len(HEAD))
    client.notify("twotrack/didRejectCompletion", {"item": {"command": item["command"]}})
    request = await models.wait_for(1)
    await request.closed()
    page = await client.request("twotrack/requests", None)
    assert [one["outcome"] for one in page["requests"]] == ["abandoned"]  # no silence ended it


async def test_what_follows_an_accepted_completion_is_asked_for_ahead(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("a = width * 2"), Reply("\n    return a * height"))
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", HEAD)
    [item] = await client.complete(buffer, len(HEAD))
    client.change(buffer, len(HEAD), len(HEAD), item["insertText"])
    await (await models.wait_for(2)).closed()
    client.change(buffer, len(buffer.text), len(buffer.text), "\n    ")
    [item] = await client.complete(buffer, len(buffer.text))
    assert item["insertText"] == "return a * height"
    assert len(models.requests) == 2


async def test_other_settings_close_the_rest_upstream(
    start: Start, models: ModelServer, project: Path, environment: dict[str, str]
) -> None:
    client, _ = await first_line(start, models, project, PLUGIN)
    settings = {"completion": {"max_lines": 9}}
    client.notify("workspace/didChangeConfiguration", {"settings": {"twotrack": settings}})
    request = await models.wait_for(1)
    await request.closed()
    await client.stop()
    ledger = sqlite3.connect(Path(environment["XDG_DATA_HOME"]) / "twotrack" / "ledger.sqlite3")
    outcomes = ledger.execute("SELECT outcome FROM requests").fetchall()
    ledger.close()
    assert outcomes == [("abandoned",)]
