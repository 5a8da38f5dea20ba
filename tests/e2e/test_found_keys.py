"""A key that was found is used when the person has said so, and they are asked once."""

import json
from pathlib import Path
from typing import Any

import pytest
from client import Buffer, Client

from e2e.conftest import Start
from fakes.model_server import ModelServer

NOTHING = """
[discovery]
loopback = false
[embedded]
enabled = false
[network]
proxy = "{base_url}"
"""
"""No model but those of found keys; all are reached through the fake server, which refuses."""
ASKS = {"window": {"showMessage": {}}, "textDocument": {"inlineCompletion": {}}}
ONE = {"OPENAI_API_KEY": "sk-found"}
TWO = {**ONE, "MISTRAL_API_KEY": "found"}


async def begin(start: Start, choices: list[str], variables: dict[str, str], **more: Any) -> Client:
    """Start a session of an editor whose user chooses so, and wait until nothing is asked."""
    client = await start(capabilities=ASKS, settings=NOTHING, variables=variables, initialize=False)
    client.choices = choices
    await client.initialize(root=more.pop("root"), capabilities=ASKS, **more)
    return client


async def asked(client: Client) -> str:
    """Wait for the question; give its words."""
    method = "window/showMessageRequest"
    found = await client.wait_for(lambda: [p for name, p in client.requests if name == method])
    words: str = found[-1]["message"]
    return words


async def used(client: Client, wanted: list[str]) -> None:
    """Wait until these models complete."""
    models: list[str] = ["?"]
    while models != wanted:
        status = await client.request("twotrack/status", {})
        models = status["tasks"]["complete"]["models"]


async def explain(client: Client, buffer: Buffer) -> None:
    """Ask for an explanation of the first line."""
    lines = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
    params = {"textDocument": {"uri": buffer.uri}, "range": lines, "task": "explain"}
    await client.request("twotrack/edit", params)


def kept(environment: dict[str, str]) -> Any:
    return json.loads(Path(environment["XDG_DATA_HOME"], "twotrack/found-keys.json").read_text())


async def test_yes_uses_the_key_and_is_kept(
    start: Start, project: Path, environment: dict[str, str]
) -> None:
    client = await begin(start, ["Use"], ONE, root=project)
    words = await asked(client)
    assert words.startswith("OPENAI_API_KEY was found: completions by gpt-")
    assert words.endswith("in USD per million tokens. Use it?")
    await used(client, ["openai-fast", "recall"])
    assert kept(environment) == {"OPENAI_API_KEY": True}
    assert "sk-found" not in words

    again = await begin(start, [], ONE, root=project)
    await used(again, ["openai-fast", "recall"])
    assert not [m for m, _ in again.requests if m == "window/showMessageRequest"]


async def test_no_is_kept_and_nothing_is_sent(
    start: Start, project: Path, environment: dict[str, str], models: ModelServer
) -> None:
    client = await begin(start, ["Local Only"], ONE, root=project)
    await asked(client)
    buffer = client.open(project / "a.py", "python", "def area(width):\n    return ")
    await client.complete(buffer, len(buffer.text), invoked=True)
    await used(client, ["recall"])
    assert kept(environment) == {"OPENAI_API_KEY": False}
    assert models.connections == 0
    status = await client.request("twotrack/status", {})
    assert status["noModel"] == "No model: completions come from your own code alone."


async def test_no_answer_sends_nothing_and_an_action_asks_again(
    start: Start, project: Path, environment: dict[str, str], models: ModelServer
) -> None:
    client = await begin(start, [], ONE, root=project)
    await asked(client)
    buffer = client.open(project / "a.py", "python", "def area(width):\n    return width\n")
    await client.complete(buffer, len(buffer.text), invoked=True)
    assert models.connections == 0
    status = await client.request("twotrack/status", {})
    assert status["noModel"] == "OPENAI_API_KEY was found and waits for your yes."
    client.choices = ["Use"]
    with pytest.raises(Exception, match="openai-strong"):
        await explain(client, buffer)
    assert kept(environment) == {"OPENAI_API_KEY": True}


async def test_an_editor_that_puts_the_question_away_has_not_said_yes(
    start: Start, project: Path, environment: dict[str, str]
) -> None:
    """It may answer with an error, such as RequestCancelled."""
    client = await begin(start, ["cancelled"], ONE, root=project)
    await asked(client)
    status = await client.request("twotrack/status", {})
    assert status["tasks"]["complete"]["models"] == ["recall"]
    assert not Path(environment["XDG_DATA_HOME"], "twotrack/found-keys.json").exists()


@pytest.mark.parametrize("refusal", ["cancelled", "unknown"])
async def test_an_error_at_the_second_question_is_no_yes_either(
    start: Start, project: Path, environment: dict[str, str], refusal: str
) -> None:
    """Whatever its code: an editor that asked the first one can ask."""
    client = await begin(start, ["Choose", refusal], TWO, root=project)
    method = "window/showMessageRequest"
    await client.wait_for(lambda: [m for m, _ in client.requests].count(method) == 2)
    client.choices = []
    buffer = client.open(project / "a.py", "python", "def area(width):\n    return width\n")
    with pytest.raises(Exception, match="wait for your yes"):
        await explain(client, buffer)
    assert not Path(environment["XDG_DATA_HOME"], "twotrack/found-keys.json").exists()


async def test_of_several_keys_one_can_be_chosen(
    start: Start, project: Path, environment: dict[str, str]
) -> None:
    client = await begin(start, ["Choose", "Mistral"], TWO, root=project)
    await used(client, ["mistral-fast", "recall"])
    first, second = [p["message"] for m, p in client.requests if m == "window/showMessageRequest"]
    assert first.startswith("MISTRAL_API_KEY, OPENAI_API_KEY were found: completions by codestral")
    assert first.endswith("Use them?")
    assert second == "Whose key may be used?"
    assert kept(environment) == {"OPENAI_API_KEY": False, "MISTRAL_API_KEY": True}


async def test_a_key_that_was_given_to_the_plug_in_needs_no_question(
    start: Start, project: Path
) -> None:
    given = {**ONE, "TWOTRACK_KEYS_GIVEN": "OPENAI_API_KEY"}
    client = await begin(start, [], given, root=project)
    await used(client, ["openai-fast", "recall"])
    assert not [m for m, _ in client.requests if m == "window/showMessageRequest"]


async def test_an_editor_that_cannot_ask_says_what_is_used(
    start: Start, project: Path, environment: dict[str, str]
) -> None:
    client = await start(capabilities={}, settings=NOTHING, variables=ONE)
    told = await client.wait_for_notification("window/showMessage")
    assert "OPENAI_API_KEY was found: completions by gpt-" in str(told)
    assert "`twotrack models` says how to forbid it." in str(told)
    await used(client, ["openai-fast", "recall"])
    assert kept(environment) == {"OPENAI_API_KEY": True}


async def test_answers_that_cannot_be_read_are_asked_for_again(
    start: Start, project: Path, environment: dict[str, str]
) -> None:
    path = Path(environment["XDG_DATA_HOME"], "twotrack/found-keys.json")
    path.parent.mkdir(parents=True)
    path.write_text("[{")
    client = await begin(start, ["Use"], ONE, root=project)
    await asked(client)
    await used(client, ["openai-fast", "recall"])
    assert kept(environment) == {"OPENAI_API_KEY": True}
