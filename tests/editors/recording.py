"""What a real server says to a plug-in, taken down: `editors/replay.py` says it again."""

import asyncio
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from client import Client, ResponseError

from fakes.model_server import ModelServer, Reply

CODE = "def area(width, height):\n    return width * height\n"
SWAPPED = CODE.replace("width * height", "height * width")
EXPLANATION = "It *multiplies* the two sides."
PRICES = "prices = { input = 10.0, output = 100.0 }"
EVENTS = {"experimental": {"twotrack": {"events": True}}}


def record(project: Path, settings: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Complete, edit and explain project/a.py, fail once, and return all that the server said."""
    # In a thread: once Playwright was used, the main one has a loop that runs.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _record(project, settings, environment)).result()


async def _record(project: Path, settings: str, environment: Mapping[str, str]) -> dict[str, Any]:
    async with ModelServer() as models:
        config = Path(environment["HOME"], "recorded.toml")
        priced = settings.replace('model = "clever-1"', f'model = "clever-1"\n{PRICES}')
        config.write_text(priced.replace("{base_url}", models.base_url))
        variables = {**environment, "TWOTRACK_CONFIG": str(config)}
        client = await Client.start(sys.executable, "-m", "twotrack", environment=variables)
        try:
            return await _said(client, models, project)
        finally:
            await client.stop()


async def _said(client: Client, models: ModelServer, project: Path) -> dict[str, Any]:
    initialize = await client.initialize(root=project, capabilities=EVENTS)
    buffer = client.open(project / "a.py", "python", CODE)
    place = {"line": 0, "character": 0}
    at = {"textDocument": {"uri": buffer.uri}, "range": {"start": place, "end": place}}

    async def edit(task: str, reply: Reply, **more: str) -> Any:
        models.script(reply)
        return await client.request("twotrack/edit", {**at, "task": task, **more})

    models.script(Reply("42"))
    await client.complete(buffer, len(CODE), invoked=True)
    refactor = Reply(f"<answer>\n{SWAPPED}</answer>")
    edits = {
        "refactor": await edit("refactor", refactor, instruction="swap the factors"),
        "explain": await edit("explain", Reply(EXPLANATION)),
    }
    models.default = Reply("", status=401)
    try:
        raise AssertionError(await edit("simplify", models.default))
    except ResponseError as error:
        refused = {"code": error.code, "message": error.message, "data": error.data}
    await client.wait_for_notification("twotrack/notice")
    answers = {
        "twotrack/subject": await client.request("twotrack/subject", at),
        "twotrack/requests": await client.request("twotrack/requests", {}),
        "twotrack/ledger": await client.request("twotrack/ledger", {}),
        "twotrack/status": await client.request("twotrack/status", {}),
    }
    told = [[name, params] for name, params in client.notifications if "twotrack/" in name]
    return {
        "initialize": initialize,
        "answers": answers,
        "edits": edits,
        "refused": refused,
        "notifications": told,
    }
