"""A real server in repositories that hold what no reader expects, in seeded disorder.

Whatever a tree holds and whatever is asked in it: every request is answered, a cheap one in between
within a bound; no word of an ignored, secret or outside file reaches a model; nothing outside
changes; memory stays bounded; and the server ends with status 0. The long form plants tree after
tree and prints what it measured; a failure names its seed:

    python tests/chaos/test_hostile_tree.py [--minutes 5] [--seed 1] [--steps 150]
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # as a program, it stands in its own folder
sys.path.insert(0, str(Path(__file__).parents[2] / "editors/terminal"))

from client import Buffer, Client, Json, ResponseError

from chaos.hostile_tree import CODE, TESTS, Tree, plant
from fakes.model_server import ModelServer, Reply, RequestLog

CLIENTS = Path(__file__).parents[1] / "clients"

SETTINGS = """
[models.quick]
provider = "openai-compatible"
base_url = "{base_url}"
model = "quick-1"
fim = "qwen"
[models.clever]
provider = "openai-compatible"
base_url = "{base_url}"
model = "clever-1"
[routes]
fast = ["quick", "recall"]
strong = ["clever"]
[completion]
debounce_ms = 0
[context]
rules = ["AGENTS.md", "docs/RULES.md", "link/diary.md"]
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
"""

ANSWER_S = 60.0
"""So long a request may take in the worst tree on the slowest machine: beyond that it hangs."""
CHEAP_S = 10.0
"""The same of a request that needs no disk and no model."""
MEMORY_MB = 700
"""Most resident memory; a server that has opened an ordinary project needs 80."""
LARGE = 100_000
"""Characters of a buffer that the test's own client need not edit: it counts slowly."""


@dataclass
class Measured:
    """What a run met."""

    trees: int = 0
    requests: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Messages of the errors that answered requests."""
    sent: int = 0
    """Requests that reached the model server."""
    slowest: tuple[float, str] = (0.0, "")
    cheap_s: float = 0.0
    memory_mb: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.trees} trees, {self.requests} requests, all answered "
            f"({self.refused.total()} by an error); {self.sent} reached a model; the slowest took "
            f"{self.slowest[0]:.2f} s ({self.slowest[1]}), a cheap one {self.cheap_s:.2f} s; "
            f"{self.memory_mb:.0f} MB at most"
        )


class Editor(Client):
    """An editor that refuses edits of what is too large for its own counting."""

    def apply(self, edit: Json) -> Json:
        """Apply a WorkspaceEdit to the buffers, or refuse it."""
        if any(len(buffer.text) > LARGE for buffer in self.buffers.values()):
            return {"applied": False, "failureReason": "too large"}
        return super().apply(edit)


class Visit:
    """One server in one tree. Draws come from `chance`; what it meets is written to `measured`."""

    def __init__(
        self, editor: Editor, tree: Tree, chance: random.Random, measured: Measured
    ) -> None:
        self._editor = editor
        self._tree = tree
        self._chance = chance
        self._measured = measured
        self._process = psutil.Process(editor.process.pid)
        self._open: list[Buffer] = []
        self._actions: list[Json] = []
        self.waiting: list[asyncio.Task[None]] = []
        self.steps: list[str] = []

    async def step(self) -> None:
        """Do one thing; some are done while others are still unanswered."""
        chance = self._chance
        do = chance.choices(
            [self._look_in, self._complete, self._list, self._act, self._type, self._close],
            [4, 6, 4, 4, 4, 1],
        )[0]
        await do()
        if chance.random() < 0.3:
            self._disturb()
        if len(self.waiting) > 8 or chance.random() < 0.2:
            await self.settle()
            await self.cheap()

    async def settle(self) -> None:
        """Wait until all that was asked is answered."""
        waiting, self.waiting = self.waiting, []
        await asyncio.gather(*waiting)

    async def cheap(self) -> None:
        """Ask what needs nothing, and measure."""
        began = time.monotonic()
        await asyncio.wait_for(self._editor.request("twotrack/status", {}), CHEAP_S)
        measured = self._measured
        measured.cheap_s = max(measured.cheap_s, time.monotonic() - began)
        memory = self._process.memory_info().rss / 1e6
        measured.memory_mb = max(measured.memory_mb, memory)
        assert memory < MEMORY_MB, f"{memory:.0f} MB"

    async def _answer(self, method: str, params: Json, what: str) -> Any:
        self.steps.append(f"{method} {what}")
        self._measured.requests += 1
        began = time.monotonic()
        try:
            result = await asyncio.wait_for(self._editor.request(method, params), ANSWER_S)
        except ResponseError as error:
            if "nternal error" in error.message:
                raise
            self._measured.refused[error.message[:60]] += 1
            result = None
        took = time.monotonic() - began
        if took > self._measured.slowest[0]:
            self._measured.slowest = took, f"{method} {what}"
        return result

    def _ask(self, method: str, params: Json, buffer: Buffer) -> None:
        answer = self._answer(method, params, _name(buffer))
        self.waiting.append(asyncio.ensure_future(answer))

    async def _look_in(self) -> None:
        source = self._chance.choice(self._tree.sources)
        if any(buffer.uri == source.path.as_uri() for buffer in self._open):
            return
        if len(self._open) > 12:
            await self._close()
        buffer = self._editor.open(source.path, source.language, source.text)
        self.steps.append(f"open {_name(buffer)}")
        self._open.append(buffer)

    def _buffer(self) -> Buffer | None:
        return self._chance.choice(self._open) if self._open else None

    def _place(self, buffer: Buffer) -> int:
        """An index of the text: often its end, where people type."""
        end = len(buffer.text)
        return end if self._chance.random() < 0.4 else self._chance.randint(0, end)

    async def _complete(self) -> None:
        if (buffer := self._buffer()) is None:
            return
        invoked = self._chance.random() < 0.8
        params = self._editor.inline_params(buffer, self._place(buffer), invoked=invoked)
        if self._chance.random() < 0.5:
            self._ask("textDocument/inlineCompletion", params, buffer)
        elif "completionProvider" in self._editor.server_capabilities:
            self._ask("textDocument/completion", {**params, "context": {"triggerKind": 1}}, buffer)

    async def _list(self) -> None:
        if (buffer := self._buffer()) is None:
            return
        here = "area" in buffer.text and self._chance.random() < 0.7
        at = buffer.text.index("area") if here else self._place(buffer)
        end = at if self._chance.random() < 0.5 else self._place(buffer)
        span = {
            "start": buffer.position(min(at, end), self._editor.encoding),
            "end": buffer.position(max(at, end), self._editor.encoding),
        }
        found = [{"range": span, "message": "undefined name", "severity": 1}]
        params = {
            "textDocument": {"uri": buffer.uri},
            "range": span,
            "context": {"diagnostics": found if self._chance.random() < 0.5 else []},
        }
        offers = await self._answer("textDocument/codeAction", params, _name(buffer))
        self._actions += offers or []

    async def _act(self) -> None:
        if not self._actions:
            return
        action = self._actions.pop(self._chance.randrange(len(self._actions)))
        command = action.get("command")
        if "data" in action:
            uri = action["data"]["uri"]
            self._ask("codeAction/resolve", action, self._editor.buffers[uri])
        elif command is not None:
            chosen = action if isinstance(command, str) else command
            params = {"command": chosen["command"], "arguments": chosen["arguments"]}
            uri = chosen["arguments"][0]["uri"]
            self._ask("workspace/executeCommand", params, self._editor.buffers[uri])

    async def _type(self) -> None:
        buffer = self._buffer()
        if buffer is None or len(buffer.text) > LARGE:
            return
        at = self._place(buffer)
        new = self._chance.choice(["x", "(", "\n", "    ", "'", "result = ", "\r\n", "\U0001f40d"])
        self._editor.change(
            buffer, at, min(len(buffer.text), at + self._chance.choice([0, 3])), new
        )

    async def _close(self) -> None:
        if (buffer := self._buffer()) is None:
            return
        self._open.remove(buffer)
        self._actions.clear()
        self._editor.notify("textDocument/didSave", {"textDocument": {"uri": buffer.uri}})
        self._editor.notify("textDocument/didClose", {"textDocument": {"uri": buffer.uri}})

    def _disturb(self) -> None:
        """Change the disk under the server, and tell it of that and of what never was."""
        chance, tree = self._chance, self._tree
        changed = tree.churn(chance)
        tree.swap(tree.root / chance.choice(["m.py", "tests/test_m.py", "AGENTS.md"]), chance)
        told = [
            {"uri": changed.as_uri(), "type": chance.randint(1, 3)},
            {"uri": (tree.root / ("long" * 500 + ".py")).as_uri(), "type": chance.randint(1, 3)},
            {"uri": (tree.root / "link/diary.py").as_uri(), "type": 1},
            {"uri": f"{tree.root.as_uri()}/%00%ff%0a.py", "type": chance.randint(1, 3)},
        ]
        changes = chance.sample(told, chance.randint(1, len(told)))
        if chance.random() < 0.1:  # all settings are read anew
            changes.append({"uri": (tree.root / ".twotrack.toml").as_uri(), "type": 2})
        self.steps.append(f"disk: {changed.name!r}")
        self._editor.notify("workspace/didChangeWatchedFiles", {"changes": changes})
        renamed = {"oldUri": changed.as_uri(), "newUri": changed.with_name("b.py").as_uri()}
        self._editor.notify("workspace/didRenameFiles", {"files": [renamed]})
        if chance.random() < 0.1:
            folder = {
                "uri": (tree.root / chance.choice(["loop", "link", "pkg"])).as_uri(),
                "name": "",
            }
            event = {"added": [folder] * chance.randint(0, 1), "removed": [folder]}
            self._editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})


def _name(buffer: Buffer) -> str:
    return f"{buffer.uri[-40:]} ({buffer.language}, {len(buffer.text)} characters)"


def replies(chance: random.Random) -> Any:
    """What models answer: good, useless or odd."""
    texts = [
        f"```python\n{TESTS}```",
        f"```python\n{CODE}```",
        "area(2, 3)",
        "width * height",
        "",
        "x" * 50_000,
        "```\n" * 500,
        "\u202e\u0000\ud83d",
        "-(" * 3000,
    ]

    def answer(_: RequestLog) -> Reply:
        return Reply(chance.choice(texts), chunks=None, drop=chance.random() < 0.05)

    return answer


async def visit(folder: Path, seed: int, steps: int, measured: Measured) -> None:
    """Plant a tree below `folder` and live in it. Raises AssertionError, with what is in it."""
    chance = random.Random(f"visit {seed}")  # noqa: S311  # no secret
    async with ModelServer() as models:
        models.answer = replies(chance)
        tree = plant(folder, seed, models.url)
        beyond = tree.beyond()
        (folder / "config.toml").write_text(SETTINGS.replace("{base_url}", models.base_url))
        environment = {
            "TWOTRACK_CONFIG": str(folder / "config.toml"),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        names = {path.name for path in folder.iterdir()} | {"data", "config", "cache"}
        editor = await Editor.start(sys.executable, "-m", "twotrack", environment=environment)
        there = Visit(editor, tree, chance, measured)
        try:
            recorded = json.loads(chance.choice(sorted(CLIENTS.glob("*.json"))).read_text())
            await editor.initialize(
                root=tree.root,
                capabilities=recorded["capabilities"],
                client_info=recorded.get("clientInfo"),
            )
            for _ in range(steps):
                await there.step()
            await there.settle()
            await there.cheap()
            assert await editor.stop() == 0
            assert tree.beyond() == beyond, "something outside was changed"
            assert {path.name for path in folder.iterdir()} <= names, "something outside was made"
            check_sent(models.requests, tree)
            assert editor.waiting == 0
        except BaseException as error:
            error.add_note(f"seed {seed}; the tree: {'; '.join(tree.planted)}")
            error.add_note("last steps:\n  " + "\n  ".join(there.steps[-12:]))
            raise
        finally:
            for task in there.waiting:
                task.cancel()
            await asyncio.gather(*there.waiting, return_exceptions=True)
            await editor.kill()
        measured.trees += 1
        measured.sent += len(models.requests)


def check_sent(requests: list[RequestLog], tree: Tree) -> None:
    """Assert that no model was sent what it must never see, and that no other was asked."""
    for request in requests:
        assert not request.path.startswith("/evil"), "a project's settings named the server"
        body = request.raw_body.decode()
        for word, where in tree.forbidden.items():
            assert word not in body, f"{where} was sent in {body[:2000]}"


# -- the short form ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_no_tree_stops_the_server_or_makes_it_tell(tmp_path: Path, seed: int) -> None:
    measured = Measured()
    await visit(tmp_path, seed, 50, measured)
    assert measured.requests > 10


def test_a_seed_plants_the_same_tree_again(tmp_path: Path) -> None:
    one, two = plant(tmp_path / "one", 7), plant(tmp_path / "two", 7)
    assert one.planted == two.planted
    assert one.forbidden == two.forbidden
    assert [source.text for source in one.sources] == [source.text for source in two.sources]
    assert one.planted != plant(tmp_path / "three", 8).planted


async def test_what_is_forbidden_would_be_seen(tmp_path: Path) -> None:
    tree = plant(tmp_path, 1)
    (word, *_) = tree.forbidden
    request = RequestLog(
        "POST", "/v1/completions", {}, None, 0.0, f'{{"prompt": "{word}"}}'.encode()
    )
    with pytest.raises(AssertionError, match=r"outside: 'diary\.md' was sent"):
        check_sent([request], tree)


# -- the long form -----------------------------------------------------------------------------


async def main(minutes: float, seed: int, steps: int) -> None:
    measured = Measured()
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        with tempfile.TemporaryDirectory() as folder:
            await visit(Path(folder), seed, steps, measured)
        seed += 1
        print(f"up to seed {seed - 1}: {measured}", flush=True)
    print("refused:", dict(measured.refused.most_common(12)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Live in hostile repositories.")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=150)
    given = parser.parse_args()
    asyncio.run(main(given.minutes, given.seed, given.steps))
