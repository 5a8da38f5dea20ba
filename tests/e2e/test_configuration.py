"""Settings through the wire: live, checked, and said clearly."""

from pathlib import Path

from e2e.conftest import SETTINGS, Start
from fakes.model_server import ModelServer, Reply

HEAD = "def area(width, height):\n    "
INLINE = {"textDocument": {"inlineCompletion": {}}}


def told(client: object) -> list[str]:
    return [p["message"] for m, p in client.notifications if m == "window/showMessage"]  # type: ignore[attr-defined]


async def test_a_wrong_key_is_named_with_its_file_and_the_rest_still_holds(
    start: Start, models: ModelServer, project: Path, environment: dict[str, str]
) -> None:
    settings = SETTINGS.replace("debounce_ms = 0", 'debouce_ms = 0\nmax_lines = "many"')
    models.script(Reply("return width"))
    client = await start(capabilities=INLINE, settings=settings)
    await client.wait_for(lambda: len(told(client)) >= 2)
    text = "\n".join(told(client))
    assert environment["TWOTRACK_CONFIG"] in text
    assert "debouce_ms" in text
    assert "debounce_ms" in text
    assert "max_lines" in text
    buffer = client.open(project / "a.py", "python", HEAD)
    assert (await client.complete(buffer, len(HEAD), invoked=True))[0]["insertText"]


async def test_the_editor_changes_a_route_without_a_restart(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=INLINE | {"workspace": {"configuration": True}})
    buffer = client.open(project / "a.py", "python", HEAD)
    await client.complete(buffer, len(HEAD), invoked=True)
    assert (await models.wait_for(1)).body["model"] == "quick-1"
    client.configuration = {"models": {"quick": {"model": "quick-2"}}}
    asked = len(client.requests)
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.wait_for(lambda: len(client.requests) > asked)
    client.change(buffer, len(HEAD), len(HEAD), "value = ")
    await client.complete(buffer, len(buffer.text), invoked=True)
    assert (await models.wait_for(2)).body["model"] == "quick-2"


async def test_pushed_settings_reach_clients_that_cannot_be_asked(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=INLINE)
    client.notify(
        "workspace/didChangeConfiguration",
        {"settings": {"twotrack": {"models": {"quick": {"model": "quick-3"}}}}},
    )
    buffer = client.open(project / "a.py", "python", HEAD)
    await client.complete(buffer, len(HEAD), invoked=True)
    assert (await models.wait_for(1)).body["model"] == "quick-3"


async def test_initialization_options_are_settings(
    start: Start, models: ModelServer, project: Path
) -> None:
    options = {"models": {"quick": {"model": "quick-4"}}}
    client = await start(capabilities=INLINE, options=options)
    buffer = client.open(project / "a.py", "python", HEAD)
    await client.complete(buffer, len(HEAD), invoked=True)
    assert (await models.wait_for(1)).body["model"] == "quick-4"


async def test_a_project_file_may_choose_a_model_but_not_a_server(
    start: Start, models: ModelServer, project: Path
) -> None:
    (project / ".twotrack.toml").write_text(
        '[models.quick]\nbase_url = "http://127.0.0.1:9/v1"\n[routes]\nfast = ["clever"]\n'
    )
    models.script(Reply("<completion>return width</completion>"))
    client = await start(capabilities=INLINE)
    await client.wait_for(lambda: told(client))
    assert any("not trusted" in text and ".twotrack.toml" in text for text in told(client))
    buffer = client.open(project / "a.py", "python", HEAD)
    await client.complete(buffer, len(HEAD), invoked=True)
    assert (await models.wait_for(1)).body["model"] == "clever-1"


async def test_invoke_only_says_nothing_while_typing(
    start: Start, models: ModelServer, project: Path
) -> None:
    settings = SETTINGS.replace("debounce_ms = 0", 'trigger = "invoke"')
    models.script(Reply("return width"))
    client = await start(capabilities=INLINE, settings=settings)
    buffer = client.open(project / "a.py", "python", HEAD)
    assert await client.complete(buffer, len(HEAD)) == []
    assert models.requests == []
    assert await client.complete(buffer, len(HEAD), invoked=True)


async def test_nothing_is_asked_before_the_editor_has_said_its_settings(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(initialize=False)
    client.configuration = {"models": {"quick": {"model": "quick-9"}}}
    await client.initialize(
        root=project, capabilities=INLINE | {"workspace": {"configuration": True}}
    )
    buffer = client.open(project / "a.py", "python", HEAD)
    await client.complete(buffer, len(HEAD), invoked=True)
    assert [request.body["model"] for request in models.requests] == ["quick-9"]
