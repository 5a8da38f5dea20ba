"""What a plug-in of an editor asks for beyond LSP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client import Client, ResponseError

from e2e.conftest import SETTINGS, Start
from fakes.model_server import ModelServer, Reply

CODE = "def area(width, height):\n    return width * height\n"
PLUGIN = {
    "textDocument": {"inlineCompletion": {}},
    "experimental": {"twotrack": {"events": True}},
}
EVERYTHING = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}


async def told(client: Client, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until the newest status is as wanted."""

    def met() -> dict[str, Any] | None:
        method = "twotrack/didChangeStatus"
        states = [params for name, params in client.notifications if name == method]
        return states[-1] if states and holds(states[-1]) else None

    found: dict[str, Any] = await client.wait_for(met)
    return found


async def test_the_status_says_who_would_be_asked(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=PLUGIN)
    status = await client.request("twotrack/status", {})
    assert status["tasks"]["complete"]["using"] == "quick"
    assert status["tasks"]["refactor"] == {
        "track": "strong",
        "models": ["clever"],
        "using": "clever",
        "chosen": False,
    }
    assert [model["name"] for model in status["models"]] == ["quick", "clever"]
    assert (status["busy"], status["paused"], status["problems"]) == (0, False, [])
    assert Path(status["ledger"]).name == "ledger.sqlite3"


async def test_the_status_names_the_model_behind_recall(
    start: Start, models: ModelServer, project: Path
) -> None:
    first = SETTINGS.replace('fast = ["quick"]', 'fast = ["recall", "quick"]')
    assert first != SETTINGS
    client = await start(capabilities=PLUGIN, settings=first)
    status = await client.request("twotrack/status", {})
    assert status["tasks"]["complete"]["using"] == "quick"


async def test_a_paused_server_completes_nothing(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("width")
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", "def area(width):\n    return ")
    at = len(buffer.text)
    assert (await client.request("twotrack/pause", {"paused": True}))["paused"] is True
    assert await client.complete(buffer, at, invoked=True) == []
    assert models.requests == []
    await client.request("twotrack/pause", {"paused": False})
    assert (await client.complete(buffer, at, invoked=True))[0]["insertText"] == "width"
    with pytest.raises(ResponseError, match="`paused` must be true or false"):
        await client.request("twotrack/pause", {"paused": "yes"})


async def test_a_language_or_some_files_are_paused_for_themselves(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("width")
    client = await start(capabilities=PLUGIN)
    code = "def area(width):\n    return "
    python = client.open(project / "a.py", "python", code)
    generated = client.open(project / "gen" / "b.lua", "lua", "return ")

    async def quiet() -> list[str]:
        buffers = {"python": python, "generated": generated}
        return [
            name
            for name, buffer in buffers.items()
            if not await client.complete(buffer, len(buffer.text), invoked=True)
        ]

    status = await client.request("twotrack/pause", {"paused": True, "language": "python"})
    assert (status["paused"], await quiet()) == (False, ["python"])
    status = await client.request("twotrack/pause", {"paused": True, "files": "gen/", "minutes": 5})
    assert await quiet() == ["python", "generated"]
    assert [(p["language"], p["files"], p["until"] is None) for p in status["pauses"]] == [
        ("python", None, True),
        (None, "gen/", False),
    ]
    await client.request("twotrack/pause", {"paused": False, "language": "python"})
    assert await quiet() == ["generated"]
    await client.request("twotrack/pause", {"paused": False})
    assert await quiet() == []
    for params, wrong in (
        ({"files": "#"}, "`files` must be a pattern"),
        ({"minutes": 0}, "`minutes` must be above 0"),
    ):
        with pytest.raises(ResponseError, match=wrong):
            await client.request("twotrack/pause", {"paused": True, **params})


async def test_a_pause_for_a_time_ends_by_itself(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("width")
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", "def area(width):\n    return ")
    status = await client.request("twotrack/pause", {"paused": True, "minutes": 1e-3})
    assert status["paused"] is True
    await client.wait_for(
        lambda: [
            params
            for method, params in client.notifications
            if method == "twotrack/didChangeStatus" and not params["paused"]
        ]
    )
    assert await client.complete(buffer, len(buffer.text), invoked=True) != []


async def test_who_pauses_twice_in_a_row_is_told_of_the_dial_once(start: Start) -> None:
    client = await start(capabilities={})
    for command in ("pause", "resume", "snooze", "resume", "pause"):
        await client.request("workspace/executeCommand", {"command": f"twotrack.{command}"})
    said = [params["message"] for method, params in client.notifications if "showMessage" in method]
    assert len([message for message in said if "completion.eagerness" in message]) == 1
    assert "twotrack: completions are paused for 5 minutes." in said


async def test_a_model_chosen_in_the_editor_is_asked_first(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("width")
    client = await start(capabilities=PLUGIN)
    status = await client.request("twotrack/useModel", {"track": "fast", "model": "clever"})
    assert status["tasks"]["complete"]["models"] == ["clever", "quick"]
    assert status["tasks"]["complete"]["chosen"] is True
    assert status["tasks"]["refactor"]["chosen"] is False
    with pytest.raises(ResponseError, match="no model 'none'"):
        await client.request("twotrack/useModel", {"track": "fast", "model": "none"})
    status = await client.request("twotrack/useModel", {"track": "fast", "model": None})
    assert status["tasks"]["complete"]["models"] == ["quick"]


async def test_an_edit_by_instruction_comes_back_to_be_shown(
    start: Start, models: ModelServer, project: Path
) -> None:
    new = CODE.replace("width", "w").replace("height", "h")
    models.script(Reply(f"<answer>\n{new}</answer>"))
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", CODE)
    answer = await client.request(
        "twotrack/edit",
        {
            "textDocument": {"uri": buffer.uri},
            "range": EVERYTHING,
            "task": "refactor",
            "instruction": "shorter names",
        },
    )
    (edits,) = answer["edit"]["changes"].values()
    assert buffer.edited(edits, client.encoding) == new
    assert (answer["model"], answer["text"]) == ("clever", None)
    assert "shorter names" in str(models.requests[0].body)
    assert buffer.text == CODE


@pytest.mark.parametrize(
    ("line", "named"), [(0, "area"), (1, "area"), (4, "the code at the cursor")]
)
async def test_what_an_edit_would_be_about_can_be_named_before(
    start: Start, project: Path, line: int, named: str
) -> None:
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", f"{CODE}\n\nprint(area(2, 3))\n")
    place = {"textDocument": {"uri": buffer.uri}}
    cursor = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 0}}
    assert await client.request("twotrack/subject", place | {"range": cursor}) == {"subject": named}
    selected = await client.request("twotrack/subject", place | {"range": EVERYTHING})
    assert selected == {"subject": "the selection"}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"task": "complete"}, "`task` must be one of"),
        ({"task": "refactor"}, "There is no instruction"),
        ({"task": "fix"}, "no diagnostic was named"),
        ({"task": "write"}, "`task` must be one of"),
        ({"task": "refactor", "instruction": 7}, "`instruction` must be a text"),
        ({"task": "explain", "range": {"start": 1}}, r"twotrack/edit .* `range.end` is missing"),
        ({"task": "explain", "textDocument": None}, "`textDocument.uri`"),
        ({"task": "explain", "textDocument": {"uri": "file:///no.py"}}, "not open"),
    ],
)
async def test_a_wrong_edit_is_told_in_a_sentence(
    start: Start, project: Path, params: dict[str, Any], said: str
) -> None:
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", "x = 1\n")
    place = {"textDocument": {"uri": buffer.uri}, "range": EVERYTHING}
    with pytest.raises(ResponseError, match=said):
        await client.request("twotrack/edit", place | params)


async def test_what_was_sent_can_be_read(start: Start, models: ModelServer, project: Path) -> None:
    models.script(Reply("width", model="quick-1"))
    client = await start(capabilities=PLUGIN)
    nothing = await client.request("twotrack/requests", {})
    assert nothing["requests"] == []
    assert "Nothing was sent to a model yet." in nothing["markdown"]
    buffer = client.open(project / "a.py", "python", "def area(width):\n    return ")
    await client.complete(buffer, len(buffer.text), invoked=True)
    answer = await client.request("twotrack/requests", {})
    (sent,) = answer["requests"]
    assert sent["prompt"].endswith("def area(width):\n    return ▌")
    assert (sent["model"], sent["answer"], sent["outcome"]) == ("quick", "width", "answered")
    assert (sent["task"], sent["sources"], sent["redacted"]) == ("block", ["a.py"], 0)
    assert isinstance(sent["costUsd"], float)
    assert "Shown to it: `a.py`." in answer["markdown"]
    await told(client, lambda status: status["busy"] == 0)


async def test_what_was_spent_can_be_read(start: Start, models: ModelServer, project: Path) -> None:
    models.script(Reply("width", model="quick-1"))
    client = await start(capabilities=PLUGIN)
    page = (await client.request("twotrack/ledger", {}))["markdown"]
    assert page.startswith("# Ledger\n\nNothing was asked since ")
    buffer = client.open(project / "a.py", "python", "def area(width):\n    return ")
    await client.complete(buffer, len(buffer.text), invoked=True)
    while "| `quick` | 1 | 1 |" not in page:  # rows are gathered for a second
        page = (await client.request("twotrack/ledger", {}))["markdown"]
    assert "| `python` | 1 | 1 |" in page


async def test_without_a_model_the_status_says_so(start: Start, project: Path) -> None:
    nothing = "[embedded]\nenabled = false\n[discovery]\nloopback = false\n"
    client = await start(capabilities=PLUGIN, settings=nothing)
    status = await client.request("twotrack/status", {})
    assert status["noModel"] == "No model: completions come from your own code alone."
    wanted = f'{nothing}[routes]\nfast = ["recall"]\n'
    client = await start(capabilities=PLUGIN, settings=wanted)
    assert (await client.request("twotrack/status", {}))["noModel"] is None


async def test_the_status_line_sees_a_question_come_and_go(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply("width", hang=True))
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", "def area(width):\n    return ")
    params = client.inline_params(buffer, len(buffer.text), invoked=True)
    _, answer = client.send("textDocument/inlineCompletion", params)
    await told(client, lambda status: status["busy"] == 1)
    await models.wait_for(1)
    models.release()
    await answer
    status = await told(client, lambda status: status["busy"] == 0 and status["last"] is not None)
    assert status["last"]["model"] == "quick"


async def test_diagnostics_of_other_servers_can_be_fixed(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", "x = undefinde\n")
    found = {"range": EVERYTHING, "message": "name 'undefinde' is not defined", "severity": 1}
    client.notify("twotrack/didChangeDiagnostics", {"uri": buffer.uri, "diagnostics": [found]})
    offers = await client.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": buffer.uri},
            "range": EVERYTHING,
            "context": {"diagnostics": []},
        },
    )
    assert any("undefinde" in offer["title"] for offer in offers)


async def test_a_plug_in_is_told_the_reason_and_what_mends_it(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("", status=401)
    client = await start(capabilities=PLUGIN)
    buffer = client.open(project / "a.py", "python", CODE)
    wanted = {"reason": "The API key of clever was refused.", "remedy": "key", "model": "clever"}
    with pytest.raises(ResponseError) as refused:
        await client.request(
            "twotrack/edit",
            {"textDocument": {"uri": buffer.uri}, "range": EVERYTHING, "task": "simplify"},
        )
    assert refused.value.data == wanted
    notice = await client.wait_for_notification("twotrack/notice")
    assert wanted.items() <= notice.items()
    assert "401" in notice["message"]
    assert not [method for method, _ in client.notifications if method == "window/showMessage"]


@pytest.mark.parametrize(
    ("editor", "capabilities", "wanted"),
    [
        ("helix-25.07", {}, {"pause", "resume", "snooze", "showRequest", "showStatus"}),
        ("", PLUGIN, {"act", "didAccept"}),
        (
            "",
            {},
            {"act", "didAccept", "pause", "resume", "snooze", "showRequest", "showStatus"},
        ),
    ],
)
async def test_the_commands_that_are_announced(
    start: Start, editor: str, capabilities: dict[str, Any], wanted: set[str]
) -> None:
    client = await start(editor, capabilities=capabilities)
    announced = client.server_capabilities["executeCommandProvider"]["commands"]
    assert set(announced) == {f"twotrack.{name}" for name in wanted}


async def test_commands_for_editors_without_a_plug_in(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities={})
    for command, said in (
        ("twotrack.pause", "completions are paused"),
        ("twotrack.resume", "twotrack is back"),
        ("twotrack.showStatus", "twotrack is ready. Spent today: $0.00. fast: quick"),
        ("twotrack.showRequest", "nothing was sent yet"),
    ):
        await client.request("workspace/executeCommand", {"command": command})
        await client.wait_for(
            lambda said=said: [
                params
                for method, params in client.notifications
                if method == "window/showMessage" and said in params["message"]
            ]
        )
