"""How much is asked, and how soon the right text is seen, while a person types.

    python tests/bench/bench_typing.py

A part of a module of Python's own library is typed at a human rhythm (lognormal intervals; a new
line is begun after a longer one). At each key the editor cancels what it asked before, tells the
change, and asks. The model takes 300 ms to its first token. Text is seen if it is there before the
next key.

The last key of a burst is timed to its answer, also at the naive server, which asks at each key.

Then somebody types who accepts what is right, with models that know 80%, 50% and 30% of the lines:
what `completion.eagerness` leaves out, and what that costs. This model tells the log-probabilities
of its tokens, drawn anew for each answer: so that their sum at its beginning lies as SmolLM2's do
for lines of Python packages that it ended rightly, or not (`bench_confidence.py`; the lines that
the engine's weights were fitted to are others).
"""

import argparse
import asyncio
import os
import random
import sys
import textwrap
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "editors" / "terminal"), str(HERE.parent)]

from client import Client  # noqa: E402
from measure import SETTINGS, naive, say, twotrack  # noqa: E402

from fakes.model_server import ModelServer, Reply, RequestLog  # noqa: E402
from twotrack.engine import confidence  # noqa: E402

KEYS = 511
"""At least; the line is typed to its end."""
MEDIAN_S, SPREAD = 0.14, 0.55
"""Of the interval between two keys, and of its logarithm."""
NEW_LINE, LONGEST_S = 3, 2.0
FIRST_TOKEN_S, TOKEN_S, TOKEN_CHARS = 0.3, 0.01, 4
BEGINNING = confidence.BEGINNING // TOKEN_CHARS
"""Tokens."""
KNOWN = (100, 80)
"""Lines of a hundred that a model knows."""
BURSTS, BURST_KEYS, REST_S = 40, (4, 12), 0.6
"""How many, of how many keys (from, to), with so long a rest before each."""
WRONG = "handle_value(index, other)"
WORTH_A_KEY = 4
"""Characters: less is typed, though the right text is shown."""
LONG, HASTE = 8_000, 4
"""Characters of the text that is typed with acceptance, so much faster, as its model is."""
EAGERNESS = ("high", "medium", "low")
ACCEPTED = (80, 50, 30)
"""Lines of a hundred that a model knows, for whoever accepts what is right."""
RIGHT_LOGPROBS = (-3.5, -2.01, -1.04, -0.94, -0.77, -0.62, -0.44, -0.3, -0.21, -0.1, 0.0)
WRONG_LOGPROBS = (-25.8, -9.53, -7.38, -5.74, -4.94, -3.89, -3.16, -2.55, -1.87, -1.08, -0.04)
"""Log-probabilities of the beginnings of right and wrong lines, by tenths."""


def drawn(tenths: tuple[float, ...], chance: random.Random) -> float:
    """Draw from a distribution that is known by its tenths."""
    at = chance.random() * (len(tenths) - 1)
    low, high = tenths[int(at)], tenths[int(at) + 1]
    return low + (high - low) * (at % 1)


class Typed:
    """A text, and the part of it that is typed."""

    def __init__(self, module: Any, known: int, keys: int = KEYS, haste: int = 1) -> None:
        self._known, self._haste = known, haste
        self.text = Path(module.__file__).read_text()
        self.begin = self.text.index("\n    def ", len(self.text) // 4) + 1
        self.keys: list[str] = []
        at = self.begin
        while len(self.keys) < keys or self.text[at] != "\n":
            end = at + 1
            if self.text[at] == "\n":  # the editor indents
                while self.text[end] == " ":
                    end += 1
            self.keys.append(self.text[at:end])
            at = end
        self.end = at

    def truth(self, at: int) -> str:
        """Return what is left of the line."""
        return self.text[at:].partition("\n")[0]

    def answer(self, request: RequestLog) -> Reply:
        """Answer as a model does that knows most lines."""
        prompt: str = request.body["prompt"]
        end = prompt.partition("<|fim_suffix|>")[0][-400:]
        at = self.text.index(end) + len(end)
        line = self.text.rfind("\n", 0, at) + 1
        knows = zlib.crc32(self.text[line : line + 60].encode()) % 100 < self._known
        said = self.truth(at) if knows else WRONG
        tokens = [said[i : i + TOKEN_CHARS] for i in range(0, len(said), TOKEN_CHARS)]
        chance = random.Random(zlib.crc32(end.encode()))  # noqa: S311  # no secret
        share = drawn(RIGHT_LOGPROBS if knows else WRONG_LOGPROBS, chance) / max(
            min(len(tokens), BEGINNING), 1
        )
        first, each = FIRST_TOKEN_S / self._haste, TOKEN_S / self._haste
        return Reply(
            chunks=tokens or [""],
            logprobs=[share] * max(len(tokens), 1),
            delay_s=first,
            chunk_delay_s=each,
        )


async def typed(client: Client, text: Typed, rng: random.Random) -> tuple[int, list[float], int]:
    """Type; return at how many keys the right text was seen, after how long, and of how many."""
    begun = text.text[: text.begin] + text.text[text.end :]
    buffer = client.open(Path("/tmp/typed.py"), "python", begun)
    at = text.begin
    seen, places, waited = 0, 0, []
    waiting: tuple[int, asyncio.Future[Any]] | None = None
    for key in text.keys:
        if waiting is not None and not waiting[1].done():
            client.cancel(waiting[0])
        client.change(buffer, at, at, key)
        at += len(key)
        began = time.perf_counter()
        interval = min(rng.lognormvariate(0, SPREAD) * MEDIAN_S, LONGEST_S)
        interval = min(interval * NEW_LINE, LONGEST_S) if key.startswith("\n") else interval
        truth = text.truth(at)
        waiting = client.send("textDocument/inlineCompletion", client.inline_params(buffer, at))
        waiting[1].add_done_callback(lambda f: f.cancelled() or f.exception())
        done, _ = await asyncio.wait({waiting[1]}, timeout=interval)
        if truth.strip():
            places += 1
            right = bool(done) and waiting[1].exception() is None
            items = (waiting[1].result() or {"items": []})["items"] if right else []
            if items and truth.startswith(items[0]["insertText"].partition("\n")[0]):
                seen += 1
                waited.append(time.perf_counter() - began)
        await asyncio.sleep(max(began + interval - time.perf_counter(), 0))
    return seen, waited, places


async def bursts(client: Client, text: Typed, rng: random.Random) -> list[float]:
    """Type in bursts; return the seconds from the last key to its answer, where one came."""
    buffer = client.open(Path("/tmp/typed.py"), "python", text.text[: text.begin])
    at, waited = text.begin, []
    for _ in range(BURSTS):
        await asyncio.sleep(REST_S)
        waiting: tuple[int, asyncio.Future[Any]] | None = None
        last = at + rng.randint(*BURST_KEYS)
        while at < last:
            if waiting is not None and not waiting[1].done():
                client.cancel(waiting[0])
            key = text.text[at]
            client.change(buffer, at, at, key)
            at += 1
            began = time.perf_counter()
            waiting = client.send("textDocument/inlineCompletion", client.inline_params(buffer, at))
            waiting[1].add_done_callback(lambda f: f.cancelled() or f.exception())
            if at < last:
                interval = min(rng.lognormvariate(0, SPREAD) * MEDIAN_S, LONGEST_S)
                await asyncio.sleep(max(began + interval - time.perf_counter(), 0))
        assert waiting is not None
        if (await waiting[1] or {"items": []})["items"]:
            waited.append(time.perf_counter() - began)
    return waited


async def compare_bursts(known: int) -> None:
    """Say how much sooner, or later, the last key of a burst is answered than by asking at each."""
    means, came = [], []
    for start in (twotrack, naive):
        text = Typed(textwrap, known)
        async with ModelServer() as server:
            server.answer = text.answer
            async with start(server) as client:  # type: ignore[operator]  # it has a base_url
                waited = await bursts(client, text, random.Random(1))  # noqa: S311  # no secret
        means.append(sum(waited) / len(waited))
        came.append(len(waited))
    ours, floor = means
    say(f"{known}% known: last key of a burst to its answer, mean", f"{ours * 1e3:.0f} ms")
    say("  of asking at each key", f"{ours / floor:.2f}", "goal <= 1.05")
    say("  bursts that end with a proposal, of these there", f"{came[0]} of {came[1]}")


@dataclass
class Session:
    """What somebody sees who accepts what is right."""

    shown: set[str] = field(default_factory=set)
    """Proposals."""
    kept: int = 0
    """Characters accepted."""
    finished: int = 0
    """Places at which nothing was left to type on the line."""
    quiet: int = 0
    """Of these, with nothing shown."""


async def accepted(client: Client, text: Typed, rng: random.Random, name: str) -> Session:
    """Type, and accept what is right; what is typed stands in the bench's own file."""
    begun = text.text[: text.begin] + text.text[text.end :]
    buffer = client.open(Path(f"/tmp/{name}.py"), "python", begun)
    at, session = text.begin, Session()
    while at < text.end:
        key = text.text[at : at + 1]
        if key == "\n":  # the editor indents
            key += " " * (len(line := text.truth(at + 1)) - len(line.lstrip()))
        client.change(buffer, at, at, key)
        at += len(key)
        interval = min(rng.lognormvariate(0, SPREAD) * MEDIAN_S, LONGEST_S)
        interval = min(interval * NEW_LINE, LONGEST_S) if key.startswith("\n") else interval
        interval /= HASTE
        truth = text.truth(at)
        began = time.perf_counter()
        number, answer = client.send(
            "textDocument/inlineCompletion", client.inline_params(buffer, at)
        )
        done, _ = await asyncio.wait({answer}, timeout=interval)
        items = (answer.result() or {"items": []})["items"] if done else []
        if not done:
            client.cancel(number)
            answer.add_done_callback(lambda f: f.cancelled() or f.exception())
        session.shown.update(item["command"]["arguments"][0] for item in items)
        if not truth.strip() and not key.startswith("\n"):
            session.finished += 1
            session.quiet += not items
        await asyncio.sleep(max(began + interval - time.perf_counter(), 0))
        if items and len(truth) >= WORTH_A_KEY:
            said = items[0]["insertText"].partition("\n")[0]
            if said == truth:
                client.change(buffer, at, at, said)
                at += len(said)
                session.kept += len(said)
    return session


async def compare(known: int) -> None:
    """Say what each eagerness shows, and what is kept of it; they go on beside each other."""

    async def session(eagerness: str) -> Session:
        text = Typed(argparse, known, LONG, HASTE)
        settings = SETTINGS.replace("openai-compatible", "vllm")  # which tells log-probabilities
        settings += f'\n[completion]\neagerness = "{eagerness}"\n'
        async with ModelServer() as server:
            server.answer = text.answer
            async with twotrack(server, settings) as client:  # type: ignore[arg-type]  # as above
                return await accepted(client, text, random.Random(1), "a")  # noqa: S311  # no secret

    done = await asyncio.gather(*map(session, EAGERNESS))
    all_of_it = done[0]
    for eagerness, each in zip(EAGERNESS, done, strict=True):
        say(f"{known}% known, eagerness {eagerness}: proposals shown", len(each.shown))
        say("  fewer than with high", f"{1 - len(each.shown) / len(all_of_it.shown):.0%}")
        say("  characters kept, of those with high", f"{each.kept / all_of_it.kept:.0%}")
        say("  quiet where the line is finished", f"{each.quiet / each.finished:.0%}")


async def main() -> None:
    for known in KNOWN:
        text = Typed(textwrap, known)
        async with ModelServer() as server:
            server.answer = text.answer
            async with twotrack(server) as client:  # type: ignore[arg-type]  # it has a base_url
                seen, waited, places = await typed(client, text, random.Random(1))  # noqa: S311  # no secret
            asked = len(server.requests)
            left = sum(request.aborted_at is not None for request in server.requests)
        say(
            f"a model that knows {known}% of the lines: asked for 1,000 keys",
            round(asked / len(text.keys) * 1e3),
        )
        say("  of these thrown away", left)
        say("  right text visible", f"{seen / places:.0%}")
        p90 = sorted(waited)[len(waited) * 9 // 10]
        say("  key to right text, as far as seen, p90", f"{p90 * 1e3:.0f} ms", "goal <= 300 ms")


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    asyncio.run(main())
    for share in (*KNOWN, ACCEPTED[-1]):
        asyncio.run(compare_bursts(share))
    for share in ACCEPTED:
        asyncio.run(compare(share))
