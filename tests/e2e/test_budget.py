"""What a spending limit says to the person, through the wire."""

from pathlib import Path

from client import Client

from e2e.conftest import Start
from fakes.model_server import ModelServer, Reply

INLINE = {"textDocument": {"inlineCompletion": {}}}
SETTINGS = """
[models.far]
provider = "openai-compatible"
base_url = "http://models.invalid/v1"
model = "far-1"
fim = "qwen"
{prices}
[routes]
fast = ["far"]
[budget]
day = 1.0
[network]
proxy = "{base_url}"
[embedded]
enabled = false
"""
"""A model on another machine, which the fake server stands in for as a proxy."""


def told(client: Client) -> list[str]:
    return [p["message"] for method, p in client.notifications if method == "window/showMessage"]


async def ask(client: Client, project: Path, times: int) -> None:
    buffer = client.open(project / "a.py", "python", "def area(width, height):\n    ")
    for number in range(times):
        client.change(buffer, len(buffer.text), len(buffer.text), f"value_{number} = ")
        assert await client.complete(buffer, len(buffer.text), invoked=True)


async def test_a_model_that_the_limit_cannot_count_is_named_once(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("width * height")
    client = await start(capabilities=INLINE, settings=SETTINGS.replace("{prices}", ""))
    await ask(client, project, 3)
    await client.wait_for_notification("window/showMessage")
    assert await client.stop() == 0  # by then every cost is known
    assert len(models.requests) == 3
    [message] = told(client)
    assert "models.far.prices" in message


async def test_when_the_limit_is_reached_the_model_is_not_asked_and_that_is_said_once(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("width * height")
    prices = "prices = { input = 1e5, output = 1e5 }"
    client = await start(capabilities=INLINE, settings=SETTINGS.replace("{prices}", prices))
    await ask(client, project, 1)
    buffer = next(iter(client.buffers.values()))
    for number in range(3):
        client.change(buffer, len(buffer.text), len(buffer.text), f"more_{number} = ")
        await client.complete(buffer, len(buffer.text), invoked=True)
    [message] = told(client)
    assert "spending limit" in message
    assert len(models.requests) <= 2  # the cost of an answer is known a moment after it
