"""A developer's day against a real server whose models fail, compressed into minutes.

    python tests/chaos/soak.py [--hours 8] [--minutes 10] [--seed 1]

So many hours of opening, typing, completing, accepting, undoing, code actions, saving, closing and
changed settings are carried out in so many minutes; with `--minutes 0` as fast as it goes. Printed
are memory, open descriptors, threads and the latency of completions that were waited for, in the
first and in the last tenth of the day. The exit status is 1, with a sentence, where memory or
descriptors grew beyond the bounds, or a request was not answered.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # as a program, it stands in its own folder
sys.path.insert(0, str(Path(__file__).parents[2] / "editors/terminal"))

from client import Buffer, Client, Json, ResponseError

from chaos.faulty_server import FaultyServer, shares
from fakes.model_server import ModelServer, Reply, RequestLog

EDITOR = Path(__file__).parents[1] / "clients/vscode.json"

SETTINGS = """
[models.first]
provider = "openai-compatible"
base_url = "FIRST"
model = "first-1"
fim = "qwen"
[models.second]
provider = "openai-compatible"
base_url = "SECOND"
model = "second-1"
fim = "qwen"
[models.clever]
provider = "openai-compatible"
base_url = "CLEVER"
model = "clever-1"
[routes]
fast = ["first", "second"]
strong = ["clever"]
[completion]
debounce_ms = 0
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
"""

FAULTY = {"first": 0.3, "second": 0.1}
"""The share of each fast model's answers that are wrong."""
STEPS_AN_HOUR = 1_500
"""What a developer does in an hour: most of it keys."""
SAMPLES = 200
"""How often a day is measured."""
FILES = 60
MOST_OPEN = 8
MOST_CHARACTERS = 20_000
"""A buffer that has grown beyond that is closed, as its file is then split."""
ANSWER_S = 60.0
"""So long an answer may take on the slowest machine; beyond that it counts as missing."""

MOST_GROWTH_MB = 30.0
"""Resident memory of the last tenth of a day above that of the first, which fills the caches."""
MOST_MORE_DESCRIPTORS = 8
"""The same of open descriptors: connections come and go with the faults."""


# -- what is measured --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """The server's process at one moment."""

    memory_mb: float
    descriptors: int
    threads: int


@dataclass
class Report:
    """What a day was like."""

    samples: list[Sample] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    """Of each completion that was waited for, in order."""
    done: Counter[str] = field(default_factory=Counter)
    """How often each kind of step was done."""
    requests: int = 0
    refused: int = 0
    """Requests that an error answered."""
    unanswered: int = 0
    status: int = 0
    """The server's exit status."""

    def problem(self) -> str:
        """Say in a sentence what is wrong with the day; empty where nothing is."""
        first, last = tenths(self.samples)
        grown = _median(last, lambda s: s.memory_mb) - _median(first, lambda s: s.memory_mb)
        more = _median(last, lambda s: s.descriptors) - _median(first, lambda s: s.descriptors)
        if self.unanswered:
            return f"{self.unanswered} requests were not answered."
        if grown > MOST_GROWTH_MB:
            return f"Memory grew by {grown:.1f} MB, more than {MOST_GROWTH_MB:.0f}."
        if more > MOST_MORE_DESCRIPTORS:
            return f"There are {more:.0f} more open descriptors, above {MOST_MORE_DESCRIPTORS}."
        if self.status:
            return f"The server ended with status {self.status}."
        return ""

    def __str__(self) -> str:
        first, last = tenths(self.samples)
        early, late = tenths(self.latencies_ms)
        lines = [
            f"{self.requests} requests, {self.unanswered} unanswered, {self.refused} refused",
            ", ".join(f"{name} {count}" for name, count in self.done.most_common()),
        ]
        readings: list[tuple[str, Callable[[Sample], float]]] = [
            ("memory, MB", lambda sample: sample.memory_mb),
            ("descriptors", lambda sample: sample.descriptors),
            ("threads", lambda sample: sample.threads),
        ]
        for name, read in readings:
            most = max(map(read, self.samples))
            lines.append(
                f"{name}: {_median(first, read):.1f} in the first tenth, "
                f"{_median(last, read):.1f} in the last, {most:.1f} at most"
            )
        lines += [
            f"completion, p{percent}: {_percentile(early, percent):.1f} ms in the first tenth, "
            f"{_percentile(late, percent):.1f} ms in the last"
            for percent in (50, 95)
        ]
        return "\n".join(lines)


def tenths(values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return the first and the last tenth of what was measured, at least one value each."""
    count = max(1, len(values) // 10)
    return values[:count], values[-count:]


def _median(samples: Sequence[Sample], read: Callable[[Sample], float]) -> float:
    return statistics.median(map(read, samples))


def _percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[len(values) * percent // 100] if values else 0.0


# -- the day -----------------------------------------------------------------------------------


def module(number: int) -> str:
    """The text of one of the project's files."""
    head = f'"""Prices of kind {number}."""\n\nRATE = {number}\n\n\n'
    return head + "\n\n".join(
        f"def total_{number}_{n}(price, rate):\n"
        f"    value = compute(price, rate) * RATE\n"
        f"    return value + {n}\n"
        for n in range(12)
    )


TYPED = (
    *("value", " = ", "compute", "(", "total", ", ", "rate", ")", "\n    ", "return ", ".", "if "),
    *("# ", "'", '"', "[", "]", "{", "}", ":", "\n", "\n\n", "é", "\U0001f40d"),
)


class Day:
    """One editor and what its developer does. Draws come from `chance`."""

    def __init__(self, editor: Client, root: Path, chance: random.Random, report: Report) -> None:
        self._editor = editor
        self._root = root
        self._chance = chance
        self._report = report
        self._open: list[Buffer] = []
        self._at: dict[str, int] = {}
        """Where the cursor stands in each open buffer."""
        self._undo: list[tuple[Buffer, int, str, str]] = []
        """Buffer, place, what was there, what is there now."""
        self._pending: set[asyncio.Future[Any]] = set()

    async def step(self) -> None:
        """Do one thing."""
        if not self._open:
            self._look_in()
            return
        steps = {
            self._type: 70,
            self._pause: 12,
            self._look_in: 3,
            self._leave: 2,
            self._take_back: 4,
            self._move: 4,
            self._save: 2,
            self._act: 1.5,
            self._set: 0.5,
            self._look_at_status: 1,
        }
        do = self._chance.choices(list(steps), list(steps.values()))[0]
        self._report.done[do.__name__.strip("_").replace("_", " ")] += 1
        waits = do()
        if waits is not None:
            await waits

    def _send(self, method: str, params: Json) -> asyncio.Future[Any]:
        self._report.requests += 1
        _, answer = self._editor.send(method, params)
        self._pending.add(answer)
        answer.add_done_callback(self._answered)
        return answer

    def _answered(self, answer: asyncio.Future[Any]) -> None:
        self._pending.discard(answer)
        if not answer.cancelled() and isinstance(answer.exception(), ResponseError):
            self._report.refused += 1

    async def _ask(self, method: str, params: Json) -> Any:
        """Ask and wait; None where the answer is an error, or does not come."""
        answer = self._send(method, params)
        with suppress(ResponseError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.shield(answer)
        return None

    async def settled(self) -> int:
        """Wait for what is still unanswered; give how many requests stay so."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=ANSWER_S)
        return len(self._pending)

    def _buffer(self) -> Buffer:
        return self._open[-1]

    def _replace(self, buffer: Buffer, start: int, end: int, new: str) -> None:
        old = buffer.text[start:end]
        self._editor.change(buffer, start, end, new)
        self._at[buffer.uri] = start + len(new)
        self._undo = [*self._undo[-50:], (buffer, start, old, new)]

    def _place(self, buffer: Buffer) -> int:
        return min(self._at[buffer.uri], len(buffer.text))

    def _completion(self, buffer: Buffer, *, invoked: bool) -> asyncio.Future[Any]:
        params = self._editor.inline_params(buffer, self._place(buffer), invoked=invoked)
        return self._send("textDocument/inlineCompletion", params)

    def _type(self) -> None:
        buffer = self._buffer()
        at = self._place(buffer)
        self._replace(buffer, at, at, self._chance.choice(TYPED))
        self._completion(buffer, invoked=False)  # the next key comes before its answer

    async def _pause(self) -> None:
        """Wait for a completion; take some of them."""
        buffer = self._buffer()
        began = time.perf_counter()
        answer = self._completion(buffer, invoked=self._chance.random() < 0.2)
        try:
            async with asyncio.timeout(ANSWER_S):
                result = await asyncio.shield(answer)
        except (ResponseError, TimeoutError):
            return
        self._report.latencies_ms.append((time.perf_counter() - began) * 1e3)
        items = result["items"] if result else []
        if items and self._chance.random() < 0.5:
            at = self._place(buffer)
            self._replace(buffer, at, at, str(items[0]["insertText"]))
            self._report.done["accepted"] += 1

    def _look_in(self) -> None:
        path = self._root / f"module_{self._chance.randrange(FILES)}.py"
        known = [buffer for buffer in self._open if buffer.uri == path.as_uri()]
        if known:
            self._open.remove(known[0])
            self._open.append(known[0])
            return
        if len(self._open) == MOST_OPEN:
            self._close(self._open[0])
        buffer = self._editor.open(path, "python")
        self._open.append(buffer)
        self._at[buffer.uri] = self._chance.randint(0, len(buffer.text))

    def _leave(self) -> None:
        self._close(self._chance.choice(self._open))

    def _close(self, buffer: Buffer) -> None:
        self._open.remove(buffer)
        self._undo = [change for change in self._undo if change[0] is not buffer]
        del self._at[buffer.uri], self._editor.buffers[buffer.uri]
        self._editor.notify("textDocument/didClose", {"textDocument": {"uri": buffer.uri}})

    def _take_back(self) -> None:
        for _ in range(self._chance.randint(1, 5)):
            if not self._undo:
                return
            buffer, at, old, new = self._undo.pop()
            if buffer.text[at : at + len(new)] != new:  # an edit came between
                continue
            self._editor.change(buffer, at, at + len(new), old)
            self._at[buffer.uri] = at + len(old)
            self._completion(buffer, invoked=False)

    def _move(self) -> None:
        buffer = self._buffer()
        self._at[buffer.uri] = self._chance.randint(0, len(buffer.text))
        if len(buffer.text) > MOST_CHARACTERS:
            self._close(buffer)

    def _save(self) -> None:
        buffer = self._buffer()
        path = self._root / buffer.uri.rpartition("/")[2]
        keeps = len(buffer.text) <= MOST_CHARACTERS / 2
        path.write_text(buffer.text if keeps else module(0), encoding="utf-8")
        self._editor.notify("textDocument/didSave", {"textDocument": {"uri": buffer.uri}})
        changes = [{"uri": path.as_uri(), "type": 2}]
        self._editor.notify("workspace/didChangeWatchedFiles", {"changes": changes})

    async def _act(self) -> None:
        buffer = self._buffer()
        at = self._place(buffer)
        where = buffer.position(at, self._editor.encoding)
        span = {"start": where, "end": where}
        found = [{"range": span, "message": "undefined name 'compute'", "severity": 1}]
        params = {
            "textDocument": {"uri": buffer.uri},
            "range": span,
            "context": {"diagnostics": found if self._chance.random() < 0.5 else []},
        }
        actions = await self._ask("textDocument/codeAction", params)
        if not actions:
            return
        action = self._chance.choice(actions)
        if "data" in action:
            resolved = await self._ask("codeAction/resolve", action)
            if resolved and resolved.get("edit"):
                self._editor.apply(resolved["edit"])
                self._report.done["edited"] += 1
        else:
            await self._ask("workspace/executeCommand", action["command"])

    def _set(self) -> None:
        """Change the settings, as a person or a plug-in does."""
        lines = self._chance.randint(1, 8)
        self._editor.configuration = {"completion": {"max_lines": lines}}
        settings = {"settings": {"twotrack": self._editor.configuration}}
        self._editor.notify("workspace/didChangeConfiguration", settings)

    async def _look_at_status(self) -> None:
        await self._ask("twotrack/status", {})


def clever(chance: random.Random) -> Callable[[RequestLog], Reply]:
    """The strong model: a third of its answers fail."""
    faults = [
        Reply(status=500),
        Reply(status=429, headers={"Retry-After": "1"}),
        Reply(drop=True),
        Reply("def total(price):", cut_after=1),
        Reply("def total(price):", malformed_after=1),
        Reply("def total(price):", error_after=1),
        Reply(""),
    ]
    answers = [
        Reply("Return the total of a price."),
        Reply("```python\ndef total(price, rate):\n    return price * rate\n```"),
        Reply("It multiplies the price by the rate."),
    ]

    def answer(_: RequestLog) -> Reply:
        return chance.choice(faults if chance.random() < 0.3 else answers)

    return answer


async def live(
    folder: Path,
    *,
    hours: float,
    minutes: float,
    seed: int,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Carry out a day of so many hours in at least so many minutes, in a new project in `folder`.

    `tell` hears from time to time how it goes.
    """
    chance = random.Random(f"soak {seed}")  # noqa: S311  # no secret
    root = folder / "project"
    root.mkdir()
    for number in range(FILES):
        (root / f"module_{number}.py").write_text(module(number))
    report = Report()
    async with FaultyServer(shares(FAULTY, seed), drip_s=0.2) as fast, ModelServer() as strong:
        strong.answer = clever(chance)
        values = {
            "FIRST": fast.base_url("first"),
            "SECOND": fast.base_url("second"),
            "CLEVER": strong.base_url,
        }
        settings = SETTINGS
        for mark, value in values.items():
            settings = settings.replace(mark, value)
        (folder / "config.toml").write_text(settings)
        environment = {
            "TWOTRACK_CONFIG": str(folder / "config.toml"),
            **{f"XDG_{of}_HOME": str(folder / of.lower()) for of in ("DATA", "CONFIG", "CACHE")},
        }
        editor = await Client.start(sys.executable, "-m", "twotrack", environment=environment)
        try:
            recorded = json.loads(EDITOR.read_text())
            await editor.initialize(
                root=root,
                capabilities=recorded["capabilities"],
                client_info=recorded["clientInfo"],
            )
            day = Day(editor, root, chance, report)
            await _through(day, editor, report, hours=hours, minutes=minutes, tell=tell)
            report.unanswered = await day.settled()
            report.status = await editor.stop()
        finally:
            await editor.kill()
    return report


async def _through(
    day: Day,
    editor: Client,
    report: Report,
    *,
    hours: float,
    minutes: float,
    tell: Callable[[str], None],
) -> None:
    """Do the steps of a day, each when it is due, and measure in between."""
    process = psutil.Process(editor.process.pid)
    steps = max(SAMPLES // 10, round(hours * STEPS_AN_HOUR))
    every = max(1, steps // SAMPLES)
    began = time.monotonic()
    for number in range(steps):
        await asyncio.sleep(began + minutes * 60 * number / steps - time.monotonic())
        await day.step()
        if number % every == 0:
            sample = Sample(
                process.memory_info().rss / 1e6, process.num_fds(), process.num_threads()
            )
            report.samples.append(sample)
            if number % (every * 20) == 0:
                tell(f"{hours * number / steps:.1f} h: {sample}")
            # What tests keep of the talk is not the server's to answer for.
            editor.notifications.clear()
            editor.requests.clear()


def main() -> int:
    parser = argparse.ArgumentParser(description="Live through a developer's day.")
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    def tell(text: str) -> None:
        print(text, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(
            live(Path(folder), hours=given.hours, minutes=given.minutes, seed=given.seed, tell=tell)
        )
    print(report)
    problem = report.problem()
    if problem:
        print(f"{problem} Seed {given.seed}.", file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
